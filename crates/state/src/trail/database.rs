//! `Database`: the SQLite database of a trail. What a record says is in its canonical bytes; the columns beside them are
//! there to be searched, and `verify` holds them against the bytes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use portcullis_policy::event::{HexBytes, LineHash};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteRow, SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};

use super::body::{Body, hash_of};
use super::error::TrailError;
use super::kind::TrailKind;

/// `PTrl`: what the header of the file says that it is.
const APPLICATION_ID: i64 = 0x5054_726c;

/// The form of the tables.
const VERSION: i64 = 1;

/// For how long a writer waits for a reader that must not be disturbed, and the reverse.
const BUSY: Duration = Duration::from_millis(500);

/// The tables, as the database itself keeps their text. The triggers keep an honest program from a mistake; against
/// somebody who can write the file stands the chain.
const SCHEMA: [(&str, &str); 8] = [
    (
        "record",
        "CREATE TABLE record (seq INTEGER PRIMARY KEY, hash BLOB NOT NULL, kind INTEGER NOT NULL, time INTEGER NOT NULL, intent INTEGER, request TEXT, user TEXT, tenant TEXT, method TEXT, route TEXT, verdict TEXT, body BLOB NOT NULL) STRICT",
    ),
    ("record_time", "CREATE INDEX record_time ON record (time)"),
    (
        "record_intent",
        "CREATE INDEX record_intent ON record (intent) WHERE intent IS NOT NULL",
    ),
    (
        "record_request",
        "CREATE INDEX record_request ON record (request) WHERE request IS NOT NULL",
    ),
    (
        "record_user",
        "CREATE INDEX record_user ON record (user) WHERE user IS NOT NULL",
    ),
    (
        "record_mark",
        "CREATE INDEX record_mark ON record (kind) WHERE kind IN (1, 7)",
    ),
    (
        "record_no_update",
        "CREATE TRIGGER record_no_update BEFORE UPDATE ON record BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END",
    ),
    (
        "record_no_delete",
        "CREATE TRIGGER record_no_delete BEFORE DELETE ON record BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END",
    ),
];

/// A record as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) seq: i64,
    pub(super) hash: Vec<u8>,
    pub(super) body: Vec<u8>,
    pub(super) columns: Columns,
}

/// What is stored beside the bytes, to be searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    kind: i64,
    time: i64,
    intent: Option<i64>,
    request: Option<String>,
    user: Option<String>,
    tenant: Option<String>,
    method: Option<String>,
    route: Option<String>,
    verdict: Option<String>,
}

impl Columns {
    /// What must stand beside a record.
    pub(super) fn of(body: &Body) -> Self {
        let text = |text: &str| Some(text.to_owned());
        Self {
            kind: i64::from(body.kind.code()),
            time: i64::try_from(body.unix_millis).unwrap_or(i64::MAX),
            intent: body
                .intent
                .map(|seq| i64::try_from(seq).unwrap_or(i64::MAX)),
            request: body.request.as_ref().and_then(|one| text(one.as_str())),
            user: body.user.as_ref().and_then(|one| text(one.as_str())),
            tenant: body.tenant.as_ref().and_then(|one| text(one.as_str())),
            method: body.method.and_then(|one| text(one.as_str())),
            route: body.route.as_ref().and_then(|one| text(one.as_str())),
            verdict: body.verdict.and_then(|one| text(one.as_str())),
        }
    }
}

/// Where the chain stands: the last record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) seq: u64,
    pub(super) hash: LineHash,
}

impl Head {
    /// Before the first record.
    pub(super) const NEW: Self = Self {
        seq: 0,
        hash: HexBytes([0; 32]),
    };
}

/// An open database.
#[derive(Debug)]
pub(super) struct Database {
    connection: SqliteConnection,
    path: PathBuf,
}

impl Database {
    /// Makes the tables in a new file, with the first record in them.
    pub(super) async fn make(path: &Path, first: &Body) -> Result<(), TrailError> {
        // Without a log of its own beside it, as the file gets another name afterwards.
        let options = options(path).journal_mode(SqliteJournalMode::Delete);
        let mut database = Self::connect(path, &options).await?;
        let made = async {
            sqlx::query("BEGIN IMMEDIATE")
                .execute(&mut database.connection)
                .await?;
            for (_, text) in SCHEMA {
                sqlx::query(text).execute(&mut database.connection).await?;
            }
            // The two numbers in the header of the file.
            sqlx::query("PRAGMA application_id = 1347711596")
                .execute(&mut database.connection)
                .await?;
            sqlx::query("PRAGMA user_version = 1")
                .execute(&mut database.connection)
                .await?;
            insert(&mut database.connection, first).await?;
            sqlx::query("COMMIT")
                .execute(&mut database.connection)
                .await
        };
        made.await.map_err(|error| failed(path, "made", &error))?;
        database.close().await
    }

    /// Opens a trail to go on with.
    pub(super) async fn open(path: &Path) -> Result<Self, TrailError> {
        let options = options(path).journal_mode(SqliteJournalMode::Wal);
        let mut database = Self::connect(path, &options).await?;
        database.check_form().await?;
        Ok(database)
    }

    /// Opens a trail to read, also while it is written.
    pub(super) async fn read(path: &Path) -> Result<Self, TrailError> {
        let options = options(path).read_only(true).pragma("query_only", "ON");
        let mut database = Self::connect(path, &options).await?;
        database.check_form().await?;
        Ok(database)
    }

    async fn connect(path: &Path, options: &SqliteConnectOptions) -> Result<Self, TrailError> {
        let connection = options.connect().await;
        Ok(Self {
            connection: connection.map_err(|error| failed(path, "opened", &error))?,
            path: path.to_owned(),
        })
    }

    pub(super) async fn close(self) -> Result<(), TrailError> {
        let path = self.path;
        let closed = self.connection.close().await;
        closed.map_err(|error| failed(&path, "closed", &error))
    }

    /// What a stranger may have put in place of our tables (a view, a trigger that inserts) is no trail.
    async fn check_form(&mut self) -> Result<(), TrailError> {
        let id = self.number("PRAGMA application_id").await?;
        if id != APPLICATION_ID {
            return Err(TrailError::damaged(
                &self.path,
                "it is no trail of portcullis",
            ));
        }
        let found = self.number("PRAGMA user_version").await?;
        if found != VERSION {
            return Err(TrailError::OtherVersion {
                path: self.path.clone(),
                found,
                known: VERSION,
            });
        }
        let rows = sqlx::query("SELECT name, sql FROM sqlite_schema ORDER BY rowid")
            .fetch_all(&mut self.connection)
            .await
            .map_err(|error| failed(&self.path, "read", &error))?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            let name: String = self.column(row, 0)?;
            let text: Option<String> = self.column(row, 1)?;
            found.push((name, text.unwrap_or_default()));
        }
        let is_ours = found.len() == SCHEMA.len()
            && SCHEMA
                .iter()
                .all(|ours| found.iter().any(|one| (&*one.0, &*one.1) == *ours));
        if is_ours {
            Ok(())
        } else {
            Err(TrailError::damaged(
                &self.path,
                "its tables or triggers are not those that were made",
            ))
        }
    }

    async fn number(&mut self, query: &'static str) -> Result<i64, TrailError> {
        let row = sqlx::query(query).fetch_one(&mut self.connection).await;
        let row = row.map_err(|error| failed(&self.path, "read", &error))?;
        self.column(&row, 0)
    }

    fn column<'r, T>(&self, row: &'r SqliteRow, at: usize) -> Result<T, TrailError>
    where
        T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
    {
        let value = row.try_get(at);
        value.map_err(|error| TrailError::damaged(&self.path, error.to_string()))
    }

    /// Writes records in one transaction: when it is over without an error they are on the disk.
    pub(super) async fn append(&mut self, bodies: &[Body]) -> Result<(), TrailError> {
        let connection = &mut self.connection;
        let written = async {
            sqlx::query("BEGIN IMMEDIATE")
                .execute(&mut *connection)
                .await?;
            for body in bodies {
                insert(connection, body).await?;
            }
            sqlx::query("COMMIT").execute(&mut *connection).await
        };
        match written.await {
            Ok(_done) => Ok(()),
            Err(error) => Err(failed(&self.path, "written", &error)),
        }
    }

    /// The last record.
    pub(super) async fn head(&mut self) -> Result<Head, TrailError> {
        let query = "SELECT seq, hash FROM record ORDER BY seq DESC LIMIT 1";
        let row = sqlx::query(query)
            .fetch_optional(&mut self.connection)
            .await
            .map_err(|error| failed(&self.path, "read", &error))?;
        let Some(row) = row else {
            return Ok(Head::NEW);
        };
        let (seq, hash): (i64, Vec<u8>) = (self.column(&row, 0)?, self.column(&row, 1)?);
        match (u64::try_from(seq), <[u8; 32]>::try_from(hash.as_slice())) {
            (Ok(seq), Ok(hash)) => Ok(Head {
                seq,
                hash: HexBytes(hash),
            }),
            _ => Err(TrailError::damaged(
                &self.path,
                "its last record is malformed",
            )),
        }
    }

    /// The smallest number of a record.
    pub(super) async fn first_seq(&mut self) -> Result<Option<i64>, TrailError> {
        let row = sqlx::query("SELECT min(seq) FROM record")
            .fetch_one(&mut self.connection)
            .await
            .map_err(|error| failed(&self.path, "read", &error))?;
        self.column(&row, 0)
    }

    /// The number of the last record of a kind; 0 where there is none.
    pub(super) async fn last_of(&mut self, kind: TrailKind) -> Result<u64, TrailError> {
        let query = "SELECT coalesce(max(seq), 0) FROM record WHERE kind = ? AND kind IN (1, 7)";
        let row = sqlx::query(query)
            .bind(i64::from(kind.code()))
            .fetch_one(&mut self.connection)
            .await
            .map_err(|error| failed(&self.path, "read", &error))?;
        let seq: i64 = self.column(&row, 0)?;
        Ok(u64::try_from(seq).unwrap_or_default())
    }

    /// The records after one, in order, at most so many.
    pub(super) async fn after(&mut self, seq: u64, limit: u32) -> Result<Vec<Row>, TrailError> {
        let query = "SELECT seq, hash, body, kind, time, intent, request, user, tenant, method, route, verdict FROM record WHERE seq > ? ORDER BY seq LIMIT ?";
        let rows = sqlx::query(query)
            .bind(i64::try_from(seq).unwrap_or(i64::MAX))
            .bind(limit)
            .fetch_all(&mut self.connection)
            .await
            .map_err(|error| failed(&self.path, "read", &error))?;
        rows.iter().map(|row| self.row(row)).collect()
    }

    /// Intents after a record that have no outcome, in order, at most so many.
    pub(super) async fn open_intents(
        &mut self,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Body>, TrailError> {
        let query = "SELECT body FROM record AS i WHERE i.seq > ? AND i.kind = 2 AND NOT EXISTS (SELECT 1 FROM record AS o WHERE o.intent = i.seq) ORDER BY i.seq LIMIT ?";
        let rows = sqlx::query(query)
            .bind(i64::try_from(after).unwrap_or(i64::MAX))
            .bind(limit)
            .fetch_all(&mut self.connection)
            .await
            .map_err(|error| failed(&self.path, "read", &error))?;
        let bodies = rows.iter().map(|row| {
            let bytes: Vec<u8> = self.column(row, 0)?;
            let body = Body::parse(&bytes);
            body.map_err(|fault| TrailError::damaged(&self.path, fault.to_string()))
        });
        bodies.collect()
    }

    pub(super) fn row(&self, row: &SqliteRow) -> Result<Row, TrailError> {
        Ok(Row {
            seq: self.column(row, 0)?,
            hash: self.column(row, 1)?,
            body: self.column(row, 2)?,
            columns: Columns {
                kind: self.column(row, 3)?,
                time: self.column(row, 4)?,
                intent: self.column(row, 5)?,
                request: self.column(row, 6)?,
                user: self.column(row, 7)?,
                tenant: self.column(row, 8)?,
                method: self.column(row, 9)?,
                route: self.column(row, 10)?,
                verdict: self.column(row, 11)?,
            },
        })
    }

    pub(super) const fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

async fn insert(connection: &mut SqliteConnection, body: &Body) -> Result<(), sqlx::Error> {
    let bytes = body.to_bytes();
    let columns = Columns::of(body);
    let query = "INSERT INTO record (seq, hash, kind, time, intent, request, user, tenant, method, route, verdict, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let done = sqlx::query(query)
        .bind(i64::try_from(body.seq).unwrap_or(i64::MAX))
        .bind(hash_of(&bytes).0.to_vec())
        .bind(columns.kind)
        .bind(columns.time)
        .bind(columns.intent)
        .bind(columns.request)
        .bind(columns.user)
        .bind(columns.tenant)
        .bind(columns.method)
        .bind(columns.route)
        .bind(columns.verdict)
        .bind(bytes)
        .execute(connection)
        .await?;
    // A row that was not taken would be missing from the chain.
    if done.rows_affected() == 1 {
        Ok(())
    } else {
        Err(sqlx::Error::RowNotFound)
    }
}

/// What holds for every connection. A file may be a stranger's: its schema is not trusted, and its cells are checked.
fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY)
        .pragma("trusted_schema", "OFF")
        .pragma("cell_size_check", "ON")
        // Where the system has a stronger way to the disk than fsync, it is taken.
        .pragma("fullfsync", "ON")
        .disable_statement_logging()
}

/// What an error of SQLite means to whoever runs the guard (https://www.sqlite.org/rescode.html).
pub(super) fn failed(path: &Path, doing: &'static str, error: &sqlx::Error) -> TrailError {
    let code = match error {
        sqlx::Error::Database(error) => error.code(),
        _ => None,
    };
    // The low byte of an extended code is the code.
    let code = code.and_then(|code| code.parse::<u32>().ok());
    match code.map(|code| code & 0xff) {
        Some(13) => TrailError::Full(path.to_owned()),
        Some(5 | 6) => TrailError::InUse(path.to_owned()),
        Some(11) => TrailError::damaged(path, "the database is corrupt"),
        Some(26) => TrailError::damaged(path, "it is no database"),
        _ => TrailError::Database {
            path: path.to_owned(),
            doing,
            why: match error {
                sqlx::Error::Database(error) => error.message().to_owned(),
                other => other.to_string(),
            },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_in_the_header_is_the_one_that_is_written() {
        assert_eq!(APPLICATION_ID, 1_347_711_596);
    }
}
