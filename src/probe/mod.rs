//! Looks for itself which layer breaks: name, network, encryption, handshake, open connection.
//!
//! [`Prober::run`] is one future without tasks that outlive it: dropping it ends the probe and
//! closes its connections. Every stage has its time, all together have a budget, and each result is
//! sent as an [`Event`] when it is there.
//!
//! # Layout
//!
//! - [`policy`]: what may be probed. Pure.
//! - `run`: the stages in their order.
//! - `records`: what the name servers say, for people; nobody is connected to by it.
//! - `dns`, `tcp`, `tls`, `upgrade`, `websocket`: one stage each.
//! - `variants`: the handshake again with one thing changed.
//! - [`Limits`], [`Order`]: how long and how much; what is asked for.

mod bytes;
mod dns;
mod limits;
mod names;
mod order;
pub mod policy;
mod records;
mod run;
mod tcp;
mod tls;
mod upgrade;
mod variants;
mod websocket;

use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;

pub use dns::{NameError, Resolve, SystemResolver};
pub use limits::Limits;
pub use order::{Order, Vantage};
pub use records::{Family, Records};
pub use tls::Trust;
pub use upgrade::accept_of;

use crate::case::{Report, Stage, StageKind, Variant};
use policy::{Policy, Refusal, Target};

/// What happened in a probe that runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A stage begins.
    Began(StageKind),
    /// A stage ended, or was skipped or not reached.
    Ended(Stage),
    /// A variant ended.
    Variant(Variant),
}

/// Carries out probes.
#[derive(Clone)]
pub struct Prober {
    policy: Policy,
    limits: Limits,
    resolver: Arc<dyn Resolve>,
    trust: Arc<Trust>,
}

impl std::fmt::Debug for Prober {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Prober")
            .field("policy", &self.policy)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl Prober {
    /// With the system's resolver and the authorities that the system trusts.
    pub fn new(policy: Policy, limits: Limits) -> Self {
        Prober {
            policy,
            limits,
            resolver: Arc::new(SystemResolver),
            trust: Arc::new(Trust::of_system()),
        }
    }

    /// With another resolver.
    #[must_use]
    pub fn with_resolver(self, resolver: Arc<dyn Resolve>) -> Self {
        Prober { resolver, ..self }
    }

    /// With other authorities.
    #[must_use]
    pub fn with_trust(self, trust: Trust) -> Self {
        Prober {
            trust: Arc::new(trust),
            ..self
        }
    }

    /// How long and how much.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Judges an order before it is queued. This opens no connection and asks no resolver.
    ///
    /// # Errors
    /// It is no address, or a rule refuses it.
    pub fn admit(&self, order: &Order) -> Result<Target, Refusal> {
        order.check()?;
        self.policy.read(&order.url)
    }

    /// Carries out a probe. Nobody needs to listen to the events.
    ///
    /// # Errors
    /// The order is refused, also when that shows only after its name was resolved; then no
    /// connection was opened.
    pub async fn run(
        &self,
        order: &Order,
        events: &UnboundedSender<Event>,
    ) -> Result<Report, Refusal> {
        let target = self.admit(order)?;
        run::Walk::new(self, order, target, events).go().await
    }
}
