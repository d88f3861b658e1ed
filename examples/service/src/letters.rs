//! The letters in the database: a queue that outlives the process.
//!
//! A letter is claimed for a time, its *lease*, and is due again after that unless it was settled. So what a crash or
//! a cancel interrupts is tried again, by whichever process is there then: at least once, and not exactly once.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_channel::{Receiver, Sender};
use neap::Provided;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;

use crate::metrics::Metrics;
use crate::pool::Pool;

/// The letters. Clones are of the same.
#[derive(Clone)]
pub struct Letters {
    pool: Provided<Pool>,
    metrics: Metrics,
    /// Rings when there is a new letter.
    bell: Sender<()>,
}

/// A letter that was claimed.
#[derive(Debug)]
pub struct Letter {
    pub id: i64,
    pub recipient: String,
    pub text: String,
    /// How often it was claimed, this time included.
    pub attempts: u32,
}

/// How it is with a letter.
#[derive(Debug, Serialize)]
pub struct Progress {
    pub id: i64,
    /// `waiting`, `delivered` or `returned`.
    pub state: &'static str,
    pub attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// How an attempt went.
#[derive(Debug)]
pub enum Verdict {
    Delivered,
    /// To be tried again after this time.
    Failed(String, Duration),
    /// Not to be tried again.
    Returned(String),
}

impl Letters {
    /// Makes them, and what rings when there is a new one.
    pub fn new(pool: Provided<Pool>, metrics: Metrics) -> (Letters, Receiver<()>) {
        let (bell, ringing) = async_channel::bounded(1);
        let letters = Letters {
            pool,
            metrics,
            bell,
        };
        (letters, ringing)
    }

    /// Adds a letter. Once this returns, it is on the disk.
    pub async fn add(&self, recipient: String, text: String) -> anyhow::Result<i64> {
        let insert = move |connection: &mut Connection| {
            let sql = "INSERT INTO letters (recipient, text, due) VALUES (?, ?, ?)";
            let mut statement = connection.prepare_cached(sql)?;
            statement.insert(params![recipient, text, now()])
        };
        let id = self.pool().await.write(insert).await?;
        self.metrics.count("accepted");
        // If there is no room, it rings already.
        let _ = self.bell.try_send(());
        Ok(id)
    }

    /// Says how it is with a letter; `None` if there is none of this number.
    pub async fn progress(&self, id: i64) -> anyhow::Result<Option<Progress>> {
        let select = move |connection: &mut Connection| {
            let sql = "SELECT id, ended, attempts, error FROM letters WHERE id = ?";
            let mut statement = connection.prepare_cached(sql)?;
            statement.query_row([id], progress).optional()
        };
        self.pool().await.read(select).await
    }

    /// Claims the letter that is due for the longest time; `None` if none is.
    pub async fn claim(&self, lease: Duration) -> anyhow::Result<Option<Letter>> {
        let claim = move |connection: &mut Connection| {
            let sql = "UPDATE letters SET attempts = attempts + 1, due = ?2
                WHERE id = (SELECT id FROM letters
                    WHERE ended IS NULL AND due <= ?1 ORDER BY due LIMIT 1)
                RETURNING id, recipient, text, attempts";
            let mut statement = connection.prepare_cached(sql)?;
            let times = [now(), now() + millis(lease)];
            statement.query_row(times, letter).optional()
        };
        self.pool().await.write(claim).await
    }

    /// Returns how long it is until the next one is due; `None` if none waits.
    pub async fn next_due(&self) -> anyhow::Result<Option<Duration>> {
        let select = |connection: &mut Connection| {
            let sql = "SELECT min(due) FROM letters WHERE ended IS NULL";
            let mut statement = connection.prepare_cached(sql)?;
            statement.query_row([], |row| row.get(0))
        };
        let due: Option<i64> = self.pool().await.read(select).await?;
        Ok(due.map(|due| Duration::from_millis((due - now()).max(0).unsigned_abs())))
    }

    /// Notes how an attempt went.
    pub async fn settle(&self, id: i64, verdict: Verdict) -> anyhow::Result<()> {
        let (event, due, ended, error) = match verdict {
            Verdict::Delivered => ("delivered", 0, Some(now()), None),
            Verdict::Failed(error, after) => ("failed", now() + millis(after), None, Some(error)),
            Verdict::Returned(error) => ("returned", 0, Some(now()), Some(error)),
        };
        let update = move |connection: &mut Connection| {
            let sql = "UPDATE letters SET due = ?2, ended = ?3, error = ?4 WHERE id = ?1";
            let mut statement = connection.prepare_cached(sql)?;
            statement.execute(params![id, due, ended, error])
        };
        self.pool().await.write(update).await?;
        self.metrics.count(event);
        Ok(())
    }

    /// Removes those that have ended longer ago than this, and returns how many they were.
    pub async fn remove_older(&self, than: Duration) -> anyhow::Result<usize> {
        let delete = move |connection: &mut Connection| {
            let sql = "DELETE FROM letters WHERE ended < ?";
            let mut statement = connection.prepare_cached(sql)?;
            statement.execute([now() - millis(than)])
        };
        self.pool().await.write(delete).await
    }

    /// Returns the pool. Ask for it each time: a database that is opened anew has another one.
    async fn pool(&self) -> Pool {
        self.pool.wait().await
    }
}

fn letter(row: &Row<'_>) -> rusqlite::Result<Letter> {
    Ok(Letter {
        id: row.get(0)?,
        recipient: row.get(1)?,
        text: row.get(2)?,
        attempts: row.get(3)?,
    })
}

fn progress(row: &Row<'_>) -> rusqlite::Result<Progress> {
    let (ended, error): (Option<i64>, Option<String>) = (row.get(1)?, row.get(3)?);
    let state = match (ended, &error) {
        (None, _) => "waiting",
        (Some(_), None) => "delivered",
        (Some(_), Some(_)) => "returned",
    };
    Ok(Progress {
        id: row.get(0)?,
        state,
        attempts: row.get(2)?,
        error,
    })
}

/// Returns the time, in milliseconds since 1970. A monotonic clock would not outlive the process.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, millis)
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX / 2)
}
