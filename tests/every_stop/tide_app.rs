//! The app that is stopped.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_lite::future::poll_once;
use futures_lite::{AsyncRead, AsyncReadExt, AsyncWriteExt, Future, io::BufReader, ready};
use http_types::{Body, Request, Response, StatusCode};
use neap::http::{RequestExt, TideApp};
use neap::test::{Clock, Sleep};
use neap::{Handle, StopSource, StopToken, Stopped};

/// An app with an endpoint for each kind of exchange.
pub(crate) struct Endpoints {
    pub(crate) clock: Clock,
    pub(crate) handle: Handle<'static>,
}

impl TideApp for Endpoints {
    async fn respond(&self, mut request: Request) -> http_types::Result<Response> {
        let path = request.url().path().to_owned();
        Ok(match &*path {
            "/hello" => Response::from("hello"),
            "/read" => Response::from(request.body_string().await?),
            "/read-beside" => Response::from(self.read_beside(request.take_body()).await?),
            "/echo" => {
                let length = request.len();
                let mut response = Response::new(StatusCode::Ok);
                response.set_body(Body::from_reader(request.take_body(), length));
                response
            }
            "/impatient" => {
                let read = poll_once(request.body_string()).await;
                Response::from(if read.is_some() { "read" } else { "not yet" })
            }
            "/unread" => Response::new(StatusCode::MethodNotAllowed),
            "/slow" => {
                self.clock.sleep(Duration::from_secs(3)).await;
                Response::from("slow")
            }
            "/until-stop" => {
                let token = request.stop_token();
                let news = self.clock.sleep(Duration::from_secs(20));
                let news = token.run_until_stopped(news).await;
                Response::from(if news.is_some() { "news" } else { "no news" })
            }
            "/stream" => self.ticks(4, StopSource::new().token()),
            "/events" => self.ticks(6, request.stop_token()),
            "/breaks" => {
                let mut response = Response::new(StatusCode::Ok);
                let lines =
                    BufReader::new(self.ticking(2, StopSource::new().token()).chain(Broken));
                response.set_body(Body::from_reader(lines, None));
                response
            }
            "/upgrade" => self.echo().await,
            "/large" => Response::from(vec![b'x'; 300_000]),
            "/page" => Response::from(vec![b'x'; 6000]),
            _ => Response::new(StatusCode::NotFound),
        })
    }
}

impl Endpoints {
    /// Answers with a line a second, until the token is stopped.
    fn ticks(&self, left: usize, token: StopToken) -> Response {
        let ticks = self.ticking(left, token);
        let mut response = Response::new(StatusCode::Ok);
        response.set_body(Body::from_reader(BufReader::new(ticks), None));
        response
    }

    fn ticking(&self, left: usize, token: StopToken) -> Ticks {
        Ticks {
            clock: self.clock.clone(),
            left,
            asleep: None,
            stopped: token.stopped(),
        }
    }

    /// Has a service of its own read a body.
    async fn read_beside(&self, body: Body) -> http_types::Result<String> {
        let (start, started) = async_channel::bounded(1);
        let (bodies, given) = async_channel::bounded::<Body>(1);
        let (texts, read) = async_channel::bounded(1);
        let reader = |_| async move {
            start.send(()).await?;
            texts.send(given.recv().await?.into_string().await).await?;
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
        };
        // Neither added nor started once the group stops.
        drop(self.handle.add("reader", reader));
        if started.recv().await.is_err() {
            return body.into_string().await;
        }
        bodies.send(body).await?;
        read.recv().await?
    }

    /// Switches to a protocol in which every byte comes back, by a service of its own.
    async fn echo(&self) -> Response {
        let mut response = Response::new(StatusCode::SwitchingProtocols);
        response.insert_header("upgrade", "echo");
        response.insert_header("connection", "upgrade");
        let upgrade = response.recv_upgrade().await;
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
        // Refused once the group stops: the connection is closed behind its 101.
        drop(self.handle.add("echo", echo));
        response
    }
}

/// A body that comes in parts, one a second.
struct Ticks {
    clock: Clock,
    left: usize,
    asleep: Option<Sleep>,
    stopped: Stopped,
}

impl AsyncRead for Ticks {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.left == 0 {
            return Poll::Ready(Ok(0));
        }
        let clock = &this.clock;
        let asleep = this
            .asleep
            .get_or_insert_with(|| clock.sleep(Duration::from_secs(1)));
        if Pin::new(&mut this.stopped).poll(cx).is_ready() {
            return Poll::Ready(Ok(0));
        }
        ready!(Pin::new(asleep).poll(cx));
        this.asleep = None;
        this.left -= 1;
        out[..5].copy_from_slice(b"tick\n");
        Poll::Ready(Ok(5))
    }
}

/// A body that fails.
struct Broken;

impl AsyncRead for Broken {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::Error::other("broken")))
    }
}
