//! The pure core: text in, values out.

pub mod redact;
