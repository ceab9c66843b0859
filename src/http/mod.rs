//! The HTTP face.

/// The accept loop with its deadlines and caps.
pub mod listener;
