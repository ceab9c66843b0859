//! Who may import whom: the table of docs/architecture.md, kept.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Rooms and what they may import of the crate. `cli` may import everything, `main` only `cli`.
const ARROWS: &[(&str, &[&str])] = &[
    ("engine", &[]),
    ("config", &[]),
    ("telemetry", &[]),
    ("case", &["engine"]),
    ("store", &["engine", "case"]),
    ("probe", &["engine", "case"]),
    ("app", &["engine", "case", "store", "probe", "config"]),
    ("json", &["engine", "case"]),
    ("report", &["engine", "case"]),
    (
        "http",
        &[
            "app",
            "case",
            "engine",
            "json",
            "report",
            "config",
            "telemetry",
        ],
    ),
];

fn sources(path: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(path).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The rooms that a source names after `crate::`.
fn imports(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| {
            rest.chars()
                .take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '_')
                .collect()
        })
        .filter(|room: &String| !room.is_empty())
        .collect()
}

#[test]
fn rooms_import_only_what_the_table_allows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut broken = Vec::new();
    for file in files {
        let inside = file.strip_prefix(&root).expect("inside src");
        let room = inside
            .components()
            .next()
            .map(|part| part.as_os_str().to_string_lossy().replace(".rs", ""))
            .expect("a room");
        let text = fs::read_to_string(&file).expect("a source");
        let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| *known == room) else {
            assert!(
                ["cli", "lib", "main"].contains(&room.as_str()),
                "the room {room} is not in the table"
            );
            continue;
        };
        for import in imports(&text) {
            if import != room && !allowed.contains(&import.as_str()) {
                broken.push(format!("{} imports {import}", inside.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_program_hands_over_to_the_command_line() {
    let main = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/main.rs");
    let text = fs::read_to_string(main).expect("main.rs");
    let rooms: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split("wsdoctor::").skip(1))
        .map(|rest| rest.split("::").next().unwrap_or_default())
        .collect();
    assert_eq!(rooms, ["cli"]);
}

#[test]
fn paths_named_in_the_documents_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut missing = Vec::new();
    for name in [
        "README.md",
        "docs/architecture.md",
        "docs/running.md",
        "knowledge/README.md",
    ] {
        let text = fs::read_to_string(root.join(name)).unwrap_or_default();
        assert!(!text.is_empty(), "{name} is missing");
        for word in text.split('`').skip(1).step_by(2) {
            let looks_like_path = [
                "src/",
                "docs/",
                "tests/",
                "knowledge/",
                "migrations/",
                "templates/",
                "assets/",
                "benches/",
            ]
            .iter()
            .any(|folder| word.starts_with(folder))
                && !word.contains(['<', '{', '*', ' ']);
            if looks_like_path && !root.join(word.trim_end_matches('/')).exists() {
                missing.push(format!("{name}: {word}"));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
