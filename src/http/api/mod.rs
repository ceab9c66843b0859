//! The API for programs: JSON in, JSON or a problem out.

pub(super) mod cases;
pub(super) mod diagnoses;
pub(super) mod health;
pub(super) mod knowledge;
pub(super) mod probes;

use super::error::Problem;

/// An address under `/api/` that does not exist.
pub(super) async fn unknown() -> Problem {
    Problem::not_found("There is no such address in the API.")
}
