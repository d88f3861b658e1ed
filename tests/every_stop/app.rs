//! The app that is stopped.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_lite::{AsyncRead, Future, io::BufReader, ready};
use http_types::{Body, Request, Response, StatusCode};
use neap::http::{App, RequestExt};
use neap::test::{Clock, Sleep};

/// An app with an endpoint for each kind of exchange.
pub(crate) struct Endpoints {
    pub(crate) clock: Clock,
}

impl App for Endpoints {
    async fn respond(&self, mut request: Request) -> http_types::Result<Response> {
        let path = request.url().path().to_owned();
        Ok(match &*path {
            "/hello" => Response::from("hello"),
            "/read" => Response::from(request.body_string().await?),
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
            "/stream" => {
                let ticks = Ticks {
                    clock: self.clock.clone(),
                    left: 4,
                    asleep: None,
                };
                let mut response = Response::new(StatusCode::Ok);
                response.set_body(Body::from_reader(BufReader::new(ticks), None));
                response
            }
            "/large" => Response::from(vec![b'x'; 300_000]),
            _ => Response::new(StatusCode::NotFound),
        })
    }
}

/// A body that comes in parts, one a second.
struct Ticks {
    clock: Clock,
    left: usize,
    asleep: Option<Sleep>,
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
        ready!(Pin::new(asleep).poll(cx));
        this.asleep = None;
        this.left -= 1;
        out[..5].copy_from_slice(b"tick\n");
        Poll::Ready(Ok(5))
    }
}
