//! Every text of the pages by its key, so that another language is another file.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::fmt::Display;
use std::sync::LazyLock;

use super::assets;

/// The texts of one language.
#[derive(Debug)]
pub(super) struct Messages {
    texts: HashMap<String, String>,
}

impl Messages {
    /// The texts that are used when no other language is asked for.
    pub(super) fn english() -> &'static Messages {
        static ENGLISH: LazyLock<Messages> = LazyLock::new(|| {
            Messages::parse(&assets::text("messages/en.toml")).unwrap_or_else(|error| {
                tracing::error!(%error, "the message file cannot be read");
                Messages {
                    texts: HashMap::new(),
                }
            })
        });
        &ENGLISH
    }

    /// Reads a message file: tables of texts, `[form] title = ".."` is `form.title`.
    fn parse(file: &str) -> Result<Self, toml::de::Error> {
        let tables: HashMap<String, HashMap<String, String>> = toml::from_str(file)?;
        let texts = tables
            .into_iter()
            .flat_map(|(table, texts)| {
                texts
                    .into_iter()
                    .map(move |(name, text)| (format!("{table}.{name}"), text))
            })
            .collect();
        Ok(Messages { texts })
    }

    /// The text of a key; the key itself if there is none, which a test rules out.
    pub(super) fn get<'a>(&'a self, key: &'a str) -> &'a str {
        self.texts.get(key).map_or(key, String::as_str)
    }

    /// The text of a key with a value where it says `{name}`.
    pub(super) fn with(&self, key: &str, name: &str, value: impl Display) -> String {
        self.fill(key, &[(name, &value)])
    }

    /// The text of a key with values where it says their names in braces. One pass, so that a value
    /// that looks like a placeholder stays what it is.
    pub(super) fn fill(&self, key: &str, values: &[(&str, &dyn Display)]) -> String {
        let mut filled = String::new();
        let mut rest = self.get(key);
        while let Some(open) = rest.find('{') {
            filled.push_str(&rest[..open]);
            rest = &rest[open..];
            let known = values.iter().find_map(|(name, value)| {
                let after = rest[1..].strip_prefix(name)?.strip_prefix('}')?;
                Some((value.to_string(), after))
            });
            match known {
                Some((value, after)) => {
                    filled.push_str(&value);
                    rest = after;
                }
                None => {
                    filled.push('{');
                    rest = &rest[1..];
                }
            }
        }
        filled.push_str(rest);
        filled
    }

    /// One of two texts, `key-one` or `key-many`, with `{count}` filled in.
    pub(super) fn count(&self, one: &str, many: &str, count: impl Borrow<usize>) -> String {
        let count = *count.borrow();
        self.with(if count == 1 { one } else { many }, "count", count)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use regex::Regex;

    use super::*;

    fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("folder") {
            let path = entry.expect("entry").path();
            if path.is_dir() {
                files(&path, ending, found);
            } else if path.extension().is_some_and(|known| known == ending) {
                found.push(path);
            }
        }
    }

    /// The keys that templates and code name: texts of the form `table.name` whose table exists.
    fn used() -> BTreeSet<String> {
        let tables: BTreeSet<&str> = Messages::english()
            .texts
            .keys()
            .filter_map(|key| key.split('.').next())
            .collect();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut sources = Vec::new();
        files(&root.join("templates"), "html", &mut sources);
        files(&root.join("src/http/pages"), "rs", &mut sources);
        let key = Regex::new(r#""([a-z-]+)\.([a-z0-9-]+)""#).expect("regex");
        sources
            .iter()
            .flat_map(|path| {
                let source = std::fs::read_to_string(path).expect("source");
                let source = source
                    .split("#[cfg(test)]")
                    .next()
                    .unwrap_or_default()
                    .to_owned();
                key.captures_iter(&source)
                    .filter(|found| tables.contains(&found[1]))
                    .map(|found| format!("{}.{}", &found[1], &found[2]))
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    #[test]
    fn every_key_that_is_used_exists_and_none_is_unused() {
        let known: BTreeSet<String> = Messages::english().texts.keys().cloned().collect();
        let used = used();
        let missing: Vec<&String> = used.difference(&known).collect();
        let unused: Vec<&String> = known.difference(&used).collect();
        assert!(missing.is_empty(), "missing: {missing:?}");
        assert!(unused.is_empty(), "unused: {unused:?}");
    }

    #[test]
    fn values_are_not_read_again() {
        let messages = Messages::parse("[a]\nb = \"{x} and {y} and {z}\"").expect("messages");
        let text = messages.fill("a.b", &[("x", &"{y}"), ("y", &2)]);
        assert_eq!(text, "{y} and 2 and {z}");
    }
}
