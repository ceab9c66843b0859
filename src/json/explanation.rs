//! Why a cause is as likely as it is.

use serde::Serialize;

use crate::engine::diagnosis::{Change, Explained, Explanation, Strength};

/// Why a cause is as likely as it is, and what would change that.
#[derive(Debug, Serialize)]
pub struct ExplanationJson {
    id: String,
    title: String,
    layer: &'static str,
    url: String,
    /// The root of its family, if it is a narrower cause.
    parent: Option<String>,
    prior: f64,
    /// Before the last step: what the prior and the factors make.
    weighed: f64,
    probability: f64,
    place: usize,
    families: usize,
    reasons: Vec<ExplainedJson>,
    stage: String,
    unseen: Vec<UnseenJson>,
    rival: Option<RivalJson>,
    raises: Vec<ChangeJson>,
    lowers: Vec<ChangeJson>,
}

#[derive(Debug, Serialize)]
struct ExplainedJson {
    symptom: String,
    title: String,
    direction: &'static str,
    /// `strongly`, `clearly` or `slightly`.
    strength: &'static str,
    weight: f64,
    /// What the odds are multiplied by.
    factor: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    quote: Option<String>,
}

#[derive(Debug, Serialize)]
struct UnseenJson {
    symptom: String,
    title: String,
    frequency: &'static str,
}

#[derive(Debug, Serialize)]
struct RivalJson {
    id: String,
    title: String,
    probability: f64,
    url: String,
    differences: Vec<ExplainedJson>,
}

#[derive(Debug, Serialize)]
struct ChangeJson {
    step: String,
    title: String,
    kind: &'static str,
    minutes: f64,
    who: &'static str,
    answer: String,
    answer_title: String,
    probability: f64,
}

fn explained(explained: &Explained) -> ExplainedJson {
    let reason = &explained.reason;
    ExplainedJson {
        symptom: reason.symptom.to_string(),
        title: reason.title.to_string(),
        direction: if reason.speaks_for { "for" } else { "against" },
        strength: Strength::of(reason.weight).as_str(),
        weight: reason.weight,
        factor: explained.factor,
        quote: explained.quote.clone(),
    }
}

fn change(change: &Change) -> ChangeJson {
    ChangeJson {
        step: change.check.clone(),
        title: change.title.clone(),
        kind: change.kind.as_str(),
        minutes: change.minutes,
        who: change.who.as_str(),
        answer: change.answer.clone(),
        answer_title: change.answer_title.clone(),
        probability: change.probability,
    }
}

/// Why a cause is as likely as it is.
pub fn explanation(of: &Explanation) -> ExplanationJson {
    ExplanationJson {
        id: of.id.clone(),
        title: of.title.clone(),
        layer: of.layer.as_str(),
        url: format!("/causes/{}", of.id),
        parent: of.parent.as_ref().map(|(id, _)| id.clone()),
        prior: of.prior,
        weighed: of.weighed,
        probability: of.probability,
        place: of.place,
        families: of.families,
        reasons: of.reasons.iter().map(explained).collect(),
        stage: of.stage.clone(),
        unseen: of
            .unseen
            .iter()
            .map(|unseen| UnseenJson {
                symptom: unseen.symptom.clone(),
                title: unseen.title.clone(),
                frequency: unseen.frequency.as_str(),
            })
            .collect(),
        rival: of.rival.as_ref().map(|rival| RivalJson {
            id: rival.id.clone(),
            title: rival.title.clone(),
            probability: rival.probability,
            url: format!("/causes/{}", rival.id),
            differences: rival.differences.iter().map(explained).collect(),
        }),
        raises: of.raises.iter().map(change).collect(),
        lowers: of.lowers.iter().map(change).collect(),
    }
}
