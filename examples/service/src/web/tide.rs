//! The routes, with tide.

use neap::http::{self, App};
use serde::Deserialize;
use serde_json::json;
use tide::utils::After;
use tide::{Body, Request, Response, Status, StatusCode};

use crate::drill;
use crate::letters::Letters;

pub fn app(letters: Letters) -> impl App {
    let mut app = tide::with_state(letters);
    app.with(After(log));
    app.at("/letters").post(send);
    app.at("/letters/:id").get(progress);
    app.at("/ready").get(http::ready());
    app
}

#[derive(Deserialize)]
struct NewLetter {
    to: String,
    text: String,
}

async fn send(mut request: Request<Letters>) -> tide::Result {
    let new: NewLetter = request.body_json().await?;
    drill::panic_if_asked("handler", &new.text);
    let id = request.state().add(new.to, new.text).await?;
    let answer = Response::builder(StatusCode::Accepted)
        .header("location", format!("/letters/{id}"))
        .body(json!({ "id": id }));
    Ok(answer.build())
}

async fn progress(request: Request<Letters>) -> tide::Result {
    let id = request.param("id")?.parse();
    let id = id.status(StatusCode::BadRequest)?;
    Ok(match request.state().progress(id).await? {
        Some(progress) => Body::from_json(&progress)?.into(),
        None => StatusCode::NotFound.into(),
    })
}

/// Logs an error that is not the client's; tide keeps it in the response.
async fn log(response: Response) -> tide::Result {
    if let Some(error) = response
        .error()
        .filter(|_| response.status().is_server_error())
    {
        log::error!("a request failed: {error:#}");
    }
    Ok(response)
}
