//! Classes of addresses that are not public, after the special-purpose registries of IANA
//! (<https://www.iana.org/assignments/iana-ipv4-special-registry>,
//! <https://www.iana.org/assignments/iana-ipv6-special-registry>).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why an address is not public.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// 0.0.0.0/8 and `::`: this host on this network.
    Unspecified,
    /// 127.0.0.0/8 and `::1`.
    Loopback,
    /// RFC 1918.
    Private,
    /// 100.64.0.0/10, behind carriers' address translation.
    CarrierGradeNat,
    /// 169.254.0.0/16 and fe80::/10.
    LinkLocal,
    /// Where clouds hand out credentials to the machines that run in them.
    Metadata,
    /// 192.0.0.0/24, 2001::/23 and relays of protocols.
    ProtocolAssignment,
    /// For examples in documents.
    Documentation,
    /// 198.18.0.0/15 and 2001:2::/48.
    Benchmarking,
    /// 224.0.0.0/4 and ff00::/8.
    Multicast,
    /// 255.255.255.255.
    Broadcast,
    /// For later use, or for none.
    Reserved,
    /// fc00::/7.
    UniqueLocal,
    /// fec0::/10, deprecated.
    SiteLocal,
    /// 2001:10::/28 and 2001:20::/28: hashes that look like addresses.
    Orchid,
    /// 100::/64 and 100:0:0:1::/64.
    DiscardOnly,
    /// 64:ff9b:1::/48: a network's own translation to IPv4.
    LocalTranslation,
    /// ::/96 and ::ffff:0:0:0/96: IPv4 inside IPv6 in ways that are no longer used.
    DeprecatedEmbedding,
    /// 5f00::/16.
    SegmentRouting,
}

impl Class {
    /// The rule's name, as it is shown and returned.
    pub fn rule(self) -> &'static str {
        match self {
            Class::Unspecified => "unspecified-address",
            Class::Loopback => "loopback-address",
            Class::Private => "private-address",
            Class::CarrierGradeNat => "carrier-grade-nat-address",
            Class::LinkLocal => "link-local-address",
            Class::Metadata => "metadata-address",
            Class::ProtocolAssignment => "protocol-assignment-address",
            Class::Documentation => "documentation-address",
            Class::Benchmarking => "benchmarking-address",
            Class::Multicast => "multicast-address",
            Class::Broadcast => "broadcast-address",
            Class::Reserved => "reserved-address",
            Class::UniqueLocal => "unique-local-address",
            Class::SiteLocal => "site-local-address",
            Class::Orchid => "orchid-address",
            Class::DiscardOnly => "discard-only-address",
            Class::LocalTranslation => "local-translation-address",
            Class::DeprecatedEmbedding => "deprecated-embedding-address",
            Class::SegmentRouting => "segment-routing-address",
        }
    }

    /// Whether one's own command line may reach it: everything that a connection can have as its
    /// other end, except the clouds' credentials.
    pub fn is_own_network(self) -> bool {
        !matches!(self, Class::Metadata | Class::Multicast | Class::Broadcast)
    }
}

/// Addresses at which clouds answer the machines that run in them, beyond 169.254.0.0/16: those of
/// Alibaba, Azure and Oracle.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(192, 0, 0, 192),
];

/// The same within 169.254.0.0/16: nearly all clouds; tasks and pods of AWS; Tencent.
const METADATA_LINK_LOCAL: [Ipv4Addr; 4] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(169, 254, 170, 2),
    Ipv4Addr::new(169, 254, 170, 23),
    Ipv4Addr::new(169, 254, 0, 23),
];

/// The same in IPv6: AWS, its pods, Google, Oracle.
const METADATA_V6: [Ipv6Addr; 4] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe),
];

/// First address, length of the prefix, class. The first that fits counts.
const V4: [(Ipv4Addr, u8, Class); 16] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8, Class::Unspecified),
    (Ipv4Addr::new(10, 0, 0, 0), 8, Class::Private),
    (Ipv4Addr::new(100, 64, 0, 0), 10, Class::CarrierGradeNat),
    (Ipv4Addr::new(127, 0, 0, 0), 8, Class::Loopback),
    (Ipv4Addr::new(169, 254, 0, 0), 16, Class::LinkLocal),
    (Ipv4Addr::new(172, 16, 0, 0), 12, Class::Private),
    (Ipv4Addr::new(192, 0, 0, 0), 24, Class::ProtocolAssignment),
    (Ipv4Addr::new(192, 0, 2, 0), 24, Class::Documentation),
    (Ipv4Addr::new(192, 88, 99, 0), 24, Class::ProtocolAssignment),
    (Ipv4Addr::new(192, 168, 0, 0), 16, Class::Private),
    (Ipv4Addr::new(198, 18, 0, 0), 15, Class::Benchmarking),
    (Ipv4Addr::new(198, 51, 100, 0), 24, Class::Documentation),
    (Ipv4Addr::new(203, 0, 113, 0), 24, Class::Documentation),
    (Ipv4Addr::new(224, 0, 0, 0), 4, Class::Multicast),
    (Ipv4Addr::new(255, 255, 255, 255), 32, Class::Broadcast),
    (Ipv4Addr::new(240, 0, 0, 0), 4, Class::Reserved),
];

const V6: [(Ipv6Addr, u8, Class); 18] = [
    (Ipv6Addr::UNSPECIFIED, 128, Class::Unspecified),
    (Ipv6Addr::LOCALHOST, 128, Class::Loopback),
    (v6(0x64, 0xff9b, 1), 48, Class::LocalTranslation),
    (v6(0x100, 0, 0), 63, Class::DiscardOnly),
    (v6(0x2001, 0x2, 0), 48, Class::Benchmarking),
    (v6(0x2001, 0x10, 0), 28, Class::Orchid),
    (v6(0x2001, 0x20, 0), 28, Class::Orchid),
    (v6(0x2001, 0xdb8, 0), 32, Class::Documentation),
    (v6(0x2001, 0, 0), 23, Class::ProtocolAssignment),
    (v6(0x3fff, 0, 0), 20, Class::Documentation),
    (v6(0x5f00, 0, 0), 16, Class::SegmentRouting),
    (v6(0xfc00, 0, 0), 7, Class::UniqueLocal),
    (v6(0xfe80, 0, 0), 10, Class::LinkLocal),
    (v6(0xfec0, 0, 0), 10, Class::SiteLocal),
    (v6(0xff00, 0, 0), 8, Class::Multicast),
    (Ipv6Addr::UNSPECIFIED, 96, Class::DeprecatedEmbedding),
    (
        Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, 0, 0),
        96,
        Class::DeprecatedEmbedding,
    ),
    (Ipv6Addr::UNSPECIFIED, 8, Class::Reserved),
];

/// Everything that is assigned to the public lies in here.
const GLOBAL_UNICAST: (Ipv6Addr, u8) = (v6(0x2000, 0, 0), 3);

const fn v6(first: u16, second: u16, third: u16) -> Ipv6Addr {
    Ipv6Addr::new(first, second, third, 0, 0, 0, 0, 0)
}

/// The class of an address that is not public; `None` for a public one. An address that carries
/// another one inside is judged by that, too.
pub fn class_of(address: IpAddr) -> Option<Class> {
    match address {
        IpAddr::V4(address) => class_of_v4(address),
        IpAddr::V6(address) => class_of_v6(address),
    }
}

/// Whether two addresses have their first `length` bits in common.
pub(super) fn is_inside(address: IpAddr, network: IpAddr, length: u8) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let shift = 32 - u32::from(length.min(32));
            let differing = u32::from(address) ^ u32::from(network);
            differing.checked_shr(shift).unwrap_or(0) == 0
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let shift = 128 - u32::from(length.min(128));
            let differing = u128::from(address) ^ u128::from(network);
            differing.checked_shr(shift).unwrap_or(0) == 0
        }
        _ => false,
    }
}

fn class_of_v4(address: Ipv4Addr) -> Option<Class> {
    if METADATA_V4.contains(&address) || METADATA_LINK_LOCAL.contains(&address) {
        return Some(Class::Metadata);
    }
    V4.iter()
        .find(|(network, length, _)| is_inside(address.into(), (*network).into(), *length))
        .map(|(_, _, class)| *class)
}

fn class_of_v6(address: Ipv6Addr) -> Option<Class> {
    if METADATA_V6.contains(&address) {
        return Some(Class::Metadata);
    }
    let is_in = |network: Ipv6Addr, length: u8| is_inside(address.into(), network.into(), length);
    let unspecified_or_loopback = address.is_unspecified() || address.is_loopback();
    let inner = embedded(address);
    if !unspecified_or_loopback
        && let Some(class) = inner.iter().find_map(|inner| class_of_v4(*inner))
    {
        return Some(class);
    }
    if !inner.is_empty() && is_transition(address) {
        return None;
    }
    V6.iter()
        .find(|(network, length, _)| is_in(*network, *length))
        .map(|(_, _, class)| *class)
        .or_else(|| (!is_in(GLOBAL_UNICAST.0, GLOBAL_UNICAST.1)).then_some(Class::Reserved))
}

/// Ways of writing a public IPv4 address in IPv6 that really lead there: mapped, translated by
/// NAT64's well-known prefix, 6to4, Teredo.
fn is_transition(address: Ipv6Addr) -> bool {
    let is_in = |network: Ipv6Addr, length: u8| is_inside(address.into(), network.into(), length);
    address.to_ipv4_mapped().is_some()
        || is_in(v6(0x64, 0xff9b, 0), 96)
        || is_in(v6(0x2002, 0, 0), 16)
        || is_in(v6(0x2001, 0, 0), 32)
}

/// The IPv4 addresses that an IPv6 address carries, wherever a router or a host may look for them.
fn embedded(address: Ipv6Addr) -> Vec<Ipv4Addr> {
    let bits = u128::from(address);
    let at = |shift: u32| Ipv4Addr::from(u32::try_from((bits >> shift) & 0xffff_ffff).unwrap_or(0));
    let is_in = |network: Ipv6Addr, length: u8| is_inside(address.into(), network.into(), length);
    let is_last = address.to_ipv4_mapped().is_some()
        || is_in(v6(0x64, 0xff9b, 0), 96)
        || is_in(Ipv6Addr::UNSPECIFIED, 96)
        || is_in(Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, 0, 0), 96);
    let mut found = Vec::new();
    if is_last {
        found.push(at(0));
    }
    if is_in(v6(0x2002, 0, 0), 16) {
        found.push(at(80));
    }
    if is_in(v6(0x2001, 0, 0), 32) {
        // Teredo: the server's address, and the client's with every bit turned.
        found.push(at(64));
        found.push(Ipv4Addr::from(!u32::from(at(0))));
    }
    let interface = (bits >> 32) & 0xffff_ffff;
    if interface == 0x5efe || interface == 0x0200_5efe {
        // ISATAP stands behind any prefix.
        found.push(at(0));
    }
    found
}
