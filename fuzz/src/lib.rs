//! What must hold whatever is pasted; each target gives it texts of another kind.
//!
//! `fuzz/run` builds and runs the targets.

#[path = "../../src/engine/mod.rs"]
pub mod engine;

mod properties;
mod secrets;
mod wrapping;

use std::sync::LazyLock;

use engine::Engine;
use engine::knowledge::SourceFile;

/// The project's knowledge, compiled once.
static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../knowledge"));
    let mut files = Vec::new();
    collect(root, root, &mut files);
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Engine::new(engine::knowledge::read(&files).graph)
});

fn collect(root: &std::path::Path, folder: &std::path::Path, files: &mut Vec<SourceFile>) {
    for entry in std::fs::read_dir(folder).expect("the knowledge's folder") {
        let path = entry.expect("an entry of it").path();
        let is_knowledge = path
            .extension()
            .is_some_and(|ending| ending == "toml" || ending == "md");
        if path.is_dir() {
            collect(root, &path, files);
        } else if is_knowledge {
            let name = path.strip_prefix(root).expect("a path in the folder");
            files.push(SourceFile {
                name: name.to_string_lossy().into_owned(),
                text: std::fs::read_to_string(&path).expect("a readable file"),
            });
        }
    }
}

/// Any text, given whole.
pub fn text(data: &[u8]) {
    properties::hold_for(&String::from_utf8_lossy(data));
}

/// A HAR file: as it is, and as the list of entries of one.
pub fn har(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    properties::hold_for(&text);
    if !text.contains("\"entries\"") {
        properties::hold_for(&wrapping::har(&text));
    }
}

/// A network log of Chromium: as it is, and as the list of events of one.
pub fn netlog(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    properties::hold_for(&text);
    if !text.contains("\"events\"") {
        properties::hold_for(&wrapping::netlog(&text));
    }
}

/// Lines of logs: the first byte chooses what stands before each line.
pub fn logs(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    properties::hold_for(&wrapping::log(&text));
}

/// Configurations: the first byte chooses the block around it.
pub fn configuration(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    properties::hold_for(&wrapping::configuration(&text));
}

/// Redaction alone, with secrets planted into the text.
pub fn redaction(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    properties::redaction_is_final(&text);
    secrets::planted_are_gone(&text, data);
}
