//! Who sends a request, for limits that are counted for each caller.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;

use crate::app::Caller;

/// Who sends the request.
pub(super) struct From(pub(super) Caller);

impl<S: Sync> FromRequestParts<S> for From {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Ok(From(caller(peer.map(|peer| peer.0.ip()), &parts.headers)))
    }
}

/// A peer on loopback is somebody at this machine, or a reverse proxy that says for whom it speaks.
/// What others say of themselves counts for nothing.
fn caller(peer: Option<IpAddr>, headers: &HeaderMap) -> Caller {
    match peer.map(|peer| peer.to_canonical()) {
        Some(peer) if !peer.is_loopback() => Caller::Stranger(peer),
        _ => match forwarded_for(headers) {
            Some(address) if !address.is_loopback() => Caller::Stranger(address),
            _ => Caller::Local,
        },
    }
}

/// The address that the nearest proxy saw: it stands last. Behind a proxy that does not tell
/// readably all callers are one.
fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?;
    let text = last.to_str().unwrap_or_default();
    let text = text.rsplit(',').next().unwrap_or_default().trim();
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let address = bare
        .parse::<IpAddr>()
        .or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()))
        .unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(peer: Option<&str>, forwarded: &[&'static str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(
                "x-forwarded-for",
                axum::http::HeaderValue::from_static(value),
            );
        }
        match caller(peer.map(|peer| peer.parse().expect("address")), &headers) {
            Caller::Local => "local".to_owned(),
            Caller::Stranger(address) => address.to_string(),
        }
    }

    #[test]
    fn only_a_proxy_on_this_machine_may_speak_for_others() {
        assert_eq!(of(None, &[]), "local");
        assert_eq!(of(Some("127.0.0.1"), &[]), "local");
        assert_eq!(of(Some("::ffff:127.0.0.1"), &[]), "local");
        assert_eq!(of(Some("192.0.2.1"), &["127.0.0.1"]), "192.0.2.1");
        assert_eq!(of(Some("127.0.0.1"), &["192.0.2.7"]), "192.0.2.7");
        // What the client wrote itself stands before what the proxy saw.
        assert_eq!(
            of(Some("127.0.0.1"), &["127.0.0.1, 192.0.2.7"]),
            "192.0.2.7"
        );
        assert_eq!(of(Some("::1"), &["127.0.0.1", "192.0.2.7"]), "192.0.2.7");
        assert_eq!(of(Some("::1"), &["[2001:db8::1]:443"]), "2001:db8::1");
        assert_eq!(of(Some("::1"), &["unknown"]), "0.0.0.0");
    }
}
