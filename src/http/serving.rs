//! Running a server: it accepts, is a lame duck for a time, drains, and cancels what is left.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_lite::future;

use super::access::AccessQueue;
use super::app::App;
use super::connection::{self, Connection, HandlerPanicked};
use super::context::ServerContext;
use super::settings::Settings;
use crate::group::scope::Scope;
use crate::net::accept_loop::accept_until;
use crate::net::accept_rest::accept_rest;
use crate::net::connections::{Connections, Counted, in_words, waited_for};
use crate::net::listeners::Listeners;
use crate::net::stream::Stream;
use crate::stop::cause::Cause;
use crate::time::time_source::deadline_from;

/// Serves until the service is told to stop, and drains.
///
/// # Errors
///
/// A listener has broken, or connections had to be cut at the server's own deadline.
pub(super) async fn run<'a, A: App + 'a>(
    app: A,
    mut listeners: Listeners,
    context: Arc<ServerContext>,
    scope: Scope<'a>,
) -> io::Result<()> {
    let (app, settings) = (Arc::new(app), &context.settings);
    let count = Connections::new(
        settings.max_connections,
        &context.name,
        context.time.clone(),
    )?;
    report_progress(&scope, &context, &count);
    let _leaving = Leaving(&context);
    let make = |stream: Stream, counted: Counted| Connection::new(context.clone(), stream, counted);
    let begin = |connection: Box<Connection<A::Door>>| {
        scope.spawn(serve_until_cancelled(connection, app.clone()));
    };
    let connect = |stream, counted| begin(make(stream, counted));

    let is_told = tell_if_short(settings, &scope, scope.member().drain_timeout());
    let cause = accept_until(&mut listeners, &count, scope.stopped(), connect).await?;
    if !is_told {
        tell_if_short(settings, &scope, scope.remaining());
    }
    let lame_duck = settings.lame_duck;
    if lame_duck > Duration::ZERO {
        let name = scope.name();
        log::info!(target: "neap", event = "lame duck", service = name; "`{name}` goes on for {lame_duck:?} before it drains");
        let over = context.lifecycle.lame_duck(lame_duck);
        accept_until(&mut listeners, &count, over, connect).await?;
    }

    let deadline = begin_drain(&context, cause, scope.deadline());
    let (sharing, grace) = (settings.listener_shared, settings.handshake_grace);
    let closed = accept_rest(listeners, sharing, grace, &count, make, begin);
    drain(&context, &count, deadline, closed).await
}

/// Logs that a lame duck, or a drain that is spread, leaves no time for the rest of the drain. Returns true if that
/// is so.
fn tell_if_short(settings: &Settings, scope: &Scope<'_>, limit: Option<Duration>) -> bool {
    let Settings {
        lame_duck, spread, ..
    } = *settings;
    let own = settings
        .drain_timeout
        .map(|timeout| lame_duck.saturating_add(timeout));
    let Some(limit) = own.into_iter().chain(limit).min() else {
        return false;
    };
    let taken = lame_duck.saturating_add(spread);
    let is_short = !taken.is_zero() && taken >= limit;
    if is_short {
        let name = scope.name();
        log::warn!(target: "neap", event = "drain too short", service = name; "`{name}` has {limit:?} from the stop on: a lame duck of {lame_duck:?} and a drain that is spread over {spread:?} leave no time for what has begun, and it is cut");
    }
    is_short
}

/// Tells idle connections and handlers that the server drains. Returns the deadline: the group's, or the
/// server's own.
fn begin_drain(
    context: &ServerContext,
    cause: Cause,
    deadline: Option<Instant>,
) -> Option<Instant> {
    let now = context.time.now();
    let own = context.settings.drain_timeout;
    let own = own.map(|timeout| deadline_from(now, timeout));
    let deadline = own.into_iter().chain(deadline).min();
    context.registry.begin_drain(now);
    context.lifecycle.drain(cause, deadline);
    deadline
}

/// A server that runs. If it is dropped before its drain, as a restart does, or ends with an error, there is no
/// one to see to its connections: what is idle closes, and what has begun goes on until the service is cancelled.
struct Leaving<'a>(&'a ServerContext);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        let Self(context) = self;
        if !context.lifecycle.is_draining() {
            context.registry.begin_drain(context.time.now());
            context.lifecycle.leave();
        }
    }
}

/// Serves a connection until its end, or until the server itself cancels, which drops it.
async fn serve_until_cancelled<A: App>(
    connection: Box<Connection<A::Door>>,
    app: Arc<A>,
) -> Result<(), HandlerPanicked> {
    let cancelling = connection.cancelling();
    let cancelled = async move {
        cancelling.stopped().await;
        Ok(())
    };
    future::or(cancelled, connection::serve(connection, app)).await
}

/// Closes the listeners, waits for the end of the last connection, and cancels those that are left
/// at the deadline.
///
/// # Errors
///
/// Connections had to be cut.
async fn drain(
    context: &ServerContext,
    count: &Connections,
    deadline: Option<Instant>,
    closed: impl Future<Output = ()>,
) -> io::Result<()> {
    // Boxed, to be dropped before the connections are waited for: it has those without a turn.
    let mut ended = Box::pin(async {
        let spread = context.lifecycle.spread(context.settings.spread);
        future::or(spread, async {
            closed.await;
            count.empty().await;
        })
        .await;
        true
    });
    let late = async {
        match deadline {
            Some(deadline) => context.time.alarm(deadline).await,
            None => future::pending().await,
        };
        false
    };
    if future::or(&mut ended, late).await {
        return Ok(());
    }
    let left = context.registry.tally();
    context.lifecycle.cancel();
    drop(ended);
    let timeout = context.time.sleep(context.settings.cancel_timeout);
    future::or(count.empty(), timeout).await;
    match left.total() {
        // Handshakes that have not ended are nobody's requests.
        0 => Ok(()),
        total => {
            let text = format!("{} cut at the end of the drain: {left}", in_words(total));
            Err(io::Error::new(io::ErrorKind::TimedOut, text))
        }
    }
}

/// Has the group say, while it drains, which connections the server waits for.
///
/// The connections own the context: its drop tells that the last of them has ended.
fn report_progress(scope: &Scope<'_>, context: &Arc<ServerContext>, count: &Connections) {
    let (context, count) = (Arc::downgrade(context), count.clone());
    scope.waits_for(move || {
        let words = waited_for(count.count());
        let Some(context) = context.upgrade() else {
            return words;
        };
        let access = context.access.as_ref();
        match access.and_then(AccessQueue::left_at_the_end) {
            _ if !words.is_empty() => format!("{words}: {}", context.registry.tally()),
            Some(left) => format!("its access log to be written ({left} records)"),
            None => words,
        }
    });
}
