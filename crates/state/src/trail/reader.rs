//! `TrailReader`: reads a trail, also while a guard writes it, page by page.

use std::path::Path;

use portcullis_policy::Method;
use portcullis_policy::event::{EventVerdict, LineHash};
use sqlx::{QueryBuilder, Sqlite};
use tokio::runtime::{Builder, Runtime};

use super::body::{Body, hash_of};
use super::database::{Database, Row, failed};
use super::error::TrailError;
use super::kind::TrailKind;

const COLUMNS: &str = "SELECT seq, hash, body, kind, time, intent, request, user, tenant, method, route, verdict FROM record WHERE seq > ";

/// Which records are wanted: those for which all that is said holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrailFilter {
    /// From this moment on, in milliseconds since 1970.
    pub since: Option<u64>,
    /// Before this moment.
    pub until: Option<u64>,
    /// Of this user or tenant, as it stands in the trail: one of these spellings.
    pub actor: Vec<String>,
    /// Of this method.
    pub method: Option<Method>,
    /// Of this template of a route.
    pub route: Option<String>,
    /// Of this request.
    pub request: Option<String>,
    /// With this verdict.
    pub verdict: Option<EventVerdict>,
    /// Of this kind.
    pub kind: Option<TrailKind>,
}

/// Reads a trail.
#[derive(Debug)]
pub struct TrailReader {
    runtime: Runtime,
    database: Database,
}

impl TrailReader {
    /// Opens the database of a trail to read it.
    ///
    /// # Errors
    ///
    /// When there is none, or it is no trail that this version knows.
    pub fn open(path: &Path) -> Result<Self, TrailError> {
        if !path.is_file() {
            return Err(TrailError::Missing(path.to_owned()));
        }
        let runtime = Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(TrailError::NoThread)?;
        let database = runtime.block_on(Database::read(path))?;
        Ok(Self { runtime, database })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.database.path()
    }

    /// The number of the last record; 0 where there is none.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn last_seq(&mut self) -> Result<u64, TrailError> {
        let head = self.runtime.block_on(self.database.head())?;
        Ok(head.seq)
    }

    /// The smallest number of a record, which is 1 where nobody touched the trail.
    pub(super) fn first_seq(&mut self) -> Result<Option<i64>, TrailError> {
        self.runtime.block_on(self.database.first_seq())
    }

    /// How many intents have no outcome, counted up to 10,000.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn open_intents(&mut self) -> Result<u64, TrailError> {
        let open = self
            .runtime
            .block_on(self.database.open_intents(0, 10_000))?;
        Ok(u64::try_from(open.len()).unwrap_or(u64::MAX))
    }

    /// The records after one that pass a filter, in order, at most so many. Each comes with its hash.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or a record is not what its hash says: then `verify` says more.
    pub fn after(
        &mut self,
        seq: u64,
        filter: &TrailFilter,
        limit: u32,
    ) -> Result<Vec<(Body, LineHash)>, TrailError> {
        let rows = self.filtered(seq, filter, limit, " ORDER BY seq LIMIT ")?;
        self.read(&rows)
    }

    /// The last so many records that pass a filter, in order.
    ///
    /// # Errors
    ///
    /// As [`TrailReader::after`].
    pub fn newest(
        &mut self,
        filter: &TrailFilter,
        limit: u32,
    ) -> Result<Vec<(Body, LineHash)>, TrailError> {
        let mut rows = self.filtered(0, filter, limit, " ORDER BY seq DESC LIMIT ")?;
        rows.reverse();
        self.read(&rows)
    }

    pub(super) fn rows(&mut self, after: u64, limit: u32) -> Result<Vec<Row>, TrailError> {
        self.runtime.block_on(self.database.after(after, limit))
    }

    fn filtered(
        &mut self,
        after: u64,
        filter: &TrailFilter,
        limit: u32,
        order: &'static str,
    ) -> Result<Vec<Row>, TrailError> {
        let mut query = QueryBuilder::<Sqlite>::new(COLUMNS);
        query.push_bind(i64::try_from(after).unwrap_or(i64::MAX));
        narrow(&mut query, filter);
        query.push(order);
        query.push_bind(i64::from(limit));
        let connection = self.database.connection();
        let rows = self.runtime.block_on(query.build().fetch_all(connection));
        let rows = rows.map_err(|error| failed(self.database.path(), "read", &error))?;
        rows.iter().map(|row| self.database.row(row)).collect()
    }

    fn read(&self, rows: &[Row]) -> Result<Vec<(Body, LineHash)>, TrailError> {
        let read = rows.iter().map(|row| {
            let hash = hash_of(&row.body);
            match Body::parse(&row.body) {
                Ok(body) if row.hash == hash.0 => Ok((body, hash)),
                Ok(_) | Err(_) => Err(TrailError::damaged(
                    self.path(),
                    format!("record {} is not the one that was written", row.seq),
                )),
            }
        });
        read.collect()
    }
}

/// What is asked for is bound, never written into the query.
fn narrow(query: &mut QueryBuilder<Sqlite>, filter: &TrailFilter) {
    let moment = |millis: u64| i64::try_from(millis).unwrap_or(i64::MAX);
    if let Some(since) = filter.since {
        query.push(" AND time >= ").push_bind(moment(since));
    }
    if let Some(until) = filter.until {
        query.push(" AND time < ").push_bind(moment(until));
    }
    if !filter.actor.is_empty() {
        query.push(" AND (0");
        for actor in &filter.actor {
            query.push(" OR user = ").push_bind(actor.clone());
            query.push(" OR tenant = ").push_bind(actor.clone());
        }
        query.push(")");
    }
    if let Some(method) = filter.method {
        query.push(" AND method = ").push_bind(method.as_str());
    }
    if let Some(route) = &filter.route {
        query.push(" AND route = ").push_bind(route.clone());
    }
    if let Some(request) = &filter.request {
        query.push(" AND request = ").push_bind(request.clone());
    }
    if let Some(verdict) = filter.verdict {
        query.push(" AND verdict = ").push_bind(verdict.as_str());
    }
    if let Some(kind) = filter.kind {
        query.push(" AND kind = ").push_bind(i64::from(kind.code()));
    }
}
