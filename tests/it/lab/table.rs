//! The table in docs/probes.md.

use std::path::Path;

use wsdoctor::case::Report;

use super::Seen;

const BEGIN: &str = "<!-- The lab's table: UPDATE_PROBES=1 cargo test --test it lab -->\n";
const END: &str = "<!-- The end of the lab's table -->\n";

/// What every healthy connection shows, or what differs from run to run.
const LEFT_OUT: [&str; 22] = [
    "accept.value",
    "client.clock",
    "dns.a",
    "dns.aaaa",
    "dns.addresses",
    "dns.alias",
    "dns.lookup",
    "edge.seen",
    "handshake.location",
    "handshake.opened",
    "open.seconds",
    "session.messages",
    "session.ping",
    "tls.alpn",
    "tls.certificate.names",
    "tls.client-certificate",
    "tls.dates",
    "tls.gateway",
    "tls.issuer.kind",
    "tls.names",
    "tls.version",
    "url.host.kind",
];

/// What tells something, as `key = value`.
pub(super) fn facts(report: &Report) -> Vec<String> {
    let all = report.all_facts();
    facts_of(all.into_iter().map(|fact| (fact.key, fact.value)))
}

/// The same of facts from elsewhere.
pub(super) fn facts_of(all: impl Iterator<Item = (String, String)>) -> Vec<String> {
    let is_usual = |key: &str, value: &str| {
        LEFT_OUT.contains(&key)
            || matches!(
                (key, value),
                ("tcp.connect" | "tls.chain", "ok" | "complete")
                    | ("tls.fault", "none")
                    | ("tcp.families", "both-ok" | "both-refused")
                    | ("handshake.status", "101")
                    | ("frames.state", "correct")
                    | ("close.clean", "yes")
                    | ("origin.compared" | "deflate.compared", "both" | "neither")
                    | ("works.other-scheme", "no")
                    | ("probe.result", "fault")
            )
    };
    all.filter(|(key, value)| !is_usual(key, value))
        .map(|(key, value)| format!("{key} = {value}"))
        .collect()
}

fn row(seen: &Seen) -> String {
    let facts: Vec<String> = seen.facts.iter().map(|fact| format!("`{fact}`")).collect();
    let cause = match seen.cause.as_str() {
        "healthy" => "healthy".to_owned(),
        id => format!("`{id}`"),
    };
    let probability = match seen.cause.as_str() {
        "healthy" => String::new(),
        _ => format!("{:.1}", seen.probability),
    };
    format!(
        "| {} | {} | {cause} | {probability} | {} |\n",
        seen.name,
        facts.join(" ").replace('|', "\\|"),
        seen.after.as_deref().unwrap_or_default()
    )
}

/// What of a row is compared: the set-up, its first cause and that one's probability.
struct Compared<'a> {
    name: &'a str,
    cause: &'a str,
    probability: f64,
}

impl Compared<'_> {
    /// Below this a variant of the handshake that came late, on a busy machine, may change which of
    /// two right causes comes first. Whether a first cause is right at all the lab asserts itself.
    const CLEAR: f64 = 0.8;

    fn is_close(&self) -> bool {
        self.probability < Self::CLEAR
    }
}

fn compared(line: &str) -> Option<Compared<'_>> {
    let mut cells = line.strip_prefix("| ")?.split(" | ");
    let name = cells.next()?;
    let cause = cells.nth(1)?;
    // A healthy set-up has no probability, and is clear.
    let probability = cells.next()?.trim().parse().unwrap_or(1.0);
    Some(Compared {
        name,
        cause,
        probability,
    })
}

/// Writes the table, or compares set-ups and first causes with the one that is there.
pub(super) fn keep(all: &[Seen]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/probes.md");
    let text = std::fs::read_to_string(&path).expect("docs/probes.md");
    let (before, rest) = text.split_once(BEGIN).expect("the table's beginning");
    let (table, after) = rest.split_once(END).expect("the table's end");
    let rows: String = all.iter().map(row).collect();
    if std::env::var("UPDATE_PROBES").is_ok() {
        let head = "\n| set-up | what the probe states | first cause | probability | after the fix |\n\
                    | --- | --- | --- | --- | --- |\n";
        std::fs::write(path, format!("{before}{BEGIN}{head}{rows}\n{END}{after}"))
            .expect("written");
        return;
    }
    let known: Vec<Compared> = table.lines().filter_map(compared).collect();
    for line in rows.lines() {
        let now = compared(line).expect("a row");
        let is_known = known.iter().any(|row| {
            row.name == now.name && (row.cause == now.cause || row.is_close() || now.is_close())
        });
        assert!(
            is_known,
            "docs/probes.md does not say {line:?}: run with UPDATE_PROBES=1"
        );
    }
}
