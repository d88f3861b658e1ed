//! Connections that a handler asks for: twice, too late, or to no purpose.

use std::sync::mpsc::channel;
use std::time::Duration;

use axum::body::Body as AxumBody;
use axum::http::StatusCode;
use http::{Request, Response};
use neap::http::{App, Body, RequestContext, Server, from_fn};

use crate::http_support::{PATIENCE, run, run_on};
use crate::runtimes::{beside_all, limited};

const UPGRADE: &str = "HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n";

fn context_of(request: &Request<Body>) -> RequestContext {
    request.extensions().get().cloned().unwrap()
}

fn answer(status: StatusCode) -> Response<AxumBody> {
    let mut response = Response::new(AxumBody::empty());
    *response.status_mut() = status;
    response
}

#[test]
fn one_is_given_to_the_first_who_asks_and_none_after_the_answer() {
    beside_all(|runtime| {
        let (kept, contexts) = channel();
        let app = from_fn(move |request: Request<Body>| {
            let context = context_of(&request);
            let is_first = request.uri().path() == "/first";
            let upgrade = is_first.then(|| context.upgrade()).flatten();
            assert!(!is_first || upgrade.is_some() && context.upgrade().is_none());
            kept.send((context, upgrade)).unwrap();
            async move {
                answer(match is_first {
                    true => StatusCode::SWITCHING_PROTOCOLS,
                    false => StatusCode::OK,
                })
            }
        });
        let running = run_on(runtime, Server::new(app, "127.0.0.1:0"));
        let mut client = running.connect();
        assert_eq!(client.send(format!("GET / {UPGRADE}")).answer().status, 200);
        let (late, _) = contexts.recv_timeout(PATIENCE).unwrap();
        // It knows still what it knew, also beside the next request, and has no connection to give.
        assert!(late.is_ready() && late.peer().tcp().is_some());
        assert!(smol::block_on(late.upgrade().unwrap()).is_none());
        assert_eq!(
            client.send(format!("GET /first {UPGRADE}")).answer().status,
            101
        );
        let (context, upgrade) = contexts.recv_timeout(PATIENCE).unwrap();
        let upgraded = smol::block_on(upgrade.unwrap()).unwrap();
        assert!(smol::block_on(late.upgrade().unwrap()).is_none());
        assert!(smol::block_on(context.upgrade().unwrap()).is_none());
        drop(upgraded);
        assert!(client.is_closed());
        drop(client);
        let ended = running.stop();
        assert!(ended.report.is_clean(), "{ended:?}");
        assert!(!late.is_ready() && late.stop_token().is_stopped());
    });
}

/// Answers with a 101, and does something with what gives it the connection.
fn with_upgrade<F: Future<Output = ()> + Send>(
    call: impl Fn(RequestContext) -> F + Send + Sync + 'static,
) -> impl App + 'static {
    let call = std::sync::Arc::new(call);
    from_fn(move |request: Request<Body>| {
        let (call, context) = (std::sync::Arc::clone(&call), context_of(&request));
        async move {
            call(context).await;
            answer(StatusCode::SWITCHING_PROTOCOLS)
        }
    })
}

#[test]
fn one_that_nobody_takes_is_closed_behind_the_answer() {
    limited(|| {
        // The future is dropped before the answer.
        let app = with_upgrade(async |context: RequestContext| drop(context.upgrade().unwrap()));
        let running = run(Server::new(app, "127.0.0.1:0"));
        let mut client = running.connect();
        let upgrade = format!("GET / {UPGRADE}GET / HTTP/1.1\r\nhost: a\r\n\r\n");
        assert_eq!(client.send(upgrade).answer().status, 101);
        assert!(client.is_closed());
        drop(client);
        assert!(running.stop().report.is_clean());
    });
}

#[test]
fn i06_one_that_is_leaked_is_cut_at_the_deadline() {
    limited(|| {
        let (leaked, leak) = channel();
        let app = with_upgrade(move |context| {
            let (upgrade, leaked) = (context.upgrade().unwrap(), leaked.clone());
            smol::spawn(async move {
                std::mem::forget(upgrade.await.unwrap());
                leaked.send(()).unwrap();
            })
            .detach();
            std::future::ready(())
        });
        let server = Server::new(app, "127.0.0.1:0").drain_timeout(Duration::from_millis(200));
        let running = run(server);
        let mut client = running.connect();
        assert_eq!(client.send(format!("GET / {UPGRADE}")).answer().status, 101);
        leak.recv_timeout(PATIENCE).unwrap();
        let ended = running.stop();
        assert_eq!(ended.report.cut.upgraded, 1, "{ended:?}");
        // Both sides are closed, though the descriptor is not.
        assert!(client.is_closed());
    });
}
