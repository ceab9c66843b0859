//! The address that somebody wants probed, read as a browser reads it.

use std::net::IpAddr;

use url::{Host, Url};

use super::{Refusal, Rule};

/// Longer addresses are not taken, in bytes.
pub const LONGEST_ADDRESS: usize = 4096;
/// A name may have so many bytes, RFC 1035.
const LONGEST_NAME: usize = 253;
/// A part of a name between dots.
const LONGEST_LABEL: usize = 63;

/// The scheme of a handshake. `http` and `https` are probed as the handshake they would carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Plain.
    Ws,
    /// Over TLS.
    Wss,
}

impl Scheme {
    /// As in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Scheme::Ws => "ws",
            Scheme::Wss => "wss",
        }
    }

    /// The page's scheme that belongs to it.
    pub fn of_page(self) -> &'static str {
        match self {
            Scheme::Ws => "http",
            Scheme::Wss => "https",
        }
    }

    /// The port that need not be written.
    pub fn default_port(self) -> u16 {
        match self {
            Scheme::Ws => 80,
            Scheme::Wss => 443,
        }
    }

    /// The other one.
    pub fn other(self) -> Scheme {
        match self {
            Scheme::Ws => Scheme::Wss,
            Scheme::Wss => Scheme::Ws,
        }
    }
}

/// An address that can be probed if the policy allows what it leads to. Its parts are in the form
/// in which they go over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Plain or encrypted.
    pub scheme: Scheme,
    /// In ASCII and lower case; without brackets, without a dot at its end.
    pub host: String,
    /// The same, if it is an address.
    pub literal: Option<IpAddr>,
    /// Where to connect.
    pub port: u16,
    /// From the slash on, with the query: what is asked for.
    pub path: String,
    /// Whether a dot stood at the name's end: it goes into the Host header.
    has_final_dot: bool,
}

impl Target {
    /// Reads an address. This opens no connection and asks no resolver.
    ///
    /// # Errors
    /// It is no address, or of a kind that is never probed.
    pub fn read(text: &str) -> Result<Target, Refusal> {
        let text = text.trim();
        check_text(text)?;
        let scheme = scheme_of(text)?;
        let url = Url::parse(text).map_err(|error| not_an_address(error, text))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::by(
                Rule::UserInfo,
                "the address holds a user name or password: leave out everything before the @, \
                 browsers do not send it either",
            ));
        }
        let (host, literal, has_final_dot) = host_of(&url)?;
        let port = url.port().unwrap_or_else(|| scheme.default_port());
        if port == 0 {
            return Err(Refusal::invalid(
                "port 0 cannot be connected to: write the server's port, from 1 to 65535",
            ));
        }
        let mut path = url.path().to_owned();
        if path.is_empty() {
            path.push('/');
        }
        if let Some(query) = url.query() {
            path.push('?');
            path.push_str(query);
        }
        Ok(Target {
            scheme,
            host,
            literal,
            port,
            path,
            has_final_dot,
        })
    }

    /// The host as it stands in addresses: in brackets if it is an IPv6 address.
    pub fn bracketed_host(&self) -> String {
        match self.literal {
            Some(IpAddr::V6(_)) => format!("[{}]", self.host),
            _ => self.host.clone(),
        }
    }

    /// The value of the Host header.
    pub fn authority(&self) -> String {
        let mut out = self.bracketed_host();
        if self.has_final_dot {
            out.push('.');
        }
        if self.port != self.scheme.default_port() {
            out.push_str(&format!(":{}", self.port));
        }
        out
    }

    /// The origin of a page that comes from the same place.
    pub fn own_origin(&self) -> String {
        format!("{}://{}", self.scheme.of_page(), self.authority())
    }

    /// The whole address.
    pub fn url(&self) -> String {
        format!(
            "{}://{}{}",
            self.scheme.as_str(),
            self.authority(),
            self.path
        )
    }

    /// The same with the other scheme: the scheme's own port goes with it, any other port stays.
    #[must_use]
    pub fn with_other_scheme(&self) -> Target {
        let scheme = self.scheme.other();
        let port = if self.port == self.scheme.default_port() {
            scheme.default_port()
        } else {
            self.port
        };
        Target {
            scheme,
            port,
            ..self.clone()
        }
    }

    /// The path without its query.
    pub fn bare_path(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }
}

fn check_text(text: &str) -> Result<(), Refusal> {
    if text.is_empty() {
        return Err(Refusal::invalid(
            "no address was given: write one such as wss://server.example/path",
        ));
    }
    if text.len() > LONGEST_ADDRESS {
        return Err(Refusal::invalid(format!(
            "the address has {} bytes, more than the {LONGEST_ADDRESS} that are probed: shorten \
             its path or query",
            text.len()
        )));
    }
    if text
        .chars()
        .any(|letter| letter.is_whitespace() || letter.is_control() || letter == '\\')
    {
        return Err(Refusal::invalid(
            "the address holds a space, a line break, a backslash or a control character: write \
             it without, or encode it in the path (a space is %20)",
        ));
    }
    Ok(())
}

fn scheme_of(text: &str) -> Result<Scheme, Refusal> {
    let example = "write the whole address, such as wss://server.example/path";
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(Refusal::invalid(format!(
            "this is not an address, it lacks ws:// or wss://: {example}"
        )));
    };
    if rest.is_empty() || rest.starts_with(['/', '?', '#']) {
        return Err(Refusal::invalid(format!(
            "the address lacks a host: {example}"
        )));
    }
    match scheme.to_ascii_lowercase().as_str() {
        "ws" | "http" => Ok(Scheme::Ws),
        "wss" | "https" => Ok(Scheme::Wss),
        other if is_scheme(other) => Err(Refusal::by(
            Rule::Scheme,
            format!("{other:?} is not probed: only ws, wss, http and https are"),
        )),
        _ => Err(Refusal::invalid(format!(
            "this is not an address: {example}"
        ))),
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_ascii_lowercase())
        && text.len() <= 32
        && text
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
}

fn not_an_address(error: url::ParseError, text: &str) -> Refusal {
    use url::ParseError;
    let port = text
        .split_once("://")
        .map(|(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or_default())
        .and_then(|authority| authority.rsplit_once(':'))
        .map_or("", |(_, port)| port);
    Refusal::invalid(match error {
        ParseError::InvalidPort => {
            let shown: String = port.chars().take(20).collect();
            format!("{shown:?} is not a port: ports are numbers from 1 to 65535")
        }
        ParseError::InvalidIpv4Address => {
            "the host looks like an IPv4 address and is none: write four numbers from 0 to 255, \
             or a name"
                .to_owned()
        }
        ParseError::InvalidIpv6Address => {
            "the host is not an IPv6 address: write it in brackets, without a zone, such as \
             [2001:db8::1]"
                .to_owned()
        }
        ParseError::EmptyHost => "the address lacks a host".to_owned(),
        ParseError::IdnaError | ParseError::InvalidDomainCharacter => {
            "the host name holds a character that no name may have".to_owned()
        }
        other => {
            format!("this is not an address ({other}): write one such as wss://server.example/path")
        }
    })
}

/// Host, the address it is, and whether a dot stood at its end.
fn host_of(url: &Url) -> Result<(String, Option<IpAddr>, bool), Refusal> {
    // The parser reads 127.1, 0x7f000001, 2130706433 and full-width digits as browsers do, so what
    // is judged is what would be dialled.
    let (text, literal) = match url.host() {
        Some(Host::Ipv4(address)) => (address.to_string(), Some(IpAddr::V4(address))),
        Some(Host::Ipv6(address)) => (address.to_string(), Some(IpAddr::V6(address))),
        Some(Host::Domain(name)) => (name.to_ascii_lowercase(), None),
        None => return Err(Refusal::invalid("the address lacks a host")),
    };
    if literal.is_some() {
        return Ok((text, literal, false));
    }
    let (name, has_final_dot) = match text.strip_suffix('.') {
        Some(name) => (name, true),
        None => (text.as_str(), false),
    };
    check_name(name)?;
    Ok((name.to_owned(), None, has_final_dot))
}

fn check_name(name: &str) -> Result<(), Refusal> {
    if name.len() > LONGEST_NAME {
        return Err(Refusal::invalid(format!(
            "the host name has {} bytes; names have at most {LONGEST_NAME}",
            name.len()
        )));
    }
    let is_fine = |label: &str| {
        !label.is_empty()
            && label.len() <= LONGEST_LABEL
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    if name.split('.').all(is_fine) {
        Ok(())
    } else {
        Err(Refusal::invalid(format!(
            "the host is not a name: between its dots stand 1 to {LONGEST_LABEL} letters, digits \
             and hyphens"
        )))
    }
}
