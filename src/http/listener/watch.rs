//! What a connection is doing, shared by its socket, its requests and the
//! listener, which all need to know or change it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

/// What one connection is doing, and until when it may.
pub(super) struct Watch {
    state: Mutex<State>,
    header_timeout: Duration,
    idle_timeout: Duration,
}

struct State {
    phase: Phase,
    since: Instant,
    /// Wakes the connection's task; left there while it waits for bytes.
    waker: Option<Waker>,
}

/// The phases of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Accepted, and no byte has come.
    Silent,
    /// A header has begun and is not complete.
    Header,
    /// A request is being read, handled or answered.
    Busy,
    /// The answer is complete, but not all of it was handed to the kernel.
    Answered,
    /// Between two requests.
    Idle,
    /// It must make room for a newcomer, and nothing changes that: its slot is taken.
    Evicted,
}

impl Watch {
    /// A connection that was accepted just now.
    pub(super) fn new(header_timeout: Duration, idle_timeout: Duration) -> Watch {
        Watch {
            state: Mutex::new(State {
                phase: Phase::Silent,
                since: Instant::now(),
                waker: None,
            }),
            header_timeout,
            idle_timeout,
        }
    }

    /// What the connection is doing.
    pub(super) fn phase(&self) -> Phase {
        self.state().phase
    }

    /// Bytes came. A header's time runs from the connection's start for the
    /// first one, so that silence and dripping together get no more.
    pub(super) fn received(&self) {
        let mut state = self.state();
        match state.phase {
            Phase::Silent => state.phase = Phase::Header,
            Phase::Idle => {
                state.phase = Phase::Header;
                state.since = Instant::now();
            }
            Phase::Header | Phase::Busy | Phase::Answered | Phase::Evicted => {}
        }
    }

    /// A request's header is complete.
    pub(super) fn begin_request(&self) {
        let mut state = self.state();
        if state.phase != Phase::Evicted {
            state.phase = Phase::Busy;
        }
    }

    /// The answer is complete. It may still wait in a buffer for the peer.
    pub(super) fn end_request(&self) {
        let mut state = self.state();
        if state.phase == Phase::Busy {
            state.phase = Phase::Answered;
        }
    }

    /// All that was to be written has been handed to the kernel.
    pub(super) fn flushed(&self) {
        let mut state = self.state();
        if state.phase == Phase::Answered {
            state.phase = Phase::Idle;
            state.since = Instant::now();
        }
    }

    /// The time at which waiting for bytes must end, if it must, and
    /// `waker` for when that changes.
    pub(super) fn wait(&self, waker: &Waker) -> Option<Instant> {
        let mut state = self.state();
        match &mut state.waker {
            Some(known) => known.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
        match state.phase {
            Phase::Silent | Phase::Header => Some(state.since + self.header_timeout),
            Phase::Idle => Some(state.since + self.idle_timeout),
            Phase::Evicted => Some(state.since),
            Phase::Busy | Phase::Answered => None,
        }
    }

    /// How often a wait without an end must look again, because nobody wakes
    /// it when a request ends: never later than the deadline set then.
    pub(super) fn recheck(&self) -> Duration {
        self.header_timeout.min(self.idle_timeout)
    }

    /// How long the connection has waited without a whole request, or none
    /// while it is busy or on its way out.
    pub(super) fn waiting(&self, now: Instant) -> Option<Duration> {
        let state = self.state();
        match state.phase {
            Phase::Silent | Phase::Header | Phase::Idle => {
                Some(now.saturating_duration_since(state.since))
            }
            Phase::Busy | Phase::Answered | Phase::Evicted => None,
        }
    }

    /// Tells a waiting connection to end. False when a request has begun.
    pub(super) fn evict(&self) -> bool {
        let mut state = self.state();
        if matches!(state.phase, Phase::Busy | Phase::Answered | Phase::Evicted) {
            return false;
        }
        state.phase = Phase::Evicted;
        state.since = Instant::now();
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    /// Nothing panics while the lock is held, so poison means nothing.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
