//! What probes may cost: time, answers, memory; and addresses that are none.

use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use wsdoctor::case::Report;
use wsdoctor::probe::policy::Policy;
use wsdoctor::probe::{Limits, Order, Prober};

use super::programs::{Running, free_port, has_node, start};

const HOSTILE: [&str; 13] = [
    "silent",
    "drip",
    "endless-header",
    "endless-body",
    "garbage",
    "chatter",
    "reset",
    "endless-chunks",
    "endless-line",
    "endless-announcements",
    "endless-message",
    "endless-pings",
    "half-tls",
];

fn prober(limits: Limits) -> Prober {
    let policy = Policy {
        allow_private: true,
        ..Policy::default()
    };
    Prober::new(policy, limits)
}

async fn peer(kind: &str) -> (Running, TempDir, u16) {
    let folder = tempfile::tempdir().expect("a folder");
    let port = free_port();
    let mut program = start("node", &format!("{kind} {port}"), folder.path());
    program.listens_on(port).await;
    (program, folder, port)
}

async fn run(prober: &Prober, order: &Order) -> Report {
    let (events, _) = mpsc::unbounded_channel();
    prober.run(order, &events).await.expect("allowed")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_peers_cost_no_more_than_the_budget() {
    if !has_node() {
        return;
    }
    // A few at a time: those that send without an end take whole processors.
    for kinds in HOSTILE.chunks(4) {
        cost_no_more_than_the_budget(kinds).await;
    }
}

async fn cost_no_more_than_the_budget(kinds: &'static [&'static str]) {
    let mut running = JoinSet::new();
    for kind in kinds {
        for scheme in ["ws", "wss"] {
            running.spawn(async move {
                let (_program, _folder, port) = peer(kind).await;
                let order = Order {
                    all: true,
                    origin: Some("https://page.example".to_owned()),
                    ..Order::of(format!("{scheme}://localhost:{port}/ws"))
                };
                let begun = Instant::now();
                let report = run(&prober(Limits::default()), &order).await;
                // The budget, and some seconds for a machine that is busy; what had no limit would take
                // for ever.
                let took = begun.elapsed();
                assert!(
                    took < Duration::from_secs(20),
                    "{kind} over {scheme}: {took:?}"
                );
                let size = format!("{report:?}").len();
                assert!(size < 64 << 10, "{kind} over {scheme}: {size} bytes");
            });
        }
    }
    while let Some(result) = running.join_next().await {
        result.expect("within the budget");
    }
}

/// Pages of memory that are in use, and open files.
fn held() -> (usize, usize) {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages = statm.split_whitespace().nth(1).expect("a number");
    let files = std::fs::read_dir("/proc/self/fd").expect("Linux").count();
    (pages.parse().expect("a number"), files)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: tests/long runs it"]
#[expect(clippy::print_stdout, reason = "the figures are told")]
async fn a_thousand_probes_leave_nothing_behind() {
    if !has_node() {
        return;
    }
    let short = Duration::from_millis(300);
    let limits = Limits {
        budget: Duration::from_secs(2),
        tls: short,
        upgrade: short,
        websocket: short,
        watch: Duration::from_millis(50),
        ..Limits::default()
    };
    let prober = prober(limits);
    let mut peers = Vec::new();
    for kind in HOSTILE.into_iter().chain(["ws", "bad-frames", "http-page"]) {
        peers.push(peer(kind).await);
    }
    let before = held();
    let mut seen = Vec::new();
    for _ in 0..10 {
        for _ in 0..5 {
            let mut running = JoinSet::new();
            for (number, (_, _, port)) in peers.iter().enumerate().cycle().take(20) {
                let scheme = if number % 3 == 0 { "wss" } else { "ws" };
                let order = Order::of(format!("{scheme}://127.0.0.1:{port}/ws"));
                let prober = prober.clone();
                running.spawn(async move {
                    run(&prober, &order).await;
                });
            }
            running.join_all().await;
        }
        seen.push(held());
    }
    println!("pages and files before: {before:?}, after each hundred: {seen:?}");
    let (second, last) = (seen[1], seen[9]);
    // 4 MiB: what allocators keep varies.
    assert!(last.0 < second.0 + 1024, "{seen:?}");
    assert!(last.1 <= before.1 + 5, "{seen:?}");
}

/// Exit code, complaint and what is told of stages by `wsdoctor probe`.
fn asked(address: &str) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_wsdoctor"))
        .args(["probe", address])
        .output()
        .expect("the program");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (
        output.status.code(),
        text(output.stderr),
        text(output.stdout),
    )
}

#[test]
fn what_is_no_address_is_told_in_words() {
    let long = format!("wss://a.example/{}", "a".repeat(10_000));
    for (address, words) in [
        ("", "no address"),
        ("not a url", "space"),
        ("hello", "lacks ws://"),
        ("a.example/ws", "lacks ws://"),
        ("//a.example/", "lacks ws://"),
        ("ws://", "lacks a host"),
        ("ws://a.example:0/", "port 0"),
        ("ws://a.example:99999/", "not a port"),
        ("ws://a.example:-1/", "not a port"),
        ("ws://a b.example/", "space"),
        ("ws://a.exam\nple/", "line break"),
        ("ws://a..example/", "not a name"),
        ("ws://256.1.1.1/", "IPv4"),
        ("ws://4294967296/", "IPv4"),
        ("ws://[::1%25lo]/", "IPv6"),
        (long.as_str(), "10016 bytes"),
    ] {
        let (code, said, told) = asked(address);
        assert_eq!(code, Some(2), "{address}: {said}");
        assert!(told.is_empty(), "{address}: {told}");
        assert!(said.contains(words), "{address}: {said}");
    }
}

#[test]
fn what_may_not_be_probed_is_refused_by_its_rule() {
    for (address, rule) in [
        ("ftp://a.example/", "scheme"),
        ("wss://user:word@a.example/", "user-info"),
        ("wss://user@a.example/", "user-info"),
        ("ws://a.example:22/", "port"),
        ("ws://127.0.0.1/", "loopback-address"),
        ("ws://127.1/", "loopback-address"),
        ("ws://2130706433/", "loopback-address"),
        ("ws://0177.0.0.1/", "loopback-address"),
        ("ws://017700000001/", "loopback-address"),
        ("ws://0x7f.1/", "loopback-address"),
        ("ws://0x7f000001/", "loopback-address"),
        ("ws://[::1]/", "loopback-address"),
        ("ws://[::ffff:127.0.0.1]/", "loopback-address"),
        ("ws://[::127.0.0.1]/", "loopback-address"),
        ("ws://[64:ff9b::7f00:1]/", "loopback-address"),
        ("ws://１２７.0.0.1/", "loopback-address"),
        ("ws://127。0。0。1/", "loopback-address"),
        ("ws://localhost/", "loopback-address"),
        ("ws://ⓛocalhost/", "loopback-address"),
        ("ws://LOCALHOST./", "loopback-address"),
        ("ws://0/", "unspecified-address"),
        ("ws://10.0.0.1/", "private-address"),
        ("ws://169.254.169.254/", "metadata-address"),
    ] {
        let (code, said, told) = asked(address);
        assert_eq!(code, Some(3), "{address}: {said}");
        // A name is resolved before it is judged; no connection is opened.
        assert!(!told.contains("tcp"), "{address}: {told}");
        assert!(said.contains(&format!("rule {rule}:")), "{address}: {said}");
    }
}
