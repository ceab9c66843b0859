//! Connections to the addresses of a name, each family told apart.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Faster than the search for a machine in one's own network ends.
const AT_ONCE: Duration = Duration::from_millis(500);

/// Why a connection could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConnectError {
    Refused,
    TimedOut,
    HostUnreachable,
    NetworkUnreachable,
    Reset,
    Denied,
    AddressNotAvailable,
    Other,
}

impl ConnectError {
    fn of(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => ConnectError::Refused,
            io::ErrorKind::TimedOut => ConnectError::TimedOut,
            io::ErrorKind::HostUnreachable => ConnectError::HostUnreachable,
            io::ErrorKind::NetworkUnreachable => ConnectError::NetworkUnreachable,
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => {
                ConnectError::Reset
            }
            io::ErrorKind::PermissionDenied => ConnectError::Denied,
            io::ErrorKind::AddrNotAvailable => ConnectError::AddressNotAvailable,
            _ => ConnectError::Other,
        }
    }

    /// The value of `tcp.connect`.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            ConnectError::Refused => "refused",
            ConnectError::TimedOut => "timed-out",
            ConnectError::HostUnreachable => "host-unreachable",
            ConnectError::NetworkUnreachable => "network-unreachable",
            ConnectError::Reset => "reset",
            ConnectError::Denied => "denied",
            ConnectError::AddressNotAvailable => "address-not-available",
            ConnectError::Other => "failed",
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            ConnectError::Refused => "refused",
            ConnectError::TimedOut => "no answer",
            ConnectError::HostUnreachable => "host unreachable",
            ConnectError::NetworkUnreachable => "network unreachable",
            ConnectError::Reset => "reset",
            ConnectError::Denied => "not permitted",
            ConnectError::AddressNotAvailable => "address not available",
            ConnectError::Other => "failed",
        }
    }
}

/// What came of one address.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) address: IpAddr,
    pub(super) result: Result<TcpStream, ConnectError>,
    pub(super) took: Duration,
}

/// Connects to one address.
pub(super) async fn connect(
    address: IpAddr,
    port: u16,
    limit: Duration,
) -> Result<TcpStream, ConnectError> {
    match timeout(limit, TcpStream::connect(SocketAddr::new(address, port))).await {
        Err(_) => Err(ConnectError::TimedOut),
        Ok(Err(error)) => Err(ConnectError::of(&error)),
        Ok(Ok(stream)) => {
            // Frames and requests are small and wait for nothing.
            let _ = stream.set_nodelay(true);
            Ok(stream)
        }
    }
}

/// Connects to all addresses at once; what came of each stands in the order of the addresses.
pub(super) async fn connect_all(addresses: &[IpAddr], port: u16, limit: Duration) -> Vec<Attempt> {
    let mut running = JoinSet::new();
    for (position, address) in addresses.iter().copied().enumerate() {
        running.spawn(async move {
            let begun = tokio::time::Instant::now();
            let result = connect(address, port, limit).await;
            let attempt = Attempt {
                address,
                result,
                took: begun.elapsed(),
            };
            (position, attempt)
        });
    }
    let mut attempts = running.join_all().await;
    attempts.sort_by_key(|(position, _)| *position);
    attempts.into_iter().map(|(_, attempt)| attempt).collect()
}

/// The facts of all attempts: key and value.
pub(super) fn facts(attempts: &[Attempt]) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    let worked = attempts.iter().any(|attempt| attempt.result.is_ok());
    if worked {
        facts.push(("tcp.connect", "ok".to_owned()));
    } else if let Some(error) = first_error(attempts) {
        facts.push(("tcp.connect", error.as_str().to_owned()));
    }
    if let Some(took) = unreachable_after(attempts) {
        let value = if took < AT_ONCE { "at-once" } else { "late" };
        facts.push(("tcp.unreachable", value.to_owned()));
    }
    if let Some(families) = families(attempts) {
        facts.push(("tcp.families", families.to_owned()));
    }
    if !worked
        && attempts
            .iter()
            .all(|attempt| attempt.address.is_ipv6() && attempt.address.is_loopback())
    {
        facts.push(("tcp.address.kind", "ipv6-loopback".to_owned()));
    }
    facts
}

/// The error that tells most: one of a family that this machine can use.
fn first_error(attempts: &[Attempt]) -> Option<ConnectError> {
    let errors = || {
        attempts
            .iter()
            .filter_map(|attempt| attempt.result.as_ref().err())
    };
    errors()
        .find(|error| !is_own_lack(**error))
        .or_else(|| errors().next())
        .copied()
}

/// When it was clear that the host cannot be reached, if that is what was told: a firewall that
/// rejects says so at once, a machine that is not there is looked for first.
fn unreachable_after(attempts: &[Attempt]) -> Option<Duration> {
    attempts
        .iter()
        .all(|attempt| matches!(attempt.result, Err(ConnectError::HostUnreachable)))
        .then(|| attempts.iter().map(|attempt| attempt.took).min())?
}

/// A machine without IPv6 cannot say anything about a server's.
fn is_own_lack(error: ConnectError) -> bool {
    matches!(
        error,
        ConnectError::NetworkUnreachable | ConnectError::AddressNotAvailable
    )
}

/// How the two families compare, if both could be tried.
fn families(attempts: &[Attempt]) -> Option<&'static str> {
    let outcome = |is_v6: bool| {
        let mut of_family = attempts
            .iter()
            .filter(|attempt| attempt.address.is_ipv6() == is_v6)
            .filter(|attempt| !matches!(&attempt.result, Err(error) if is_own_lack(*error)))
            .peekable();
        of_family.peek()?;
        let mut all_refused = true;
        for attempt in of_family {
            match attempt.result {
                Ok(_) => return Some(Ok(())),
                Err(error) => all_refused &= error == ConnectError::Refused,
            }
        }
        Some(Err(all_refused))
    };
    match (outcome(false)?, outcome(true)?) {
        (Ok(()), Ok(())) => Some("both-ok"),
        (Ok(()), Err(_)) => Some("only-ipv6-failed"),
        (Err(_), Ok(())) => Some("only-ipv4-failed"),
        (Err(true), Err(true)) => Some("both-refused"),
        (Err(_), Err(_)) => None,
    }
}

/// One line for people.
pub(super) fn detail(attempts: &[Attempt], port: u16) -> String {
    let parts: Vec<String> = attempts
        .iter()
        .map(|attempt| {
            let place = SocketAddr::new(attempt.address, port);
            match &attempt.result {
                Ok(_) => format!("{place} connected in {} ms", attempt.took.as_millis()),
                Err(error) => format!("{place} {}", error.in_words()),
            }
        })
        .collect();
    parts.join("; ")
}
