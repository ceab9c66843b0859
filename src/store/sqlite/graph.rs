//! The rule graph as tables, both ways.

use std::collections::BTreeMap;

use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::super::StoreError;
use super::super::rows::{Words, from_json, from_word, to_json, word};
use super::batch::{Value, insert};
use crate::engine::graph::{
    Access, Advice, Cause, CauseTest, Check, Code, Fix, Frequency, Graph, Pattern, Symptom, System,
    Timeout,
};

type Done = Result<(), StoreError>;

/// Puts a graph in the place of the one that is stored. Runs inside the caller's transaction.
pub(super) async fn replace(connection: &mut SqliteConnection, graph: &Graph) -> Done {
    for table in [
        "cause_tests",
        "cause_references",
        "cause_checks",
        "fixes",
        "links",
        "causes",
        "patterns",
        "systems",
        "symptoms",
        "checks",
        "codes",
        "advice",
        "timeouts",
    ] {
        sqlx::query(sqlx::AssertSqlSafe(format!("DELETE FROM {table}")))
            .execute(&mut *connection)
            .await?;
    }
    let symptoms = rows(&graph.symptoms, row_of_symptom)?;
    insert(connection, "symptoms", symptoms).await?;
    let systems = rows(&graph.systems, row_of_system)?;
    insert(connection, "systems", systems).await?;
    let patterns = graph.systems.iter().flat_map(|system| {
        let own = system.patterns.iter();
        own.map(move |pattern| (system, pattern))
    });
    insert(connection, "patterns", rows(patterns, row_of_pattern)?).await?;
    insert(connection, "checks", rows(&graph.checks, row_of_check)?).await?;
    insert_causes(connection, &graph.causes).await?;
    insert(connection, "codes", rows(&graph.codes, row_of_code)?).await?;
    insert(connection, "advice", rows(&graph.advice, row_of_advice)?).await?;
    let timeouts = rows(&graph.timeouts, row_of_timeout)?;
    insert(connection, "timeouts", timeouts).await
}

/// An entry as the values of its table's columns.
type Columns<'a, const COLUMNS: usize> = Result<[Value<'a>; COLUMNS], StoreError>;

fn rows<'a, T: 'a, const COLUMNS: usize>(
    entries: impl IntoIterator<Item = T>,
    row_of: impl Fn(T) -> Columns<'a, COLUMNS>,
) -> Result<Vec<[Value<'a>; COLUMNS]>, StoreError> {
    entries.into_iter().map(row_of).collect()
}

fn optional_word<T: serde::Serialize>(value: Option<&T>) -> Result<Option<String>, StoreError> {
    value.map(word).transpose()
}

fn row_of_symptom(symptom: &Symptom) -> Columns<'_, 9> {
    Ok([
        (&symptom.id).into(),
        (&symptom.group).into(),
        (&symptom.title).into(),
        to_json(&symptom.when)?.into(),
        symptom.refines.as_deref().into(),
        optional_word(symptom.stage.as_ref())?.into(),
        optional_word(symptom.state.as_ref())?.into(),
        optional_word(symptom.otherwise.as_ref())?.into(),
        (&symptom.text).into(),
    ])
}

fn row_of_system(system: &System) -> Columns<'_, 5> {
    Ok([
        (&system.system).into(),
        (&system.title).into(),
        to_json(&system.facts)?.into(),
        (&system.source).into(),
        system.spoken.into(),
    ])
}

fn row_of_pattern<'a>((system, pattern): (&'a System, &'a Pattern)) -> Columns<'a, 12> {
    Ok([
        (&pattern.id).into(),
        (&system.system).into(),
        (&pattern.regex).into(),
        to_json(&pattern.facts)?.into(),
        pattern.hop.as_str().into(),
        pattern.vantage.as_deref().into(),
        i64::try_from(pattern.lines).unwrap_or(1).into(),
        to_json(&pattern.examples)?.into(),
        to_json(&pattern.near_misses)?.into(),
        (&pattern.source).into(),
        pattern.verified.into(),
        to_json(&pattern.negated)?.into(),
    ])
}

fn row_of_check(check: &Check) -> Columns<'_, 10> {
    Ok([
        (&check.id).into(),
        (&check.group).into(),
        (&check.title).into(),
        word(&check.kind)?.into(),
        check.minutes.into(),
        check.who.as_str().into(),
        (&check.instruction).into(),
        to_json(&check.commands)?.into(),
        to_json(&check.answers)?.into(),
        check.access.map_or("", Access::as_str).into(),
    ])
}

fn row_of_cause(cause: &Cause) -> Columns<'_, 8> {
    Ok([
        (&cause.id).into(),
        (&cause.title).into(),
        cause.layer.as_str().into(),
        cause.prior.as_str().into(),
        cause.parent.as_deref().into(),
        cause.share.into(),
        to_json(&cause.shows_at)?.into(),
        (&cause.body).into(),
    ])
}

/// Writes causes, and what hangs on them, each in its order.
async fn insert_causes(connection: &mut SqliteConnection, causes: &[Cause]) -> Done {
    insert(connection, "causes", rows(causes, row_of_cause)?).await?;
    let (mut links, mut fixes, mut checks) = (Vec::new(), Vec::new(), Vec::new());
    let (mut references, mut tests) = (Vec::new(), Vec::new());
    for cause in causes {
        let id = || Value::from(&cause.id);
        let symptoms = cause.symptoms.iter();
        links.extend(
            symptoms.map(|(symptom, frequency)| [id(), symptom.into(), frequency.as_str().into()]),
        );
        fixes.extend(cause.fix.as_ref().map(|fix| {
            let (risk, who) = (fix.risk.as_str(), fix.who.as_str());
            [
                id(),
                fix.minutes.into(),
                risk.into(),
                who.into(),
                (&fix.verify).into(),
            ]
        }));
        let own = (0_i64..).zip(&cause.checks);
        checks.extend(own.map(|(position, check)| [id(), position.into(), check.into()]));
        let own = (0_i64..).zip(&cause.references);
        references.extend(own.map(|(position, url)| [id(), position.into(), url.into()]));
        for (position, test) in (0_i64..).zip(&cause.tests) {
            let expect = word(&test.expect)?;
            tests.push([id(), position.into(), (&test.input).into(), expect.into()]);
        }
    }
    insert(connection, "links", links).await?;
    insert(connection, "fixes", fixes).await?;
    insert(connection, "cause_checks", checks).await?;
    insert(connection, "cause_references", references).await?;
    insert(connection, "cause_tests", tests).await
}

fn row_of_code(code: &Code) -> Columns<'_, 7> {
    Ok([
        (&code.family).into(),
        (&code.id).into(),
        (&code.group).into(),
        (&code.title).into(),
        (&code.text).into(),
        to_json(&code.causes)?.into(),
        to_json(&code.references)?.into(),
    ])
}

fn row_of_advice(advice: &Advice) -> Columns<'_, 7> {
    Ok([
        (&advice.id).into(),
        (&advice.title).into(),
        (&advice.summary).into(),
        to_json(&advice.keywords)?.into(),
        to_json(&advice.causes)?.into(),
        to_json(&advice.references)?.into(),
        (&advice.body).into(),
    ])
}

fn row_of_timeout(timeout: &Timeout) -> Columns<'_, 17> {
    Ok([
        (&timeout.id).into(),
        (&timeout.group).into(),
        (&timeout.system).into(),
        (&timeout.product).into(),
        (&timeout.title).into(),
        timeout.seconds.into(),
        timeout.tolerance.into(),
        timeout.kind.as_str().into(),
        timeout.side.as_str().into(),
        timeout.common.into(),
        (&timeout.setting).into(),
        (&timeout.versions).into(),
        (&timeout.cause).into(),
        (&timeout.note).into(),
        (&timeout.unlisted).into(),
        (&timeout.source).into(),
        timeout.verified.into(),
    ])
}

/// The stored graph.
pub(super) async fn read(connection: &mut SqliteConnection) -> Result<Graph, StoreError> {
    let mut graph = Graph {
        symptoms: read_all(connection, "SELECT * FROM symptoms", symptom).await?,
        systems: read_all(connection, "SELECT * FROM systems", system).await?,
        causes: read_all(connection, "SELECT * FROM causes", cause).await?,
        checks: read_all(connection, "SELECT * FROM checks", check).await?,
        codes: read_all(connection, "SELECT * FROM codes", code).await?,
        advice: read_all(connection, "SELECT * FROM advice", advice).await?,
        timeouts: read_all(connection, "SELECT * FROM timeouts", timeout).await?,
    };
    graph.sort();
    read_patterns(connection, &mut graph).await?;
    read_details(connection, &mut graph).await?;
    graph.sort();
    Ok(graph)
}

async fn read_all<T>(
    connection: &mut SqliteConnection,
    query: &'static str,
    of_row: impl Fn(&SqliteRow) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    sqlx::query(query)
        .fetch_all(connection)
        .await?
        .iter()
        .map(of_row)
        .collect()
}

fn text(row: &SqliteRow, column: &str) -> Result<String, StoreError> {
    Ok(row.try_get(column)?)
}

fn json<T: serde::de::DeserializeOwned>(row: &SqliteRow, column: &str) -> Result<T, StoreError> {
    from_json(&text(row, column)?)
}

fn optional<T: serde::de::DeserializeOwned>(
    row: &SqliteRow,
    column: &str,
) -> Result<Option<T>, StoreError> {
    row.try_get::<Option<String>, _>(column)?
        .map(from_word)
        .transpose()
}

fn symptom(row: &SqliteRow) -> Result<Symptom, StoreError> {
    Ok(Symptom {
        id: text(row, "id")?,
        group: text(row, "grouping")?,
        title: text(row, "title")?,
        when: json(row, "predicate")?,
        refines: row.try_get("refines")?,
        stage: optional(row, "stage")?,
        state: optional(row, "state")?,
        otherwise: optional(row, "otherwise")?,
        text: text(row, "text")?,
    })
}

fn system(row: &SqliteRow) -> Result<System, StoreError> {
    Ok(System {
        system: text(row, "id")?,
        title: text(row, "title")?,
        source: text(row, "source")?,
        spoken: row.try_get("spoken")?,
        facts: json::<Words>(row, "facts")?,
        patterns: Vec::new(),
    })
}

fn cause(row: &SqliteRow) -> Result<Cause, StoreError> {
    Ok(Cause {
        id: text(row, "id")?,
        title: text(row, "title")?,
        layer: from_word(text(row, "layer")?)?,
        prior: from_word(text(row, "prior")?)?,
        parent: row.try_get("parent")?,
        share: row.try_get("share")?,
        shows_at: json(row, "shows_at")?,
        checks: Vec::new(),
        references: Vec::new(),
        symptoms: BTreeMap::new(),
        fix: None,
        tests: Vec::new(),
        body: text(row, "body")?,
    })
}

fn check(row: &SqliteRow) -> Result<Check, StoreError> {
    Ok(Check {
        id: text(row, "id")?,
        group: text(row, "grouping")?,
        title: text(row, "title")?,
        kind: from_word(text(row, "kind")?)?,
        minutes: row.try_get("minutes")?,
        who: from_word(text(row, "who")?)?,
        instruction: text(row, "instruction")?,
        commands: json(row, "commands")?,
        answers: json(row, "answers")?,
        access: match text(row, "access")? {
            word if word.is_empty() => None,
            word => Some(from_word(word)?),
        },
    })
}

fn code(row: &SqliteRow) -> Result<Code, StoreError> {
    Ok(Code {
        family: text(row, "family")?,
        id: text(row, "id")?,
        group: text(row, "grouping")?,
        title: text(row, "title")?,
        text: text(row, "text")?,
        causes: json(row, "causes")?,
        references: json(row, "urls")?,
    })
}

fn advice(row: &SqliteRow) -> Result<Advice, StoreError> {
    Ok(Advice {
        id: text(row, "id")?,
        title: text(row, "title")?,
        summary: text(row, "summary")?,
        keywords: json(row, "keywords")?,
        causes: json(row, "causes")?,
        references: json(row, "urls")?,
        body: text(row, "body")?,
    })
}

fn timeout(row: &SqliteRow) -> Result<Timeout, StoreError> {
    Ok(Timeout {
        id: text(row, "id")?,
        group: text(row, "grouping")?,
        system: text(row, "system")?,
        product: text(row, "product")?,
        title: text(row, "title")?,
        seconds: row.try_get("seconds")?,
        tolerance: row.try_get("tolerance")?,
        kind: from_word(text(row, "kind")?)?,
        side: from_word(text(row, "side")?)?,
        common: row.try_get("common")?,
        setting: text(row, "setting")?,
        versions: text(row, "versions")?,
        cause: text(row, "cause")?,
        note: text(row, "note")?,
        unlisted: text(row, "unlisted")?,
        source: text(row, "source")?,
        verified: row.try_get("verified")?,
    })
}

async fn read_patterns(connection: &mut SqliteConnection, graph: &mut Graph) -> Done {
    for row in sqlx::query("SELECT * FROM patterns")
        .fetch_all(connection)
        .await?
    {
        let owner = text(&row, "system")?;
        let position = graph
            .systems
            .binary_search_by(|system| system.system.cmp(&owner))
            .map_err(|_| StoreError::Other(format!("a pattern belongs to no system: {owner}")))?;
        graph.systems[position].patterns.push(Pattern {
            id: text(&row, "id")?,
            regex: text(&row, "regex")?,
            facts: json::<Words>(&row, "facts")?,
            negated: json::<Words>(&row, "negated")?,
            hop: from_word(text(&row, "hop")?)?,
            vantage: row.try_get("vantage")?,
            lines: usize::try_from(row.try_get::<i64, _>("lines")?).unwrap_or(1),
            examples: json(&row, "examples")?,
            near_misses: json(&row, "near_misses")?,
            source: text(&row, "source")?,
            verified: row.try_get("verified")?,
        });
    }
    Ok(())
}

/// What hangs on causes: links, checks, fixes, references, tests, each in its order.
async fn read_details(connection: &mut SqliteConnection, graph: &mut Graph) -> Done {
    let position: BTreeMap<String, usize> = graph
        .causes
        .iter()
        .enumerate()
        .map(|(position, cause)| (cause.id.clone(), position))
        .collect();
    let of = |row: &SqliteRow| -> Result<usize, StoreError> {
        let id = text(row, "cause")?;
        position
            .get(&id)
            .copied()
            .ok_or_else(|| StoreError::Other(format!("a row belongs to no cause: {id}")))
    };
    let causes = &mut graph.causes;
    for row in sqlx::query("SELECT * FROM links")
        .fetch_all(&mut *connection)
        .await?
    {
        let frequency: Frequency = from_word(text(&row, "frequency")?)?;
        causes[of(&row)?]
            .symptoms
            .insert(text(&row, "symptom")?, frequency);
    }
    for row in sqlx::query("SELECT * FROM fixes")
        .fetch_all(&mut *connection)
        .await?
    {
        causes[of(&row)?].fix = Some(Fix {
            minutes: row.try_get("minutes")?,
            risk: from_word(text(&row, "risk")?)?,
            who: from_word(text(&row, "who")?)?,
            verify: text(&row, "verify")?,
        });
    }
    let ordered = "SELECT * FROM cause_checks ORDER BY cause, position";
    for row in sqlx::query(ordered).fetch_all(&mut *connection).await? {
        causes[of(&row)?].checks.push(text(&row, "check_id")?);
    }
    let ordered = "SELECT * FROM cause_references ORDER BY cause, position";
    for row in sqlx::query(ordered).fetch_all(&mut *connection).await? {
        causes[of(&row)?].references.push(text(&row, "url")?);
    }
    let ordered = "SELECT * FROM cause_tests ORDER BY cause, position";
    for row in sqlx::query(ordered).fetch_all(&mut *connection).await? {
        causes[of(&row)?].tests.push(CauseTest {
            input: text(&row, "input")?,
            expect: from_word(text(&row, "expect")?)?,
        });
    }
    Ok(())
}
