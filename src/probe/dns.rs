//! Name resolution, by the resolver that every program of this machine asks: /etc/hosts, search
//! lists and the like are heeded as clients heed them.

use std::io;
use std::net::IpAddr;

use async_trait::async_trait;

use super::records::{self, Records};

/// Why a name leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// There is no such name, or it has no address.
    #[error("there is no such name, or it has no address")]
    NotFound,
    /// The name service answered with a failure.
    #[error("the name service failed: {0}")]
    Failing(String),
}

/// Turns names into addresses.
#[async_trait]
pub trait Resolve: Send + Sync {
    /// The addresses of a name in the order in which a client tries them. It is asked once a
    /// probe: the addresses that pass the policy are those that are connected to.
    ///
    /// # Errors
    /// The name leads nowhere.
    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, NameError>;

    /// What the name servers say of each address family, and over which aliases: that explains, and
    /// no connection goes to an address because of it. `None` where nobody can be asked.
    async fn records(&self, _name: &str) -> Option<Records> {
        None
    }
}

/// The operating system's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, NameError> {
        let found = tokio::net::lookup_host((name, 0)).await;
        let mut addresses: Vec<IpAddr> = Vec::new();
        for place in found.map_err(|error| name_error(&error))? {
            if !addresses.contains(&place.ip()) {
                addresses.push(place.ip());
            }
        }
        if addresses.is_empty() {
            return Err(NameError::NotFound);
        }
        Ok(addresses)
    }

    async fn records(&self, name: &str) -> Option<Records> {
        records::ask(name).await
    }
}

/// The standard library keeps the resolver's words and drops its number.
fn name_error(error: &io::Error) -> NameError {
    let text = error.to_string();
    let lower = text.to_ascii_lowercase();
    let is_missing = [
        "not known",
        "no address associated",
        "nodename nor servname",
        "no such host",
        "does not resolve",
        "try again with",
    ]
    .iter()
    .any(|words| lower.contains(words));
    if is_missing {
        NameError::NotFound
    } else {
        NameError::Failing(text.replace("failed to lookup address information: ", ""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resolvers_words_tell_missing_from_failing() {
        let read = |text: &str| name_error(&io::Error::other(text));
        assert_eq!(
            read("failed to lookup address information: Name or service not known"),
            NameError::NotFound
        );
        assert_eq!(
            read("failed to lookup address information: No address associated with hostname"),
            NameError::NotFound
        );
        assert_eq!(
            read("failed to lookup address information: Temporary failure in name resolution"),
            NameError::Failing("Temporary failure in name resolution".to_owned())
        );
    }
}
