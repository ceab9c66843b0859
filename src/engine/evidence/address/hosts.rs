//! What kind of host an address names.

use std::net::IpAddr;

/// What kind of host an address names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostKind {
    /// localhost, 127.0.0.0/8, ::1.
    Loopback,
    /// 0.0.0.0 or ::, an address to listen on.
    Unspecified,
    /// RFC 1918, link-local, unique local, `.local`, `.internal`.
    Private,
    /// Another IP address.
    PublicAddress,
    /// A name without a dot.
    SingleLabel,
    /// A full name.
    Name,
    /// `<host>`, `your-domain.com`, `xxx.xxx`, `...`: what really stands there is not known.
    Placeholder,
}

impl HostKind {
    /// The word used in facts.
    pub fn as_str(self) -> &'static str {
        match self {
            HostKind::Loopback => "loopback",
            HostKind::Unspecified => "unspecified",
            HostKind::Private => "private",
            HostKind::PublicAddress => "public-address",
            HostKind::SingleLabel => "single-label",
            HostKind::Name => "name",
            HostKind::Placeholder => "placeholder",
        }
    }
}

/// What kind of host a name or address is.
pub(in crate::engine::evidence) fn host_kind(host: &str) -> HostKind {
    if is_hidden_private_address(host) {
        return HostKind::Private;
    }
    if is_placeholder(host) {
        return HostKind::Placeholder;
    }
    if let Ok(address) = host.parse::<IpAddr>() {
        return match address {
            IpAddr::V4(v4) if v4.is_loopback() => HostKind::Loopback,
            IpAddr::V6(v6) if v6.is_loopback() => HostKind::Loopback,
            _ if address.is_unspecified() => HostKind::Unspecified,
            IpAddr::V4(v4) if v4.is_private() || v4.is_link_local() => HostKind::Private,
            IpAddr::V6(v6) if v6.is_unique_local() || v6.is_unicast_link_local() => {
                HostKind::Private
            }
            _ => HostKind::PublicAddress,
        };
    }
    if host == "localhost" || host.ends_with(".localhost") {
        HostKind::Loopback
    } else if host.ends_with(".local") || host.ends_with(".internal") || host.ends_with(".lan") {
        HostKind::Private
    } else if host.contains('.') {
        HostKind::Name
    } else {
        HostKind::SingleLabel
    }
}

/// `192.168.x.x`: what is left of it tells enough.
fn is_hidden_private_address(host: &str) -> bool {
    let Some(rest) = ["192.168.", "10."]
        .iter()
        .find_map(|network| host.strip_prefix(network))
    else {
        return false;
    };
    rest.contains('x')
        && rest
            .bytes()
            .all(|letter| letter.is_ascii_digit() || matches!(letter, b'x' | b'.'))
}

/// Whether somebody wrote it in the place of the real host.
fn is_placeholder(host: &str) -> bool {
    if host.is_empty() || host.contains(['<', '(', '[', '*', '$', '%', '{']) || host.contains("..")
    {
        return true;
    }
    let is_masked = |label: &str| !label.is_empty() && label.bytes().all(|letter| letter == b'x');
    if host.split('.').all(is_masked)
        || host
            .split('.')
            .any(|label| label.len() > 2 && is_masked(label))
    {
        return true;
    }
    let mut words = host.split(['-', '_', '.', ':']);
    if words.clone().any(stands_for_a_name) {
        return true;
    }
    // A name of one label is made of such words only; of a full name others are left.
    !host.contains('.')
        && words.clone().all(is_vague)
        && words
            .next_back()
            .is_some_and(|last| !matches!(last, "my" | "the" | "some"))
}

/// A word that nobody has in the name of a machine.
fn stands_for_a_name(word: &str) -> bool {
    word.starts_with("your")
        || matches!(
            word,
            "mydomain"
                | "mydomainname"
                | "mywebsite"
                | "mysite"
                | "myserver"
                | "myhost"
                | "myip"
                | "somedomain"
                | "somehost"
                | "someip"
                | "placeholder"
                | "redacted"
                | "censored"
                | "hostname"
                | "fqdn"
                | "changeme"
                | "ipaddress"
                | "undefined"
                | "null"
                | "nan"
                | "tld"
        )
}

/// Words of which names are made that stand for the real one: `some_ip`, `server-ip`.
fn is_vague(word: &str) -> bool {
    matches!(
        word,
        "my" | "some"
            | "the"
            | "any"
            | "server"
            | "public"
            | "external"
            | "remote"
            | "host"
            | "domain"
            | "name"
            | "url"
            | "ip"
            | "address"
            | "addr"
            | "ipaddr"
            | "example"
            | "website"
            | "site"
            | "subdomain"
            | "vps"
            | "foo"
            | "bar"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_hosts() {
        for (host, kind) in [
            ("localhost", HostKind::Loopback),
            ("127.8.9.1", HostKind::Loopback),
            ("::1", HostKind::Loopback),
            ("0.0.0.0", HostKind::Unspecified),
            ("192.168.1.7", HostKind::Private),
            ("203.0.113.7", HostKind::PublicAddress),
            ("ws-server", HostKind::SingleLabel),
            ("chat.example.org", HostKind::Name),
            ("<host>", HostKind::Placeholder),
            ("your-domain.com", HostKind::Placeholder),
            ("mydomain", HostKind::Placeholder),
            ("some_ip", HostKind::Placeholder),
            ("server-ip", HostKind::Placeholder),
            ("example", HostKind::Placeholder),
            ("xxx.xxx.xxx.xxx", HostKind::Placeholder),
            ("x.x.x.x", HostKind::Placeholder),
            ("xxxxx.example", HostKind::Placeholder),
            ("redacted", HostKind::Placeholder),
            ("undefined", HostKind::Placeholder),
            ("192.168.x.x", HostKind::Private),
            ("my-app", HostKind::SingleLabel),
            ("backend", HostKind::SingleLabel),
            ("app.example", HostKind::Name),
            ("server.example.org", HostKind::Name),
        ] {
            assert_eq!(host_kind(host), kind, "{host}");
        }
    }
}
