//! Knowledge files taken apart into entries and put together again.
//!
//! What is shipped and what was changed in a database live side by side: an entry of the database
//! takes the place of the shipped one of the same kind and id, and everything else stays as it is,
//! byte for byte. So an export is the same files again, with the changed entries in them.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use super::{Problem, Severity, SourceFile};

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKind {
    /// A vendor-neutral finding.
    Symptom,
    /// What holds for all wordings of one system: its title and facts.
    System,
    /// A vendor's wording.
    Pattern,
    /// What a person or a probe does to learn more.
    Check,
    /// A code, explained.
    Code,
    /// A cause.
    Cause,
    /// A page on what is no fault.
    Advice,
    /// A limit of time that a product sets.
    Timeout,
}

impl EntryKind {
    /// All kinds.
    pub const ALL: [EntryKind; 8] = [
        EntryKind::Symptom,
        EntryKind::System,
        EntryKind::Pattern,
        EntryKind::Check,
        EntryKind::Code,
        EntryKind::Cause,
        EntryKind::Advice,
        EntryKind::Timeout,
    ];

    /// The word used on the command line and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            EntryKind::Symptom => "symptom",
            EntryKind::System => "system",
            EntryKind::Pattern => "pattern",
            EntryKind::Check => "check",
            EntryKind::Code => "code",
            EntryKind::Cause => "cause",
            EntryKind::Advice => "advice",
            EntryKind::Timeout => "timeout",
        }
    }

    /// The kind of that word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The kind of the entries that a file of this folder lists.
    fn listed_in(folder: &str) -> Option<Self> {
        match folder {
            "symptoms" => Some(EntryKind::Symptom),
            "patterns" => Some(EntryKind::Pattern),
            "checks" => Some(EntryKind::Check),
            "codes" => Some(EntryKind::Code),
            "timeouts" => Some(EntryKind::Timeout),
            _ => None,
        }
    }
}

impl fmt::Display for EntryKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// One entry as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: EntryKind,
    /// Its permanent name; a code's is `family/code`.
    pub id: String,
    /// The file in which it stands, under the knowledge folder.
    pub file: String,
    /// Its text without space around it: a whole Markdown file, or one `[[...]]` of a TOML file.
    pub text: String,
}

impl Entry {
    /// The name under which its versions are kept.
    pub fn key(&self) -> (EntryKind, String) {
        (self.kind, self.id.clone())
    }
}

/// The entries of files, in the order of the files.
///
/// # Errors
/// Parts of files that are no entries, with file and line.
pub fn entries(files: &[SourceFile]) -> Result<Vec<Entry>, Vec<Problem>> {
    let mut all = Vec::new();
    let mut problems = Vec::new();
    for file in files {
        match entries_of(file) {
            Ok(entries) => all.extend(entries),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() {
        Ok(all)
    } else {
        Err(problems)
    }
}

fn entries_of(file: &SourceFile) -> Result<Vec<Entry>, Problem> {
    let (folder, name) = file.name.split_once('/').unwrap_or(("", &file.name));
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let entry = |kind, id: String, text: &str| Entry {
        kind,
        id,
        file: file.name.clone(),
        text: text.trim().to_owned(),
    };
    match folder {
        "causes" => Ok(vec![entry(EntryKind::Cause, stem.to_owned(), &file.text)]),
        "advice" => Ok(vec![entry(EntryKind::Advice, stem.to_owned(), &file.text)]),
        _ => {
            let Some(kind) = EntryKind::listed_in(folder) else {
                return Ok(Vec::new());
            };
            let parts = Parts::of(&file.text, kind);
            let mut entries = Vec::new();
            if kind == EntryKind::Pattern {
                let head = &file.text[parts.head.clone()];
                entries.push(entry(EntryKind::System, stem.to_owned(), head));
            }
            for block in &parts.blocks {
                let text = &file.text[block.clone()];
                let id = id_of(kind, text).map_err(|message| Problem {
                    file: file.name.clone(),
                    line: super::line_of_offset(&file.text, block.start),
                    severity: Severity::Error,
                    message,
                })?;
                entries.push(entry(kind, id, text));
            }
            Ok(entries)
        }
    }
}

/// The id of the one entry that a block of TOML holds.
fn id_of(kind: EntryKind, block: &str) -> Result<String, String> {
    let table: toml::Table = toml::from_str(block).map_err(|error| error.message().to_owned())?;
    let entry = table
        .get(kind.as_str())
        .and_then(|list| list.as_array())
        .filter(|list| list.len() == 1)
        .and_then(|list| list.first());
    let word = |key: &str| entry.and_then(|entry| entry.get(key)?.as_str());
    match (kind, word("family"), word("id")) {
        (EntryKind::Code, Some(family), Some(id)) => Ok(format!("{family}/{id}")),
        (EntryKind::Code, None, _) => Err("a [[code]] needs a family".to_owned()),
        (_, _, Some(id)) => Ok(id.to_owned()),
        _ => Err(format!("write one [[{kind}]] with an id")),
    }
}

/// Where the entries of a TOML file stand.
struct Parts {
    /// What stands before the first entry.
    head: Range<usize>,
    /// The entries, each with the comment above it.
    blocks: Vec<Range<usize>>,
}

impl Parts {
    fn of(text: &str, kind: EntryKind) -> Self {
        let header = format!("[[{kind}]]");
        let mut starts = Vec::new();
        let mut at = 0;
        // A comment right above an entry belongs to it.
        let mut comment = None;
        let mut open: Option<&str> = None;
        for line in text.split_inclusive('\n') {
            let content = line.trim();
            if open.is_none() {
                if content == header {
                    starts.push(comment.unwrap_or(at));
                    comment = None;
                } else if content.starts_with('#') {
                    comment = comment.or(Some(at));
                } else {
                    comment = None;
                }
            }
            open = string_open_after(line, open);
            at += line.len();
        }
        let ends = starts.iter().skip(1).copied().chain([text.len()]);
        Parts {
            head: 0..starts.first().copied().unwrap_or(text.len()),
            blocks: starts
                .iter()
                .copied()
                .zip(ends)
                .map(|(a, b)| a..b)
                .collect(),
        }
    }
}

/// Which multi-line string is open after a line, if `open` was before it.
fn string_open_after<'a>(line: &str, mut open: Option<&'a str>) -> Option<&'a str> {
    let mut rest = line;
    loop {
        let marks: &[&'a str] = match open {
            Some("'''") => &["'''"],
            Some(_) => &["\"\"\""],
            None => &["'''", "\"\"\""],
        };
        let next = marks
            .iter()
            .filter_map(|mark| Some((rest.find(mark)?, *mark)))
            .min();
        let Some((at, mark)) = next else {
            return open;
        };
        if open.is_none() && rest[..at].trim_start().starts_with('#') {
            return None;
        }
        open = if open.is_some() { None } else { Some(mark) };
        rest = &rest[at + mark.len()..];
    }
}

/// The shipped files with local entries in the place of the shipped ones of the same kind and id.
pub fn overlay(shipped: &[SourceFile], local: &[Entry]) -> Vec<SourceFile> {
    let mut files: BTreeMap<String, String> = shipped
        .iter()
        .map(|file| (file.name.clone(), file.text.clone()))
        .collect();
    if local.is_empty() {
        return shipped.to_vec();
    }
    let homes: BTreeMap<(EntryKind, String), String> = entries(shipped)
        .unwrap_or_default()
        .into_iter()
        .map(|entry| (entry.key(), entry.file))
        .collect();
    for entry in local {
        if let Some(home) = homes.get(&entry.key())
            && *home != entry.file
            && let Some(text) = files.get_mut(home)
        {
            *text = without(text, entry);
        }
        let text = files.remove(&entry.file);
        files.insert(entry.file.clone(), with(text, entry));
    }
    files
        .into_iter()
        .map(|(name, text)| SourceFile { name, text })
        .collect()
}

/// A file's text with the entry in it.
fn with(text: Option<String>, entry: &Entry) -> String {
    let own = format!("{}\n", entry.text);
    match entry.kind {
        EntryKind::Cause | EntryKind::Advice => own,
        EntryKind::System => {
            let text = text.unwrap_or_default();
            let parts = Parts::of(&text, EntryKind::Pattern);
            format!("{own}\n{}", &text[parts.head.end..])
        }
        kind => {
            let text = text.unwrap_or_else(|| new_file(entry));
            let parts = Parts::of(&text, kind);
            let block = parts
                .blocks
                .iter()
                .find(|block| id_of(kind, &text[(*block).clone()]).as_ref() == Ok(&entry.id));
            match block {
                Some(block) => {
                    let after = &text[block.end..];
                    let gap = if after.is_empty() { "" } else { "\n" };
                    format!("{}{own}{gap}{after}", &text[..block.start])
                }
                None => format!("{}\n\n{own}", text.trim_end())
                    .trim_start()
                    .to_owned(),
            }
        }
    }
}

/// A file's text without the entry of that kind and id.
fn without(text: &str, entry: &Entry) -> String {
    Parts::of(text, entry.kind)
        .blocks
        .into_iter()
        .find(|block| id_of(entry.kind, &text[block.clone()]).as_ref() == Ok(&entry.id))
        .map_or_else(
            || text.to_owned(),
            |block| format!("{}{}", &text[..block.start], &text[block.end..]),
        )
}

/// The beginning of a file that is not there yet.
fn new_file(entry: &Entry) -> String {
    let stem = entry
        .file
        .rsplit('/')
        .next()
        .and_then(|name| name.split('.').next())
        .unwrap_or_default();
    if entry.kind == EntryKind::Pattern {
        format!("title = \"{stem}\"\n")
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, text: &str) -> SourceFile {
        SourceFile {
            name: name.to_owned(),
            text: text.to_owned(),
        }
    }

    const PATTERNS: &str = "# about nginx\ntitle = \"nginx\"\n\n# the first\n[[pattern]]\nid = \"a\"\nregex = '''x\n[[pattern]]\ny'''\n\n[[pattern]]\nid = \"b\"\nregex = \"z\"\n";

    #[test]
    fn files_come_apart_at_their_entries() {
        let entries = entries(&[file("patterns/nginx.toml", PATTERNS)]).expect("entries");
        let told: Vec<(EntryKind, &str, &str)> = entries
            .iter()
            .map(|entry| (entry.kind, entry.id.as_str(), entry.text.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                (
                    EntryKind::System,
                    "nginx",
                    "# about nginx\ntitle = \"nginx\""
                ),
                (
                    EntryKind::Pattern,
                    "a",
                    "# the first\n[[pattern]]\nid = \"a\"\nregex = '''x\n[[pattern]]\ny'''"
                ),
                (
                    EntryKind::Pattern,
                    "b",
                    "[[pattern]]\nid = \"b\"\nregex = \"z\""
                ),
            ]
        );
    }

    #[test]
    fn a_local_entry_takes_the_place_of_the_shipped_one() {
        let shipped = [file("patterns/nginx.toml", PATTERNS)];
        let local = Entry {
            kind: EntryKind::Pattern,
            id: "a".to_owned(),
            file: "patterns/nginx.toml".to_owned(),
            text: "[[pattern]]\nid = \"a\"\nregex = \"changed\"".to_owned(),
        };
        let files = overlay(&shipped, std::slice::from_ref(&local));
        assert_eq!(
            files[0].text,
            "# about nginx\ntitle = \"nginx\"\n\n[[pattern]]\nid = \"a\"\nregex = \"changed\"\n\n[[pattern]]\nid = \"b\"\nregex = \"z\"\n"
        );
        let again = entries(&files).expect("entries");
        assert!(again.contains(&local));
        assert_eq!(overlay(&shipped, &[]), shipped);
    }

    #[test]
    fn new_entries_and_new_files_are_added() {
        let shipped = [file("patterns/nginx.toml", PATTERNS)];
        let entry = |file: &str, id: &str| Entry {
            kind: EntryKind::Pattern,
            id: id.to_owned(),
            file: file.to_owned(),
            text: format!("[[pattern]]\nid = \"{id}\"\nregex = \"own\""),
        };
        let local = [
            entry("patterns/nginx.toml", "c"),
            entry("patterns/ours.toml", "d"),
            // moved to a file of its own
            entry("patterns/ours.toml", "b"),
        ];
        let files = overlay(&shipped, &local);
        let ids: Vec<(String, String)> = entries(&files)
            .expect("entries")
            .into_iter()
            .map(|entry| (entry.file, entry.id))
            .collect();
        let expected = [
            ("patterns/nginx.toml", "nginx"),
            ("patterns/nginx.toml", "a"),
            ("patterns/nginx.toml", "c"),
            ("patterns/ours.toml", "ours"),
            ("patterns/ours.toml", "d"),
            ("patterns/ours.toml", "b"),
        ]
        .map(|(file, id)| (file.to_owned(), id.to_owned()));
        assert_eq!(ids, expected);
    }

    #[test]
    fn what_is_no_entry_is_named_with_its_line() {
        let broken = file("codes/a.toml", "\n[[code]]\nid = \"1\"\n");
        let problems = entries(&[broken]).expect_err("a problem");
        assert_eq!(
            problems[0].to_string(),
            "codes/a.toml:2: error: a [[code]] needs a family"
        );
    }
}
