//! What a server shares with its connections.

use std::io;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};

use super::access::{AccessLog, AccessQueue};
use super::counters::Counters;
use super::drain::{Registry, Report, ServerLifecycle, Tally};
use super::settings::Settings;
use super::socket::Yields;
use crate::group::scope::Scope;
use crate::net::seldom::Seldom;
#[cfg(feature = "tls")]
use crate::net::tls::TlsAcceptor;
use crate::time::time_source::TimeSource;

/// What is called when the drain is over.
pub(super) type OnDrained = Box<dyn FnOnce(Report) + Send>;

/// Who is told of a server.
#[derive(Default)]
pub(super) struct Observers {
    pub(super) on_drained: Option<OnDrained>,
    pub(super) counters: Option<Counters>,
    pub(super) access_log: Option<AccessLog>,
}

/// What a server shares with its connections.
///
/// It is dropped with the last of them, whether they ended or were cancelled. That is when the report
/// on the drain is made.
pub(super) struct ServerContext {
    /// The name of the service.
    pub(super) name: Arc<str>,
    pub(super) settings: Settings,
    /// The clock of the group.
    pub(super) time: TimeSource,
    /// Shared with the handlers, by way of each request's extensions.
    pub(super) lifecycle: Arc<ServerLifecycle>,
    pub(super) registry: Registry,
    pub(super) yields: Arc<Yields>,
    pub(super) counters: Option<Counters>,
    pub(super) access: Option<AccessQueue>,
    /// How many requests are in flight, if that has a limit.
    pub(super) in_flight: AtomicUsize,
    /// The record that there are as many as there may be.
    pub(super) full: Seldom,
    /// What makes the TLS sessions; `None` if there are none.
    #[cfg(feature = "tls")]
    pub(super) tls: Option<TlsAcceptor>,
    on_drained: Mutex<Option<OnDrained>>,
}

impl ServerContext {
    /// Makes the context of a service that is about to serve.
    ///
    /// # Errors
    ///
    /// There is no thread left for the access log.
    pub(super) fn new(
        scope: &Scope<'_>,
        settings: Settings,
        observers: Observers,
    ) -> io::Result<Self> {
        let Observers {
            on_drained,
            counters,
            access_log,
        } = observers;
        let (name, time) = (Arc::<str>::from(scope.name()), scope.time_source());
        let lifecycle = ServerLifecycle::new(
            Arc::clone(&name),
            scope.token(),
            scope.groups(),
            time.clone(),
            !settings.spread.is_zero(),
            settings.lame_duck_quiet,
        );
        let registry = Registry::default();
        if let Some(counters) = &counters {
            counters.add(registry.sockets());
        }
        let access = access_log.map(|log| AccessQueue::start(log, &name));
        Ok(Self {
            counters,
            access: access.transpose()?,
            name,
            lifecycle: Arc::new(lifecycle),
            time,
            settings,
            registry,
            yields: Arc::default(),
            in_flight: AtomicUsize::new(0),
            full: Seldom::default(),
            #[cfg(feature = "tls")]
            tls: None,
            on_drained: Mutex::new(on_drained),
        })
    }

    /// Says in the log how many requests were turned away since that was said last.
    pub(super) fn say_turned_away(&self, refused: usize) {
        let (name, limit) = (&*self.name, self.settings.max_in_flight);
        log::warn!(target: "neap", event = "requests turned away", service = name, limit, refused; "`{name}` has {limit} in flight, the most requests there may be: {refused} turned away with 503 since the last such record");
    }

    /// Waits until the access log is written, once no connection is left. If some are left, as they block their
    /// threads, the drop waits for it.
    pub(super) async fn write_access_log(&self) {
        if let Some(access) = &self.access {
            match self.registry.tally() == Tally::default() {
                // A clock that is moved by hand does not know of the thread: it would move on to the deadline.
                true if self.time.is_by_hand() => access.close_blocking(),
                true => access.close().await,
                false => {}
            }
        }
    }
}

impl Drop for ServerContext {
    fn drop(&mut self) {
        self.lifecycle.end();
        let Some(report) = self.registry.report(self.time.now()) else {
            return;
        };
        self.full.end(|refused| self.say_turned_away(refused));
        let name = &*self.name;
        if report.is_clean() {
            log::info!(target: "neap", event = "connections drained", service = name; "`{name}` {report}");
        } else {
            log::warn!(target: "neap", event = "connections cut", service = name; "`{name}` {report}");
        }
        let on_drained = self.on_drained.get_mut();
        if let Some(call) = on_drained.unwrap_or_else(PoisonError::into_inner).take() {
            call(report);
        }
    }
}
