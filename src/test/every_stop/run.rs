//! One run of an exchange, with the stop at one moment.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::time::Duration;

use futures_lite::future;

use super::client::{Seen, converse};
use super::exchange::Exchange;
use super::moments::{Blow, Moment, Moments};
use super::site::Site;
use crate::group::Group;
use crate::group::handle::Handle;
use crate::http::door::{Door, Failure};
use crate::http::{App, Server};
use crate::members::event::Event;
use crate::net::memory::network::Network;
use crate::time::clock::Clock;
use crate::time::drive::GivenUp;

/// The port of the server.
const PORT: u16 = 80;

/// What has come of a run.
pub(super) struct Run {
    pub(super) moments: Moments,
    /// What the client has seen; `None` if its connect was refused.
    pub(super) seen: Option<Seen>,
    /// The error of the group, if it has one.
    pub(super) error: Option<String>,
    /// How long the server lets a connection be idle in a drain, at the least.
    pub(super) grace: Duration,
    /// How long the group went on after the stop, by the clock.
    pub(super) took: Duration,
    /// How many ends of connections were left open.
    pub(super) left_open: usize,
    /// Whether a client is refused at the end.
    pub(super) refuses: bool,
}

/// An app whose polls are moments of the run.
struct Watched<A> {
    app: A,
    moments: Moments,
}

impl<A> Watched<A> {
    fn new(app: A, moments: &Moments) -> Watched<A> {
        let moments = moments.clone();
        Watched { app, moments }
    }
}

impl<A: App> App for Watched<A> {
    type Door = A::Door;

    async fn respond(
        &self,
        request: <A::Door as Door>::Request,
    ) -> Result<<A::Door as Door>::Response, Failure> {
        let mut response = pin!(self.app.respond(request));
        let mut is_call = true;
        poll_fn(|cx| {
            self.moments.pass(Moment::Poll { is_call });
            is_call = false;
            response.as_mut().poll(cx)
        })
        .await
    }
}

/// Runs an exchange with a server, and the blow at a moment.
///
/// # Errors
///
/// It would take for ever.
pub(super) fn run<A: App + 'static>(
    exchange: &Exchange,
    make: &impl Fn(Site) -> Server<A>,
    at: Option<usize>,
    blow: Blow,
) -> Result<Run, (GivenUp, Moments)> {
    let clock = Clock::new();
    let network = Network::with_both(exchange.window, exchange.delay, &clock);
    let moments = Moments::new(at, blow, &clock);
    let mut group = observe(&network, &clock, &moments);
    let handle = group.handle();
    let server = make(site(&network, &clock, &handle));
    let grace = server.shortest_grace();
    let watch = |app| Watched::new(app, &moments);
    group.add("http", server.map_app(watch).into_service());
    let client = async {
        // As early as it can be: before the server has started.
        moments.begin(handle.clone());
        let stream = network.connect(PORT).await.ok()?;
        Some(converse(stream, exchange, &clock).await)
    };
    let group = async { (group.run().await, clock.now()) };
    let client = async { (client.await, handle.stop()).0 };
    let ran = clock.try_block_on(future::zip(group, client));
    let ((ended, now), seen) = ran.map_err(|why| (why, moments.clone()))?;
    Ok(Run {
        seen,
        grace,
        error: ended.err().map(|error| error.to_string()),
        took: moments
            .struck()
            .map_or(Duration::ZERO, |struck| now - struck),
        left_open: network.open_ends(),
        refuses: clock.block_on(network.connect(PORT)).is_err(),
        moments,
    })
}

fn site(network: &Network, clock: &Clock, handle: &Handle<'static>) -> Site {
    Site {
        address: network.listen(PORT),
        clock: clock.clone(),
        handle: handle.clone(),
    }
}

/// Makes the group of the server, whose moments are noted: each operation on the network, and when the
/// server is told to stop.
fn observe(network: &Network, clock: &Clock, moments: &Moments) -> Group<'static> {
    let observer = moments.clone();
    network.observe(move |side, operation| observer.pass(Moment::Network(side, operation)));
    let moments = moments.clone();
    Group::new().clock(clock).on_event(move |occurrence| {
        if matches!(occurrence.event(), Event::Stopped(_)) {
            moments.pass(Moment::Told);
        }
    })
}
