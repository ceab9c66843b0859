//! What a handshake that failed tells: the alert, or the first bytes of something that is not TLS.

use std::io;
use std::time::Duration;

use rustls::AlertDescription as Alert;
use rustls::{Error, PeerIncompatible};

use super::super::bytes;

type Facts = Vec<(&'static str, String)>;

/// Facts and one line for people.
pub(super) fn judge(error: &io::Error, seen: &[u8], asks_for_certificate: bool) -> (Facts, String) {
    if let Some(found) = not_tls(seen) {
        return found;
    }
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Error>());
    let (fault, words): (&str, String) = match inner {
        Some(Error::AlertReceived(alert)) => of_alert(*alert, asks_for_certificate),
        Some(Error::PeerIncompatible(reason)) => of_incompatible(reason),
        Some(error) => ("protocol-error", format!("the handshake broke: {error}")),
        None => match error.kind() {
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => (
                "closed",
                "the server reset the connection during the handshake".to_owned(),
            ),
            _ if asks_for_certificate => (
                "client-certificate-required",
                "the server asked for a client certificate and closed the connection".to_owned(),
            ),
            _ => (
                "closed",
                "the server closed the connection during the handshake".to_owned(),
            ),
        },
    };
    let mut facts = vec![("tls.fault", fault.to_owned())];
    if matches!(inner, Some(Error::AlertReceived(Alert::ProtocolVersion)))
        || matches!(
            inner,
            Some(Error::PeerIncompatible(
                PeerIncompatible::ServerDoesNotSupportTls12Or13
                    | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
            ))
        )
    {
        facts.push(("tls.versions", "old-only".to_owned()));
    }
    (facts, words)
}

/// The handshake did not end in time.
pub(super) fn timed_out(seen: &[u8], limit: Duration) -> (Facts, String) {
    if let Some(found) = not_tls(seen) {
        return found;
    }
    let words = format!(
        "the TLS greeting was not answered within {:.1} s",
        limit.as_secs_f64()
    );
    (vec![("tls.answer", "timed-out".to_owned())], words)
}

fn not_tls(seen: &[u8]) -> Option<(Facts, String)> {
    if seen.is_empty() || bytes::is_tls(seen) {
        return None;
    }
    let shown = bytes::shown(seen, 60);
    if bytes::is_other_service(seen) {
        // Neither scheme is right for it, so nothing is said of encryption.
        let facts = vec![("handshake.answer", "other-service".to_owned())];
        return Some((facts, format!("another kind of service answers: {shown}")));
    }
    let mut facts = vec![("tls.fault", "plain-answer".to_owned())];
    if bytes::is_http(seen) || bytes::is_markup(seen) {
        facts.push(("port.speaks", "plain".to_owned()));
        return Some((facts, format!("the port answers in plain HTTP: {shown}")));
    }
    Some((facts, format!("the port does not speak TLS: {shown}")))
}

fn of_alert(alert: Alert, asks_for_certificate: bool) -> (&'static str, String) {
    let words = |text: &str| format!("the server ended the handshake: {text}");
    match alert {
        Alert::CertificateRequired => (
            "client-certificate-required",
            words("it demands a client certificate"),
        ),
        Alert::HandshakeFailure | Alert::BadCertificate | Alert::CertificateUnknown
            if asks_for_certificate =>
        {
            (
                "client-certificate-required",
                words("it asked for a client certificate and got none"),
            )
        }
        Alert::UnrecognisedName => (
            "unrecognized-name",
            words("it does not know the name that was asked for (unrecognized_name)"),
        ),
        Alert::ProtocolVersion => (
            "no-common-version-or-cipher",
            words("it speaks neither TLS 1.2 nor 1.3 (protocol_version)"),
        ),
        Alert::InsufficientSecurity => (
            "no-common-version-or-cipher",
            words("no cipher in common (insufficient_security)"),
        ),
        Alert::HandshakeFailure => ("handshake-failure", words("handshake_failure")),
        // Go's servers answer so for a name without a certificate, others for any mishap of theirs.
        Alert::InternalError => ("internal-error", words("internal_error")),
        Alert::NoApplicationProtocol => (
            "no-application-protocol",
            words("it does not offer http/1.1 (no_application_protocol)"),
        ),
        other => ("handshake-failure", words(&format!("{other:?}"))),
    }
}

fn of_incompatible(reason: &PeerIncompatible) -> (&'static str, String) {
    let words = format!("client and server do not fit: {reason:?}");
    ("no-common-version-or-cipher", words)
}
