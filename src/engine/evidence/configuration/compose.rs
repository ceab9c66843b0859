//! Docker Compose: whether any service's port is published.
//! <https://docs.docker.com/reference/compose-file/services/#ports>

use super::{Reading, lines_of};

/// Words that mean that another way leads in.
const OTHER_WAYS: &[&str] = &[
    "ports:",
    "network_mode:",
    "labels:",
    "extends:",
    "include:",
    "<<:",
    "...",
];

/// Reads the services of a compose file in a text.
pub(super) fn reading(text: &str) -> Reading {
    let mut reading = Reading::default();
    let (mut services, mut has_image, mut has_other_way) = (None, false, false);
    for (span, line) in lines_of(text) {
        let first = line.split_whitespace().next().unwrap_or_default();
        if services.is_none() {
            if line == "services:" {
                services = Some(span);
            }
            continue;
        }
        has_image |= matches!(first, "image:" | "build:");
        has_other_way |= OTHER_WAYS.contains(&first) || first.contains('…');
    }
    if let Some(span) = services.filter(|_| has_image) {
        reading.add("environment.container", "yes", span);
        if !has_other_way {
            reading.add("container.port", "unpublished", span);
        }
    }
    reading
}
