//! An authority of the lab's own, and certificates with one fault each, as files.

use std::fs;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str, issuer: Option<&Authority>) -> Authority {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::OrganizationName, "Lab");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    match issuer {
        None => CertifiedIssuer::self_signed(params, key).expect("a root"),
        Some(issuer) => CertifiedIssuer::signed_by(params, key, issuer).expect("an authority"),
    }
}

fn leaf(name: &str) -> CertificateParams {
    let names = vec![name.to_owned()];
    let mut params = CertificateParams::new(names).expect("a name");
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

/// Writes `NAME.crt` (the chain as it is sent), `NAME.key` and both together as `NAME.pem`.
fn write(folder: &Path, name: &str, chain: &str, key: &KeyPair) {
    let key = key.serialize_pem();
    let both = format!("{chain}{key}");
    for (ending, text) in [
        ("crt", chain),
        ("key", key.as_str()),
        ("pem", both.as_str()),
    ] {
        fs::write(folder.join(format!("{name}.{ending}")), text).expect("a file");
    }
}

fn issue(
    folder: &Path,
    name: &str,
    params: CertificateParams,
    issuer: &Authority,
    sent: &[&Authority],
) {
    let key = KeyPair::generate().expect("a key");
    let own = params.signed_by(&key, issuer).expect("a certificate").pem();
    let chain: String = sent.iter().map(|one| one.pem()).collect();
    write(folder, name, &format!("{own}{chain}"), &key);
}

/// Makes all of them and gives the root that is trusted, which lies in `root.crt` as well.
pub(super) fn make(folder: &Path) -> Vec<u8> {
    let root = authority("Lab Root", None);
    let middle = authority("Lab Issuing Authority", Some(&root));
    let stranger = authority("Unknown Corporation Root", None);
    let between = |from: i32, to: i32| {
        let mut params = leaf("localhost");
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(to, 1, 1);
        params
    };
    issue(folder, "valid", leaf("localhost"), &middle, &[&middle]);
    issue(folder, "expired", between(2020, 2021), &middle, &[&middle]);
    issue(folder, "early", between(2090, 2095), &middle, &[&middle]);
    issue(
        folder,
        "other-name",
        leaf("shop.example"),
        &middle,
        &[&middle],
    );
    issue(folder, "incomplete", leaf("localhost"), &middle, &[]);
    issue(folder, "unknown", leaf("localhost"), &stranger, &[]);
    let key = KeyPair::generate().expect("a key");
    let own = leaf("localhost").self_signed(&key).expect("a certificate");
    write(folder, "self-signed", &own.pem(), &key);
    fs::write(folder.join("root.crt"), root.pem()).expect("a file");
    root.der().to_vec()
}
