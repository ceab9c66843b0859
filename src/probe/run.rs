//! The stages in their order.

use std::net::IpAddr;
use std::time::Duration;

use futures_util::future::{Either, select};
use jiff::Timestamp;
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout_at};

use super::dns::NameError;
use super::names;
use super::policy::{Refusal, Scheme, Target};
use super::records::Records;
use super::upgrade::{Answer, Judged, Request, Wire};
use super::{Event, Order, Prober, tcp, tls, upgrade, variants, websocket};
use crate::case::{Report, Stage, StageKind, StageState};
use crate::engine::diagnosis::StatedFact;
use crate::engine::graph::Hop;
use crate::engine::redact::redact;

/// So long the name servers' own answers are waited for once the addresses are there.
const LATER: Duration = Duration::from_millis(600);

/// Facts as keys and values.
pub(super) type Facts = Vec<(&'static str, String)>;

/// A probe on its way.
pub(super) struct Walk<'a> {
    pub(super) prober: &'a Prober,
    pub(super) order: &'a Order,
    pub(super) target: Target,
    events: &'a UnboundedSender<Event>,
    pub(super) begun: Instant,
    /// When the budget is used up.
    pub(super) deadline: Instant,
    pub(super) report: Report,
    /// Connections opened so far.
    pub(super) connections: usize,
    /// Addresses that passed the policy and can be connected to, the best first.
    pub(super) reachable: Vec<IpAddr>,
    /// All addresses are this very machine.
    is_loopback: bool,
}

/// A connection over which a handshake may go.
pub(super) type Connection = Box<dyn Wire>;

/// What came of the plain handshake.
pub(super) struct Handshake {
    pub(super) answer: Answer,
    pub(super) judged: Judged,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        prober: &'a Prober,
        order: &'a Order,
        target: Target,
        events: &'a UnboundedSender<Event>,
    ) -> Self {
        let begun = Instant::now();
        Walk {
            prober,
            order,
            events,
            begun,
            deadline: begun + prober.limits.budget,
            report: Report {
                url: redact(&target.url()).text,
                started_at: Timestamp::now(),
                stages: Vec::new(),
                variants: Vec::new(),
                facts: Vec::new(),
                exchange: String::new(),
            },
            connections: 0,
            reachable: Vec::new(),
            is_loopback: false,
            target,
        }
    }

    /// Goes through the stages as far as they work, then through the variants.
    pub(super) async fn go(mut self) -> Result<Report, Refusal> {
        let addresses = self.dns().await?;
        if let Some(addresses) = addresses
            && let Some(stream) = self.tcp(&addresses).await
        {
            self.over(stream).await;
        }
        self.fill_stages();
        self.conclude();
        Ok(self.report)
    }

    /// Everything above the network.
    async fn over(&mut self, stream: TcpStream) {
        let handshake = match self.tls(stream).await {
            Some((mut connection, asks_for_certificate)) => {
                let handshake = self
                    .upgrade(connection.as_mut(), asks_for_certificate)
                    .await;
                if handshake.judged.accepted {
                    let rest = handshake.answer.rest.clone();
                    self.websocket(connection, rest).await;
                }
                Some(handshake)
            }
            None => None,
        };
        self.fill_stages();
        variants::run(self, handshake.as_ref()).await;
    }

    async fn dns(&mut self) -> Result<Option<Vec<IpAddr>>, Refusal> {
        let begun = self.begin(StageKind::Dns);
        let host = self.target.host.clone();
        if let Some(address) = self.target.literal {
            let address = self.prober.policy.judge(&host, address)?;
            let detail = format!("{address} is an address, no name");
            self.end(
                StageKind::Dns,
                StageState::Skipped,
                begun,
                detail,
                Vec::new(),
            );
            return Ok(Some(vec![address]));
        }
        let limit = self.until(self.prober.limits.dns);
        let (found, records) = self.looked_up(&host, limit).await;
        let told = names::facts(records.as_ref());
        let (value, words) = match found {
            Ok(Ok(addresses)) => {
                return self
                    .judge_addresses(&host, &addresses, records.as_ref(), begun)
                    .map(Some);
            }
            Ok(Err(NameError::NotFound)) => ("not-found", names::missing(records.as_ref())),
            Ok(Err(NameError::Failing(words))) => names::failing(records.as_ref(), words),
            Err(_) => (
                "timed-out",
                "the name service did not answer in time".to_owned(),
            ),
        };
        let words = names::with_answers(format!("{host}: {words}"), records.as_ref());
        let mut facts = vec![("dns.lookup", value.to_owned())];
        facts.extend(told);
        if let (true, Some(answer)) = (value == "not-found", names::why_missing(records.as_ref())) {
            facts.push(("dns.answer", answer.to_owned()));
        }
        self.end(StageKind::Dns, StageState::Failed, begun, words, facts);
        Ok(None)
    }

    /// What the system's resolver gives, and beside it what the name servers say. For that nobody
    /// waits long once the former is there.
    async fn looked_up(
        &self,
        host: &str,
        limit: Instant,
    ) -> (
        Result<Result<Vec<IpAddr>, NameError>, Elapsed>,
        Option<Records>,
    ) {
        let resolver = &self.prober.resolver;
        let found = std::pin::pin!(timeout_at(limit, resolver.resolve(host)));
        let records = std::pin::pin!(timeout_at(limit, resolver.records(host)));
        match select(found, records).await {
            Either::Left((found, records)) => {
                let limit = limit.min(Instant::now() + LATER);
                let records = timeout_at(limit, records).await;
                (found, records.ok().and_then(Result::ok).flatten())
            }
            Either::Right((records, found)) => (found.await, records.ok().flatten()),
        }
    }

    /// Drops the addresses that may not be reached; none left is a refusal.
    fn judge_addresses(
        &mut self,
        host: &str,
        addresses: &[IpAddr],
        records: Option<&Records>,
        begun: Instant,
    ) -> Result<Vec<IpAddr>, Refusal> {
        let judged: Vec<Result<IpAddr, Refusal>> = addresses
            .iter()
            .map(|address| self.prober.policy.judge(host, *address))
            .collect();
        let refused = judged.iter().filter(|result| result.is_err()).count();
        let mut passed: Vec<IpAddr> = Vec::new();
        let mut refusal = None;
        for result in judged {
            match result {
                Ok(address) if !passed.contains(&address) => passed.push(address),
                Ok(_) => {}
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        let mut detail = format!("{host}: {}", names::by_family(addresses, records));
        if refused > 0 {
            detail.push_str(&format!("; {refused} of them not public, left out"));
        }
        let mut facts = vec![
            ("dns.lookup", "ok".to_owned()),
            ("dns.addresses", names::listed(addresses)),
        ];
        facts.extend(names::facts(records));
        let state = if passed.is_empty() {
            StageState::Failed
        } else {
            StageState::Ok
        };
        self.end(StageKind::Dns, state, begun, detail, facts);
        match refusal {
            Some(refusal) if passed.is_empty() => Err(refusal),
            _ => Ok(limited(&passed, self.prober.limits.addresses)),
        }
    }

    async fn tcp(&mut self, addresses: &[IpAddr]) -> Option<TcpStream> {
        let begun = self.begin(StageKind::Tcp);
        let limit = self.until(self.prober.limits.tcp) - begun;
        self.connections += addresses.len();
        self.is_loopback = addresses.iter().all(IpAddr::is_loopback);
        let attempts = tcp::connect_all(addresses, self.target.port, limit).await;
        let facts = tcp::facts(&attempts);
        let detail = tcp::detail(&attempts, self.target.port);
        let mut stream = None;
        for attempt in attempts {
            if let Ok(connected) = attempt.result {
                self.reachable.push(attempt.address);
                stream = stream.or(Some(connected));
            }
        }
        let state = if stream.is_some() {
            StageState::Ok
        } else {
            StageState::Failed
        };
        self.end(StageKind::Tcp, state, begun, detail, facts);
        stream
    }

    /// The connection, encrypted if the address says so, and whether the server asked for a client
    /// certificate.
    async fn tls(&mut self, stream: TcpStream) -> Option<(Connection, bool)> {
        let begun = self.begin(StageKind::Tls);
        if self.target.scheme == Scheme::Ws {
            let detail = "not used by ws".to_owned();
            self.end(
                StageKind::Tls,
                StageState::Skipped,
                begun,
                detail,
                Vec::new(),
            );
            return Some((Box::new(stream), false));
        }
        let limit = self.until(self.prober.limits.tls) - begun;
        let now = self.report.started_at.as_second();
        let host = &self.target.host;
        let outcome = tls::connect(stream, host, &self.prober.trust, now, limit).await;
        let state = if outcome.stream.is_some() {
            StageState::Ok
        } else {
            StageState::Failed
        };
        self.end(StageKind::Tls, state, begun, outcome.detail, outcome.facts);
        let asks = outcome.asks_for_certificate;
        outcome
            .stream
            .map(|stream| (Box::new(stream) as Connection, asks))
    }

    async fn upgrade(&mut self, stream: &mut dyn Wire, asks_for_certificate: bool) -> Handshake {
        let begun = self.begin(StageKind::Upgrade);
        let request = self.request();
        let deadline = self.until(self.prober.limits.upgrade);
        let answer = upgrade::exchange(stream, &request, &self.prober.limits, deadline).await;
        let mut judged = upgrade::judge(&answer, &request, &self.target);
        if asks_for_certificate && answer.parsed.is_none() {
            // In TLS 1.3 a server tells only after the handshake that it misses the certificate.
            judged.facts = vec![("tls.fault", "client-certificate-required".to_owned())];
            judged.detail = "the server demands a client certificate".to_owned();
        }
        if let Some(pace) = pace(&answer, begun.elapsed()) {
            judged.facts.push(("handshake.pace", pace.to_owned()));
        }
        if judged.facts.iter().any(|(key, _)| *key == "tls.fault") {
            self.forget("tls.fault");
        }
        self.report.exchange = transcript(&request, &answer);
        let state = if judged.accepted {
            StageState::Ok
        } else {
            StageState::Failed
        };
        let detail = judged.detail.clone();
        self.end(
            StageKind::Upgrade,
            state,
            begun,
            detail,
            judged.facts.clone(),
        );
        Handshake { answer, judged }
    }

    async fn websocket(&mut self, connection: Connection, rest: Vec<u8>) {
        let begun = self.begin(StageKind::Websocket);
        let hold = self.order.hold.min(self.prober.limits.hold);
        let limits = &self.prober.limits;
        let session = websocket::watch(connection, rest, hold, limits, self.deadline).await;
        // Holding has its own time and takes none from what follows.
        if !hold.is_zero() {
            self.deadline += begun.elapsed().min(hold);
        }
        let state = if session.is_fine {
            StageState::Ok
        } else {
            StageState::Failed
        };
        if !session.farewell.is_empty() {
            // What a server gives as its reason is worded as in any client's log.
            let line = format!("* {}\n", one_line(&session.farewell));
            self.report.exchange.push_str(&line);
        }
        self.end(
            StageKind::Websocket,
            state,
            begun,
            session.detail,
            session.facts,
        );
    }

    /// Takes back what was said of encryption before the server said more.
    fn forget(&mut self, key: &str) {
        for stage in &mut self.report.stages {
            stage.facts.retain(|fact| fact.key != key);
        }
    }

    /// The plain handshake's request.
    pub(super) fn request(&self) -> Request {
        let mut request = Request::new(&self.target);
        request.origin.clone_from(&self.order.origin);
        request.subprotocols.clone_from(&self.order.subprotocols);
        request.headers.clone_from(&self.order.headers);
        request
    }

    /// The moment at which something that may take `limit` must end.
    pub(super) fn until(&self, limit: Duration) -> Instant {
        let now = Instant::now();
        (now + limit).min(self.deadline).max(now)
    }

    fn begin(&self, kind: StageKind) -> Instant {
        // Whoever listened may be gone; the report is whole without.
        let _ = self.events.send(Event::Began(kind));
        Instant::now()
    }

    fn end(
        &mut self,
        kind: StageKind,
        state: StageState,
        begun: Instant,
        detail: String,
        facts: Facts,
    ) {
        let stage = Stage {
            stage: kind,
            state,
            started_ms: milliseconds(begun - self.begun),
            took_ms: milliseconds(begun.elapsed()),
            detail: one_line(&detail),
            facts: self.stated(facts),
        };
        let _ = self.events.send(Event::Ended(stage.clone()));
        self.report.stages.push(stage);
    }

    /// Facts as this probe states them, without secrets.
    pub(super) fn stated(&self, facts: Facts) -> Vec<StatedFact> {
        facts
            .into_iter()
            .map(|(key, value)| StatedFact {
                key: key.to_owned(),
                value: one_line(&value),
                hop: Hop::ClientEdge,
                vantage: self.order.vantage.as_str().to_owned(),
            })
            .collect()
    }

    /// States what the stages and variants tell together.
    pub(super) fn state(&mut self, facts: Facts) {
        let stated = self.stated(facts);
        self.report.facts.extend(stated);
    }

    /// What a browser would have met counts instead of what the plain handshake met.
    pub(super) fn take_for_the_result(&mut self, facts: Facts, exchange: String) {
        self.forget_session();
        self.report.exchange = exchange;
        self.state(facts);
    }

    /// The stages keep their words; what they state is taken back.
    fn forget_session(&mut self) {
        for stage in &mut self.report.stages {
            if matches!(stage.stage, StageKind::Upgrade | StageKind::Websocket) {
                stage.facts.clear();
            }
        }
    }

    /// What can be said only of the whole.
    fn conclude(&mut self) {
        let is_loopback =
            |place: &Stage| place.stage == StageKind::Tcp && place.state == StageState::Failed;
        if self.is_loopback && self.report.stages.iter().any(is_loopback) {
            // The server's own machine looked, so nothing in between can be at fault.
            self.state(vec![("works.on-server", "no".to_owned())]);
        }
        let websocket = self.report.stage(StageKind::Websocket);
        let is_open = websocket.is_some_and(|stage| stage.state == StageState::Ok);
        let has_failed = self
            .report
            .stages
            .iter()
            .any(|stage| stage.state == StageState::Failed && stage.stage > StageKind::Tcp);
        // Clients fall back to the other family at once where one refuses: what fails above the
        // network is the fault then, and for this machine's own name it is none.
        if has_failed || (self.target.host == "localhost" && is_open) {
            self.forget_families();
        }
        let is_flawed = |fact: &StatedFact| {
            (fact.key == "tcp.families" && fact.value != "both-ok")
                || (fact.key.ends_with(".compared") && fact.value == "only-without")
        };
        let is_flawed = self.report.all_facts().iter().any(is_flawed);
        if is_open && is_flawed {
            // What worked over one way says nothing of the way that fails.
            self.forget_session();
        }
        let result = if is_open && !is_flawed {
            "healthy"
        } else {
            "fault"
        };
        self.state(vec![("probe.result", result.to_owned())]);
    }

    fn forget_families(&mut self) {
        for stage in &mut self.report.stages {
            let is_network = stage.stage == StageKind::Tcp;
            stage
                .facts
                .retain(|fact| !is_network || fact.key != "tcp.families");
        }
    }

    /// Sends a variant and keeps it.
    pub(super) fn add_variant(&mut self, variant: crate::case::Variant) {
        let _ = self.events.send(Event::Variant(variant.clone()));
        self.report.variants.push(variant);
    }

    /// Stages that were not reached are told of, too.
    fn fill_stages(&mut self) {
        for kind in StageKind::ALL {
            if self.report.stage(kind).is_none() {
                let stage = Stage {
                    started_ms: milliseconds(self.begun.elapsed()),
                    ..Stage::not_reached(kind)
                };
                let _ = self.events.send(Event::Ended(stage.clone()));
                self.report.stages.push(stage);
            }
        }
    }
}

/// A gateway that cannot reach what is behind it says so at once; one that waits in vain says so
/// late.
fn pace(answer: &Answer, took: Duration) -> Option<&'static str> {
    let status = answer.parsed.as_ref()?.status;
    if !matches!(status, 500..=599) {
        return None;
    }
    match took.as_millis() {
        0..500 => Some("at-once"),
        900.. => Some("late"),
        _ => None,
    }
}

/// The first ones of each family, in their order.
fn limited(addresses: &[IpAddr], most: usize) -> Vec<IpAddr> {
    let (mut v4, mut v6) = (0, 0);
    addresses
        .iter()
        .copied()
        .filter(|address| {
            let count = if address.is_ipv4() { &mut v4 } else { &mut v6 };
            *count += 1;
            *count <= most
        })
        .collect()
}

pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// So much of what a server said is kept in one line.
const LONGEST_LINE: usize = 1000;

/// Words from outside: one line, cut, without secrets.
pub(super) fn one_line(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .take(LONGEST_LINE)
        .collect();
    redact(plain.trim()).text
}

/// So much of a header and of a body goes into the transcript.
const LONGEST_HEADER: usize = 8 << 10;

/// The handshake as `curl -v` prints one, without secrets.
pub(super) fn transcript(request: &Request, answer: &Answer) -> String {
    let mut out = String::new();
    for line in request.lines() {
        out.push_str("> ");
        out.push_str(&line);
        out.push('\n');
    }
    out.push_str(">\n");
    // What a header that broke off lacks may have been on its way: it is no evidence, unless it is
    // endless, and a client would not show it either.
    let parsed = answer.parsed.as_ref();
    let Some(parsed) = parsed.filter(|_| !answer.ending.is_broken_off()) else {
        return redact(&out).text;
    };
    let header = String::from_utf8_lossy(&answer.raw[..answer.raw.len().min(LONGEST_HEADER)]);
    for line in header
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
    {
        out.push_str("< ");
        out.push_str(&plain(line));
        out.push('\n');
    }
    out.push_str("<\n");
    if parsed.status != 101 {
        let body = String::from_utf8_lossy(&answer.rest);
        for line in body.lines() {
            out.push_str(&plain(line));
            out.push('\n');
        }
    }
    redact(&out).text
}

fn plain(line: &str) -> String {
    line.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}
