//! What the form and the API ask about the situation, as facts.

use std::sync::Arc;

use super::Fact;
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
