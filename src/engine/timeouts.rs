//! Which limits of time fit how long something lasted.
//!
//! A connection that ends after 60.0 seconds was most likely ended by a limit of 60 seconds. Which
//! ones come into question follows from the length, from whether it had opened, from whether
//! anything was sent, and from the products that the evidence names.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::evidence::{self, Fact};
use super::graph::{Hop, Timeout, TimeoutKind, TimeoutSide};

/// More limits are not offered.
pub const MOST_CANDIDATES: usize = 6;

/// How well a limit goes with what the evidence says of the products involved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Match {
    /// The evidence names the product.
    Named,
    /// Nothing speaks for or against the product.
    Possible,
    /// The evidence names another product in that place, which does not rule out a chain of them.
    Unlikely,
}

impl Match {
    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Match::Named => "named",
            Match::Possible => "possible",
            Match::Unlikely => "unlikely",
        }
    }
}

/// A limit that may have ended what lasted so long.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeoutCandidate {
    /// The limit.
    pub timeout: Timeout,
    /// How well it goes with the products that are named.
    pub matching: Match,
}

/// How long something lasted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lasted {
    /// In seconds.
    pub seconds: f64,
    /// Whether the connection had opened; otherwise it is the time of the attempt.
    pub opened: bool,
}

/// What the evidence says that bears on limits of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// How long it lasted, if that is told.
    pub lasted: Option<Lasted>,
    /// Kinds of limits that it was not.
    pub excluded: Vec<TimeoutKind>,
    /// Values of `edge.server`.
    edges: BTreeSet<String>,
    /// Values of `edge.product`, which tell one product of a system from another.
    products: BTreeSet<String>,
    /// Values of `server.library`.
    servers: BTreeSet<String>,
    /// Values of `client.engine`, `client.library` and `client.runtime`.
    clients: BTreeSet<String>,
    /// Nothing stands between client and server.
    is_direct: bool,
}

impl Known {
    /// Reads it from the facts.
    pub fn of<'a>(facts: impl Iterator<Item = &'a Fact>) -> Self {
        let mut known = Known::default();
        let mut open = None;
        let mut attempt = None;
        let mut has_failed = false;
        let mut was_upgraded = false;
        for fact in facts {
            let value = &*fact.value;
            let add = |set: &mut BTreeSet<String>| set.insert(value.to_owned());
            let number = || value.parse().ok().filter(|n: &f64| n.is_finite());
            match (&*fact.key, value) {
                ("open.seconds", _) => open = open.or_else(number),
                ("handshake.seconds", _) => attempt = attempt.or_else(number),
                ("handshake.status", "101") => was_upgraded = true,
                ("handshake.status", _) => has_failed |= value.starts_with(['4', '5']),
                ("handshake.answer", "timed-out") => has_failed = true,
                ("tcp.connect", "timed-out") => has_failed |= fact.hop == Hop::ClientEdge,
                ("session.idle", "no") | ("session.fault", "lifetime") => {
                    known.exclude(TimeoutKind::Idle);
                }
                ("session.fault", "idle") | ("upstream.answer", "idle-cut") => {
                    known.exclude(TimeoutKind::Lifetime);
                }
                ("edge.present", "no") | ("edge.server", "application") => known.is_direct = true,
                ("edge.server", _) => _ = add(&mut known.edges),
                ("edge.product", _) => _ = add(&mut known.products),
                ("server.library", _) => _ = add(&mut known.servers),
                ("client.engine" | "client.library" | "client.runtime", _) => {
                    add(&mut known.clients);
                }
                _ => {}
            }
        }
        known.lasted = match (attempt, open) {
            (Some(seconds), None) => Some((seconds, false)),
            (_, Some(seconds)) => Some((seconds, was_upgraded || !has_failed)),
            _ => None,
        }
        .map(|(seconds, opened)| Lasted { seconds, opened });
        known
    }

    fn exclude(&mut self, kind: TimeoutKind) {
        if !self.excluded.contains(&kind) {
            self.excluded.push(kind);
        }
    }

    /// Whether a limit can end what lasted, by its kind.
    fn allows(&self, kind: TimeoutKind, opened: bool) -> bool {
        opened != (kind == TimeoutKind::Handshake) && !self.excluded.contains(&kind)
    }

    fn matching(&self, timeout: &Timeout) -> Match {
        let has = |set: &BTreeSet<String>, name: &str| !name.is_empty() && set.contains(name);
        let system = timeout.system.as_str();
        match timeout.side {
            TimeoutSide::Proxy if self.is_direct => Match::Unlikely,
            TimeoutSide::Proxy => self.matching_edge(timeout),
            TimeoutSide::Server => named_among(&self.servers, system),
            TimeoutSide::Client => named_among(&self.clients, system),
            // Networks are in play whatever is named; a cloud's only in that cloud.
            TimeoutSide::Network if has(&self.edges, system) => Match::Named,
            TimeoutSide::Network => Match::Possible,
        }
    }

    fn matching_edge(&self, timeout: &Timeout) -> Match {
        if self.edges.is_empty() && self.products.is_empty() {
            return Match::Possible;
        }
        let system = &timeout.system;
        let is_system = self.edges.contains(system) || self.products.contains(system);
        // "platform" alone names none of the platforms: a product tells them apart.
        let others = self.products.iter().any(|product| product != system);
        match (is_system, self.products.contains(&timeout.product)) {
            (_, true) => Match::Named,
            (true, false) if timeout.product.is_empty() => Match::Named,
            (true, false) if !others => Match::Possible,
            _ => Match::Unlikely,
        }
    }
}

fn named_among(names: &BTreeSet<String>, system: &str) -> Match {
    if names.contains(system) {
        Match::Named
    } else if names.is_empty() {
        Match::Possible
    } else {
        Match::Unlikely
    }
}

/// The limits that fit a length and kind, best first: those of a product that the evidence names,
/// those of which nothing is said, those in whose place another product is named. Among equals the
/// nearest comes first, then what is met often.
pub fn candidates(timeouts: &[Timeout], known: &Known) -> Vec<TimeoutCandidate> {
    let Some(lasted) = known.lasted else {
        return Vec::new();
    };
    let mut found: Vec<TimeoutCandidate> = timeouts
        .iter()
        .filter(|timeout| known.allows(timeout.kind, lasted.opened))
        .filter(|timeout| timeout.fits(lasted.seconds))
        .map(|timeout| TimeoutCandidate {
            matching: known.matching(timeout),
            timeout: timeout.clone(),
        })
        .collect();
    found.sort_by(|a, b| {
        a.matching
            .cmp(&b.matching)
            .then_with(|| nearer(&a.timeout, &b.timeout, lasted.seconds))
    });
    found.truncate(MOST_CANDIDATES);
    found
}

/// The seconds that somebody typed: "60", "60s", "4 minutes".
pub fn typed_seconds(typed: &str) -> Option<f64> {
    let typed = typed.trim();
    typed
        .parse()
        .ok()
        .or_else(|| evidence::seconds(typed))
        .filter(|seconds: &f64| seconds.is_finite() && *seconds > 0.0)
}

/// The limits of a length, whatever their kind, nearest first.
pub fn of_length(timeouts: &[Timeout], seconds: f64) -> Vec<&Timeout> {
    let mut found: Vec<&Timeout> = timeouts
        .iter()
        .filter(|timeout| timeout.fits(seconds))
        .collect();
    found.sort_by(|a, b| nearer(a, b, seconds));
    found
}

/// All limits, the shortest first.
pub fn by_length(timeouts: &[Timeout]) -> Vec<&Timeout> {
    let mut all: Vec<&Timeout> = timeouts.iter().collect();
    all.sort_by(|a, b| {
        a.seconds
            .total_cmp(&b.seconds)
            .then_with(|| b.common.cmp(&a.common))
            .then_with(|| a.title.cmp(&b.title))
    });
    all
}

/// Which of two limits a length speaks for. Whole seconds are compared, because clocks are coarse.
fn nearer(a: &Timeout, b: &Timeout, seconds: f64) -> Ordering {
    let distance = |timeout: &Timeout| (timeout.seconds - seconds).abs().floor();
    distance(a)
        .total_cmp(&distance(b))
        .then_with(|| b.common.cmp(&a.common))
        .then_with(|| a.id.cmp(&b.id))
}

/// A length as people read it: "60 seconds", "4 minutes", "2 hours", "1 minute 30 seconds".
pub fn in_words(seconds: f64) -> String {
    if !(60.0..1e9).contains(&seconds) || seconds.fract() != 0.0 || seconds == 60.0 {
        return format!("{seconds} seconds");
    }
    // In range and whole, checked above.
    let whole = seconds as u64;
    let parts = [
        (whole / 86_400, "day"),
        (whole % 86_400 / 3_600, "hour"),
        (whole % 3_600 / 60, "minute"),
        (whole % 60, "second"),
    ];
    let words: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}{}", if *count == 1 { "" } else { "s" }))
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeout(id: &str, seconds: f64, kind: TimeoutKind, side: TimeoutSide) -> Timeout {
        Timeout {
            id: id.to_owned(),
            system: id.split('-').next().unwrap_or_default().to_owned(),
            product: String::new(),
            title: id.to_owned(),
            seconds,
            tolerance: None,
            kind,
            side,
            common: false,
            setting: String::new(),
            versions: String::new(),
            cause: String::new(),
            note: String::new(),
            unlisted: String::new(),
            source: String::new(),
            verified: true,
            group: String::new(),
        }
    }

    fn known(facts: &[(&str, &str)]) -> Known {
        let facts: Vec<Fact> = facts
            .iter()
            .map(|(key, value)| Fact {
                key: (*key).into(),
                value: (*value).into(),
                hop: Hop::ClientEdge,
                vantage: "user".into(),
                connection: None,
                evidence: 0,
                span: None,
            })
            .collect();
        Known::of(facts.iter())
    }

    fn ids(timeouts: &[Timeout], facts: &[(&str, &str)]) -> Vec<String> {
        candidates(timeouts, &known(facts))
            .into_iter()
            .map(|candidate| candidate.timeout.id)
            .collect()
    }

    fn some() -> Vec<Timeout> {
        use TimeoutKind::{Handshake, Idle, Lifetime};
        use TimeoutSide::{Client, Proxy, Server};
        vec![
            timeout("apache-idle", 60.0, Idle, Proxy),
            timeout("nginx-idle", 60.0, Idle, Proxy),
            timeout("java-lost", 60.0, Idle, Server),
            timeout("google-life", 60.0, Lifetime, Proxy),
            timeout("heroku-idle", 55.0, Idle, Proxy),
            timeout("firefox-open", 20.0, Handshake, Client),
            timeout("chromium-open", 240.0, Handshake, Client),
        ]
    }

    #[test]
    fn what_is_named_comes_first_and_what_is_ruled_out_last() {
        let all = ids(&some(), &[("open.seconds", "60.4")]);
        assert_eq!(
            all,
            ["apache-idle", "google-life", "java-lost", "nginx-idle"]
        );
        let named = ids(
            &some(),
            &[("open.seconds", "60.0"), ("edge.server", "nginx")],
        );
        assert_eq!(
            named,
            ["nginx-idle", "java-lost", "apache-idle", "google-life"]
        );
        let direct = ids(&some(), &[("open.seconds", "60"), ("edge.present", "no")]);
        assert_eq!(direct[0], "java-lost");
    }

    #[test]
    fn a_busy_connection_met_no_idle_limit() {
        let busy = ids(&some(), &[("open.seconds", "60"), ("session.idle", "no")]);
        assert_eq!(busy, ["google-life"]);
        let idle = ids(
            &some(),
            &[("open.seconds", "60"), ("session.fault", "idle")],
        );
        assert!(!idle.contains(&"google-life".to_owned()), "{idle:?}");
    }

    #[test]
    fn attempts_meet_other_limits_than_open_connections() {
        let facts = [("open.seconds", "20"), ("handshake.answer", "timed-out")];
        assert_eq!(ids(&some(), &facts), ["firefox-open"]);
        assert_eq!(
            ids(&some(), &[("open.seconds", "20")]),
            Vec::<String>::new()
        );
        assert_eq!(
            ids(&some(), &[("handshake.seconds", "240.2")]),
            ["chromium-open"]
        );
        assert_eq!(ids(&some(), &[]), Vec::<String>::new());
    }

    #[test]
    fn a_system_of_several_products_is_told_apart_by_the_product() {
        let mut timeouts = some();
        let heroku = &mut timeouts[4];
        heroku.system = "platform".to_owned();
        heroku.product = "heroku".to_owned();
        let matching = |facts: &[(&str, &str)]| {
            let mut all = vec![("open.seconds", "55")];
            all.extend(facts);
            candidates(&timeouts, &known(&all))[0].matching
        };
        let platform = ("edge.server", "platform");
        assert_eq!(
            matching(&[platform, ("edge.product", "heroku")]),
            Match::Named
        );
        assert_eq!(matching(&[platform]), Match::Possible);
        assert_eq!(
            matching(&[platform, ("edge.product", "x")]),
            Match::Unlikely
        );
        assert_eq!(matching(&[("edge.server", "nginx")]), Match::Unlikely);
    }

    #[test]
    fn limits_strike_a_little_late_and_hardly_early() {
        let fits = |limit: f64, seconds: f64| {
            timeout("x", limit, TimeoutKind::Idle, TimeoutSide::Proxy).fits(seconds)
        };
        assert!(fits(60.0, 59.5) && fits(60.0, 63.0) && !fits(60.0, 58.0) && !fits(60.0, 64.0));
        assert!(fits(7200.0, 7300.0) && !fits(7200.0, 7100.0));
    }

    #[test]
    fn lengths_as_they_are_typed() {
        assert_eq!(typed_seconds(" 60 "), Some(60.0));
        assert_eq!(typed_seconds("1m40s"), Some(100.0));
        for nothing in ["", "soon", "nan", "inf", "-1"] {
            assert_eq!(typed_seconds(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn lengths_in_words() {
        assert_eq!(in_words(60.0), "60 seconds");
        assert_eq!(in_words(240.0), "4 minutes");
        assert_eq!(in_words(7200.0), "2 hours");
        assert_eq!(in_words(127.0), "2 minutes 7 seconds");
        assert_eq!(in_words(432_000.0), "5 days");
    }
}
