//! Services that panic in each of their parts, are never ready, or are left before that.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use neap::http::{Body, Server, service};
use tower::Service;

use crate::http_support::{eventually, run, run_on};
use crate::runtimes::{beside_all, limited};

/// What of a service panics.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mine {
    None,
    Clone,
    Ready,
    Call,
    Poll,
    /// The error, as it is made one that all services have.
    Error,
    /// The destructor of the future.
    Future,
    /// The destructor of the service.
    Service,
    /// The destructor of something that the response carries.
    Extension,
    /// Nothing: the service is never ready.
    Never,
}

const MINES: [Mine; 10] = {
    use Mine::*;
    [
        None, Clone, Ready, Call, Poll, Error, Future, Service, Extension, Never,
    ]
};

/// Counts what is alive of a service. Its destructor panics if it is mined.
#[derive(Debug)]
struct Part(Arc<AtomicUsize>, bool);

impl Part {
    fn new(alive: &Arc<AtomicUsize>, is_mined: bool) -> Part {
        alive.fetch_add(1, Ordering::SeqCst);
        Part(Arc::clone(alive), is_mined)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
        assert!(!self.1, "the destructor");
    }
}

/// A service whose clones have the mine of this index.
struct Mined {
    next: Arc<AtomicUsize>,
    alive: Arc<AtomicUsize>,
    mine: Mine,
    _part: Part,
}

impl Mined {
    fn new(next: &Arc<AtomicUsize>, alive: &Arc<AtomicUsize>, mine: Mine) -> Mined {
        Mined {
            next: Arc::clone(next),
            alive: Arc::clone(alive),
            mine,
            _part: Part::new(alive, mine == Mine::Service),
        }
    }
}

impl Clone for Mined {
    fn clone(&self) -> Mined {
        let mine = MINES[self.next.load(Ordering::SeqCst)];
        assert!(mine != Mine::Clone, "the clone");
        Mined::new(&self.next, &self.alive, mine)
    }
}

struct MinedError;

impl From<MinedError> for Box<dyn std::error::Error + Send + Sync> {
    fn from(_: MinedError) -> Self {
        panic!("the error");
    }
}

/// The future of a call. It is ready in the second poll.
struct Answer {
    mine: Mine,
    was_polled: bool,
    alive: Arc<AtomicUsize>,
    _part: Part,
}

impl Future for Answer {
    type Output = Result<Response<String>, MinedError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        assert!(self.mine != Mine::Poll, "the future");
        if !std::mem::replace(&mut self.was_polled, true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.mine == Mine::Error {
            return Poll::Ready(Err(MinedError));
        }
        let mut response = Response::new(String::from("hello"));
        if self.mine == Mine::Extension {
            let part = Arc::new(Part::new(&self.alive, true));
            response.extensions_mut().insert(part);
        }
        Poll::Ready(Ok(response))
    }
}

impl Service<Request<Body>> for Mined {
    type Response = Response<String>;
    type Error = MinedError;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), MinedError>> {
        assert!(self.mine != Mine::Ready, "not ready");
        match self.mine {
            Mine::Never => Poll::Pending,
            _ => Poll::Ready(Ok(())),
        }
    }

    fn call(&mut self, _: Request<Body>) -> Answer {
        assert!(self.mine != Mine::Call, "the call");
        Answer {
            mine: self.mine,
            was_polled: false,
            alive: Arc::clone(&self.alive),
            _part: Part::new(&self.alive, self.mine == Mine::Future),
        }
    }
}

#[test]
fn i13_a_panic_anywhere_in_a_service_costs_its_connection_alone() {
    beside_all(|runtime| {
        let (next, alive) = (Arc::default(), Arc::default());
        let app = service(Mined::new(&next, &alive, Mine::None));
        let running = run_on(runtime, Server::new(app, "127.0.0.1:0"));
        let mut other = running.connect();
        for (at, mine) in MINES.into_iter().enumerate() {
            for body in ["", "content-length: 2\r\n"] {
                next.store(at, Ordering::SeqCst);
                let mut client = running.connect();
                client.send(format!("POST / HTTP/1.1\r\nhost: a\r\n{body}\r\n"));
                if mine == Mine::Never {
                    eventually("the call", || alive.load(Ordering::SeqCst) == 2);
                    client.reset();
                } else {
                    let answer = client.answer();
                    let status = match mine {
                        Mine::None | Mine::Extension => 200,
                        // The response was ready.
                        Mine::Future => answer.status,
                        _ => 500,
                    };
                    assert_eq!(answer.status, status, "{mine:?}");
                }
                // Nothing is left but the service that is cloned.
                let gone = || alive.load(Ordering::SeqCst) == 1;
                eventually("the end of what was made for the request", gone);
                next.store(0, Ordering::SeqCst);
                assert_eq!(other.get("/").answer().text(), "hello", "beside {mine:?}");
            }
        }
        drop(other);
        let ended = running.stop();
        assert!(ended.result.is_ok(), "{ended:?}");
        assert_eq!(alive.load(Ordering::SeqCst), 0);
    });
}

#[test]
fn i06_a_service_that_is_never_ready_is_cancelled_at_the_deadline() {
    limited(|| {
        let (next, alive) = (Arc::new(AtomicUsize::new(9)), Arc::default());
        let app = service(Mined::new(&next, &alive, Mine::None));
        let server = Server::new(app, "127.0.0.1:0");
        let running = run(server.drain_timeout(Duration::from_millis(200)));
        let mut client = running.connect();
        client.get("/");
        eventually("the call", || alive.load(Ordering::SeqCst) == 2);
        let ended = running.stop();
        assert_eq!(ended.report.cut.total(), 1, "{ended:?}");
        let answer = client.answer();
        assert_eq!((answer.status, answer.closes()), (503, true));
    });
}
