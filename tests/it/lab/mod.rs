//! Probes of real programs: each set-up of `setups.toml` is started on loopback ports, probed, and
//! where it says how it is mended, mended and probed again. `UPDATE_PROBES=1` writes the table of
//! docs/probes.md; `LAB=words` runs only set-ups whose names hold these words.

mod certificates;
mod limits;
mod namespaces;
mod programs;
mod table;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tempfile::TempDir;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use wsdoctor::case::Report;
use wsdoctor::engine::Diagnosis;
use wsdoctor::engine::diagnosis::VerdictKind;
use wsdoctor::engine::prose::sections;
use wsdoctor::probe::policy::Policy;
use wsdoctor::probe::{Limits, Order, Prober, Trust};

use crate::support::{ENGINE, shipped};
use programs::{Running, free_port, start};

/// So many set-ups run at once.
const AT_ONCE: usize = 6;
/// The budget, and room for a machine that is busy.
const LONGEST: Duration = Duration::from_secs(20);

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lab {
    /// Configurations that work, by system and name.
    fronts: BTreeMap<String, BTreeMap<String, String>>,
    setup: Vec<toml::Table>,
}

/// One set-up.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Setup {
    /// What is wrong, for people.
    name: String,
    /// The likeliest cause has to be this one, or one of those joined by "or"; `healthy`.
    cause: String,
    /// Facts that have to be stated.
    #[serde(default)]
    facts: BTreeMap<String, String>,
    /// What is probed.
    #[serde(default)]
    url: Option<String>,
    /// The program that is probed: nginx, haproxy, apache, caddy, squid, stunnel, openssl.
    #[serde(default)]
    front: Option<String>,
    /// Its configuration; `@plain` is the one of that name.
    #[serde(default)]
    configuration: String,
    /// The program behind it: `node KIND` or `python KIND`.
    #[serde(default)]
    back: Option<String>,
    /// The certificate that is used.
    #[serde(default)]
    certificate: Option<String>,
    #[serde(default)]
    origin: Option<String>,
    #[serde(default)]
    subprotocols: Vec<String>,
    /// A Cookie header of that size.
    #[serde(default)]
    cookie_bytes: usize,
    /// Seconds.
    #[serde(default)]
    hold: u64,
    /// Where the code at `{page}` stands: a section of the first cause's page, or a cause, one of the
    /// first three, and a section.
    #[serde(default)]
    page: Option<Shown>,
    /// Which block of code of that section, from 1; 0 is the first as well.
    #[serde(default)]
    block: usize,
    /// What is otherwise when it is mended.
    #[serde(default)]
    fixed: Option<toml::Table>,
    /// Stands for every one of these systems, at `{each}`.
    #[serde(default)]
    each: Vec<String>,
}

/// Where a page's code is.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Shown {
    First(String),
    Of(String, String),
}

/// What came of a set-up.
struct Seen {
    name: String,
    facts: Vec<String>,
    cause: String,
    probability: f64,
    after: Option<String>,
    complaints: Vec<String>,
}

/// What all set-ups share.
struct Bench {
    fronts: BTreeMap<String, BTreeMap<String, String>>,
    certificates: TempDir,
    prober: Prober,
}

impl Bench {
    fn new(fronts: BTreeMap<String, BTreeMap<String, String>>) -> Self {
        let certificates = tempfile::tempdir().expect("a folder");
        let root = certificates::make(certificates.path());
        let policy = Policy {
            allow_private: true,
            ..Policy::default()
        };
        Bench {
            fronts,
            certificates,
            prober: Prober::new(policy, Limits::default())
                .with_trust(Trust::of_certificates(&[root])),
        }
    }

    /// A certificate's files without their endings.
    fn certificate(&self, name: &str) -> String {
        self.certificates.path().join(name).display().to_string()
    }
}

/// A set-up for each of its systems, if they are here.
fn expanded(setups: Vec<toml::Table>) -> Vec<Setup> {
    let only = std::env::var("LAB").unwrap_or_default();
    let mut all = Vec::new();
    for table in setups {
        let text = toml::to_string(&table).expect("a table");
        let setup: Setup = table.try_into().expect("a set-up");
        if setup.each.is_empty() {
            all.push(setup);
            continue;
        }
        for system in &setup.each {
            let mut one: Setup = toml::from_str(&text.replace("{each}", system)).expect("a set-up");
            one.each.clear();
            all.push(one);
        }
    }
    all.retain(|setup| setup.name.contains(&only) && is_possible(setup));
    all
}

fn is_possible(setup: &Setup) -> bool {
    let front = match setup.front.as_deref() {
        None => true,
        Some("apache") => programs::has("apache2"),
        Some("stunnel") => programs::has("stunnel4"),
        Some(program) => programs::has(program),
    };
    let back = match setup.back.as_deref().and_then(|back| back.split_once(' ')) {
        Some(("node", _)) => programs::has_node(),
        Some(("python", _)) => programs::has_python(),
        _ => true,
    };
    front && back
}

/// A set-up that runs.
struct Place {
    url: String,
    _running: Vec<Running>,
    _folder: TempDir,
}

/// A set-up is mended on the ports on which it was broken.
#[derive(Clone, Copy)]
struct Ports {
    front: u16,
    back: u16,
    other: u16,
}

impl Ports {
    fn free() -> Self {
        Ports {
            front: free_port(),
            back: free_port(),
            other: free_port(),
        }
    }
}

async fn build(bench: &Bench, setup: &Setup, page: &str, ports: Ports) -> Place {
    let folder = tempfile::tempdir().expect("a folder");
    open_to_all(folder.path());
    let Ports { front, back, other } = ports;
    let certificate = bench.certificate(setup.certificate.as_deref().unwrap_or("valid"));
    let fill = |text: &str| {
        text.replace("{page}", page)
            .replace("{front}", &front.to_string())
            .replace("{back}", &back.to_string())
            .replace("{other}", &other.to_string())
            .replace("{certificate}", &certificate)
            .replace("{valid}", &bench.certificate("valid"))
            .replace("{root}", &bench.certificate("root"))
            .replace("{folder}", &folder.path().display().to_string())
    };
    let mut running = Vec::new();
    if let Some((system, words)) = setup.back.as_deref().and_then(|back| back.split_once(' ')) {
        let (kind, more) = words.split_once(' ').unwrap_or((words, ""));
        let line = fill(&format!("{kind} {back} {more}"));
        let mut program = start(system, &line, folder.path());
        program.listens_on(back).await;
        running.push(program);
    }
    if let Some(system) = setup.front.as_deref() {
        let configuration = match setup.configuration.strip_prefix('@') {
            Some(name) => &bench.fronts[system][name],
            None => &setup.configuration,
        };
        let mut program = start(system, &fill(configuration), folder.path());
        program.listens_on(front).await;
        running.push(program);
    }
    let asked = if setup.front.is_some() { front } else { back };
    let url = setup.url.as_deref().unwrap_or("ws://localhost:{asked}/ws");
    Place {
        url: fill(&url.replace("{asked}", &asked.to_string())),
        _running: running,
        _folder: folder,
    }
}

/// Programs that give their rights away have to write there.
fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let all = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(folder, all).expect("permissions");
}

async fn probe(
    bench: &Bench,
    setup: &Setup,
    page: &str,
    ports: Ports,
) -> (Report, Diagnosis, Duration) {
    let place = build(bench, setup, page, ports).await;
    let mut headers = Vec::new();
    if setup.cookie_bytes > 0 {
        headers.push((
            "Cookie".to_owned(),
            format!("a={}", "x".repeat(setup.cookie_bytes)),
        ));
    }
    let order = Order {
        origin: setup.origin.clone(),
        subprotocols: setup.subprotocols.clone(),
        headers,
        hold: Duration::from_secs(setup.hold),
        ..Order::of(place.url.clone())
    };
    let begun = Instant::now();
    let (events, _) = mpsc::unbounded_channel();
    let report = bench.prober.run(&order, &events).await.expect("allowed");
    let diagnosis = ENGINE.diagnose(&[report.evidence()]);
    (report, diagnosis, begun.elapsed())
}

/// The code that the page shows for a system, with the case's own values and our server behind it.
/// The page is one to which the diagnosis leads.
fn code_of_page(setup: &Setup, diagnosis: &Diagnosis) -> Result<String, String> {
    let (cause, section) = match &setup.page {
        None => return Ok(String::new()),
        Some(Shown::First(section)) => (None, section),
        Some(Shown::Of(cause, section)) => (Some(cause), section),
    };
    let offered: Vec<&str> = diagnosis
        .causes
        .iter()
        .take(if cause.is_some() { 3 } else { 1 })
        .flat_map(|first| {
            let narrower = first.narrower().map(|narrower| narrower.id.as_str());
            narrower.into_iter().chain([first.id.as_str()])
        })
        .collect();
    let pages: Vec<&str> = match cause {
        None => offered,
        Some(cause) if offered.contains(&cause.as_str()) => vec![cause],
        Some(cause) if offered.iter().any(|page| links(page, cause)) => vec![cause],
        Some(cause) => return Err(format!("{cause} is none of {offered:?}")),
    };
    let code = pages
        .iter()
        .find_map(|cause| block(cause, section, setup.block.max(1)))
        .ok_or_else(|| format!("{pages:?}: no code in {section}"))?;
    let code = diagnosis.subject.fill(&code);
    Ok(with_own_files(&code, setup))
}

/// A cause's file.
fn page_of(cause: &str) -> Option<String> {
    let ending = format!("causes/{cause}.md");
    let file = shipped()
        .into_iter()
        .find(|file| file.name.ends_with(&ending))?;
    Some(file.text)
}

/// Whether a cause's page leads to another's.
fn links(page: &str, cause: &str) -> bool {
    let link = format!("(/causes/{cause})");
    page_of(page).is_some_and(|text| text.contains(&link))
}

/// A block of code of a cause's section.
fn block(cause: &str, section: &str, number: usize) -> Option<String> {
    let text = page_of(cause)?;
    let found = sections(&text)
        .into_iter()
        .find(|part| begins_with(part.title, section))?;
    let code = found.markdown.split("```").nth(2 * number - 1)?;
    Some(code.split_once('\n')?.1.to_owned())
}

/// What the examples name, replaced by what is there.
fn with_own_files(code: &str, setup: &Setup) -> String {
    let code = [
        ("127.0.0.1:8080", "127.0.0.1:{back}"),
        ("backend.example:8443 ssl", "127.0.0.1:{back} ssl"),
        ("backend.example:8443", "localhost:{back}"),
        ("backend.example", "localhost"),
        (
            "/etc/letsencrypt/live/localhost/fullchain.pem",
            "{valid}.crt",
        ),
        ("/etc/letsencrypt/live/localhost/privkey.pem", "{valid}.key"),
        ("/etc/haproxy/certs/localhost.pem", "{valid}.pem"),
        ("/etc/ssl/clients-ca.pem", "{root}.crt"),
        ("/etc/ssl/company-ca.pem", "{root}.crt"),
        ("/etc/ssl/certs/ca-certificates.crt", "{root}.crt"),
        ("bind :443 ssl crt /etc/haproxy/certs/", "bind :{front}"),
        ("localhost {", "http://localhost:{front} {"),
    ]
    .iter()
    .fold(code.to_owned(), |code, (theirs, ours)| {
        code.replace(theirs, ours)
    });
    let place = setup
        .fixed
        .as_ref()
        .and_then(|fixed| fixed.get("configuration")?.as_str());
    // There the set-up has a server of its own around the code.
    let is_inside = place.is_some_and(|place| place.starts_with("@around"));
    let begins = |word: &str| code.lines().any(|line| line.starts_with(word));
    match setup.front.as_deref() {
        Some("nginx") if begins("server {") && !code.contains("listen ") => {
            code.replacen("server {", "server {\n    listen {front};", 1)
        }
        // A location stands in a server, what is before it outside.
        Some("nginx") if begins("location") && !is_inside => {
            let at = match code.starts_with("location") {
                true => 0,
                false => code.find("\nlocation").expect("a location") + 1,
            };
            let (outside, inside) = code.split_at(at);
            format!("{outside}server {{\n    listen {{front}};\n{inside}}}\n")
        }
        Some("haproxy") if begins("backend sockets") && !begins("frontend") => {
            format!("frontend web\n    bind :{{front}}\n    default_backend sockets\n{code}")
        }
        _ => code,
    }
}

/// Whether a heading begins with these words, in whatever case.
fn begins_with(title: &str, words: &str) -> bool {
    title
        .get(..words.len())
        .is_some_and(|beginning| beginning.eq_ignore_ascii_case(words))
}

/// A program that does not start is a complaint of its own set-up.
async fn examined(bench: &Arc<Bench>, setup: Setup) -> Seen {
    let (bench, name) = (Arc::clone(bench), setup.name.clone());
    let running = tokio::spawn(async move { examine(&bench, setup).await });
    running.await.unwrap_or_else(|error| Seen {
        name,
        facts: Vec::new(),
        cause: "none".to_owned(),
        probability: 0.0,
        after: None,
        complaints: vec![error.to_string()],
    })
}

async fn examine(bench: &Bench, setup: Setup) -> Seen {
    let ports = Ports::free();
    let (report, diagnosis, took) = probe(bench, &setup, "", ports).await;
    let is_healthy = diagnosis.verdict == VerdictKind::Healthy;
    let (cause, probability) = match diagnosis.causes.first() {
        _ if is_healthy => ("healthy".to_owned(), 1.0),
        None => ("none".to_owned(), 0.0),
        Some(first) => (
            first
                .narrower()
                .map_or(&first.id, |narrower| &narrower.id)
                .to_string(),
            first.probability,
        ),
    };
    let mut complaints = Vec::new();
    let root = diagnosis.causes.first().map(|first| first.id.as_str());
    let is_right = setup
        .cause
        .split(" or ")
        .any(|right| right == cause || (!is_healthy && Some(right) == root));
    if !is_right {
        complaints.push(format!(
            "{cause} instead of {}: {}",
            setup.cause,
            told(&report, &diagnosis)
        ));
    }
    let stated = report.all_facts();
    for (key, value) in &setup.facts {
        if !stated
            .iter()
            .any(|fact| &fact.key == key && &fact.value == value)
        {
            complaints.push(format!(
                "{key} = {value} is missing: {}",
                told(&report, &diagnosis)
            ));
        }
    }
    if took > LONGEST + Duration::from_secs(setup.hold) {
        complaints.push(format!("took {took:?}"));
    }
    let after = mended(bench, &setup, ports, &diagnosis, &mut complaints).await;
    Seen {
        name: setup.name,
        facts: table::facts(&report),
        cause,
        probability,
        after,
        complaints,
    }
}

/// Mends it and probes it again.
async fn mended(
    bench: &Bench,
    setup: &Setup,
    ports: Ports,
    diagnosis: &Diagnosis,
    complaints: &mut Vec<String>,
) -> Option<String> {
    let changes = setup.fixed.clone()?;
    let code = match code_of_page(setup, diagnosis) {
        Ok(code) => code,
        Err(complaint) => {
            complaints.push(complaint);
            return None;
        }
    };
    let mut setup = with(setup, changes);
    if setup.url.as_deref() == Some("{page}") {
        // The code is a line such as new WebSocket('wss://...').
        setup.url = code.rsplit('\'').nth(1).map(str::to_owned);
    }
    let (report, diagnosis, _) = probe(bench, &setup, &code, ports).await;
    if diagnosis.verdict != VerdictKind::Healthy {
        complaints.push(format!(
            "still fails with\n{code}\n{}",
            told(&report, &diagnosis)
        ));
    }
    Some(diagnosis.verdict.as_str().to_owned())
}

fn with(setup: &Setup, changes: toml::Table) -> Setup {
    let mut setup = setup.clone();
    for (key, value) in changes {
        let text = || value.as_str().expect("a text").to_owned();
        match key.as_str() {
            "url" => setup.url = Some(text()),
            "configuration" => setup.configuration = text(),
            "certificate" => setup.certificate = Some(text()),
            "back" => setup.back = Some(text()),
            "origin" => setup.origin = Some(text()),
            "cookie_bytes" => setup.cookie_bytes = 0,
            "subprotocols" => setup.subprotocols = vec![text()],
            other => panic!("{other} cannot be changed"),
        }
    }
    setup
}

/// Everything that helps to see why.
fn told(report: &Report, diagnosis: &Diagnosis) -> String {
    let facts: Vec<String> = report
        .all_facts()
        .iter()
        .map(|fact| format!("{}={}", fact.key, fact.value))
        .collect();
    let stages: Vec<&str> = report
        .stages
        .iter()
        .map(|stage| stage.detail.as_str())
        .collect();
    let variants: Vec<String> = report
        .variants
        .iter()
        .map(|variant| format!("{}: {} {}", variant.id, variant.outcome, variant.finding))
        .collect();
    let causes: Vec<String> = diagnosis
        .causes
        .iter()
        .take(4)
        .map(|cause| format!("{} {}", cause.id, cause.probability))
        .collect();
    let symptoms: Vec<&str> = diagnosis
        .symptoms
        .iter()
        .map(|seen| seen.id.as_str())
        .collect();
    format!(
        "{:?}\n  causes: {causes:?}\n  symptoms: {symptoms:?}\n  facts: {facts:?}\n  stages: {stages:?}\n  variants: {variants:?}\n  {}",
        diagnosis.verdict,
        report.exchange.replace('\n', "\n  ")
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "what came of every set-up is told")]
async fn real_programs_are_diagnosed_and_their_fixes_hold() {
    let lab: Lab = toml::from_str(include_str!("setups.toml")).expect("the set-ups");
    let setups = tokio::task::spawn_blocking(|| expanded(lab.setup))
        .await
        .expect("set-ups");
    let bench = Arc::new(Bench::new(lab.fronts));
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    for (position, setup) in setups.iter().cloned().enumerate() {
        let (bench, places) = (Arc::clone(&bench), Arc::clone(&places));
        running.spawn(async move {
            let _place = places.acquire().await.expect("a place");
            (position, examined(&bench, setup).await)
        });
    }
    let mut all = running.join_all().await;
    all.sort_by_key(|(position, _)| *position);
    let mut all: Vec<Seen> = all.into_iter().map(|(_, seen)| seen).collect();
    // A program that starts beside five others may not be up to it for a moment: what failed is
    // looked at once more by itself, and has to be right then.
    for (seen, setup) in all.iter_mut().zip(setups) {
        if !seen.complaints.is_empty() {
            println!("once more: {}\n{}\n", seen.name, seen.complaints.join("\n"));
            *seen = examined(&bench, setup).await;
        }
    }
    if std::env::var("LAB").is_err() {
        let more = tokio::task::spawn_blocking(namespaces::examine);
        all.extend(more.await.expect("two machines"));
    }
    let mut failed = 0;
    for seen in &all {
        for complaint in &seen.complaints {
            failed += 1;
            println!("## {}\n{complaint}\n", seen.name);
        }
    }
    for seen in &all {
        println!(
            "{:<60} {:<45} {:.2} {}",
            seen.name,
            seen.cause,
            seen.probability,
            seen.after.as_deref().unwrap_or("")
        );
    }
    assert_eq!(failed, 0, "of {} set-ups", all.len());
    table::keep(&all);
}
