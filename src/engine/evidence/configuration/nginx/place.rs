//! A location with the blocks around it, and what it inherits from them.

use super::parser::{Block, Directive};
use super::review::{Silence, seconds};

/// Included files that hold nothing about how requests are passed on.
pub(super) const HARMLESS_INCLUDES: &[&str] = &[
    "mime.types",
    "options-ssl",
    "letsencrypt",
    "ssl-",
    "ssl_",
    "ssl.conf",
    "fastcgi",
    "uwsgi_params",
    "modules-enabled",
    "sites-enabled",
    "acme",
    "gzip",
];

/// What is known of a header or of the version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Right,
    Wrong,
    Absent,
    Unknown,
}

/// A location with the blocks around it, outermost first.
#[derive(Clone, Debug)]
pub(super) struct Place<'t, 'a> {
    pub(super) around: Vec<&'t Block<'a>>,
    pub(super) location: Option<&'t Directive<'a>>,
}

impl<'a> Block<'a> {
    pub(super) fn named(&self, name: &'static str) -> impl Iterator<Item = &Directive<'a>> {
        self.directives
            .iter()
            .filter(move |directive| directive.name == name)
    }

    /// Whether lines that matter may stand elsewhere.
    pub(super) fn is_open(&self) -> bool {
        self.has_gap || self.open_includes().next().is_some()
    }

    /// Included files that may hold lines that matter.
    pub(super) fn open_includes(&self) -> impl Iterator<Item = &Directive<'a>> {
        self.named("include").filter(|include| {
            let file = include.arguments.first().map_or("", |file| file);
            !HARMLESS_INCLUDES.iter().any(|known| file.contains(known))
        })
    }

    /// The headers of a name that are set in this block.
    pub(super) fn headers_named(&self, name: &str) -> impl Iterator<Item = &Directive<'a>> {
        self.named("proxy_set_header").filter(move |header| {
            header
                .arguments
                .first()
                .is_some_and(|known| known.eq_ignore_ascii_case(name))
        })
    }

    /// The header of a name that is set in this block.
    pub(super) fn header_named(&self, name: &str) -> Option<&Directive<'a>> {
        self.headers_named(name).next()
    }

    /// The first target within that speaks HTTP and holds no variable.
    pub(super) fn target_within(&self) -> Option<&str> {
        self.directives.iter().find_map(|directive| {
            let target = directive.arguments.first().map(|target| &**target);
            match &directive.block {
                Some(inner) => inner.target_within(),
                None if directive.name == "proxy_pass" => {
                    target.filter(|target| target.starts_with("http") && !target.contains('$'))
                }
                None => None,
            }
        })
    }

    /// The directive that passes requests on, here or in an `if` of this block.
    pub(super) fn pass(&self) -> Option<&Directive<'a>> {
        let is_pass = |directive: &&Directive<'a>| {
            matches!(
                directive.name,
                "proxy_pass" | "grpc_pass" | "fastcgi_pass" | "uwsgi_pass" | "scgi_pass"
            ) && !directive.arguments.is_empty()
        };
        self.directives.iter().find(is_pass).or_else(|| {
            self.named("if")
                .filter_map(|branch| branch.block.as_ref())
                .find_map(|block| block.directives.iter().find(is_pass))
        })
    }

    pub(super) fn has_pass_within(&self) -> bool {
        self.pass().is_some()
            || self
                .named("location")
                .filter_map(|location| location.block.as_ref())
                .any(Block::has_pass_within)
    }
}

impl<'t, 'a> Place<'t, 'a> {
    pub(super) fn block(&self) -> Option<&'t Block<'a>> {
        self.around.last().copied()
    }

    /// Lines that stand in no block tell what is there and not what is missing.
    pub(super) fn is_loose(&self) -> bool {
        self.location.is_none() && self.around.len() == 1
    }

    /// The server's block around a location, or the place itself.
    pub(super) fn server(&self) -> Option<&'t Block<'a>> {
        let depth = self.around.len();
        let is_server = |block: &&&'t Block<'a>| {
            block.named("listen").next().is_some() || block.named("server_name").next().is_some()
        };
        self.around
            .iter()
            .rev()
            .find(is_server)
            .or(self.around.get(depth.checked_sub(2)?))
            .copied()
    }

    /// The block whose headers are in force here.
    pub(super) fn headers_in_force(&self) -> Option<&'t Block<'a>> {
        self.around
            .iter()
            .rev()
            .find(|block| block.named("proxy_set_header").next().is_some())
            .copied()
    }

    /// How long the server may be silent here.
    /// <https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout>
    pub(super) fn silence(&self) -> Silence<'t, 'a> {
        for (depth, block) in self.around.iter().rev().enumerate() {
            if let Some(set) = block.named("proxy_read_timeout").last() {
                let time = set.arguments.first().and_then(|time| seconds(time));
                return time.map_or(Silence::Unknown, |time| Silence::Set(time, set, depth == 0));
            }
            if block.is_open() {
                return Silence::Unknown;
            }
        }
        Silence::Default
    }

    pub(super) fn is_within_server(&self) -> bool {
        self.around.len() > 1 + usize::from(self.location.is_some())
    }

    /// The words of a location's pattern without its modifier.
    pub(super) fn pattern(&self) -> &'t str {
        self.location
            .and_then(|location| location.arguments.last())
            .map_or("", |pattern| {
                pattern.trim_start_matches(['=', '~', '^', '*'])
            })
    }

    /// Inherited as a whole, and only where a block has none of its own.
    pub(super) fn header(&self, name: &str, judge: impl Fn(&str) -> State) -> State {
        let mut may_be_elsewhere = false;
        for block in self.around.iter().rev() {
            let mut headers = block
                .named("proxy_set_header")
                .filter(|header| header.arguments.len() == 2)
                .peekable();
            may_be_elsewhere |= block.is_open();
            if headers.peek().is_none() {
                continue;
            }
            let states: Vec<State> = headers
                .filter(|header| header.arguments[0].eq_ignore_ascii_case(name))
                .map(|header| judge(&header.arguments[1]))
                .collect();
            return match states.as_slice() {
                states if states.contains(&State::Right) => State::Right,
                states if states.contains(&State::Unknown) => State::Unknown,
                [] if may_be_elsewhere => State::Unknown,
                [] => State::Absent,
                _ => State::Wrong,
            };
        }
        if may_be_elsewhere {
            State::Unknown
        } else {
            State::Absent
        }
    }

    pub(super) fn version(&self) -> State {
        let mut may_be_elsewhere = false;
        for block in self.around.iter().rev() {
            if let Some(version) = block.named("proxy_http_version").last() {
                return match version.arguments.first().map_or("", |version| version) {
                    "1.1" => State::Right,
                    "1.0" => State::Absent,
                    _ => State::Wrong,
                };
            }
            may_be_elsewhere |= block.is_open();
        }
        if may_be_elsewhere {
            State::Unknown
        } else {
            State::Absent
        }
    }
}
