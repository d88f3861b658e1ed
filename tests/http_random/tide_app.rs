//! The same app for the doors of tide.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_lite::io::BufReader;
use futures_lite::{AsyncBufRead, AsyncRead, ready};
use http_body::Body as _;
use http_types::{Body, Request, Response, Result};
use neap::http::{RequestContext, TideApp, from_tide_fn};

use crate::app::{Made, Shared, Work, echo, handler_of, pause};
use crate::plan::{Handler, Out};

pub fn tide_app(shared: Shared) -> impl TideApp + 'static {
    from_tide_fn(move |request: Request| {
        let shared = shared.clone();
        let number: usize = request.url().path()[1..].parse().unwrap();
        let work = Work::begin(&shared.ledger, &shared.clock, number);
        async move {
            let _work = work;
            handle(handler_of(&shared, number), request, &shared).await
        }
    })
}

async fn handle(handler: Handler, mut request: Request, shared: &Shared) -> Result<Response> {
    let context = request.ext().get::<RequestContext>().unwrap().clone();
    pause(handler, shared).await;
    if handler.reads {
        let _ = request.body_bytes().await;
    }
    let (status, made) = match handler.out {
        Out::Upgrade(bytes) => {
            let mut response = Response::new(101);
            response.insert_header("upgrade", "echo");
            response.insert_header("connection", "upgrade");
            let receiver = response.recv_upgrade().await;
            let token = context.stop_token();
            shared.executor.spawn(echo(bytes, receiver, token)).detach();
            return Ok(response);
        }
        _ => Made::of(handler, &context, shared),
    };
    let mut response = Response::new(status);
    let length = made.length.map(|length| length as usize);
    let body = Reader {
        made,
        rest: Bytes::new(),
    };
    response.set_body(match handler.is_buffered {
        true => Body::from_reader(BufReader::new(body), length),
        false => Body::from_reader(body, length),
    });
    Ok(response)
}

/// Reads a body.
struct Reader {
    made: Made,
    rest: Bytes,
}

impl AsyncRead for Reader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let there = ready!(self.as_mut().poll_fill_buf(cx))?;
        let length = out.len().min(there.len());
        out[..length].copy_from_slice(&there[..length]);
        self.consume(length);
        Poll::Ready(Ok(length))
    }
}

impl AsyncBufRead for Reader {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        if this.rest.is_empty() {
            let frame = ready!(Pin::new(&mut this.made).poll_frame(cx)).transpose()?;
            if let Some(Ok(part)) = frame.map(|frame| frame.into_data()) {
                this.rest = part;
            }
        }
        Poll::Ready(Ok(&this.rest))
    }

    fn consume(mut self: Pin<&mut Self>, bytes: usize) {
        let _ = self.rest.split_to(bytes);
    }
}
