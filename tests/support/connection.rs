//! [`RawConnection`], a database connection independent of the code under test: SQL in, text out.

use sea_orm::sqlx::{
    self, AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, Row, SqliteConnection, TypeInfo, ValueRef,
    postgres::PgRow, sqlite::SqliteRow,
};

/// A connection to either database.
pub enum RawConnection {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

/// An error of the database: its message, and its SQLSTATE or SQLite's extended result code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub code: String,
    pub message: String,
}

impl Said {
    /// Returns whether a unique index was violated.
    pub fn is_unique_violation(&self) -> bool {
        matches!(self.code.as_str(), "23505" | "2067" | "1555" | "2579")
    }
}

impl From<sqlx::Error> for Said {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        Self { code: code.map(std::borrow::Cow::into_owned).unwrap_or_default(), message: error.to_string() }
    }
}

impl RawConnection {
    /// Opens a database.
    ///
    /// On SQLite, the connection enforces foreign keys. It does not wait for the disk, because no test has to survive a
    /// power failure.
    pub async fn open(url: &str) -> Self {
        if url.starts_with("sqlite:") {
            let options: sqlx::sqlite::SqliteConnectOptions = url.parse().unwrap();
            let options = options.create_if_missing(true).foreign_keys(true);
            let options = options.synchronous(sqlx::sqlite::SqliteSynchronous::Off).disable_statement_logging();
            Self::Sqlite(SqliteConnection::connect_with(&options).await.unwrap())
        } else {
            let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
            Self::Postgres(PgConnection::connect_with(&options.disable_statement_logging()).await.unwrap())
        }
    }

    /// Executes statements that the database may refuse.
    ///
    /// # Errors
    /// Returns the database's code and message.
    pub async fn attempt(&mut self, sql: &str) -> Result<(), Said> {
        let statement = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        match self {
            Self::Postgres(connection) => connection.execute(statement).await.map(drop)?,
            Self::Sqlite(connection) => connection.execute(statement).await.map(drop)?,
        }
        Ok(())
    }

    /// Closes the connection. When this returns, the server has no trace of it.
    pub async fn close(self) {
        match self {
            Self::Postgres(connection) => connection.close().await.unwrap(),
            Self::Sqlite(connection) => connection.close().await.unwrap(),
        }
    }

    /// Executes statements.
    ///
    /// # Panics
    /// Panics if the database refuses one.
    pub async fn exec(&mut self, sql: &str) {
        if let Err(error) = self.attempt(sql).await {
            panic!("{error:?}\n{}", sql.chars().take(2000).collect::<String>());
        }
    }

    /// Executes statements in one transaction.
    ///
    /// # Panics
    /// Panics if the database refuses one.
    pub async fn exec_all(&mut self, statements: &[String]) {
        if !statements.is_empty() {
            self.exec(&format!("BEGIN; {}; COMMIT", statements.join(";\n"))).await;
        }
    }

    /// Returns the rows of a query, with every value as text and null as `NULL`.
    pub async fn rows(&mut self, sql: &str) -> Vec<Vec<String>> {
        let statement = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        let rows = match self {
            Self::Postgres(connection) => {
                connection.fetch_all(statement).await.map(|rows| rows.iter().map(postgres_row).collect())
            }
            Self::Sqlite(connection) => {
                connection.fetch_all(statement).await.map(|rows| rows.iter().map(sqlite_row).collect())
            }
        };
        rows.unwrap_or_else(|error: sqlx::Error| panic!("{error}\n{sql}"))
    }

    /// Returns a table's rows as text in a stable order. Equal texts mean equal contents. `table` is a SQL expression.
    pub async fn snapshot(&mut self, table: &str) -> Vec<String> {
        let sql = match self {
            Self::Postgres(_) => format!("SELECT whole::text FROM {table} AS whole"),
            Self::Sqlite(_) => format!("SELECT * FROM {table}"),
        };
        let mut rows: Vec<String> = self.rows(&sql).await.into_iter().map(|row| row.join(",")).collect();
        rows.sort();
        rows
    }
}

/// Returns a row's values as text. The simple query protocol sends every value as text.
fn postgres_row(row: &PgRow) -> Vec<String> {
    let text = |at| {
        let value = row.try_get_raw(at).unwrap();
        if value.is_null() { "NULL".to_owned() } else { value.as_str().unwrap().to_owned() }
    };
    (0..row.len()).map(text).collect()
}

/// Returns a row's values as text. A text that looks like a number or null is quoted.
fn sqlite_row(row: &SqliteRow) -> Vec<String> {
    let text = |at: usize| {
        let value = row.try_get_raw(at).unwrap();
        match value.type_info().name() {
            _ if value.is_null() => "NULL".to_owned(),
            "INTEGER" => row.get_unchecked::<i64, _>(at).to_string(),
            "REAL" => format!("{:?}", row.get_unchecked::<f64, _>(at)),
            "BLOB" => format!("x'{:02x?}'", row.get_unchecked::<Vec<u8>, _>(at)),
            _ => match row.get_unchecked::<String, _>(at) {
                text if text == "NULL" || text.parse::<f64>().is_ok() => format!("'{text}'"),
                text => text,
            },
        }
    };
    (0..row.len()).map(text).collect()
}
