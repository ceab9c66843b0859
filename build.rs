//! Works out the index of the shipped patterns' expressions while the program is built, so that no
//! start has to. Where that fails the index is empty, and the program works it out itself.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

#[allow(dead_code, reason = "only what makes an index is needed")]
#[path = "src/engine/chosen.rs"]
mod chosen;
#[allow(dead_code, reason = "only what makes an index is needed")]
#[path = "src/engine/index.rs"]
mod index;
#[allow(dead_code, reason = "only what makes an index is needed")]
#[path = "src/engine/literals.rs"]
mod literals;
#[allow(dead_code, reason = "only what makes an index is needed")]
#[path = "src/engine/screen.rs"]
mod screen;

use index::{Expression, Index};

const PATTERNS: &str = "knowledge/patterns";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={PATTERNS}");
    for name in ["chosen", "index", "literals", "screen"] {
        println!("cargo::rerun-if-changed=src/engine/{name}.rs");
    }
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let index = match patterns(&root.join(PATTERNS)) {
        Ok(patterns) => bytes(&patterns),
        Err(error) => {
            println!("cargo::warning=the patterns cannot be indexed: {error}");
            Vec::new()
        }
    };
    fs::write(
        Path::new(&env::var("OUT_DIR")?).join("patterns.index"),
        index,
    )?;
    Ok(())
}

/// What an index needs of a pattern.
struct Pattern {
    regex: String,
    /// It may stretch over several lines.
    is_long: bool,
    examples: Vec<String>,
    near_misses: Vec<String>,
}

/// All patterns in the graph's order: by the system's name, then by their own.
fn patterns(folder: &Path) -> Result<Vec<Pattern>, Box<dyn Error>> {
    let mut systems = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        if path.extension().is_some_and(|ending| ending == "toml") {
            systems.push((name.into_owned(), of_system(&fs::read_to_string(&path)?)?));
        }
    }
    systems.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(systems.into_iter().flat_map(|(_, own)| own).collect())
}

fn of_system(text: &str) -> Result<Vec<Pattern>, Box<dyn Error>> {
    let table: toml::Table = text.parse()?;
    let entries = table.get("pattern").and_then(toml::Value::as_array);
    let word = |entry: &toml::Value, key: &str| {
        let value = entry.get(key).and_then(toml::Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    let texts = |entry: &toml::Value, key: &str| -> Vec<String> {
        let values = entry.get(key).and_then(toml::Value::as_array);
        let texts = values.into_iter().flatten().filter_map(toml::Value::as_str);
        texts.map(str::to_owned).collect()
    };
    let mut own: Vec<(String, Pattern)> = entries
        .into_iter()
        .flatten()
        .map(|entry| {
            let lines = entry.get("lines").and_then(toml::Value::as_integer);
            let pattern = Pattern {
                regex: word(entry, "regex"),
                is_long: lines.is_some_and(|lines| lines > 1),
                examples: texts(entry, "examples"),
                near_misses: texts(entry, "near_misses"),
            };
            (word(entry, "id"), pattern)
        })
        .collect();
    own.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(own.into_iter().map(|(_, pattern)| pattern).collect())
}

fn bytes(patterns: &[Pattern]) -> Vec<u8> {
    let expressions: Vec<Expression<'_>> = patterns
        .iter()
        .map(|pattern| Expression {
            regex: &pattern.regex,
            is_long: pattern.is_long,
            samples: [&pattern.examples, &pattern.near_misses],
        })
        .collect();
    Index::of(&expressions).to_bytes(&expressions)
}
