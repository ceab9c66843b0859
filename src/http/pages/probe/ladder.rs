//! The stages of a probe as a picture that reads well aloud, and its variants as a table.

use askama::Template;
use askama::filters::HtmlSafe;

use super::super::messages::Messages;
use crate::app::Step;
use crate::case::{Stage, StageKind, StageState, Variant};

/// The width of the picture, in its own units.
const WIDTH: u64 = 1000;
/// The shortest bar, so that a stage of no time can be seen.
const LEAST: u64 = 8;

/// The stages from top to bottom, each with its bar on a common line of time.
#[derive(Template)]
#[template(path = "parts/ladder.html")]
pub(in crate::http::pages) struct Ladder {
    t: &'static Messages,
    rungs: Vec<Rung>,
    variants: Vec<VariantRow>,
    /// The whole time in words; empty while it runs.
    total: String,
}

/// Renders through the template engine, which escaped what was not safe.
impl HtmlSafe for Ladder {}

struct Rung {
    id: &'static str,
    name: &'static str,
    class: &'static str,
    sign: &'static str,
    state: &'static str,
    took: String,
    detail: String,
    start: u64,
    width: u64,
}

struct VariantRow {
    changed: String,
    outcome: String,
    finding: String,
    took: String,
}

/// How far a stage is while the probe runs.
#[derive(Clone, Copy)]
enum Pending {
    Waiting,
    Running,
}

impl Ladder {
    /// Of a probe that has ended.
    pub(in crate::http::pages) fn of(
        t: &'static Messages,
        stages: &[Stage],
        variants: &[Variant],
    ) -> Self {
        let end = |stage: &Stage| stage.started_ms + stage.took_ms;
        let longest = stages.iter().map(end).max().unwrap_or(0);
        Ladder {
            t,
            rungs: stages.iter().map(|stage| rung(t, stage, longest)).collect(),
            variants: variants.iter().map(|one| variant_row(t, one)).collect(),
            total: match longest {
                0 => String::new(),
                longest => duration(t, longest),
            },
        }
    }

    /// Of a probe that waits or runs: what is known, and the rest as open.
    pub(in crate::http::pages) fn running(t: &'static Messages, steps: &[Step]) -> Self {
        let mut stages = Vec::new();
        let mut variants = Vec::new();
        let mut begun = None;
        for step in steps {
            match step {
                Step::Began(kind) => begun = Some(*kind),
                Step::Stage(stage) => stages.push(stage.clone()),
                Step::Variant(variant) => variants.push(variant.clone()),
            }
        }
        let mut ladder = Ladder::of(t, &stages, &variants);
        ladder.total.clear();
        for kind in StageKind::ALL {
            if stages.iter().all(|stage| stage.stage != kind) {
                let pending = match begun {
                    Some(begun) if begun == kind => Pending::Running,
                    _ => Pending::Waiting,
                };
                ladder.rungs.push(open_rung(t, kind, pending));
            }
        }
        ladder
    }
}

/// A stage in a word.
pub(in crate::http::pages) fn stage_name(kind: StageKind) -> &'static str {
    match kind {
        StageKind::Dns => "layer.dns",
        StageKind::Tcp => "layer.tcp",
        StageKind::Tls => "layer.tls",
        StageKind::Upgrade => "layer.handshake",
        StageKind::Websocket => "layer.session",
    }
}

fn rung(t: &'static Messages, stage: &Stage, longest: u64) -> Rung {
    let (class, sign, state) = match stage.state {
        StageState::Ok => ("ok", "✓", "state.ok"),
        StageState::Failed => ("failed", "✗", "state.failed"),
        StageState::Skipped => ("skipped", "–", "probe.skipped"),
        StageState::NotReached => ("not_reached", "–", "state.not-reached"),
    };
    let was_there = matches!(stage.state, StageState::Ok | StageState::Failed);
    let scale = |time: u64| time.saturating_mul(WIDTH) / longest.max(1);
    let width = scale(stage.took_ms).max(LEAST);
    Rung {
        id: stage.stage.as_str(),
        name: t.get(stage_name(stage.stage)),
        class,
        sign,
        state: t.get(state),
        took: match was_there {
            true => duration(t, stage.took_ms),
            false => String::new(),
        },
        detail: stage.detail.clone(),
        start: scale(stage.started_ms).min(WIDTH - width.min(WIDTH)),
        width: if was_there { width.min(WIDTH) } else { 0 },
    }
}

fn open_rung(t: &'static Messages, kind: StageKind, pending: Pending) -> Rung {
    let (class, sign, state) = match pending {
        Pending::Waiting => ("waiting", "·", "probe.waiting"),
        Pending::Running => ("running", "…", "probe.running"),
    };
    Rung {
        id: kind.as_str(),
        name: t.get(stage_name(kind)),
        class,
        sign,
        state: t.get(state),
        took: String::new(),
        detail: String::new(),
        start: 0,
        width: 0,
    }
}

fn variant_row(t: &Messages, variant: &Variant) -> VariantRow {
    VariantRow {
        changed: super::super::words::capitalised(&variant.changed),
        outcome: variant.outcome.clone(),
        finding: variant.finding.clone(),
        took: duration(t, variant.took_ms),
    }
}

fn duration(t: &Messages, milliseconds: u64) -> String {
    if milliseconds < 1000 {
        return t.with("probe.milliseconds", "count", milliseconds);
    }
    let seconds = format!("{}.{}", milliseconds / 1000, milliseconds % 1000 / 100);
    t.with("probe.seconds", "count", seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(kind: StageKind, state: StageState, started_ms: u64, took_ms: u64) -> Stage {
        Stage {
            stage: kind,
            state,
            started_ms,
            took_ms,
            detail: String::new(),
            facts: Vec::new(),
        }
    }

    #[test]
    fn bars_stay_inside_the_picture() {
        let stages = [
            stage(StageKind::Dns, StageState::Ok, 0, 0),
            stage(StageKind::Tcp, StageState::Ok, 0, 3),
            stage(StageKind::Tls, StageState::Skipped, 3, 0),
            stage(StageKind::Upgrade, StageState::Failed, 3, 5000),
            stage(StageKind::Websocket, StageState::NotReached, 5003, 0),
        ];
        let ladder = Ladder::of(Messages::english(), &stages, &[]);
        for rung in &ladder.rungs {
            assert!(rung.start + rung.width <= WIDTH, "{}", rung.id);
        }
        assert_eq!(ladder.rungs[0].width, LEAST);
        assert_eq!(ladder.rungs[2].width, 0);
        assert_eq!(ladder.total, "5.0 s");
    }

    #[test]
    fn what_has_not_come_yet_is_open() {
        let steps = [
            Step::Began(StageKind::Dns),
            Step::Stage(stage(StageKind::Dns, StageState::Ok, 0, 2)),
            Step::Began(StageKind::Tcp),
        ];
        let ladder = Ladder::running(Messages::english(), &steps);
        let classes: Vec<&str> = ladder.rungs.iter().map(|rung| rung.class).collect();
        assert_eq!(classes, ["ok", "running", "waiting", "waiting", "waiting"]);
    }
}
