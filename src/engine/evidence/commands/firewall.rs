//! Rules of a firewall for the port that is dialled: `ufw status`, `firewall-cmd --list-all`,
//! `iptables -L`, `nft list ruleset`, Windows' rules for the port.
//!
//! <https://manpages.ubuntu.com/manpages/noble/en/man8/ufw.8.html>,
//! <https://firewalld.org/documentation/man-pages/firewall-cmd.html>,
//! <https://man7.org/linux/man-pages/man8/iptables.8.html>,
//! <https://www.netfilter.org/projects/nftables/manpage.html>,
//! <https://learn.microsoft.com/en-us/powershell/module/netsecurity/get-netfirewallrule>

use super::{Line, Output, Reading, Span, add_on_server};

/// Reads the rules of a firewall in a text.
pub(super) fn reading(output: &Output<'_>) -> Reading {
    let mut reading = Reading::default();
    let marks = ["Status: ", "Chain ", "hook input", "DisplayName"];
    // An event has a target as well, but no services.
    let may_be_firewalld = output.holds("services:") && output.holds("target:");
    if !may_be_firewalld && !output.holds_one_of(&marks) {
        return reading;
    }
    let verdict = ufw(output)
        .or_else(|| firewalld(output))
        .or_else(|| iptables(output))
        .or_else(|| nftables(output))
        .or_else(|| windows(output));
    if let Some((value, span)) = verdict {
        add_on_server(&mut reading, "firewall.rule", value, span);
        reading.owned.push(span);
    }
    reading
}

fn find<'a>(output: &Output<'a>, beginning: &str) -> Option<(usize, Line<'a>)> {
    output
        .lines()
        .iter()
        .copied()
        .enumerate()
        .find(|(_, line)| line.text.trim_start().starts_with(beginning))
}

/// Whether a rule's words for ports hold the port: `3000/tcp`, `3000`, `3000:3010`, `80,443/tcp`.
fn is_port(text: &str, port: u16) -> bool {
    let Some(ports) = text.split('/').next().filter(|_| !text.ends_with("/udp")) else {
        return false;
    };
    ports
        .split(',')
        .any(|part| match part.split_once([':', '-']) {
            Some((first, last)) => {
                let bounds = first.parse::<u16>().ok().zip(last.parse::<u16>().ok());
                bounds.is_some_and(|(first, last)| (first..=last).contains(&port))
            }
            None => part.parse() == Ok(port),
        })
}

/// `Status: active`, then To, Action, From; `Default: deny (incoming)`.
fn ufw(output: &Output<'_>) -> Option<(&'static str, Span)> {
    let (index, status) = find(output, "Status: ")?;
    match status.text.trim() {
        "Status: inactive" => return Some(("allow", status.span())),
        "Status: active" => {}
        _ => return None,
    }
    let port = output.port()?;
    let rules = &output.lines()[index + 1..];
    for line in rules {
        let words = line.words();
        let Some(to) = words.first() else {
            continue;
        };
        let names = match port {
            443 => [
                "Nginx Full",
                "Apache Full",
                "Nginx HTTPS",
                "Apache Secure",
                "WWW Full",
                "https",
            ],
            80 => [
                "Nginx Full",
                "Apache Full",
                "Nginx HTTP ",
                "Apache ",
                "WWW Full",
                "http ",
            ],
            _ => ["", "", "", "", "", ""],
        };
        let is_named = names
            .iter()
            .any(|name| !name.is_empty() && line.text.trim_start().starts_with(name));
        if !(is_port(to.text, port) || is_named) {
            continue;
        }
        let from_anywhere = line.text.contains("Anywhere");
        let action = words.iter().find_map(|word| match word.text {
            "ALLOW" if from_anywhere => Some("allow"),
            "LIMIT" if from_anywhere => Some("allow"),
            "DENY" => Some("drop"),
            "REJECT" => Some("reject"),
            _ => None,
        });
        if let Some(action) = action {
            return Some((action, line.span()));
        }
    }
    let default = find(output, "Default: ").map(|(_, line)| line);
    match default {
        Some(line) if line.text.contains("allow (incoming)") => Some(("allow", line.span())),
        Some(line) if line.text.contains("reject (incoming)") => Some(("reject", line.span())),
        Some(line) => Some(("drop", line.span())),
        // Without `verbose` the default is not shown; what nobody changed is deny.
        None => Some(("drop", status.span())),
    }
}

/// `target: default`, `services: ssh http`, `ports: 3000/tcp`.
fn firewalld(output: &Output<'_>) -> Option<(&'static str, Span)> {
    let (_, target) = find(output, "target:")?;
    let (_, services) = find(output, "services:")?;
    let (_, ports) = find(output, "ports:")?;
    let port = output.port()?;
    let listed = ports
        .words()
        .into_iter()
        .skip(1)
        .find(|word| is_port(word.text, port));
    let service = services
        .words()
        .into_iter()
        .find(|word| matches!((word.text, port), ("http", 80) | ("https", 443)));
    if let Some(word) = listed.or(service) {
        return Some(("allow", word.span));
    }
    let value = match target.text.split(':').nth(1).map(str::trim) {
        Some("ACCEPT") => "allow",
        Some("DROP") => "drop",
        // What no rule takes is answered with icmp-host-prohibited.
        _ => "reject",
    };
    Some((value, ports.span()))
}

/// `Chain INPUT (policy DROP)`, then target, protocol, ..., `tcp dpt:3000`.
fn iptables(output: &Output<'_>) -> Option<(&'static str, Span)> {
    let (index, chain) = find(output, "Chain INPUT (policy ")?;
    let port = output.port()?;
    let rules = output.lines()[index + 1..]
        .iter()
        .take_while(|line| !line.is_blank());
    for line in rules {
        let words = line.words();
        let verdict = words.iter().take(4).find_map(|word| match word.text {
            "ACCEPT" => Some("allow"),
            "DROP" => Some("drop"),
            "REJECT" => Some("reject"),
            _ => None,
        });
        let is_for_port = words.iter().any(|word| {
            let ports = word
                .text
                .strip_prefix("dpt:")
                .or_else(|| word.text.strip_prefix("dpts:"));
            let name = match port {
                80 => "http",
                443 => "https",
                _ => "",
            };
            ports.is_some_and(|ports| is_port(ports, port) || (!name.is_empty() && ports == name))
                || (line.text.contains("multiport") && is_port(word.text, port))
        });
        // A rule without any condition takes everything that came so far.
        let is_for_all = !line.text.contains("dpt")
            && !line.text.contains("state")
            && !line.text.contains("lo ")
            && matches!(verdict, Some("drop" | "reject"))
            && (line.text.matches("anywhere").count() == 2
                || line.text.matches("0.0.0.0/0").count() == 2)
            && (line.text.contains(" all ") || line.text.contains(" 0 "));
        if let Some(verdict) = verdict.filter(|_| is_for_port || is_for_all) {
            return Some((verdict, line.span()));
        }
    }
    if chain.text.contains("policy DROP") {
        Some(("drop", chain.span()))
    } else {
        None
    }
}

/// `type filter hook input priority filter; policy drop;`, then rules such as
/// `tcp dport { 22, 80, 443 } accept` in their order, to the chain's closing brace.
fn nftables(output: &Output<'_>) -> Option<(&'static str, Span)> {
    let (index, hook) = output
        .lines()
        .iter()
        .enumerate()
        .find(|(_, line)| line.text.contains("hook input"))?;
    let port = output.port()?;
    let rules = output.lines()[index + 1..]
        .iter()
        .take_while(|line| line.text.trim() != "}");
    for line in rules {
        let text = line.text.trim();
        let last = text.split(" comment ").next().unwrap_or_default();
        let has = |verdict: &str| last.split_whitespace().any(|word| word == verdict);
        let verdict = match (has("accept"), has("drop"), has("reject")) {
            (true, ..) => "allow",
            (_, true, _) => "drop",
            (_, _, true) => "reject",
            _ => continue,
        };
        let is_for_port = text
            .split_once("tcp dport ")
            .is_some_and(|(_, ports)| nft_ports(ports, port));
        // A rule that begins with its verdict has no condition.
        let is_for_all = ["accept", "drop", "reject", "counter "]
            .iter()
            .any(|begin| text.starts_with(begin));
        if is_for_port || is_for_all {
            return Some((verdict, line.span()));
        }
    }
    hook.text
        .contains("policy drop")
        .then(|| ("drop", hook.span()))
}

/// `3000 accept`, `{ 22, 3000-3010, http } accept`.
fn nft_ports(words: &str, port: u16) -> bool {
    let ports = match words.strip_prefix('{') {
        Some(set) => set.split('}').next().unwrap_or_default(),
        None => words.split_whitespace().next().unwrap_or_default(),
    };
    ports
        .split(',')
        .map(str::trim)
        .any(|part| is_port(part, port) || matches!((part, port), ("http", 80) | ("https", 443)))
}

/// `DisplayName Enabled Direction Action`, filtered by the port.
fn windows(output: &Output<'_>) -> Option<(&'static str, Span)> {
    let (index, _) = output.lines().iter().enumerate().find(|(_, line)| {
        line.text.contains("DisplayName")
            && line.text.contains("Direction")
            && line.text.contains("Action")
    })?;
    let rows = || {
        output.lines()[index + 1..]
            .iter()
            .filter(|line| line.text.contains("Inbound") && line.text.contains("True"))
    };
    // A rule that blocks wins over all that allow.
    rows()
        .find(|line| line.text.trim_end().ends_with("Block"))
        .map(|line| ("drop", line.span()))
        .or_else(|| {
            rows()
                .find(|line| line.text.trim_end().ends_with("Allow"))
                .map(|line| ("allow", line.span()))
        })
}
