//! How many connections there may be, in all and from one address.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::watch::{Phase, Watch};

/// Why a connection is turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// All slots are taken by connections that are busy.
    Full,
    /// The peer's address has its share.
    TooManyFromAddress,
}

/// A newcomer's header may be on its way, so nobody is evicted before this.
const GRACE: Duration = Duration::from_millis(200);

/// File descriptors left for the database, probes and refusals.
const RESERVED_FILES: usize = 320;

/// The slots for connections.
#[derive(Clone)]
pub(super) struct Slots(Arc<Inner>);

struct Inner {
    maximum: usize,
    maximum_per_address: usize,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    /// Number of the next connection; numbers rise, so the map begins with the oldest.
    next: u64,
    /// Every connection that takes a slot; an evicted one no longer does.
    connections: BTreeMap<u64, Arc<Watch>>,
    /// Open sockets by address, evicted ones included; never zero.
    by_address: HashMap<IpAddr, usize>,
}

/// A taken slot; dropping it gives the slot back.
pub(super) struct Slot {
    slots: Slots,
    number: u64,
    address: Option<IpAddr>,
}

impl Slots {
    pub(super) fn new(maximum: usize, maximum_per_address: usize) -> Slots {
        Slots(Arc::new(Inner {
            maximum,
            maximum_per_address,
            open: Mutex::default(),
        }))
    }

    /// Takes a slot for a connection from `peer`, if need be from one that waits.
    pub(super) fn take(&self, peer: IpAddr, watch: &Arc<Watch>) -> Result<Slot, Refusal> {
        let address = counted(peer);
        let mut open = self.open();
        if let Some(address) = address {
            let taken = open.by_address.get(&address).copied().unwrap_or(0);
            if taken >= self.0.maximum_per_address {
                return Err(Refusal::TooManyFromAddress);
            }
        }
        if open.connections.len() >= self.0.maximum && !open.make_room() {
            return Err(Refusal::Full);
        }
        if let Some(address) = address {
            *open.by_address.entry(address).or_default() += 1;
        }
        let number = open.next;
        open.next += 1;
        open.connections.insert(number, Arc::clone(watch));
        Ok(Slot {
            slots: self.clone(),
            number,
            address,
        })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// Evicts the connection that never sent a whole header for longest, or
    /// else the one that is idle for longest. False when there is none.
    fn make_room(&mut self) -> bool {
        let now = Instant::now();
        let longest = self
            .connections
            .iter()
            .filter_map(|(number, watch)| Some((number, watch.waiting(now)?, watch)))
            .filter(|(_, waited, _)| *waited >= GRACE)
            .max_by_key(|(_, waited, watch)| (watch.phase() != Phase::Idle, *waited));
        let Some((number, _, watch)) = longest else {
            return false;
        };
        let number = *number;
        watch.evict() && self.connections.remove(&number).is_some()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = self.slots.open();
        open.connections.remove(&self.number);
        let Some(address) = self.address else {
            return;
        };
        if let Some(count) = open.by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                open.by_address.remove(&address);
            }
        }
    }
}

/// The address that a peer is counted under; none for loopback, which is
/// exempt. One IPv6 subscriber has a whole /64 network.
fn counted(peer: IpAddr) -> Option<IpAddr> {
    match peer.to_canonical() {
        address if address.is_loopback() => None,
        IpAddr::V4(address) => Some(IpAddr::V4(address)),
        IpAddr::V6(address) => {
            let network = u128::from(address) & !u128::from(u64::MAX);
            Some(IpAddr::V6(Ipv6Addr::from(network)))
        }
    }
}

/// `wanted` connections, or as many as the process may open files for: running
/// out of descriptors would hit the database too, not only new connections.
pub(super) fn affordable(wanted: usize) -> usize {
    let Some(files) = open_file_limit() else {
        return wanted;
    };
    let affordable = files.saturating_sub(RESERVED_FILES).max(16);
    if affordable < wanted {
        tracing::warn!(
            wanted,
            affordable,
            files,
            "fewer connections than set: the limit of open files (ulimit -n) is too low"
        );
    }
    wanted.min(affordable)
}

/// The soft limit of open files where the system tells it in a file.
fn open_file_limit() -> Option<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch() -> Arc<Watch> {
        Arc::new(Watch::new(Duration::from_secs(10), Duration::from_secs(10)))
    }

    fn busy() -> Arc<Watch> {
        let watch = watch();
        watch.begin_request();
        watch
    }

    fn address(text: &str) -> IpAddr {
        text.parse().expect("address")
    }

    #[test]
    fn an_address_has_its_share_and_loopback_is_exempt() {
        let slots = Slots::new(100, 2);
        let peer = address("192.0.2.1");
        let first = slots.take(peer, &busy()).expect("slot");
        let mapped = slots.take(address("::ffff:192.0.2.1"), &busy());
        assert!(mapped.is_ok());
        let third = slots.take(peer, &busy()).err();
        assert_eq!(third, Some(Refusal::TooManyFromAddress));
        drop(first);
        assert!(slots.take(peer, &busy()).is_ok());
        let loopback: Vec<_> = (0..10)
            .map(|_| slots.take(address("127.0.0.9"), &busy()))
            .collect();
        assert!(loopback.iter().all(Result::is_ok));
    }

    #[test]
    fn an_ipv6_network_counts_as_one_address() {
        let slots = Slots::new(100, 1);
        let _first = slots.take(address("2001:db8::1"), &busy()).expect("slot");
        assert!(slots.take(address("2001:db8::ffff:2"), &busy()).is_err());
        assert!(slots.take(address("2001:db8:0:1::1"), &busy()).is_ok());
    }

    #[test]
    fn addresses_are_forgotten_with_their_last_connection() {
        let slots = Slots::new(100, 1);
        drop(slots.take(address("192.0.2.1"), &busy()));
        let open = slots.open();
        assert!(open.by_address.is_empty() && open.connections.is_empty());
    }

    #[test]
    fn who_waits_makes_room_and_who_is_busy_does_not() {
        let slots = Slots::new(2, 100);
        let peer = address("127.0.0.1");
        let silent = watch();
        let _busy = slots.take(peer, &busy()).expect("slot");
        let _silent = slots.take(peer, &silent).expect("slot");
        assert_eq!(slots.take(peer, &busy()).err(), Some(Refusal::Full));
        std::thread::sleep(GRACE);
        let newcomer = slots.take(peer, &busy());
        assert!(newcomer.is_ok());
        assert_eq!(silent.phase(), Phase::Evicted);
        assert_eq!(slots.take(peer, &busy()).err(), Some(Refusal::Full));
    }
}
