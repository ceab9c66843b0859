//! The handshake again with one thing changed: what flips the result is the evidence.

use std::net::IpAddr;

use std::time::Duration;

use tokio::time::Instant;

use super::policy::{Scheme, Target};
use super::run::{Connection, Handshake, Walk, milliseconds, one_line, transcript};
use super::upgrade::{Ending, Judged, Request};
use super::{tcp, tls, upgrade};
use crate::case::{StageKind, StageState, Variant};

/// An origin that no server knows.
const FOREIGN_ORIGIN: &str = "https://foreign-origin.invalid";

/// Less is not enough for a server that is far away or busy.
const SHORTEST_PATIENCE: Duration = Duration::from_secs(2);

/// What is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    WithoutOrigin,
    OwnOrigin,
    ForeignOrigin,
    OtherScheme,
    OtherSlash,
    OrdinaryRequest,
    WithDeflate,
    WithoutSubprotocol,
    WithoutHeaders,
    BareHost,
    OtherFamily,
}

/// How one repetition ended.
#[derive(Clone, Debug)]
struct Outcome {
    judged: Judged,
    /// How it went over the wire.
    exchange: String,
    status: Option<u16>,
    /// Bytes came back in plain HTTP.
    is_http: bool,
    /// How reading its answer ended, and what came of the body.
    ending: Ending,
    body: Vec<u8>,
    accepted: bool,
}

/// Repeats the handshake with what is worth its time, or with everything.
pub(super) async fn run(walk: &mut Walk<'_>, base: Option<&Handshake>) {
    let mut results: Vec<(Change, Outcome)> = Vec::new();
    let patience = patience(walk, base);
    for change in chosen(walk, base) {
        // Encryption and a page beside it may need two connections.
        if walk.connections + 1 > walk.prober.limits.connections || Instant::now() >= walk.deadline
        {
            break;
        }
        let begun = Instant::now();
        let Some((outcome, changed)) = repeat(walk, change, patience).await else {
            continue;
        };
        let finding = finding(change, base, &outcome);
        walk.add_variant(Variant {
            id: change.id().to_owned(),
            changed,
            outcome: one_line(&outcome.judged.detail),
            accepted: outcome.accepted,
            status: outcome.status,
            finding: finding.to_owned(),
            took_ms: milliseconds(begun.elapsed()),
        });
        results.push((change, outcome));
    }
    let facts = facts(walk, base, &results);
    let flipped = flipped(base, &results, walk.order.origin.is_some()).cloned();
    walk.state(facts);
    if let Some(outcome) = flipped {
        walk.take_for_the_result(outcome.judged.facts, outcome.exchange);
    }
}

/// How long a repetition may be silent: a server that answered is given three times as long, one
/// that did not will hardly do so now.
fn patience(walk: &Walk<'_>, base: Option<&Handshake>) -> Duration {
    let took = walk
        .report
        .stage(StageKind::Upgrade)
        .filter(|_| base.is_some_and(|base| base.answer.ending != Ending::TimedOut))
        .map_or(0, |stage| stage.took_ms);
    Duration::from_millis(took * 3).max(SHORTEST_PATIENCE)
}

/// The repetition that failed as a browser's handshake would, though the plain one was accepted: a
/// browser sends an Origin and offers compression.
fn flipped<'a>(
    base: Option<&Handshake>,
    results: &'a [(Change, Outcome)],
    has_origin: bool,
) -> Option<&'a Outcome> {
    base.filter(|base| base.judged.accepted)?;
    results
        .iter()
        .filter(|(change, _)| match change {
            Change::OwnOrigin => !has_origin,
            change => *change == Change::WithDeflate,
        })
        .map(|(_, outcome)| outcome)
        .find(|outcome| !outcome.accepted && !outcome.judged.facts.is_empty())
}

impl Change {
    const ALL: [Change; 11] = [
        Change::WithoutOrigin,
        Change::OwnOrigin,
        Change::ForeignOrigin,
        Change::OrdinaryRequest,
        Change::OtherSlash,
        Change::OtherScheme,
        Change::WithDeflate,
        Change::WithoutSubprotocol,
        Change::WithoutHeaders,
        Change::BareHost,
        Change::OtherFamily,
    ];

    fn id(self) -> &'static str {
        match self {
            Change::WithoutOrigin => "without-origin",
            Change::OwnOrigin => "own-origin",
            Change::ForeignOrigin => "foreign-origin",
            Change::OtherScheme => "other-scheme",
            Change::OtherSlash => "other-slash",
            Change::OrdinaryRequest => "ordinary-request",
            Change::WithDeflate => "with-deflate",
            Change::WithoutSubprotocol => "without-subprotocol",
            Change::WithoutHeaders => "without-headers",
            Change::BareHost => "host-without-port",
            Change::OtherFamily => "other-family",
        }
    }
}

/// What makes sense at all, then what is worth its time.
fn chosen(walk: &Walk<'_>, base: Option<&Handshake>) -> Vec<Change> {
    Change::ALL
        .into_iter()
        .filter(|change| is_possible(walk, *change, base))
        .filter(|change| walk.order.all || is_worth(walk, *change, base))
        .collect()
}

fn is_possible(walk: &Walk<'_>, change: Change, base: Option<&Handshake>) -> bool {
    let order = walk.order;
    // Without encryption only the other scheme can be tried.
    if base.is_none() {
        return change == Change::OtherScheme;
    }
    let own = walk.target.own_origin();
    match change {
        Change::WithoutOrigin => order.origin.is_some(),
        Change::OwnOrigin => order.origin.as_deref() != Some(own.as_str()),
        Change::OtherSlash => walk.target.bare_path() != "/",
        Change::WithoutSubprotocol => !order.subprotocols.is_empty(),
        Change::WithoutHeaders => !order.headers.is_empty(),
        Change::BareHost => walk.target.port != walk.target.scheme.default_port(),
        Change::OtherFamily => other_family(walk).is_some(),
        Change::ForeignOrigin
        | Change::OtherScheme
        | Change::OrdinaryRequest
        | Change::WithDeflate => true,
    }
}

fn is_worth(walk: &Walk<'_>, change: Change, base: Option<&Handshake>) -> bool {
    let Some(base) = base else {
        // Something that is not TLS answered, or nothing did: is it a plain port?
        let tls = walk.report.stage(StageKind::Tls);
        return tls.is_some_and(|stage| {
            stage.facts.iter().any(|fact| {
                fact.key == "tls.fault"
                    && ["plain-answer", "closed", "protocol-error"].contains(&fact.value.as_str())
                    || fact.key == "tls.answer"
            })
        });
    };
    let status = status_of(base);
    let is_silent = base.answer.parsed.is_none();
    match change {
        Change::WithoutOrigin => !base.judged.accepted,
        // An Origin that is accepted says all that a browser's would.
        Change::OwnOrigin => status.is_some_and(|status| {
            (base.judged.accepted && walk.order.origin.is_none())
                || matches!(status, 400 | 401 | 403 | 404 | 500)
        }),
        Change::ForeignOrigin => false,
        Change::OrdinaryRequest => {
            is_silent || status.is_some_and(|status| status != 101 && status / 100 != 2)
        }
        Change::OtherSlash => {
            status.is_some_and(|status| matches!(status, 200 | 300..=399 | 400 | 403 | 404 | 405))
        }
        Change::OtherScheme => {
            is_silent && walk.target.scheme == Scheme::Ws
                || status.is_some_and(|status| matches!(status, 300..=400))
        }
        Change::WithDeflate => base.judged.accepted,
        Change::WithoutSubprotocol => !base.judged.accepted,
        Change::WithoutHeaders => status.is_some_and(|status| status != 101),
        Change::BareHost => false,
        Change::OtherFamily => true,
    }
}

fn status_of(handshake: &Handshake) -> Option<u16> {
    handshake.answer.parsed.as_ref().map(|parsed| parsed.status)
}

/// A reachable address of the family that the plain handshake did not use.
fn other_family(walk: &Walk<'_>) -> Option<IpAddr> {
    let used = walk.reachable.first()?.is_ipv4();
    walk.reachable
        .iter()
        .copied()
        .find(|address| address.is_ipv4() != used)
}

/// The handshake with one thing changed, and the change in words.
async fn repeat(
    walk: &mut Walk<'_>,
    change: Change,
    patience: Duration,
) -> Option<(Outcome, String)> {
    let mut request = walk.request().again();
    let mut target = walk.target.clone();
    let mut address = *walk.reachable.first()?;
    let changed = match change {
        Change::WithoutOrigin => {
            request.origin = None;
            "without Origin".to_owned()
        }
        Change::OwnOrigin => {
            let own = target.own_origin();
            request.origin = Some(own.clone());
            format!("with the server's own Origin, {own}")
        }
        Change::ForeignOrigin => {
            request.origin = Some(FOREIGN_ORIGIN.to_owned());
            "with a foreign Origin".to_owned()
        }
        Change::OtherScheme => {
            target = target.with_other_scheme();
            request.host = target.authority();
            format!("with {} on port {}", target.scheme.as_str(), target.port)
        }
        Change::OtherSlash => {
            request.path = with_other_slash(&request.path);
            format!("with the path {}", request.path)
        }
        Change::OrdinaryRequest => {
            request.asks_for_upgrade = false;
            "an ordinary request, without Upgrade".to_owned()
        }
        Change::WithDeflate => {
            request.offers_deflate = true;
            "with permessage-deflate offered".to_owned()
        }
        Change::WithoutSubprotocol => {
            request.subprotocols.clear();
            "without the subprotocol".to_owned()
        }
        Change::WithoutHeaders => {
            request.headers.clear();
            "without the further headers".to_owned()
        }
        Change::BareHost => {
            request.host = target.bracketed_host();
            format!("with Host: {}", request.host)
        }
        Change::OtherFamily => {
            address = other_family(walk)?;
            format!("over {address}")
        }
    };
    // Another scheme may mean another port, and that has to be allowed like the first.
    walk.prober.policy.check_port(target.port).ok()?;
    let outcome = attempt(walk, address, &target, &request, patience).await;
    Some((outcome, one_line(&changed)))
}

fn with_other_slash(path: &str) -> String {
    let (bare, query) = path.split_at(path.find('?').unwrap_or(path.len()));
    match bare.strip_suffix('/') {
        Some(without) => format!("{without}{query}"),
        None => format!("{bare}/{query}"),
    }
}

async fn attempt(
    walk: &mut Walk<'_>,
    address: IpAddr,
    target: &Target,
    request: &Request,
    patience: Duration,
) -> Outcome {
    walk.connections += 1;
    let limits = &walk.prober.limits;
    let begun = Instant::now();
    let stream = match tcp::connect(address, target.port, walk.until(limits.tcp) - begun).await {
        Ok(stream) => stream,
        Err(error) => return Outcome::failed(format!("no connection: {}", error.as_str())),
    };
    let mut connection: Connection = if target.scheme == Scheme::Ws {
        Box::new(stream)
    } else {
        let limit = walk.until(limits.tls.min(patience)) - Instant::now();
        let now = walk.report.started_at.as_second();
        let outcome = tls::connect(stream, &target.host, &walk.prober.trust, now, limit).await;
        match outcome.stream {
            Some(stream) => Box::new(stream),
            None => {
                return Outcome {
                    judged: Judged {
                        facts: outcome.facts,
                        detail: outcome.detail,
                        accepted: false,
                    },
                    ..Outcome::failed(String::new())
                };
            }
        }
    };
    let deadline = walk.until(limits.upgrade.min(patience));
    let answer = upgrade::exchange(connection.as_mut(), request, limits, deadline).await;
    let mut judged = upgrade::judge(&answer, request, target);
    let status = answer.parsed.as_ref().map(|parsed| parsed.status);
    let mut accepted = judged.accepted;
    if !request.asks_for_upgrade {
        accepted = status.is_some_and(|status| (200..300).contains(&status));
        judged.facts.clear();
    }
    Outcome {
        exchange: transcript(request, &answer),
        accepted,
        is_http: answer.ending == Ending::Complete && status.is_some(),
        ending: answer.ending,
        body: answer.rest,
        status,
        judged,
    }
}

impl Outcome {
    fn failed(detail: String) -> Self {
        Outcome {
            judged: Judged {
                detail,
                ..Judged::default()
            },
            exchange: String::new(),
            status: None,
            is_http: false,
            ending: Ending::Failed(String::new()),
            body: Vec::new(),
            accepted: false,
        }
    }

    fn has(&self, key: &str, value: &str) -> bool {
        self.judged
            .facts
            .iter()
            .any(|(known, known_value)| *known == key && known_value == value)
    }
}

/// What it means that the change makes a difference.
fn finding(change: Change, base: Option<&Handshake>, outcome: &Outcome) -> &'static str {
    let accepted = base.is_some_and(|base| base.judged.accepted);
    match (change, accepted, outcome.accepted) {
        (Change::OrdinaryRequest, false, true) => {
            "an ordinary page answers there, the handshake is refused"
        }
        (Change::OrdinaryRequest, _, _) => "",
        (_, true, true) | (_, false, false) => "",
        (Change::WithoutOrigin, false, true) => "the server refuses this Origin",
        (Change::OwnOrigin, true, false) => {
            "the server accepts clients without this Origin and refuses pages with it"
        }
        (Change::OwnOrigin, false, true) => "the server wants its own Origin",
        (Change::ForeignOrigin, true, false) => "the server checks the Origin, as it should",
        (Change::OtherScheme, false, true) => "the other scheme works",
        (Change::OtherSlash, false, true) => "with the slash changed it works",
        (Change::WithDeflate, true, false) => "compression breaks the handshake",
        (Change::WithoutSubprotocol, false, true) => "the server does not take the subprotocol",
        (Change::WithoutHeaders, false, true) => "the server does not take a header",
        (Change::BareHost, false, true) => "the server does not know the Host with its port",
        (Change::OtherFamily, true, false) => "over the other address family it fails",
        (Change::OtherFamily, false, true) => "over the other address family it works",
        (_, true, false) => "so it fails",
        (_, false, true) => "so it works",
    }
}

/// What the differences tell.
fn facts(
    walk: &Walk<'_>,
    base: Option<&Handshake>,
    results: &[(Change, Outcome)],
) -> Vec<(&'static str, String)> {
    let find = |change: Change| {
        results
            .iter()
            .find(|(known, _)| *known == change)
            .map(|(_, outcome)| outcome)
    };
    let accepted = base.is_some_and(|base| base.judged.accepted);
    let mut facts: Vec<(&'static str, &str)> = Vec::new();
    facts.extend(origin_compared(
        walk,
        base,
        find(Change::WithoutOrigin),
        find(Change::OwnOrigin),
    ));
    // Where one change alone makes it work, the ordinary request failed for the same reason.
    let is_explained = results
        .iter()
        .any(|(change, outcome)| *change != Change::OrdinaryRequest && outcome.accepted);
    if let (Some(base), Some(outcome)) = (base, find(Change::OrdinaryRequest))
        && !is_explained
        && let Some(value) = upgrade_compared(base, outcome)
    {
        facts.push(("upgrade.compared", value));
    }
    if let Some(outcome) = find(Change::WithoutHeaders)
        && !accepted
        && (outcome.accepted || outcome.status != base.and_then(status_of))
    {
        facts.push(("headers.compared", "only-without"));
    }
    let is_redirected = base
        .and_then(status_of)
        .is_some_and(|status| status / 100 == 3);
    if let Some(outcome) = find(Change::OtherSlash)
        // A redirect says of itself that it is about the slash.
        && !is_redirected
    {
        match (accepted, outcome.accepted) {
            (false, true) => facts.push(("path.compared", "only-other-slash")),
            (true, false) => facts.push(("path.compared", "only-this-slash")),
            _ => {}
        }
    }
    if let Some(outcome) = find(Change::OtherScheme) {
        other_scheme(walk, base, outcome, &mut facts);
    }
    if let Some(outcome) = find(Change::WithDeflate)
        && accepted
    {
        let value = if outcome.accepted {
            "both"
        } else {
            "only-without"
        };
        facts.push(("deflate.compared", value));
    }
    if let Some(outcome) = find(Change::WithoutSubprotocol) {
        // Refused with and without it tells nothing: the server may demand another one.
        if !accepted && outcome.accepted {
            facts.push(("subprotocol.compared", "only-without"));
        }
    }
    if let Some(outcome) = find(Change::OtherFamily)
        && outcome.accepted != accepted
    {
        let works_over_v4 = walk.reachable.first().is_some_and(IpAddr::is_ipv4) == accepted;
        let value = if works_over_v4 {
            "only-ipv6-failed"
        } else {
            "only-ipv4-failed"
        };
        facts.push(("tcp.families", value));
    }
    facts
        .into_iter()
        .map(|(key, value)| (key, value.to_owned()))
        .collect()
}

/// How the handshakes with and without an Origin compare.
fn origin_compared(
    walk: &Walk<'_>,
    base: Option<&Handshake>,
    without: Option<&Outcome>,
    own: Option<&Outcome>,
) -> Option<(&'static str, &'static str)> {
    let base = base?;
    let (with, without) = if walk.order.origin.is_some() {
        (base.judged.accepted, without?.accepted)
    } else {
        (own?.accepted, base.judged.accepted)
    };
    let same_status = own.is_none_or(|own| own.status == status_of(base));
    let value = match (with, without) {
        (true, true) => "both",
        (true, false) => "only-with",
        (false, true) => "only-without",
        (false, false) if own.is_some_and(|own| own.accepted) => "only-own",
        (false, false) if same_status => "neither",
        (false, false) => return None,
    };
    Some(("origin.compared", value))
}

/// How the answers to the handshake and to an ordinary request compare. A proxy that drops the
/// Upgrade header makes the same of both.
fn upgrade_compared(base: &Handshake, ordinary: &Outcome) -> Option<&'static str> {
    if base.judged.accepted {
        return None;
    }
    let names_versions = |fact: &(&str, String)| fact.1 == "version-unsupported";
    if base.judged.facts.iter().any(names_versions) {
        // That is said of a handshake, whoever else is told the same.
        return None;
    }
    let are_broken_off = base.answer.ending.is_broken_off() && ordinary.ending.is_broken_off();
    match (status_of(base), ordinary.status) {
        (Some(_), Some(200..=299)) => Some("page"),
        (Some(status), Some(other)) if status == other => {
            (base.answer.rest == ordinary.body).then_some("same")
        }
        (None, None) if base.answer.ending == ordinary.ending => Some("same"),
        (None, None) if are_broken_off => Some("same"),
        _ => Some("different"),
    }
}

/// Whether the greeting of TLS was answered with nothing at all, or an end.
fn tls_was_mute(walk: &Walk<'_>) -> bool {
    let stage = walk.report.stage(StageKind::Tls);
    stage.is_some_and(|stage| {
        let states = |key: &str, value: &str| {
            let mut facts = stage.facts.iter();
            facts.any(|fact| fact.key == key && fact.value == value)
        };
        states("tls.fault", "closed") || states("tls.answer", "timed-out")
    })
}

/// Whether the port speaks what the address says.
fn other_scheme(
    walk: &Walk<'_>,
    base: Option<&Handshake>,
    outcome: &Outcome,
    facts: &mut Vec<(&'static str, &'static str)>,
) {
    let same_port = walk.target.with_other_scheme().port == walk.target.port;
    let is_accepted = base.is_some_and(|base| base.judged.accepted);
    if !is_accepted {
        let works = if outcome.accepted { "yes" } else { "no" };
        let is_known = outcome.accepted || !same_port || outcome.is_http;
        if is_known || base.is_some() {
            facts.push(("works.other-scheme", works));
        }
    }
    if !same_port {
        return;
    }
    let is_mute = ["timed-out", "empty", "reset"]
        .iter()
        .any(|ending| outcome.has("handshake.answer", ending));
    if walk.target.scheme == Scheme::Wss && base.is_none() && is_mute && tls_was_mute(walk) {
        facts.push(("port.speaks", "neither"));
    }
    let tls_failed = walk
        .report
        .stage(StageKind::Tls)
        .is_some_and(|stage| stage.state == StageState::Failed);
    match walk.target.scheme {
        Scheme::Wss if tls_failed && outcome.is_http => facts.push(("port.speaks", "plain")),
        // TLS was set up, whatever the certificate and the handshake are like.
        Scheme::Ws
            if outcome.is_http
                || outcome
                    .judged
                    .facts
                    .iter()
                    .any(|(key, _)| *key == "tls.version") =>
        {
            facts.push(("port.speaks", "tls"));
        }
        // What was silent in plain HTTP answers the greeting of TLS in it.
        Scheme::Ws if outcome.has("port.speaks", "plain") => facts.push(("port.speaks", "plain")),
        Scheme::Ws if outcome.has("tls.fault", "client-certificate-required") => {
            facts.push(("port.speaks", "tls"));
        }
        _ => {}
    }
}
