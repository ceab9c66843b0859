//! The answer to a handshake as it came.

/// How reading ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The header is there.
    #[default]
    Complete,
    /// The server closed the connection before.
    Closed,
    /// It was reset before.
    Reset,
    /// The time was over.
    TimedOut,
    /// The header is longer than what is read.
    TooLong,
    /// Something else went wrong.
    Failed(String),
}

impl Ending {
    /// The other side ended it before the header was there. Whether it closed or reset the connection
    /// is a matter of chance.
    pub(crate) fn is_broken_off(&self) -> bool {
        matches!(self, Ending::Closed | Ending::Reset)
    }
}

/// Status line and headers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parsed {
    /// 0 for HTTP/1.0, 1 for HTTP/1.1.
    pub(crate) version: u8,
    pub(crate) status: u16,
    /// Names as they were written.
    pub(crate) headers: Vec<(String, String)>,
    /// The strict parser refused it; this is what can be read all the same.
    pub(crate) is_malformed: bool,
}

/// What came back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    /// The header as it came, or all there is if it did not end.
    pub(crate) raw: Vec<u8>,
    /// What came after the header.
    pub(crate) rest: Vec<u8>,
    /// So many bytes of announcements came before.
    pub(crate) announced: usize,
    pub(crate) ending: Ending,
    pub(crate) parsed: Option<Parsed>,
}

/// A header with more lines is malformed.
const MOST_HEADERS: usize = 200;

impl Answer {
    /// The first header of that name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let parsed = self.parsed.as_ref()?;
        let found = parsed
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// All headers of that name.
    pub(crate) fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.parsed
            .iter()
            .flat_map(|parsed| &parsed.headers)
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Whether the header has ended; then it is parsed. Answers that are only announcements (100,
    /// 103) are passed over.
    pub(super) fn split_header(&mut self) -> bool {
        while let Some(end) = header_end(&self.raw) {
            let parsed = parse(&self.raw[..end]);
            let is_interim = parsed
                .as_ref()
                .is_some_and(|parsed| (100..200).contains(&parsed.status) && parsed.status != 101);
            if is_interim {
                self.raw.drain(..end);
                self.announced += end;
                continue;
            }
            self.rest = self.raw.split_off(end);
            self.parsed = parsed;
            return true;
        }
        false
    }

    /// Reads what there is of a header that did not end.
    pub(super) fn read_torso(&mut self) {
        self.parsed = loosely(&self.raw);
    }
}

/// The byte after the first empty line.
fn header_end(bytes: &[u8]) -> Option<usize> {
    let strict = memchr::memmem::find(bytes, b"\r\n\r\n").map(|at| at + 4);
    let loose = memchr::memmem::find(bytes, b"\n\n").map(|at| at + 2);
    match (strict, loose) {
        (Some(strict), Some(loose)) => Some(strict.min(loose)),
        (one, other) => one.or(other),
    }
}

fn parse(header: &[u8]) -> Option<Parsed> {
    let mut lines = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut response = httparse::Response::new(&mut lines);
    match response.parse(header) {
        Ok(httparse::Status::Complete(_)) => Some(Parsed {
            version: response.version.unwrap_or(1),
            status: response.code.unwrap_or(0),
            headers: response
                .headers
                .iter()
                .map(|header| {
                    let value = String::from_utf8_lossy(header.value).into_owned();
                    (header.name.to_owned(), value)
                })
                .collect(),
            is_malformed: false,
        }),
        _ => loosely(header),
    }
}

/// What a person would read from it.
fn loosely(header: &[u8]) -> Option<Parsed> {
    let text = String::from_utf8_lossy(header);
    let mut lines = text.lines();
    let (version, rest) = lines.next()?.split_once(' ')?;
    let version = version.strip_prefix("HTTP/")?;
    let status = rest.trim_start().get(..3)?.parse().ok()?;
    let headers = lines
        .take(MOST_HEADERS)
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect();
    Some(Parsed {
        version: u8::from(version != "1.0"),
        status,
        headers,
        is_malformed: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(raw: &[u8]) -> Answer {
        let mut answer = Answer {
            raw: raw.to_vec(),
            ..Answer::default()
        };
        assert!(answer.split_header());
        answer
    }

    #[test]
    fn what_follows_the_header_is_kept_apart() {
        let answer = answer(b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n\x81\x01a");
        assert_eq!(answer.header("UPGRADE"), Some("websocket"));
        assert_eq!(answer.rest, b"\x81\x01a");
    }

    #[test]
    fn announcements_are_passed_over() {
        let answer = answer(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 404 Not Found\r\n\r\n");
        assert_eq!(answer.parsed.expect("parsed").status, 404);
    }

    #[test]
    fn a_malformed_header_is_read_as_far_as_it_goes() {
        let answer = answer(b"HTTP/1.1 101 X\r\nbad header: x\r\nUpgrade: websocket\r\n\r\n");
        let parsed = answer.parsed.expect("parsed");
        assert!(parsed.is_malformed);
        assert_eq!((parsed.status, parsed.headers.len()), (101, 2));
    }
}
