//! What the name servers say of a name: of each address family apart, and over which aliases. The
//! system's resolver merges all that into one list, or one failure.
//!
//! This explains and no more: connections go to the addresses that [`super::Resolve::resolve`] gave
//! and the policy judged, never to those that are read here.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use domain::base::iana::{Class, Rcode};
use domain::base::{Message, MessageBuilder, Name, Rtype};
use domain::rdata::{A, Aaaa, Cname};
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// Where the system says whom it asks.
const CONFIGURATION: &str = "/etc/resolv.conf";
/// The C library asks no more servers either.
const MOST_SERVERS: usize = 3;
/// Nor does it append more suffixes.
const MOST_SUFFIXES: usize = 6;
/// A question may be lost on its way: it is put so often to each server.
const ATTEMPTS: usize = 2;
/// A server that says nothing for so long is passed over.
const PATIENCE: Duration = Duration::from_millis(1200);
/// Longer chains of aliases are loops, or as good as that.
const MOST_ALIASES: usize = 16;
/// Larger answers over UDP do not come.
const LARGEST: usize = 4096;
/// More addresses are not kept.
const MOST_ADDRESSES: usize = 64;

/// What the name servers say of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Records {
    /// The names that it leads over (CNAME), in their order, without itself.
    pub aliases: Vec<String>,
    /// The A records.
    pub v4: Family,
    /// The AAAA records.
    pub v6: Family,
}

/// What came of the question for the addresses of one family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Family {
    /// These addresses.
    Found(Vec<IpAddr>),
    /// The name exists and has no address of that family.
    Without,
    /// There is no such name (NXDOMAIN).
    NoName,
    /// The name servers report a failure: its name.
    Failing(String),
    /// No name server answered.
    Silent,
}

impl Family {
    /// The word used in facts.
    pub fn as_str(&self) -> &'static str {
        match self {
            Family::Found(_) => "found",
            Family::Without => "none",
            Family::NoName => "no-name",
            Family::Failing(_) => "failing",
            Family::Silent => "timed-out",
        }
    }

    /// Whether the name servers left the question open.
    pub fn is_open(&self) -> bool {
        matches!(self, Family::Failing(_) | Family::Silent)
    }
}

/// Whom the system asks, and how it completes short names.
#[derive(Debug, Default, PartialEq, Eq)]
struct Configuration {
    servers: Vec<SocketAddr>,
    suffixes: Vec<String>,
    /// From so many dots on a name is asked for as it is written.
    dots: usize,
}

impl Configuration {
    fn read(text: &str) -> Self {
        let mut read = Configuration {
            dots: 1,
            ..Configuration::default()
        };
        for line in text.lines() {
            let mut words = line.split_whitespace();
            match words.next() {
                Some("nameserver") => {
                    let address = words.next().and_then(|word| word.parse::<IpAddr>().ok());
                    read.servers
                        .extend(address.map(|address| SocketAddr::new(address, 53)));
                }
                // The last one counts.
                Some("search" | "domain") => {
                    read.suffixes = words.take(MOST_SUFFIXES).map(str::to_owned).collect();
                }
                Some("options") => {
                    let mut dots =
                        words.filter_map(|word| word.strip_prefix("ndots:")?.parse().ok());
                    read.dots = dots.next_back().unwrap_or(read.dots);
                }
                _ => {}
            }
        }
        read.servers.truncate(MOST_SERVERS);
        if read.servers.is_empty() {
            let own = Ipv4Addr::LOCALHOST.into();
            read.servers.push(SocketAddr::new(own, 53));
        }
        read
    }

    /// The names that are asked for, in their order, until one exists.
    fn candidates(&self, name: &str) -> Vec<String> {
        let is_final = name.ends_with('.') || name.matches('.').count() >= self.dots;
        let as_written = name.trim_end_matches('.').to_owned();
        if is_final {
            return vec![as_written];
        }
        let suffixes = self.suffixes.iter().map(|suffix| suffix.trim_matches('.'));
        let mut all: Vec<String> = suffixes
            .filter(|suffix| !suffix.is_empty())
            .map(|suffix| format!("{as_written}.{suffix}"))
            .collect();
        all.push(as_written);
        all
    }
}

/// Asks the system's name servers; `None` where that is not how this system resolves names.
pub(super) async fn ask(name: &str) -> Option<Records> {
    let text = tokio::fs::read_to_string(CONFIGURATION).await.ok()?;
    ask_with(&Configuration::read(&text), name).await
}

async fn ask_with(configuration: &Configuration, name: &str) -> Option<Records> {
    let mut records = None;
    for candidate in configuration.candidates(name) {
        let name = Name::<Vec<u8>>::vec_from_str(&candidate).ok()?;
        let servers = &configuration.servers;
        let (v4, v6) = tokio::join!(
            family(servers, &name, Rtype::A),
            family(servers, &name, Rtype::AAAA)
        );
        let (aliases, other) = (v4.0, v6.0);
        let found = Records {
            // Both kinds lead over the same ones, where both are answered.
            aliases: if aliases.is_empty() { other } else { aliases },
            v4: v4.1,
            v6: v6.1,
        };
        let is_missing = found.v4 == Family::NoName && found.v6 == Family::NoName;
        records = Some(found);
        if !is_missing {
            break;
        }
    }
    records
}

/// The aliases and the addresses of one family.
async fn family(
    servers: &[SocketAddr],
    name: &Name<Vec<u8>>,
    kind: Rtype,
) -> (Vec<String>, Family) {
    let mut last = (Vec::new(), Family::Silent);
    for server in servers {
        for _ in 0..ATTEMPTS {
            match timeout(PATIENCE, exchange(*server, name, kind)).await {
                Ok(Ok(answer)) => {
                    let read = read(&answer, name, kind);
                    // Another server may know better.
                    if !read.1.is_open() {
                        return read;
                    }
                    last = read;
                    break;
                }
                // Nobody listens there.
                Ok(Err(error)) => {
                    if last.1 == Family::Silent {
                        last.1 = Family::Failing(error.kind().to_string());
                    }
                    break;
                }
                Err(_) => {}
            }
        }
    }
    last
}

/// Puts one question to one server. Nothing but the answer to it is taken.
async fn exchange(
    server: SocketAddr,
    name: &Name<Vec<u8>>,
    kind: Rtype,
) -> io::Result<Message<Vec<u8>>> {
    let mut query = MessageBuilder::new_vec();
    query.header_mut().set_random_id();
    query.header_mut().set_rd(true);
    let mut query = query.question();
    query
        .push((name, kind, Class::IN))
        .map_err(io::Error::other)?;
    let query = query.into_message();
    let own: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((own, 0)).await?;
    // Nobody else's datagrams come through.
    socket.connect(server).await?;
    socket.send(query.as_slice()).await?;
    let mut buffer = vec![0; LARGEST];
    loop {
        let length = socket.recv(&mut buffer).await?;
        let Ok(answer) = Message::from_octets(buffer[..length].to_vec()) else {
            continue;
        };
        if answer.is_answer(&query) {
            return Ok(answer);
        }
    }
}

/// Reads an answer. What is broken in it is left out.
fn read(answer: &Message<Vec<u8>>, name: &Name<Vec<u8>>, kind: Rtype) -> (Vec<String>, Family) {
    let aliases = aliases(answer, name);
    let family = match answer.header().rcode() {
        Rcode::NXDOMAIN => Family::NoName,
        Rcode::NOERROR => match addresses(answer, kind) {
            found if found.is_empty() => Family::Without,
            found => Family::Found(found),
        },
        code => Family::Failing(code.to_string()),
    };
    (aliases, family)
}

fn addresses(answer: &Message<Vec<u8>>, kind: Rtype) -> Vec<IpAddr> {
    let Ok(section) = answer.answer() else {
        return Vec::new();
    };
    let mut found: Vec<IpAddr> = Vec::new();
    if kind == Rtype::A {
        let records = section.limit_to_in::<A>().flatten();
        found.extend(records.map(|record| IpAddr::from(record.data().addr())));
    } else {
        let records = section.limit_to_in::<Aaaa>().flatten();
        found.extend(records.map(|record| IpAddr::from(record.data().addr())));
    }
    found.truncate(MOST_ADDRESSES);
    found
}

/// The chain of aliases from the name on.
fn aliases(answer: &Message<Vec<u8>>, name: &Name<Vec<u8>>) -> Vec<String> {
    let Ok(section) = answer.answer() else {
        return Vec::new();
    };
    let known: Vec<(String, String)> = section
        .limit_to_in::<Cname<_>>()
        .flatten()
        .map(|record| {
            let owner = record.owner().to_string().to_ascii_lowercase();
            (owner, record.data().cname().to_string())
        })
        .collect();
    let mut chain: Vec<String> = Vec::new();
    let mut at = name.to_string().to_ascii_lowercase();
    while chain.len() < MOST_ALIASES
        && let Some((_, target)) = known.iter().find(|(owner, _)| *owner == at)
    {
        at = target.to_ascii_lowercase();
        chain.push(target.clone());
    }
    chain
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a name server makes of a query for records of that kind.
    type Answering = fn(&Message<Vec<u8>>, Rtype) -> Option<Vec<u8>>;

    fn named(name: &str) -> Name<Vec<u8>> {
        Name::vec_from_str(name).expect("a name")
    }

    /// A name server that gives every question to `answer` and sends back what it makes of it.
    async fn server(answer: Answering) -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        let address = socket.local_addr().expect("its address");
        tokio::spawn(async move {
            let mut buffer = [0; 512];
            while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
                let query = Message::from_octets(buffer[..length].to_vec()).expect("a query");
                let kind = query.first_question().expect("a question").qtype();
                if let Some(bytes) = answer(&query, kind) {
                    socket.send_to(&bytes, peer).await.expect("sent");
                }
            }
        });
        address
    }

    async fn asked(answer: Answering) -> Records {
        let configuration = Configuration {
            servers: vec![server(answer).await],
            ..Configuration::default()
        };
        let records = ask_with(&configuration, "chat.acme.io").await;
        records.expect("records")
    }

    fn code(query: &Message<Vec<u8>>, code: Rcode) -> Option<Vec<u8>> {
        let builder = MessageBuilder::new_vec();
        let answer = builder.start_answer(query, code).expect("an answer");
        Some(answer.finish())
    }

    /// An alias, and an IPv4 address behind it.
    fn aliased(query: &Message<Vec<u8>>, kind: Rtype) -> Option<Vec<u8>> {
        let builder = MessageBuilder::new_vec();
        let mut answer = builder.start_answer(query, Rcode::NOERROR).expect("answer");
        let alias = Cname::new(named("edge.acme.io"));
        answer
            .push((named("Chat.acme.io"), 60, alias))
            .expect("room");
        let alias = Cname::new(named("lb.cloud.net"));
        answer
            .push((named("edge.acme.io"), 60, alias))
            .expect("room");
        if kind == Rtype::A {
            let address = A::from_octets(192, 0, 2, 7);
            answer
                .push((named("lb.cloud.net"), 60, address))
                .expect("room");
        }
        Some(answer.finish())
    }

    #[tokio::test]
    async fn families_and_aliases_are_told_apart() {
        let records = asked(aliased).await;
        assert_eq!(records.aliases, ["edge.acme.io", "lb.cloud.net"]);
        let address: IpAddr = "192.0.2.7".parse().expect("an address");
        assert_eq!(records.v4, Family::Found(vec![address]));
        assert_eq!(records.v6, Family::Without);
    }

    #[tokio::test]
    async fn missing_failing_and_silent_are_told_apart() {
        let missing = asked(|query, _| code(query, Rcode::NXDOMAIN)).await;
        assert_eq!((missing.v4, missing.v6), (Family::NoName, Family::NoName));
        let empty = asked(|query, _| code(query, Rcode::NOERROR)).await;
        assert_eq!((empty.v4, empty.v6), (Family::Without, Family::Without));
        let half = asked(|query, kind| match kind {
            Rtype::A => aliased(query, kind),
            _ => code(query, Rcode::SERVFAIL),
        })
        .await;
        assert!(matches!(half.v4, Family::Found(_)));
        assert_eq!(half.v6, Family::Failing("SERVFAIL".to_owned()));
        let silent = asked(|query, kind| match kind {
            Rtype::A => aliased(query, kind),
            _ => None,
        })
        .await;
        assert_eq!(silent.v6, Family::Silent);
    }

    #[tokio::test]
    async fn only_the_answer_to_the_question_counts() {
        let records = asked(|query, kind| {
            let mut bytes = aliased(query, kind)?;
            // Somebody who guesses has another number.
            bytes[0] ^= 1;
            Some(bytes)
        })
        .await;
        assert_eq!(records.v4, Family::Silent);
        let broken = asked(|query, kind| {
            let bytes = aliased(query, kind)?;
            Some(bytes[..bytes.len() - 3].to_vec())
        })
        .await;
        assert_ne!(broken.v4, Family::NoName);
    }

    #[test]
    fn the_systems_configuration_is_heeded() {
        let read = Configuration::read(
            "# comment\nnameserver 10.0.0.2\nnameserver fe80::1%eth0\nnameserver 2001:db8::53\n\
             search team.acme.io acme.io\noptions timeout:1 ndots:2\n",
        );
        let servers: Vec<String> = read.servers.iter().map(ToString::to_string).collect();
        assert_eq!(servers, ["10.0.0.2:53", "[2001:db8::53]:53"]);
        assert_eq!(
            read.candidates("chat.acme"),
            ["chat.acme.team.acme.io", "chat.acme.acme.io", "chat.acme"]
        );
        assert_eq!(read.candidates("chat.acme.io"), ["chat.acme.io"]);
        assert_eq!(read.candidates("chat."), ["chat"]);
        let own = Configuration::read("").servers;
        assert_eq!(own[0].to_string(), "127.0.0.1:53");
    }
}
