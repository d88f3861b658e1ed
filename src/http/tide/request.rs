//! From a head in the buffer to a request of `http_types`.

use http_types::{Request, Version};

use super::fields::{insert, method};
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
        insert(request, field.name, field.value)?;
    }
    // RFC 9112, 3.2.2: the target decides, if it names a host.
    let names_host = matches!(head.form, TargetForm::Absolute | TargetForm::Authority);
    if names_host && head.host.is_some() {
        request.insert_header("host", authority(head.target));
    }
    Ok(())
}
