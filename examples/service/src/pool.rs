//! A pool of connections to the database. SQLite blocks, so each call runs on a thread of its own.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use async_channel::{Receiver, Sender};
use rusqlite::Connection;
use smol::lock::Mutex;

/// A pool of connections. Clones are of the same one.
#[derive(Clone)]
pub struct Pool {
    /// The connections that nobody uses.
    idle: Receiver<Connection>,
    /// Where they go after use.
    back: Sender<Connection>,
    /// Whose turn it is to write: SQLite has one writer, and lets others wait in no order.
    writing: Arc<Mutex<()>>,
}

impl Pool {
    /// Opens this number of connections.
    pub async fn open(path: &Path, connections: usize) -> anyhow::Result<Pool> {
        let (back, idle) = async_channel::bounded(connections);
        let writing = Arc::default();
        let pool = Pool {
            idle,
            back,
            writing,
        };
        for _ in 0..connections {
            let file = path.to_owned();
            let opened = smol::unblock(move || connect(&file)).await;
            let connection = opened.with_context(|| format!("`{}`", path.display()))?;
            // There is room for each.
            let _ = pool.back.try_send(connection);
        }
        Ok(pool)
    }

    /// Calls a function that only reads with a connection, once one is free.
    ///
    /// # Cancel safety
    ///
    /// A function that has begun runs to its end, also if this future is dropped.
    pub async fn read<T, F>(&self, work: F) -> anyhow::Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let connection = self.idle.recv().await.context("the pool is closed")?;
        let mut borrowed = Borrowed {
            connection: Some(connection),
            back: self.back.clone(),
        };
        let result = smol::unblock(move || borrowed.connection.as_mut().map(work)).await;
        Ok(result.context("no connection")??)
    }

    /// Does the same for a function that writes, one after the other.
    pub async fn write<T, F>(&self, work: F) -> anyhow::Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let _turn = self.writing.lock().await;
        self.read(work).await
    }

    /// Waits until all connections have come back, and closes them.
    ///
    /// One after the other: the last one writes the log into the database and removes it, for which it has to be
    /// alone.
    pub async fn close(self) -> anyhow::Result<()> {
        for _ in 0..self.idle.capacity().unwrap_or(0) {
            let connection = self.idle.recv().await?;
            let close = move || connection.close().map_err(|(_, error)| error);
            smol::unblock(close).await?;
        }
        self.idle.close();
        Ok(())
    }
}

/// Opens a connection.
fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    // Another process may write at the same time: the one before this, while it stops.
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    Ok(connection)
}

/// A connection that goes back to the pool after use, also when its user panics or is dropped.
struct Borrowed {
    /// `None` only while it is being dropped.
    connection: Option<Connection>,
    back: Sender<Connection>,
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            // There is room for each. A pool that is closed has none in use.
            let _ = self.back.try_send(connection);
        }
    }
}
