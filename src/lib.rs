//! wsdoctor tells people why their WebSocket connection fails and leads them to a verified fix.
//!
//! # Layout
//!
//! - [`engine`]: the pure core. Text and facts in, a diagnosis out; no disk, network, clock.
//! - [`store`]: knowledge files, and SQLite behind a small trait.
//! - [`case`]: a troubleshooting session as a value, and a probe's report as one.
//! - [`probe`]: looks for itself which layer breaks.
//! - [`app`]: the use cases, for every face alike.
//! - [`json`]: the one public JSON shape.
//! - [`report`]: a diagnosis as text and as Markdown.
//! - [`http`]: pages and API.
//! - [`cli`]: one file a command.
//! - [`config`], [`telemetry`]: settings, logs.
//!
//! Who may import whom stands in `docs/architecture.md`, and a test keeps it.

pub mod app;
pub mod case;
pub mod cli;
pub mod config;
pub mod engine;
pub mod http;
pub mod json;
pub mod probe;
pub mod report;
pub mod store;
pub mod telemetry;
