//! What a diagnosis and building the engine cost with many more patterns than there are.
//!
//! The shipped wordings are replaced by generated ones; everything else is the shipped knowledge.

use std::hint::black_box;
use std::time::{Duration, Instant};

use wsdoctor::engine::graph::{Graph, Pattern};
use wsdoctor::engine::knowledge::read;
use wsdoctor::engine::learned::LearnedPriors;
use wsdoctor::engine::{Engine, Evidence};
use wsdoctor::store::files;

/// As in the program.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Numbers of patterns; the first is what the others are compared with.
const COUNTS: &[usize] = &[1_000, 10_000, 100_000];
/// Every run of the shortest of which the fastest counts.
const RUNS: usize = 2_000;
/// The word of that number, always the same one.
fn word(number: usize) -> String {
    let mut state = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (0..10)
        .map(|_| {
            state ^= state >> 29;
            state = state.wrapping_mul(0xbf58_476d_1ce4_e5b9);
            char::from(b'a' + (state >> 40) as u8 % 26)
        })
        .collect()
}

fn pattern(model: &Pattern, number: usize) -> Pattern {
    let (first, second, third) = (word(3 * number), word(3 * number + 1), word(3 * number + 2));
    Pattern {
        id: format!("generated-{number}"),
        regex: format!(
            r"(?i)\b{first}[ :]+{second} (?:was |is )?(?:refused|{third}) (?P<status>[45]\d\d)\b"
        ),
        facts: [("handshake.status".to_owned(), "$status".to_owned())]
            .into_iter()
            .collect(),
        lines: 1,
        ..model.clone()
    }
}

fn graph(shipped: &Graph, count: usize) -> Graph {
    let mut graph = shipped.clone();
    graph.systems.truncate(1);
    if let Some(system) = graph.systems.first_mut()
        && let Some(model) = system.patterns.first().cloned()
    {
        system.patterns = (0..count).map(|number| pattern(&model, number)).collect();
    }
    graph
}

/// A kilobyte in which three of the wordings stand, and words of the others.
fn paste() -> String {
    let mut text = String::new();
    for number in [7, 300, 900] {
        let (first, second) = (word(3 * number), word(3 * number + 1));
        text.push_str(&format!("app.js:1 {first}: {second} was refused 502\n"));
    }
    let mut number = 0;
    while text.len() < 1024 {
        let (first, second) = (word(7 * number), word(5 * number + 1));
        text.push_str(&format!(
            "main.4f2a91c3.js:{number} {first} of {second} at line {number}\n"
        ));
        number += 1;
    }
    text.truncate(1024);
    text
}

fn time(engine: &Engine, evidence: &[Evidence]) -> Duration {
    (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            black_box(engine.diagnose(black_box(evidence)));
            start.elapsed()
        })
        .min()
        .unwrap_or_default()
}

/// The engine built with the index that building it once worked out, and how long that took.
fn loaded(graph: &Graph) -> (Engine, Duration) {
    let (_, index) = Engine::with_kept_index(graph.clone(), LearnedPriors::default(), &[]);
    let graph = graph.clone();
    let start = Instant::now();
    let index = index.expect("an index to keep");
    let (engine, new) = Engine::with_kept_index(graph, LearnedPriors::default(), &[&index]);
    let load = start.elapsed();
    assert!(new.is_none(), "the kept index counts");
    (engine, load)
}

#[expect(clippy::print_stdout, reason = "the figures are the purpose")]
fn main() {
    let shipped = read(&files::shipped()).graph;
    let evidence = [Evidence {
        text: Some(paste()),
        ..Evidence::default()
    }];
    let mut least: Option<Duration> = None;
    for count in COUNTS {
        let graph = graph(&shipped, *count);
        let start = Instant::now();
        let engine = Engine::new(graph);
        let build = start.elapsed();
        let (again, load) = loaded(engine.graph());
        black_box(again);
        let found = engine.diagnose(&evidence).facts.len();
        let once = time(&engine, &evidence);
        let ratio = once.as_secs_f64() / least.get_or_insert(once).as_secs_f64();
        println!(
            "{count:>7} patterns: built in {build:>9.2?}, with the kept index in {load:>9.2?}, {once:>9.2?} a KB, ratio {ratio:.2}, {found} facts"
        );
    }
}
