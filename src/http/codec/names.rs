//! Field names without an allocation.

use http_types::headers::{self, HeaderName};

/// Returns the standard names of `length` bytes, the most frequent first.
fn candidates(length: usize) -> &'static [HeaderName] {
    match length {
        2 => const { &[headers::TE] },
        3 => const { &[headers::AGE, headers::VIA] },
        4 => {
            const {
                &[
                    headers::HOST,
                    headers::DATE,
                    headers::ETAG,
                    headers::FROM,
                    headers::VARY,
                ]
            }
        }
        5 => const { &[headers::ALLOW] },
        6 => {
            const {
                &[
                    headers::ACCEPT,
                    headers::COOKIE,
                    headers::ORIGIN,
                    headers::PRAGMA,
                    headers::EXPECT,
                    headers::SERVER,
                ]
            }
        }
        7 => {
            const {
                &[
                    headers::REFERER,
                    headers::UPGRADE,
                    headers::EXPIRES,
                    headers::TRAILER,
                    headers::WARNING,
                ]
            }
        }
        8 => const { &[headers::IF_MATCH, headers::IF_RANGE, headers::LOCATION] },
        9 => const { &[headers::FORWARDED, headers::SOURCE_MAP] },
        10 => {
            const {
                &[
                    headers::USER_AGENT,
                    headers::CONNECTION,
                    headers::SET_COOKIE,
                ]
            }
        }
        11 => const { &[headers::RETRY_AFTER, headers::TRACEPARENT] },
        12 => const { &[headers::CONTENT_TYPE, headers::MAX_FORWARDS] },
        13 => {
            const {
                &[
                    headers::CACHE_CONTROL,
                    headers::AUTHORIZATION,
                    headers::IF_NONE_MATCH,
                    headers::ACCEPT_RANGES,
                    headers::CONTENT_RANGE,
                    headers::LAST_MODIFIED,
                    headers::SERVER_TIMING,
                ]
            }
        }
        14 => const { &[headers::CONTENT_LENGTH, headers::ACCEPT_CHARSET] },
        15 => {
            const {
                &[
                    headers::ACCEPT_ENCODING,
                    headers::ACCEPT_LANGUAGE,
                    headers::CLEAR_SITE_DATA,
                ]
            }
        }
        16 => {
            const {
                &[
                    headers::CONTENT_ENCODING,
                    headers::CONTENT_LANGUAGE,
                    headers::CONTENT_LOCATION,
                    headers::PROXY_CONNECTION,
                    headers::WWW_AUTHENTICATE,
                ]
            }
        }
        17 => const { &[headers::IF_MODIFIED_SINCE, headers::TRANSFER_ENCODING] },
        18 => const { &[headers::PROXY_AUTHENTICATE] },
        19 => {
            const {
                &[
                    headers::IF_UNMODIFIED_SINCE,
                    headers::PROXY_AUTHORIZATION,
                    headers::TIMING_ALLOW_ORIGIN,
                ]
            }
        }
        22 => const { &[headers::ACCESS_CONTROL_MAX_AGE] },
        27 => const { &[headers::ACCESS_CONTROL_ALLOW_ORIGIN] },
        28 => {
            const {
                &[
                    headers::ACCESS_CONTROL_ALLOW_HEADERS,
                    headers::ACCESS_CONTROL_ALLOW_METHODS,
                ]
            }
        }
        29 => {
            const {
                &[
                    headers::ACCESS_CONTROL_EXPOSE_HEADERS,
                    headers::ACCESS_CONTROL_REQUEST_METHOD,
                ]
            }
        }
        30 => const { &[headers::ACCESS_CONTROL_REQUEST_HEADERS] },
        32 => const { &[headers::ACCESS_CONTROL_ALLOW_CREDENTIALS] },
        _ => &[],
    }
}

/// Returns the name of a field, whatever its case; `None` if `http_types` does not accept it.
///
/// `raw` is a token (RFC 9110, 5.1), as httparse returns it. Only a name that `http_types` has no
/// constant for costs an allocation.
pub(super) fn header_name(raw: &str) -> Option<HeaderName> {
    candidates(raw.len())
        .iter()
        .find(|name| name.as_str().eq_ignore_ascii_case(raw))
        .cloned()
        .or_else(|| raw.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

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
