//! What was read from a case's texts: marks, findings, details, reviews of configurations.

use super::super::marks::{Block, Mark, Marker};
use super::super::messages::Messages;
use super::super::words;
use crate::case::{DiagnosedCase, Entry};
use crate::engine::Diagnosis;
use crate::engine::evidence::{DifferenceLine, Review, Weight};

/// More facts are not listed.
pub(super) const MOST_FACTS: usize = 200;

/// A text with its heading.
pub(super) struct TextView {
    pub(super) heading: String,
    pub(super) blocks: Vec<Block>,
}

/// What there is to say of a configuration.
pub(super) struct ReviewView {
    pub(super) title: String,
    pub(super) quote: String,
    pub(super) place: String,
    pub(super) verdict: &'static str,
    pub(super) findings: Vec<RemarkView>,
    pub(super) difference: Vec<Vec<DifferenceLine>>,
}

pub(super) struct RemarkView {
    pub(super) text: String,
    pub(super) place: String,
}

/// Something that was read, with its number in the text.
pub(super) struct Finding {
    pub(super) number: Option<usize>,
    /// Whether it is the first of its number, to which the mark leads.
    pub(super) is_first: bool,
    pub(super) title: String,
    pub(super) address: String,
    pub(super) source: String,
}

pub(super) struct FactRow {
    pub(super) key: String,
    pub(super) value: String,
    pub(super) source: String,
}

/// The findings of a diagnosis, numbered in the order of the texts.
pub(super) struct Sight<'a> {
    pub(super) t: &'static Messages,
    found: &'a DiagnosedCase,
    pub(super) diagnosis: &'a Diagnosis,
    /// Positions of facts that show a symptom and stand in a text.
    numbered: Vec<usize>,
}

impl<'a> Sight<'a> {
    pub(super) fn new(t: &'static Messages, found: &'a DiagnosedCase) -> Self {
        let diagnosis = &found.diagnosis;
        let mut numbered: Vec<usize> = diagnosis
            .seen()
            .filter_map(|symptom| symptom.fact)
            .filter(|fact| diagnosis.facts[*fact].fact.span.is_some())
            .collect();
        numbered.sort_by_key(|fact| {
            let fact = &diagnosis.facts[*fact].fact;
            (fact.evidence, fact.span)
        });
        // Facts that were read from the same words share a number.
        numbered.dedup_by_key(|fact| {
            let fact = &diagnosis.facts[*fact].fact;
            (fact.evidence, fact.span)
        });
        Sight {
            t,
            found,
            diagnosis,
            numbered,
        }
    }

    /// The number of the words that a fact was read from.
    pub(super) fn number(&self, fact: usize) -> Option<usize> {
        let of = |fact: usize| {
            let fact = &self.diagnosis.facts[fact].fact;
            fact.span.map(|span| (fact.evidence, span))
        };
        let wanted = of(fact)?;
        self.numbered
            .iter()
            .position(|numbered| of(*numbered) == Some(wanted))
            .map(|position| position + 1)
    }

    /// A line of a piece of evidence, in words.
    fn place(&self, line: usize, evidence: usize) -> String {
        if self.is_of_probe(evidence) {
            return self.t.with("source.probe-line", "line", line);
        }
        if self.pastes() > 1 {
            self.t.fill(
                "source.line-of",
                &[("line", &line), ("paste", &(evidence + 1))],
            )
        } else {
            self.t.with("source.line", "line", line)
        }
    }

    fn entry(&self, evidence: usize) -> Option<&Entry> {
        let position = self.found.entry_of(evidence)?;
        self.found.case.entries.get(position)
    }

    fn is_of_probe(&self, evidence: usize) -> bool {
        self.entry(evidence)
            .is_some_and(|entry| entry.probed.is_some())
    }

    /// What there is to say of a configuration.
    pub(super) fn review(&self, review: &Review) -> ReviewView {
        let has = |weight| {
            review
                .findings
                .iter()
                .any(|finding| finding.weight == weight)
        };
        let verdict = if has(Weight::Fault) {
            "configuration.fault"
        } else if has(Weight::Unknown) {
            "configuration.unknown"
        } else if has(Weight::Hint) {
            "configuration.hint"
        } else {
            "configuration.right"
        };
        ReviewView {
            title: self.t.with("configuration.title", "system", review.system),
            quote: review.quote.clone(),
            place: self.place(review.line, review.evidence),
            verdict: self.t.get(verdict),
            findings: review
                .findings
                .iter()
                .map(|finding| RemarkView {
                    text: finding.text.clone(),
                    place: self.place(finding.line, review.evidence),
                })
                .collect(),
            difference: review.difference.clone(),
        }
    }

    /// Where a fact comes from, in words.
    pub(super) fn source(&self, fact: usize) -> String {
        let seen = &self.diagnosis.facts[fact];
        match seen.place {
            Some((line, _)) => self.place(line, seen.fact.evidence),
            None => {
                let key = match self.entry(seen.fact.evidence) {
                    Some(entry) if entry.is_answer() => "source.answer",
                    Some(entry) if entry.probed.is_some() => "source.probe",
                    _ => "source.form",
                };
                self.t.get(key).to_owned()
            }
        }
    }

    fn pastes(&self) -> usize {
        let texts = self.diagnosis.texts.iter().enumerate();
        texts
            .filter(|(evidence, text)| !text.is_empty() && !self.is_of_probe(*evidence))
            .count()
    }

    /// What the words of a number show.
    fn titles(&self, number: usize) -> String {
        let titles: Vec<&str> = self
            .diagnosis
            .seen()
            .filter(|symptom| symptom.fact.and_then(|fact| self.number(fact)) == Some(number))
            .map(|symptom| symptom.title.as_str())
            .collect();
        titles.join("; ")
    }

    pub(super) fn texts(&self, with_reason: &[usize]) -> Vec<TextView> {
        let mut marks: Vec<Vec<Mark>> = vec![Vec::new(); self.diagnosis.texts.len()];
        let mut seen = std::collections::HashSet::new();
        for (position, fact) in self.diagnosis.facts.iter().enumerate() {
            let (Some(span), evidence) = (fact.fact.span, fact.fact.evidence) else {
                continue;
            };
            if !seen.insert((evidence, span)) {
                continue;
            }
            let number = self.number(position);
            let (title, finding) = match number {
                Some(number) => {
                    let place = if with_reason.contains(&number) {
                        "why"
                    } else {
                        "seen"
                    };
                    (
                        self.titles(number),
                        Some((number, format!("{place}-{number}"))),
                    )
                }
                None => (format!("{}: {}", fact.fact.key, fact.fact.value), None),
            };
            if let Some(marks) = marks.get_mut(evidence) {
                marks.push(Mark {
                    start: span.start,
                    end: span.end,
                    title,
                    finding,
                });
            }
        }
        let mut marker = Marker::new(self.t);
        let mut views = Vec::new();
        for (evidence, (text, marks)) in self.diagnosis.texts.iter().zip(&marks).enumerate() {
            if text.is_empty() {
                continue;
            }
            let heading = if self.is_of_probe(evidence) {
                self.t.get("paste.of-probe").to_owned()
            } else if self.pastes() > 1 {
                self.t.with("paste.numbered", "number", evidence + 1)
            } else {
                String::new()
            };
            views.push(TextView {
                heading,
                blocks: marker.blocks(text, marks),
            });
        }
        views
    }

    pub(super) fn findings(&self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self
            .diagnosis
            .seen()
            .map(|symptom| Finding {
                number: symptom.fact.and_then(|fact| self.number(fact)),
                is_first: false,
                title: words::capitalised(&symptom.title),
                address: format!("/symptoms/{}", symptom.id),
                source: symptom
                    .fact
                    .map(|fact| self.source(fact))
                    .unwrap_or_default(),
            })
            .collect();
        findings.sort_by_key(|finding| finding.number.unwrap_or(usize::MAX));
        let mut last = None;
        for finding in &mut findings {
            finding.is_first = finding.number.is_some() && finding.number != last;
            last = finding.number;
        }
        findings
    }

    pub(super) fn facts(&self) -> Vec<FactRow> {
        self.diagnosis
            .facts
            .iter()
            .enumerate()
            .take(MOST_FACTS)
            .map(|(position, seen)| FactRow {
                key: seen.fact.key.to_string(),
                value: seen.fact.value.to_string(),
                source: self.source(position),
            })
            .collect()
    }
}
