//! Where knowledge and cases are kept.

pub mod files;
