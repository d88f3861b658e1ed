//! The last request of a connection, as a model of the next.

use ::http::{HeaderMap, Method, Request, Uri};

use super::body::Body;
use super::head_copy;
use super::request::{insert_with_room, uri_of_path, value_of};
use crate::http::codec::{Changes, RawHead, Refusal};

/// The last request of a connection, as a model of the next.
///
/// A copy of its map needs no name parsed or hashed, and the values that are the same share their memory.
#[derive(Debug, Default)]
pub struct Model(Option<Box<Parts>>);

#[derive(Debug)]
struct Parts {
    method: Method,
    uri: Uri,

    /// The fields: each name once, in the order of the head.
    fields: HeaderMap,
}

impl Model {
    /// Makes a model of a request, if its fields are in the map as they are in its head.
    pub(super) fn of(head: &RawHead<'_>, request: &Request<Body>) -> Self {
        let map = request.headers();
        let mut pairs = map.keys().zip(head.fields);
        let is_alike = map.keys_len() == head.fields.len()
            && pairs.all(|(name, field)| name.as_str().eq_ignore_ascii_case(field.name));
        Self(is_alike.then(|| {
            Box::new(Parts {
                method: request.method().clone(),
                uri: request.uri().clone(),
                fields: map.clone(),
            })
        }))
    }

    pub(super) fn is_known(&self) -> bool {
        self.0.is_some()
    }

    /// Makes a request with some changes, and puts it into `slot`; returns false if it cannot.
    ///
    /// # Errors
    ///
    /// The target is longer than a `Uri` can be.
    #[inline(always)]
    pub(super) fn copy(
        &self,
        changes: &Changes<'_>,
        slot: &mut Option<Request<Body>>,
    ) -> Result<bool, Refusal> {
        let Some(parts) = &self.0 else {
            return Ok(false);
        };
        let request = insert_with_room(slot);
        *request.method_mut() = parts.method.clone();
        *request.uri_mut() = match changes.target {
            Some(target) => uri_of_path(head_copy::of(target.as_bytes()))?,
            None => parts.uri.clone(),
        };
        let map = request.headers_mut();
        *map = parts.fields.clone();
        let mut slots = map.values_mut();
        let mut next = 0;
        for (at, value) in changes.fields() {
            let at = usize::from(at);
            if let Some(slot) = slots.nth(at - next) {
                *slot = value_of(head_copy::of(value))?;
            }
            next = at + 1;
        }
        Ok(true)
    }
}
