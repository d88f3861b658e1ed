//! An echo server and its client as services that are not `Send`.

use std::cell::Cell;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::thread;

use neap::{Error, Group, LocalGroup, LocalScope, LocalTask, Outcome};

/// What is sent, and comes back.
pub const PING: [u8; 4] = *b"ping";

/// How many connections the client makes, one after the other.
const CONNECTIONS: u32 = 3;

/// The sockets of a runtime.
pub trait Sockets: 'static {
    type Listener: 'static;
    type Stream: 'static;

    /// Listens on a free port.
    async fn bind() -> io::Result<(Self::Listener, SocketAddr)>;

    async fn accept(listener: &Self::Listener) -> io::Result<Self::Stream>;

    async fn connect(address: SocketAddr) -> io::Result<Self::Stream>;

    /// Reads as many bytes as [`PING`] has.
    async fn read(stream: &mut Self::Stream) -> io::Result<Vec<u8>>;

    async fn write(stream: &mut Self::Stream, bytes: Vec<u8>) -> io::Result<()>;
}

/// Runs the echo server in each of the ways in which a local group can run.
///
/// # Panics
///
/// If one of them does not end well.
pub async fn run<S: Sockets, R: 'static>(spawn: fn(LocalTask<'static>) -> R) {
    check::<S, _>("in place", Group::local(), Group::run).await;
    check::<S, _>("local_on", Group::local_on(spawn), Group::run).await;
    check::<S, _>("run_on", Group::local(), |group| group.run_on(spawn)).await;
}

async fn check<S: Sockets, F: Future<Output = Result<Outcome, Error>>>(
    way: &str,
    mut group: LocalGroup<'static>,
    run: impl FnOnce(LocalGroup<'static>) -> F,
) {
    let (listener, address) = S::bind().await.expect("a listener");
    let served = Rc::new(Cell::new(0));
    let count = Rc::clone(&served);
    let server = group
        .add("server", async move |scope: LocalScope<'static>| {
            serve::<S>(scope, listener, count).await
        })
        .id();
    let handle = group.handle();
    let client = async move |_: LocalScope<'static>| {
        for _ in 0..CONNECTIONS {
            let mut stream = S::connect(address).await?;
            S::write(&mut stream, PING.to_vec()).await?;
            assert_eq!(S::read(&mut stream).await?, PING);
        }
        // A stop from another thread wakes this one.
        thread::spawn(move || handle.stop());
        io::Result::Ok(())
    };
    group.add("client", client).needs(server);
    let outcome = run(group).await.expect("a good end");
    assert_eq!(served.get(), CONNECTIONS);
    println!("  {way}: {outcome}");
}

/// Serves each connection in a child of its own, until the stop.
async fn serve<S: Sockets>(
    scope: LocalScope<'static>,
    listener: S::Listener,
    served: Rc<Cell<u32>>,
) -> io::Result<()> {
    while let Some(accepted) = scope.run_until_stopped(S::accept(&listener)).await {
        let (mut stream, served) = (accepted?, Rc::clone(&served));
        scope.spawn(async move {
            let bytes = S::read(&mut stream).await?;
            S::write(&mut stream, bytes).await?;
            served.set(served.get() + 1);
            io::Result::Ok(())
        });
    }
    Ok(())
}
