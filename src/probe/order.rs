//! What is to be probed, and how.

use std::time::Duration;

use super::policy::Refusal;

/// What is to be probed, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// The address.
    pub url: String,
    /// The Origin header that the failing page sends.
    pub origin: Option<String>,
    /// Further request headers.
    pub headers: Vec<(String, String)>,
    /// Subprotocols to offer.
    pub subprotocols: Vec<String>,
    /// How long to hold the open connection to find idle cuts; zero for not at all.
    pub hold: Duration,
    /// All variants, not only those that are worth their time.
    pub all: bool,
    /// Who looks: `server`, or `user` on the user's own machine.
    pub vantage: Vantage,
}

/// From where a probe looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Vantage {
    /// From this service.
    #[default]
    Server,
    /// From the user's own machine, by the command line.
    User,
}

impl Vantage {
    /// The word used in facts.
    pub fn as_str(self) -> &'static str {
        match self {
            Vantage::Server => "server",
            Vantage::User => "user",
        }
    }
}

/// A caller may set so many headers, with so many bytes in all.
const MOST_HEADERS: usize = 16;
const MOST_HEADER_BYTES: usize = 8 << 10;
/// A caller may offer so many subprotocols.
const MOST_SUBPROTOCOLS: usize = 16;
/// Longer names are none.
const LONGEST_TOKEN: usize = 200;
const LONGEST_ORIGIN: usize = 512;

/// Headers that make up the handshake itself or that steer proxies.
const FIXED: [&str; 17] = [
    "host",
    "connection",
    "upgrade",
    "origin",
    "content-length",
    "transfer-encoding",
    "te",
    "trailer",
    "expect",
    "keep-alive",
    "http2-settings",
    "range",
    "via",
    "forwarded",
    "max-forwards",
    "x-http-method-override",
    "x-original-url",
];

impl Order {
    /// An order without anything special.
    pub fn of(url: impl Into<String>) -> Self {
        Order {
            url: url.into(),
            ..Order::default()
        }
    }

    /// Judges everything but the address.
    ///
    /// # Errors
    /// A header, a subprotocol or the origin may not be sent.
    pub fn check(&self) -> Result<(), Refusal> {
        if let Some(origin) = &self.origin {
            check_origin(origin)?;
        }
        if self.subprotocols.len() > MOST_SUBPROTOCOLS {
            return Err(Refusal::invalid(format!(
                "at most {MOST_SUBPROTOCOLS} subprotocols are offered"
            )));
        }
        if let Some(bad) = self.subprotocols.iter().find(|name| !is_token(name)) {
            return Err(Refusal::invalid(format!(
                "{bad:?} is no subprotocol: they are words of letters, digits and hyphens"
            )));
        }
        self.check_headers()
    }

    fn check_headers(&self) -> Result<(), Refusal> {
        let size: usize = self
            .headers
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum();
        if self.headers.len() > MOST_HEADERS || size > MOST_HEADER_BYTES {
            return Err(Refusal::invalid(format!(
                "at most {MOST_HEADERS} headers with {MOST_HEADER_BYTES} bytes in all are sent"
            )));
        }
        for (name, value) in &self.headers {
            let lower = name.to_ascii_lowercase();
            let is_fixed = FIXED.contains(&lower.as_str())
                || ["sec-", "proxy-", "x-forwarded-"]
                    .iter()
                    .any(|beginning| lower.starts_with(beginning));
            if is_fixed {
                return Err(Refusal::invalid(format!(
                    "the header {lower} belongs to the handshake itself and cannot be set"
                )));
            }
            if !is_token(name) || value.chars().any(|sign| sign.is_control() && sign != '\t') {
                return Err(Refusal::invalid(format!(
                    "{name:?} is no header, or its value holds a line break"
                )));
            }
        }
        Ok(())
    }
}

fn check_origin(origin: &str) -> Result<(), Refusal> {
    let is_plain =
        origin.len() <= LONGEST_ORIGIN && origin.bytes().all(|byte| byte.is_ascii_graphic());
    let is_origin = origin == "null"
        || origin.split_once("://").is_some_and(|(scheme, rest)| {
            !scheme.is_empty() && !rest.is_empty() && !rest.contains(['/', '?', '#', '@'])
        });
    if is_plain && is_origin {
        return Ok(());
    }
    Err(Refusal::invalid(
        "the origin is not one: write the page's scheme and host without a path, such as \
         https://app.example",
    ))
}

fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= LONGEST_TOKEN
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_the_handshake_cannot_be_set() {
        let with = |name: &str, value: &str| Order {
            headers: vec![(name.to_owned(), value.to_owned())],
            ..Order::of("ws://a.example")
        };
        assert!(with("Authorization", "Bearer x").check().is_ok());
        assert!(with("Cookie", "a=b").check().is_ok());
        for (name, value) in [
            ("Host", "b"),
            ("sec-websocket-key", "x"),
            ("Transfer-Encoding", "chunked"),
            ("X-Forwarded-For", "127.0.0.1"),
            ("a b", "c"),
            ("", "c"),
            ("a", "b\r\nc: d"),
        ] {
            assert!(with(name, value).check().is_err(), "{name}");
        }
    }

    #[test]
    fn origins_have_no_path() {
        let with = |origin: &str| Order {
            origin: Some(origin.to_owned()),
            ..Order::of("ws://a.example")
        };
        assert!(with("https://app.example:8443").check().is_ok());
        assert!(with("null").check().is_ok());
        for origin in [
            "",
            "app.example",
            "https://app.example/",
            "https://a\r\nb: c",
        ] {
            assert!(with(origin).check().is_err(), "{origin:?}");
        }
    }
}
