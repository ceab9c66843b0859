//! Probes as jobs: queued, bounded, followed while they run, ended at shutdown.
//!
//! A job belongs to nobody's request: whoever ordered it may go away and come back. It is kept for
//! a while after its end, and what it saw goes into its case.
//!
//! - [`job`]: one probe from its order to its end.
//! - [`rates`]: how often a caller may probe, and a target be probed.
//! - [`settings`]: what the settings mean for probes.

mod job;
mod rates;
mod settings;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use job::{Following, Happened, Job, Step};
pub use settings::{ProbeSettingsError, limits, policy};

use super::cases::new_id;
use super::{App, AppError};
use crate::case::{Case, Compared, Entry, ProbeState, Probed, Report, SelfTest, Stage};
use crate::config::Settings;
use crate::engine::Evidence;
use crate::engine::evidence::Reach;
use crate::engine::next_step::StepKind;
use crate::engine::redact::redact;
use crate::probe::policy::{Policy, Refusal, Target};
use crate::probe::{Limits, Order, Prober, Resolve, SystemResolver, Vantage};
use rates::{Counting, Rates};

/// More finished probes are not kept, whatever the setting says: the oldest go.
const MOST_KEPT: usize = 2000;
/// Stopping a probe takes no longer than this.
const STOPPING: Duration = Duration::from_secs(3);
/// The rule by which a target is left alone for a while.
const TARGET_RATE: &str = "target-rate";

/// What somebody wants probed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProbeRequest {
    /// The address.
    pub url: String,
    /// The Origin of the page that fails.
    pub origin: Option<String>,
    /// Further request headers.
    pub headers: Vec<(String, String)>,
    /// Subprotocols to offer.
    pub subprotocols: Vec<String>,
    /// How many seconds to hold the open connection.
    pub hold_seconds: u64,
    /// All variants of the handshake.
    pub all: bool,
    /// The case that the result goes into.
    pub case: Option<String>,
    /// What the user's browser saw of the same address, with the same Origin.
    pub browser: Option<SelfTest>,
}

/// Where a socket's address leads, as a page needs it to dial it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialled {
    /// The socket's address in full.
    pub url: String,
    /// Its scheme, host and port.
    pub socket: String,
    /// The same for plain requests.
    pub plain: String,
}

impl ProbeRequest {
    fn order(&self) -> Order {
        Order {
            url: self.url.clone(),
            origin: self.origin.clone(),
            headers: self.headers.clone(),
            subprotocols: self.subprotocols.clone(),
            hold: Duration::from_secs(self.hold_seconds),
            all: self.all,
            vantage: Vantage::Server,
        }
    }
}

/// Who asks for a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Somebody on this very machine, who may probe as often as they like.
    Local,
    /// Somebody at that address.
    Stranger(IpAddr),
}

impl Caller {
    /// Whom limits are counted for: of IPv6 the /64 network, which one subscriber has.
    fn key(self) -> Option<IpAddr> {
        match self {
            Caller::Local => None,
            Caller::Stranger(IpAddr::V6(address)) => {
                let network = address.to_bits() >> 64 << 64;
                Some(IpAddr::V6(network.into()))
            }
            Caller::Stranger(address) => Some(address),
        }
    }
}

/// How many probes there may be.
struct Bounds {
    running: usize,
    waiting: usize,
    caller_running: usize,
    caller_rate: usize,
    target_rate: usize,
    keep: Duration,
}

/// All probes of the service.
pub(super) struct Probes {
    policy: Policy,
    reach: Reach,
    limits: Limits,
    resolver: Arc<dyn Resolve>,
    /// Made when it is first needed: reading the authorities that are trusted takes a moment.
    prober: OnceLock<Prober>,
    bounds: Bounds,
    jobs: Mutex<HashMap<String, Arc<Job>>>,
    rates: Arc<Mutex<Rates>>,
    turns: Arc<Semaphore>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Probes {
    pub(super) fn new(settings: &Settings) -> Result<Self, ProbeSettingsError> {
        Ok(Probes {
            policy: policy(settings, false)?,
            reach: settings::reach(settings),
            limits: limits(settings),
            resolver: Arc::new(SystemResolver),
            prober: OnceLock::new(),
            bounds: Bounds {
                running: settings.probe_running,
                waiting: settings.probe_waiting,
                caller_running: settings.probe_caller_running,
                caller_rate: settings.probe_caller_rate,
                target_rate: settings.probe_target_rate,
                keep: settings.probe_keep,
            },
            jobs: Mutex::default(),
            rates: Arc::default(),
            turns: Arc::new(Semaphore::new(settings.probe_running)),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        })
    }

    /// What may be probed, as far as the settings tell.
    pub(super) fn reach(&self) -> Reach {
        self.reach
    }

    fn prober(&self) -> &Prober {
        self.prober
            .get_or_init(|| Prober::new(self.policy.clone(), self.limits.clone()))
    }

    /// Nothing panics while it is held.
    fn jobs(&self) -> MutexGuard<'_, HashMap<String, Arc<Job>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The prober for one job; of a stranger's, addresses are counted when they are known.
    fn prober_for(&self, job: &Arc<Job>) -> Prober {
        let prober = self.prober().clone();
        if job.caller.key().is_none() {
            return prober.with_resolver(self.resolver.clone());
        }
        prober.with_resolver(Arc::new(Counting {
            inner: self.resolver.clone(),
            rates: self.rates.clone(),
            most: self.bounds.target_rate,
            job: job.clone(),
        }))
    }

    fn forget_old(&self, now: Instant) {
        let mut jobs = self.jobs();
        jobs.retain(|_, job| {
            job.ended_at()
                .is_none_or(|ended| now.saturating_duration_since(ended) < self.bounds.keep)
        });
        let mut ended: Vec<(Instant, String)> = jobs
            .iter()
            .filter_map(|(id, job)| Some((job.ended_at()?, id.clone())))
            .collect();
        if ended.len() > MOST_KEPT {
            ended.sort();
            for (_, id) in ended.drain(..ended.len() - MOST_KEPT) {
                jobs.remove(&id);
            }
        }
    }

    /// Whether there is room for one more of that caller to that target; counts it if so.
    fn make_room(&self, caller: Caller, target: &Target) -> Result<(), AppError> {
        let jobs = self.jobs();
        let active = || jobs.values().filter(|job| job.ended_at().is_none());
        if active().count() >= self.bounds.running + self.bounds.waiting {
            return Err(AppError::Unavailable);
        }
        let Some(key) = caller.key() else {
            return Ok(());
        };
        let of_caller = active().filter(|job| job.caller.key() == Some(key)).count();
        drop(jobs);
        if of_caller >= self.bounds.caller_running {
            return Err(AppError::TooMany {
                detail: format!(
                    "{of_caller} probes of yours are under way, which is all that one caller may \
                     have: wait for one to end, or stop it"
                ),
                retry_after: Duration::from_secs(5),
            });
        }
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let name = match target.literal {
            Some(address) => rates::address_key(address),
            None => format!("name {}", target.host),
        };
        if let Err(retry_after) = rates.check(&name, self.bounds.target_rate, now) {
            return Err(AppError::TooMany {
                detail: format!(
                    "{} was probed {} times within a minute; it is left alone for a while",
                    target.host, self.bounds.target_rate
                ),
                retry_after,
            });
        }
        let caller = format!("caller {key}");
        rates
            .take(&caller, self.bounds.caller_rate, now)
            .map_err(|retry_after| AppError::TooMany {
                detail: format!(
                    "one caller may order {} probes a minute",
                    self.bounds.caller_rate
                ),
                retry_after,
            })?;
        // Checked above under the same lock.
        let _ = rates.take(&name, self.bounds.target_rate, now);
        Ok(())
    }
}

impl App {
    /// With these settings for probes.
    ///
    /// # Errors
    /// A list in the settings cannot be used.
    pub fn with_probes(self, settings: &Settings) -> Result<Self, ProbeSettingsError> {
        Ok(App {
            probes: Probes::new(settings)?,
            ..self
        })
    }

    /// With another resolver of names.
    #[must_use]
    pub fn with_resolver(mut self, resolver: Arc<dyn Resolve>) -> Self {
        self.probes.resolver = resolver;
        self
    }

    /// Orders a probe. It runs by itself; [`App::find_probe`] tells how it stands.
    ///
    /// # Errors
    /// What is ordered is no address, the policy refuses it, the caller or the target had enough
    /// for now, or too many probes wait already.
    pub async fn probe(
        self: &Arc<Self>,
        request: ProbeRequest,
        caller: Caller,
    ) -> Result<Arc<Job>, AppError> {
        let probes = &self.probes;
        if probes.stop.is_cancelled() {
            return Err(AppError::Unavailable);
        }
        let order = request.order();
        if order.hold > probes.limits.hold {
            return Err(AppError::Faulty {
                pointer: "/hold_seconds",
                detail: format!(
                    "a connection is held for at most {} seconds",
                    probes.limits.hold.as_secs()
                ),
            });
        }
        let target = probes
            .prober()
            .admit(&order)
            .map_err(|refusal| refused(refusal, &order))?;
        if let Some(case) = &request.case {
            self.find(case).await.map_err(|error| match error {
                AppError::NotFound(detail) => AppError::Faulty {
                    pointer: "/case",
                    detail,
                },
                error => error,
            })?;
        }
        probes.forget_old(Instant::now());
        probes.make_room(caller, &target)?;
        let job = Arc::new(Job::new(
            new_id()?,
            redact(&target.url()).text,
            request,
            caller,
            probes.stop.child_token(),
        ));
        probes.jobs().insert(job.id.clone(), job.clone());
        let app = self.clone();
        probes.tasks.spawn(app.carry_out(job.clone(), order));
        Ok(job)
    }

    /// The probe of that id, as long as it is kept.
    ///
    /// # Errors
    /// There is none.
    pub fn find_probe(&self, id: &str) -> Result<Arc<Job>, AppError> {
        self.probes.forget_old(Instant::now());
        let found = self.probes.jobs().get(id).cloned();
        found.ok_or_else(|| {
            AppError::NotFound(
                "there is no such probe, or it ended long ago; what it saw is in its case"
                    .to_owned(),
            )
        })
    }

    /// The probe that waits or runs for a case, the newest if there are several.
    pub fn probe_of_case(&self, case: &str) -> Option<Arc<Job>> {
        let jobs = self.probes.jobs();
        jobs.values()
            .filter(|job| job.request.case.as_deref() == Some(case) && job.ended_at().is_none())
            .max_by_key(|job| job.ordered_at)
            .cloned()
    }

    /// Stops a probe; one that has ended stays as it is.
    ///
    /// # Errors
    /// There is none.
    pub async fn cancel_probe(&self, id: &str) -> Result<Arc<Job>, AppError> {
        let job = self.find_probe(id)?;
        job.cancel.cancel();
        // Ending takes a moment only while it joins its case.
        let _ = tokio::time::timeout(STOPPING, job.ended()).await;
        Ok(job)
    }

    /// Stops all probes; no more are taken.
    pub async fn stop_probes(&self) {
        self.probes.stop.cancel();
        self.probes.tasks.close();
        if tokio::time::timeout(STOPPING, self.probes.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("probes did not end in time");
        }
    }

    /// Reads an address that the user's own browser is to dial. What it leads to is not judged:
    /// nothing goes out from here.
    ///
    /// # Errors
    /// It is no address.
    pub fn dialled(&self, url: &str) -> Result<Dialled, AppError> {
        let target = Target::read(url).map_err(|refusal| AppError::Faulty {
            pointer: "/url",
            detail: refusal.message,
        })?;
        let place = format!("{}:{}", target.bracketed_host(), target.port);
        // It goes into a page's policy, where other letters would begin something new.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
        if !place.bytes().all(is_plain) {
            return Err(AppError::Faulty {
                pointer: "/url",
                detail: "the host has letters that no name has".to_owned(),
            });
        }
        Ok(Dialled {
            url: target.url(),
            socket: format!("{}://{place}", target.scheme.as_str()),
            plain: format!("{}://{place}", target.scheme.of_page()),
        })
    }

    /// Takes what a user's browser saw into a case, which is opened if there is none, and looks
    /// from here with the same Origin: before that nothing is concluded. The case's id, and the
    /// probe if there is one.
    ///
    /// # Errors
    /// It is no address, there is no such case, or the store fails.
    pub async fn self_test(
        self: &Arc<Self>,
        test: SelfTest,
        case: Option<String>,
        caller: Caller,
    ) -> Result<(String, Option<Arc<Job>>), AppError> {
        let url = redact(&self.dialled(&test.url)?.url).text;
        let case = match case {
            Some(case) => self.find(&case).await?.id,
            None => {
                let evidence = Evidence {
                    text: Some(url.clone()),
                    ..Evidence::default()
                };
                self.open_case(evidence, Timestamp::now()).await?.case.id
            }
        };
        let request = ProbeRequest {
            url: test.url.clone(),
            origin: Some(test.origin.clone()),
            case: Some(case.clone()),
            browser: Some(test),
            ..ProbeRequest::default()
        };
        match self.probe(request.clone(), caller).await {
            Ok(job) => Ok((case, Some(job))),
            Err(AppError::Refused { .. } | AppError::TooMany { .. } | AppError::Unavailable) => {
                self.join(&case, &request, &url, None).await?;
                Ok((case, None))
            }
            Err(error) => Err(error),
        }
    }

    /// Whether the policy lets an address be probed, as far as its writing tells.
    pub fn may_probe(&self, url: &str) -> bool {
        self.probes.policy.read(url).is_ok()
    }

    /// How long a connection may be held, in seconds.
    pub fn longest_hold(&self) -> u64 {
        self.probes.limits.hold.as_secs()
    }

    /// From its turn to its end. Whatever happens in it, the job ends.
    async fn carry_out(self: Arc<Self>, job: Arc<Job>, order: Order) {
        let _ending = job::Ending(job.clone());
        let turn = job
            .cancel
            .run_until_cancelled(self.probes.turns.clone().acquire_owned());
        let Some(Ok(_turn)) = turn.await else {
            return job.end(ProbeState::Cancelled);
        };
        job.begin();
        let prober = self.probes.prober_for(&job);
        let (sender, mut events) = mpsc::unbounded_channel();
        let mut running = std::pin::pin!(prober.run(&order, &sender));
        let result = loop {
            tokio::select! {
                biased;
                () = job.cancel.cancelled() => return self.break_off(&job).await,
                () = job.target_had_enough.notified() => {
                    return job.refuse(
                        TARGET_RATE,
                        format!(
                            "the address behind this name was probed {} times within a minute; it \
                             is left alone for a while",
                            self.probes.bounds.target_rate
                        ),
                    );
                }
                Some(event) = events.recv() => job.tell(event),
                result = &mut running => break result,
            }
        };
        while let Ok(event) = events.try_recv() {
            job.tell(event);
        }
        match result {
            Ok(report) => self.conclude(&job, report).await,
            Err(refusal) => {
                if let (Some(case), Some(_)) = (&job.request.case, &job.request.browser)
                    && let Err(error) = self.join(case, &job.request, &job.url, None).await
                {
                    tracing::warn!(%error, "a self-test did not get into its case");
                    job.lose_case();
                } else if let Some(case) = &job.request.case
                    && let Err(error) = self.set_probe_aside(case).await
                {
                    tracing::warn!(%error, "a refused probe is still its case's next step");
                }
                job.refuse(
                    refusal.rule.map_or("invalid", |rule| rule.as_str()),
                    refusal.message,
                );
            }
        }
    }

    /// Where a case asks for a probe that is not allowed, another step comes next.
    async fn set_probe_aside(&self, case: &str) -> Result<(), AppError> {
        let step = self.case(case).await?.diagnosis.next_step;
        if step.kind == StepKind::Probe {
            let now = Timestamp::now();
            self.answer(case, &step.id, "cannot-tell", None, None, now)
                .await?;
        }
        Ok(())
    }

    /// What a report amounts to, and its way into the case.
    async fn conclude(&self, job: &Job, report: Report) {
        let diagnosis = match self.diagnose(vec![report.evidence()]).await {
            Ok(diagnosis) => diagnosis,
            Err(error) => {
                tracing::error!(%error, "a probe's report could not be diagnosed");
                return job.end(ProbeState::Failed);
            }
        };
        if let Some(case) = &job.request.case
            && let Err(error) = self.join(case, &job.request, &job.url, Some(&report)).await
        {
            // The case was deleted meanwhile, or is full: the probe is worth its own page still.
            tracing::warn!(%error, "a probe did not get into its case");
            job.lose_case();
        }
        job.finish(ProbeState::Done, report, diagnosis);
    }

    /// Ends a probe that was stopped with what it saw until then. That does not join the case:
    /// whoever stopped it did not want it.
    async fn break_off(&self, job: &Job) {
        let Some(report) = job.seen_so_far() else {
            return job.end(ProbeState::Cancelled);
        };
        match self.diagnose(vec![report.evidence()]).await {
            Ok(diagnosis) => job.finish(ProbeState::Cancelled, report, diagnosis),
            Err(_) => job.end(ProbeState::Cancelled),
        }
    }

    /// Adds what was seen to the case, whatever happened in it meanwhile. Without a report only the
    /// browser saw something.
    async fn join(
        &self,
        case: &str,
        request: &ProbeRequest,
        url: &str,
        report: Option<&Report>,
    ) -> Result<(), AppError> {
        let browser = request.browser.as_ref().map(|test| {
            let compared = Compared::of(test, report);
            (redacted(test), compared)
        });
        let seen = match (&browser, report) {
            (Some((test, compared)), _) => Evidence {
                text: Some(match (compared, report) {
                    (Compared::BothWork | Compared::BothFail, Some(report)) => {
                        report.evidence().text.unwrap_or_default()
                    }
                    _ => url.to_owned(),
                }),
                facts: compared.facts(test, report),
                ..Evidence::default()
            },
            (None, Some(report)) => report.evidence(),
            (None, None) => return Ok(()),
        };
        let evidence = self.keep(seen).await?;
        let without_facts = |stage: &Stage| Stage {
            facts: Vec::new(),
            ..stage.clone()
        };
        let now = Timestamp::now();
        let probed = Probed {
            url: url.to_owned(),
            origin: request.origin.clone(),
            subprotocols: request.subprotocols.clone(),
            hold_seconds: request.hold_seconds,
            started_at: report.map_or(now, |report| report.started_at),
            stages: report
                .iter()
                .flat_map(|report| &report.stages)
                .map(without_facts)
                .collect(),
            variants: report.map_or_else(Vec::new, |report| report.variants.clone()),
            browser,
        };
        let entry = |_: &Case| Ok(Entry::of_probe(now, probed.clone(), evidence.clone()));
        self.go_on(case, None, entry).await.map(drop)
    }
}

/// What a browser said, without secrets.
fn redacted(test: &SelfTest) -> SelfTest {
    let clean = |text: &str| redact(text).text;
    SelfTest {
        url: clean(&test.url),
        reason: clean(&test.reason),
        error: clean(&test.error),
        browser: clean(&test.browser),
        ..test.clone()
    }
}

/// A refusal as callers get it; for one that is no matter of policy, which part is wrong.
fn refused(refusal: Refusal, order: &Order) -> AppError {
    if let Some(rule) = refusal.rule {
        return AppError::Refused {
            rule: rule.as_str(),
            detail: refusal.message,
        };
    }
    let alone = |order: Order| order.check().is_err();
    let pointer = if alone(Order {
        origin: order.origin.clone(),
        ..Order::default()
    }) {
        "/origin"
    } else if alone(Order {
        subprotocols: order.subprotocols.clone(),
        ..Order::default()
    }) {
        "/subprotocols"
    } else if alone(Order {
        headers: order.headers.clone(),
        ..Order::default()
    }) {
        "/headers"
    } else {
        "/url"
    };
    AppError::Faulty {
        pointer,
        detail: refusal.message,
    }
}
