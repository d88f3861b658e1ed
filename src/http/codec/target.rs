//! The forms of a request target (RFC 9112, 3.2).

use super::host::check_host;
use super::path::check_path;
use super::refusal::Refusal;

/// The form of a request target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum TargetForm {
    /// A path, with or without a query: the usual one.
    Origin,
    /// A whole URL.
    Absolute,
    /// A host and a port: that of CONNECT.
    Authority,
    /// A `*`: OPTIONS of the server.
    Asterisk,
}

/// Returns the form of a target.
///
/// # Errors
///
/// The target breaks the grammar, can be read in two ways, or is not one of this method.
#[inline(always)]
pub(super) fn form_of(method: &str, target: &str) -> Result<TargetForm, Refusal> {
    // RFC 9112, 3.2.3: CONNECT has the authority form and no other.
    if method == "CONNECT" {
        if names_none(target) || !names_port(target) {
            return Err(Refusal::malformed("bad request target"));
        }
        check_host(target)?;
        Ok(TargetForm::Authority)
    } else if target.starts_with('/') {
        check_path(target)?;
        Ok(TargetForm::Origin)
    } else if target == "*" && method == "OPTIONS" {
        Ok(TargetForm::Asterisk)
    } else if is_absolute(target) {
        check_absolute(target)?;
        Ok(TargetForm::Absolute)
    } else {
        Err(Refusal::malformed("bad request target"))
    }
}

/// Returns true if `target` begins with a scheme that the server answers for.
fn is_absolute(target: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| {
        target
            .get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })
}

/// Returns the authority of an absolute target, or of one that is nothing but an authority.
pub(in crate::http) fn authority(target: &str) -> &str {
    let rest = target.split_once("://").map_or(target, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or_default()
}

/// Returns true if an authority has no host, or nothing but a port (RFC 9110, 4.2.1).
fn names_none(authority: &str) -> bool {
    authority.is_empty() || authority.starts_with(':')
}

/// Returns true if an authority has a port that can be one, as that of CONNECT must (RFC 9110, 9.3.6).
fn names_port(authority: &str) -> bool {
    let port = authority.rsplit_once(':').map(|(_, port)| port.parse());
    matches!(port, Some(Ok(1_u16..)))
}

/// Returns the path of an absolute target, with its query.
pub(in crate::http) fn path_of(target: &str) -> &str {
    let start = target.find("://").map_or(0, |at| at + 3);
    &target[start + authority(target).len()..]
}

/// Refuses what the URL parser reads in another way than the grammar does: a host behind more than
/// two slashes, a user in front of it, a fragment (RFC 9110, 4.2; RFC 9112, 3.2.2).
fn check_absolute(target: &str) -> Result<(), Refusal> {
    let host = authority(target);
    if names_none(host) || target.contains('#') {
        return Err(Refusal::malformed("bad request target"));
    }
    check_path(path_of(target))?;
    check_host(host)
}
