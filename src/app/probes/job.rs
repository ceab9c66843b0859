//! One probe from its order to its end, as everybody who follows it sees it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use jiff::Timestamp;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::{Caller, ProbeRequest};
use crate::case::{Probe, ProbeState, Report, Stage, StageKind, Variant};
use crate::engine::Diagnosis;
use crate::probe::Event;

/// A probe that was ordered.
#[derive(Debug)]
pub struct Job {
    /// Unguessable.
    pub id: String,
    /// What is probed, redacted.
    pub url: String,
    /// What was ordered. Its headers may hold secrets: they are sent, and neither shown nor stored.
    pub request: ProbeRequest,
    /// When.
    pub(super) ordered_at: Instant,
    pub(super) caller: Caller,
    pub(super) cancel: CancellationToken,
    /// The addresses that its name led to were probed often enough.
    pub(super) target_had_enough: Notify,
    progress: Mutex<Progress>,
    /// Counts the changes of `progress`.
    changes: watch::Sender<u64>,
}

#[derive(Debug)]
struct Progress {
    state: ProbeState,
    rule: Option<&'static str>,
    /// When its turn came.
    begun_at: Timestamp,
    /// Why it was refused.
    message: String,
    steps: Vec<Step>,
    outcome: Option<(Report, Arc<Diagnosis>)>,
    ended_at: Option<Instant>,
    is_case_lost: bool,
}

/// Something that happened in a probe.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// A stage begins.
    Began(StageKind),
    /// A stage ended.
    Stage(Stage),
    /// A variant of the handshake ended.
    Variant(Variant),
}

/// What a follower is told.
#[derive(Clone, Debug)]
pub enum Happened {
    /// The next step, with its position.
    Step(usize, Step),
    /// The probe ended; nothing comes any more.
    Done,
}

impl Job {
    pub(super) fn new(
        id: String,
        url: String,
        request: ProbeRequest,
        caller: Caller,
        cancel: CancellationToken,
    ) -> Self {
        Job {
            id,
            url,
            request,
            ordered_at: Instant::now(),
            caller,
            cancel,
            target_had_enough: Notify::new(),
            progress: Mutex::new(Progress {
                state: ProbeState::Queued,
                rule: None,
                begun_at: Timestamp::now(),
                message: String::new(),
                steps: Vec::new(),
                outcome: None,
                ended_at: None,
                is_case_lost: false,
            }),
            changes: watch::Sender::new(0),
        }
    }

    /// Nothing panics while it is held.
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Progress)) {
        {
            let mut progress = self.progress();
            if progress.ended_at.is_some() {
                return;
            }
            change(&mut progress);
        }
        self.changes.send_modify(|changes| *changes += 1);
    }

    pub(super) fn begin(&self) {
        self.change(|progress| {
            progress.state = ProbeState::Running;
            progress.begun_at = Timestamp::now();
        });
    }

    pub(super) fn tell(&self, event: Event) {
        let step = match event {
            Event::Began(kind) => Step::Began(kind),
            Event::Ended(stage) => Step::Stage(stage),
            Event::Variant(variant) => Step::Variant(variant),
        };
        self.change(|progress| progress.steps.push(step));
    }

    pub(super) fn lose_case(&self) {
        self.change(|progress| progress.is_case_lost = true);
    }

    pub(super) fn end(&self, state: ProbeState) {
        self.change(|progress| {
            progress.state = state;
            progress.ended_at = Some(Instant::now());
        });
    }

    pub(super) fn refuse(&self, rule: &'static str, message: String) {
        self.change(|progress| {
            progress.rule = Some(rule);
            progress.message = message;
            progress.state = ProbeState::Refused;
            progress.ended_at = Some(Instant::now());
        });
    }

    /// Ends it with what it saw: whole if it is done, in part if it was stopped.
    pub(super) fn finish(&self, state: ProbeState, report: Report, diagnosis: Diagnosis) {
        self.change(|progress| {
            progress.outcome = Some((report, Arc::new(diagnosis)));
            progress.state = state;
            progress.ended_at = Some(Instant::now());
        });
    }

    /// What was seen so far; nothing if no stage has ended.
    pub(super) fn seen_so_far(&self) -> Option<Report> {
        let progress = self.progress();
        let mut stages = Vec::new();
        let mut variants = Vec::new();
        for step in &progress.steps {
            match step {
                Step::Began(_) => {}
                Step::Stage(stage) => stages.push(stage.clone()),
                Step::Variant(variant) => variants.push(variant.clone()),
            }
        }
        let url = self.url.clone();
        (!stages.is_empty()).then(|| Report::of_stopped(url, progress.begun_at, stages, variants))
    }

    pub(super) fn ended_at(&self) -> Option<Instant> {
        self.progress().ended_at
    }

    /// Waits for its end.
    pub async fn ended(&self) {
        let mut changes = self.changes.subscribe();
        // The sender lives as long as the job.
        let _ = changes.wait_for(|_| self.ended_at().is_some()).await;
    }

    /// How it stands, and what its report amounts to.
    pub fn probe(&self) -> (Probe, Option<Arc<Diagnosis>>) {
        let case = self.case().map(str::to_owned);
        let progress = self.progress();
        let (report, diagnosis) = progress.outcome.clone().unzip();
        let probe = Probe {
            id: self.id.clone(),
            url: self.url.clone(),
            state: progress.state,
            rule: progress.rule,
            message: progress.message.clone(),
            case,
            report,
        };
        (probe, diagnosis)
    }

    /// Whether it waits or runs.
    pub fn is_under_way(&self) -> bool {
        self.ended_at().is_none()
    }

    /// The case that its result went or goes into.
    pub fn case(&self) -> Option<&str> {
        let is_lost = self.progress().is_case_lost;
        self.request.case.as_deref().filter(|_| !is_lost)
    }

    /// What happened so far.
    pub fn steps(&self) -> Vec<Step> {
        self.progress().steps.clone()
    }

    /// Follows it from the step at that position on; those that happened already come first.
    pub fn follow(self: &Arc<Self>, from: usize) -> Following {
        Following {
            changes: self.changes.subscribe(),
            job: self.clone(),
            next: from,
            is_over: false,
        }
    }
}

/// Somebody who looks on.
#[derive(Debug)]
pub struct Following {
    job: Arc<Job>,
    changes: watch::Receiver<u64>,
    next: usize,
    is_over: bool,
}

impl Following {
    /// What happens next; none after the end was told.
    pub async fn next(&mut self) -> Option<Happened> {
        loop {
            if self.is_over {
                return None;
            }
            self.changes.mark_unchanged();
            if let Some(happened) = self.now() {
                return Some(happened);
            }
            // The sender lives as long as the job.
            self.changes.changed().await.ok()?;
        }
    }

    fn now(&mut self) -> Option<Happened> {
        let progress = self.job.progress();
        if let Some(step) = progress.steps.get(self.next) {
            self.next += 1;
            return Some(Happened::Step(self.next - 1, step.clone()));
        }
        progress.ended_at?;
        self.is_over = true;
        Some(Happened::Done)
    }

    /// The probe that is followed.
    pub fn job(&self) -> &Arc<Job> {
        &self.job
    }
}

/// Ends a job whose task ended otherwise than it should: by a fault, or with the program.
pub(super) struct Ending(pub(super) Arc<Job>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.end(ProbeState::Failed);
    }
}
