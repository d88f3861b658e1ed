//! The grammar of a host, with its port (RFC 9110, 4.2.3 and 7.2; RFC 3986, 3.2.2).

use std::net::Ipv6Addr;

use super::refusal::Refusal;

/// Checks that `host` is a host, with or without a port.
///
/// A host is an IP literal in brackets, also with a zone (RFC 6874), or a name or an IPv4 address. An
/// empty one is a name.
///
/// # Errors
///
/// It has something else, such as a user or a path, which could be read in two ways.
pub(super) fn check_host(host: &str) -> Result<(), Refusal> {
    let (is_host, port) = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((literal, port)) => (is_literal(literal), port),
            None => (false, ""),
        },
        None => {
            let end = host.find(':').unwrap_or(host.len());
            (is_text(&host[..end], false), &host[end..])
        }
    };
    let digits = port.strip_prefix(':').unwrap_or(port);
    let is_port = digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_split = port.is_empty() || port.starts_with(':');
    match is_host && is_port && is_split {
        true => Ok(()),
        false => Err(Refusal::malformed("bad host")),
    }
}

/// Returns true for what may stand in brackets: an IPv6 address, with or without a zone, or an address of
/// a later version.
fn is_literal(literal: &str) -> bool {
    if let Some(later) = literal.strip_prefix(['v', 'V']) {
        let (version, address) = later.split_once('.').unwrap_or_default();
        let is_version = version.bytes().all(|byte| byte.is_ascii_hexdigit());
        return is_version && !version.is_empty() && !address.is_empty() && is_text(address, true);
    }
    let (address, zone) = match literal.split_once("%25") {
        Some((address, zone)) => (address, Some(zone)),
        None => (literal, None),
    };
    let is_zone = zone.is_none_or(|zone| !zone.is_empty() && is_text(zone, false));
    is_zone && address.parse::<Ipv6Addr>().is_ok()
}

/// Returns true if `text` has only what may stand in a name: letters, digits, some marks, and bytes that
/// are percent-encoded; with `colons` also colons.
fn is_text(text: &str, colons: bool) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() | (byte == b'.') | (byte == b'-');
    // Most are of these alone, and there is no branch per byte.
    if text.bytes().fold(true, |all, byte| all & is_plain(byte)) {
        return true;
    }
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let fits = match byte {
            b'%' => {
                let mut digit = || bytes.next().is_some_and(|byte| byte.is_ascii_hexdigit());
                digit() && digit()
            }
            b':' => colons,
            byte => byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte),
        };
        if !fits {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_what_the_grammar_says() {
        let hosts = "a a.b A_b~ pod.1 1.2.3.400 1.2.3.4 1.2.3.4:80 a: a:80 a:99999 :80 a%2Fb !$&'()*+,;= \
            [::1] [::1]: [::1]:80 [fe80::1%25eth0] [fe80::1%25e%20]: [::ffff:1.2.3.4] [v1.a:b] [V1f.~]";
        for host in hosts.split_whitespace().chain([""]) {
            assert!(check_host(host).is_ok(), "{host}");
        }
        let others = "u@a a/b a?b a#b a\\b a:b a:80:80 a:-1 a% a%2 a%zz a\"b a<b [::1 ::1] [::1]a [::1]80 \
            [] [1.2.3.4] [a] [::1%eth0] [fe80::1%25] [fe80::1%25a/b] [v.a] [v1.] [vx.a] [v1] [[::1]] ::1 \u{e4}";
        for host in others.split_whitespace().chain(["a b"]) {
            assert!(check_host(host).is_err(), "{host}");
        }
    }
}
