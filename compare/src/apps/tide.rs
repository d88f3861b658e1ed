//! The app for tide, on neap and by its own `listen`.

use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_io::Timer;
use futures_lite::io::{AsyncBufRead, AsyncRead, AsyncReadExt};
use tide::{Body, Request};

use super::order::Order;
use super::{DOWNLOAD, HELLO, MEGABYTE, PIECE, SLOW};

/// Makes the app. Its files are in this directory.
pub(crate) fn app(directory: PathBuf) -> tide::Server<PathBuf> {
    let mut app = tide::with_state(directory);
    app.at("/hello").get(|_| async { Ok(HELLO) });
    app.at("/slow").get(|_| async {
        // async-io's timer, which async-std's own is, and smol's.
        Timer::after(SLOW).await;
        Ok(HELLO)
    });
    app.at("/order").post(order);
    app.at("/megabyte")
        .get(|_| async { Ok(Body::from_bytes(vec![b'x'; MEGABYTE])) });
    app.at("/download").get(|_| async { Ok(download()) });
    app.at("/upload").post(upload);
    app.at("/file/:name").get(file);
    app
}

async fn order(mut request: Request<PathBuf>) -> tide::Result<Body> {
    let order: Order = request.body_json().await?;
    Body::from_json(&order)
}

/// A body of unknown length.
fn download() -> Body {
    Body::from_reader(Pieces { left: DOWNLOAD }, None)
}

/// The pieces of a download, each of which is there at once, as it is for axum.
struct Pieces {
    left: usize,
}

static BYTES: [u8; PIECE] = [b'x'; PIECE];

impl AsyncBufRead for Pieces {
    fn poll_fill_buf(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let piece = match self.left % PIECE {
            0 => self.left.min(PIECE),
            rest => rest,
        };
        Poll::Ready(Ok(&BYTES[..piece]))
    }

    fn consume(mut self: Pin<&mut Self>, length: usize) {
        self.left -= length;
    }
}

impl AsyncRead for Pieces {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let piece = ready!(self.as_mut().poll_fill_buf(cx))?;
        let length = piece.len().min(out.len());
        out[..length].copy_from_slice(&piece[..length]);
        self.consume(length);
        Poll::Ready(Ok(length))
    }
}

/// Reads the body to its end, and answers how long it was.
async fn upload(mut request: Request<PathBuf>) -> tide::Result<String> {
    let (mut piece, mut length) = (vec![0; PIECE], 0);
    loop {
        match request.read(&mut piece).await? {
            0 => return Ok(length.to_string()),
            more => length += more,
        }
    }
}

async fn file(request: Request<PathBuf>) -> tide::Result<Body> {
    let path = request.state().join(request.param("name")?);
    Ok(Body::from_file(path).await?)
}
