//! Encryption: the handshake, and the certificate judged fault by fault.

mod chain;
mod failure;
mod recorder;
mod trust;
mod verifier;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use recorder::Recorder;
pub use trust::Trust;
use verifier::{CertificateAsked, ChainRecorder};

/// An encrypted connection.
pub(super) type Encrypted = TlsStream<Recorder<TcpStream>>;

/// What came of setting up encryption.
pub(super) struct Outcome {
    /// The connection, where the certificate has no fault.
    pub(super) stream: Option<Encrypted>,
    /// Keys and values.
    pub(super) facts: Vec<(&'static str, String)>,
    /// One line for people.
    pub(super) detail: String,
    /// The server asked for a client certificate; in TLS 1.3 it refuses only afterwards.
    pub(super) asks_for_certificate: bool,
}

/// Sets up encryption over a connection.
pub(super) async fn connect(
    stream: TcpStream,
    host: &str,
    trust: &Trust,
    now: i64,
    limit: Duration,
) -> Outcome {
    let chain = Arc::new(ChainRecorder::new());
    let asked = Arc::new(CertificateAsked::default());
    let recorder = Recorder::new(stream);
    let seen = recorder.seen();
    let result = match connector(&chain, &asked) {
        Ok(connector) => match ServerName::try_from(host.to_owned()) {
            Ok(name) => timeout(limit, connector.connect(name, recorder)).await,
            Err(_) => {
                return Outcome::failed(
                    vec![("tls.fault", "other".to_owned())],
                    format!("{host} cannot be asked for in TLS"),
                );
            }
        },
        Err(error) => return Outcome::failed(Vec::new(), error.to_string()),
    };
    let asks_for_certificate = asked.0.load(Ordering::Relaxed);
    match result {
        Ok(Ok(stream)) => judged(stream, host, &chain, trust, now, asks_for_certificate),
        Ok(Err(error)) => {
            let seen = seen.bytes();
            let (facts, detail) = failure::judge(&error, &seen, asks_for_certificate);
            Outcome {
                asks_for_certificate,
                ..Outcome::failed(facts, detail)
            }
        }
        Err(_) => {
            let seen = seen.bytes();
            let (facts, detail) = failure::timed_out(&seen, limit);
            Outcome::failed(facts, detail)
        }
    }
}

impl Outcome {
    fn failed(facts: Vec<(&'static str, String)>, detail: String) -> Self {
        Outcome {
            stream: None,
            facts,
            detail,
            asks_for_certificate: false,
        }
    }
}

fn connector(
    chain: &Arc<ChainRecorder>,
    asked: &Arc<CertificateAsked>,
) -> Result<TlsConnector, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(chain) as _)
        .with_client_cert_resolver(Arc::clone(asked) as _);
    // As browsers do for WebSocket; without it a server may choose HTTP/2.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = rustls::client::Resumption::disabled();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn judged(
    stream: Encrypted,
    host: &str,
    chain: &ChainRecorder,
    trust: &Trust,
    now: i64,
    asks_for_certificate: bool,
) -> Outcome {
    let (_, connection) = stream.get_ref();
    let version = match connection.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_3) => "1.3",
        Some(rustls::ProtocolVersion::TLSv1_2) => "1.2",
        _ => "unknown",
    };
    let alpn = connection.alpn_protocol().map_or_else(
        || "none".to_owned(),
        |name| String::from_utf8_lossy(name).into_owned(),
    );
    let certificates = chain.certificates();
    let verdict = chain::judge(&certificates, host, trust, now);
    let mut facts = vec![
        ("tls.version", version.to_owned()),
        ("tls.alpn", alpn.clone()),
    ];
    if verdict.faults.is_empty() {
        facts.push(("tls.fault", "none".to_owned()));
    }
    if !asks_for_certificate {
        facts.push(("tls.client-certificate", "not-asked".to_owned()));
    }
    let is_fine = verdict.faults.is_empty();
    facts.extend(
        verdict
            .faults
            .iter()
            .map(|fault| ("tls.fault", (*fault).to_owned())),
    );
    facts.extend(verdict.facts);
    let detail = format!("TLS {version}, ALPN {alpn}; {}", verdict.detail);
    Outcome {
        stream: is_fine.then_some(stream),
        facts,
        detail,
        asks_for_certificate,
    }
}
