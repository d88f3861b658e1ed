//! The `Date` of a response, formatted once a second.

use std::cell::RefCell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The length of an IMF-fixdate, `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7).
const LENGTH: usize = 29;

thread_local! {
    /// The last second that was formatted, and its text. One per thread: no request waits for another.
    static CACHE: RefCell<(u64, [u8; LENGTH])> = const { RefCell::new((u64::MAX, [0; LENGTH])) };
}

/// Appends the current date to `out`.
pub(super) fn write(out: &mut Vec<u8>) {
    // A clock before 1970 has not been set: the epoch is then as good as any date.
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    CACHE.with_borrow_mut(|(second, text)| {
        if *second != now {
            let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(now));
            if let Ok(bytes) = date.as_bytes().try_into() {
                (*second, *text) = (now, bytes);
            }
        }
        out.extend_from_slice(text);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_an_imf_fixdate() {
        let mut out = Vec::new();
        write(&mut out);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.len(), LENGTH);
        assert!(text.ends_with(" GMT"), "{text}");
        assert!(httpdate::parse_http_date(&text).is_ok(), "{text}");
    }
}
