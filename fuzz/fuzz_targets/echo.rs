//! An app that answers with what it was given.

use std::fmt::Write;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_lite::{AsyncRead, AsyncReadExt, Future, io::BufReader, ready};
use http_types::{Body, Request, Response};
use neap::http::TideApp;
use neap::test::{Clock, Sleep};

/// What the first segment of a path chooses.
pub const ENDPOINTS: [&str; 7] = ["all", "part", "none", "back", "late", "many", "lines"];

/// An app that answers with what it was given. The first segment of the path is how.
pub struct Echo {
    pub clock: Clock,
}

impl TideApp for Echo {
    async fn respond(&self, mut request: Request) -> http_types::Result<Response> {
        let method = request.method().to_string();
        let path = request.url().path().to_owned();
        let mut text = describe(&request).into_bytes();
        let mut response = Response::new(200);
        match path.split('/').nth(1).unwrap_or_default() {
            "none" => response.set_body(text),
            "part" => {
                let mut part = [0; 3];
                let read = fill(&mut request, &mut part).await?;
                text.extend_from_slice(&part[..read]);
                response.set_body(text);
            }
            "back" => response.set_body(request.take_body()),
            "late" => {
                self.clock.sleep(Duration::from_millis(100)).await;
                request.read_to_end(&mut text).await?;
                response.set_body(text);
            }
            "many" => {
                request.read_to_end(&mut text).await?;
                let drops = Drops {
                    text,
                    at: 0,
                    clock: self.clock.clone(),
                    asleep: None,
                };
                response.set_body(Body::from_reader(BufReader::with_capacity(16, drops), None));
            }
            _ => {
                request.read_to_end(&mut text).await?;
                response.set_body(text);
            }
        }
        response.insert_header("x-method", method);
        Ok(response)
    }
}

/// Returns the head of a request as text, its fields in the order of their names.
fn describe(request: &Request) -> String {
    let mut fields: Vec<_> = request
        .iter()
        .map(|(name, values)| format!("{name}: {values}\n"))
        .collect();
    fields.sort();
    let (method, url, version) = (request.method(), request.url(), request.version());
    let mut text = format!("{method} {url} {version:?} {:?}\n", request.len());
    let _ = write!(text, "{}\n", fields.concat());
    text
}

/// Reads until `part` is full, or the body has ended.
async fn fill(request: &mut Request, part: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < part.len() {
        match request.read(&mut part[filled..]).await? {
            0 => break,
            bytes => filled += bytes,
        }
    }
    Ok(filled)
}

/// A body that comes in pieces of 7 bytes, with a wait before every fourth.
struct Drops {
    text: Vec<u8>,
    at: usize,
    clock: Clock,
    asleep: Option<Sleep>,
}

impl AsyncRead for Drops {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.at % 28 == 21 && this.asleep.is_none() {
            this.asleep = Some(this.clock.sleep(Duration::from_millis(1)));
        }
        if let Some(asleep) = &mut this.asleep {
            ready!(Pin::new(asleep).poll(cx));
        }
        let rest = &this.text[this.at..];
        let bytes = rest.len().min(out.len()).min(7);
        out[..bytes].copy_from_slice(&rest[..bytes]);
        this.at += bytes;
        this.asleep = None;
        Poll::Ready(Ok(bytes))
    }
}
