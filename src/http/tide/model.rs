//! The last request of a connection, as a model of the next.

use http_types::Request;
use http_types::headers::HeaderName;

use super::fields::value_of;
use super::targets::set_target;
use crate::http::codec::{Changes, RawHead, Refusal};

/// The last request of a connection, as a model of the next.
///
/// A copy of it needs no name parsed or hashed, and no map grown: only the values that differ are put into it.
#[derive(Debug)]
pub(super) struct Model {
    request: Request,

    /// The names of the map, as it is gone through, and which field of the head each is.
    order: Vec<(HeaderName, u8)>,
}

impl Model {
    /// Makes a model of a request, if each name of its head comes once.
    pub(super) fn of(head: &RawHead<'_>, request: &Request) -> Option<Self> {
        // The copy has no channel for trailers.
        let request = request.clone();
        let place = |name: &HeaderName| {
            let mut fields = head.fields.iter();
            let at = fields.position(|field| name.as_str().eq_ignore_ascii_case(field.name))?;
            Some((name.clone(), u8::try_from(at).ok()?))
        };
        let order: Option<Vec<_>> = request.iter().map(|(name, _)| place(name)).collect();
        // One that comes twice has one entry.
        let order = order.filter(|order| order.len() == head.fields.len())?;
        Some(Self { request, order })
    }

    /// Makes a request with some changes, and puts it into `slot`; returns false if it cannot.
    ///
    /// # Errors
    ///
    /// A value is none that `http_types` takes.
    #[inline(always)]
    pub(super) fn copy(
        &self,
        changes: &Changes<'_>,
        slot: &mut Option<Request>,
    ) -> Result<bool, Refusal> {
        let request = slot.insert(self.request.clone());
        if let Some(target) = changes.target {
            set_target(request.url_mut(), target);
        }
        let mut left = changes.fields().count();
        for ((name, values), (known, at)) in request.iter_mut().zip(&self.order) {
            if left == 0 {
                break;
            }
            let Some((_, value)) = changes.fields().find(|(changed, _)| changed == at) else {
                continue;
            };
            match values.get_mut(0) {
                Some(slot) if name == known => *slot = value_of(value)?,
                _ => return Ok(false),
            }
            left -= 1;
        }
        Ok(left == 0)
    }
}
