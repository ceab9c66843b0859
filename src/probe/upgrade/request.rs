//! The request of a handshake, or of an ordinary page for comparison.

use super::super::policy::Target;

/// Who asks, so that an operator who finds it in a log can look it up.
const USER_AGENT: &str = concat!("wsdoctor/", env!("CARGO_PKG_VERSION"));

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// What is asked for.
    pub(crate) path: String,
    /// The Host header.
    pub(crate) host: String,
    /// The Origin header, if one is sent.
    pub(crate) origin: Option<String>,
    /// Subprotocols that are offered.
    pub(crate) subprotocols: Vec<String>,
    /// Further headers.
    pub(crate) headers: Vec<(String, String)>,
    /// Compression is offered.
    pub(crate) offers_deflate: bool,
    /// It asks for a WebSocket; otherwise it is an ordinary request.
    pub(crate) asks_for_upgrade: bool,
    /// The value of Sec-WebSocket-Key, fresh for each request.
    pub(crate) key: String,
}

impl Request {
    pub(crate) fn new(target: &Target) -> Self {
        Request {
            path: target.path.clone(),
            host: target.authority(),
            origin: None,
            subprotocols: Vec::new(),
            headers: Vec::new(),
            offers_deflate: false,
            asks_for_upgrade: true,
            key: fresh_key(),
        }
    }

    /// The same again, with a key of its own.
    pub(crate) fn again(&self) -> Self {
        Request {
            key: fresh_key(),
            ..self.clone()
        }
    }

    /// The lines, without the empty one at the end.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = vec![
            format!("GET {} HTTP/1.1", self.path),
            format!("Host: {}", self.host),
        ];
        if self.asks_for_upgrade {
            lines.push("Connection: Upgrade".to_owned());
            lines.push("Upgrade: websocket".to_owned());
            lines.push("Sec-WebSocket-Version: 13".to_owned());
            lines.push(format!("Sec-WebSocket-Key: {}", self.key));
            if !self.subprotocols.is_empty() {
                let names = self.subprotocols.join(", ");
                lines.push(format!("Sec-WebSocket-Protocol: {names}"));
            }
            if self.offers_deflate {
                lines.push(
                    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
                        .to_owned(),
                );
            }
        } else {
            lines.push("Connection: close".to_owned());
            lines.push("Accept: */*".to_owned());
        }
        if let Some(origin) = &self.origin {
            lines.push(format!("Origin: {origin}"));
        }
        let sets_agent = self
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("user-agent"));
        if !sets_agent {
            lines.push(format!("User-Agent: {USER_AGENT}"));
        }
        lines.extend(
            self.headers
                .iter()
                .map(|(name, value)| format!("{name}: {value}")),
        );
        lines
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut text = self.lines().join("\r\n");
        text.push_str("\r\n\r\n");
        text.into_bytes()
    }
}

/// 16 random bytes in Base64, RFC 6455 section 4.1. Without random numbers the key is a constant,
/// which harms nobody: it only proves that the answer belongs to the request.
fn fresh_key() -> String {
    let mut bytes = [0_u8; 16];
    let _ = getrandom::fill(&mut bytes);
    super::facts::base64(&bytes)
}
