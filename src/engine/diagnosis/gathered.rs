//! What the pieces of evidence say, before it is weighed.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::super::evidence::Reach;
use super::super::evidence::{
    Address, Connections, Contents, Fact, Lines, Recording, Review, Sketch, Span, View, addresses,
    announced_ports, as_meant, facts_of_addresses, facts_of_context, quoted_source, recordings,
    structures,
};
use super::super::graph::{Hop, Layer, Who};
use super::super::matching::Matcher;
use super::super::prose::{Subject, is_whole};
use super::super::redact::redact;
use super::{Evidence, SeenFact, kept_of};

/// A quotation is cut at that many characters.
const LONGEST_QUOTE: usize = 200;
/// Up to this many facts are compared with each other; a set costs more.
const FEW_FACTS: usize = 64;

/// What the pieces of evidence say, before it is weighed.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) texts: Vec<String>,
    pub(super) facts: Vec<Fact>,
    pub(super) redacted: BTreeMap<String, usize>,
    /// The connection that is diagnosed, where a paste speaks of several.
    pub(super) connection: Option<usize>,
    pub(super) connections: usize,
    /// The ids of checks that were answered.
    pub(super) answered: Vec<String>,
    /// Whose part can be done without waiting; everybody's, if empty.
    pub(super) can: Vec<Who>,
    /// What may be probed.
    pub(super) reach: Reach,
    /// The endpoints of those connections by which other pieces of evidence name them again.
    endpoints: Vec<(Address, usize)>,
    /// What the client dials, as soon as a text names it.
    dialled: Option<Address>,
    /// Connections of tools beside the application: a development server's, a debugger's.
    of_tools: HashSet<usize>,
    /// The connection that a recording shows to fail.
    pub(super) failing: Option<usize>,
    /// Reviews of configurations, by piece of evidence.
    sketches: Vec<(usize, Sketch)>,
    /// Ports on which servers say that they listen, with the piece of evidence and the place in it.
    announced: Vec<(u16, usize, Span)>,
}

/// More configurations are not reviewed.
const MOST_REVIEWS: usize = 12;

/// Facts with these beginnings speak of the whole situation, whatever line they stand on.
const OF_EVERYTHING: &[&str] = &[
    "works.",
    "environment.",
    "since",
    "fails.",
    "page.",
    "edge.",
    "client.engine",
    "client.clock",
    "server.listening",
    "container.",
];

/// Whether a fact is what an address itself tells.
fn is_of_an_address(fact: &Fact) -> bool {
    fact.key.starts_with("url.") || fact.key.starts_with("page.")
}

/// Whether a fact says that something went wrong, or may say so.
fn is_complaint(fact: &Fact) -> bool {
    let says_well = match &*fact.key {
        "handshake.opened" => *fact.value == *"yes",
        "handshake.status" => *fact.value == *"101",
        "close.code" => *fact.value == *"1000",
        "close.clean" => *fact.value == *"yes",
        key => key.starts_with("url.") || key.ends_with(".library"),
    };
    !says_well
}

/// Whether a fact says that a connection failed or ended against somebody's will.
fn is_failure(fact: &Fact) -> bool {
    let works: &[&str] = match &*fact.key {
        "dns.lookup" | "tcp.connect" => &["ok"],
        "tls.fault" => &["none"],
        "handshake.status" => &["101"],
        "close.code" => &["1000", "1001", "1005"],
        "handshake.answer" | "handshake.fault" | "session.fault" | "tunnel.fault"
        | "client.fault" => &[],
        _ => return false,
    };
    fact.hop == Hop::ClientEdge && !works.contains(&&*fact.value)
}

/// The place in a text of one in a stretch of it that begins at the byte `offset`.
fn moved_by(offset: usize) -> impl Fn(Span) -> Span {
    move |span| Span {
        start: span.start + offset,
        end: span.end + offset,
    }
}

/// The place in the text of one in its transcript: exact where the line has no escapes, else the
/// line's. What goes over several lines begins in the first.
fn place_in(lines: &[(String, Span)], span: Span) -> Span {
    let mut start = 0;
    for (line, place) in lines {
        let end = start + line.len();
        if span.start <= end {
            let is_as_written = line.len() == place.end - place.start;
            return match is_as_written && span.end <= end {
                true => Span {
                    start: place.start + span.start - start,
                    end: place.start + span.end - start,
                },
                false => *place,
            };
        }
        start = end + 1;
    }
    lines.last().map_or(span, |(_, place)| *place)
}

impl Gathered {
    pub(super) fn read(&mut self, matcher: &Matcher, piece: Evidence, number: usize) {
        let redacted = kept_of(piece.text.unwrap_or_default());
        for (kind, count) in &redacted.counts {
            *self.redacted.entry((*kind).to_owned()).or_default() += count;
        }
        let text = redacted.text;
        let begun = self.facts.len();
        let is_probed = piece
            .facts
            .iter()
            .any(|fact| fact.key == "tcp.connect" && fact.value == "ok");
        // What was written around a recording is read as ever; the recording is not, because its
        // headers and answers would be taken for a person's words.
        let mut from = 0;
        for recording in recordings(&text, number) {
            let Span { start, end } = recording.span;
            self.read_words(matcher, &text[from..start], number, moved_by(from));
            self.read_recording(matcher, recording, number);
            from = end;
        }
        self.read_words(matcher, &text[from..], number, moved_by(from));
        if is_probed {
            self.forget_loopback(begun);
        }
        for mark in &redacted.marks {
            for (key, value) in &mark.facts {
                self.facts.push(Fact {
                    key: Arc::from(*key),
                    value: value.as_str().into(),
                    hop: Hop::ClientEdge,
                    vantage: "user".into(),
                    connection: None,
                    evidence: number,
                    span: Some(Span {
                        start: mark.start,
                        end: mark.end,
                    }),
                });
            }
        }
        self.facts.extend(facts_of_context(&piece.context, number));
        self.answered.extend(piece.answered);
        self.reach = self.reach.max(piece.context.reach);
        if !piece.context.can.is_empty() {
            self.can = piece.context.can;
        }
        for stated in &piece.facts {
            self.facts.push(Fact {
                key: Arc::from(redact(&stated.key).text),
                value: Arc::from(redact(&stated.value).text),
                hop: stated.hop,
                vantage: Arc::from(if stated.vantage.is_empty() {
                    "user"
                } else {
                    &stated.vantage
                }),
                connection: None,
                evidence: number,
                span: None,
            });
        }
        self.texts.push(text);
    }

    /// Reads a stretch of a text; `placed` gives the place in the whole of one in the stretch.
    fn read_words(
        &mut self,
        matcher: &Matcher,
        text: &str,
        number: usize,
        placed: impl Fn(Span) -> Span,
    ) {
        let view = View::of(text);
        let all = addresses(view.text());
        let contents = Contents::of(view.text());
        let structures = structures(&contents, &all, self.dialled.as_ref(), number);
        // Readers of structure need the escapes in strings; wordings need them undone.
        let spoken = View::unescaped(view.text());
        let contents = match spoken.is_as_given() {
            true => contents,
            false => Contents::of(spoken.text()),
        };
        let lines = Lines::new(spoken.text());
        let mut found = if spoken.is_as_given() {
            all
        } else {
            addresses(spoken.text())
        };
        found.retain(|address| !structures.covers(spoken.place(address.span)));
        let connections = Connections::of(&found, &lines);
        self.dialled = self
            .dialled
            .take()
            .or_else(|| connections.foremost().cloned());
        let mut facts = facts_of_addresses(&connections, &found, number);
        // Places of the text with its escapes are none of that without them.
        let known = || match spoken.is_as_given() {
            true => structures.known_lines(spoken.text()),
            false => Vec::new(),
        };
        let read = matcher.facts(spoken.text(), &lines, known, &connections, number);
        let quoted = quoted_source(spoken.text(), &lines);
        let is_quoted = |fact: &Fact| {
            let span = fact.span.unwrap_or_default();
            let holds = |own: &Span| own.start <= span.start && span.end <= own.end;
            fact.span.is_some() && quoted.iter().any(holds)
        };
        let read = read.into_iter().filter(|fact| !is_quoted(fact));
        facts.extend(as_meant(read.collect(), &contents));
        for span in facts.iter_mut().filter_map(|fact| fact.span.as_mut()) {
            *span = spoken.place(*span);
        }
        facts.retain(|fact| is_of_an_address(fact) || !structures.know_better_than(fact));
        for (port, span) in announced_ports(&contents, &lines) {
            let span = placed(view.place(spoken.place(span)));
            self.announced.push((port, number, span));
        }
        for sketch in structures.sketches {
            let sketch = sketch.placed(|span| placed(view.place(span)));
            self.sketches.push((number, sketch));
        }
        facts.extend(structures.facts);
        for span in facts.iter_mut().filter_map(|fact| fact.span.as_mut()) {
            *span = placed(view.place(*span));
        }
        let numbers = self.numbered(&connections.addresses, true);
        let of_tools = (0..numbers.len()).filter(|own| connections.is_of_a_tool(*own));
        self.of_tools.extend(of_tools.map(|own| numbers[own]));
        self.add(facts, &numbers);
    }

    /// Drops that an address is this very machine's, from the facts behind a position: a probe
    /// that was answered there was run beside the server, and says nothing of the client's address.
    fn forget_loopback(&mut self, begun: usize) {
        let mut position = 0;
        self.facts.retain(|fact| {
            position += 1;
            let is_loopback = *fact.key == *"url.host.kind" && *fact.value == *"loopback";
            position <= begun || !is_loopback
        });
    }

    /// Reads a recording of network traffic.
    fn read_recording(&mut self, matcher: &Matcher, recording: Recording, number: usize) {
        let begun = self.facts.len();
        let is_probed = !recording.transcript.is_empty()
            && recording
                .facts
                .iter()
                .any(|fact| *fact.key == *"tcp.connect" && *fact.value == *"ok");
        if !recording.transcript.is_empty() {
            let words: Vec<&str> = recording
                .transcript
                .iter()
                .map(|(line, _)| &**line)
                .collect();
            let placed = |span| place_in(&recording.transcript, span);
            self.read_words(matcher, &words.join("\n"), number, placed);
            if is_probed {
                self.forget_loopback(begun);
            }
        }
        let mut facts = recording.facts;
        for words in &recording.words {
            let lines = Lines::new(&words.text);
            let found = matcher.facts(
                &words.text,
                &lines,
                Vec::new,
                &Connections::default(),
                number,
            );
            facts.extend(found.into_iter().map(|fact| Fact {
                span: Some(words.span),
                connection: words.connection,
                ..fact
            }));
        }
        let numbers = self.numbered(&recording.addresses, false);
        self.failing = self.failing.or(recording.failing.map(|own| numbers[own]));
        self.add(facts, &numbers);
    }

    /// The numbers of a piece's connections among those of all pieces. Words that name an endpoint
    /// which an earlier piece named mean the same connection (`is_words`); a recording tells sockets
    /// of one endpoint apart, and so do its numbers.
    fn numbered(&mut self, addresses: &[Address], is_words: bool) -> Vec<usize> {
        let mut numbers = Vec::with_capacity(addresses.len());
        for address in addresses {
            let known = self.endpoints.iter();
            let known = known.filter(|(known, _)| is_words && address.same_endpoint(known));
            let mut known = known.map(|(_, number)| *number);
            // What is said of it is most likely said of the one that fails.
            let failing = known.clone().find(|number| Some(*number) == self.failing);
            let number = failing.or_else(|| known.next()).unwrap_or_else(|| {
                self.endpoints.push((address.clone(), self.connections));
                self.connections += 1;
                self.connections - 1
            });
            numbers.push(number);
        }
        numbers
    }

    /// Adds facts that number their connections from 0; `numbers` are those among all pieces'.
    fn add(&mut self, facts: Vec<Fact>, numbers: &[usize]) {
        self.facts.extend(facts.into_iter().map(|mut fact| {
            fact.connection = fact.connection.map(|own| numbers[own]);
            // What a tool's own line says of its socket says nothing of the application.
            let is_of_a_tool = fact
                .connection
                .is_some_and(|connection| self.of_tools.contains(&connection));
            let is_of_everything = !is_of_a_tool
                && OF_EVERYTHING
                    .iter()
                    .any(|beginning| fact.key.starts_with(beginning));
            fact.connection = fact.connection.filter(|_| !is_of_everything);
            fact
        }));
    }

    /// A proxy's time-out tells something where the connection lived as long as it allows.
    fn compare_silences(&mut self) {
        let found = self.facts.iter().find_map(|fact| {
            let seconds: f64 = (*fact.key == *"open.seconds")
                .then_some(&fact.value)?
                .parse()
                .ok()?;
            let mut sketches = self.sketches.iter().take(MOST_REVIEWS);
            sketches
                .find_map(|(number, sketch)| Some((*number, sketch.ends_silence_after(seconds)?)))
        });
        self.facts.extend(found.map(|(evidence, span)| Fact {
            key: "edge.silence".into(),
            value: "as-lived".into(),
            hop: Hop::ClientEdge,
            vantage: "user".into(),
            connection: None,
            evidence,
            span: Some(span),
        }));
    }

    /// Where a port refuses and the server says that it listens on another one, that is why. Behind a
    /// container's published ports and behind a proxy the two differ rightly.
    fn compare_ports(&mut self) {
        let Some((_, evidence, span)) = self.announced.last().copied() else {
            return;
        };
        let value = |connection: Option<usize>, key: &str| {
            let mut facts = self.facts.iter();
            let found = facts.find(|fact| fact.connection == connection && *fact.key == *key);
            found.map(|fact| &*fact.value)
        };
        let is_refused = |fact: &&Fact| {
            let is_client = fact.hop == Hop::ClientEdge;
            is_client && *fact.key == *"tcp.connect" && *fact.value == *"refused"
        };
        let Some(refused) = self.facts.iter().find(is_refused) else {
            return;
        };
        let kind = value(refused.connection, "url.host.kind");
        let is_near = matches!(kind, Some("loopback" | "private"));
        let dialled = value(refused.connection, "url.port").and_then(|port| port.parse().ok());
        let is_other = dialled.is_some_and(|dialled: u16| {
            let may_be_a_proxys = !is_near && matches!(dialled, 80 | 443);
            let is_announced = self.announced.iter().any(|(port, ..)| *port == dialled);
            !may_be_a_proxys && !is_announced
        });
        if !is_other || !self.sketches.is_empty() {
            return;
        }
        self.facts.push(Fact {
            key: "server.listening".into(),
            value: "other-port".into(),
            hop: Hop::ClientEdge,
            vantage: "server".into(),
            connection: None,
            evidence,
            span: Some(span),
        });
    }

    /// A probe that works beside somebody else's failure does not say that nothing is wrong: it says
    /// where to look. What else it saw is that success in parts.
    fn compare_vantages(&mut self) {
        let found = self
            .facts
            .iter()
            .find(|fact| *fact.key == *"probe.result" && *fact.value == *"healthy")
            .map(|fact| (fact.evidence, Arc::clone(&fact.vantage)));
        let Some((probe, vantage)) = found else {
            return;
        };
        let is_elsewhere = |fact: &Fact| fact.evidence != probe && is_failure(fact);
        if !self.facts.iter().any(is_elsewhere) {
            return;
        }
        self.facts
            .retain(|fact| fact.evidence != probe || fact.key.starts_with("url."));
        // From the user's own machine only the program differs.
        let (key, value) = match &*vantage {
            "user" => ("works.other-client", "yes"),
            _ => ("vantage.compared", "only-server-works"),
        };
        self.facts.push(Fact {
            key: key.into(),
            value: value.into(),
            hop: Hop::ClientEdge,
            vantage,
            connection: None,
            evidence: probe,
            span: None,
        });
    }

    /// Drops what was said twice, and chooses the connection that is diagnosed.
    pub(super) fn settle(&mut self) {
        self.compare_silences();
        self.compare_ports();
        self.compare_vantages();
        let mut is_new = first_of_each(&self.facts).into_iter();
        self.facts.retain(|_| is_new.next().unwrap_or(true));
        let mut complaints: BTreeMap<usize, usize> = BTreeMap::new();
        for fact in self.facts.iter().filter(|fact| is_complaint(fact)) {
            if let Some(connection) = fact.connection {
                let weight = usize::from(*fact.key != *"client.reason") + 1;
                *complaints.entry(connection).or_default() += weight;
            }
        }
        // The application's own connection counts first, then the one that shows most.
        let loudest = complaints
            .iter()
            .max_by_key(|(connection, weight)| {
                let is_own = !self.of_tools.contains(connection);
                (is_own, **weight, std::cmp::Reverse(**connection))
            })
            .map(|(connection, _)| *connection);
        self.connection = self
            .failing
            .or(loudest)
            .or_else(|| {
                (0..self.connections).find(|connection| !self.of_tools.contains(connection))
            })
            .or((self.connections > 0).then_some(0));
    }

    /// The facts that are weighed, with their positions: those of the diagnosed connection and
    /// those of none.
    pub(super) fn counted(&self) -> impl Iterator<Item = (usize, &Fact)> {
        self.facts
            .iter()
            .enumerate()
            .filter(|(_, fact)| fact.connection.is_none() || fact.connection == self.connection)
    }

    /// The words that a fact was read from, cut.
    pub(super) fn quote(&self, fact: usize) -> Option<String> {
        let fact = self.facts.get(fact)?;
        let text = self.texts.get(fact.evidence)?;
        fact.span.map(|span| quotation(&text[span.start..span.end]))
    }

    /// Whether the connection is a tool's own.
    pub(super) fn is_of_a_tool(&self, connection: usize) -> bool {
        self.of_tools.contains(&connection)
    }

    /// The address of a connection without its query.
    pub(super) fn address_of(&self, connection: usize) -> Option<String> {
        let known = self.endpoints.iter();
        let known = known.filter(|(_, number)| *number == connection);
        known.map(|(address, _)| address.without_query()).next()
    }

    /// What is said of one connection, and of the situation as a whole.
    pub(super) fn of_connection(&self, own: usize) -> impl Iterator<Item = (usize, &Fact)> {
        let facts = self.facts.iter().enumerate();
        facts.filter(move |(_, fact)| {
            let is_of_everything = OF_EVERYTHING
                .iter()
                .any(|beginning| fact.key.starts_with(beginning));
            fact.connection == Some(own) || fact.connection.is_none() && is_of_everything
        })
    }

    pub(super) fn value_of(&self, key: &str) -> Option<&str> {
        self.counted()
            .find(|(_, fact)| *fact.key == *key && fact.hop == Hop::ClientEdge)
            .map(|(_, fact)| &*fact.value)
    }

    pub(super) fn subject(&self) -> Subject {
        let value = |key: &str| self.value_of(key).map(str::to_owned);
        Subject {
            scheme: value("url.scheme").filter(|scheme| scheme.starts_with("ws")),
            host: value("url.host")
                .filter(|_| !matches!(self.value_of("url.host.kind"), Some("placeholder"))),
            port: value("url.port"),
            path: value("url.path"),
            origin: value("page.scheme")
                .zip(value("page.host"))
                .map(|(scheme, host)| format!("{scheme}://{host}")),
        }
    }

    /// Whether the connection can be probed: its address is known whole and may be reached.
    pub(super) fn can_probe(&self) -> bool {
        let subject = match self.reach {
            Reach::Nowhere => return false,
            Reach::Public | Reach::Inside => self.subject(),
        };
        let is_whole = subject.url().is_some_and(|url| is_whole(&url));
        let is_whole = is_whole && subject.port.is_some();
        is_whole && subject.host.is_some_and(|host| self.reach.holds(&host))
    }

    pub(super) fn is_edge_absent(&self) -> bool {
        self.value_of("edge.present") == Some("no")
            || self.value_of("edge.server") == Some("application")
    }

    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let hidden = matches!(self.value_of("client.reason"), Some("hidden"));
        let telling = [
            "handshake.status",
            "tcp.connect",
            "tls.fault",
            "client.fault",
            "dns.lookup",
            "handshake.fault",
            "handshake.answer",
        ];
        if hidden && telling.iter().all(|key| self.value_of(key).is_none()) {
            notes.push(if self.value_of("client.engine") == Some("firefox") {
                "Firefox prints this same line for nearly every failure: it hides the reason from \
                 pages on purpose, so the line alone cannot tell what is wrong."
                    .to_owned()
            } else {
                "The browser hides the reason from pages on purpose, so this line alone cannot \
                 tell what is wrong."
                    .to_owned()
            });
        }
        if self.value_of("close.code") == Some("1006")
            && !hidden
            && telling.iter().all(|key| self.value_of(key).is_none())
        {
            notes.push(
                "Code 1006 only says that the connection ended without a close frame; it does \
                 not tell why."
                    .to_owned(),
            );
        }
        if self.connections > 1 {
            notes.push(format!(
                "The text speaks of {} connections; this is about the one that shows most.",
                self.connections
            ));
        }
        notes
    }

    /// A few words for the picture of the path.
    pub(super) fn detail(&self, layer: Layer) -> String {
        let value = |key: &str| self.value_of(key).unwrap_or_default().to_owned();
        match layer {
            Layer::Client => value("client.engine"),
            Layer::Dns => value("url.host"),
            Layer::Tcp => {
                let port = value("url.port");
                if port.is_empty() {
                    port
                } else {
                    format!("port {port}")
                }
            }
            Layer::Tls => match self.value_of("url.scheme") {
                Some("ws") => "not used".to_owned(),
                _ => value("tls.fault").replace('-', " "),
            },
            Layer::Proxy => value("edge.server").replace("application", ""),
            Layer::Handshake => {
                let status = value("handshake.status");
                if status.is_empty() {
                    status
                } else {
                    format!("status {status}")
                }
            }
            Layer::Session => {
                let code = value("close.code");
                if code.is_empty() {
                    code
                } else {
                    format!("code {code}")
                }
            }
        }
    }

    /// What there is to say of the configurations, in the order of the evidence.
    pub(super) fn reviews(&self) -> Vec<Review> {
        let lines: Vec<Lines<'_>> = self.texts.iter().map(|text| Lines::new(text)).collect();
        self.sketches
            .iter()
            .take(MOST_REVIEWS)
            .map(|(evidence, sketch)| {
                sketch.review(*evidence, |at| lines[*evidence].position(at).0)
            })
            .collect()
    }

    pub(super) fn seen_facts(&self) -> Vec<SeenFact> {
        let lines: Vec<Lines<'_>> = self.texts.iter().map(|text| Lines::new(text)).collect();
        self.facts
            .iter()
            .map(|fact| {
                let words = fact
                    .span
                    .map(|span| &self.texts[fact.evidence][span.start..span.end]);
                SeenFact {
                    place: fact
                        .span
                        .map(|span| lines[fact.evidence].position(span.start)),
                    length: words.map(|words| words.chars().count()),
                    quote: words.map(quotation),
                    fact: fact.clone(),
                }
            })
            .collect()
    }
}

/// The beginning of what was read, on one line.
fn quotation(words: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii() && !byte.is_ascii_control();
    if words.len() <= LONGEST_QUOTE && words.bytes().all(is_plain) {
        return words.to_owned();
    }
    words
        .chars()
        .take(LONGEST_QUOTE)
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

/// For each fact, whether no earlier one says the same.
fn first_of_each(facts: &[Fact]) -> Vec<bool> {
    let said = |fact: &Fact| (fact.hop, fact.connection);
    if facts.len() <= FEW_FACTS {
        let is_same = |one: &Fact, other: &Fact| {
            one.value == other.value
                && one.key == other.key
                && said(one) == said(other)
                && one.vantage == other.vantage
        };
        return (0..facts.len())
            .map(|own| !facts[..own].iter().any(|other| is_same(other, &facts[own])))
            .collect();
    }
    let mut seen = HashSet::new();
    facts
        .iter()
        .map(|fact| seen.insert((&fact.key, &fact.value, &fact.vantage, said(fact))))
        .collect()
}
