//! The one integration binary: the real router, a real database, the real knowledge.

mod api;
mod arrows;
mod browser;
mod cases;
mod code;
mod command_line;
mod configurations;
mod doubts;
mod evidence;
mod knowledge;
mod pages;
mod probe;
mod probes_http;
mod ranking;
mod ranks;
mod recordings;
mod samples;
mod secrets;
mod seed;
mod sentences;
mod snapshots;
mod soak;
mod store;
mod support;
mod timeouts;
mod view;
