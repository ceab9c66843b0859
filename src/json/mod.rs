//! The one public JSON shape: API, `--format json` and batch answers alike.
//!
//! Adding fields is free; names and meanings are a contract with other programs.

mod case;
mod explanation;
mod handover;
mod probe;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::engine::evidence::{Context, Reach, Review, told_of};
use crate::engine::graph::{Access, Cause, Code, Frequency, Graph, Hop, Symptom, Timeout, Who};
use crate::engine::next_step::NextStep;
use crate::engine::redact::redact;
use crate::engine::{Diagnosis, Evidence, diagnosis};

pub use case::{CaseJson, CaseSummaryJson, OutcomeJson, case};
pub use explanation::{ExplanationJson, explanation};
pub use handover::{BundleJson, bundle};
pub use probe::{
    ProbeJson, ProbeVariantJson, ReportJson, ReportWrittenJson, StageJson, StageWrittenJson,
};
pub use probe::{probe, report, stage, variant};

/// Evidence as callers send it.
#[derive(Debug, Default, Deserialize)]
pub struct EvidenceJson {
    /// A pasted text.
    #[serde(default)]
    pub text: Option<String>,
    /// Facts that the caller knows.
    #[serde(default)]
    pub facts: Vec<FactJson>,
    /// What surrounds the failure.
    #[serde(default)]
    pub context: Option<ContextJson>,
    /// A probe's report, as the command line or the self-test page made it.
    #[serde(default)]
    pub probe: Option<ReportJson>,
}

/// A fact as callers send it.
#[derive(Debug, Deserialize)]
pub struct FactJson {
    /// Such as `handshake.status`.
    pub key: String,
    /// A word, a number or a truth value.
    pub value: serde_json::Value,
    /// `client-edge` or `edge-origin`.
    #[serde(default)]
    pub hop: Hop,
    /// `user`, `server`, `edge` or a name.
    #[serde(default)]
    pub vantage: Option<String>,
    /// When it was seen, RFC 3339.
    #[serde(default)]
    pub at: Option<String>,
}

/// What surrounds the failure, as callers send it.
#[derive(Debug, Default, Deserialize)]
pub struct ContextJson {
    /// What stands in front of the server.
    #[serde(default)]
    pub edge: Vec<String>,
    /// Whether it works on the developer's machine.
    #[serde(default)]
    pub works_locally: Option<bool>,
    /// Seconds from opening to the end.
    #[serde(default)]
    pub fails_after_seconds: Option<f64>,
    /// Browsers or networks.
    #[serde(default)]
    pub only_in: Vec<String>,
    /// Since when, in words.
    #[serde(default)]
    pub since: Option<String>,
    /// Whose part can be done without waiting for somebody else: `user`, `helpdesk`, `developer`,
    /// `server admin`, `network team`.
    #[serde(default)]
    pub can: Vec<String>,
}

/// Why evidence cannot be taken: a JSON pointer and what to do instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Invalid {
    /// Which part, RFC 6901.
    pub pointer: String,
    /// What is wrong with it.
    pub detail: String,
}

/// A caller may state at most that many facts.
const MOST_FACTS: usize = 1000;
/// Longer keys and values are no facts.
const LONGEST_VALUE: usize = 2000;

impl EvidenceJson {
    /// What the engine takes.
    ///
    /// # Errors
    /// Nothing was given, or a part is not of its form; all complaints at once.
    pub fn into_evidence(self) -> Result<Evidence, Vec<Invalid>> {
        let mut problems = Vec::new();
        let nothing = self
            .text
            .as_deref()
            .is_none_or(|text| text.trim().is_empty())
            && self.facts.is_empty()
            && self.context.is_none()
            && self.probe.is_none();
        if nothing {
            return Err(vec![Invalid {
                pointer: String::new(),
                detail: "give at least one of text, facts, context and probe".to_owned(),
            }]);
        }
        let mut facts = stated(self.facts, "/facts", &mut problems);
        let mut text = self.text;
        if let Some(report) = self.probe {
            facts.extend(stated(report.facts, "/probe/facts", &mut problems));
            for (number, stage) in report.stages.into_iter().enumerate() {
                let pointer = format!("/probe/stages/{number}/facts");
                facts.extend(stated(stage.facts, &pointer, &mut problems));
            }
            let exchange = report.exchange.as_deref().map(told_of);
            let probed: Vec<String> = report.url.into_iter().chain(exchange).collect();
            if text.is_none() && !probed.is_empty() {
                text = Some(probed.join("\n\n"));
            }
        }
        if facts.len() > MOST_FACTS {
            problems.push(Invalid {
                pointer: "/facts".to_owned(),
                detail: format!("at most {MOST_FACTS} facts"),
            });
        }
        let context = self.context.unwrap_or_default();
        if context
            .fails_after_seconds
            .is_some_and(|seconds| !seconds.is_finite() || seconds < 0.0)
        {
            problems.push(Invalid {
                pointer: "/context/fails_after_seconds".to_owned(),
                detail: "a number of seconds, 0 or more".to_owned(),
            });
        }
        let can: Vec<Option<Who>> = context
            .can
            .iter()
            .map(|word| Who::from_word(word))
            .collect();
        for (number, _) in can.iter().enumerate().filter(|(_, who)| who.is_none()) {
            problems.push(Invalid {
                pointer: format!("/context/can/{number}"),
                detail: format!("one of {}", Who::ALL.map(Who::as_str).join(", ")),
            });
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Evidence {
            text,
            facts,
            context: Context {
                edge: context.edge,
                works_locally: context.works_locally,
                fails_after_seconds: context.fails_after_seconds,
                only_in: context.only_in,
                since: context.since,
                can: can.into_iter().flatten().collect(),
                reach: Reach::default(),
            },
            answered: Vec::new(),
        })
    }
}

fn stated(
    facts: Vec<FactJson>,
    pointer: &str,
    problems: &mut Vec<Invalid>,
) -> Vec<diagnosis::StatedFact> {
    let mut good = Vec::new();
    for (number, fact) in facts.into_iter().enumerate() {
        let value = match fact.value {
            serde_json::Value::String(word) => word,
            serde_json::Value::Number(number) => number.to_string(),
            serde_json::Value::Bool(true) => "yes".to_owned(),
            serde_json::Value::Bool(false) => "no".to_owned(),
            _ => {
                problems.push(Invalid {
                    pointer: format!("{pointer}/{number}/value"),
                    detail: "a word, a number, true or false".to_owned(),
                });
                continue;
            }
        };
        if fact.key.is_empty() || fact.key.len() > 100 || value.len() > LONGEST_VALUE {
            problems.push(Invalid {
                pointer: format!("{pointer}/{number}"),
                detail: format!("a key of 1 to 100 bytes and a value of at most {LONGEST_VALUE}"),
            });
            continue;
        }
        good.push(diagnosis::StatedFact {
            key: fact.key,
            value,
            hop: fact.hop,
            vantage: fact.vantage.unwrap_or_default(),
        });
    }
    good
}

/// A diagnosis as callers get it.
#[derive(Debug, Serialize)]
pub struct DiagnosisJson {
    verdict: VerdictJson,
    layer: Option<&'static str>,
    path: Vec<PathJson>,
    causes: Vec<CauseJson>,
    /// Faults beside the listed causes.
    also: Vec<AlsoJson>,
    other_probability: f64,
    facts: Vec<SeenFactJson>,
    next_step: StepJson,
    expected_minutes: f64,
    redacted: BTreeMap<String, usize>,
    notes: Vec<String>,
    configurations: Vec<ConfigurationJson>,
    timeouts: Vec<TimeoutCandidateJson>,
    knowledge: KnowledgeJson,
}

/// What there is to say of a configuration that was given.
#[derive(Debug, Serialize)]
struct ConfigurationJson {
    system: &'static str,
    evidence: usize,
    line: usize,
    quote: String,
    right: bool,
    findings: Vec<ConfigurationFindingJson>,
    difference: Vec<Vec<DifferenceLineJson>>,
}

#[derive(Debug, Serialize)]
struct ConfigurationFindingJson {
    weight: &'static str,
    text: String,
    line: usize,
}

#[derive(Debug, Serialize)]
struct DifferenceLineJson {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    text: String,
}

fn configuration(review: &Review) -> ConfigurationJson {
    ConfigurationJson {
        system: review.system,
        evidence: review.evidence,
        line: review.line,
        quote: review.quote.clone(),
        right: review.is_right(),
        findings: review
            .findings
            .iter()
            .map(|finding| ConfigurationFindingJson {
                weight: finding.weight.as_str(),
                text: finding.text.clone(),
                line: finding.line,
            })
            .collect(),
        difference: review
            .difference
            .iter()
            .map(|stretch| {
                let lines = stretch.iter().map(|line| DifferenceLineJson {
                    kind: line.kind.as_str(),
                    line: line.number,
                    text: line.text.clone(),
                });
                lines.collect()
            })
            .collect(),
    }
}

#[derive(Debug, Serialize)]
struct VerdictJson {
    kind: &'static str,
    text: String,
}

#[derive(Debug, Serialize)]
struct PathJson {
    stage: &'static str,
    state: &'static str,
    detail: String,
}

/// A cause as callers get it; batch answers hold only these.
#[derive(Debug, Serialize)]
pub struct CauseJson {
    id: String,
    ancestors: Vec<String>,
    title: String,
    layer: &'static str,
    probability: f64,
    url: String,
    variants: Vec<VariantJson>,
    reasons: Vec<ReasonJson>,
}

#[derive(Debug, Serialize)]
struct VariantJson {
    id: String,
    title: String,
    probability: f64,
    url: String,
}

#[derive(Debug, Serialize)]
struct ReasonJson {
    symptom: String,
    title: String,
    direction: &'static str,
    weight: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    quote: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
}

#[derive(Debug, Serialize)]
struct SeenFactJson {
    key: String,
    value: String,
    hop: &'static str,
    vantage: String,
    connection: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    length: Option<usize>,
}

#[derive(Debug, Serialize)]
struct StepJson {
    id: String,
    kind: &'static str,
    title: String,
    instruction: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<String>,
    commands: BTreeMap<String, String>,
    minutes: f64,
    who: &'static str,
    why: String,
    answers: Vec<AnswerJson>,
    /// What one needs at hand for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    access: Option<&'static str>,
    /// What is worth doing with it, because it needs the same at hand.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    along: Vec<StepJson>,
}

#[derive(Debug, Serialize)]
struct AnswerJson {
    id: String,
    title: String,
}

#[derive(Debug, Serialize)]
struct AlsoJson {
    cause: String,
    title: String,
    layer: &'static str,
    probability: f64,
    url: String,
    why: String,
    /// The ids of the symptoms that were seen of it.
    symptoms: Vec<String>,
}

#[derive(Debug, Serialize)]
struct KnowledgeJson {
    version: String,
    hash: String,
}

/// The causes of a diagnosis, as batch answers give them.
pub fn causes(diagnosis: &Diagnosis) -> Vec<CauseJson> {
    diagnosis
        .causes
        .iter()
        .map(|cause| CauseJson {
            id: cause.id.to_string(),
            ancestors: Vec::new(),
            title: cause.title.to_string(),
            layer: cause.layer.as_str(),
            probability: cause.probability,
            url: format!("/causes/{}", cause.id),
            variants: cause
                .variants
                .iter()
                .map(|variant| VariantJson {
                    id: variant.id.to_string(),
                    title: variant.title.to_string(),
                    probability: variant.probability,
                    url: format!("/causes/{}", variant.id),
                })
                .collect(),
            reasons: cause
                .reasons
                .iter()
                .map(|reason| {
                    let seen = reason.fact.map(|fact| &diagnosis.facts[fact]);
                    ReasonJson {
                        symptom: reason.symptom.to_string(),
                        title: reason.title.to_string(),
                        direction: if reason.speaks_for { "for" } else { "against" },
                        weight: reason.weight,
                        quote: seen.and_then(|seen| seen.quote.clone()),
                        line: seen.and_then(|seen| seen.place).map(|(line, _)| line),
                        column: seen.and_then(|seen| seen.place).map(|(_, column)| column),
                    }
                })
                .collect(),
        })
        .collect()
}

fn step(step: &NextStep) -> StepJson {
    StepJson {
        id: step.id.clone(),
        kind: step.kind.as_str(),
        title: step.title.clone(),
        instruction: step.instruction.clone(),
        command: step
            .commands
            .get("linux")
            .or_else(|| step.commands.values().next())
            .cloned(),
        commands: step.commands.clone(),
        minutes: step.minutes,
        who: step.who.as_str(),
        why: step.why.clone(),
        answers: step
            .answers
            .iter()
            .map(|(id, title)| AnswerJson {
                id: id.clone(),
                title: title.clone(),
            })
            .collect(),
        access: None,
        along: Vec::new(),
    }
}

/// A diagnosis as callers get it.
pub fn diagnosis(diagnosis: &Diagnosis) -> DiagnosisJson {
    DiagnosisJson {
        verdict: VerdictJson {
            kind: diagnosis.verdict.as_str(),
            text: diagnosis.text.clone(),
        },
        layer: diagnosis.layer.map(crate::engine::graph::Layer::as_str),
        path: diagnosis
            .path
            .iter()
            .map(|step| PathJson {
                stage: step.layer.as_str(),
                state: step.state.as_str(),
                detail: step.detail.clone(),
            })
            .collect(),
        causes: causes(diagnosis),
        also: diagnosis
            .also
            .iter()
            .map(|fault| AlsoJson {
                cause: fault.cause.clone(),
                title: fault.title.clone(),
                layer: fault.layer.as_str(),
                probability: fault.probability,
                url: format!("/causes/{}", fault.cause),
                why: fault.why.clone(),
                symptoms: fault
                    .symptoms
                    .iter()
                    .map(|seen| seen.id.to_string())
                    .collect(),
            })
            .collect(),
        other_probability: diagnosis.other_probability,
        facts: diagnosis
            .facts
            .iter()
            .map(|seen| SeenFactJson {
                key: seen.fact.key.to_string(),
                value: seen.fact.value.to_string(),
                hop: seen.fact.hop.as_str(),
                vantage: seen.fact.vantage.to_string(),
                connection: seen.fact.connection,
                line: seen.place.map(|(line, _)| line),
                column: seen.place.map(|(_, column)| column),
                length: seen.length,
            })
            .collect(),
        next_step: StepJson {
            access: diagnosis.access.map(Access::as_str),
            along: diagnosis.along.iter().map(step).collect(),
            ..step(&diagnosis.next_step)
        },
        expected_minutes: diagnosis.expected_minutes,
        redacted: diagnosis.redacted.clone(),
        notes: diagnosis.notes.clone(),
        configurations: diagnosis.configurations.iter().map(configuration).collect(),
        timeouts: diagnosis
            .timeouts
            .iter()
            .map(|candidate| TimeoutCandidateJson {
                matching: candidate.matching.as_str(),
                timeout: timeout(&candidate.timeout),
            })
            .collect(),
        knowledge: KnowledgeJson {
            version: diagnosis.knowledge.version.clone(),
            hash: diagnosis.knowledge.hash.clone(),
        },
    }
}

/// A cause in a list.
#[derive(Debug, Serialize)]
pub struct CauseSummaryJson {
    id: String,
    title: String,
    layer: &'static str,
    parent: Option<String>,
    url: String,
}

/// A cause in a list.
pub fn cause_summary(cause: &Cause) -> CauseSummaryJson {
    CauseSummaryJson {
        id: cause.id.to_string(),
        title: cause.title.to_string(),
        layer: cause.layer.as_str(),
        parent: cause.parent.clone(),
        url: format!("/causes/{}", cause.id),
    }
}

/// A whole cause.
#[derive(Debug, Serialize)]
pub struct CauseEntryJson {
    #[serde(flatten)]
    summary: CauseSummaryJson,
    prior: &'static str,
    text: String,
    symptoms: Vec<LinkJson>,
    checks: Vec<AnswerJson>,
    references: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<FixJson>,
}

#[derive(Debug, Serialize)]
struct LinkJson {
    id: String,
    title: String,
    frequency: &'static str,
}

#[derive(Debug, Serialize)]
struct FixJson {
    minutes: f64,
    risk: &'static str,
    who: &'static str,
    verify: String,
}

/// A whole cause.
pub fn cause_entry(graph: &Graph, cause: &Cause) -> CauseEntryJson {
    CauseEntryJson {
        summary: cause_summary(cause),
        prior: cause.prior.as_str(),
        text: cause.body.clone(),
        symptoms: cause
            .symptoms
            .iter()
            .filter_map(|(id, frequency)| {
                Some(LinkJson {
                    title: graph.symptom(id)?.title.clone(),
                    id: id.clone(),
                    frequency: frequency.as_str(),
                })
            })
            .collect(),
        checks: cause
            .checks
            .iter()
            .filter_map(|id| {
                Some(AnswerJson {
                    title: graph.check(id)?.title.clone(),
                    id: id.clone(),
                })
            })
            .collect(),
        references: cause.references.clone(),
        fix: cause.fix.as_ref().map(|fix| FixJson {
            minutes: fix.minutes,
            risk: fix.risk.as_str(),
            who: fix.who.as_str(),
            verify: fix.verify.clone(),
        }),
    }
}

/// A symptom and the causes that show it.
#[derive(Debug, Serialize)]
pub struct SymptomJson {
    id: String,
    title: String,
    causes: Vec<LinkJson>,
}

/// A symptom and the causes that show it, those that show it most often first.
pub fn symptom(graph: &Graph, symptom: &Symptom) -> SymptomJson {
    let mut causes: Vec<(Frequency, &Cause)> = graph
        .causes
        .iter()
        .filter_map(|cause| Some((*cause.symptoms.get(&symptom.id)?, cause)))
        .collect();
    causes.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.id.cmp(&b.1.id)));
    SymptomJson {
        id: symptom.id.clone(),
        title: symptom.title.clone(),
        causes: causes
            .into_iter()
            .map(|(frequency, cause)| LinkJson {
                id: cause.id.to_string(),
                title: cause.title.to_string(),
                frequency: frequency.as_str(),
            })
            .collect(),
    }
}

/// A code.
#[derive(Debug, Serialize)]
pub struct CodeJson {
    id: String,
    family: String,
    title: String,
    text: String,
    causes: Vec<String>,
    references: Vec<String>,
}

/// A code.
pub fn code(code: &Code) -> CodeJson {
    CodeJson {
        id: code.id.clone(),
        family: code.family.clone(),
        title: code.title.clone(),
        text: code.text.clone(),
        causes: code.causes.clone(),
        references: code.references.clone(),
    }
}

/// A limit of time.
#[derive(Debug, Serialize)]
pub struct TimeoutJson {
    id: String,
    title: String,
    system: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    product: String,
    /// How long, in seconds.
    seconds: f64,
    kind: &'static str,
    side: &'static str,
    /// What to change; empty if it is fixed.
    setting: String,
    versions: String,
    cause: String,
    note: String,
    source: String,
    verified: bool,
    url: String,
}

/// A limit of time that fits how long the connection lasted.
#[derive(Debug, Serialize)]
struct TimeoutCandidateJson {
    /// `named`, `possible` or `unlikely`.
    #[serde(rename = "match")]
    matching: &'static str,
    #[serde(flatten)]
    timeout: TimeoutJson,
}

/// A limit of time.
pub fn timeout(timeout: &Timeout) -> TimeoutJson {
    TimeoutJson {
        id: timeout.id.clone(),
        title: timeout.title.clone(),
        system: timeout.system.clone(),
        product: timeout.product.clone(),
        seconds: timeout.seconds,
        kind: timeout.kind.as_str(),
        side: timeout.side.as_str(),
        setting: timeout.setting.clone(),
        versions: timeout.versions.clone(),
        cause: timeout.cause.clone(),
        note: timeout.note.clone(),
        source: timeout.source.clone(),
        verified: timeout.verified,
        url: format!("/timeouts#{}", timeout.id),
    }
}

/// What a search found.
#[derive(Debug, Serialize)]
pub struct SearchJson {
    query: String,
    results: Vec<HitJson>,
}

#[derive(Debug, Serialize)]
struct HitJson {
    kind: String,
    id: String,
    title: String,
    url: String,
    excerpt: String,
}

/// What a search found, as (kind, id, title, url, excerpt).
pub fn search(query: &str, hits: Vec<(String, String, String, String, String)>) -> SearchJson {
    SearchJson {
        query: redact(query).text,
        results: hits
            .into_iter()
            .map(|(kind, id, title, url, excerpt)| HitJson {
                kind,
                id,
                title,
                url,
                excerpt,
            })
            .collect(),
    }
}
