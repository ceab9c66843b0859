//! The pure core: text and facts in, a diagnosis out.
//!
//! No disk, network, clock, environment or async in here, so it cannot fail on input. Input is
//! redacted before anything else looks at it: no rule, no message and no caller ever sees a secret.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod anchors;
pub mod calibration;
mod chosen;
mod codes;
pub mod diagnosis;
pub mod dice;
pub mod evidence;
mod expression;
pub mod graph;
mod greatest;
mod index;
pub mod knowledge;
pub mod learned;
pub mod literals;
pub mod matching;
pub mod near;
pub mod next_step;
mod overlap;
pub mod proof;
pub mod prose;
pub mod ranking;
pub mod redact;
pub mod screen;
mod shapes;
mod sieve;
pub mod timeouts;
mod wording;

pub use diagnosis::{Diagnosis, Engine, Evidence};
