//! The routes, with axum.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use neap::http::{self, App};
use serde::Deserialize;
use serde_json::json;

use crate::drill;
use crate::letters::Letters;

pub fn app(letters: Letters) -> impl App {
    let app = Router::new()
        .route("/letters", post(send))
        .route("/letters/{id}", get(progress))
        .with_state(letters)
        .route_service("/ready", http::ready());
    http::service(app)
}

#[derive(Deserialize)]
struct NewLetter {
    to: String,
    text: String,
}

async fn send(
    State(letters): State<Letters>,
    Json(new): Json<NewLetter>,
) -> Result<Response, Failed> {
    drill::panic_if_asked("handler", &new.text);
    let id = letters.add(new.to, new.text).await?;
    let place = [("location", format!("/letters/{id}"))];
    Ok((StatusCode::ACCEPTED, place, Json(json!({ "id": id }))).into_response())
}

async fn progress(State(letters): State<Letters>, Path(id): Path<i64>) -> Result<Response, Failed> {
    let progress = letters.progress(id).await?;
    let found = progress.map(|progress| Json(progress).into_response());
    Ok(found.unwrap_or_else(|| StatusCode::NOT_FOUND.into_response()))
}

/// An error that is not the client's. It goes to the log, and no further.
struct Failed(anyhow::Error);

impl<E: Into<anyhow::Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Failed(error.into())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        log::error!("a request failed: {:#}", self.0);
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}
