//! The one integration binary: the real router, a real database, the real knowledge.

mod api;
mod arrows;
mod command_line;
mod evidence;
mod knowledge;
mod recordings;
mod seed;
mod soak;
mod store;
mod support;
