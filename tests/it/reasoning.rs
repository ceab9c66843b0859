//! Calibration and simulation: what they print, that they repeat themselves, and that the document
//! shows the tables that they print today.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use wsdoctor::engine::Engine;
use wsdoctor::engine::calibration::{calibrate, figures, reliability};
use wsdoctor::engine::diagnosis::simulation::{Setting, simulate, simulate_some};
use wsdoctor::engine::knowledge::read;
use wsdoctor::engine::proof::Labelled;
use wsdoctor::engine::ranking::Numbers;

use crate::support::{ENGINE, small_knowledge};

fn run(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_wsdoctor"))
        .args(arguments)
        .output()
        .expect("the program runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

fn labelled(id: usize, text: &str, cause: &str) -> Labelled {
    Labelled {
        id: id.to_string(),
        text: text.to_owned(),
        cause: cause.to_owned(),
        accept: Vec::new(),
        group: id.to_string(),
    }
}

#[test]
fn numbers_that_are_too_timid_are_found_out() {
    let engine = Engine::new(read(&small_knowledge()).graph);
    let texts: Vec<Labelled> = (0..12)
        .map(|id| match id % 3 {
            0 => labelled(id, "Unexpected response code: 400", "upgrade-lost"),
            1 => labelled(id, "Unexpected response code: 403", "origin-refused"),
            _ => labelled(id, "ECONNREFUSED", "server-down"),
        })
        .collect();
    let timid = Numbers {
        temperature: 1.0,
        ..Numbers::default()
    };
    let found = calibrate(&engine, &timid, &texts, 4, 5);
    assert_eq!((found.texts, found.groups, found.folds), (12, 12, 4));
    assert!(
        found.changes.iter().any(|change| change.to != change.from),
        "{:?}",
        found.changes
    );
    let (before, after) = (figures(&found.before), figures(&found.after));
    assert_eq!((before.top1, after.top1), (1.0, 1.0));
    assert!(after.log_loss < before.log_loss, "{before:?} {after:?}");
    assert!(after.brier < before.brier);
    let bins = reliability(&found.after);
    assert_eq!(bins.iter().map(|bin| bin.count).sum::<usize>(), 12);
    assert_eq!(found, calibrate(&engine, &timid, &texts, 4, 5));
}

#[test]
fn calibrate_prints_figures_and_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cases.jsonl");
    let lines = [
        r#"{"id": "a", "input": "Unexpected response code: 403", "label": "handshake-origin-rejected", "group": "x"}"#,
        r#"{"id": "b", "input": "ECONNREFUSED", "label": "tcp-server-not-running", "situation": "it is local", "group": "x"}"#,
        r#"{"id": "c", "input": "net::ERR_CERT_DATE_INVALID", "label": "tls-cert-expired"}"#,
    ];
    fs::write(&path, lines.join("\n")).expect("the cases");
    let path = path.to_str().expect("a path");
    let printed = run(&[
        "knowledge",
        "calibrate",
        "--cases",
        path,
        "--format",
        "json",
    ]);
    let found: Value = serde_json::from_str(&printed).expect("JSON");
    assert_eq!(found["texts"], 4);
    assert_eq!(found["groups"], 2);
    for side in ["before", "after"] {
        for figure in ["top1", "brier", "log_loss", "ece", "ece_band"] {
            assert!(found[side][figure].is_number(), "{side} {figure}");
        }
    }
}

const SMALL: Setting = Setting {
    seed: 5,
    cases: 4,
    off: 3.0,
    costs_off: 2.0,
    can_probe: false,
};

#[test]
fn the_same_seed_gives_the_same_simulation() {
    let engine = Engine::new(read(&small_knowledge()).graph);
    let once = simulate(&engine, SMALL);
    assert_eq!(once, simulate(&engine, SMALL));
    assert_ne!(once, simulate(&engine, Setting { seed: 6, ..SMALL }));
    for cause in &once {
        let fastest = cause.minutes.iter().copied().fold(f64::INFINITY, f64::min);
        assert!(fastest >= cause.least - 1e-9, "{cause:?}");
    }
}

#[test]
fn the_planner_is_faster_than_a_fixed_order() {
    // One cause in eight keeps the test short; the whole table stands in docs/reasoning.md.
    for (off, costs_off) in [(1.0, 1.0), (3.0, 2.0)] {
        let setting = Setting {
            off,
            costs_off,
            ..SMALL
        };
        let causes = simulate_some(&ENGINE, setting, |position| position % 8 == 0);
        let minutes = |way: usize| causes.iter().map(|cause| cause.minutes[way]).sum::<f64>();
        assert!(minutes(0) < 0.7 * minutes(1), "{off}: {causes:?}");
    }
}

#[test]
fn the_document_shows_the_tables_that_are_printed() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reasoning.md");
    let document = fs::read_to_string(document).expect("docs/reasoning.md");
    let printed = run(&["knowledge", "simulate", "--cases", "1"]);
    let heads: Vec<&str> = printed
        .lines()
        .zip(printed.lines().skip(1))
        .filter(|(_, below)| below.starts_with("| ---"))
        .map(|(head, _)| head)
        .collect();
    assert_eq!(heads.len(), 2, "{heads:?}");
    for head in heads {
        assert!(document.lines().any(|line| line == head), "{head}");
    }
    for cause in ENGINE.graph().causes.iter().filter(|c| c.parent.is_none()) {
        let line = format!("| {} |", cause.id);
        assert!(document.lines().any(|l| l.starts_with(&line)), "{line}");
    }
    let numbers = Numbers::default();
    for (name, value) in [
        ("temperature", numbers.temperature),
        ("repetition", numbers.repetition),
        ("doubt", numbers.doubt),
        ("trust", numbers.trust),
    ] {
        let line = format!("| `{name}` | {value} |");
        assert!(document.contains(&line), "{line}");
    }
}
