//! Knowledge files: those that travel inside the binary, and those of a folder.

use std::io;
use std::path::Path;

use rust_embed::RustEmbed;

use crate::engine::Engine;
use crate::engine::knowledge::{SourceFile, read};
use crate::engine::learned::LearnedPriors;

#[derive(RustEmbed)]
#[folder = "knowledge/"]
struct Shipped;

/// The knowledge that travels inside the binary, in the order of the files' names.
pub fn shipped() -> Vec<SourceFile> {
    let mut files: Vec<SourceFile> = Shipped::iter()
        .filter_map(|name| {
            let file = Shipped::get(&name)?;
            Some(SourceFile {
                name: name.into_owned(),
                text: String::from_utf8_lossy(&file.data).into_owned(),
            })
        })
        .collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    files
}

/// The index of the shipped patterns, as `build.rs` worked it out; see
/// [`Engine::with_kept_index`].
pub fn shipped_index() -> &'static [u8] {
    include_bytes!(concat!(env!("OUT_DIR"), "/patterns.index"))
}

/// The shipped knowledge, compiled.
pub fn shipped_engine() -> Engine {
    let graph = read(&shipped()).graph;
    Engine::with_kept_index(graph, LearnedPriors::default(), &[shipped_index()]).0
}

/// Reads a knowledge folder.
///
/// # Errors
/// The folder or a file in it cannot be read; the message names the path.
pub fn read_folder(folder: &Path) -> io::Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    collect(folder, folder, &mut files)?;
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<SourceFile>) -> io::Result<()> {
    let with_path = |path: &Path, error: io::Error| {
        io::Error::new(error.kind(), format!("{}: {error}", path.display()))
    };
    for entry in std::fs::read_dir(folder).map_err(|error| with_path(folder, error))? {
        let path = entry.map_err(|error| with_path(folder, error))?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
            continue;
        }
        let is_knowledge = path
            .extension()
            .is_some_and(|ending| ending == "toml" || ending == "md");
        if is_knowledge {
            let name = path
                .strip_prefix(root)
                .unwrap_or(&path)
                .components()
                .map(|part| part.as_os_str().to_string_lossy())
                .collect::<Vec<_>>()
                .join("/");
            files.push(SourceFile {
                name,
                text: std::fs::read_to_string(&path).map_err(|error| with_path(&path, error))?,
            });
        }
    }
    Ok(())
}
