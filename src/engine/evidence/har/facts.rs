//! What the requests of an archive tell.

use jiff::Timestamp;

use super::super::condensed::Value;
use super::super::recording::{
    Lives, Recording, address_of, as_socket, is_consequence, path_kind, redirect, telling_header,
};
use super::super::scan::unescaped;
use super::super::{Address, Span};
use super::condense::speaks_of_error;
use super::entry::{Archive, Entry, Field, Message, header, number_of};
use crate::engine::redact::base64_decoded;

/// Longer waits without an answer are time-outs, in milliseconds; much longer ones are no times.
const LONG_WAIT: f64 = 15_000.0;
const LONGEST_WAIT: f64 = 86_400_000.0;

/// Reads the archive that begins at a byte of the text.
pub(in super::super) fn read(text: &str, start: usize) -> Recording {
    let archive = Archive::read(text, start);
    let mut reader = Reader {
        text,
        page: None,
        tells_life: archive
            .creator
            .is_some_and(|name| archive.slice(name.span).starts_with("WebInspector")),
    };
    reader.page = archive
        .page
        .and_then(|title| reader.page_at(title.span))
        .filter(|address| !address.is_websocket());
    let mut recording = reader.recording(&archive);
    recording.span = Span {
        start,
        end: archive.end,
    };
    recording
}

struct Reader<'a> {
    text: &'a str,
    page: Option<Address>,
    /// Chromium alone says how long a socket lived.
    tells_life: bool,
}

/// A connection, whether it opened, and its number.
type Known = (Address, bool, usize);

impl<'a> Reader<'a> {
    fn slice(&self, span: Span) -> &'a str {
        &self.text[span.start..span.end]
    }

    fn page_at(&self, span: Span) -> Option<Address> {
        address_of(&unescaped(self.text, span, 4096), span)
    }

    fn status(&self, entry: &Entry) -> Option<(u16, Span)> {
        entry.status(self.text)
    }

    fn header(&self, headers: &[(Value, Value)], name: &str) -> Option<Span> {
        header(self.text, headers, name)
    }

    /// Milliseconds of a stage. Chromium dates a request that was never sent to the beginning of
    /// 1970; its times count from nowhere.
    fn stage(&self, entry: &Entry, field: Field) -> Option<f64> {
        let started = self.slice(entry.get(Field::Started)?);
        let time = number_of(self.text, entry.get(field)?)?;
        (!started.starts_with("19") && time < LONGEST_WAIT).then_some(time)
    }

    fn is_http2(&self, entry: &Entry) -> Option<Span> {
        [Field::ResponseVersion, Field::RequestVersion]
            .into_iter()
            .filter_map(|field| entry.get(field))
            .find(|span| {
                let version = self.slice(*span).to_ascii_lowercase();
                matches!(
                    version.as_str(),
                    "h2" | "http/2" | "http/2.0" | "h3" | "http/3"
                )
            })
    }

    fn has_opened(&self, entry: &Entry) -> bool {
        match self.status(entry) {
            Some((101, _)) => true,
            // Over HTTP/2 a socket is opened with 200 (RFC 8441).
            Some((200, _)) => self.is_http2(entry).is_some() && entry.errors.is_empty(),
            _ => entry.messages > 0,
        }
    }

    fn recording(mut self, archive: &Archive<'_>) -> Recording {
        let mut recording = Recording::new();
        let mut known: Vec<Known> = Vec::new();
        let mut weights: Vec<usize> = Vec::new();
        let mut lives = Lives::default();
        for entry in &archive.sockets {
            let Some(address) = entry.address(self.text).map(as_socket) else {
                continue;
            };
            let opened = self.has_opened(entry);
            let connection = recording.connection_of(&mut known, &address, opened);
            weights.resize(known.len().max(weights.len()), 0);
            // That a socket failed to open says more than that it ended.
            weights[connection] += if !opened {
                100
            } else {
                usize::from(!entry.errors.is_empty()) * 10
                    + usize::from(!entry.closes.is_empty()) * 5
                    + 1
            };
            self.socket(&mut recording, connection, entry, &address, opened);
            if let Some(life) = self.life(entry).filter(|_| opened) {
                let quiet = self.quiet(entry, life.0);
                lives.tell(&mut recording, connection, life, quiet);
            }
        }
        lives.finish(&mut recording);
        recording.failing = (0..weights.len())
            .max_by_key(|connection| (weights[*connection], usize::MAX - connection))
            .filter(|connection| weights[*connection] > 1);
        self.failed(&mut recording, archive, &known);
        if let Some(page) = &self.page {
            recording.page(page);
        }
        recording
    }

    fn socket(
        &mut self,
        recording: &mut Recording,
        connection: usize,
        entry: &Entry,
        address: &Address,
        opened: bool,
    ) {
        let here = Some(connection);
        let status = self.status(entry);
        if let Some((status, span)) = status.filter(|(status, _)| !(opened && *status == 200)) {
            recording.fact("handshake.status", &status.to_string(), here, span);
        }
        if opened && let Some(span) = status.map(|(_, span)| span).or(entry.get(Field::Url)) {
            recording.fact("handshake.opened", "yes", here, span);
        }
        if let Some(version) = self.is_http2(entry).filter(|_| !opened) {
            recording.fact("handshake.request", "http-2", here, version);
        }
        if status.is_none() && !opened {
            self.silence(recording, connection, entry, address);
        }
        self.wordings(recording, here, entry, !opened);
        if let Some(location) = self.header(&entry.response_headers, "location")
            && status.is_some_and(|(status, _)| (300..400).contains(&status))
            && let Some(kind) = redirect(address, &unescaped(self.text, location, 4096))
        {
            recording.fact("handshake.redirect", kind, here, location);
        }
        self.negotiation(recording, connection, entry);
        self.ends(recording, connection, entry);
        self.find_page(entry);
    }

    /// The page that opened the socket: its Origin, else the script's address.
    fn find_page(&mut self, entry: &Entry) {
        let origin = self
            .header(&entry.request_headers, "origin")
            .or_else(|| self.header(&entry.request_headers, "referer"));
        let initiator = entry
            .get(Field::InitiatorUrl)
            .filter(|_| self.page.is_none());
        for span in [origin, initiator].into_iter().flatten() {
            let page = self
                .page_at(span)
                .filter(|page| !page.is_websocket() && (Some(span) == origin || !page.is_script));
            if page.is_some() {
                self.page = page;
                return;
            }
        }
    }

    /// What can be said where nothing was answered: how far the connection came, and what was
    /// waited for.
    fn silence(
        &self,
        recording: &mut Recording,
        connection: usize,
        entry: &Entry,
        address: &Address,
    ) {
        let here = Some(connection);
        let stage = |field| self.stage(entry, field).unwrap_or(-1.0);
        let (connect, ssl, wait) = (stage(Field::Connect), stage(Field::Ssl), stage(Field::Wait));
        let place = entry.get(Field::Status).or(entry.get(Field::Url));
        if let Some(span) = place {
            if wait >= LONG_WAIT {
                recording.fact("handshake.answer", "timed-out", here, span);
            } else if connect >= LONG_WAIT {
                recording.fact("tcp.connect", "timed-out", here, span);
            }
        }
        // Time that went into encryption, and then into waiting, went into an open connection.
        // Chromium measures the stages of no socket.
        if !self.tells_life
            && ssl > 0.0
            && wait > 0.0
            && let Some(span) = entry.get(Field::Ssl)
        {
            recording.fact("tls.fault", "none", here, span);
        }
        if let Some(span) = entry.get(Field::ServerAddress)
            && self.slice(span).trim_matches(['[', ']']) == "::1"
            && address.host == "localhost"
        {
            recording.fact("tcp.address.kind", "ipv6-loopback", here, span);
        }
    }

    /// Errors, headers and the beginning of a refusal's body are looked at with the known wordings.
    fn wordings(
        &self,
        recording: &mut Recording,
        connection: Option<usize>,
        entry: &Entry,
        has_failed: bool,
    ) {
        let own = [Field::ResponseError, Field::Error]
            .into_iter()
            .filter_map(|field| entry.said(self.text, field));
        let told = entry
            .errors
            .iter()
            .filter_map(|message| Some(message.data?.span));
        for error in own.chain(told) {
            let words = unescaped(self.text, error, 1024);
            if self.status(entry).is_none() || !is_consequence(&words) {
                recording.words(words, connection, error);
            }
        }
        for (name, value) in &entry.response_headers {
            let name = unescaped(self.text, name.span, 64);
            let words = unescaped(self.text, value.span, 512).replace(['\n', '\r'], " ");
            if let Some(header) = telling_header(&name, &words) {
                recording.words(header, connection, value.span);
            }
        }
        if let Some(body) = entry.get(Field::Body).filter(|_| has_failed) {
            recording.words(unescaped(self.text, body, 2048), connection, body);
        }
    }

    /// Compares the subprotocols and extensions that were asked for with those that were named.
    fn negotiation(&self, recording: &mut Recording, connection: usize, entry: &Entry) {
        let (request, response) = (&entry.request_headers, &entry.response_headers);
        // Headers that the browser does not know of are no sign of anything.
        let is_whole = self.status(entry).is_some_and(|(status, _)| status == 101)
            && self.header(request, "sec-websocket-key").is_some()
            && self.header(response, "sec-websocket-accept").is_some();
        if !is_whole {
            return;
        }
        let asked = self.header(request, "sec-websocket-protocol");
        let named = self.header(response, "sec-websocket-protocol");
        let fault = match (asked, named) {
            (Some(asked), None) if entry.messages == 0 => Some(("subprotocol-missing", asked)),
            (None, Some(named)) => Some(("subprotocol-unexpected", named)),
            (Some(asked), Some(named)) => {
                let is_among = self
                    .slice(asked)
                    .split(',')
                    .any(|one| one.trim() == self.slice(named).trim());
                (!is_among).then_some(("subprotocol-unexpected", named))
            }
            _ => None,
        };
        let extension = |span: Span| -> &str {
            let list = self.slice(span);
            list.split([',', ';']).next().unwrap_or_default().trim()
        };
        let unasked = self
            .header(response, "sec-websocket-extensions")
            .filter(|named| {
                let asked = self.header(request, "sec-websocket-extensions");
                !extension(*named).is_empty()
                    && !asked.is_some_and(|asked| self.slice(asked).contains(extension(*named)))
            })
            .map(|named| ("extension-unexpected", named));
        for (fault, span) in fault.into_iter().chain(unasked) {
            recording.fact("handshake.fault", fault, Some(connection), span);
        }
    }

    /// Close frames, and the message of an error before the end.
    fn ends(&self, recording: &mut Recording, connection: usize, entry: &Entry) {
        let here = Some(connection);
        for close in &entry.closes {
            if let Some((code, reason, span)) = self.close_frame(close) {
                recording.fact("close.code", &code.to_string(), here, span);
                if !reason.is_empty() {
                    recording.words(format!("code: {code}, reason: {reason}"), here, span);
                }
            }
        }
        if let Some(data) = entry.last_received.and_then(|message| message.data)
            && self.has_opened(entry)
            && speaks_of_error(self.text, data)
        {
            recording.words(unescaped(self.text, data.span, 1024), here, data.span);
        }
    }

    /// Code and reason of a close frame: a member of its own, digits, the payload itself (two
    /// bytes and the reason, RFC 6455 section 5.5.1) or the payload in base64.
    fn close_frame(&self, message: &Message) -> Option<(u16, String, Span)> {
        let is_code = |code: &u16| (1000..5000).contains(code);
        let data = message
            .data
            .map(|data| (unescaped(self.text, data.span, 512), data.span));
        if let Some(code) = message.code {
            let number = self.slice(code.span).parse().ok().filter(is_code)?;
            return Some((number, data.map_or(String::new(), |data| data.0), code.span));
        }
        let (data, span) = data?;
        if let Some(code) = data
            .get(..4)
            .and_then(|code| code.parse().ok())
            .filter(is_code)
        {
            let reason = data.get(4..).unwrap_or_default();
            return Some((code, reason.trim_matches([' ', ':', ',']).to_owned(), span));
        }
        let mut letters = data.chars();
        let byte = |letter: Option<char>| u8::try_from(letter?).ok();
        let (high, low) = (byte(letters.next())?, byte(letters.next())?);
        let plain = u16::from_be_bytes([high, low]);
        if is_code(&plain) {
            return Some((plain, letters.as_str().to_owned(), span));
        }
        let bytes = base64_decoded(&data)?;
        let code = u16::from_be_bytes([*bytes.first()?, *bytes.get(1)?]);
        let reason = String::from_utf8_lossy(bytes.get(2..)?).into_owned();
        is_code(&code).then_some((code, reason, span))
    }

    /// How many seconds an opened socket lived. A socket that was still open when the file was
    /// written has none.
    fn life(&self, entry: &Entry) -> Option<(f64, Span)> {
        let span = entry.get(Field::Receive).filter(|_| self.tells_life)?;
        let receive = number_of(self.text, span)?;
        let seconds = receive / 1000.0;
        let first = entry
            .first
            .and_then(|message| number_of(self.text, message.time?.span));
        let outlived = entry
            .last_time(self.text)
            .zip(first)
            .is_some_and(|(last, first)| last - first > seconds + 1.0);
        (receive > 1.0 && !outlived).then_some((seconds, span))
    }

    /// Seconds from the last message to the end.
    fn quiet(&self, entry: &Entry, seconds: f64) -> Option<f64> {
        let started: Timestamp = self.slice(entry.get(Field::Started)?).parse().ok()?;
        let Some(last) = entry.last_time(self.text) else {
            return Some(seconds);
        };
        let before: f64 = [
            Field::Blocked,
            Field::Dns,
            Field::Connect,
            Field::Send,
            Field::Wait,
        ]
        .into_iter()
        .filter_map(|field| self.stage(entry, field))
        .map(|time| time.max(0.0))
        .sum();
        let end = started.as_millisecond() as f64 / 1000.0 + before / 1000.0 + seconds;
        // A file whose clocks do not agree tells nothing.
        Some(end - last).filter(|quiet| (-5.0..=seconds + 5.0).contains(quiet))
    }

    /// Requests to a socket's host that failed, and polling where no socket was tried.
    fn failed(&self, recording: &mut Recording, archive: &Archive<'_>, known: &[Known]) {
        let mut alone: Vec<Known> = Vec::new();
        for entry in &archive.failed {
            let Some(address) = entry.address(self.text) else {
                continue;
            };
            let own_kind = path_kind(&address);
            let mut of: Vec<usize> = known
                .iter()
                .filter(|(other, _, _)| self.belongs(entry, &address, other))
                .map(|(_, _, connection)| *connection)
                .collect();
            of.sort_by_key(|connection| Some(*connection) != recording.failing);
            let connection = of.first().copied().or_else(|| {
                // A library that polls first never comes to its socket if polling fails.
                own_kind.as_ref().filter(|_| known.is_empty())?;
                Some(recording.connection_of(&mut alone, &address, false))
            });
            if connection.is_none() {
                continue;
            }
            recording.failing = recording.failing.or(connection);
            if let Some((status, span)) = self.status(entry) {
                recording.fact("handshake.status", &status.to_string(), connection, span);
            }
            if own_kind.as_deref() == Some("socket.io") && address.query.contains("polling") {
                let span = entry.get(Field::Status).unwrap_or(address.span);
                recording.fact("client.fault", "polling-error", connection, span);
            }
            self.wordings(recording, connection, entry, true);
        }
    }

    /// Whether a request that failed speaks of a socket: it did not reach the host either, or it
    /// went to the same place.
    fn belongs(&self, entry: &Entry, address: &Address, socket: &Address) -> bool {
        let as_one = as_socket(address.clone());
        let own_kind = path_kind(address);
        socket.host == as_one.host
            && socket.effective_port() == as_one.effective_port()
            && (self.status(entry).is_none()
                || socket.same_endpoint(&as_one)
                || (own_kind.is_some() && path_kind(socket) == own_kind))
    }
}
