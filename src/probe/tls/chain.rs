//! Judges a chain of certificates fault by fault. What a certificate points to is never fetched.

use rustls::pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use webpki::EndEntityCert;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer;
use x509_parser::x509::X509Name;

use super::Trust;

/// OID of the place where an issuer's certificate can be had: authorities that are publicly trusted
/// must name it.
const ISSUERS_CERTIFICATE: &str = "1.3.6.1.5.5.7.48.2";
/// So many names of a certificate are listed.
const MOST_NAMES: usize = 10;

/// The beginning of 2026: a clock that shows less stands still since long.
const EARLIEST: i64 = 1_767_225_600;

/// Makers of gateways and antivirus programs that open encryption, as their certificates say.
const GATEWAYS: [&str; 22] = [
    "zscaler",
    "fortinet",
    "fortigate",
    "netskope",
    "blue coat",
    "bluecoat",
    "symantec web",
    "palo alto",
    "cisco umbrella",
    "forcepoint",
    "websense",
    "mcafee web gateway",
    "sophos",
    "barracuda",
    "check point",
    "kaspersky",
    "eset ssl filter",
    "avast",
    "avg web",
    "bitdefender",
    "mitmproxy",
    "squid",
];

/// In the names of authorities between a root and a server.
const INTERMEDIATE_WORDS: [&str; 4] = ["intermediate", "issuing", "subordinate", "sub ca"];

/// What a chain amounts to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Values of `tls.fault`; none if there is nothing wrong.
    pub(super) faults: Vec<&'static str>,
    /// Other facts.
    pub(super) facts: Vec<(&'static str, String)>,
    /// The faults and the chain for people.
    pub(super) detail: String,
}

/// Judges the certificates that a server sent for `host`, its own first, at `now` (Unix seconds).
pub(super) fn judge(
    certificates: &[CertificateDer<'_>],
    host: &str,
    trust: &Trust,
    now: i64,
) -> Verdict {
    let parsed: Vec<X509Certificate<'_>> = certificates
        .iter()
        .filter_map(|der| X509Certificate::from_der(der).ok())
        .map(|(_, certificate)| certificate)
        .collect();
    let Some(leaf) = parsed
        .first()
        .filter(|_| parsed.len() == certificates.len())
    else {
        return Verdict {
            faults: vec!["other"],
            detail: "a certificate of the chain cannot be read".to_owned(),
            ..Verdict::default()
        };
    };
    let mut judge = Judge {
        verdict: Verdict::default(),
        words: Vec::new(),
        parsed: &parsed,
        leaf,
        trust,
    };
    judge.dates(now);
    judge.name(&certificates[0], host);
    judge.trust(certificates, now);
    let chain: Vec<String> = parsed.iter().map(in_words).collect();
    judge.words.push(format!("chain: {}", chain.join(" < ")));
    Verdict {
        detail: judge.words.join("; "),
        ..judge.verdict
    }
}

struct Judge<'a> {
    verdict: Verdict,
    words: Vec<String>,
    parsed: &'a [X509Certificate<'a>],
    leaf: &'a X509Certificate<'a>,
    trust: &'a Trust,
}

impl Judge<'_> {
    fn fault(&mut self, fault: &'static str, words: String) {
        self.verdict.faults.push(fault);
        self.words.push(words);
    }

    fn fact(&mut self, key: &'static str, value: &str) {
        self.verdict.facts.push((key, value.to_owned()));
    }

    fn dates(&mut self, now: i64) {
        let validity = self.leaf.validity();
        if now >= EARLIEST {
            self.fact("client.clock", "right");
        }
        if now > validity.not_after.timestamp() {
            self.fault("expired", format!("expired on {}", validity.not_after));
            self.fact("tls.expired", "leaf");
        } else if now < validity.not_before.timestamp() {
            self.fault(
                "not-yet-valid",
                format!("not valid before {}", validity.not_before),
            );
        } else {
            self.fact("tls.dates", "valid");
        }
    }

    fn name(&mut self, der: &CertificateDer<'_>, host: &str) {
        let covered = EndEntityCert::try_from(der)
            .ok()
            .is_some_and(|certificate| {
                ServerName::try_from(host)
                    .is_ok_and(|name| certificate.verify_is_valid_for_subject_name(&name).is_ok())
            });
        if covered {
            self.fact("tls.names", "covered");
            return;
        }
        let names = names(self.leaf);
        let listed = if names.is_empty() {
            "no name at all".to_owned()
        } else {
            names.join(", ")
        };
        self.fault(
            "name-mismatch",
            format!("issued for {listed}, not for {host}"),
        );
        self.fact("tls.certificate.names", &listed);
        let is_address = host.parse::<std::net::IpAddr>().is_ok();
        self.fact(
            "tls.name.kind",
            if is_address { "ip-address" } else { "name" },
        );
    }

    /// Whether an authority stands behind it, whatever the dates say.
    fn trust(&mut self, certificates: &[CertificateDer<'_>], now: i64) {
        let validity = self.leaf.validity();
        let inside = now
            .min(validity.not_after.timestamp())
            .max(validity.not_before.timestamp());
        match verified(certificates, self.trust, inside) {
            Ok(()) => {
                self.fact("tls.chain", "complete");
                let kind = if is_public(certificates, inside) {
                    "public"
                } else {
                    "private"
                };
                self.fact("tls.issuer.kind", kind);
            }
            Err(_) if self.is_trusted_itself() => self.fact("tls.chain", "complete"),
            Err(webpki::Error::CertExpired { .. }) => {
                self.fault("expired", "the issuer's certificate has expired".to_owned());
                self.fact("tls.expired", "issuer");
            }
            Err(webpki::Error::CertNotValidYet { .. }) => self.fault(
                "not-yet-valid",
                "the issuer's certificate is not valid yet".to_owned(),
            ),
            Err(error) => self.untrusted(&error),
        }
    }

    /// A self-signed certificate that was put into the store by itself.
    fn is_trusted_itself(&self) -> bool {
        let subject = content(self.leaf.subject().as_raw());
        let key = content(self.leaf.public_key().raw);
        self.trust.anchors.iter().any(|anchor| {
            anchor.subject.as_ref() == subject && anchor.subject_public_key_info.as_ref() == key
        })
    }

    fn untrusted(&mut self, error: &webpki::Error) {
        let top = top_of(self.parsed);
        let issuer = top.issuer().to_string();
        if let Some(name) = gateway(self.parsed) {
            self.fault(
                "intercepted",
                format!("issued by {name}, a security gateway"),
            );
            self.fact("tls.issuer.kind", "gateway");
            return;
        }
        self.fact("tls.gateway", "none");
        if top.issuer().as_raw() == top.subject().as_raw() {
            if std::ptr::eq(top, self.leaf) {
                self.fault("self-signed", "self-signed".to_owned());
            } else {
                self.fault(
                    "self-signed-in-chain",
                    format!(
                        "the chain ends in {issuer}, which {} does not hold",
                        self.trust.source
                    ),
                );
            }
            self.fact("tls.issuer.kind", "private");
        } else if is_likely_intermediate(top, self.trust) {
            self.fault(
                "no-issuer-found",
                format!("the certificate of its issuer, {issuer}, was not sent"),
            );
            if self.parsed.len() == 1 {
                self.fact("tls.chain", "leaf-only");
            }
        } else {
            self.fault(
                "untrusted",
                format!(
                    "{} does not hold its issuer, {issuer} ({error})",
                    self.trust.source
                ),
            );
            self.fact("tls.issuer.kind", "private");
        }
    }
}

fn verified(
    certificates: &[CertificateDer<'_>],
    trust: &Trust,
    at: i64,
) -> Result<(), webpki::Error> {
    verified_by(certificates, &trust.anchors, at)
}

fn verified_by(
    certificates: &[CertificateDer<'_>],
    anchors: &[TrustAnchor<'_>],
    at: i64,
) -> Result<(), webpki::Error> {
    let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
    let seconds = u64::try_from(at).unwrap_or(0);
    let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    EndEntityCert::try_from(&certificates[0])?
        .verify_for_usage(
            algorithms.all,
            anchors,
            &certificates[1..],
            time,
            webpki::KeyUsage::server_auth(),
            None,
            None,
        )
        .map(|_| ())
}

/// Whether Mozilla's list, and so every browser, would hold its authority.
fn is_public(certificates: &[CertificateDer<'_>], at: i64) -> bool {
    verified_by(certificates, webpki_roots::TLS_SERVER_ROOTS, at).is_ok()
}

/// The last certificate that the sent ones lead to from the server's own.
fn top_of<'a>(parsed: &'a [X509Certificate<'a>]) -> &'a X509Certificate<'a> {
    let mut top = &parsed[0];
    for _ in 0..parsed.len() {
        let is_self_signed = top.issuer().as_raw() == top.subject().as_raw();
        let next = parsed
            .iter()
            .find(|other| other.subject().as_raw() == top.issuer().as_raw());
        match next {
            Some(next) if !is_self_signed => top = next,
            _ => break,
        }
    }
    top
}

/// Whether the issuer that was not sent is one that a trusted authority stands behind: the
/// certificate says where the issuer's is to be had, as public authorities write it, or the issuer
/// bears the name of a trusted one's organisation.
fn is_likely_intermediate(top: &X509Certificate<'_>, trust: &Trust) -> bool {
    let said = common_name(top.issuer()).unwrap_or_default().to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
    let names_place = top.extensions().iter().any(|extension| {
        let ParsedExtension::AuthorityInfoAccess(access) = extension.parsed_extension() else {
            return false;
        };
        access
            .iter()
            .any(|one| one.access_method.to_id_string() == ISSUERS_CERTIFICATE)
    });
    let (organisation, word) = family(top.issuer());
    if names_place || says(&INTERMEDIATE_WORDS) {
        return true;
    }
    !says(&["root"])
        && trust.anchors.iter().any(|anchor| {
            let der = wrapped(anchor.subject.as_ref());
            let Ok((_, name)) = X509Name::from_der(&der) else {
                return false;
            };
            let (other_organisation, other_word) = family(&name);
            (organisation.is_some() && organisation == other_organisation)
                || (organisation.is_none() && word.is_some() && word == other_word)
        })
}

/// The organisation, and the first word of the common name.
fn family(name: &X509Name<'_>) -> (Option<String>, Option<String>) {
    let organisation = name
        .iter_organization()
        .next()
        .and_then(|value| value.as_str().ok())
        .map(str::to_lowercase);
    let word = common_name(name)
        .and_then(|name| name.split_whitespace().next().map(str::to_lowercase))
        .filter(|word| word.len() >= 3);
    (organisation, word)
}

fn gateway(parsed: &[X509Certificate<'_>]) -> Option<String> {
    parsed.iter().find_map(|certificate| {
        let issuer = certificate.issuer().to_string();
        let lower = issuer.to_lowercase();
        GATEWAYS
            .iter()
            .any(|name| lower.contains(name))
            .then_some(issuer)
    })
}

/// The names that a certificate is valid for.
fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(alternative)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    alternative
        .value
        .general_names
        .iter()
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            GeneralName::IPAddress([a, b, c, d]) => {
                Some(std::net::Ipv4Addr::new(*a, *b, *c, *d).to_string())
            }
            GeneralName::IPAddress(bytes) => <[u8; 16]>::try_from(*bytes)
                .ok()
                .map(|bytes| std::net::Ipv6Addr::from(bytes).to_string()),
            _ => None,
        })
        .take(MOST_NAMES)
        .collect()
}

fn common_name<'a>(name: &'a X509Name<'_>) -> Option<&'a str> {
    name.iter_common_name()
        .next()
        .and_then(|value| value.as_str().ok())
}

fn in_words(certificate: &X509Certificate<'_>) -> String {
    let subject = certificate.subject();
    let name = common_name(subject).map_or_else(|| subject.to_string(), str::to_owned);
    let name = if name.is_empty() {
        names(certificate).first().cloned().unwrap_or_default()
    } else {
        name
    };
    format!("{name} (until {})", certificate.validity().not_after)
}

/// What stands inside a DER value, without tag and length.
fn content(der: &[u8]) -> &[u8] {
    match der {
        [_, length, rest @ ..] if *length < 0x80 => rest,
        [_, length, rest @ ..] => rest.get(usize::from(length & 0x7f)..).unwrap_or_default(),
        _ => &[],
    }
}

/// The same with the tag and length of a sequence.
fn wrapped(content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut der = vec![0x30];
    match u16::try_from(length) {
        Ok(short) if short < 0x80 => der.push(short.to_be_bytes()[1]),
        Ok(short) => {
            der.push(0x82);
            der.extend(short.to_be_bytes());
        }
        Err(_) => return Vec::new(),
    }
    der.extend_from_slice(content);
    der
}
