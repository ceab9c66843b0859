//! Certificates with one fault each.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use wsdoctor::case::{Report, StageKind, StageState};
use wsdoctor::probe::{Order, Trust};

use super::{diagnosed, has, prober, run};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn root(name: &str) -> Authority {
    let key = KeyPair::generate().expect("key");
    CertifiedIssuer::self_signed(authority_params(name), key).expect("root")
}

fn intermediate(name: &str, issuer: &Authority) -> Authority {
    let key = KeyPair::generate().expect("key");
    CertifiedIssuer::signed_by(authority_params(name), key, issuer).expect("intermediate")
}

fn leaf_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(vec![name.to_owned()]).expect("name");
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

struct Chain {
    certificates: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

fn signed(params: CertificateParams, issuer: &Authority, sent: &[&Authority]) -> Chain {
    let key = KeyPair::generate().expect("key");
    let leaf = params.signed_by(&key, issuer).expect("leaf");
    let mut certificates = vec![leaf.der().clone()];
    certificates.extend(sent.iter().map(|one| one.der().clone()));
    Chain {
        certificates,
        key: PrivateKeyDer::try_from(key.serialize_der()).expect("key"),
    }
}

/// Probes a server with that chain, which accepts TLS and says 404 to every request.
async fn probed(chain: Chain, trusted: &Authority, client_root: Option<&Authority>) -> Report {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .expect("versions");
    let builder = match client_root {
        None => builder.with_no_client_auth(),
        Some(root) => {
            let mut store = rustls::RootCertStore::empty();
            store.add(root.der().clone()).expect("root");
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(store), provider)
                .build()
                .expect("verifier");
            builder.with_client_cert_verifier(verifier)
        }
    };
    let config = builder
        .with_single_cert(chain.certificates, chain.key)
        .expect("server");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
    let address = listener.local_addr().expect("address");
    let serving = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                let mut buffer = [0_u8; 2048];
                let _ = stream.read(&mut buffer).await;
                let _ = stream
                    .write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                    .await;
                let _ = stream.shutdown().await;
            });
        }
    });
    let trust = Trust::of_certificates(&[trusted.der().to_vec()]);
    let order = Order::of(format!("wss://localhost:{}/ws", address.port()));
    let report = run(&prober().with_trust(trust), &order)
        .await
        .expect("allowed");
    serving.abort();
    report
}

fn assert_fault(report: &Report, fault: &str, cause: &str) {
    assert!(has(report, "tls.fault", fault), "{fault}\n{report:#?}");
    let tls = report.stage(StageKind::Tls).expect("stage");
    assert_eq!(tls.state, StageState::Failed);
    assert_eq!(diagnosed(report).causes[0].id, cause, "{report:#?}");
}

#[tokio::test]
async fn a_good_chain_is_no_fault() {
    let root = root("Lab Root");
    let middle = intermediate("Lab Middle", &root);
    let report = probed(
        signed(leaf_params("localhost"), &middle, &[&middle]),
        &root,
        None,
    )
    .await;
    assert!(has(&report, "tls.fault", "none"), "{report:#?}");
    assert!(has(&report, "tls.chain", "complete"));
    assert!(has(&report, "handshake.status", "404"));
}

#[tokio::test]
async fn every_fault_of_a_certificate_is_named() {
    let root = root("Lab Root");
    let middle = intermediate("Lab Middle", &root);
    let mut expired = leaf_params("localhost");
    expired.not_before = date_time_ymd(2020, 1, 1);
    expired.not_after = date_time_ymd(2021, 1, 1);
    let report = probed(signed(expired, &middle, &[&middle]), &root, None).await;
    assert_fault(&report, "expired", "tls-cert-expired");

    let mut early = leaf_params("localhost");
    early.not_before = date_time_ymd(2100, 1, 1);
    early.not_after = date_time_ymd(2101, 1, 1);
    let report = probed(signed(early, &middle, &[&middle]), &root, None).await;
    assert!(has(&report, "tls.fault", "not-yet-valid"), "{report:#?}");

    let report = probed(
        signed(leaf_params("other.example"), &middle, &[&middle]),
        &root,
        None,
    )
    .await;
    assert_fault(&report, "name-mismatch", "tls-cert-name-mismatch");
    let tls = report.stage(StageKind::Tls).expect("stage");
    assert!(tls.detail.contains("other.example"), "{}", tls.detail);

    let report = probed(signed(leaf_params("localhost"), &middle, &[]), &root, None).await;
    assert_fault(&report, "no-issuer-found", "tls-cert-chain-incomplete");
}

#[tokio::test]
async fn authorities_that_nobody_trusts_are_told_apart() {
    let trusted = root("Lab Root");
    let stranger = root("Stranger Root");
    let report = probed(
        signed(leaf_params("localhost"), &stranger, &[]),
        &trusted,
        None,
    )
    .await;
    assert_fault(&report, "untrusted", "tls-cert-untrusted");
    let chain = signed(leaf_params("localhost"), &stranger, &[&stranger]);
    let report = probed(chain, &trusted, None).await;
    assert_fault(&report, "self-signed-in-chain", "tls-cert-untrusted");
    let own =
        CertifiedIssuer::self_signed(leaf_params("localhost"), KeyPair::generate().expect("key"))
            .expect("certificate");
    let chain = Chain {
        certificates: vec![own.der().clone()],
        key: PrivateKeyDer::try_from(own.key().serialize_der()).expect("key"),
    };
    let report = probed(chain, &trusted, None).await;
    assert_fault(&report, "self-signed", "tls-cert-untrusted");
}

#[tokio::test]
async fn several_faults_are_all_told() {
    let trusted = root("Lab Root");
    let stranger = root("Stranger Root");
    let mut params = leaf_params("other.example");
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2021, 1, 1);
    let report = probed(signed(params, &stranger, &[]), &trusted, None).await;
    for fault in ["expired", "name-mismatch", "untrusted"] {
        assert!(has(&report, "tls.fault", fault), "{fault}\n{report:#?}");
    }
}

#[tokio::test]
async fn a_demanded_client_certificate_is_told() {
    let root = root("Lab Root");
    let chain = signed(leaf_params("localhost"), &root, &[]);
    let report = probed(chain, &root, Some(&root)).await;
    assert!(
        has(&report, "tls.fault", "client-certificate-required"),
        "{report:#?}"
    );
    assert_eq!(diagnosed(&report).causes[0].id, "tls-client-cert-required");
}
