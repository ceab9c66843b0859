//! Which rule serves a socket's path: the longest prefix wins unless a regular expression fits.
//! <https://nginx.org/en/docs/http/ngx_http_core_module.html#location>

use regex::RegexBuilder;

use super::parser::Block;
use super::place::Place;
use super::{Nginx, Socket, looks_like_socket};

/// More servers or locations than this are not compared with a socket.
const MOST_SERVERS: usize = 20;
const MOST_LOCATIONS: usize = 200;
/// More expressions than this are not compiled for one text, and no longer ones, in bytes.
const MOST_EXPRESSIONS: usize = 64;
const LONGEST_EXPRESSION: usize = 200;

impl<'a> Nginx<'a> {
    /// The places that may serve the socket, and whether its path chose them.
    pub(super) fn serving(&self, socket: Option<Socket<'_>>) -> (Vec<Place<'_, 'a>>, bool) {
        let mut servers = Vec::new();
        collect_servers(&self.root, &[], &mut servers);
        // A socket on a port on which no server listens does not come this way, or comes through
        // another mapping; its path still may be the one.
        let socket = socket.filter(|socket| {
            let all: Vec<&Block<'a>> = servers.iter().filter_map(Place::block).collect();
            all.iter()
                .all(|block| block.named("listen").next().is_none())
                || socket.port == 443
                || socket.port == 80
                || all.iter().any(|block| listens_on(block, socket.port))
        });
        if let Some(socket) = socket {
            keep_if_any(&mut servers, |server| {
                server
                    .block()
                    .is_some_and(|block| listens_on(block, socket.port))
            });
            keep_if_any(&mut servers, |server| names_host(server, socket.host));
            keep_if_any(&mut servers, |server| {
                is_encrypted(server) == socket.is_encrypted
            });
        }
        keep_if_any(&mut servers, |server| {
            server.block().is_some_and(Block::has_pass_within)
        });
        servers.truncate(MOST_SERVERS);
        let mut places = Vec::new();
        for server in &servers {
            collect_places(server, &mut places);
        }
        places.truncate(MOST_LOCATIONS);
        if let Some(socket) = socket {
            let mut expressions = MOST_EXPRESSIONS;
            let chosen = servers
                .iter()
                .flat_map(|server| locate(server, socket.path, &mut expressions))
                .take(MOST_LOCATIONS)
                .collect();
            return (chosen, true);
        }
        places.retain(|place| {
            place.block().is_some_and(|block| block.pass().is_some())
                || (place.is_loose() && self.says_upgrade(place))
        });
        keep_if_any(&mut places, |place| looks_like_socket(place.pattern()));
        if !places
            .iter()
            .any(|place| looks_like_socket(place.pattern()))
        {
            // Scripts have rules of their own, beside those that sockets may take.
            places.retain(|place| {
                place
                    .block()
                    .and_then(Block::pass)
                    .is_none_or(|pass| pass.name == "proxy_pass")
            });
        }
        (places, false)
    }
}

/// Keeps what fits, or everything if nothing does.
fn keep_if_any<T>(items: &mut Vec<T>, fits: impl Fn(&T) -> bool) {
    if items.iter().any(&fits) {
        items.retain(fits);
    }
}

/// The servers, and what stands outside of every server: lone locations and lone lines.
fn collect_servers<'t, 'a>(
    block: &'t Block<'a>,
    around: &[&'t Block<'a>],
    servers: &mut Vec<Place<'t, 'a>>,
) {
    let mut around = around.to_vec();
    around.push(block);
    for directive in &block.directives {
        let Some(inner) = &directive.block else {
            continue;
        };
        match directive.name {
            "http" => collect_servers(inner, &around, servers),
            "server" => {
                let mut around = around.clone();
                around.push(inner);
                servers.push(Place {
                    around,
                    location: None,
                });
            }
            _ => {}
        }
    }
    let is_loose = block.directives.iter().any(|directive| {
        directive.name == "location" || matches!(directive.name, "proxy_pass" | "proxy_set_header")
    });
    if is_loose && around.len() == 1 {
        servers.push(Place {
            around,
            location: None,
        });
    }
}

/// Whether a server says that it serves the host.
fn names_host(server: &Place<'_, '_>, host: &str) -> bool {
    server.block().is_some_and(|block| {
        block
            .named("server_name")
            .flat_map(|names| &names.arguments)
            .any(|name| {
                let suffix = name
                    .strip_prefix('*')
                    .or(name.starts_with('.').then_some(name));
                name.eq_ignore_ascii_case(host)
                    || suffix.is_some_and(|suffix| {
                        host.ends_with(suffix) || host == suffix.trim_start_matches('.')
                    })
            })
    })
}

fn is_encrypted(server: &Place<'_, '_>) -> bool {
    server.block().is_some_and(|block| {
        block.named("listen").any(|listen| {
            listen
                .arguments
                .iter()
                .any(|word| word == "ssl" || word == "quic" || word.ends_with("443"))
        })
    })
}

fn listens_on(server: &Block<'_>, port: u16) -> bool {
    server
        .named("listen")
        .filter_map(|listen| listen.arguments.first())
        .any(|address| {
            let written = address.rsplit(':').next().unwrap_or(address);
            written.parse() == Ok(port)
        })
}

/// Every location of a server, and the lines that stand in none.
fn collect_places<'t, 'a>(place: &Place<'t, 'a>, places: &mut Vec<Place<'t, 'a>>) {
    let Some(block) = place.block() else { return };
    if places.len() > MOST_LOCATIONS {
        return;
    }
    for inner in inner_locations(place, block) {
        collect_places(&inner, places);
    }
    places.push(place.clone());
}

fn inner_locations<'t, 'a>(
    place: &Place<'t, 'a>,
    block: &'t Block<'a>,
) -> impl Iterator<Item = Place<'t, 'a>> {
    let around = place.around.clone();
    block.named("location").filter_map(move |location| {
        let mut around = around.clone();
        around.push(location.block.as_ref()?);
        Some(Place {
            around,
            location: Some(location),
        })
    })
}

/// The place that serves a path, as nginx chooses it; none if that cannot be told, several if the
/// text has several rules for it.
fn locate<'t, 'a>(
    place: &Place<'t, 'a>,
    path: &str,
    expressions: &mut usize,
) -> Vec<Place<'t, 'a>> {
    let Some(block) = place.block() else {
        return Vec::new();
    };
    let candidates: Vec<Place<'t, 'a>> =
        inner_locations(place, block).take(MOST_LOCATIONS).collect();
    let chosen = match choose(&candidates, path, expressions) {
        Choice::Rule(modifier, pattern) => {
            // An included file may have a rule that fits better than the one for everything.
            if block.is_open() && pattern.len() <= 1 && path.len() > 1 {
                return Vec::new();
            }
            (modifier, pattern)
        }
        Choice::Unclear => return Vec::new(),
        Choice::None => {
            let is_known_whole = !block.is_open() && (candidates.is_empty() || !place.is_loose());
            return if is_known_whole || place.location.is_some() {
                vec![place.clone()]
            } else {
                Vec::new()
            };
        }
    };
    candidates
        .iter()
        .filter(|candidate| modifier_of(candidate) == chosen)
        .filter_map(|candidate| follow(candidate, place))
        .flat_map(|followed| {
            if followed
                .block()
                .is_some_and(|block| block.named("location").next().is_some())
            {
                locate(&followed, path, expressions)
            } else {
                vec![followed]
            }
        })
        .collect()
}

enum Choice<'t> {
    /// Modifier and pattern.
    Rule(&'t str, &'t str),
    None,
    /// An expression cannot be read.
    Unclear,
}

fn choose<'t>(candidates: &[Place<'t, '_>], path: &str, left: &mut usize) -> Choice<'t> {
    let mut best: Option<(&str, &str)> = None;
    for (modifier, pattern) in candidates.iter().map(modifier_of) {
        match modifier {
            "=" if pattern == path => return Choice::Rule(modifier, pattern),
            "" | "^~"
                if path.starts_with(pattern)
                    && best.is_none_or(|(_, longest)| pattern.len() > longest.len()) =>
            {
                best = Some((modifier, pattern));
            }
            _ => {}
        }
    }
    if best.is_none_or(|(modifier, _)| modifier != "^~") {
        let expressions = candidates
            .iter()
            .map(modifier_of)
            .filter(|(modifier, _)| modifier.starts_with('~'));
        for (modifier, pattern) in expressions {
            if *left == 0 || pattern.len() > LONGEST_EXPRESSION {
                return Choice::Unclear;
            }
            *left -= 1;
            let expression = RegexBuilder::new(pattern)
                .case_insensitive(modifier == "~*")
                .size_limit(1 << 17)
                .build();
            match expression {
                Ok(expression) if expression.is_match(path) => {
                    return Choice::Rule(modifier, pattern);
                }
                Ok(_) => {}
                Err(_) => return Choice::Unclear,
            }
        }
    }
    best.map_or(Choice::None, |(modifier, pattern)| {
        Choice::Rule(modifier, pattern)
    })
}

/// To the named location that `try_files` ends in.
fn follow<'t, 'a>(chosen: &Place<'t, 'a>, outer: &Place<'t, 'a>) -> Option<Place<'t, 'a>> {
    let block = chosen.block()?;
    if block.pass().is_none()
        && let Some(named) = block
            .named("try_files")
            .filter_map(|files| files.arguments.last())
            .find(|last| last.starts_with('@'))
    {
        let server = outer.block()?;
        return inner_locations(outer, server).find(|place| modifier_of(place).1 == &**named);
    }
    Some(chosen.clone())
}

fn modifier_of<'t>(place: &Place<'t, '_>) -> (&'t str, &'t str) {
    let Some(location) = place.location else {
        return ("", "");
    };
    let first = location.arguments.first().map_or("", |first| &**first);
    match location.arguments.get(1) {
        Some(pattern) => (first, pattern),
        None => ["=", "~*", "~", "^~"]
            .into_iter()
            .find_map(|modifier| Some((modifier, first.strip_prefix(modifier)?)))
            .unwrap_or(("", first)),
    }
}
