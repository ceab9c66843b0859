//! Certificates and the TLS handshake: `openssl s_client`, `openssl x509`.
//!
//! Codes and alerts are left to the wordings. Here stands what sections show: the chain, the
//! names against the host that is dialled, the dates against the time that the text tells.
//!
//! <https://docs.openssl.org/master/man1/openssl-s_client/>,
//! <https://docs.openssl.org/master/man1/openssl-x509/>

use super::super::HostKind;
use super::clock::{Moment, time_of_text};
use super::{Line, Output, Reading, Span, ip};

/// Organisations whose certificates every system trusts.
const PUBLIC_ISSUERS: &[&str] = &[
    "Let's Encrypt",
    "DigiCert",
    "Google Trust Services",
    "Sectigo",
    "Amazon",
    "GlobalSign",
    "ZeroSSL",
    "GoDaddy",
    "Entrust",
    "Buypass",
    "Certum",
    "SSL.com",
    "Cloudflare, Inc",
    "Microsoft Corporation",
    "COMODO",
    "USERTRUST",
    "GEANT",
    "IdenTrust",
    "Actalis",
    "HARICA",
    "SwissSign",
    "Starfield",
    "Thawte",
    "GeoTrust",
    "RapidSSL",
];

/// Authorities that a developer or an organisation makes itself.
const PRIVATE_ISSUERS: &[&str] = &[
    "mkcert",
    "Internal CA",
    "Caddy Local Authority",
    "minica",
    "step-ca",
    "Intranet",
    "Kubernetes Ingress Controller Fake Certificate",
    "TRAEFIK DEFAULT CERT",
];

/// Reads what `openssl` prints about certificates in a text.
pub(super) fn reading(output: &Output<'_>) -> Reading {
    let mut reading = Reading::default();
    let marks = [
        "subject",
        "issuer",
        " s:",
        "notAfter",
        "Cipher is",
        "lternative Name",
        "client certificate",
    ];
    if !output.holds_one_of(&marks) {
        return reading;
    }
    chain(output, &mut reading);
    issuer(output, &mut reading);
    names(output, &mut reading);
    dates(output, &mut reading);
    versions(output, &mut reading);
    client_certificate(output, &mut reading);
    // Without `-verify_hostname` nobody looked at the name, and where no certificate came there was
    // nothing to find fault with.
    if let Some(line) =
        find(output, "Verify return code: 0 (ok)").filter(|_| output.holds("Verified peername: "))
    {
        reading.add("tls.fault", "none", line.span());
    }
    reading
}

fn find<'a>(output: &Output<'a>, words: &str) -> Option<Line<'a>> {
    output
        .lines()
        .iter()
        .copied()
        .find(|line| line.text.trim_start().starts_with(words))
}

/// A name as OpenSSL prints it, whatever spaces its version sets.
fn name(text: &str) -> String {
    text.replace(" = ", "=").trim().to_owned()
}

/// The list ` 0 s:SUBJECT`, `   i:ISSUER`, also without the lines around it.
fn chain(output: &Output<'_>, reading: &mut Reading) {
    let mut entries: Vec<(String, Option<String>, Span)> = Vec::new();
    for line in output.lines() {
        let text = line.text.trim_start();
        if let Some(issuer) = text.strip_prefix("i:") {
            if let Some(last) = entries.last_mut() {
                last.1 = last.1.take().or_else(|| Some(name(issuer)));
            }
        } else if let Some((number, subject)) = text.split_once(" s:")
            && number.parse::<usize>() == Ok(entries.len())
        {
            entries.push((name(subject), None, line.span()));
        } else if text.starts_with("0 s:") {
            break; // another list of the same text
        }
    }
    let Some((subject, Some(issuer), span)) = entries.first() else {
        return;
    };
    if let Some(head) = find(output, "Certificate chain") {
        // The wording of a chain with one entry does not see that it issued itself.
        reading.owned.push(head.span());
    }
    let is_linked = |pair: &[(String, Option<String>, Span)]| match pair {
        [one, next] => one.1.as_deref() == Some(next.0.as_str()),
        _ => true,
    };
    if entries.len() > 1 {
        if entries.windows(2).all(is_linked) && !output.holds("verify error") {
            reading.add("tls.chain", "complete", *span);
        }
    } else if subject == issuer {
        reading.add("tls.fault", "self-signed", *span);
    } else {
        reading.add("tls.chain", "leaf-only", *span);
    }
}

/// `subject=...` and `issuer=...` of the server's own certificate.
fn issuer(output: &Output<'_>, reading: &mut Reading) {
    let after = |words: &str| {
        let line = find(output, words)?;
        let value = line.text.trim_start().get(words.len()..)?;
        Some((name(value), line.span()))
    };
    let from_curl = || {
        let line = find(output, "*  issuer:")?;
        let (_, value) = line.text.split_once("issuer:")?;
        Some((name(value), line.span()))
    };
    let Some((issuer, span)) = after("issuer=").or_else(from_curl) else {
        return;
    };
    let subject = after("subject=").map(|(subject, _)| subject).or_else(|| {
        let line = find(output, "*  subject:")?;
        Some(name(line.text.split_once("subject:")?.1))
    });
    let holds = |names: &[&str]| names.iter().any(|name| issuer.contains(name));
    // Who dials ws:// meets no certificate: it was only seen on the way.
    let is_met = output.dialled.is_none_or(|address| address.scheme != "ws");
    if subject.as_ref() == Some(&issuer) && !is_met {
        reading.owned.push(span);
    } else if subject.as_ref() == Some(&issuer) {
        reading.add("tls.fault", "self-signed", span);
    } else if holds(PRIVATE_ISSUERS) {
        reading.add("tls.issuer.kind", "private", span);
    } else if holds(PUBLIC_ISSUERS) && !issuer.contains("Gateway CA") {
        reading.add("tls.issuer.kind", "public", span);
    }
}

/// `DNS:a.example, DNS:*.b.example, IP Address:192.0.2.7` below its title.
fn names(output: &Output<'_>, reading: &mut Reading) {
    let Some(address) = output
        .dialled
        .filter(|address| address.host_kind() != HostKind::Placeholder)
    else {
        return;
    };
    let line = output
        .lines()
        .windows(2)
        .find(|pair| pair[0].text.contains("X509v3 Subject Alternative Name"))
        .map(|pair| pair[1]);
    let Some(line) =
        line.filter(|line| line.text.contains("DNS:") || line.text.contains("IP Address:"))
    else {
        return;
    };
    let is_covered = line.text.split(',').map(str::trim).any(|entry| {
        if let Some(pattern) = entry.strip_prefix("DNS:") {
            covers(&pattern.to_ascii_lowercase(), &address.host)
        } else {
            entry
                .strip_prefix("IP Address:")
                .and_then(ip)
                .is_some_and(|listed| ip(&address.host) == Some(listed))
        }
    });
    if is_covered {
        reading.add("tls.names", "covered", line.span());
    } else {
        reading.add("tls.fault", "name-mismatch", line.span());
    }
}

/// A star stands for one label. <https://www.rfc-editor.org/rfc/rfc9525#section-6.3>
fn covers(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(rest) => host
            .split_once('.')
            .is_some_and(|(label, parent)| !label.is_empty() && parent == rest),
        None => pattern == host,
    }
}

/// `notBefore=`, `notAfter=` against the time that the text itself tells.
fn dates(output: &Output<'_>, reading: &mut Reading) {
    let moment = |words: &[&str]| {
        words.iter().find_map(|words| {
            let line = find(output, words)?;
            let value = line.text.trim_start().get(words.len()..)?;
            Some((Moment::of(value)?, line.span()))
        })
    };
    let Some(now) = time_of_text(output) else {
        return;
    };
    let begin = moment(&["notBefore=", "*  start date:"]);
    let end = moment(&["notAfter=", "*  expire date:"]);
    match (begin, end) {
        (_, Some((end, span))) if end < now => reading.add("tls.fault", "expired", span),
        (Some((begin, span)), _) if begin > now => reading.add("tls.fault", "not-yet-valid", span),
        (Some(_), Some((_, span))) => reading.add("tls.dates", "valid", span),
        _ => {}
    }
}

/// `New, TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384`, one line a version that was tried.
fn versions(output: &Output<'_>, reading: &mut Reading) {
    let tried: Vec<&Line<'_>> = output
        .lines()
        .iter()
        .filter(|line| matches!(line.text.trim(), "tls1_3" | "tls1_2"))
        .collect();
    if tried.is_empty() {
        return;
    }
    let works = output
        .lines()
        .iter()
        .find(|line| line.text.contains("Cipher is ") && !line.text.contains("(NONE)"));
    if let Some(line) = works {
        reading.add("tls.versions", "modern", line.span());
        // The other version's refusal is no fault where one of both works.
        let refusals = output
            .lines()
            .iter()
            .filter(|line| line.text.contains("alert protocol version"));
        reading.owned.extend(refusals.map(|line| line.span()));
    } else if tried.len() == 2 && output.holds("(NONE)") {
        reading.add("tls.versions", "old-only", tried[0].span());
    }
}

/// Whether the server asks for a client's certificate.
fn client_certificate(output: &Output<'_>, reading: &mut Reading) {
    let asks = find(output, "Acceptable client certificate CA names")
        .or_else(|| find(output, "Requested Signature Algorithms"));
    let is_refused = ["alert", "peer did not return"]
        .iter()
        .any(|word| output.holds(word));
    match asks {
        Some(line) if is_refused => {
            let refusal = ["handshake failure", "bad certificate"]
                .iter()
                .any(|word| output.holds(word));
            if refusal {
                reading.add("tls.fault", "client-certificate-required", line.span());
            }
        }
        Some(line) => reading.add("tls.client-certificate", "optional", line.span()),
        None => {
            if let Some(line) = find(output, "No client certificate CA names sent")
                // In a full output it stands always and is not what was asked for.
                .filter(|_| !is_refused && !output.holds("CONNECTED("))
            {
                reading.add("tls.client-certificate", "not-asked", line.span());
            }
        }
    }
}
