//! Full-text search over the knowledge's pages.

use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqlitePool};

use super::super::{Hit, StoreError};
use super::batch::{Value, insert};
use crate::engine::graph::{Advice, Cause, Check, Code, Graph, Timeout};
use crate::engine::timeouts::in_words;

/// Words that stand in every page and every question.
const STOP_WORDS: &[&str] = &[
    "a",
    "an",
    "and",
    "are",
    "as",
    "at",
    "be",
    "but",
    "by",
    "can",
    "do",
    "does",
    "for",
    "from",
    "has",
    "have",
    "how",
    "i",
    "in",
    "instead",
    "is",
    "it",
    "its",
    "me",
    "my",
    "of",
    "on",
    "or",
    "own",
    "see",
    "should",
    "that",
    "the",
    "there",
    "this",
    "to",
    "was",
    "we",
    "what",
    "when",
    "where",
    "which",
    "who",
    "why",
    "with",
    "you",
    "your",
    "websocket",
    "websockets",
    "socket",
];

/// More words than this are not looked for.
const MOST_WORDS: usize = 24;

/// Writes the search documents of a graph anew. Runs inside the caller's transaction.
pub(super) async fn replace(
    connection: &mut SqliteConnection,
    graph: &Graph,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM documents")
        .execute(&mut *connection)
        .await?;
    let documents = graph.causes.iter().map(|cause| of_cause(graph, cause));
    let documents = documents
        .chain(graph.advice.iter().map(of_advice))
        .chain(graph.codes.iter().map(of_code))
        .chain(graph.checks.iter().map(of_check))
        .chain(graph.timeouts.iter().map(of_timeout));
    let into = "documents (title, keywords, body, kind, id, url)";
    insert(connection, into, documents.collect()).await
}

/// A page as it is found: its title, words that it is known by, its text, kind, id and address.
type Document<'a> = [Value<'a>; 6];

fn of_cause<'a>(graph: &Graph, cause: &'a Cause) -> Document<'a> {
    let symptoms: Vec<&str> = cause
        .symptoms
        .keys()
        .filter_map(|id| graph.symptom(id))
        .map(|symptom| symptom.title.as_str())
        .collect();
    let keywords = format!("{} {}", cause.id.replace('-', " "), symptoms.join(" "));
    [
        (&cause.title).into(),
        keywords.into(),
        (&cause.body).into(),
        "cause".into(),
        (&cause.id).into(),
        format!("/causes/{}", cause.id).into(),
    ]
}

fn of_advice(advice: &Advice) -> Document<'_> {
    [
        (&advice.title).into(),
        advice.keywords.join(" ").into(),
        format!("{}\n\n{}", advice.summary, advice.body).into(),
        "advice".into(),
        (&advice.id).into(),
        format!("/advice/{}", advice.id).into(),
    ]
}

fn of_code(code: &Code) -> Document<'_> {
    [
        (&code.title).into(),
        format!("{} {} code", code.id, code.family).into(),
        (&code.text).into(),
        "code".into(),
        (&code.id).into(),
        format!("/codes/{}", code.id).into(),
    ]
}

fn of_check(check: &Check) -> Document<'_> {
    let commands: Vec<&str> = check.commands.values().map(String::as_str).collect();
    [
        (&check.title).into(),
        "".into(),
        format!("{}\n\n{}", check.instruction, commands.join("\n")).into(),
        "check".into(),
        (&check.id).into(),
        format!("/checks/{}", check.id).into(),
    ]
}

/// A row of the table of limits: found by its product, its setting and its length.
fn of_timeout(timeout: &Timeout) -> Document<'_> {
    let length = in_words(timeout.seconds);
    let keywords = format!(
        "{} {} {seconds}s {seconds} seconds timeout time-out {}",
        timeout.system,
        timeout.product,
        timeout.kind.as_str(),
        seconds = timeout.seconds
    );
    [
        format!("{}: {length}", timeout.title).into(),
        keywords.into(),
        format!("{} {}", timeout.setting, timeout.note).into(),
        "timeout".into(),
        (&timeout.id).into(),
        format!("/timeouts#{}", timeout.id).into(),
    ]
}

/// The search expression for what a person typed: every word quoted, so that no character of it is
/// an operator, any of them enough.
fn expression(typed: &str) -> Option<String> {
    let lower = typed.to_lowercase();
    let all: Vec<&str> = lower
        .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .filter(|word| !word.is_empty())
        .take(MOST_WORDS * 2)
        .collect();
    let telling: Vec<&str> = all
        .iter()
        .copied()
        .filter(|word| !STOP_WORDS.contains(word))
        .take(MOST_WORDS)
        .collect();
    let words = if telling.is_empty() { all } else { telling };
    if words.is_empty() {
        return None;
    }
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    Some(quoted.join(" OR "))
}

/// Pages that speak of the words, best first.
pub(super) async fn search(
    readers: &SqlitePool,
    typed: &str,
    most: usize,
) -> Result<Vec<Hit>, StoreError> {
    let Some(expression) = expression(typed) else {
        return Ok(Vec::new());
    };
    let rows = sqlx::query(
        "SELECT kind, id, title, url, snippet(documents, 2, '', '', ' … ', 32) AS excerpt \
         FROM documents WHERE documents MATCH ? \
         ORDER BY bm25(documents, 8.0, 4.0, 1.0) * \
           CASE kind WHEN 'advice' THEN 1.15 WHEN 'check' THEN 0.8 WHEN 'code' THEN 0.9 WHEN 'timeout' THEN 0.5 ELSE 1.0 END, id \
         LIMIT ?",
    )
    .bind(expression)
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .fetch_all(readers)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Hit {
                kind: row.try_get("kind")?,
                id: row.try_get("id")?,
                title: row.try_get("title")?,
                url: row.try_get("url")?,
                excerpt: row.try_get("excerpt")?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::expression;

    #[test]
    fn operators_of_the_search_language_are_words() {
        assert_eq!(
            expression("NEAR(\"x\" AND title:y*) ^z").as_deref(),
            Some("\"near\" OR \"x\" OR \"title\" OR \"y\" OR \"z\"")
        );
        assert_eq!(expression("\"'*"), None);
    }
}
