//! Probes: as callers get them, and their reports as callers hand them in again.

use serde::{Deserialize, Serialize};

use super::{DiagnosisJson, FactJson, diagnosis};
use crate::case::{Probe, Report, Stage, Variant};
use crate::engine::Diagnosis;
use crate::engine::diagnosis::StatedFact;

/// A probe's report: its facts are evidence like any other.
#[derive(Debug, Default, Deserialize)]
pub struct ReportJson {
    /// The address that was probed.
    #[serde(default)]
    pub url: Option<String>,
    /// What was learnt.
    #[serde(default)]
    pub facts: Vec<FactJson>,
    /// The stages, each with facts of its own.
    #[serde(default)]
    pub stages: Vec<StageJson>,
    /// The handshake as it went over the wire.
    #[serde(default)]
    pub exchange: Option<String>,
}

/// A stage of a probe's report.
#[derive(Debug, Default, Deserialize)]
pub struct StageJson {
    /// What was learnt.
    #[serde(default)]
    pub facts: Vec<FactJson>,
}

/// A probe as callers get it.
#[derive(Debug, Serialize)]
pub struct ProbeJson {
    id: String,
    url: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'static str>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "str::is_empty")]
    message: String,
    /// The case that its result goes into.
    #[serde(skip_serializing_if = "Option::is_none")]
    case: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<ReportWrittenJson>,
}

/// A report as callers get it; what reads it again is [`ReportJson`].
#[derive(Debug, Serialize)]
pub struct ReportWrittenJson {
    url: String,
    started_at: String,
    stages: Vec<StageWrittenJson>,
    variants: Vec<ProbeVariantJson>,
    /// All facts, those of the stages included.
    facts: Vec<StatedFactJson>,
    /// The handshake as it went over the wire, without secrets.
    #[serde(skip_serializing_if = "String::is_empty")]
    exchange: String,
    diagnosis: DiagnosisJson,
}

/// A stage as callers get it.
#[derive(Debug, Serialize)]
pub struct StageWrittenJson {
    stage: &'static str,
    state: &'static str,
    started_ms: u64,
    took_ms: u64,
    detail: String,
    facts: Vec<StatedFactJson>,
}

/// A variant of the handshake as callers get it.
#[derive(Debug, Serialize)]
pub struct ProbeVariantJson {
    id: String,
    changed: String,
    outcome: String,
    accepted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "String::is_empty")]
    finding: String,
    took_ms: u64,
}

#[derive(Debug, Serialize)]
struct StatedFactJson {
    key: String,
    value: String,
    hop: &'static str,
    vantage: String,
}

/// A probe as callers get it; `diagnosed` is what its report amounts to.
pub fn probe(probe: &Probe, diagnosed: Option<&Diagnosis>) -> ProbeJson {
    ProbeJson {
        id: probe.id.clone(),
        url: probe.url.clone(),
        state: probe.state.as_str(),
        rule: probe.rule,
        message: probe.message.clone(),
        case: probe.case.clone(),
        report: probe
            .report
            .as_ref()
            .zip(diagnosed)
            .map(|(seen, diagnosed)| report(seen, diagnosed)),
    }
}

/// A report as callers get it, with what it amounts to.
pub fn report(report: &Report, diagnosed: &Diagnosis) -> ReportWrittenJson {
    ReportWrittenJson {
        url: report.url.clone(),
        started_at: report.started_at.to_string(),
        stages: report.stages.iter().map(stage).collect(),
        variants: report.variants.iter().map(variant).collect(),
        facts: report.all_facts().iter().map(fact).collect(),
        exchange: report.exchange.clone(),
        diagnosis: diagnosis(diagnosed),
    }
}

/// A stage as callers get it, in a report and as an event.
pub fn stage(stage: &Stage) -> StageWrittenJson {
    StageWrittenJson {
        stage: stage.stage.as_str(),
        state: stage.state.as_str(),
        started_ms: stage.started_ms,
        took_ms: stage.took_ms,
        detail: stage.detail.clone(),
        facts: stage.facts.iter().map(fact).collect(),
    }
}

/// A variant as callers get it, in a report and as an event.
pub fn variant(variant: &Variant) -> ProbeVariantJson {
    ProbeVariantJson {
        id: variant.id.clone(),
        changed: variant.changed.clone(),
        outcome: variant.outcome.clone(),
        accepted: variant.accepted,
        status: variant.status,
        finding: variant.finding.clone(),
        took_ms: variant.took_ms,
    }
}

fn fact(fact: &StatedFact) -> StatedFactJson {
    StatedFactJson {
        key: fact.key.clone(),
        value: fact.value.clone(),
        hop: fact.hop.as_str(),
        vantage: fact.vantage.clone(),
    }
}
