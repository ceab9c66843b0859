//! The settings: what was typed and what it means are two types.
//!
//! [`Typed`] holds the texts that flags, environment and file gave, and where
//! each stood. [`Settings`] holds values of their real types. One table, in
//! the `settings!` call below, makes both, the command line's help and what
//! [`Settings::describe`] prints, so that they cannot disagree.
//!
//! A flag wins over the environment, the environment over the file, the file
//! over the default. An empty text counts as not given, because that is what
//! `WSDOCTOR_X=${X:-}` in a container's description leaves behind.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Visitor};

mod kinds;
#[cfg(test)]
mod tests;

/// One setting for people to read: `wsdoctor config` and the documentation
/// print these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingDescription {
    /// Key in the settings file, and the field of [`Settings`].
    pub name: &'static str,
    /// The flag, with its two dashes.
    pub flag: String,
    /// Name of the environment variable.
    pub environment: &'static str,
    /// What holds when nothing is given, as one would write it.
    pub default: &'static str,
    /// What holds now, as one would write it; secrets are `****`.
    pub value: String,
    /// What the setting does, in a sentence.
    pub meaning: String,
}

/// Why the settings cannot be used: every problem, not only the first.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .problems.join("\n"))]
pub struct SettingsError {
    /// One sentence each: the setting, what was given, what to write instead.
    pub problems: Vec<String>,
}

/// Makes [`Typed`], [`Settings`] and the descriptions from one table. A row is
/// `/// meaning`, `name: type [kind, typed, environment, default];` where the
/// kind is a module in `kinds` that parses and prints the value, and `typed`
/// is what the command line and the file may hold.
macro_rules! settings {
    ($(
        $(#[doc = $meaning:literal])+
        $name:ident: $value:ty [$kind:ident, $typed:ty, $environment:literal, $default:literal];
    )+) => {
        /// What was typed, not yet judged. Flatten it into a command's arguments.
        #[derive(Clone, Debug, Default, clap::Args, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Typed {
            /// File with settings in TOML, its keys named as here with underscores.
            #[arg(long, value_name = "FILE", env = "WSDOCTOR_CONFIG")]
            #[serde(skip)]
            pub config: Option<String>,
            $(
                $(#[doc = $meaning])+
                #[doc = ""]
                #[doc = concat!("[default: ", $default, "]")]
                #[arg(
                    long,
                    env = $environment,
                    hide_env_values = true,
                    value_name = kinds::$kind::PLACEHOLDER,
                    verbatim_doc_comment,
                )]
                $name: Option<$typed>,
            )+
        }

        /// What the settings mean. Every field says its unit by its type.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Settings {
            $( $(#[doc = $meaning])+ pub $name: $value, )+
        }

        impl Typed {
            /// Fills what was not given here from `weaker`.
            fn or(self, weaker: Typed) -> Typed {
                Typed {
                    config: self.config.or(weaker.config),
                    $( $name: self.$name.filter(given).or(weaker.$name.filter(given)), )+
                }
            }

            /// Judges every text; `file` is the settings file the texts may stand in.
            fn interpret(self, file: Option<&SettingsFile>) -> Result<Settings, SettingsError> {
                let mut problems = Vec::new();
                $(
                    let $name = match &self.$name {
                        None => kinds::$kind::parse(&[Given::from($default)]),
                        Some(typed) => kinds::$kind::parse(typed.texts()),
                    };
                    let $name = $name
                        .map_err(|problem| problems.push(problem.tell(stringify!($name), $environment, file)))
                        .ok();
                )+
                match ($($name,)+) {
                    ($(Some($name),)+) => Ok(Settings { $($name,)+ }),
                    _ => Err(SettingsError { problems }),
                }
            }
        }

        impl Settings {
            /// Every setting with its names, default, present value and meaning,
            /// in the order of the table. Secrets are covered.
            #[must_use]
            pub fn describe(&self) -> Vec<SettingDescription> {
                vec![$(
                    SettingDescription {
                        name: stringify!($name),
                        flag: flag_of(stringify!($name)),
                        environment: $environment,
                        default: $default,
                        value: kinds::$kind::show(&self.$name),
                        meaning: [$($meaning.trim()),+].join(" "),
                    },
                )+]
            }
        }
    };
}

settings! {
    /// Address and port that the HTTP server listens on.
    listen: SocketAddr [address, Given, "WSDOCTOR_LISTEN", "127.0.0.1:8080"];
    /// The database; its file is created when missing.
    database: DatabaseUrl [database, Given, "WSDOCTOR_DATABASE", "sqlite://wsdoctor.db"];
    /// Address range or host name that probes may reach although it is not
    /// public; may be given several times.
    probe_allow: Vec<String> [list, Vec<Given>, "WSDOCTOR_PROBE_ALLOW", ""];
    /// Ports and ranges of ports that probes may connect to; of a range, ports of
    /// databases and those that browsers block are left out.
    probe_ports: Vec<String> [ports, Vec<Given>, "WSDOCTOR_PROBE_PORTS", "80,443,1024-65535"];
    /// Longest time of a whole probe, without holding its connection open.
    probe_budget: Duration [duration, Given, "WSDOCTOR_PROBE_BUDGET", "15s"];
    /// Longest time that a probe takes to resolve a name.
    probe_dns_timeout: Duration [duration, Given, "WSDOCTOR_PROBE_DNS_TIMEOUT", "4s"];
    /// Longest time that a probe takes for a connection.
    probe_tcp_timeout: Duration [duration, Given, "WSDOCTOR_PROBE_TCP_TIMEOUT", "4s"];
    /// Longest time that a probe takes to set up encryption.
    probe_tls_timeout: Duration [duration, Given, "WSDOCTOR_PROBE_TLS_TIMEOUT", "4s"];
    /// Longest time that a probe waits for the answer to a handshake.
    probe_upgrade_timeout: Duration [duration, Given, "WSDOCTOR_PROBE_UPGRADE_TIMEOUT", "5s"];
    /// Longest time that a probe waits for the answer to a ping or a close frame.
    probe_websocket_timeout: Duration [duration, Given, "WSDOCTOR_PROBE_WEBSOCKET_TIMEOUT", "3s"];
    /// Longest time that a probe may hold its connection open to find idle cuts.
    probe_hold_limit: Duration [duration, Given, "WSDOCTOR_PROBE_HOLD_LIMIT", "300s"];
    /// Most that a probe reads of an answer's header.
    probe_header_bytes: usize [bytes, Given, "WSDOCTOR_PROBE_HEADER_BYTES", "64KiB"];
    /// Most that a probe keeps of an answer's body.
    probe_body_bytes: usize [bytes, Given, "WSDOCTOR_PROBE_BODY_BYTES", "2KiB"];
    /// Largest message that a probe reads.
    probe_message_bytes: usize [bytes, Given, "WSDOCTOR_PROBE_MESSAGE_BYTES", "64KiB"];
    /// Most connections that one probe opens.
    probe_connections: usize [count, Given, "WSDOCTOR_PROBE_CONNECTIONS", "24"];
    /// Most probes that run at a time; further ones wait for their turn.
    probe_running: usize [count, Given, "WSDOCTOR_PROBE_RUNNING", "32"];
    /// Most probes that wait for their turn; more are answered with 503.
    probe_waiting: usize [count, Given, "WSDOCTOR_PROBE_WAITING", "1000"];
    /// Most probes of one caller at a time, waiting ones included; more are
    /// answered with 429. Callers on loopback are exempt.
    probe_caller_running: usize [count, Given, "WSDOCTOR_PROBE_CALLER_RUNNING", "4"];
    /// Most probes of one caller in a minute; more are answered with 429.
    /// Callers on loopback are exempt.
    probe_caller_rate: usize [count, Given, "WSDOCTOR_PROBE_CALLER_RATE", "20"];
    /// Most probes of one name, and of one address, in a minute, whoever asks
    /// for them. Those that callers on loopback ask for do not count.
    probe_target_rate: usize [count, Given, "WSDOCTOR_PROBE_TARGET_RATE", "6"];
    /// How long a finished probe can be read at its own address; what it saw
    /// stays in its case as long as the case does.
    probe_keep: Duration [duration, Given, "WSDOCTOR_PROBE_KEEP", "3600s"];
    /// Longest time a client may take for a request's header.
    header_timeout: Duration [duration, Given, "WSDOCTOR_HEADER_TIMEOUT", "10s"];
    /// Longest time a client may take for a request's body.
    body_timeout: Duration [duration, Given, "WSDOCTOR_BODY_TIMEOUT", "30s"];
    /// Longest time a connection may be silent between two requests.
    idle_timeout: Duration [duration, Given, "WSDOCTOR_IDLE_TIMEOUT", "60s"];
    /// Longest time until an answer begins, counted from the request's header,
    /// or from the end of its body when it has one.
    request_timeout: Duration [duration, Given, "WSDOCTOR_REQUEST_TIMEOUT", "30s"];
    /// Longest time a client may take no part of its answer.
    write_timeout: Duration [duration, Given, "WSDOCTOR_WRITE_TIMEOUT", "30s"];
    /// Longest time that running requests get to end when the server stops.
    shutdown_timeout: Duration [duration, Given, "WSDOCTOR_SHUTDOWN_TIMEOUT", "10s"];
    /// Most connections at a time; more are answered with 503.
    maximum_connections: usize [count, Given, "WSDOCTOR_MAXIMUM_CONNECTIONS", "4096"];
    /// Most connections at a time from one IPv4 address or IPv6 /64 network;
    /// more are answered with 429. Loopback is exempt; raise it
    /// when a proxy on another machine brings all clients.
    maximum_connections_per_address: usize
        [count, Given, "WSDOCTOR_MAXIMUM_CONNECTIONS_PER_ADDRESS", "256"];
    /// Largest header of a request.
    maximum_header_bytes: usize [bytes, Given, "WSDOCTOR_MAXIMUM_HEADER_BYTES", "64KiB"];
    /// Largest text in JSON or in a form.
    maximum_text_bytes: usize [bytes, Given, "WSDOCTOR_MAXIMUM_TEXT_BYTES", "8MiB"];
    /// Largest uploaded file.
    maximum_upload_bytes: usize [bytes, Given, "WSDOCTOR_MAXIMUM_UPLOAD_BYTES", "64MiB"];
    /// Largest body of any other request.
    maximum_body_bytes: usize [bytes, Given, "WSDOCTOR_MAXIMUM_BODY_BYTES", "1MiB"];
    /// Days after its last change until a case is deleted.
    retention_days: u32 [days, Given, "WSDOCTOR_RETENTION_DAYS", "30"];
    /// Address under which users reach this service, for links in chat answers.
    public_url: Option<String> [web_address, Given, "WSDOCTOR_PUBLIC_URL", ""];
    /// Shape of the log's lines: text or json.
    log_format: LogFormat [log_format, Given, "WSDOCTOR_LOG_FORMAT", "text"];
    /// What is logged: a level, or levels for parts, such as info,wsdoctor=debug.
    log_filter: String [log_filter, Given, "WSDOCTOR_LOG_FILTER", "info"];
}

impl Settings {
    /// Reads the settings file, if one was named, and judges everything.
    ///
    /// # Errors
    /// All problems at once; those of the file come with its name and line.
    pub fn load(typed: Typed) -> Result<Settings, SettingsError> {
        let Some(path) = typed.config.clone().filter(|path| !path.is_empty()) else {
            return typed.or(Typed::default()).interpret(None);
        };
        let file = SettingsFile::read(Path::new(&path)).map_err(one_problem)?;
        let weaker = file.parse().map_err(one_problem)?;
        typed.or(weaker).interpret(Some(&file))
    }
}

impl Default for Settings {
    /// The settings when nothing is given at all.
    fn default() -> Settings {
        Typed::default()
            .interpret(None)
            .expect("a test reads every default of the table")
    }
}

/// Shape of the log's lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for log collectors.
    Json,
}

/// Address of the database. Printing it covers the credentials it may hold.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The whole address, credentials included: for connecting, not for printing.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&without_credentials(&self.0))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", without_credentials(&self.0))
    }
}

/// Where the database is: for commands that need nothing else.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct DatabasePlace {
    /// The database, as for `serve`.
    #[arg(
        long,
        env = "WSDOCTOR_DATABASE",
        hide_env_values = true,
        value_name = "URL"
    )]
    database: Option<Given>,
    /// File with settings in TOML, as for `serve`.
    #[arg(long, env = "WSDOCTOR_CONFIG", value_name = "FILE")]
    config: Option<String>,
}

impl DatabasePlace {
    /// The address that these arguments, the settings file and the default amount to.
    ///
    /// # Errors
    /// The settings file cannot be used, or a setting in it.
    pub fn address(self) -> Result<DatabaseUrl, SettingsError> {
        let typed = Typed {
            config: self.config,
            database: self.database,
            ..Typed::default()
        };
        Ok(Settings::load(typed)?.database)
    }
}

/// The settings that a probe from the command line heeds.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ProbeChoices {
    /// Address range or host name that may be reached although it is not public, as for `serve`.
    #[arg(long, env = "WSDOCTOR_PROBE_ALLOW", value_name = "NETWORK-OR-NAME")]
    probe_allow: Option<Vec<Given>>,
    /// Ports and ranges of ports that may be connected to, as for `serve`.
    #[arg(long, env = "WSDOCTOR_PROBE_PORTS", value_name = "PORTS")]
    probe_ports: Option<Vec<Given>>,
    /// Longest time of the whole probe, without holding its connection open, as for `serve`.
    #[arg(long, env = "WSDOCTOR_PROBE_BUDGET", value_name = "DURATION")]
    probe_budget: Option<Given>,
    /// File with settings in TOML, as for `serve`.
    #[arg(long, env = "WSDOCTOR_CONFIG", value_name = "FILE")]
    config: Option<String>,
}

impl ProbeChoices {
    /// All settings, those that were not chosen with the file's values or their defaults.
    ///
    /// # Errors
    /// The settings file cannot be used, or a setting in it.
    pub fn settings(self) -> Result<Settings, SettingsError> {
        Settings::load(Typed {
            config: self.config,
            probe_allow: self.probe_allow,
            probe_ports: self.probe_ports,
            probe_budget: self.probe_budget,
            ..Typed::default()
        })
    }
}

/// One text that was given for a setting.
#[derive(Clone, Default)]
pub struct Given {
    text: String,
    /// Byte in the settings file at which it stands; none when it came from
    /// the command line or the environment.
    offset: Option<usize>,
}

impl From<&str> for Given {
    fn from(text: &str) -> Given {
        Given {
            text: text.to_owned(),
            offset: None,
        }
    }
}

impl std::str::FromStr for Given {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Given, Self::Err> {
        Ok(Given::from(text))
    }
}

impl fmt::Debug for Given {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", without_credentials(&self.text))
    }
}

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Given, D::Error> {
        let plain = toml::Spanned::<Plain>::deserialize(deserializer)?;
        Ok(Given {
            offset: Some(plain.span().start),
            text: plain.into_inner().0,
        })
    }
}

/// A text or a whole number in TOML, as text: `"30s"` and `30` are both fine.
struct Plain(String);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Plain, D::Error> {
        struct PlainVisitor;
        impl Visitor<'_> for PlainVisitor {
            type Value = Plain;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a text or a whole number")
            }
            fn visit_str<E>(self, text: &str) -> Result<Plain, E> {
                Ok(Plain(text.to_owned()))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Plain, E> {
                Ok(Plain(number.to_string()))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Plain, E> {
                Ok(Plain(number.to_string()))
            }
        }
        deserializer.deserialize_any(PlainVisitor)
    }
}

/// Whether anything at all was given: empty texts and lists do not count.
fn given<T: AsTexts>(typed: &T) -> bool {
    typed.texts().iter().any(|given| !given.text.is_empty())
}

/// The texts of a typed value, whether it is one or a list.
trait AsTexts {
    fn texts(&self) -> &[Given];
}

impl AsTexts for Given {
    fn texts(&self) -> &[Given] {
        std::slice::from_ref(self)
    }
}

impl AsTexts for Vec<Given> {
    fn texts(&self) -> &[Given] {
        self
    }
}

/// The settings file as it was read, for naming lines.
struct SettingsFile {
    path: PathBuf,
    content: String,
}

impl SettingsFile {
    fn read(path: &Path) -> Result<SettingsFile, String> {
        let content = std::fs::read_to_string(path).map_err(|error| {
            format!(
                "config: cannot read {}: {error}; name a readable TOML file with --config or WSDOCTOR_CONFIG",
                path.display()
            )
        })?;
        Ok(SettingsFile {
            path: path.to_owned(),
            content,
        })
    }

    fn parse(&self) -> Result<Typed, String> {
        toml::from_str(&self.content).map_err(|error| {
            let place = self.place(error.span().map_or(0, |span| span.start));
            // The parser's own message only: its longer form quotes the line,
            // which may hold a password.
            format!("{place}: {}", error.message().replace('\n', ", "))
        })
    }

    /// `file:line` of a byte.
    fn place(&self, offset: usize) -> String {
        let before = &self.content.as_bytes()[..offset.min(self.content.len())];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        format!("{}:{line}", self.path.display())
    }
}

fn one_problem(problem: String) -> SettingsError {
    SettingsError {
        problems: vec![problem],
    }
}

/// `header_timeout` is given as `--header-timeout`.
fn flag_of(name: &str) -> String {
    format!("--{}", name.replace('_', "-"))
}

/// What every kind of value answers to a text that is not one.
struct Unusable {
    given: Given,
    instead: String,
}

impl Unusable {
    /// One sentence: the setting, where it stands, what was given, what to write.
    fn tell(&self, name: &str, environment: &str, file: Option<&SettingsFile>) -> String {
        let place = match (self.given.offset, file) {
            (Some(offset), Some(file)) => format!("{}: {name}", file.place(offset)),
            _ => format!("{name} ({} or {environment})", flag_of(name)),
        };
        format!(
            "{place}: {:?} cannot be used; write {}",
            self.given, self.instead
        )
    }
}

/// Covers what may be secret in an address: everything between the scheme and
/// the last `@` (a password may hold any sign), and parameters so named.
fn without_credentials(address: &str) -> String {
    let (before, parameters) = address.split_once('?').unwrap_or((address, ""));
    // An `@` behind the question mark means that the password holds one.
    let (before, parameters) = if parameters.contains('@') {
        (address, "")
    } else {
        (before, parameters)
    };
    let start = before.find("://").map_or(0, |at| at + "://".len());
    let mut shown = match before.rfind('@') {
        Some(at) if at >= start => format!("{}****{}", &before[..start], &before[at..]),
        _ => before.to_owned(),
    };
    for (position, parameter) in parameters.split('&').enumerate() {
        if !parameters.is_empty() {
            shown.push(if position == 0 { '?' } else { '&' });
            shown.push_str(&without_secret_value(parameter));
        }
    }
    shown
}

fn without_secret_value(parameter: &str) -> String {
    const SECRET: [&str; 5] = ["pass", "pwd", "key", "secret", "token"];
    match parameter.split_once('=') {
        Some((name, _))
            if SECRET
                .iter()
                .any(|word| name.to_ascii_lowercase().contains(word)) =>
        {
            format!("{name}=****")
        }
        _ => parameter.to_owned(),
    }
}
