//! The records that wait for the logger, and the thread that hands them to it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use ::http::Version;
use async_channel::{Receiver, Sender};
use log::LevelFilter;

use super::access_log::{AccessLog, Wanted};
use super::record::{Access, Described};
use crate::executor::panic::catch;
use crate::net::endpoint::Endpoint;
use crate::stop::cause::Cause;
use crate::stop::source::StopSource;
use crate::stop::token::StopToken;

/// How long the thread lets records gather before it looks again. While it does, a record wakes nobody: a wake-up for
/// each is a system call.
const BATCH: Duration = Duration::from_millis(20);

/// After how many records the thread looks whether others were lost.
const LOOK: usize = 1024;

/// How long the end of the thread is waited for where nothing can be awaited.
const PATIENCE: Duration = Duration::from_millis(500);

/// The records that wait for the logger.
///
/// Its drop closes the queue, and waits for the thread for a bounded time.
#[derive(Debug)]
pub(in crate::http) struct AccessQueue {
    records: Sender<Box<Access>>,
    lost: Arc<AtomicU64>,
    with_query: bool,
    thread: Thread,
    /// Stopped when all is written.
    written: StopToken,
}

impl AccessQueue {
    /// Starts the thread, which says that the records are of the service of this name.
    ///
    /// # Errors
    ///
    /// The system has no more threads.
    pub(in crate::http) fn start(log: AccessLog, service: &str) -> io::Result<Self> {
        let (sender, records) = async_channel::bounded(log.capacity);
        let (lost, ended) = (Arc::new(AtomicU64::new(0)), StopSource::new());
        let (writer, written) = (
            Writer {
                records,
                lost: Arc::clone(&lost),
                wanted: log.wanted,
                service: service.to_owned(),
            },
            ended.token(),
        );
        let builder = thread::Builder::new().name("neap-access-log".into());
        let spawned = builder.spawn(move || {
            // The user's closure may panic as it is dropped.
            let _ = catch(move || writer.write_all());
            ended.stop(Cause::Ended);
        });
        let thread = match spawned {
            Ok(handle) => handle.thread().clone(),
            Err(error) => {
                let text = format!("cannot start the thread of the access log: {error}");
                return Err(io::Error::new(error.kind(), text));
            }
        };
        Ok(Self {
            records: sender,
            lost,
            with_query: log.with_query,
            thread,
            written,
        })
    }

    /// Begins the record of a request whose head has come now, or of a head that is refused. `None` if no logger
    /// wants it.
    pub(in crate::http) fn begin(
        &self,
        peer: &Endpoint,
        now: Instant,
        request: Option<(Described<'_>, Version)>,
    ) -> Option<Box<Access>> {
        // The logger itself is the user's, and may block already as it is asked.
        if log::max_level() < LevelFilter::Info {
            return None;
        }
        let mut access = Box::new(Access::new(peer.clone(), now));
        if let Some((request, version)) = request {
            access.describe(request, version, self.with_query);
        }
        Some(access)
    }

    /// Puts a record into the queue. If that is full, it is lost, and counted.
    pub(in crate::http) fn push(&self, access: Box<Access>) {
        if self.records.try_send(access).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Closes the queue, and waits until all of it is written.
    pub(in crate::http) async fn close(&self) {
        self.end();
        self.written.stopped().await;
    }

    /// Closes the queue, and blocks until all of it is written, which no test takes so long for.
    pub(in crate::http) fn close_blocking(&self) {
        self.end();
        self.written.wait_blocking_timeout(20 * PATIENCE);
    }

    /// Returns how many records wait once the queue is closed; `None` before.
    pub(in crate::http) fn left_at_the_end(&self) -> Option<usize> {
        let is_over = self.records.is_closed() && !self.written.is_stopped();
        is_over.then(|| self.records.len())
    }

    fn end(&self) {
        self.records.close();
        self.thread.unpark();
    }
}

impl Drop for AccessQueue {
    fn drop(&mut self) {
        self.end();
        self.written.wait_blocking_timeout(PATIENCE);
    }
}

/// Hands the records to the logger, in a thread of its own.
struct Writer {
    records: Receiver<Box<Access>>,
    lost: Arc<AtomicU64>,
    wanted: Wanted,
    service: String,
}

impl Writer {
    /// Writes all records there ever are.
    fn write_all(self) {
        // In this wait, a record wakes the thread.
        while let Ok(first) = self.records.recv_blocking() {
            let mut next = Some(first);
            while let Some(access) = next {
                self.write_batch(access);
                if !self.records.is_closed() {
                    thread::park_timeout(BATCH);
                }
                next = self.records.try_recv().ok();
            }
        }
        self.say_lost();
    }

    /// Writes a record and those that are there behind it.
    fn write_batch(&self, first: Box<Access>) {
        let mut next = Some(first);
        for count in 1.. {
            let Some(access) = next else { break };
            // Both the filter and the logger are the user's.
            let _ = catch(|| {
                if (self.wanted)(&access) {
                    self.write(&access);
                }
            });
            if count % LOOK == 0 {
                self.say_lost();
            }
            next = self.records.try_recv().ok();
        }
        self.say_lost();
    }

    fn write(&self, access: &Access) {
        let method = access.method.as_ref().map(::http::Method::as_str);
        let version = access.version.map(|version| format!("{version:?}"));
        log::info!(
            target: "neap::access",
            event = "request",
            service = &*self.service,
            method,
            path = method.map(|_| &*access.path),
            version = version.as_deref(),
            status = access.status.map(|status| status.as_u16()),
            bytes = access.bytes,
            duration_us = u64::try_from(access.duration.as_micros()).unwrap_or(u64::MAX),
            peer:% = access.peer,
            request_id = access.request_id.as_deref(),
            cut = access.is_cut;
            "{access}"
        );
    }

    /// Says how many records were lost since it was last said.
    fn say_lost(&self) {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let name = &*self.service;
            let _ = catch(|| {
                log::warn!(target: "neap", event = "access log full", service = name, lost; "`{name}` has lost {lost} records of its access log, as the logger is too slow");
            });
        }
    }
}
