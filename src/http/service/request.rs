//! From a head in the buffer to a request of `http`.

use std::sync::OnceLock;

use ::http::{Extensions, HeaderName, HeaderValue, Method, Request, Uri, Version, header};
use bytes::Bytes;

use super::body::Body;
use super::head_copy;
use crate::http::codec::{RawHead, Refusal, TargetForm, authority, path_of};

/// Makes a request of a head, and puts it into `slot`.
///
/// The head is copied once; the target and the values of the fields are parts of that copy.
///
/// # Errors
///
/// The target is longer than a `Uri` can be.
#[inline(always)]
pub(super) fn make(head: &RawHead<'_>, slot: &mut Option<Request<Body>>) -> Result<(), Refusal> {
    let copy = head_copy::of(head.bytes);
    let part = |part: &[u8]| {
        let start = part.as_ptr() as usize - head.bytes.as_ptr() as usize;
        copy.slice(start..start + part.len())
    };
    let request = insert_with_room(slot);
    *request.method_mut() = Method::from_bytes(head.method.as_bytes())
        .map_err(|_| Refusal::malformed("bad request line"))?;
    *request.uri_mut() = uri_of(part(head.target.as_bytes()), head)?;
    let is_without_host = request.uri().authority().is_none();
    if head.facts.is_http10 {
        *request.version_mut() = Version::HTTP_10;
    }
    let fields = request.headers_mut();
    fields.reserve(head.fields.len());
    for field in head.fields {
        let name = HeaderName::from_bytes(field.name.as_bytes());
        let name = name.map_err(|_| Refusal::malformed("bad field name"))?;
        fields.append(name, value_of(part(field.value))?);
    }
    // RFC 9112, 3.2.2: the target decides, if it names a host. One of HTTP/1.0 may be there without a field: the
    // host is in the `Uri` then, or, where that does not take it, in a field that is added.
    let names_host = matches!(head.form, TargetForm::Absolute | TargetForm::Authority);
    if names_host && (head.host.is_some() || is_without_host) {
        let host = value_of(part(authority(head.target).as_bytes()))?;
        fields.insert(header::HOST, host);
    }
    Ok(())
}

/// Makes a `Uri` of a target. Of one that names a host which `Uri` does not take, such as `a%2eb`, it has the
/// path alone.
fn uri_of(target: Bytes, head: &RawHead<'_>) -> Result<Uri, Refusal> {
    let names_host = matches!(head.form, TargetForm::Absolute | TargetForm::Authority);
    let uri = Uri::from_maybe_shared(target);
    let uri = uri.or_else(|error| match path_of(head.target) {
        _ if !names_host => Err(error),
        path if path.starts_with('/') => path.parse(),
        path => Uri::from_maybe_shared(format!("/{path}")),
    });
    uri.map_err(|_| no_uri(head.target.len()))
}

/// Makes a `Uri` of a path, perhaps with a query.
pub(super) fn uri_of_path(target: Bytes) -> Result<Uri, Refusal> {
    let length = target.len();
    Uri::from_maybe_shared(target).map_err(|_| no_uri(length))
}

/// Returns the refusal of a target that is no `Uri`.
fn no_uri(length: usize) -> Refusal {
    match length > usize::from(u16::MAX) - 2 {
        true => Refusal::target_too_long(),
        false => Refusal::malformed("bad request target"),
    }
}

/// Makes the value of a field.
pub(super) fn value_of(value: Bytes) -> Result<HeaderValue, Refusal> {
    HeaderValue::from_maybe_shared(value).map_err(|_| Refusal::malformed("bad field value"))
}

/// Puts a request that has nothing into `slot`, with room for the extensions that a router of axum adds to
/// ours: their map is then not grown for each request.
#[inline(always)]
pub(super) fn insert_with_room(slot: &mut Option<Request<Body>>) -> &mut Request<Body> {
    let request = slot.insert(Request::new(Body::empty()));
    *request.extensions_mut() = extensions();
    request
}

/// Returns extensions with no entry, and room for some.
fn extensions() -> Extensions {
    static EMPTIED: OnceLock<Extensions> = OnceLock::new();
    let emptied = EMPTIED.get_or_init(|| {
        let mut extensions = Extensions::new();
        extensions.insert(0_u8);
        extensions.insert(0_u16);
        extensions.insert(0_u32);
        extensions.insert(0_u64);
        extensions.clear();
        extensions
    });
    emptied.clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::codec::parse;

    /// Returns the path and query that the app sees; `None` for what is refused.
    fn seen(target: &str) -> Option<String> {
        let head = format!("GET {target} HTTP/1.1\r\nhost: a\r\n\r\n");
        let mut slot = None;
        let parsed = parse(head.as_bytes(), |head| make(head, &mut slot));
        assert!(!matches!(parsed, Ok(None)), "{target}");
        let uri = slot?.uri().clone();
        uri.path_and_query().map(|target| target.to_string())
    }

    #[test]
    fn the_host_of_a_target_is_seen_whether_uri_takes_it_or_not() {
        for version in ["1.0", "1.1"] {
            for (target, host) in [("http://b:1/x", "b:1"), ("http://a%2eb/x", "a%2eb")] {
                let field = if version == "1.1" { "host: c\r\n" } else { "" };
                let head = format!("GET {target} HTTP/{version}\r\n{field}\r\n");
                let mut slot = None;
                parse(head.as_bytes(), |head| make(head, &mut slot)).unwrap();
                let request = slot.unwrap();
                let of_uri = request.uri().authority().map(|host| host.as_str());
                let of_field = request.headers().get(header::HOST);
                let of_field = of_field.map(|host| host.to_str().unwrap());
                assert_eq!(of_field.or(of_uri), Some(host), "{head}");
            }
        }
    }

    #[test]
    fn every_character_reaches_the_app_as_it_was_sent_or_is_refused() {
        let (mut reached, mut refused) = (0, 0);
        for byte in (1..128).map(char::from) {
            let target = format!("/a{byte}b?c{byte}d");
            for target in [
                &*target,
                &format!("/{target}"),
                &target.replace('?', "/..x?"),
            ] {
                match seen(target) {
                    Some(found) => {
                        assert_eq!(found, target);
                        reached += 1;
                    }
                    None => refused += 1,
                }
            }
        }
        assert!(reached > 200 && refused > 100, "{reached} {refused}");
        assert_eq!(seen("http://b:1/x?y").as_deref(), Some("/x?y"));
        assert_eq!(seen("/x/../hello"), None);
    }
}
