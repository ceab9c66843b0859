//! The rule graph as plain values: what the knowledge files say, parsed.
//!
//! These types are the file format (see `knowledge/README.md`) and nothing more, so they derive
//! `serde` for both directions: the strict reader, the database's documents and the export use
//! the same definitions and cannot drift apart.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Everything the knowledge base holds. Lists are in the order of their ids.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// Vendor-neutral findings.
    pub symptoms: Vec<Symptom>,
    /// Vendors' wordings, by the system that prints them.
    pub systems: Vec<System>,
    /// Root causes and narrower ones.
    pub causes: Vec<Cause>,
    /// What a person or a probe can do to learn more.
    pub checks: Vec<Check>,
    /// Close codes, HTTP statuses, error names.
    pub codes: Vec<Code>,
    /// What is worth knowing and is no fault.
    pub advice: Vec<Advice>,
    /// Limits of time that products set.
    pub timeouts: Vec<Timeout>,
}

/// The layer in which a fault sits, in the order in which a connection passes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// The page, the app's own code, the browser.
    Client,
    /// Turning the name into an address.
    Dns,
    /// Reaching host and port.
    Tcp,
    /// The encrypted channel under `wss://`.
    Tls,
    /// Anything between client and server.
    Proxy,
    /// The HTTP upgrade as the server itself answers it.
    Handshake,
    /// After the upgrade succeeded.
    Session,
}

impl Layer {
    /// All layers, in the order in which a connection passes them.
    pub const ALL: [Layer; 7] = [
        Layer::Client,
        Layer::Dns,
        Layer::Tcp,
        Layer::Tls,
        Layer::Proxy,
        Layer::Handshake,
        Layer::Session,
    ];

    /// The word used in files, addresses and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Layer::Client => "client",
            Layer::Dns => "dns",
            Layer::Tcp => "tcp",
            Layer::Tls => "tls",
            Layer::Proxy => "proxy",
            Layer::Handshake => "handshake",
            Layer::Session => "session",
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A stage of a connection's way as the client sees it. What a fault can explain is said by the
/// stages at which it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Before anything leaves the device.
    Client,
    /// The name is looked up.
    Name,
    /// TCP connects.
    Network,
    /// TLS is negotiated.
    Encryption,
    /// The HTTP upgrade is asked for and answered.
    Handshake,
    /// The WebSocket is open.
    Open,
}

/// How often a cause shows a symptom, in words that people can agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Frequency {
    /// Practically never.
    Never,
    /// About one time in twenty.
    Rarely,
    /// About one time in four.
    Sometimes,
    /// About every other time.
    Often,
    /// About four times in five.
    Usually,
    /// Practically always.
    Always,
}

impl Frequency {
    /// The word used in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Frequency::Never => "never",
            Frequency::Rarely => "rarely",
            Frequency::Sometimes => "sometimes",
            Frequency::Often => "often",
            Frequency::Usually => "usually",
            Frequency::Always => "always",
        }
    }
}

/// How common a cause is before anything was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Prior {
    /// Once in a career.
    #[serde(rename = "very rare")]
    VeryRare,
    /// Seldom.
    #[serde(rename = "rare")]
    Rare,
    /// Now and then.
    #[serde(rename = "uncommon")]
    Uncommon,
    /// Every week at a busy helpdesk.
    #[serde(rename = "common")]
    Common,
    /// Every day at a busy helpdesk.
    #[serde(rename = "very common")]
    VeryCommon,
}

impl Prior {
    /// The words used in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Prior::VeryRare => "very rare",
            Prior::Rare => "rare",
            Prior::Uncommon => "uncommon",
            Prior::Common => "common",
            Prior::VeryCommon => "very common",
        }
    }
}

/// The way on which something was seen.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Hop {
    /// From the client to the first server that answers.
    #[default]
    ClientEdge,
    /// From a proxy to the server behind it.
    EdgeOrigin,
}

impl Hop {
    /// The word used in files and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Hop::ClientEdge => "client-edge",
            Hop::EdgeOrigin => "edge-origin",
        }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A statement about facts that is true or not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, try_from = "TypedPredicate")]
pub enum Predicate {
    /// All parts hold.
    All {
        /// The parts.
        all: Vec<Predicate>,
    },
    /// At least one part holds.
    Any {
        /// The parts.
        any: Vec<Predicate>,
    },
    /// A fact of this key has this value.
    Is {
        /// The fact's key.
        key: String,
        /// The value it must have.
        is: String,
        /// On which hop.
        #[serde(default, skip_serializing_if = "is_default")]
        hop: Hop,
    },
    /// A fact of this key has one of these values.
    In {
        /// The fact's key.
        key: String,
        /// The values.
        r#in: Vec<String>,
        /// On which hop.
        #[serde(default, skip_serializing_if = "is_default")]
        hop: Hop,
    },
    /// A fact of this key is a number inside one of these ranges, ends included.
    Within {
        /// The fact's key.
        key: String,
        /// Pairs of the least and the greatest number.
        within: Vec<[f64; 2]>,
        /// On which hop.
        #[serde(default, skip_serializing_if = "is_default")]
        hop: Hop,
    },
}

/// A predicate as it was typed: every word it may have, so that an unknown one gets a clear error.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TypedPredicate {
    all: Option<Vec<Predicate>>,
    any: Option<Vec<Predicate>>,
    key: Option<String>,
    is: Option<String>,
    r#in: Option<Vec<String>>,
    within: Option<Vec<[f64; 2]>>,
    #[serde(default)]
    hop: Hop,
}

impl TryFrom<TypedPredicate> for Predicate {
    type Error = &'static str;

    fn try_from(typed: TypedPredicate) -> Result<Self, Self::Error> {
        let hop = typed.hop;
        match (
            typed.key,
            typed.is,
            typed.r#in,
            typed.within,
            typed.all,
            typed.any,
        ) {
            (Some(key), Some(is), None, None, None, None) => Ok(Predicate::Is { key, is, hop }),
            (Some(key), None, Some(values), None, None, None) => Ok(Predicate::In {
                key,
                r#in: values,
                hop,
            }),
            (Some(key), None, None, Some(within), None, None) => {
                Ok(Predicate::Within { key, within, hop })
            }
            (None, None, None, None, Some(all), None) => Ok(Predicate::All { all }),
            (None, None, None, None, None, Some(any)) => Ok(Predicate::Any { any }),
            _ => Err(
                "a predicate is one of { key = \"..\", is = \"..\" }, { key, in = [..] }, \
                      { key, within = [[from, to]] }, { all = [..] } or { any = [..] }",
            ),
        }
    }
}

impl Predicate {
    /// The keys that the predicate speaks of, with their hop, in order.
    pub fn keys(&self) -> Vec<(&str, Hop)> {
        match self {
            Predicate::All { all: parts } | Predicate::Any { any: parts } => {
                parts.iter().flat_map(Predicate::keys).collect()
            }
            Predicate::Is { key, hop, .. }
            | Predicate::In { key, hop, .. }
            | Predicate::Within { key, hop, .. } => vec![(key, *hop)],
        }
    }
}

/// What a stage's finding says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StageState {
    /// The stage was passed.
    Ok,
    /// It broke there.
    Failed,
}

/// A vendor-neutral finding that causes speak of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Symptom {
    /// Permanent name.
    pub id: String,
    /// Reads on after "Seen:".
    pub title: String,
    /// When it is there.
    pub when: Predicate,
    /// The symptom that says the same less exactly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refines: Option<String>,
    /// At which stage it is seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// What it says of that stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<StageState>,
    /// How often causes that do not name it show it; next to never if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<Frequency>,
    /// A sentence or two for its page.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// The file's name without its ending; set by the reader.
    #[serde(default, skip)]
    pub group: String,
}

/// One system's wordings: a file under `patterns/`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct System {
    /// Short name, the file's name without its ending.
    #[serde(default)]
    pub system: String,
    /// The name shown to people.
    pub title: String,
    /// Where the wordings of all its patterns were taken from, if they do not say otherwise.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// Whether these are people's words: no vendor is their source, and a negation or a question
    /// around them counts.
    #[serde(default, skip_serializing_if = "is_default")]
    pub spoken: bool,
    /// Facts that follow from any of its patterns.
    #[serde(default, skip_serializing_if = "FactTemplates::is_empty")]
    pub facts: FactTemplates,
    /// The wordings.
    #[serde(default, rename = "pattern")]
    pub patterns: Vec<Pattern>,
}

/// Facts that a match yields: key and value, where a value may name a capture of the pattern.
pub type FactTemplates = std::collections::BTreeMap<String, String>;

fn one() -> usize {
    1
}

fn is_one(lines: &usize) -> bool {
    *lines == 1
}

/// A vendor's exact wording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    /// Permanent name.
    pub id: String,
    /// A regular expression in the syntax of the `regex` crate.
    pub regex: String,
    /// What a match tells.
    #[serde(default)]
    pub facts: FactTemplates,
    /// What the same words tell where they are negated; left out, they then tell nothing. Only in
    /// systems of spoken words.
    #[serde(default, skip_serializing_if = "FactTemplates::is_empty")]
    pub negated: FactTemplates,
    /// On which hop.
    #[serde(default, skip_serializing_if = "is_default")]
    pub hop: Hop,
    /// Who saw it, if not the user's machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vantage: Option<String>,
    /// On how many lines it may stretch.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub lines: usize,
    /// Texts that it must match.
    #[serde(default)]
    pub examples: Vec<String>,
    /// Texts that look alike and that it must not match.
    #[serde(default)]
    pub near_misses: Vec<String>,
    /// Where the wording was taken from.
    #[serde(default)]
    pub source: String,
    /// Whether it was seen there.
    #[serde(default)]
    pub verified: bool,
}

/// A root cause, or a narrower one with a parent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cause {
    /// Permanent name.
    pub id: String,
    /// The heading of its page.
    pub title: String,
    /// Where the fault sits.
    pub layer: Layer,
    /// How common it is before anything was seen.
    pub prior: Prior,
    /// The family that a narrower cause belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// A narrower cause's share of its parent, between 0 and 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// Stages at which the client sees it.
    #[serde(default)]
    pub shows_at: Vec<Stage>,
    /// Checks that tell, best first.
    #[serde(default)]
    pub checks: Vec<String>,
    /// Primary sources.
    #[serde(default)]
    pub references: Vec<String>,
    /// How often it shows which symptom.
    #[serde(default)]
    pub symptoms: std::collections::BTreeMap<String, Frequency>,
    /// What removes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<Fix>,
    /// Texts that prove the entry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<CauseTest>,
    /// The prose under the front matter, Markdown.
    #[serde(default, skip)]
    pub body: String,
}

/// Who can do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Who {
    /// The person whose connection fails.
    #[serde(rename = "user")]
    User,
    /// The helpdesk.
    #[serde(rename = "helpdesk")]
    Helpdesk,
    /// Who writes the program.
    #[serde(rename = "developer")]
    Developer,
    /// Who runs the server or the proxy.
    #[serde(rename = "server admin")]
    ServerAdmin,
    /// Who runs the network.
    #[serde(rename = "network team")]
    NetworkTeam,
}

impl Who {
    /// The words used in files and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Who::User => "user",
            Who::Helpdesk => "helpdesk",
            Who::Developer => "developer",
            Who::ServerAdmin => "server admin",
            Who::NetworkTeam => "network team",
        }
    }
}

impl Who {
    /// Everybody, those nearest to the user first.
    pub const ALL: [Who; 5] = [
        Who::User,
        Who::Helpdesk,
        Who::Developer,
        Who::ServerAdmin,
        Who::NetworkTeam,
    ];

    /// The one of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Who::ALL.into_iter().find(|who| who.as_str() == word)
    }

    /// What they have at hand.
    pub fn access(self) -> Access {
        match self {
            Who::User | Who::Helpdesk => Access::Client,
            Who::Developer => Access::Code,
            Who::ServerAdmin => Access::Server,
            Who::NetworkTeam => Access::Network,
        }
    }
}

/// What one needs at hand for a check. Steps that need the same are done together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// The device on which it fails.
    Client,
    /// A command line on any machine.
    Anywhere,
    /// The program's source, or the machine of whoever writes it.
    Code,
    /// A login on the server.
    Server,
    /// A login on the proxy in front of it.
    Proxy,
    /// The pages of the hosting platform, the CDN, the load balancer or the name server.
    Panel,
    /// Firewalls and routers.
    Network,
}

impl Access {
    /// The word used in files and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Access::Client => "client",
            Access::Anywhere => "anywhere",
            Access::Code => "code",
            Access::Server => "server",
            Access::Proxy => "proxy",
            Access::Panel => "panel",
            Access::Network => "network",
        }
    }
}

/// What can go wrong when a fix is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Easily undone, touches only this connection.
    Low,
    /// Touches other users for a moment.
    Medium,
    /// Can break other things or weakens security.
    High,
}

impl Risk {
    /// The word used in files and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Risk::Low => "low",
            Risk::Medium => "medium",
            Risk::High => "high",
        }
    }
}

/// What removes a cause; the steps stand in the cause's prose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fix {
    /// Minutes that it takes once one knows.
    pub minutes: f64,
    /// What can go wrong.
    pub risk: Risk,
    /// Who can do it.
    pub who: Who,
    /// `probe`, `paste` or the id of the check that proves it.
    pub verify: String,
}

/// What a test of a cause demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Expectation {
    /// It must be the first cause.
    #[serde(rename = "top 1")]
    First,
    /// It must be among the first three.
    #[serde(rename = "top 3")]
    AmongThree,
    /// It must not be among the first three.
    #[serde(rename = "absent")]
    Absent,
}

/// A text as a user would paste it, and what must come of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CauseTest {
    /// The paste.
    pub input: String,
    /// What must come of it.
    pub expect: Expectation,
}

/// How a check is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckKind {
    /// Something to do.
    Check,
    /// Something to know.
    Question,
    /// Something that the service finds out by itself, or a command on one's own machine.
    Probe,
}

/// Something that teaches facts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Permanent name.
    pub id: String,
    /// What to do, in a few words.
    pub title: String,
    /// How it is done.
    pub kind: CheckKind,
    /// Minutes that it takes.
    pub minutes: f64,
    /// Who can do it.
    pub who: Who,
    /// What one needs at hand; what `who` has, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
    /// How to do it, and how to read what comes out; Markdown.
    pub instruction: String,
    /// Commands by system: `linux`, `macos`, `windows`, `devtools`.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub commands: std::collections::BTreeMap<String, String>,
    /// What can come out.
    #[serde(default)]
    pub answers: Vec<Answer>,
    /// The file's name without its ending; set by the reader.
    #[serde(default, skip)]
    pub group: String,
}

/// A check's title with what stands before its answer: a colon, which a question needs not.
pub fn introduced(title: &str) -> String {
    match title.ends_with('?') {
        true => title.to_owned(),
        false => format!("{title}:"),
    }
}

impl Check {
    /// What one needs at hand for it.
    pub fn access(&self) -> Access {
        self.access.unwrap_or(self.who.access())
    }
}

/// One of the things that can come out of a check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Name inside the check.
    pub id: String,
    /// The words on the button.
    pub title: String,
    /// What it tells.
    #[serde(default)]
    pub facts: std::collections::BTreeMap<String, String>,
    /// On which hop it tells it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub hop: Hop,
}

/// A number or a name that software prints, explained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// What stands in the page's address.
    pub id: String,
    /// Whose number or name it is.
    pub family: String,
    /// The heading.
    pub title: String,
    /// Markdown.
    pub text: String,
    /// Causes that it points to, likeliest first.
    #[serde(default)]
    pub causes: Vec<String>,
    /// Primary sources.
    #[serde(default)]
    pub references: Vec<String>,
    /// The file's name without its ending; set by the reader.
    #[serde(default, skip)]
    pub group: String,
}

/// A page on something that is worth knowing and is no fault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Advice {
    /// Permanent name.
    pub id: String,
    /// The heading.
    pub title: String,
    /// One sentence.
    pub summary: String,
    /// Words that people search for.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// Causes that it helps against.
    #[serde(default)]
    pub causes: Vec<String>,
    /// Primary sources.
    #[serde(default)]
    pub references: Vec<String>,
    /// Markdown.
    #[serde(default, skip)]
    pub body: String,
}

/// What a limit of time ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TimeoutKind {
    /// A connection on which nothing came for so long.
    Idle,
    /// A connection of that age, however busy.
    Lifetime,
    /// An attempt that was not finished by then.
    Handshake,
}

impl TimeoutKind {
    /// The word used in files and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            TimeoutKind::Idle => "idle",
            TimeoutKind::Lifetime => "lifetime",
            TimeoutKind::Handshake => "handshake",
        }
    }
}

/// Where the clock of a limit runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TimeoutSide {
    /// In something between client and server that speaks HTTP.
    Proxy,
    /// In the server's own program.
    Server,
    /// In the browser, the app or its library.
    Client,
    /// In the operating system, a firewall, a router.
    Network,
}

impl TimeoutSide {
    /// The word used in files and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            TimeoutSide::Proxy => "proxy",
            TimeoutSide::Server => "server",
            TimeoutSide::Client => "client",
            TimeoutSide::Network => "network",
        }
    }
}

/// A limit of time that a product sets: a connection that lasts just as long was probably ended by
/// it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timeout {
    /// Permanent name.
    pub id: String,
    /// Whose it is: the value of the fact that names the product, such as that of `edge.server`.
    pub system: String,
    /// The product among several of one system: the value of `edge.product`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub product: String,
    /// Product and setting, such as `nginx, proxy_read_timeout`.
    pub title: String,
    /// How long, in seconds.
    pub seconds: f64,
    /// By how many seconds it may strike late, where that is not the usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<f64>,
    /// What it ends.
    pub kind: TimeoutKind,
    /// Where its clock runs.
    pub side: TimeoutSide,
    /// Whether it is met often: such come first among equals.
    #[serde(default, skip_serializing_if = "is_default")]
    pub common: bool,
    /// What to change, as code; empty if it is fixed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub setting: String,
    /// For which versions it holds, in words.
    pub versions: String,
    /// The cause that it is an instance of.
    pub cause: String,
    /// What else is worth knowing, a sentence or two.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Why no symptom of its cause speaks of a life of that length, if none does.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unlisted: String,
    /// Where the number was taken from.
    pub source: String,
    /// Whether it was seen there.
    #[serde(default)]
    pub verified: bool,
    /// The file's name without its ending; set by the reader.
    #[serde(default, skip)]
    pub group: String,
}

impl Timeout {
    /// Whether something that lasted so many seconds may have been ended by it. Clocks of logs are
    /// coarse, so a little less passes: half a second or 1 %; timers are late, so more passes: 3
    /// seconds or 2 %, or as the entry says.
    pub fn fits(&self, seconds: f64) -> bool {
        let early = (self.seconds * 0.01).max(0.5);
        let late = self.tolerance.unwrap_or((self.seconds * 0.02).max(3.0));
        (self.seconds - early..=self.seconds + late).contains(&seconds)
    }
}

impl Graph {
    /// The cause of that id.
    pub fn cause(&self, id: &str) -> Option<&Cause> {
        find(&self.causes, id, |cause| &cause.id)
    }

    /// The symptom of that id.
    pub fn symptom(&self, id: &str) -> Option<&Symptom> {
        find(&self.symptoms, id, |symptom| &symptom.id)
    }

    /// The check of that id.
    pub fn check(&self, id: &str) -> Option<&Check> {
        find(&self.checks, id, |check| &check.id)
    }

    /// The page of advice of that id.
    pub fn advice(&self, id: &str) -> Option<&Advice> {
        find(&self.advice, id, |advice| &advice.id)
    }

    /// All codes of that id, of whatever family: numbers are shared between vendors. Case counts
    /// only where an entry has exactly these letters (HAProxy's `sD` and `SD` are two things).
    pub fn codes(&self, id: &str) -> impl Iterator<Item = &Code> {
        let exact = self.codes.iter().any(|code| code.id == id);
        self.codes
            .iter()
            .filter(move |code| code.id == id || (!exact && code.id.eq_ignore_ascii_case(id)))
    }

    /// The patterns of all systems.
    pub fn patterns(&self) -> impl Iterator<Item = (&System, &Pattern)> {
        self.systems
            .iter()
            .flat_map(|system| system.patterns.iter().map(move |pattern| (system, pattern)))
    }

    /// Adds the entries of another graph behind its own.
    pub fn append(&mut self, other: Graph) {
        self.symptoms.extend(other.symptoms);
        self.systems.extend(other.systems);
        self.causes.extend(other.causes);
        self.checks.extend(other.checks);
        self.codes.extend(other.codes);
        self.advice.extend(other.advice);
        self.timeouts.extend(other.timeouts);
    }

    /// Puts every list into the order of its ids, so that equal graphs compare equal.
    pub fn sort(&mut self) {
        self.symptoms.sort_by(|a, b| a.id.cmp(&b.id));
        self.systems.sort_by(|a, b| a.system.cmp(&b.system));
        for system in &mut self.systems {
            system.patterns.sort_by(|a, b| a.id.cmp(&b.id));
        }
        self.causes.sort_by(|a, b| a.id.cmp(&b.id));
        self.checks.sort_by(|a, b| a.id.cmp(&b.id));
        self.codes
            .sort_by(|a, b| (&a.family, &a.id).cmp(&(&b.family, &b.id)));
        self.advice.sort_by(|a, b| a.id.cmp(&b.id));
        self.timeouts.sort_by(|a, b| a.id.cmp(&b.id));
    }
}

/// Binary search in a list that is in the order of its ids.
fn find<'a, T>(list: &'a [T], id: &str, id_of: impl Fn(&T) -> &String) -> Option<&'a T> {
    list.binary_search_by(|entry| id_of(entry).as_str().cmp(id))
        .ok()
        .map(|position| &list[position])
}
