//! The connection's way, part by part: what worked, where it broke, what was not reached.

use super::super::graph::{Layer, Stage, StageState};
use super::gathered::Gathered;
use super::{Engine, PathStep, RankedCause, StepState, VerdictKind};

impl Engine {
    pub(super) fn path(
        &self,
        gathered: &Gathered,
        symptoms: &[(usize, usize)],
        causes: &[RankedCause],
        verdict: VerdictKind,
    ) -> Vec<PathStep> {
        let mut failed: Option<Stage> = None;
        let mut passed: Option<Stage> = None;
        for (row, _) in symptoms {
            match self.model.stage_of(*row) {
                Some((stage, StageState::Failed)) => failed = failed.max(Some(stage)),
                Some((stage, StageState::Ok)) => passed = passed.max(Some(stage)),
                None => {}
            }
        }
        let first = causes
            .first()
            .filter(|_| matches!(verdict, VerdictKind::Identified | VerdictKind::Likely));
        let broken = match failed {
            Some(Stage::Client) => Some(Layer::Client),
            Some(Stage::Name) => Some(Layer::Dns),
            Some(Stage::Network) => Some(Layer::Tcp),
            Some(Stage::Encryption) => Some(Layer::Tls),
            // The client cannot tell whether a proxy or the server answered; the causes can.
            Some(Stage::Handshake) => Some(match first.map(|cause| cause.layer) {
                Some(Layer::Handshake) => Layer::Handshake,
                _ if gathered.is_edge_absent() => Layer::Handshake,
                _ => Layer::Proxy,
            }),
            Some(Stage::Open) => Some(Layer::Session),
            None => first
                .map(|cause| cause.layer)
                .filter(|_| verdict != VerdictKind::Healthy),
        };
        // What lies before the place where it broke was passed only if something was seen to
        // break there, not if a cause merely makes it likely.
        let reached = failed.or(passed).map(layer_of_stage);
        let mut steps: Vec<PathStep> = Layer::ALL
            .iter()
            .map(|layer| PathStep {
                layer: *layer,
                state: match (broken, reached) {
                    (Some(broken), _) if *layer == broken => StepState::Failed,
                    (Some(broken), _) if *layer > broken => StepState::NotReached,
                    (_, Some(reached)) if *layer < reached => StepState::Ok,
                    (None, Some(reached)) if *layer == reached => StepState::Ok,
                    _ => StepState::Unknown,
                },
                detail: gathered.detail(*layer),
            })
            .collect();
        // A fault at the client stops nothing before it; a missing proxy is not passed.
        if broken == Some(Layer::Handshake) && !gathered.is_edge_absent() {
            for step in &mut steps {
                if step.layer == Layer::Proxy && step.detail.is_empty() {
                    step.state = StepState::Unknown;
                }
            }
        }
        steps
    }
}

fn layer_of_stage(stage: Stage) -> Layer {
    match stage {
        Stage::Client => Layer::Client,
        Stage::Name => Layer::Dns,
        Stage::Network => Layer::Tcp,
        Stage::Encryption => Layer::Tls,
        Stage::Handshake => Layer::Proxy,
        Stage::Open => Layer::Session,
    }
}
