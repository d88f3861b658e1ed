//! Field names without an allocation.

use http_types::headers::HeaderName;

/// The standard names by their length in bytes, the most frequent first.
static STANDARD: [&[HeaderName]; 33] = {
    use http_types::headers::*;
    [
        /* 0 */ &[],
        /* 1 */ &[],
        /* 2 */ &[TE],
        /* 3 */ &[AGE, VIA],
        /* 4 */ &[HOST, DATE, ETAG, FROM, VARY],
        /* 5 */ &[ALLOW],
        /* 6 */ &[ACCEPT, COOKIE, ORIGIN, PRAGMA, EXPECT, SERVER],
        /* 7 */ &[REFERER, UPGRADE, EXPIRES, TRAILER, WARNING],
        /* 8 */ &[IF_MATCH, IF_RANGE, LOCATION],
        /* 9 */ &[FORWARDED, SOURCE_MAP],
        /* 10 */ &[USER_AGENT, CONNECTION, SET_COOKIE],
        /* 11 */ &[RETRY_AFTER, TRACEPARENT],
        /* 12 */ &[CONTENT_TYPE, MAX_FORWARDS],
        /* 13 */
        &[
            CACHE_CONTROL,
            AUTHORIZATION,
            IF_NONE_MATCH,
            ACCEPT_RANGES,
            CONTENT_RANGE,
            LAST_MODIFIED,
            SERVER_TIMING,
        ],
        /* 14 */ &[CONTENT_LENGTH, ACCEPT_CHARSET],
        /* 15 */ &[ACCEPT_ENCODING, ACCEPT_LANGUAGE, CLEAR_SITE_DATA],
        /* 16 */
        &[
            CONTENT_ENCODING,
            CONTENT_LANGUAGE,
            CONTENT_LOCATION,
            PROXY_CONNECTION,
            WWW_AUTHENTICATE,
        ],
        /* 17 */ &[IF_MODIFIED_SINCE, TRANSFER_ENCODING],
        /* 18 */ &[PROXY_AUTHENTICATE],
        /* 19 */
        &[
            IF_UNMODIFIED_SINCE,
            PROXY_AUTHORIZATION,
            TIMING_ALLOW_ORIGIN,
        ],
        /* 20 */ &[],
        /* 21 */ &[],
        /* 22 */ &[ACCESS_CONTROL_MAX_AGE],
        /* 23 */ &[],
        /* 24 */ &[],
        /* 25 */ &[],
        /* 26 */ &[],
        /* 27 */ &[ACCESS_CONTROL_ALLOW_ORIGIN],
        /* 28 */ &[ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS],
        /* 29 */ &[ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_REQUEST_METHOD],
        /* 30 */ &[ACCESS_CONTROL_REQUEST_HEADERS],
        /* 31 */ &[],
        /* 32 */ &[ACCESS_CONTROL_ALLOW_CREDENTIALS],
    ]
};

/// Returns the name of a field, whatever its case; `None` if `http_types` does not accept it.
///
/// `raw` is a token (RFC 9110, 5.1), as httparse returns it. Only a name that `http_types` has no
/// constant for costs an allocation.
pub(super) fn header_name(raw: &str) -> Option<HeaderName> {
    let candidates = STANDARD.get(raw.len()).copied().unwrap_or_default();
    candidates
        .iter()
        .find(|name| name.as_str().eq_ignore_ascii_case(raw))
        .cloned()
        .or_else(|| raw.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_standard_name_stands_at_its_length() {
        for (length, names) in STANDARD.iter().enumerate() {
            assert!(names.iter().all(|name| name.as_str().len() == length));
        }
    }

    #[test]
    fn ignores_case_and_takes_unknown_names() {
        assert_eq!(header_name("HOST").unwrap().as_str(), "host");
        assert_eq!(header_name("User-Agent").unwrap().as_str(), "user-agent");
        assert_eq!(
            header_name("X-Request-Id").unwrap().as_str(),
            "x-request-id"
        );
    }
}
