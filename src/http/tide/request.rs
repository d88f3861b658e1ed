//! From a head in the buffer to a request of `http_types`.

use http_types::{Request, Version};

use super::fields::{insert, method};
use super::model::Model;
use super::targets::Targets;
use crate::http::codec::{Changes, RawHead, Refusal, TargetForm, authority};
use crate::http::request_context::Arrival;

/// What a connection keeps from one head to the next.
#[derive(Debug)]
pub struct Memory {
    targets: Targets,
    // Boxed, as an idle connection has none.
    model: Option<Box<Model>>,
}

impl Memory {
    pub(super) fn new(arrival: &Arrival) -> Self {
        Self {
            targets: Targets::new(&arrival.local, &arrival.peer, arrival.scheme()),
            model: None,
        }
    }

    /// Frees what is remembered of earlier heads.
    pub(super) fn forget(&mut self) {
        self.targets.forget();
        self.model = None;
    }

    /// Remembers a request as the model of the next ones. Returns false if it cannot be one.
    pub(super) fn remember(&mut self, head: &RawHead<'_>, request: &Request) -> bool {
        self.model = Model::of(head, request).map(Box::new);
        self.model.is_some()
    }

    /// Makes a request of the model, and puts it into `slot`; returns false if it cannot.
    #[inline(always)]
    pub(super) fn copy(
        &self,
        changes: &Changes<'_>,
        slot: &mut Option<Request>,
    ) -> Result<bool, Refusal> {
        let model = self.model.as_ref();
        model.map_or(Ok(false), |model| model.copy(changes, slot))
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
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::mem::size_of;

    use super::Memory;

    #[test]
    fn a_connection_that_remembers_nothing_is_small() {
        // Each idle connection has this. Of a request alone it would be five times as large.
        assert!(size_of::<Memory>() <= 128, "{} bytes", size_of::<Memory>());
    }
}
