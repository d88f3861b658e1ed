//! The app that is stopped, for axum.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Extension, State};
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{BoxError, Router};
use futures_lite::future::poll_once;
use futures_lite::{AsyncReadExt, AsyncWriteExt, Stream, StreamExt, stream};
use neap::http::RequestContext;
use neap::test::Clock;
use neap::{Handle, StopSource, StopToken};

/// What the endpoints share.
#[derive(Clone)]
pub(crate) struct Endpoints {
    pub(crate) clock: Clock,
    pub(crate) handle: Handle<'static>,
}

/// Makes an app with an endpoint for each kind of exchange.
pub(crate) fn app(endpoints: Endpoints) -> Router {
    Router::new()
        .route("/hello", get("hello"))
        .route("/read", post(async |body: String| body))
        .route("/read-beside", post(Endpoints::read_beside))
        .route("/echo", post(async |body: Body| body))
        .route("/impatient", post(impatient))
        .route("/unread", post(StatusCode::METHOD_NOT_ALLOWED))
        .route("/slow", get(Endpoints::slow))
        .route("/until-stop", get(Endpoints::until_stop))
        .route("/stream", get(Endpoints::stream))
        .route("/events", get(Endpoints::events))
        .route("/breaks", get(Endpoints::breaks))
        .route("/upgrade", get(Endpoints::echo))
        .route("/large", get(vec![b'x'; 300_000]))
        .route("/page", get(vec![b'x'; 6000]))
        .with_state(endpoints)
}

async fn impatient(request: Request<Body>) -> &'static str {
    let mut read = Box::pin(to_bytes(request.into_body(), 64));
    match poll_once(&mut read).await {
        Some(_) => "read",
        None => "not yet",
    }
}

impl Endpoints {
    async fn slow(State(this): State<Endpoints>) -> &'static str {
        this.clock.sleep(Duration::from_secs(3)).await;
        "slow"
    }

    async fn until_stop(
        State(this): State<Endpoints>,
        Extension(context): Extension<RequestContext>,
    ) -> &'static str {
        let news = this.clock.sleep(Duration::from_secs(20));
        match context.stop_token().run_until_stopped(news).await {
            Some(()) => "news",
            None => "no news",
        }
    }

    async fn stream(State(this): State<Endpoints>) -> Body {
        Body::from_stream(this.ticks(4, StopSource::new().token()))
    }

    async fn events(
        State(this): State<Endpoints>,
        Extension(context): Extension<RequestContext>,
    ) -> Body {
        Body::from_stream(this.ticks(6, context.stop_token()))
    }

    async fn breaks(State(this): State<Endpoints>) -> Body {
        let ticks = this.ticks(2, StopSource::new().token());
        let ticks = ticks.map(|tick| tick.map_err(io::Error::other));
        let broken = stream::once(Err(io::Error::other("broken")));
        Body::from_stream(ticks.chain(broken))
    }

    /// Returns a line a second, until the token is stopped.
    fn ticks(
        &self,
        left: usize,
        token: StopToken,
    ) -> impl Stream<Item = Result<&'static str, Infallible>> + use<> {
        let clock = self.clock.clone();
        stream::unfold(left, move |left| {
            let (clock, token) = (clock.clone(), token.clone());
            async move {
                let left = left.checked_sub(1)?;
                let second = clock.sleep(Duration::from_secs(1));
                token.run_until_stopped(second).await?;
                Some((Ok("tick\n"), left))
            }
        })
    }

    /// Has a service of its own read a body.
    async fn read_beside(State(this): State<Endpoints>, body: Body) -> Result<Vec<u8>, StatusCode> {
        let read = async |body| {
            let bytes = to_bytes(body, 1024).await;
            bytes.map_err(|_| StatusCode::BAD_REQUEST)
        };
        let (start, started) = async_channel::bounded(1);
        let (bodies, given) = async_channel::bounded::<Body>(1);
        let (texts, text) = async_channel::bounded(1);
        let reader = move |_| async move {
            start.send(()).await?;
            texts.send(read(given.recv().await?).await).await?;
            Ok::<_, BoxError>(())
        };
        // Neither added nor started once the group stops.
        drop(this.handle.add("reader", reader));
        if started.recv().await.is_err() {
            return read(body).await.map(Into::into);
        }
        let gone = |_| StatusCode::INTERNAL_SERVER_ERROR;
        bodies.send(body).await.map_err(|_| gone(()))?;
        text.recv().await.map_err(|_| gone(()))?.map(Into::into)
    }

    /// Switches to a protocol in which every byte comes back, by a service of its own.
    async fn echo(
        State(this): State<Endpoints>,
        Extension(context): Extension<RequestContext>,
    ) -> Response {
        let Some(upgrade) = context.upgrade() else {
            return StatusCode::BAD_REQUEST.into_response();
        };
        let echo = |_| async move {
            let Some(mut stream) = upgrade.await else {
                return;
            };
            let mut buffer = [0; 64];
            while let Ok(bytes @ 1..) = stream.read(&mut buffer).await {
                if stream.write_all(&buffer[..bytes]).await.is_err() {
                    return;
                }
            }
        };
        // Refused once the group stops: then nobody waits for the connection.
        drop(this.handle.add("echo", echo));
        let fields = [("connection", "upgrade"), ("upgrade", "echo")];
        (StatusCode::SWITCHING_PROTOCOLS, fields).into_response()
    }
}
