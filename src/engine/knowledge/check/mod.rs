//! The curator's compiler: references between entries, form of ids, patterns against their own
//! examples.

mod causes;
mod checks;
mod ids;
mod overlaps;
mod patterns;
mod prose;
mod prose_lines;
mod reach;
mod spelling;
mod symptoms;

use super::{Problem, Read, Severity, line_of_offset};

/// Where an entry stands, for messages.
struct Places<'a> {
    read: &'a Read,
    problems: Vec<Problem>,
}

impl Places<'_> {
    fn add(&mut self, severity: Severity, file: &str, needle: &str, message: String) {
        let line = self
            .read
            .texts
            .get(file)
            .and_then(|text| {
                // In quotation marks an id is not the beginning of a longer one.
                let quoted = text.find(&format!("\"{needle}\""));
                let at = quoted.or_else(|| text.find(needle))?;
                Some(line_of_offset(text, at))
            })
            .unwrap_or(0);
        self.add_at(severity, file, line, message);
    }

    fn add_at(&mut self, severity: Severity, file: &str, line: usize, message: String) {
        self.problems.push(Problem {
            file: file.to_owned(),
            line,
            severity,
            message,
        });
    }

    fn warning_at(&mut self, file: &str, line: usize, message: String) {
        self.add_at(Severity::Warning, file, line, message);
    }

    fn into_problems(mut self) -> Vec<Problem> {
        self.problems.sort();
        self.problems.dedup();
        self.problems
    }

    fn error(&mut self, file: &str, needle: &str, message: String) {
        self.add(Severity::Error, file, needle, message);
    }

    fn warning(&mut self, file: &str, needle: &str, message: String) {
        self.add(Severity::Warning, file, needle, message);
    }
}

/// Checks what was read: references between entries, form of ids, patterns against their own
/// examples. What needs a whole diagnosis (the entries' own tests) is the engine's part.
pub fn check(read: &Read) -> Vec<Problem> {
    let graph = &read.graph;
    let mut places = Places {
        read,
        problems: read.problems.clone(),
    };
    ids::check_ids(graph, &mut places);
    symptoms::check_symptoms(graph, &mut places);
    patterns::check_patterns(graph, &mut places);
    causes::check_causes(graph, &mut places);
    checks::check_checks(graph, &mut places);
    checks::check_timeouts(graph, &mut places);
    prose::check_links_in_prose(graph, &mut places);
    prose::check_fences(&mut places);
    places.into_problems()
}

/// What does not keep the knowledge from being used and is wrong all the same: patterns that
/// overlap, what can never be reached, words that are spelt in two ways.
pub fn doubts(read: &Read) -> Vec<Problem> {
    let mut places = Places {
        read,
        problems: Vec::new(),
    };
    overlaps::check_overlaps(&read.graph, &mut places);
    reach::check_reach(&read.graph, &mut places);
    spelling::check_spelling(&mut places);
    places.into_problems()
}
