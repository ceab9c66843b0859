//! The rule graph as tables, both ways.

use std::collections::BTreeMap;

use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::super::StoreError;
use super::super::rows::{Words, from_json, from_word, to_json, word};
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
    for symptom in &graph.symptoms {
        insert_symptom(connection, symptom).await?;
    }
    for system in &graph.systems {
        insert_system(connection, system).await?;
    }
    for check in &graph.checks {
        insert_check(connection, check).await?;
    }
    for cause in &graph.causes {
        insert_cause(connection, cause).await?;
    }
    for code in &graph.codes {
        insert_code(connection, code).await?;
    }
    for advice in &graph.advice {
        insert_advice(connection, advice).await?;
    }
    for timeout in &graph.timeouts {
        insert_timeout(connection, timeout).await?;
    }
    Ok(())
}

fn optional_word<T: serde::Serialize>(value: Option<&T>) -> Result<Option<String>, StoreError> {
    value.map(word).transpose()
}

async fn insert_symptom(connection: &mut SqliteConnection, symptom: &Symptom) -> Done {
    sqlx::query("INSERT INTO symptoms VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(&symptom.id)
        .bind(&symptom.group)
        .bind(&symptom.title)
        .bind(to_json(&symptom.when)?)
        .bind(&symptom.refines)
        .bind(optional_word(symptom.stage.as_ref())?)
        .bind(optional_word(symptom.state.as_ref())?)
        .bind(optional_word(symptom.otherwise.as_ref())?)
        .bind(&symptom.text)
        .execute(connection)
        .await?;
    Ok(())
}

async fn insert_system(connection: &mut SqliteConnection, system: &System) -> Done {
    sqlx::query("INSERT INTO systems VALUES (?, ?, ?, ?, ?)")
        .bind(&system.system)
        .bind(&system.title)
        .bind(to_json(&system.facts)?)
        .bind(&system.source)
        .bind(system.spoken)
        .execute(&mut *connection)
        .await?;
    for pattern in &system.patterns {
        sqlx::query("INSERT INTO patterns VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
            .bind(&pattern.id)
            .bind(&system.system)
            .bind(&pattern.regex)
            .bind(to_json(&pattern.facts)?)
            .bind(pattern.hop.as_str())
            .bind(&pattern.vantage)
            .bind(i64::try_from(pattern.lines).unwrap_or(1))
            .bind(to_json(&pattern.examples)?)
            .bind(to_json(&pattern.near_misses)?)
            .bind(&pattern.source)
            .bind(pattern.verified)
            .bind(to_json(&pattern.negated)?)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn insert_check(connection: &mut SqliteConnection, check: &Check) -> Done {
    sqlx::query("INSERT INTO checks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(&check.id)
        .bind(&check.group)
        .bind(&check.title)
        .bind(word(&check.kind)?)
        .bind(check.minutes)
        .bind(check.who.as_str())
        .bind(&check.instruction)
        .bind(to_json(&check.commands)?)
        .bind(to_json(&check.answers)?)
        .bind(check.access.map_or("", Access::as_str))
        .execute(connection)
        .await?;
    Ok(())
}

async fn insert_cause(connection: &mut SqliteConnection, cause: &Cause) -> Done {
    sqlx::query("INSERT INTO causes VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(&cause.id)
        .bind(&cause.title)
        .bind(cause.layer.as_str())
        .bind(cause.prior.as_str())
        .bind(&cause.parent)
        .bind(cause.share)
        .bind(to_json(&cause.shows_at)?)
        .bind(&cause.body)
        .execute(&mut *connection)
        .await?;
    for (symptom, frequency) in &cause.symptoms {
        sqlx::query("INSERT INTO links VALUES (?, ?, ?)")
            .bind(&cause.id)
            .bind(symptom)
            .bind(frequency.as_str())
            .execute(&mut *connection)
            .await?;
    }
    if let Some(fix) = &cause.fix {
        sqlx::query("INSERT INTO fixes VALUES (?, ?, ?, ?, ?)")
            .bind(&cause.id)
            .bind(fix.minutes)
            .bind(fix.risk.as_str())
            .bind(fix.who.as_str())
            .bind(&fix.verify)
            .execute(&mut *connection)
            .await?;
    }
    for (position, check) in (0_i64..).zip(&cause.checks) {
        sqlx::query("INSERT INTO cause_checks VALUES (?, ?, ?)")
            .bind(&cause.id)
            .bind(position)
            .bind(check)
            .execute(&mut *connection)
            .await?;
    }
    for (position, reference) in (0_i64..).zip(&cause.references) {
        sqlx::query("INSERT INTO cause_references VALUES (?, ?, ?)")
            .bind(&cause.id)
            .bind(position)
            .bind(reference)
            .execute(&mut *connection)
            .await?;
    }
    for (position, test) in (0_i64..).zip(&cause.tests) {
        sqlx::query("INSERT INTO cause_tests VALUES (?, ?, ?, ?)")
            .bind(&cause.id)
            .bind(position)
            .bind(&test.input)
            .bind(word(&test.expect)?)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn insert_code(connection: &mut SqliteConnection, code: &Code) -> Done {
    sqlx::query("INSERT INTO codes VALUES (?, ?, ?, ?, ?, ?, ?)")
        .bind(&code.family)
        .bind(&code.id)
        .bind(&code.group)
        .bind(&code.title)
        .bind(&code.text)
        .bind(to_json(&code.causes)?)
        .bind(to_json(&code.references)?)
        .execute(connection)
        .await?;
    Ok(())
}

async fn insert_advice(connection: &mut SqliteConnection, advice: &Advice) -> Done {
    sqlx::query("INSERT INTO advice VALUES (?, ?, ?, ?, ?, ?, ?)")
        .bind(&advice.id)
        .bind(&advice.title)
        .bind(&advice.summary)
        .bind(to_json(&advice.keywords)?)
        .bind(to_json(&advice.causes)?)
        .bind(to_json(&advice.references)?)
        .bind(&advice.body)
        .execute(connection)
        .await?;
    Ok(())
}

async fn insert_timeout(connection: &mut SqliteConnection, timeout: &Timeout) -> Done {
    sqlx::query("INSERT INTO timeouts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(&timeout.id)
        .bind(&timeout.group)
        .bind(&timeout.system)
        .bind(&timeout.product)
        .bind(&timeout.title)
        .bind(timeout.seconds)
        .bind(timeout.tolerance)
        .bind(timeout.kind.as_str())
        .bind(timeout.side.as_str())
        .bind(timeout.common)
        .bind(&timeout.setting)
        .bind(&timeout.versions)
        .bind(&timeout.cause)
        .bind(&timeout.note)
        .bind(&timeout.unlisted)
        .bind(&timeout.source)
        .bind(timeout.verified)
        .execute(connection)
        .await?;
    Ok(())
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
