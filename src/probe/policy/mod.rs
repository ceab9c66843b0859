//! What may be probed. Pure: it opens nothing and asks nobody.
//!
//! A prober is a request forger's dream, so an address is judged twice: as it is written
//! ([`Policy::read`]) and again after its name was resolved ([`Policy::judge`]), and the connection
//! goes to exactly the address that passed.

mod allow;
mod classes;
mod target;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

pub use allow::{AllowError, Allowed, Ports, PortsError};
pub use classes::{Class, class_of};
pub use target::{LONGEST_ADDRESS, Scheme, Target};

/// Which rule refuses a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Not one of ws, wss, http, https.
    Scheme,
    /// A user name or password stands in the address.
    UserInfo,
    /// The port is not on the list.
    Port,
    /// The address is not public.
    Address(Class),
}

impl Rule {
    /// The name that is shown and returned.
    pub fn as_str(self) -> &'static str {
        match self {
            Rule::Scheme => "scheme",
            Rule::UserInfo => "user-info",
            Rule::Port => "port",
            Rule::Address(class) => class.rule(),
        }
    }
}

/// Why a probe is not carried out. No connection was opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The rule that refuses it; `None` where what was given is no address at all.
    pub rule: Option<Rule>,
    /// What is wrong and what to do.
    pub message: String,
}

impl Refusal {
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Refusal {
            rule: None,
            message: message.into(),
        }
    }

    fn by(rule: Rule, message: impl Into<String>) -> Self {
        Refusal {
            rule: Some(rule),
            message: message.into(),
        }
    }
}

/// What may be probed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Networks and names that may be reached although they are not public.
    pub allowed: Allowed,
    /// Ports that may be connected to.
    pub ports: Ports,
    /// The machine's own networks may be reached, on every port: for one's own command line.
    pub allow_private: bool,
}

impl Policy {
    /// Judges an address as it is written; a literal address is judged whole.
    ///
    /// # Errors
    /// It is no address, or a rule refuses it.
    pub fn read(&self, text: &str) -> Result<Target, Refusal> {
        let target = Target::read(text)?;
        self.check_port(target.port)?;
        if let Some(address) = target.literal {
            self.judge(&target.host, address)?;
        }
        Ok(target)
    }

    /// Judges a port.
    ///
    /// # Errors
    /// It is not on the list.
    pub fn check_port(&self, port: u16) -> Result<(), Refusal> {
        if self.allow_private || self.ports.hold(port) {
            return Ok(());
        }
        Err(Refusal::by(
            Rule::Port,
            format!(
                "port {port} is not probed (allowed: {}); the operator can add it with \
                 --probe-ports, and `wsdoctor probe --allow-private` on your own machine reaches it",
                self.ports
            ),
        ))
    }

    /// Judges an address that `host` leads to, and gives the address to connect to.
    ///
    /// # Errors
    /// It is not public, and neither the name nor its network is allowed.
    pub fn judge(&self, host: &str, address: IpAddr) -> Result<IpAddr, Refusal> {
        // The operating system connects a mapped address to the IPv4 address inside.
        let address = address.to_canonical();
        let Some(class) = class_of(address) else {
            return Ok(address);
        };
        if self.allowed.name(host)
            || self.allowed.network(address)
            || (self.allow_private && class.is_own_network())
        {
            return Ok(address);
        }
        Err(Refusal::by(
            Rule::Address(class),
            format!(
                "{host} leads to {address}, which is not public ({}): nothing was sent there. \
                 Run `wsdoctor probe --allow-private` on a machine in that network; the operator \
                 can open it with --probe-allow",
                class.rule().trim_end_matches("-address").replace('-', " ")
            ),
        ))
    }
}
