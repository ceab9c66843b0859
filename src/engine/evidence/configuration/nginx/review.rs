//! What a rule lacks for sockets, and the directives that it needs.
//! <https://nginx.org/en/docs/http/websocket.html>

use super::parser::{Block, Directive};
use super::place::{Place, State};
use super::verdict::{Verdict, judge_upgrade};
use super::{Draft, Nginx, Socket, Span, indent_of, line_end};

/// A shorter silence than this, in seconds, ends sockets that people use.
const SHORT_SILENCE: u64 = 120;
/// <https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout>, in seconds.
const DEFAULT_SILENCE: u64 = 60;

impl<'a> Nginx<'a> {
    /// What there is to say of the rule that serves the socket.
    pub(super) fn review(
        &self,
        verdict: Verdict,
        place: &Place<'_, 'a>,
        socket: Option<Socket<'_>>,
    ) -> Option<Draft> {
        let mut draft = Draft::new("nginx", self.line_of(place));
        match verdict {
            Verdict::NotPassed => self.review_missing_rule(place, socket?, &mut draft)?,
            Verdict::Unknown => {
                let included = place.around.iter().flat_map(|block| block.open_includes());
                for include in included.take(4) {
                    let file = include.arguments.first()?;
                    draft.unknown(
                        format!("What {file} holds is not in the text, and it may set these headers. Paste it as well (nginx -T prints everything)."),
                        include.span,
                    );
                }
                if draft.remarks.is_empty() {
                    return None;
                }
            }
            _ => self.review_rule(place, &mut draft)?,
        }
        Some(draft)
    }

    fn review_rule(&self, place: &Place<'_, 'a>, draft: &mut Draft) -> Option<()> {
        let block = place.block()?;
        if let Some(pass) = block.pass().filter(|pass| pass.name != "proxy_pass") {
            draft.fault(
                format!("{} cannot carry a WebSocket; the socket's path needs proxy_pass to a server that speaks HTTP.", pass.name),
                pass.span,
            );
            return Some(());
        }
        let mut added = Vec::new();
        self.review_version(place, draft, &mut added);
        let headers = self.review_headers(place, draft);
        added.extend(headers);
        self.review_silence(place, draft, &mut added);
        self.insert(place, &added, draft);
        Some(())
    }

    fn review_version(&self, place: &Place<'_, 'a>, draft: &mut Draft, added: &mut Vec<String>) {
        if matches!(place.version(), State::Right | State::Unknown) {
            return;
        }
        let own = place
            .block()
            .and_then(|block| block.named("proxy_http_version").last());
        match own {
            Some(own) => {
                draft.fault("Upgrades exist only in HTTP/1.1.", own.span);
                draft.replace(own.span, "proxy_http_version 1.1");
            }
            None if place.is_loose() => {}
            None => {
                draft.fault(
                    "proxy_http_version 1.1 is missing: before version 1.29.7 nginx speaks HTTP/1.0 to the server, which knows no upgrade.",
                    draft.place,
                );
                added.push("proxy_http_version 1.1;".to_owned());
            }
        }
    }

    /// Repairs wrong headers where they stand, and gives the lines to add. A block with any
    /// `proxy_set_header` inherits none, so with a first one the inherited ones are repeated.
    fn review_headers(&self, place: &Place<'_, 'a>, draft: &mut Draft) -> Vec<String> {
        let connection = if self.map_onto("connection_upgrade") == Some(State::Right) {
            "$connection_upgrade"
        } else {
            "\"upgrade\""
        };
        let host = place
            .block()
            .and_then(Block::pass)
            .and_then(|pass| pass.arguments.first())
            .is_some_and(|target| target.starts_with("http://"));
        let wanted = [
            (
                "Upgrade",
                "$http_upgrade",
                place.header("upgrade", judge_upgrade),
            ),
            (
                "Connection",
                connection,
                place.header("connection", |value| self.judge_connection(value)),
            ),
            (
                "Host",
                "$host",
                match place.header("host", |_| State::Right) {
                    State::Absent if host => State::Absent,
                    _ => State::Right,
                },
            ),
        ];
        let inherited = place.headers_in_force();
        let is_own = inherited
            .zip(place.block())
            .is_some_and(|(inherited, block)| std::ptr::eq(inherited, block));
        let mut lines = Vec::new();
        let mut replaced = Vec::new();
        for (name, value, state) in wanted {
            let line = format!("proxy_set_header {name} {value}");
            let existing = inherited.and_then(|block| block.header_named(name));
            match state {
                State::Wrong => {
                    let Some(existing) = existing else { continue };
                    self.fault_of_value(name, existing, draft);
                    replaced.push(name);
                    if is_own {
                        for wrong in inherited.iter().flat_map(|block| block.headers_named(name)) {
                            draft.replace(wrong.span, line.clone());
                        }
                    } else {
                        lines.push(format!("{line};"));
                    }
                }
                State::Absent if !place.is_loose() => {
                    if name == "Host" {
                        draft.hint("Host is not passed on: the server sees the name from proxy_pass. A server that compares Origin with Host refuses the socket.", draft.place);
                    } else {
                        draft.fault(format!("{name} is not passed on, so the server sees an ordinary request instead of a WebSocket's."), draft.place);
                    }
                    lines.push(format!("{line};"));
                }
                _ => {}
            }
        }
        if lines.is_empty() || is_own {
            return lines;
        }
        let kept = inherited
            .iter()
            .flat_map(|block| block.named("proxy_set_header"))
            .filter(|header| {
                !replaced.iter().any(|name| {
                    header
                        .arguments
                        .first()
                        .is_some_and(|known| known.eq_ignore_ascii_case(name))
                })
            })
            .filter_map(|header| self.text.get(header.span.start..header.span.end))
            .map(|words| format!("{};", words.trim_end()));
        kept.chain(lines).collect()
    }

    fn fault_of_value(&self, name: &str, header: &Directive<'a>, draft: &mut Draft) {
        let value = header.arguments.get(1).map_or("", |value| &**value);
        let has_keepalive = self
            .outside_servers("upstream")
            .filter_map(|upstream| upstream.block.as_ref())
            .any(|upstream| upstream.named("keepalive").next().is_some());
        if name == "Connection" && value.is_empty() && has_keepalive {
            draft.fault("Connection is emptied, which keepalive to the upstream asks for and which ends every upgrade. A map of $http_upgrade serves both.", header.span);
        } else if value.is_empty() {
            draft.fault(format!("{name} is emptied here, so the server sees an ordinary request instead of a WebSocket's."), header.span);
        } else {
            draft.fault(
                format!(
                    "{name} is set to \"{value}\" here; a WebSocket needs its upgrade passed on."
                ),
                header.span,
            );
        }
    }

    fn review_silence(&self, place: &Place<'_, 'a>, draft: &mut Draft, added: &mut Vec<String>) {
        let line = "proxy_read_timeout 3600s";
        draft.silence = match place.silence() {
            Silence::Default if !place.is_loose() => Some((DEFAULT_SILENCE, draft.place)),
            Silence::Set(seconds, directive, _) => Some((seconds, directive.span)),
            _ => None,
        };
        match place.silence() {
            Silence::Default if place.is_loose() => {}
            Silence::Default => {
                draft.hint("proxy_read_timeout is not set: a socket on which the server is silent for 60 seconds is closed.", draft.place);
                added.push(format!("{line};"));
            }
            Silence::Set(seconds, directive, is_own) if seconds < SHORT_SILENCE => {
                draft.hint(
                    format!(
                        "A socket on which the server is silent for {seconds} seconds is closed."
                    ),
                    directive.span,
                );
                if is_own {
                    draft.replace(directive.span, line);
                } else {
                    added.push(format!("{line};"));
                }
            }
            _ => {}
        }
    }

    /// Puts directives after the last of the block that passes on, each on a line of its own.
    fn insert(&self, place: &Place<'_, 'a>, lines: &[String], draft: &mut Draft) {
        let (Some(block), false) = (place.block(), lines.is_empty()) else {
            return;
        };
        let anchor = block
            .directives
            .iter()
            .rfind(|directive| directive.block.is_none() && directive.name.starts_with("proxy_"));
        let after = match (anchor, place.location) {
            (Some(anchor), _) => anchor.span.end + 1,
            (None, Some(location)) => location.span.end + 1,
            (None, None) => return,
        };
        let indent = indent_of(self.text, anchor.map_or(after, |anchor| anchor.span.start));
        let is_first = |at: usize| {
            let begin = self.text[..at].rfind('\n').map_or(0, |found| found + 1);
            self.text[begin..at].trim().is_empty()
        };
        let deeper = match anchor {
            Some(anchor) if is_first(anchor.span.start) => indent.to_owned(),
            _ if indent.contains('\t') => format!("{indent}\t"),
            _ => format!("{indent}    "),
        };
        let (end, newline) = line_end(self.text, after);
        let rest = self.text[after..end].trim();
        let mut added: String = lines
            .iter()
            .map(|line| format!("{newline}{deeper}{line}"))
            .collect();
        if rest.is_empty() || rest.starts_with('#') {
            draft.replace(Span { start: end, end }, added);
            return;
        }
        // Something follows on the same line: the block's end, or the next directive.
        added.push_str(newline);
        added.push_str(if rest.starts_with('}') {
            indent
        } else {
            &deeper
        });
        let spaces = self.text[after..end].len() - self.text[after..end].trim_start().len();
        draft.replace(
            Span {
                start: after,
                end: after + spaces,
            },
            added,
        );
    }

    /// A rule for the path, with the target that the server's other rules have.
    fn review_missing_rule(
        &self,
        place: &Place<'_, 'a>,
        socket: Socket<'_>,
        draft: &mut Draft,
    ) -> Option<()> {
        draft.fault(
            format!("No location passes {} on to a server.", socket.path),
            draft.place,
        );
        let server = place.server()?;
        let target = server.target_within();
        let last = server
            .directives
            .iter()
            .rfind(|inner| inner.name == "location");
        if let (true, Some(target), Some(last)) = (socket.has_plain_path(), target, last) {
            let origin = match target.match_indices('/').nth(2) {
                Some((slash, _)) => &target[..slash],
                None => target,
            };
            let indent = indent_of(self.text, last.span.start);
            let step = if indent.contains('\t') { "\t" } else { "    " };
            let (_, newline) = line_end(self.text, last.end);
            let mut lines = vec![
                format!("proxy_pass {origin};"),
                "proxy_http_version 1.1;".to_owned(),
                "proxy_set_header Upgrade $http_upgrade;".to_owned(),
                "proxy_set_header Connection \"upgrade\";".to_owned(),
                "proxy_set_header Host $host;".to_owned(),
                "proxy_read_timeout 3600s;".to_owned(),
            ];
            for line in &mut lines {
                line.insert_str(0, &format!("{newline}{indent}{step}"));
            }
            let rule = format!(
                "{newline}{indent}location {} {{{}{newline}{indent}}}",
                socket.path,
                lines.concat()
            );
            draft.replace(
                Span {
                    start: last.end,
                    end: last.end,
                },
                rule,
            );
        }
        Some(())
    }
}

/// How long the server may be silent on a socket.
pub(super) enum Silence<'t, 'a> {
    /// Seconds, the directive, and whether it stands in the rule itself.
    Set(u64, &'t Directive<'a>, bool),
    Default,
    /// It may stand in a file that is not in the text.
    Unknown,
}

/// Seconds of `90`, `90s`, `5m`, `1h30m`, `1d`, `500ms`.
/// <https://nginx.org/en/docs/syntax.html>
pub(super) fn seconds(time: &str) -> Option<u64> {
    let mut total: u64 = 0;
    let mut number = String::new();
    let mut letters = time.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter.is_ascii_digit() {
            number.push(letter);
            continue;
        }
        let count: u64 = number.parse().ok()?;
        number.clear();
        let unit = match letter {
            'm' if letters.next_if_eq(&'s').is_some() => {
                total = total.checked_add(count / 1000)?;
                continue;
            }
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            'w' => 604_800,
            'M' => 2_592_000,
            'y' => 31_536_000,
            _ => return None,
        };
        total = total.checked_add(count.checked_mul(unit)?)?;
    }
    if !number.is_empty() {
        total = total.checked_add(number.parse().ok()?)?;
    }
    (!time.is_empty()).then_some(total)
}
