//! Takes secrets out of a text before anything else reads it.
//!
//! A paste carries tokens, passwords, cookies, keys and e-mail addresses. Whatever leaves this
//! module is stored, logged and shown, so it works in two passes: rules find the values in the
//! places where secrets sit, then every found value goes wherever it occurs, encoded forms too.
//! What diagnoses (hosts, paths, names, codes, error texts) stays.
//!
//! Both passes repeat until nothing more is found, so a redacted text is a fixed point:
//! redacting twice changes nothing.

mod encodings;
mod names;
mod rules;
mod values;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use memchr::memmem::Finder;

pub(super) use encodings::base64_decoded;
use rules::Claim;

/// A replacement may bring a new secret into view, seldom more than once.
const ROUNDS: usize = 12;

/// Encoded forms are searched for at most this many values of a text, plain ones for all.
const ENCODED_VALUES: usize = 1_000;

/// Up to this many forms are searched for one by one.
const FEW_FORMS: usize = 48;

/// A longer value is recognised by its beginning.
const PATTERN_BYTES: usize = 512;

/// What kind of secret a mark stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretKind {
    /// The value of a cookie.
    Cookie,
    /// The part of an e-mail address before the @.
    Email,
    /// An API key, a client's secret or a private key.
    Key,
    /// A user's name that is sent as half of the credentials (STOMP).
    Login,
    /// A password, also as the encoded pair of name and password.
    Password,
    /// The id of a session, which lets its bearer take part in it.
    Session,
    /// A bearer token, a signature or a one-time code.
    Token,
}

impl SecretKind {
    /// Every kind, in the order of their names.
    pub const ALL: [Self; 7] = [
        Self::Cookie,
        Self::Email,
        Self::Key,
        Self::Login,
        Self::Password,
        Self::Session,
        Self::Token,
    ];

    /// The word that stands in the mark.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cookie => "cookie",
            Self::Email => "email",
            Self::Key => "key",
            Self::Login => "login",
            Self::Password => "password",
            Self::Session => "session",
            Self::Token => "token",
        }
    }
}

/// What is left of a text after its secrets were taken out, and what was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted {
    /// The text with a mark such as `[token:1]` in the place of every secret.
    pub text: String,
    /// Every mark in the text, in order; also those that were already there.
    pub marks: Vec<Mark>,
    /// How many distinct secrets of each kind the text had.
    pub counts: BTreeMap<&'static str, usize>,
}

/// One mark in a redacted text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// What kind of secret stood here.
    pub kind: SecretKind,
    /// Which one of its kind; the same secret has the same number everywhere.
    pub number: usize,
    /// The first byte of the mark in [`Redacted::text`].
    pub start: usize,
    /// The byte after the mark in [`Redacted::text`].
    pub end: usize,
    /// Harmless facts that the secret carried, such as `token.expires`.
    pub facts: Vec<(&'static str, String)>,
}

/// Takes the secrets out of a text.
pub fn redact(input: &str) -> Redacted {
    redact_owned(input.to_owned())
}

/// The same for a text that nobody else needs: it is changed where it stands, so that a long one is
/// in memory once.
pub fn redact_owned(mut text: String) -> Redacted {
    let mut secrets = Secrets::default();
    for round in 0..ROUNDS {
        let marks = existing_marks(&text);
        let found = rules::find(&text, &marks);
        if found.claims.is_empty() {
            break;
        }
        if round == 0 {
            secrets.continue_after(&marks);
        }
        let claims = everywhere(&text, &marks, found);
        text = replace(text, claims, &mut secrets);
    }
    finish(text, &secrets)
}

/// The numbers that were given out, over all rounds.
#[derive(Default)]
struct Secrets {
    marks: HashMap<String, (SecretKind, usize)>,
    last: BTreeMap<SecretKind, usize>,
    facts: BTreeMap<(SecretKind, usize), Vec<(&'static str, String)>>,
}

impl Secrets {
    /// New numbers start after the greatest that the text already has.
    fn continue_after(&mut self, marks: &[Mark]) {
        for mark in marks {
            let last = self.last.entry(mark.kind).or_default();
            *last = (*last).max(mark.number);
        }
    }

    fn mark(&mut self, identity: &str, kind: SecretKind) -> (SecretKind, usize) {
        if let Some(mark) = self.marks.get(identity) {
            return *mark;
        }
        let last = self.last.entry(kind).or_default();
        *last = last.saturating_add(1);
        let mark = (kind, *last);
        self.marks.insert(identity.to_owned(), mark);
        mark
    }
}

/// The marks that a text already has.
fn existing_marks(text: &str) -> Vec<Mark> {
    memchr::memchr_iter(b'[', text.as_bytes())
        .filter_map(|start| mark_at(text, start))
        .collect()
}

fn mark_at(text: &str, start: usize) -> Option<Mark> {
    let rest = &text.as_bytes()[start + 1..];
    let kind = SecretKind::ALL.into_iter().find(|kind| {
        let name = kind.name().as_bytes();
        rest.starts_with(name) && rest.get(name.len()) == Some(&b':')
    })?;
    let digits_start = start + 1 + kind.name().len() + 1;
    let digits = text.as_bytes()[digits_start..]
        .iter()
        .take(10)
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let end = digits_start + digits;
    // Numbers are counted from 1 and written without zeros in front.
    let is_number = (1..=9).contains(&digits) && text.as_bytes()[digits_start] != b'0';
    if !is_number || text.as_bytes().get(end) != Some(&b']') {
        return None;
    }
    Some(Mark {
        kind,
        number: text[digits_start..end].parse().ok()?,
        start,
        end: end + 1,
        facts: Vec::new(),
    })
}

/// The second pass: the found values wherever they occur, in whatever encoding.
fn everywhere(text: &str, marks: &[Mark], found: rules::Found) -> Vec<Claim> {
    let mut claims = found.claims;
    let mut seen = BTreeSet::new();
    let mut patterns: Vec<encodings::Form> = Vec::new();
    let mut owners = Vec::new();
    let values = claims
        .iter()
        .map(|claim| (claim.kind, claim.identity.clone(), claim.raw(text)))
        .chain(found.hidden.iter().map(|hidden| {
            (
                hidden.kind,
                hidden.value.clone(),
                Some(hidden.value.as_str()),
            )
        }));
    for (kind, identity, raw) in values {
        if !seen.insert(identity.clone()) {
            continue;
        }
        let encoded = seen.len() <= ENCODED_VALUES;
        for mut form in encodings::forms(kind, &identity, raw, encoded) {
            encodings::shorten(&mut form.bytes, PATTERN_BYTES);
            patterns.push(form);
            owners.push((kind, identity.clone()));
        }
    }
    if patterns.is_empty() {
        return claims;
    }
    claims.sort_by_key(|claim| (claim.start, usize::MAX - claim.end));
    let mut more = Vec::new();
    let mut next_claim = 0;
    let mut next_mark = 0;
    let mut floor = 0;
    for hit in hits(text, &patterns) {
        while next_claim < claims.len() && claims[next_claim].end <= hit.start {
            next_claim += 1;
        }
        while next_mark < marks.len() && marks[next_mark].end <= hit.start {
            next_mark += 1;
        }
        let taken = claims
            .get(next_claim)
            .is_some_and(|claim| claim.start <= hit.start);
        if taken || hit.start < floor {
            continue;
        }
        let form = &patterns[hit.form];
        let Some((start, end)) = form.extent(text, hit.start, hit.end, floor) else {
            continue;
        };
        // A mark is never part of a secret.
        if marks
            .get(next_mark)
            .is_some_and(|mark| mark.start < hit.end)
        {
            continue;
        }
        let start = start.max(next_mark.checked_sub(1).map_or(0, |last| marks[last].end));
        let end = marks.get(next_mark).map_or(end, |mark| end.min(mark.start));
        floor = end;
        let (kind, identity) = owners[hit.form].clone();
        more.push(Claim {
            start,
            end,
            kind,
            identity,
            facts: Vec::new(),
        });
    }
    claims.extend(more);
    claims
}

/// Where a form stands in the text.
struct Hit {
    start: usize,
    end: usize,
    form: usize,
}

/// Where the forms stand, leftmost first and of those the longest; no two overlap.
fn hits(text: &str, forms: &[encodings::Form]) -> Vec<Hit> {
    if forms.len() <= FEW_FORMS {
        return hits_of_few(text.as_bytes(), forms);
    }
    let automaton = AhoCorasick::builder()
        // A deterministic automaton would cost more to build than one text takes to search.
        .kind(Some(AhoCorasickKind::NoncontiguousNFA))
        .match_kind(MatchKind::LeftmostLongest)
        .build(forms.iter().map(|form| &form.bytes));
    let Ok(automaton) = automaton else {
        return Vec::new();
    };
    automaton
        .find_iter(text)
        .map(|hit| Hit {
            start: hit.start(),
            end: hit.end(),
            form: hit.pattern().as_usize(),
        })
        .collect()
}

/// One search for each form: an automaton would take longer to build than these take to run.
fn hits_of_few(text: &[u8], forms: &[encodings::Form]) -> Vec<Hit> {
    let finders: Vec<Finder<'_>> = forms.iter().map(|form| Finder::new(&form.bytes)).collect();
    let mut next: Vec<Option<usize>> = finders.iter().map(|finder| finder.find(text)).collect();
    let mut hits = Vec::new();
    loop {
        let first = (0..forms.len())
            .filter_map(|form| Some((next[form]?, usize::MAX - forms[form].bytes.len(), form)))
            .min();
        let Some((start, _, form)) = first else {
            return hits;
        };
        let end = start + forms[form].bytes.len();
        hits.push(Hit { start, end, form });
        for (next, finder) in next.iter_mut().zip(&finders) {
            if next.is_some_and(|at| at < end) {
                *next = finder.find(&text[end..]).map(|at| end + at);
            }
        }
    }
}

/// Puts a mark in the place of every claim.
fn replace(text: String, mut claims: Vec<Claim>, secrets: &mut Secrets) -> String {
    claims.sort_by_key(|claim| (claim.start, usize::MAX - claim.end));
    let mut edits = Vec::with_capacity(claims.len());
    let mut position = 0;
    for claim in claims {
        let start = text.floor_char_boundary(claim.start.max(position));
        let end = text.ceil_char_boundary(claim.end);
        if end <= position || start >= end {
            continue;
        }
        let start = start.max(position);
        let (kind, number) = secrets.mark(&claim.identity, claim.kind);
        edits.push(Edit {
            start,
            end,
            kind,
            number,
        });
        if !claim.facts.is_empty() {
            let facts = secrets.facts.entry((kind, number)).or_default();
            for fact in claim.facts {
                if facts.iter().all(|known| known.0 != fact.0) {
                    facts.push(fact);
                }
            }
        }
        position = end;
    }
    edited(text, &edits)
}

/// A stretch of a text that becomes a mark.
struct Edit {
    start: usize,
    end: usize,
    kind: SecretKind,
    number: usize,
}

impl Edit {
    fn mark(&self) -> String {
        format!("[{}:{}]", self.kind.name(), self.number)
    }
}

/// Writes the marks into the text itself. It is first moved by as much as the marks may run ahead of
/// what they replace, so that nothing is written over before it was read.
fn edited(text: String, edits: &[Edit]) -> String {
    let (mut ahead, mut most) = (0_isize, 0_isize);
    for edit in edits {
        ahead += edit.mark().len() as isize - (edit.end - edit.start) as isize;
        most = most.max(ahead);
    }
    let (shift, length) = (most.unsigned_abs(), text.len());
    let mut bytes = text.into_bytes();
    bytes.reserve_exact(shift);
    bytes.resize(length + shift, 0);
    bytes.copy_within(..length, shift);
    let (mut read, mut written) = (0, 0);
    for edit in edits {
        bytes.copy_within(shift + read..shift + edit.start, written);
        written += edit.start - read;
        let mark = edit.mark();
        bytes[written..written + mark.len()].copy_from_slice(mark.as_bytes());
        written += mark.len();
        read = edit.end;
    }
    bytes.copy_within(shift + read.., written);
    bytes.truncate(written + length - read);
    // Edits begin and end between characters, so the bytes are a text.
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn finish(text: String, secrets: &Secrets) -> Redacted {
    let mut marks = existing_marks(&text);
    let mut distinct = BTreeSet::new();
    for mark in &mut marks {
        distinct.insert((mark.kind, mark.number));
        if let Some(facts) = secrets.facts.get(&(mark.kind, mark.number)) {
            mark.facts.clone_from(facts);
        }
    }
    let mut counts = BTreeMap::new();
    for (kind, _) in distinct {
        *counts.entry(kind.name()).or_default() += 1;
    }
    Redacted {
        text,
        marks,
        counts,
    }
}
