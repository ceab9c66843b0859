//! What the form and the API ask about the situation, as facts.

use std::sync::Arc;

use super::Fact;
use super::address::{HostKind, host_kind};
use crate::engine::graph::{Hop, Who};

/// What surrounds the failure. All parts are optional.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Context {
    /// What stands in front of the server, such as `nginx` or `cloudflare`; `none` for nothing.
    pub edge: Vec<String>,
    /// Whether it works on the developer's own machine.
    pub works_locally: Option<bool>,
    /// Seconds from opening to the end.
    pub fails_after_seconds: Option<f64>,
    /// Browsers or networks in which alone it fails.
    pub only_in: Vec<String>,
    /// Since when, in words.
    pub since: Option<String>,
    /// Whose part can be done without waiting for somebody else; everybody's, if empty.
    pub can: Vec<Who>,
    /// What may be probed from where the diagnosis is made.
    pub reach: Reach,
}

/// What probes may reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Nothing: nobody probes.
    #[default]
    Nowhere,
    /// Public addresses.
    Public,
    /// Addresses of inside networks as well.
    Inside,
}

impl Reach {
    /// The word used in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Reach::Nowhere => "nowhere",
            Reach::Public => "public",
            Reach::Inside => "inside",
        }
    }

    /// The one of that word; nowhere, if there is none.
    pub fn from_word(word: &str) -> Self {
        [Reach::Public, Reach::Inside]
            .into_iter()
            .find(|reach| reach.as_str() == word)
            .unwrap_or_default()
    }

    /// Whether a host may be within reach, as far as its name tells: nobody else's loopback is, and
    /// names that stand for others in examples lead nowhere.
    pub fn holds(self, host: &str) -> bool {
        if self == Reach::Nowhere || stands_for_another(host) {
            return false;
        }
        match host_kind(host) {
            HostKind::Name | HostKind::PublicAddress => true,
            HostKind::Private | HostKind::SingleLabel => self == Reach::Inside,
            HostKind::Loopback | HostKind::Unspecified | HostKind::Placeholder => false,
        }
    }
}

/// Names that are reserved for examples and tests (RFC 2606, RFC 6761) or lead to no address.
fn stands_for_another(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let labels: Vec<&str> = host.rsplit('.').take(2).collect();
    matches!(
        labels.as_slice(),
        ["example" | "test" | "invalid" | "onion", ..] | ["com" | "net" | "org", "example"]
    )
}

/// The names under which people know what stands in front of a server, and the fact's value.
const EDGES: &[(&str, &str)] = &[
    ("nginx proxy manager", "panel"),
    ("synology", "panel"),
    ("plesk", "panel"),
    ("cpanel", "panel"),
    ("nginx", "nginx"),
    ("apache", "apache"),
    ("httpd", "apache"),
    ("haproxy", "haproxy"),
    ("caddy", "caddy"),
    ("traefik", "traefik"),
    ("envoy", "envoy"),
    ("iis", "iis"),
    ("cloudflare", "cloudflare"),
    ("cloudfront", "aws"),
    ("alb", "aws"),
    ("elb", "aws"),
    ("aws", "aws"),
    ("heroku", "platform"),
    ("vercel", "platform"),
    ("netlify", "platform"),
    ("azure", "platform"),
    ("render", "platform"),
    ("google", "platform"),
];

/// The facts that a context states.
pub fn facts_of_context(context: &Context, evidence: usize) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut add = |key: &str, value: &str| {
        facts.push(Fact {
            key: key.into(),
            value: value.into(),
            hop: Hop::ClientEdge,
            vantage: Arc::from("user"),
            connection: None,
            evidence,
            span: None,
        });
    };
    for name in &context.edge {
        let name = name.to_lowercase();
        if matches!(name.as_str(), "none" | "nothing") {
            add("edge.present", "no");
            continue;
        }
        add("edge.present", "yes");
        if let Some((_, value)) = EDGES.iter().find(|(known, _)| name.contains(known)) {
            add("edge.server", value);
        }
    }
    if let Some(works) = context.works_locally {
        add("works.locally", if works { "yes" } else { "no" });
    }
    if let Some(seconds) = context
        .fails_after_seconds
        .filter(|s| s.is_finite() && *s >= 0.0)
    {
        add("open.seconds", &format!("{seconds:.1}"));
    }
    for place in &context.only_in {
        let place = place.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| place.contains(word));
        if has(&["company", "office", "work", "corporate", "school", "hotel"]) {
            add("environment.network", "company");
            add("works.other-network", "yes");
        } else if has(&["mobile", "4g", "5g", "lte", "phone"]) {
            add("environment.network", "mobile");
        } else if has(&["vpn"]) {
            add("environment.network", "vpn");
        } else if has(&["chrome", "firefox", "safari", "edge", "opera", "brave"]) {
            add("works.other-browser", "yes");
        }
    }
    if let Some(since) = &context.since {
        let since = since.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| since.contains(word));
        if has(&["update", "upgrade"]) {
            add("since", "update");
        } else if has(&["proxy", "nginx", "cloudflare", "balancer", "cdn"]) {
            add("since", "proxy");
        } else if has(&["https", "ssl", "tls", "certificate"]) {
            add("since", "https");
        } else if has(&["deploy", "restart", "release"]) {
            add("since", "deploy");
        }
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_reached_is_known_by_its_name() {
        for host in ["chat.acme.io", "203.0.114.7", "2606:4700::1111"] {
            assert!(Reach::Public.holds(host), "{host}");
            assert!(Reach::Inside.holds(host), "{host}");
            assert!(!Reach::Nowhere.holds(host), "{host}");
        }
        for host in [
            "10.1.2.3",
            "fd00::1",
            "printer.local",
            "app.internal",
            "backend",
        ] {
            assert!(!Reach::Public.holds(host), "{host}");
            assert!(Reach::Inside.holds(host), "{host}");
        }
        let elsewhere = [
            "localhost",
            "127.0.0.1",
            "::1",
            "0.0.0.0",
            "app.example",
            "www.example.com",
            "a.test",
            "your-domain.com",
        ];
        for host in elsewhere {
            assert!(!Reach::Inside.holds(host), "{host}");
        }
    }
}
