//! The app for tide, on neap and by its own `listen`.

use std::path::PathBuf;

use async_io::Timer;
use futures_lite::io::{AsyncReadExt, BufReader, repeat};
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
    let bytes = repeat(b'x').take(DOWNLOAD as u64);
    Body::from_reader(BufReader::with_capacity(PIECE, bytes), None)
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
