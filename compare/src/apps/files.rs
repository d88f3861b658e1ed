//! Files by an axum `Router` without tokio, as an app would write it: tower-http's need tokio.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use blocking::unblock;
use futures_lite::stream;

/// How many bytes are read at a time, on a thread that may block.
const CHUNK: u64 = 256 * 1024;

/// Makes the route `/file/{name}`, for the files of a directory.
pub(crate) fn routes(directory: PathBuf) -> Router {
    Router::new()
        .route("/file/{name}", get(file))
        .with_state(directory)
}

async fn file(
    State(directory): State<PathBuf>,
    Path(name): Path<String>,
) -> Result<Response, String> {
    // A name with a slash does not match the route.
    let opened = unblock(move || open(directory.join(name))).await;
    let (file, length) = opened.map_err(|error| error.to_string())?;
    let chunks = stream::try_unfold((file, length), |(file, left)| async move {
        match left {
            0 => Ok(None),
            _ => unblock(move || read(file, left)).await.map(Some),
        }
    });
    let headers = [
        (CONTENT_TYPE, "application/octet-stream".to_owned()),
        (CONTENT_LENGTH, length.to_string()),
    ];
    Ok((headers, Body::from_stream(chunks)).into_response())
}

fn open(path: PathBuf) -> io::Result<(File, u64)> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    Ok((file, length))
}

/// Reads the next chunk, and returns what is left after it.
fn read(mut file: File, left: u64) -> io::Result<(Bytes, (File, u64))> {
    let length = left.min(CHUNK);
    let mut chunk = Vec::new();
    file.by_ref().take(length).read_to_end(&mut chunk)?;
    match chunk.len() as u64 == length {
        true => Ok((chunk.into(), (file, left - length))),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}
