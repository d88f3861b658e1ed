//! From a head in the buffer to a request of `http_types`.

use http_types::{Request, Version};

use super::fields::{insert, method};
use super::model::Model;
use super::targets::Targets;
use crate::http::codec::{RawHead, Refusal, TargetForm, authority};
use crate::http::request_context::Arrival;

/// What a connection keeps from one head to the next.
#[derive(Debug)]
pub struct Memory {
    targets: Targets,
    model: Model,
}

impl Memory {
    pub(super) fn new(arrival: &Arrival) -> Self {
        Self {
            targets: Targets::new(&arrival.local, &arrival.peer),
            model: Model::default(),
        }
    }

    /// Frees what is remembered of earlier heads.
    pub(super) fn forget(&mut self) {
        self.targets.forget();
        self.model = Model::default();
    }
}

/// Makes a request of a head, and puts it into `slot`.
///
/// # Errors
///
/// `http_types` does not know the method.
#[inline(always)]
pub(super) fn make(
    memory: &mut Memory,
    head: &RawHead<'_>,
    slot: &mut Option<Request>,
) -> Result<(), Refusal> {
    let method = method(head.method)?;
    if memory.model.copy(method, head, slot)? {
        return Ok(());
    }
    let request = slot.insert(memory.targets.request(method, head)?);
    request.set_version(Some(match head.facts.is_http10 {
        true => Version::Http1_0,
        false => Version::Http1_1,
    }));
    for field in head.fields {
        insert(request, field.name, field.value)?;
    }
    // RFC 9112, 3.2.2: the target decides, if it names a host.
    let names_host = matches!(head.form, TargetForm::Absolute | TargetForm::Authority);
    if names_host && head.host.is_some() {
        request.insert_header("host", authority(head.target));
    }
    memory.model.remember(head, request);
    Ok(())
}
