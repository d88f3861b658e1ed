//! The last request of a connection, as a model of the next.

use http_types::{Method, Request};

use super::fields::value_of;
use super::targets::set_target;
use crate::http::codec::{RawHead, Refusal, RequestFraming, TargetForm};

/// The longest target, and the longest head, that is remembered, in bytes.
const LONGEST_TARGET: usize = 128;
const LONGEST_HEAD: usize = 2048;
/// No more models are made once this many in a row were of no use.
const MOST_MISSES: u8 = 4;

/// The last request of a connection, as a model of the next.
///
/// The heads of one client mostly have the same host and the same fields, and most of their values. A copy
/// of the last request needs no name parsed or hashed, and no map grown: only the values that differ are
/// put into it.
#[derive(Debug, Default)]
pub(super) struct Model {
    last: Option<Box<Last>>,

    /// How many fields the last head had that was not made of a model.
    count: usize,

    misses: u8,
}

#[derive(Debug)]
struct Last {
    request: Request,
    host: String,
    target: String,

    /// Which field each entry of the map stands for, as the map is gone through.
    order: Vec<u8>,
}

impl Model {
    /// Makes a request of a head by the model, and puts it into `slot`. Returns false if they differ too much;
    /// then `slot` is empty.
    ///
    /// # Errors
    ///
    /// A value is none that `http_types` takes.
    #[inline(always)]
    pub(super) fn copy(
        &mut self,
        method: Method,
        head: &RawHead<'_>,
        slot: &mut Option<Request>,
    ) -> Result<bool, Refusal> {
        let Some(last) = self.last.as_deref_mut().filter(|last| last.is_like(head)) else {
            return Ok(false);
        };
        if last.target != head.target {
            set_target(last.request.url_mut(), head.target);
            last.target.clear();
            last.target.push_str(head.target);
        }
        let request = slot.insert(last.request.clone());
        request.set_method(method);
        for ((name, values), &at) in request.iter_mut().zip(&last.order) {
            let field = &head.fields[usize::from(at)];
            if !name.as_str().eq_ignore_ascii_case(field.name) {
                *slot = None;
                return Ok(false);
            }
            if let Some(value) = values.get_mut(0) {
                if value.as_str().as_bytes() != field.value {
                    *value = value_of(field.value)?;
                }
            }
        }
        self.misses = 0;
        Ok(true)
    }

    /// Remembers a request that was not made of the model, if it is likely that more come that are like it.
    pub(super) fn remember(&mut self, head: &RawHead<'_>, request: &Request) {
        self.last = None;
        let is_second = std::mem::replace(&mut self.count, head.fields.len()) == head.fields.len();
        let is_short = head.target.len() <= LONGEST_TARGET && head.bytes.len() <= LONGEST_HEAD;
        if !is_second || !is_short || !is_plain(head) || self.misses == MOST_MISSES {
            return;
        }
        let request = request.clone();
        let place = |name: &str| {
            let mut fields = head.fields.iter();
            let at = fields.position(|field| name.eq_ignore_ascii_case(field.name))?;
            u8::try_from(at).ok()
        };
        let order: Option<Vec<_>> = request
            .iter()
            .map(|(name, _)| place(name.as_str()))
            .collect();
        // One that comes twice has one entry.
        let order = order.filter(|order| order.len() == head.fields.len());
        self.last = order.map(|order| {
            self.misses += 1;
            Box::new(Last {
                request,
                order,
                host: head.host.unwrap_or_default().to_owned(),
                target: head.target.to_owned(),
            })
        });
    }
}

impl Last {
    fn is_like(&self, head: &RawHead<'_>) -> bool {
        self.order.len() == head.fields.len()
            && is_plain(head)
            && head.target.len() <= LONGEST_TARGET
            && head.host == Some(&self.host)
    }
}

/// Returns true for a head whose request has a path for target, and no trailers.
fn is_plain(head: &RawHead<'_>) -> bool {
    let facts = head.facts;
    head.form == TargetForm::Origin && facts.framing != RequestFraming::Chunked && !facts.is_http10
}
