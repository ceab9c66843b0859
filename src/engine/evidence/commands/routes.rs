//! The way to a host: `traceroute`, `tracert`, `tracepath` and `mtr`.
//!
//! <https://man7.org/linux/man-pages/man8/traceroute.8.html>

use super::{Line, Output, Reading, ip};

/// Whether the last hop is the host.
pub(super) fn read(output: &Output<'_>, reading: &mut Reading) {
    let head = output.lines().iter().enumerate().find_map(|(index, line)| {
        let text = line.text.trim();
        let is_head = text.starts_with("traceroute to ")
            || text.starts_with("traceroute6 to ")
            || text.starts_with("Tracing route to ");
        is_head.then_some((index, text))
    });
    if head.is_none() && (tracepath(output, reading) || mtr(output, reading)) {
        return;
    }
    let Some((index, head)) = head else {
        if let Some(line) = output.lines().iter().find(|line| {
            line.text
                .contains("RTNETLINK answers: Network is unreachable")
                || line
                    .text
                    .contains("writing to routing socket: not in table")
        }) {
            reading.add("network.route", "missing", line.span());
        }
        return;
    };
    let host = head
        .split(['(', '[', ' ', ',', ')', ']'])
        .filter_map(ip)
        .next_back();
    let hops: Vec<&Line<'_>> = output.lines()[index + 1..]
        .iter()
        .skip_while(|line| line.is_blank() || line.text.trim_start().starts_with("over a maximum"))
        .take_while(|line| is_hop(line))
        .collect();
    let (Some(last), Some(host)) = (hops.last(), host) else {
        return;
    };
    let arrives = last
        .text
        .split(['(', '[', ' ', ')', ']'])
        .any(|word| ip(word) == Some(host));
    let is_silent = |line: &&&Line<'_>| line.text.matches('*').count() >= 3;
    if arrives && !last.text.contains(" !") {
        reading.add("network.route", "ok", last.span());
    } else if last.text.contains(" !") || hops.iter().rev().take(3).filter(is_silent).count() == 3 {
        reading.add("network.route", "ends-on-the-way", last.span());
    }
}

/// `tracepath`: ` 7:  203.0.113.7   12.3ms reached`, and `Resume: pmtu 1500 hops 7 back 7` or
/// `Too many hops: pmtu 1500` at the end. <https://man7.org/linux/man-pages/man8/tracepath.8.html>
fn tracepath(output: &Output<'_>, reading: &mut Reading) -> bool {
    let is_end = |line: &&Line<'_>| {
        let text = line.text.trim_start();
        text.starts_with("Too many hops: pmtu") || text.starts_with("Resume: pmtu")
    };
    let Some(end) = output.lines().iter().find(is_end) else {
        return false;
    };
    let reached = output
        .lines()
        .iter()
        .find(|line| line.text.trim_end().ends_with(" reached"));
    match reached {
        Some(line) => reading.add("network.route", "ok", line.span()),
        None => reading.add("network.route", "ends-on-the-way", end.span()),
    }
    true
}

/// The report of `mtr -r`: `HOST: ... Loss% Snt ...`, then `  7.|-- 203.0.113.7  0.0%  10 ...`.
/// Silent hops on the way mean nothing; a silent last hop means that the way ends before it.
/// <https://www.bitwizard.nl/mtr/mtr.8.html>
fn mtr(output: &Output<'_>, reading: &mut Reading) -> bool {
    let Some(index) = output
        .lines()
        .iter()
        .position(|line| line.text.contains("Loss%") && line.text.contains("Snt"))
    else {
        return false;
    };
    // Its column "Avg" is no antivirus of that name.
    reading.owned.push(output.lines()[index].span());
    let hops = output.lines()[index + 1..]
        .iter()
        .take_while(|line| line.text.contains("|-- "));
    let Some(last) = hops.last() else {
        return false;
    };
    let words = last.words();
    let is_silent = words.iter().any(|word| word.text == "???")
        || words
            .iter()
            .any(|word| matches!(word.text, "100.0%" | "100.0" | "100%"));
    let value = if is_silent { "ends-on-the-way" } else { "ok" };
    reading.add("network.route", value, last.span());
    true
}

/// A line that begins with the number of a hop.
fn is_hop(line: &Line<'_>) -> bool {
    line.text
        .split_whitespace()
        .next()
        .is_some_and(|number| number.parse::<u8>().is_ok())
}
