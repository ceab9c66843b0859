//! What a rule does to a handshake.

use super::parser::{Block, Directive};
use super::place::{Place, State};
use super::{Nginx, Reading, Socket, Span, looks_like_socket};

/// More rules than this are not reviewed.
const MOST_REVIEWS: usize = 4;

/// What a location does to a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It passes the upgrade on.
    Present,
    /// It does, but over HTTP/1.0 before nginx 1.29.7.
    VersionMissing,
    /// It does not.
    Missing,
    /// The request does not leave nginx.
    NotPassed,
    Unknown,
}

impl<'a> Nginx<'a> {
    pub(super) fn conclude(
        &self,
        verdicts: &[(Verdict, &Place<'_, 'a>)],
        by_path: bool,
        socket: Option<Socket<'_>>,
        reading: &mut Reading,
    ) {
        let of = |wanted: Verdict| verdicts.iter().find(|(verdict, _)| *verdict == wanted);
        let like_a_socket = verdicts
            .iter()
            .any(|(_, place)| looks_like_socket(place.pattern()));
        let all_agree = verdicts.windows(2).all(|pair| pair[0].0 == pair[1].0);
        // Of rules that might serve the socket one that passes it on is the one; of rules made for
        // sockets that differ nobody knows which is meant.
        let chosen = if all_agree {
            verdicts.first()
        } else if by_path || like_a_socket {
            None
        } else {
            of(Verdict::Present)
                .or_else(|| of(Verdict::VersionMissing))
                .filter(|_| of(Verdict::Unknown).is_none() || of(Verdict::Present).is_some())
        };
        // Each rule that is made for sockets is worth a look.
        let reviewed = verdicts
            .iter()
            .filter(|(_, place)| like_a_socket && looks_like_socket(place.pattern()))
            .chain(chosen.filter(|_| !like_a_socket))
            .take(MOST_REVIEWS);
        for (verdict, place) in reviewed {
            reading.drafts.extend(self.review(*verdict, place, socket));
        }
        let Some((verdict, place)) = chosen else {
            return;
        };
        let value = match verdict {
            // A few lines without their block: the others may stand there too.
            Verdict::Present | Verdict::VersionMissing | Verdict::Unknown
                if place.is_loose() && self.says_upgrade(place) =>
            {
                "complete"
            }
            Verdict::Present => "upgrade-present",
            Verdict::VersionMissing => "http-1.0",
            Verdict::Missing => "upgrade-missing",
            // A server is known whole; around a lone location there may be others.
            Verdict::NotPassed if by_path && place.is_within_server() => "location-missing",
            Verdict::NotPassed | Verdict::Unknown => return,
        };
        reading.add("edge.config", value, self.line_of(place));
        if value == "upgrade-missing"
            && !self.says_upgrade(place)
            && let Some(line) = self.upgrade_line()
        {
            reading.add("edge.upgrade-lines", "elsewhere", line);
        }
    }

    /// The first line, in whatever block, that passes the Upgrade header on.
    fn upgrade_line(&self) -> Option<Span> {
        let mut passes = Vec::new();
        super::collect_passes(&self.root, &mut passes);
        passes
            .into_iter()
            .find(|directive| {
                matches!(&directive.arguments[..], [name, value]
                    if name.eq_ignore_ascii_case("upgrade")
                        && judge_upgrade(value) == State::Right)
            })
            .map(|directive| directive.span)
    }

    pub(super) fn says_upgrade(&self, place: &Place<'_, 'a>) -> bool {
        place.header("upgrade", judge_upgrade) == State::Right
            || place.header("connection", |value| self.judge_connection(value)) == State::Right
    }

    /// The rule's own line.
    pub(super) fn line_of(&self, place: &Place<'_, 'a>) -> Span {
        let directive = place.location.or_else(|| {
            let block = place.block()?;
            block
                .directives
                .iter()
                .find(|directive| directive.name.starts_with("proxy_"))
                .or(block.directives.first())
        });
        let span = directive.map_or(Span { start: 0, end: 0 }, |directive| directive.span);
        let words = self.text[span.start..span.end].trim_end();
        let line = words.find('\n').unwrap_or(words.len());
        Span {
            start: span.start,
            end: span.start + line,
        }
    }

    pub(super) fn verdict(&self, place: &Place<'_, 'a>) -> Verdict {
        let Some(block) = place.block() else {
            return Verdict::Unknown;
        };
        match block.pass() {
            Some(pass) if pass.name != "proxy_pass" => return Verdict::Missing,
            Some(_) => {}
            None if place.is_loose() => {}
            None => {
                let goes_elsewhere = block.directives.iter().any(|directive| {
                    matches!(directive.name, "rewrite" | "return" | "error_page")
                        || directive.name.contains("_by_lua")
                        || directive.name == "js_content"
                });
                let is_open = place.around.iter().any(|block| block.is_open());
                return if goes_elsewhere || is_open {
                    Verdict::Unknown
                } else {
                    Verdict::NotPassed
                };
            }
        }
        let upgrade = place.header("upgrade", judge_upgrade);
        let connection = place.header("connection", |value| self.judge_connection(value));
        let is_lost =
            |state: State| state == State::Wrong || (state == State::Absent && !place.is_loose());
        if is_lost(upgrade) || is_lost(connection) {
            return Verdict::Missing;
        }
        match (upgrade, connection, place.version()) {
            (State::Right, State::Right, State::Right) => Verdict::Present,
            (State::Right, State::Right, State::Absent) => Verdict::VersionMissing,
            (State::Right, State::Right, State::Wrong) => Verdict::Missing,
            _ => Verdict::Unknown,
        }
    }

    pub(super) fn judge_connection(&self, value: &str) -> State {
        let lower = value.trim().to_ascii_lowercase();
        if lower.contains("upgrade") && !lower.contains('$') {
            return State::Right;
        }
        if !lower.contains('$') {
            return State::Wrong;
        }
        if lower == "$http_connection" {
            return State::Right;
        }
        let name = lower.trim_matches(['$', '{', '}']);
        match self.map_onto(name) {
            Some(map) => map,
            None if name == "connection_upgrade" => State::Right,
            None => State::Unknown,
        }
    }

    /// Blocks that stand beside the servers.
    pub(super) fn outside_servers(
        &self,
        name: &'static str,
    ) -> impl Iterator<Item = &Directive<'a>> {
        let inner = self
            .root
            .named("http")
            .filter_map(|http| http.block.as_ref())
            .flat_map(move |http| http.named(name));
        self.root.named(name).chain(inner)
    }

    /// What a map of `$http_upgrade` onto the variable makes of a handshake.
    pub(super) fn map_onto(&self, name: &str) -> Option<State> {
        for map in self.outside_servers("map") {
            let (Some(from), Some(onto), Some(block)) =
                (map.arguments.first(), map.arguments.get(1), &map.block)
            else {
                continue;
            };
            if !onto
                .trim_matches(['$', '{', '}'])
                .eq_ignore_ascii_case(name)
            {
                continue;
            }
            if !from.eq_ignore_ascii_case("$http_upgrade") {
                return Some(State::Unknown);
            }
            let onto_upgrade = block.directives.iter().any(|entry| {
                let (Some(key), Some(value)) = (entry.arguments.first(), entry.arguments.get(1))
                else {
                    return false;
                };
                let is_for_sockets = key == "default"
                    || key.to_ascii_lowercase().contains("websocket")
                    || key.starts_with('~');
                is_for_sockets
                    && (value.eq_ignore_ascii_case("upgrade")
                        || value.eq_ignore_ascii_case("$http_connection"))
            });
            return Some(match (onto_upgrade, block.is_open()) {
                (true, _) => State::Right,
                (false, true) => State::Unknown,
                (false, false) => State::Wrong,
            });
        }
        None
    }

    /// Where the requests go, how long a silence may last, and whether the path changes.
    pub(super) fn note_pass(
        &self,
        place: &Place<'_, 'a>,
        socket: Option<Socket<'_>>,
        reading: &mut Reading,
    ) {
        let Some(pass) = place.block().and_then(Block::pass) else {
            return;
        };
        let Some(target) = pass.arguments.first() else {
            return;
        };
        let rest = target.split_once("://").map_or(&**target, |(_, rest)| rest);
        let (host, uri) = rest
            .find('/')
            .map_or((rest, ""), |slash| rest.split_at(slash));
        let upstream = self.upstream(host).unwrap_or(host);
        if !upstream.is_empty() && !upstream.contains('$') {
            reading.add("edge.upstream", upstream, pass.span);
        }
        if pass.name != "proxy_pass" || uri.is_empty() || target.contains('$') {
            return;
        }
        let prefix = place.pattern();
        let is_plain = place.location.is_some_and(|location| {
            location
                .arguments
                .first()
                .is_some_and(|first| !first.starts_with('~'))
        });
        let Some(path) = socket.map(|socket| socket.path).filter(|_| is_plain) else {
            return;
        };
        let Some(after) = path.strip_prefix(prefix) else {
            return;
        };
        let sent = format!("{uri}{after}");
        if sent.contains("//") && !path.contains("//") {
            reading.add("edge.config", "prefix-stripped", pass.span);
        } else if sent != path {
            reading.add("edge.config", "path-changed", pass.span);
        }
    }

    /// The first server of an upstream.
    pub(super) fn upstream(&self, name: &str) -> Option<&str> {
        self.outside_servers("upstream")
            .find(|upstream| {
                upstream
                    .arguments
                    .first()
                    .is_some_and(|known| known == name)
            })?
            .block
            .as_ref()?
            .named("server")
            .find_map(|server| server.arguments.first())
            .map(|address| &**address)
    }
}

pub(super) fn judge_upgrade(value: &str) -> State {
    let lower = value.trim().to_ascii_lowercase();
    match lower.as_str() {
        "$http_upgrade" | "${http_upgrade}" | "websocket" => State::Right,
        _ if lower.contains('$') => State::Unknown,
        _ => State::Wrong,
    }
}
