//! Whom this machine trusts.

use rustls::pki_types::{CertificateDer, TrustAnchor};

/// The certificate authorities that count.
#[derive(Clone, Debug)]
pub struct Trust {
    pub(super) anchors: Vec<TrustAnchor<'static>>,
    /// Where they come from, for people.
    pub(super) source: &'static str,
}

impl Trust {
    /// The system's store (`SSL_CERT_FILE` and `SSL_CERT_DIR` are heeded), so that an organisation's
    /// own authority counts here as it counts for its clients; Mozilla's list where there is none.
    #[must_use]
    pub fn of_system() -> Self {
        let found = rustls_native_certs::load_native_certs();
        let anchors: Vec<TrustAnchor<'static>> = found.certs.iter().filter_map(anchor).collect();
        if anchors.is_empty() {
            return Trust {
                anchors: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
                source: "Mozilla's list",
            };
        }
        Trust {
            anchors,
            source: "this system's store",
        }
    }

    /// Only these, given as DER.
    #[must_use]
    pub fn of_certificates(certificates: &[Vec<u8>]) -> Self {
        let anchors = certificates
            .iter()
            .filter_map(|der| anchor(&CertificateDer::from(der.clone())))
            .collect();
        Trust {
            anchors,
            source: "the given authorities",
        }
    }
}

fn anchor(certificate: &CertificateDer<'_>) -> Option<TrustAnchor<'static>> {
    webpki::anchor_from_trusted_cert(certificate)
        .ok()
        .map(|anchor| anchor.to_owned())
}
