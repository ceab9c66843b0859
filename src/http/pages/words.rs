//! Words of the pages for what the engine has as values.

use std::collections::BTreeMap;

use super::messages::Messages;
use crate::engine::diagnosis::Strength;
use crate::engine::diagnosis::{Reason, StepState};
use crate::engine::graph::{
    Access, CheckKind, Frequency, Layer, Prior, Risk, TimeoutKind, TimeoutSide, Who,
};
use crate::engine::next_step::StepKind;

/// A stop of the connection's way in a word.
pub(super) fn layer(layer: Layer) -> &'static str {
    match layer {
        Layer::Client => "layer.client",
        Layer::Dns => "layer.dns",
        Layer::Tcp => "layer.tcp",
        Layer::Tls => "layer.tls",
        Layer::Proxy => "layer.proxy",
        Layer::Handshake => "layer.handshake",
        Layer::Session => "layer.session",
    }
}

/// What happens at a stop, for somebody who does not know the word.
pub(super) fn layer_explained(layer: Layer) -> &'static str {
    match layer {
        Layer::Client => "explained.client",
        Layer::Dns => "explained.dns",
        Layer::Tcp => "explained.tcp",
        Layer::Tls => "explained.tls",
        Layer::Proxy => "explained.proxy",
        Layer::Handshake => "explained.handshake",
        Layer::Session => "explained.session",
    }
}

/// A stop inside a sentence.
pub(super) fn layer_inline(layer: Layer) -> &'static str {
    match layer {
        Layer::Client => "inline.client",
        Layer::Dns => "inline.dns",
        Layer::Tcp => "inline.tcp",
        Layer::Tls => "inline.tls",
        Layer::Proxy => "inline.proxy",
        Layer::Handshake => "inline.handshake",
        Layer::Session => "inline.session",
    }
}

/// What is known of a stop.
pub(super) fn state(state: StepState) -> &'static str {
    match state {
        StepState::Ok => "state.ok",
        StepState::Failed => "state.failed",
        StepState::Unknown => "state.unknown",
        StepState::NotReached => "state.not-reached",
    }
}

/// The sign for it.
pub(super) fn sign(state: StepState) -> &'static str {
    match state {
        StepState::Ok => "✓",
        StepState::Failed => "✗",
        StepState::Unknown => "?",
        StepState::NotReached => "–",
    }
}

/// The kind of a step.
pub(super) fn kind(kind: StepKind) -> &'static str {
    match kind {
        StepKind::Check => "kind.check",
        StepKind::Question => "kind.question",
        StepKind::Probe => "kind.probe",
        StepKind::Fix => "kind.fix",
        StepKind::HandOver => "kind.hand-over",
    }
}

/// The kind of a check.
pub(super) fn check_kind(kind: CheckKind) -> &'static str {
    match kind {
        CheckKind::Check => "kind.check",
        CheckKind::Question => "kind.question",
        CheckKind::Probe => "kind.probe",
    }
}

/// Who can do something.
pub(super) fn who(who: Who) -> &'static str {
    match who {
        Who::User => "who.user",
        Who::Helpdesk => "who.helpdesk",
        Who::Developer => "who.developer",
        Who::ServerAdmin => "who.server-admin",
        Who::NetworkTeam => "who.network-team",
    }
}

/// What comes before steps that need the same at hand.
pub(super) fn while_there(access: Access) -> &'static str {
    match access {
        Access::Client => "along.client",
        Access::Anywhere => "along.anywhere",
        Access::Code => "along.code",
        Access::Server => "along.server",
        Access::Proxy => "along.proxy",
        Access::Panel => "along.panel",
        Access::Network => "along.network",
    }
}

/// What somebody can do.
pub(super) fn part(who: Who) -> &'static str {
    match who {
        Who::User => "can.user",
        Who::Helpdesk => "can.helpdesk",
        Who::Developer => "can.developer",
        Who::ServerAdmin => "can.server-admin",
        Who::NetworkTeam => "can.network-team",
    }
}

/// What can go wrong with a fix.
pub(super) fn risk(risk: Risk) -> &'static str {
    match risk {
        Risk::Low => "risk.low",
        Risk::Medium => "risk.medium",
        Risk::High => "risk.high",
    }
}

/// How common a cause is.
pub(super) fn prior(prior: Prior) -> &'static str {
    match prior {
        Prior::VeryRare => "prior.very-rare",
        Prior::Rare => "prior.rare",
        Prior::Uncommon => "prior.uncommon",
        Prior::Common => "prior.common",
        Prior::VeryCommon => "prior.very-common",
    }
}

/// How often a cause shows a symptom.
pub(super) fn frequency(frequency: Frequency) -> &'static str {
    match frequency {
        Frequency::Never => "frequency.never",
        Frequency::Rarely => "frequency.rarely",
        Frequency::Sometimes => "frequency.sometimes",
        Frequency::Often => "frequency.often",
        Frequency::Usually => "frequency.usually",
        Frequency::Always => "frequency.always",
    }
}

/// How strongly something speaks for or against a cause.
pub(super) fn strength(reason: &Reason) -> &'static str {
    match (reason.speaks_for, Strength::of(reason.weight)) {
        (true, Strength::Strong) => "reason.strongly-for",
        (true, Strength::Clear) => "reason.clearly-for",
        (true, Strength::Slight) => "reason.slightly-for",
        (false, Strength::Strong) => "reason.strongly-against",
        (false, Strength::Clear) => "reason.clearly-against",
        (false, Strength::Slight) => "reason.slightly-against",
    }
}

/// A family of codes; its own name if there are no words for it.
pub(super) fn family(t: &Messages, family: &str) -> String {
    let key = match family {
        "close" => "family.close",
        "http" => "family.http",
        "chromium" => "family.chromium",
        "firefox" => "family.firefox",
        "errno" => "family.errno",
        "tls" => "family.tls",
        "vendor" => "family.vendor",
        "cloudflare" => "family.cloudflare",
        "curl" => "family.curl",
        "haproxy" => "family.haproxy",
        "envoy" => "family.envoy",
        "socket.io" => "family.socketio",
        other => return other.to_owned(),
    };
    t.get(key).to_owned()
}

/// The kind of a page that a search found.
pub(super) fn page_kind(kind: &str) -> &'static str {
    match kind {
        "cause" => "found.cause",
        "advice" => "found.advice",
        "code" => "found.code",
        "symptom" => "found.symptom",
        "check" => "found.check",
        "timeout" => "found.timeout",
        _ => "found.page",
    }
}

/// What a limit of time ends.
pub(super) fn timeout_kind(kind: TimeoutKind) -> &'static str {
    match kind {
        TimeoutKind::Idle => "timeouts.idle",
        TimeoutKind::Lifetime => "timeouts.lifetime",
        TimeoutKind::Handshake => "timeouts.handshake",
    }
}

/// Where the clock of a limit runs.
pub(super) fn timeout_side(side: TimeoutSide) -> &'static str {
    match side {
        TimeoutSide::Proxy => "timeouts.proxy",
        TimeoutSide::Server => "timeouts.server",
        TimeoutSide::Client => "timeouts.client",
        TimeoutSide::Network => "timeouts.network",
    }
}

/// A system that a command is for; its own name if there are no words for it.
pub(super) fn system(t: &Messages, system: &str) -> String {
    let key = match system {
        "linux" => "system.linux",
        "macos" => "system.macos",
        "windows" => "system.windows",
        "devtools" => "system.devtools",
        other => return other.to_owned(),
    };
    t.get(key).to_owned()
}

/// A duration in minutes.
pub(super) fn minutes(t: &Messages, minutes: f64) -> String {
    if minutes < 1.0 {
        return t.get("minutes.less").to_owned();
    }
    if minutes.round() <= 1.0 {
        return t.get("minutes.one").to_owned();
    }
    t.with("minutes.many", "minutes", minutes.round())
}

/// A percentage as the width of a bar.
pub(super) fn width(probability: f64) -> u32 {
    let percent = (probability.clamp(0.0, 1.0) * 100.0).round();
    (1..=100)
        .find(|width| f64::from(*width) >= percent)
        .unwrap_or(100)
}

/// Texts joined as a sentence lists them: "a, b and c".
pub(super) fn listed(t: &Messages, texts: &[&str]) -> String {
    match texts {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => t.fill(
            "common.and",
            &[("first", &first.join(", ")), ("last", last)],
        ),
    }
}

/// How many secrets of which kinds were taken out.
pub(super) fn secrets(t: &Messages, redacted: &BTreeMap<String, usize>) -> Option<String> {
    let count: usize = redacted.values().sum();
    (count > 0).then(|| {
        let kinds: Vec<String> = redacted
            .iter()
            .map(|(kind, count)| format!("{count} × {kind}"))
            .collect();
        let key = if count == 1 {
            "paste.secret-one"
        } else {
            "paste.secret-many"
        };
        t.fill(key, &[("count", &count), ("kinds", &kinds.join(", "))])
    })
}

/// The first letter as a capital, except of a name that is written small.
pub(super) fn capitalised(text: &str) -> String {
    if text.starts_with("nginx") {
        return text.to_owned();
    }
    let mut letters = text.chars();
    letters
        .next()
        .map(|letter| letter.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}
