//! The operator's lists: networks, names and ports.

use std::fmt;
use std::net::IpAddr;

use super::classes::is_inside;

/// Networks and names that may be reached although they are not public.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    networks: Vec<(IpAddr, u8)>,
    /// Lower case; one that begins with a dot stands for everything below it.
    names: Vec<String>,
}

/// An entry of the list cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is neither a network such as 10.0.0.0/8 or fd00::/8, nor an address, nor a name such as app.internal or *.internal"
)]
pub struct AllowError(pub String);

impl Allowed {
    /// Reads the entries: a network, an address, a name, or `*.name` for all names below it.
    ///
    /// # Errors
    /// The first entry that is none of these.
    pub fn read<T: AsRef<str>>(entries: &[T]) -> Result<Self, AllowError> {
        let mut allowed = Allowed::default();
        for entry in entries {
            let entry = entry.as_ref().trim();
            if let Some(network) = network(entry) {
                allowed.networks.push(network);
            } else {
                allowed
                    .names
                    .push(name(entry).ok_or_else(|| AllowError(entry.to_owned()))?);
            }
        }
        Ok(allowed)
    }

    /// Whether the name itself is allowed, whatever it leads to.
    pub(super) fn name(&self, host: &str) -> bool {
        self.names.iter().any(|known| {
            if known.starts_with('.') {
                host.ends_with(known.as_str())
            } else {
                host == known
            }
        })
    }

    /// Whether the address lies in an allowed network.
    pub(super) fn network(&self, address: IpAddr) -> bool {
        self.networks
            .iter()
            .any(|(network, length)| is_inside(address, *network, *length))
    }
}

fn network(entry: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = match entry.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (entry, None),
    };
    let address: IpAddr = address.trim_matches(['[', ']']).parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let length = match length {
        None => most,
        Some(length) => length.parse().ok().filter(|length| *length <= most)?,
    };
    Some((address, length))
}

fn name(entry: &str) -> Option<String> {
    let lower = entry.trim_end_matches('.').to_lowercase();
    let (below, name) = match lower.strip_prefix("*.").or(lower.strip_prefix('.')) {
        Some(name) => (".", name),
        None => ("", lower.as_str()),
    };
    let ascii = match url::Host::parse(name).ok()? {
        url::Host::Domain(name) => name,
        // 127.1 and its like are addresses in an odd spelling: the list names what it means.
        _ => return None,
    };
    let is_name = ascii.split('.').all(|label| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    });
    is_name.then(|| format!("{below}{ascii}"))
}

/// Ports that browsers never connect to, because what listens there could take a handshake for
/// commands of its own: <https://fetch.spec.whatwg.org/#port-blocking>.
const BLOCKED_BY_BROWSERS: [u16; 20] = [
    1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669,
    6679, 6697, 10080, 0,
];

/// Databases, caches and remote control: nobody speaks WebSocket there.
const OTHER_SERVICES: [u16; 16] = [
    1433, 1521, 2375, 2376, 2379, 2380, 3306, 3389, 5432, 5672, 5900, 6379, 9042, 9092, 11211,
    27017,
];

/// Ports that may be connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ports(Vec<(u16, u16)>);

/// A list of ports cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither a port nor a range of ports such as 8000-8999")]
pub struct PortsError(pub String);

impl Default for Ports {
    /// 80, 443 and what programs without special rights may listen on.
    fn default() -> Self {
        Ports(vec![(80, 80), (443, 443), (1024, 65535)])
    }
}

impl Ports {
    /// Reads ports and ranges such as `80`, `8000-8999`.
    ///
    /// # Errors
    /// The first entry that is neither.
    pub fn read<T: AsRef<str>>(entries: &[T]) -> Result<Self, PortsError> {
        let mut ranges = Vec::new();
        for entry in entries {
            let entry = entry.as_ref().trim();
            let (first, last) = entry.split_once('-').unwrap_or((entry, entry));
            match (first.trim().parse(), last.trim().parse()) {
                (Ok(first), Ok(last)) if first > 0 && first <= last => ranges.push((first, last)),
                _ => return Err(PortsError(entry.to_owned())),
            }
        }
        Ok(Ports(ranges))
    }

    /// Whether the port is on the list. In a range, ports of other services do not count; one that
    /// is named by itself does.
    pub fn hold(&self, port: u16) -> bool {
        let is_other = BLOCKED_BY_BROWSERS.contains(&port) || OTHER_SERVICES.contains(&port);
        self.0
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&port) && (!is_other || first == last))
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, (first, last)) in self.0.iter().enumerate() {
            if position > 0 {
                formatter.write_str(", ")?;
            }
            if first == last {
                write!(formatter, "{first}")?;
            } else {
                write!(formatter, "{first}-{last}")?;
            }
        }
        Ok(())
    }
}
