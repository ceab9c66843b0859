//! Many rows in few statements: each statement costs a change between two threads, which is more
//! than what it writes.

use sqlx::QueryBuilder;
use sqlx::sqlite::SqliteConnection;

use super::super::StoreError;

/// That many values go into one statement; SQLite takes 32,766:
/// <https://www.sqlite.org/limits.html#max_variable_number>.
const MOST_VALUES: usize = 8_000;

/// A value of a row.
#[derive(Debug)]
pub(super) enum Value<'a> {
    Nothing,
    Integer(i64),
    Real(f64),
    Text(&'a str),
    OwnText(String),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Value::Text(text)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Value::Text(text)
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Value::OwnText(text)
    }
}

impl From<bool> for Value<'_> {
    fn from(yes: bool) -> Self {
        Value::Integer(i64::from(yes))
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Value::Integer(number)
    }
}

impl From<f64> for Value<'_> {
    fn from(number: f64) -> Self {
        Value::Real(number)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Nothing, Into::into)
    }
}

/// Writes rows of `COLUMNS` values each; `into` names the table, and its columns where not all are
/// given in their order.
pub(super) async fn insert<const COLUMNS: usize>(
    connection: &mut SqliteConnection,
    into: &'static str,
    rows: Vec<[Value<'_>; COLUMNS]>,
) -> Result<(), StoreError> {
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let mut statement = QueryBuilder::new("INSERT INTO ");
        statement.push(into).push(" ");
        let some = rows.by_ref().take(MOST_VALUES / COLUMNS);
        statement.push_values(some, |mut row, values| {
            for value in values {
                match value {
                    Value::Nothing => row.push_bind(None::<String>),
                    Value::Integer(number) => row.push_bind(number),
                    Value::Real(number) => row.push_bind(number),
                    Value::Text(text) => row.push_bind(text.to_owned()),
                    Value::OwnText(text) => row.push_bind(text),
                };
            }
        });
        statement
            .build()
            .persistent(false)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
