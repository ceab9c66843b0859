//! What a probe saw, as plain values: they are streamed, shown, stored and diagnosed alike.

use jiff::Timestamp;

use crate::engine::Evidence;
use crate::engine::diagnosis::StatedFact;
use crate::engine::evidence::told_of;

/// How a probe stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeState {
    /// Waits for its turn.
    Queued,
    /// Goes through its stages.
    Running,
    /// Went through its stages, whatever it found.
    Done,
    /// Could not be carried out, by a fault of the prober's own.
    Failed,
    /// The policy does not allow it.
    Refused,
    /// Somebody stopped it.
    Cancelled,
}

impl ProbeState {
    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            ProbeState::Queued => "queued",
            ProbeState::Running => "running",
            ProbeState::Done => "done",
            ProbeState::Failed => "failed",
            ProbeState::Refused => "refused",
            ProbeState::Cancelled => "cancelled",
        }
    }
}

/// A probe from its order to its report.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// Unguessable.
    pub id: String,
    /// What is probed, redacted.
    pub url: String,
    /// How it stands.
    pub state: ProbeState,
    /// The rule that refused it.
    pub rule: Option<&'static str>,
    /// Why it was refused, in words; empty if it was not.
    pub message: String,
    /// The case that its result goes into.
    pub case: Option<String>,
    /// What was seen, as far as it came: of one that was stopped, the stages that had ended.
    pub report: Option<Report>,
}

/// What a probe saw. Redacted: addresses, headers and the beginnings of bodies hold no secrets.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// What was probed.
    pub url: String,
    /// When it began.
    pub started_at: Timestamp,
    /// The five stages, those that were not reached included.
    pub stages: Vec<Stage>,
    /// The handshake again with one thing changed.
    pub variants: Vec<Variant>,
    /// What the variants and the stages together tell beyond the stages' own facts.
    pub facts: Vec<StatedFact>,
    /// The handshake as it went over the wire, as `curl -v` would print it; empty if it came to
    /// none.
    pub exchange: String,
}

impl Report {
    /// What was seen of a probe that was stopped: the stages and variants that had ended.
    pub fn of_stopped(
        url: String,
        started_at: Timestamp,
        ended: Vec<Stage>,
        variants: Vec<Variant>,
    ) -> Self {
        let stages = StageKind::ALL.map(|kind| {
            let known = ended.iter().find(|stage| stage.stage == kind);
            known.cloned().unwrap_or_else(|| Stage::not_reached(kind))
        });
        Report {
            url,
            started_at,
            stages: stages.into(),
            variants,
            facts: Vec::new(),
            exchange: String::new(),
        }
    }

    /// All facts, each once, in the order in which they were learnt.
    pub fn all_facts(&self) -> Vec<StatedFact> {
        let mut all: Vec<StatedFact> = Vec::new();
        let of_stages = self.stages.iter().flat_map(|stage| &stage.facts);
        for fact in of_stages.chain(&self.facts) {
            if !all.contains(fact) {
                all.push(fact.clone());
            }
        }
        all
    }

    /// What the engine is given of it.
    pub fn evidence(&self) -> Evidence {
        let text = if self.exchange.is_empty() {
            self.url.clone()
        } else {
            format!("{}\n\n{}", self.url, told_of(&self.exchange))
        };
        Evidence {
            text: Some(text),
            facts: self.all_facts(),
            ..Evidence::default()
        }
    }

    /// The stage of that kind, if it is told of.
    pub fn stage(&self, kind: StageKind) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.stage == kind)
    }
}

/// A probe that went into a case: what is shown of it, and what repeats it. Its facts are the
/// evidence of the entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Probed {
    /// What was probed, redacted.
    pub url: String,
    /// The Origin that was sent.
    pub origin: Option<String>,
    /// The subprotocols that were offered.
    pub subprotocols: Vec<String>,
    /// For how many seconds the open connection was held.
    pub hold_seconds: u64,
    /// When it began.
    pub started_at: Timestamp,
    /// The stages without their facts.
    pub stages: Vec<Stage>,
    /// The handshake again with one thing changed.
    pub variants: Vec<Variant>,
    /// What the user's browser saw of the same address, and what both together say.
    pub browser: Option<(SelfTest, Compared)>,
}

/// The parts of a connection's way that a probe goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StageKind {
    /// The name is resolved.
    Dns,
    /// Connections to its addresses are made.
    Tcp,
    /// Encryption is set up and the certificate judged.
    Tls,
    /// The handshake is sent and its answer judged.
    Upgrade,
    /// Frames go over the open connection.
    Websocket,
}

impl StageKind {
    /// In their order.
    pub const ALL: [StageKind; 5] = [
        StageKind::Dns,
        StageKind::Tcp,
        StageKind::Tls,
        StageKind::Upgrade,
        StageKind::Websocket,
    ];

    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            StageKind::Dns => "dns",
            StageKind::Tcp => "tcp",
            StageKind::Tls => "tls",
            StageKind::Upgrade => "upgrade",
            StageKind::Websocket => "websocket",
        }
    }

    /// The stage of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        StageKind::ALL
            .into_iter()
            .find(|stage| stage.as_str() == word)
    }
}

/// How a stage ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageState {
    /// It worked.
    Ok,
    /// It breaks here.
    Failed,
    /// Nothing to do: a literal address needs no name, `ws` no encryption.
    Skipped,
    /// The probe did not come that far.
    NotReached,
}

impl StageState {
    /// All states.
    pub const ALL: [StageState; 4] = [
        StageState::Ok,
        StageState::Failed,
        StageState::Skipped,
        StageState::NotReached,
    ];

    /// The state of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        StageState::ALL
            .into_iter()
            .find(|state| state.as_str() == word)
    }

    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            StageState::Ok => "ok",
            StageState::Failed => "failed",
            StageState::Skipped => "skipped",
            StageState::NotReached => "not_reached",
        }
    }
}

/// One stage with what was learnt in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// Which.
    pub stage: StageKind,
    /// How it ended.
    pub state: StageState,
    /// Milliseconds from the probe's beginning to the stage's.
    pub started_ms: u64,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// One line for people.
    pub detail: String,
    /// What was learnt.
    pub facts: Vec<StatedFact>,
}

impl Stage {
    /// One that the probe did not come to.
    pub fn not_reached(stage: StageKind) -> Self {
        Stage {
            stage,
            state: StageState::NotReached,
            started_ms: 0,
            took_ms: 0,
            detail: String::new(),
            facts: Vec::new(),
        }
    }
}

/// The handshake again with one thing changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// Such as `without-origin`.
    pub id: String,
    /// What was changed, in words.
    pub changed: String,
    /// What came of it, in words.
    pub outcome: String,
    /// Whether the handshake was accepted; for an ordinary request, whether a page came.
    pub accepted: bool,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// What it means that the change makes a difference; empty if it makes none.
    pub finding: String,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// What a user's browser saw when it opened the socket from this service's page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SelfTest {
    /// The socket's address.
    pub url: String,
    /// Whether it opened.
    pub opened: bool,
    /// The close code, if it was closed.
    pub code: Option<u16>,
    /// The close frame's reason.
    pub reason: String,
    /// Whether it was closed in the ordinary way.
    pub clean: Option<bool>,
    /// Milliseconds until it opened, or until it failed.
    pub took_ms: u64,
    /// What the browser threw, if it did.
    pub error: String,
    /// Whether the browser believes to be online.
    pub online: bool,
    /// The Origin that was sent: this service's.
    pub origin: String,
    /// The browser's own description.
    pub browser: String,
    /// Whether a plain request to the same host was answered, whatever with.
    pub fetched: Option<bool>,
    /// Whether a socket to this service opened and echoed.
    pub control: Option<bool>,
}

/// What two vantage points together say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// Both connect.
    BothWork,
    /// Neither does.
    BothFail,
    /// The browser does not, this service does: between the user and the network.
    OnlyServer,
    /// The browser does, this service does not.
    OnlyBrowser,
    /// The server refuses this service's Origin, and would take others: nothing is said of the page
    /// that fails.
    OriginRefused,
    /// The browser opens no WebSocket at all, not even to this service.
    NoSockets,
    /// The browser forbids the attempt from an encrypted page.
    MixedContent,
    /// This service did not look, so only the browser speaks.
    BrowserAlone,
}

impl Compared {
    /// All of them.
    pub const ALL: [Compared; 8] = [
        Compared::BothWork,
        Compared::BothFail,
        Compared::OnlyServer,
        Compared::OnlyBrowser,
        Compared::OriginRefused,
        Compared::NoSockets,
        Compared::MixedContent,
        Compared::BrowserAlone,
    ];

    /// The word used in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Compared::BothWork => "both-work",
            Compared::BothFail => "both-fail",
            Compared::OnlyServer => "only-server",
            Compared::OnlyBrowser => "only-browser",
            Compared::OriginRefused => "origin-refused",
            Compared::NoSockets => "no-sockets",
            Compared::MixedContent => "mixed-content",
            Compared::BrowserAlone => "browser-alone",
        }
    }

    /// The one of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Compared::ALL.into_iter().find(|one| one.as_str() == word)
    }

    /// Holds what a browser saw against what this service saw with the same Origin.
    pub fn of(test: &SelfTest, seen: Option<&Report>) -> Self {
        if !test.opened && test.control == Some(false) {
            return Compared::NoSockets;
        }
        let is_forbidden = test.origin.starts_with("https:") && test.url.starts_with("ws:");
        if !test.opened && is_forbidden {
            return Compared::MixedContent;
        }
        let Some(seen) = seen else {
            return Compared::BrowserAlone;
        };
        let is_accepted = seen
            .stage(StageKind::Upgrade)
            .is_some_and(|stage| stage.state == StageState::Ok);
        let without_origin = seen
            .variants
            .iter()
            .any(|variant| variant.id == "without-origin" && variant.accepted);
        match (test.opened, is_accepted) {
            (true, true) => Compared::BothWork,
            (true, false) => Compared::OnlyBrowser,
            (false, true) => Compared::OnlyServer,
            (false, false) if without_origin => Compared::OriginRefused,
            (false, false) => Compared::BothFail,
        }
    }

    /// What may be concluded: the facts of both, without those that say nothing of the page that
    /// fails.
    pub fn facts(self, test: &SelfTest, seen: Option<&Report>) -> Vec<StatedFact> {
        let stated = |key: &str, value: &str| StatedFact {
            key: key.to_owned(),
            value: value.to_owned(),
            vantage: "user".to_owned(),
            ..StatedFact::default()
        };
        let failed = || {
            let mut facts = vec![stated("handshake.opened", "no")];
            if let Some(code) = test.code {
                facts.push(stated("close.code", &code.to_string()));
            }
            if !test.online {
                facts.push(stated("client.network", "offline"));
            }
            facts
        };
        let of_server = || seen.map(Report::all_facts).unwrap_or_default();
        // Name, network and encryption are the same whatever the Origin.
        let below_handshake = || {
            let stages = seen.iter().flat_map(|seen| &seen.stages);
            let below = stages.filter(|stage| stage.stage < StageKind::Upgrade);
            below.flat_map(|stage| stage.facts.clone()).collect()
        };
        match self {
            Compared::BothWork => {
                let mut facts = of_server();
                facts.push(stated("handshake.opened", "yes"));
                facts
            }
            Compared::BothFail => {
                let mut facts = of_server();
                facts.extend(failed());
                facts.push(stated("works.other-network", "no"));
                facts
            }
            Compared::OnlyServer => {
                let mut facts = failed();
                facts.push(stated("works.other-network", "yes"));
                facts
            }
            Compared::OnlyBrowser => vec![stated("handshake.opened", "yes")],
            Compared::OriginRefused => below_handshake(),
            Compared::NoSockets => failed(),
            Compared::MixedContent => Vec::new(),
            Compared::BrowserAlone if test.opened => vec![stated("handshake.opened", "yes")],
            Compared::BrowserAlone => failed(),
        }
    }
}
