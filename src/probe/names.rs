//! What came of a name, in words and as facts.

use std::net::IpAddr;

use super::records::{Family, Records};
use super::run::Facts;

/// What the name servers' answers tell.
pub(super) fn facts(records: Option<&Records>) -> Facts {
    let Some(records) = records else {
        return Vec::new();
    };
    let mut facts = vec![
        ("dns.a", records.v4.as_str().to_owned()),
        ("dns.aaaa", records.v6.as_str().to_owned()),
    ];
    if !records.aliases.is_empty() {
        facts.push(("dns.alias", records.aliases.join(", ")));
    }
    let has_found = |family: &Family| matches!(family, Family::Found(_));
    let failed = match (&records.v4, &records.v6) {
        (v4, v6) if has_found(v4) && v6.is_open() => Some("only-ipv6-failed"),
        (v4, v6) if v4.is_open() && has_found(v6) => Some("only-ipv4-failed"),
        _ => None,
    };
    facts.extend(failed.map(|value| ("dns.families", value.to_owned())));
    facts
}

/// Why a name leads to no address: there is none, it has no address, or the name that it is an
/// alias of is missing.
pub(super) fn why_missing(records: Option<&Records>) -> Option<&'static str> {
    let records = records?;
    match (&records.v4, &records.v6) {
        (Family::NoName, Family::NoName) if records.aliases.is_empty() => Some("no-name"),
        (Family::NoName, Family::NoName) => Some("alias-without-target"),
        (Family::Without, Family::Without) => Some("no-address"),
        _ => None,
    }
}

/// The same in words.
pub(super) fn missing(records: Option<&Records>) -> String {
    match why_missing(records) {
        Some("no-name") => "there is no such name (NXDOMAIN)".to_owned(),
        Some("alias-without-target") => {
            "it is an alias, and the name that it stands for does not exist (NXDOMAIN)".to_owned()
        }
        Some(_) => "the name exists, and has neither an IPv4 nor an IPv6 address".to_owned(),
        None => "there is no such name, or it has no address".to_owned(),
    }
}

/// What the failure of a lookup is called: the system's resolver has one word for all of them.
pub(super) fn failing(records: Option<&Records>, words: String) -> (&'static str, String) {
    match records.map(|records| (&records.v4, &records.v6)) {
        Some((Family::Silent, Family::Silent)) => {
            ("timed-out", "no name server answered".to_owned())
        }
        Some((Family::Failing(code), Family::Failing(_))) => {
            ("failing", format!("the name server failed: {code}"))
        }
        _ => ("failing", words),
    }
}

/// Adds what came of each family, where that is known.
pub(super) fn with_answers(words: String, records: Option<&Records>) -> String {
    match records {
        Some(records) => format!("{words}; {}", answers(&[], Some(records))),
        None => words,
    }
}

/// What each kind of record gave, for people.
pub(super) fn by_family(addresses: &[IpAddr], records: Option<&Records>) -> String {
    let words = answers(addresses, records);
    let is_elsewhere = |records: &Records| {
        let is_nothing = |family: &Family| matches!(family, Family::NoName | Family::Without);
        is_nothing(&records.v4) && is_nothing(&records.v6)
    };
    if records.is_some_and(is_elsewhere) {
        return format!("{words}; not from the name server: the hosts file, for example");
    }
    words
}

fn answers(addresses: &[IpAddr], records: Option<&Records>) -> String {
    let (v4, v6): (Vec<IpAddr>, Vec<IpAddr>) = addresses.iter().copied().partition(IpAddr::is_ipv4);
    let mut parts = Vec::new();
    if let Some(records) = records.filter(|records| !records.aliases.is_empty()) {
        parts.push(format!("alias of {}", records.aliases.join(", of ")));
    }
    parts.push(of_kind("A", &v4, records.map(|records| &records.v4)));
    parts.push(of_kind("AAAA", &v6, records.map(|records| &records.v6)));
    parts.join("; ")
}

fn of_kind(kind: &str, addresses: &[IpAddr], family: Option<&Family>) -> String {
    match (addresses, family) {
        ([], Some(Family::Found(found))) => format!("{kind} {}", listed(found)),
        ([], Some(Family::Failing(code))) => format!("{kind} fails: {code}"),
        ([], Some(Family::Silent)) => format!("{kind} is not answered"),
        ([], _) => format!("no {kind} record"),
        (found, _) => format!("{kind} {}", listed(found)),
    }
}

pub(super) fn listed(addresses: &[IpAddr]) -> String {
    let texts: Vec<String> = addresses.iter().take(16).map(IpAddr::to_string).collect();
    texts.join(", ")
}
