//! How long and how much.

use std::time::Duration;

/// How long a probe's parts may take and how much it reads.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// The whole probe, without holding the connection open.
    pub budget: Duration,
    /// Resolving the name.
    pub dns: Duration,
    /// Making a connection.
    pub tcp: Duration,
    /// Setting up encryption.
    pub tls: Duration,
    /// From the request to the end of the answer's header.
    pub upgrade: Duration,
    /// From a ping to its pong, and from the close frame to its answer.
    pub websocket: Duration,
    /// How long the open connection is watched for what the server does of itself.
    pub watch: Duration,
    /// The longest that a connection is held open.
    pub hold: Duration,
    /// Most bytes of an answer's header.
    pub header_bytes: usize,
    /// Most bytes that are kept of an answer's body.
    pub body_bytes: usize,
    /// Most bytes of a message.
    pub message_bytes: usize,
    /// Most addresses of a name that are connected to, of each family.
    pub addresses: usize,
    /// Most connections of a probe.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            budget: Duration::from_secs(15),
            dns: Duration::from_secs(4),
            tcp: Duration::from_secs(4),
            tls: Duration::from_secs(4),
            upgrade: Duration::from_secs(5),
            websocket: Duration::from_secs(3),
            watch: Duration::from_secs(1),
            hold: Duration::from_secs(300),
            header_bytes: 64 << 10,
            body_bytes: 2 << 10,
            message_bytes: 64 << 10,
            addresses: 3,
            connections: 24,
        }
    }
}
