//! Raw samples of every format under `tests/evidence/`, read whole. A snapshot beside each kind
//! shows the facts; `INSTA_UPDATE=always cargo test --test it samples` writes them anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::diagnose;

/// Every sample, by its folder (the kind) and its name.
pub(crate) fn samples() -> BTreeMap<String, Vec<PathBuf>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/evidence");
    let mut kinds: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for kind in fs::read_dir(root).expect("the samples' folder") {
        let kind = kind.expect("a folder");
        let mut files: Vec<PathBuf> = fs::read_dir(kind.path())
            .expect("a folder of samples")
            .map(|file| file.expect("a sample").path())
            .collect();
        files.sort();
        kinds.insert(kind.file_name().to_string_lossy().into_owned(), files);
    }
    kinds
}

/// What was read from a sample: the facts with their places and words.
fn told(path: &Path) -> String {
    let text = String::from_utf8_lossy(&fs::read(path).expect("a sample")).into_owned();
    let diagnosis = diagnose(&text);
    let lines: Vec<String> = diagnosis
        .facts
        .iter()
        .map(|seen| {
            let fact = &seen.fact;
            let hop = match fact.hop {
                wsdoctor::engine::graph::Hop::ClientEdge => "",
                wsdoctor::engine::graph::Hop::EdgeOrigin => " (behind the proxy)",
            };
            let place = seen
                .place
                .map_or(String::new(), |(line, column)| format!("{line}:{column} "));
            let connection = fact
                .connection
                .map_or(String::new(), |connection| format!(" #{connection}"));
            let quote = seen.quote.as_deref().unwrap_or_default();
            let quote: String = quote.chars().take(60).collect();
            format!(
                "{place}{} = {}{hop}{connection} <- {quote}",
                fact.key, fact.value
            )
        })
        .collect();
    lines.join("\n")
}

#[test]
fn every_sample_is_read_as_before() {
    for (kind, files) in samples() {
        for file in files {
            let name = file
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            insta::with_settings!({
                snapshot_path => format!("snapshots/evidence/{kind}"),
                prepend_module_to_snapshot => false,
                omit_expression => true,
            }, {
                insta::assert_snapshot!(name, told(&file));
            });
        }
    }
}
