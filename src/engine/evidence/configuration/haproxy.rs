//! HAProxy: it passes upgrades on by itself; its time-outs and its servers' protocol matter.
//! <https://docs.haproxy.org/3.2/configuration.html#4-timeout%20tunnel>

use super::super::contents::Contents;
use super::review::{indent_of, whole_line};
use super::{Draft, Reading, Span, lines_of, looks_like_socket};

/// A shorter silence than this, in seconds, ends sockets that people use.
const SHORT_SILENCE: u64 = 120;

/// A section from its line to the next one's.
#[derive(Debug, Default)]
struct Section<'a> {
    kind: &'a str,
    name: &'a str,
    span: Span,
    lines: Vec<(Span, Vec<&'a str>)>,
}

/// Reads the HAProxy sections of a text.
pub(super) fn reading(contents: &Contents<'_>) -> Reading {
    let mut reading = Reading::default();
    if !contents.holds_one_of(&["frontend", "backend", "listen", "global"]) {
        return reading;
    }
    let text = contents.text();
    let sections = sections(text, &mut reading.owned);
    let Some(first) = sections.iter().find(|section| section.kind != "defaults") else {
        return Reading::default();
    };
    let timeout = sections
        .iter()
        .filter(|section| section.kind != "global")
        .find_map(|section| section.timeout(&["server", "client"]));
    let serving = serving(&sections);
    let http2 = serving.and_then(Section::http2_server);
    if timeout.is_none() && http2.is_none() {
        return Reading::default();
    }
    // Their words speak of connections and time-outs as errors do.
    let settings = sections.iter().flat_map(|section| &section.lines);
    reading.owned.extend(
        settings
            .filter(|(_, words)| words.first() == Some(&"timeout"))
            .map(|(span, _)| *span),
    );
    if let Some((timeout, _)) = timeout {
        reading.add("edge.server", "haproxy", first.span);
        reading.add("edge.present", "yes", first.span);
        if !sections
            .iter()
            .any(|section| section.timeout(&["tunnel"]).is_some())
        {
            reading.add("edge.tunnel-timeout", "absent", timeout);
        }
    }
    if let Some(span) = http2 {
        reading.add("edge.upstream-protocol", "http2", span);
    }
    let removed = removed_upgrade(&sections);
    if let Some(span) = removed {
        reading.add("edge.config", "upgrade-missing", span);
    }
    if let Some(serving) = serving {
        let mut draft = Draft::new("HAProxy", serving.span);
        if let Some(span) = removed {
            draft.fault(
                "The Upgrade header is taken away here, so the server sees an ordinary request.",
                span,
            );
            draft.replace(whole_line(text, span), "");
        }
        if let Some(span) = http2 {
            draft.fault("The server is spoken to in HTTP/2 only, over which most servers take no WebSocket.", span);
            let words = &text[span.start..span.end];
            let end = span.start
                + words
                    .find(" #")
                    .map_or(words.len(), |at| words[..at].trim_end().len());
            draft.replace(Span { start: end, end }, " ws h1");
        }
        if timeout.is_some() {
            review_silence(text, &sections, serving, &mut draft);
        }
        reading.drafts.push(draft);
    }
    reading
}

fn sections<'a>(text: &'a str, comments: &mut Vec<Span>) -> Vec<Section<'a>> {
    let mut sections: Vec<Section<'a>> = Vec::new();
    for (span, line) in lines_of(text) {
        if line.starts_with('#') {
            if !sections.is_empty() {
                comments.push(span);
            }
            continue;
        }
        let may_begin = matches!(line.as_bytes(), [b'f' | b'b' | b'l' | b'g' | b'd', ..]);
        if sections.is_empty() && !may_begin {
            continue;
        }
        let words: Vec<&str> = line
            .split_whitespace()
            .take_while(|word| !word.starts_with('#'))
            .take(64)
            .collect();
        match words.as_slice() {
            [kind @ ("frontend" | "backend" | "listen"), name, ..]
                if !name.ends_with(['{', ';']) && !line.ends_with(['.', '?']) =>
            {
                sections.push(Section {
                    kind,
                    name,
                    span,
                    lines: Vec::new(),
                });
            }
            [kind @ ("global" | "defaults"), ..] if words.len() < 3 => {
                sections.push(Section {
                    kind,
                    name: "",
                    span,
                    lines: Vec::new(),
                });
            }
            [_, ..] => {
                if let Some(section) = sections.last_mut() {
                    section.lines.push((span, words));
                }
            }
            [] => {}
        }
    }
    sections
}

impl Section<'_> {
    /// The first time-out of a kind, with its value.
    fn timeout(&self, kinds: &[&str]) -> Option<(Span, &str)> {
        self.timeouts(kinds).next()
    }

    fn timeouts(&self, kinds: &[&str]) -> impl Iterator<Item = (Span, &str)> {
        self.lines
            .iter()
            .filter_map(|(span, words)| match words.as_slice() {
                ["timeout", kind, value, ..]
                    if kinds.contains(kind)
                        && value.starts_with(|first: char| first.is_ascii_digit()) =>
                {
                    Some((*span, *value))
                }
                _ => None,
            })
    }

    /// A server that is spoken to in HTTP/2 only.
    /// <https://docs.haproxy.org/3.2/configuration.html#5.2-ws>
    fn http2_server(&self) -> Option<Span> {
        self.lines.iter().find_map(|(span, words)| {
            let ["server", _, _, options @ ..] = words.as_slice() else {
                return None;
            };
            let has = |pair: [&[&str]; 2]| {
                options
                    .windows(2)
                    .any(|two| pair[0].contains(&two[0]) && pair[1].contains(&two[1]))
            };
            (has([&["alpn", "proto"], &["h2"]]) && !has([&["ws"], &["h1"]])).then_some(*span)
        })
    }

    fn has_server(&self) -> bool {
        self.lines
            .iter()
            .any(|(_, words)| matches!(words.first(), Some(&("server" | "server-template"))))
    }
}

/// The section that serves sockets: the one that a rule on Upgrade leads to, one named like it, the
/// first.
fn serving<'s, 'a>(sections: &'s [Section<'a>]) -> Option<&'s Section<'a>> {
    let conditions: Vec<&str> = sections
        .iter()
        .flat_map(|section| &section.lines)
        .filter_map(|(_, words)| match words.as_slice() {
            ["acl", name, rest @ ..]
                if rest.iter().any(|word| {
                    word.to_ascii_lowercase().contains("upgrade") || looks_like_socket(word)
                }) =>
            {
                Some(*name)
            }
            _ => None,
        })
        .collect();
    let led = sections
        .iter()
        .flat_map(|section| &section.lines)
        .find_map(|(_, words)| match words.as_slice() {
            ["use_backend", name, "if", rest @ ..]
                if rest.iter().any(|word| {
                    conditions.contains(word) || word.to_ascii_lowercase().contains("upgrade")
                }) =>
            {
                Some(*name)
            }
            _ => None,
        });
    let mut candidates = sections
        .iter()
        .filter(|section| matches!(section.kind, "backend" | "listen") && section.has_server());
    let all: Vec<&Section<'a>> = candidates.by_ref().collect();
    all.iter()
        .find(|section| Some(section.name) == led)
        .or_else(|| all.iter().find(|section| looks_like_socket(section.name)))
        .or(all.first())
        .copied()
}

/// A rule that takes the upgrade away.
fn removed_upgrade(sections: &[Section<'_>]) -> Option<Span> {
    sections
        .iter()
        .flat_map(|section| &section.lines)
        .find_map(|(span, words)| match words.as_slice() {
            ["http-request", "del-header", name]
                if name.eq_ignore_ascii_case("upgrade")
                    || name.eq_ignore_ascii_case("sec-websocket-key") =>
            {
                Some(*span)
            }
            _ => None,
        })
}

fn review_silence(text: &str, sections: &[Section<'_>], serving: &Section<'_>, draft: &mut Draft) {
    let defaults = || sections.iter().filter(|section| section.kind == "defaults");
    let tunnel = serving
        .timeout(&["tunnel"])
        .or_else(|| defaults().find_map(|section| section.timeout(&["tunnel"])));
    if let Some((span, value)) = tunnel {
        let limit = seconds(value);
        draft.silence = limit.map(|limit| (limit, span));
        let Some(seconds) = limit.filter(|seconds| *seconds < SHORT_SILENCE) else {
            return;
        };
        draft.hint(
            format!("A socket that is silent for {seconds} seconds is closed."),
            span,
        );
        draft.replace(span, "timeout tunnel 1h");
        return;
    }
    let near = serving
        .timeouts(&["server"])
        .last()
        .or_else(|| defaults().find_map(|section| section.timeouts(&["server", "client"]).last()));
    draft.silence = near.and_then(|(span, value)| Some((seconds(value)?, span)));
    let (span, words) = match near {
        Some((span, value)) => (span, format!(" ({value})")),
        None => (serving.span, String::new()),
    };
    draft.hint(
        format!("timeout tunnel is missing, so the time-outs of ordinary requests{words} end a silent socket."),
        span,
    );
    let indent = match near {
        Some(_) => indent_of(text, span.start).to_owned(),
        None => serving
            .lines
            .first()
            .map_or("    ", |(span, _)| indent_of(text, span.start))
            .to_owned(),
    };
    draft.add_lines_after(text, span.start, &[format!("{indent}timeout tunnel 1h")]);
}

/// Seconds of `30s`, `5000` (milliseconds), `1h`, `2m`, `1d`.
/// <https://docs.haproxy.org/3.2/configuration.html#2.5>
fn seconds(value: &str) -> Option<u64> {
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = value.split_at(digits);
    let number: u64 = number.parse().ok()?;
    match unit {
        "us" => Some(number / 1_000_000),
        "" | "ms" => Some(number / 1000),
        "s" => Some(number),
        "m" => number.checked_mul(60),
        "h" => number.checked_mul(3600),
        "d" => number.checked_mul(86_400),
        _ => None,
    }
}
