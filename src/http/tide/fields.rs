//! Copying methods, fields and trailers between `http_types` and others.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use ::http::HeaderMap;
use http_types::headers::{HeaderName, HeaderValue};
use http_types::{Method, Request, Trailers, trailers};

use super::names::header_name;
use crate::http::codec::Refusal;

/// Returns the method of that name.
///
/// Methods are case-sensitive (RFC 9110, 9.1); the parser of `http_types` is not, and it allocates.
pub(super) fn method(name: &str) -> Result<Method, Refusal> {
    Ok(match name {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "HEAD" => Method::Head,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        "PATCH" => Method::Patch,
        other => other
            .parse()
            .ok()
            .filter(|method: &Method| method.as_ref() == other)
            .ok_or(Refusal::unknown("unknown method"))?,
    })
}

/// Copies a field into the request. Only its value and the list around it are allocated.
pub(super) fn insert(request: &mut Request, name: &str, value: &[u8]) -> Result<(), Refusal> {
    let bad = Refusal::malformed("bad field name");
    let key = header_name(name).ok_or(bad)?;
    let value = value_of(value)?;
    // A repeated name is rare: insert first, and put back in front what that replaced.
    if let Some(mut values) = request.insert_header(key, value) {
        let key: HeaderName = header_name(name).ok_or(bad)?;
        if let Some(slot) = request.header_mut(key) {
            values.append(slot);
            *slot = values;
        }
    }
    Ok(())
}

/// Makes the value of a field.
pub(super) fn value_of(value: &[u8]) -> Result<HeaderValue, Refusal> {
    let bytes = match value.is_ascii() {
        true => value.to_vec(),
        false => escape(value).into_bytes(),
    };
    HeaderValue::from_bytes(bytes).map_err(|_| Refusal::malformed("bad field value"))
}

/// Percent-encodes the bytes of a value that are not ASCII.
///
/// `http_types` panics on a value that is not ASCII, and browsers do send cookies in UTF-8.
fn escape(value: &[u8]) -> String {
    let mut escaped = String::with_capacity(value.len() * 3);
    for &byte in value {
        if byte.is_ascii() {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

fn trailers(map: &HeaderMap) -> Trailers {
    let mut trailers = Trailers::new();
    for (name, value) in map {
        let name = header_name(name.as_str());
        let value = std::str::from_utf8(value.as_bytes()).ok();
        if let (Some(name), Some(value)) = (name, value.filter(|value| value.is_ascii())) {
            trailers.append(name, value);
        }
    }
    trailers
}

/// Sends trailers to a handler, without those that `http_types` cannot hold.
pub(super) fn send_trailers(sender: trailers::Sender, map: &HeaderMap) {
    let trailers = trailers(map);
    // The channel has room for its only message, so the send is ready at once.
    let _ = pin!(sender.send(trailers)).poll(&mut Context::from_waker(Waker::noop()));
}

/// Copies a field, or a trailer, of a response. One that would end its line early is left out, with a log
/// record.
pub(super) fn append(map: &mut HeaderMap, name: &str, value: &[u8]) {
    let key = ::http::HeaderName::from_bytes(name.as_bytes());
    match (key, ::http::HeaderValue::from_bytes(value)) {
        (Ok(key), Ok(value)) => drop(map.append(key, value)),
        _ => {
            log::warn!(target: "neap", event = "field left out", field = name; "response field `{name}` left out: it would end its line early");
        }
    }
}
