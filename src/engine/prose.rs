//! The prose of causes: its sections, and the case's own values in its commands.

use std::borrow::Cow;

use super::graph::Cause;

/// Stands in a text for the host that a case does not name.
const UNKNOWN_HOST: &str = "HOST";
/// The same for the path. A bare slash would stand for all paths, so that a rule made for the socket
/// would be one for everything, beside the one that is there already.
const UNKNOWN_PATH: &str = "/PATH";

/// The connection that a diagnosis speaks of, as far as the evidence names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// `ws` or `wss`.
    pub scheme: Option<String>,
    /// Name or address.
    pub host: Option<String>,
    /// The port that is dialled.
    pub port: Option<String>,
    /// Begins with a slash.
    pub path: Option<String>,
    /// The page that opens the socket, such as `https://app.example`.
    pub origin: Option<String>,
}

impl Subject {
    /// The whole address, if host and scheme are known.
    pub fn url(&self) -> Option<String> {
        let (scheme, host) = (self.scheme.as_deref()?, self.host.as_deref()?);
        let host = if host.contains(':') {
            format!("[{host}]")
        } else {
            host.to_owned()
        };
        let usual = matches!(
            (scheme, self.port.as_deref()),
            (_, None) | ("ws" | "http", Some("80")) | ("wss" | "https", Some("443"))
        );
        let port = if usual {
            String::new()
        } else {
            format!(":{}", self.port.as_deref().unwrap_or_default())
        };
        Some(format!(
            "{scheme}://{host}{port}{}",
            self.path.as_deref().unwrap_or("/")
        ))
    }

    /// Which words stand in a text, once it is filled, for what the case does not tell.
    pub fn left_open(&self, text: &str) -> Vec<&'static str> {
        let addresses = ["{url}", "{http_url}"];
        let origins = ["{socket_origin}", "{http_origin}"];
        let has = |names: &[&str]| names.iter().any(|name| text.contains(name));
        let names_host = has(&["{host}"]) || has(&addresses) || has(&origins);
        let names_path = has(&["{path}"]) || has(&addresses) && self.host.is_none();
        let host = (self.host.is_none() && names_host).then_some(UNKNOWN_HOST);
        let path = (self.path.is_none() && names_path).then_some(UNKNOWN_PATH);
        host.into_iter().chain(path).collect()
    }

    /// Puts the case's own values where a text says `{host}`, `{port}`, `{path}`, `{scheme}`,
    /// `{http_scheme}`, `{url}`, `{http_url}`, `{origin}`, `{socket_origin}` or `{http_origin}`.
    /// Values come from a paste and go into commands that people run, so anything but the letters of
    /// an address is left out.
    pub fn fill(&self, text: &str) -> String {
        if memchr::memchr(b'{', text.as_bytes()).is_none() {
            return text.to_owned();
        }
        let mut filled = String::with_capacity(text.len() + 64);
        let mut rest = text;
        while let Some(brace) = memchr::memchr(b'{', rest.as_bytes()) {
            filled.push_str(&rest[..brace]);
            rest = &rest[brace + 1..];
            let end = memchr::memchr(b'}', rest.as_bytes());
            let named = end.and_then(|end| Some((self.value(&rest[..end])?, end + 1)));
            match named {
                Some((value, after)) => {
                    push_address_letters(&mut filled, &value);
                    rest = &rest[after..];
                }
                None => filled.push('{'),
            }
        }
        filled.push_str(rest);
        filled
    }

    /// What stands for a name in braces; `None` if it is none of the case's values.
    fn value(&self, name: &str) -> Option<Cow<'_, str>> {
        let secure = self.scheme.as_deref() != Some("ws");
        let scheme = self.scheme.as_deref().unwrap_or("wss");
        let http = if secure { "https" } else { "http" };
        let default_port = if secure { "443" } else { "80" };
        let host = self.host.as_deref().unwrap_or(UNKNOWN_HOST);
        let path = self.path.as_deref().unwrap_or(UNKNOWN_PATH);
        let bracketed = || match host.contains(':') {
            true => format!("[{host}]"),
            false => host.to_owned(),
        };
        let url = || {
            let unknown = || format!("{scheme}://{}{path}", bracketed());
            self.url().unwrap_or_else(unknown)
        };
        let socket_origin = || {
            let url = url();
            match self.path.as_deref() {
                Some(own) => url.strip_suffix(own).unwrap_or(&url).to_owned(),
                None => url
                    .trim_end_matches(UNKNOWN_PATH)
                    .trim_end_matches('/')
                    .to_owned(),
            }
        };
        // From ws to http, and from wss to https.
        let of_a_page = |address: String| address.replacen("ws", "http", 1);
        Some(match name {
            "host" => host.into(),
            "port" => self.port.as_deref().unwrap_or(default_port).into(),
            "path" => path.into(),
            "scheme" => scheme.into(),
            "http_scheme" => http.into(),
            "url" => url().into(),
            "http_url" => of_a_page(url()).into(),
            "origin" => match &self.origin {
                Some(origin) => origin.into(),
                None => format!("{http}://{}", bracketed()).into(),
            },
            "socket_origin" => socket_origin().into(),
            "http_origin" => of_a_page(socket_origin()).into(),
            _ => return None,
        })
    }
}

/// Whether nothing of an address was taken out as a secret.
pub fn is_whole(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    // The brackets of an IPv6 address stand before the path.
    rest.find(['/', '?'])
        .is_none_or(|path| !rest[path..].contains('['))
}

/// A longer value is cut: no address that somebody dials is longer.
const LONGEST_VALUE: usize = 300;

/// Adds of a value only what an address may hold and a shell, a configuration file or Markdown takes
/// literally.
fn push_address_letters(filled: &mut String, value: &str) {
    let is_of_address = |letter: &char| {
        letter.is_ascii_alphanumeric()
            || matches!(
                letter,
                '.' | '-' | '_' | '/' | ':' | '[' | ']' | '~' | '%' | '+' | '@'
            )
    };
    let is_plain =
        value.len() <= LONGEST_VALUE && value.chars().all(|letter| is_of_address(&letter));
    match is_plain {
        true => filled.push_str(value),
        false => filled.extend(value.chars().filter(is_of_address).take(LONGEST_VALUE)),
    }
}

/// A part of a cause's prose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section<'a> {
    /// The heading; empty for what stands before the first.
    pub title: &'a str,
    /// What stands under it, Markdown.
    pub markdown: &'a str,
}

impl<'a> Section<'a> {
    /// The system that a fix is for: "nginx" of "Fix on nginx".
    pub fn fix_system(&self) -> Option<&'a str> {
        let rest = self.title.strip_prefix("Fix")?.trim_start();
        for word in ["on ", "in ", "with ", "for ", "at "] {
            if let Some(system) = rest.strip_prefix(word) {
                return Some(system.trim());
            }
        }
        Some(rest)
    }
}

/// Cuts prose at its headings of the second level, not at lines inside code blocks.
pub fn sections(body: &str) -> Vec<Section<'_>> {
    let mut sections = Vec::new();
    let (mut title, mut start, mut at) = ("", 0, 0);
    let mut in_code = false;
    for line in body.split_inclusive('\n') {
        // Most lines are neither, which their first letter tells.
        let first = line.as_bytes().first().copied().unwrap_or_default();
        if matches!(first, b'!'..=b'~') && first != b'#' && first != b'`' {
            at += line.len();
            continue;
        }
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if let Some(heading) = line.strip_prefix("## ").filter(|_| !in_code) {
            sections.push(Section {
                title,
                markdown: body[start..at].trim(),
            });
            title = heading.trim();
            start = at + line.len();
        }
        at += line.len();
    }
    sections.push(Section {
        title,
        markdown: body[start.min(body.len())..].trim(),
    });
    sections
}

/// What stands before the first heading: what a helpdesk person reads.
pub fn summary(cause: &Cause) -> &str {
    sections(&cause.body)
        .first()
        .map_or("", |first| first.markdown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_inside_code_do_not_cut() {
        let body = "Intro.\n\n## Fix on nginx\n```\n## not a heading\n```\n\n## Verify\nLook.";
        let found = sections(body);
        let titles: Vec<&str> = found.iter().map(|s| s.title).collect();
        assert_eq!(titles, ["", "Fix on nginx", "Verify"]);
        assert_eq!(found[1].fix_system(), Some("nginx"));
        assert_eq!(found[0].markdown, "Intro.");
    }

    #[test]
    fn values_of_a_paste_cannot_end_a_command() {
        let subject = Subject {
            scheme: Some("wss".into()),
            host: Some("a.example;rm -rf $(x)`y`".into()),
            port: Some("8443".into()),
            path: Some("/ws'\"\n".into()),
            origin: None,
        };
        assert_eq!(
            subject.fill("curl {http_scheme}://{host}:{port}{path} {x}"),
            "curl https://a.examplerm-rfxy:8443/ws {x}"
        );
    }

    #[test]
    fn a_page_is_dialled_at_the_sockets_own_host_and_port() {
        let subject = Subject {
            scheme: Some("ws".into()),
            host: Some("a.example".into()),
            port: Some("8080".into()),
            path: Some("/live".into()),
            origin: None,
        };
        assert_eq!(subject.fill("{http_origin}"), "http://a.example:8080");
        assert_eq!(Subject::default().fill("{http_origin}"), "https://HOST");
    }

    #[test]
    fn unknown_values_are_named() {
        assert_eq!(
            Subject::default().fill("nc -zv {host} {port}"),
            "nc -zv HOST 443"
        );
        assert_eq!(
            Subject::default().fill("location {path} { curl {http_url} {http_origin} }"),
            "location /PATH { curl https://HOST/PATH https://HOST }"
        );
    }

    #[test]
    fn what_a_reader_has_to_fill_in_is_known() {
        let text = "location {path} { proxy_pass http://{host}; }";
        assert_eq!(Subject::default().left_open(text), ["HOST", "/PATH"]);
        assert_eq!(Subject::default().left_open("ss -tlnp"), [""; 0]);
        let subject = Subject {
            scheme: Some("wss".into()),
            host: Some("a.example".into()),
            path: Some("/".into()),
            ..Subject::default()
        };
        assert_eq!(subject.left_open(text), [""; 0]);
        assert_eq!(subject.fill("location {path} {"), "location / {");
    }
}
