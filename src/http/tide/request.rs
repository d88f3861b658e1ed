//! From a head in the buffer to a request of `http_types`.

use http_types::headers::HeaderName;
use http_types::{Method, Request, Version};

use super::names::header_name;
use super::targets::Targets;
use crate::http::codec::{RawHead, Refusal, TargetForm, authority};

/// Makes a request of a head, and puts it into `slot`.
///
/// # Errors
///
/// `http_types` does not know the method.
#[inline(always)]
pub(super) fn make(
    targets: &mut Targets,
    head: &RawHead<'_>,
    slot: &mut Option<Request>,
) -> Result<(), Refusal> {
    let method = method(head.method)?;
    let request = slot.insert(targets.request(method, head)?);
    request.set_version(Some(match head.facts.is_http10 {
        true => Version::Http1_0,
        false => Version::Http1_1,
    }));
    for field in head.fields {
        insert(request, field)?;
    }
    // RFC 9112, 3.2.2: the target decides, if it names a host.
    let names_host = matches!(head.form, TargetForm::Absolute | TargetForm::Authority);
    if names_host && head.host.is_some() {
        request.insert_header("host", authority(head.target));
    }
    Ok(())
}

/// Returns the method of that name.
///
/// Methods are case-sensitive (RFC 9110, 9.1); the parser of `http_types` is not, and it allocates.
fn method(name: &str) -> Result<Method, Refusal> {
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
fn insert(request: &mut Request, field: &httparse::Header<'_>) -> Result<(), Refusal> {
    let name = header_name(field.name).ok_or(Refusal::malformed("bad field name"))?;
    let escaped;
    let value = match std::str::from_utf8(field.value) {
        Ok(value) if value.is_ascii() => value,
        _ => {
            escaped = escape(field.value);
            &escaped
        }
    };
    // A repeated name is rare: insert first, and put back in front what that replaced.
    if let Some(mut values) = request.insert_header(name, value) {
        let name: HeaderName =
            header_name(field.name).ok_or(Refusal::malformed("bad field name"))?;
        if let Some(slot) = request.header_mut(name) {
            values.append(slot);
            *slot = values;
        }
    }
    Ok(())
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
