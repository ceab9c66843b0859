//! A hash of everything that a diagnosis says, whatever knowledge it was made with.
//!
//! Every opened case has one, so it is taken from the values themselves: their Debug form, which is
//! used where it is rarely needed, costs as much as the diagnosis.

use sha2::{Digest, Sha256};

use super::{Diagnosis, RankedCause, SeenFact};

/// Values in their order, told apart by their lengths.
#[derive(Default)]
struct Said(Vec<u8>);

impl Said {
    fn number(&mut self, number: usize) {
        self.0.extend((number as u64).to_le_bytes());
    }

    /// Numbers are rounded before they get here.
    fn real(&mut self, number: f64) {
        self.0.extend(number.to_bits().to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len());
        self.0.extend(text.as_bytes());
    }

    fn maybe(&mut self, number: Option<usize>) {
        self.number(number.map_or(0, |number| number + 1));
    }

    fn optional(&mut self, text: Option<&str>) {
        self.number(usize::from(text.is_some()));
        self.text(text.unwrap_or_default());
    }

    fn cause(&mut self, cause: &RankedCause) {
        self.text(&cause.id);
        self.text(&cause.title);
        self.text(cause.layer.as_str());
        self.real(cause.probability);
        self.number(cause.variants.len());
        for variant in &cause.variants {
            self.text(&variant.id);
            self.text(&variant.title);
            self.real(variant.probability);
        }
        self.number(cause.reasons.len());
        for reason in &cause.reasons {
            self.text(&reason.symptom);
            self.text(&reason.title);
            self.number(usize::from(reason.speaks_for));
            self.real(reason.weight);
            self.maybe(reason.fact);
        }
    }

    fn fact(&mut self, seen: &SeenFact) {
        let fact = &seen.fact;
        self.text(&fact.key);
        self.text(&fact.value);
        self.text(fact.hop.as_str());
        self.text(&fact.vantage);
        self.maybe(fact.connection);
        self.number(fact.evidence);
        self.maybe(fact.span.map(|span| span.start));
        self.maybe(fact.span.map(|span| span.end));
    }

    fn step(&mut self, diagnosis: &Diagnosis) {
        let step = &diagnosis.next_step;
        self.text(&step.id);
        self.text(step.kind.as_str());
        self.text(&step.title);
        self.text(&step.instruction);
        for (system, command) in &step.commands {
            self.text(system);
            self.text(command);
        }
        self.real(step.minutes);
        self.text(step.who.as_str());
        self.text(&step.why);
        self.number(step.answers.len());
        for (id, title) in step.answers.iter() {
            self.text(id);
            self.text(title);
        }
        self.real(diagnosis.expected_minutes);
        for step in &diagnosis.along {
            self.text(&step.id);
        }
    }

    /// What few diagnoses have.
    fn rest(&mut self, diagnosis: &Diagnosis) {
        if !diagnosis.configurations.is_empty() {
            self.text(&format!("{:?}", diagnosis.configurations));
        }
        for candidate in &diagnosis.timeouts {
            self.text(candidate.matching.as_str());
            self.text(&format!("{:?}", candidate.timeout));
        }
        if let Some(lasted) = diagnosis.lasted {
            self.real(lasted.seconds);
            self.number(usize::from(lasted.opened));
        }
    }
}

impl Diagnosis {
    /// A hash of everything it says, whatever knowledge it was made with. The same evidence and the
    /// same knowledge give the same.
    pub fn digest(&self) -> String {
        let mut said = Said::default();
        said.text(self.verdict.as_str());
        said.text(&self.text);
        said.optional(self.layer.map(|layer| layer.as_str()));
        for step in &self.path {
            said.text(step.state.as_str());
            said.text(&step.detail);
        }
        said.number(self.causes.len());
        for cause in &self.causes {
            said.cause(cause);
        }
        said.real(self.other_probability);
        said.number(self.ruled_out);
        said.number(self.facts.len());
        for seen in &self.facts {
            said.fact(seen);
        }
        said.number(self.symptoms.len());
        for symptom in &self.symptoms {
            said.text(&symptom.id);
            said.text(&symptom.title);
            said.maybe(symptom.fact);
        }
        said.step(self);
        for (kind, count) in &self.redacted {
            said.text(kind);
            said.number(*count);
        }
        for text in self.texts.iter().chain(&self.notes) {
            said.text(text);
        }
        said.optional(self.subject.url().as_deref());
        said.optional(self.subject.origin.as_deref());
        said.optional(self.edge.as_deref());
        said.rest(self);
        Sha256::digest(&said.0)[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}
