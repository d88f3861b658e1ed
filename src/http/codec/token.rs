//! Tokens (RFC 9110, 5.6.2).

/// Returns the length of the token at the start of `bytes` (RFC 9110, 5.6.2).
pub(super) fn token(bytes: &[u8]) -> usize {
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    bytes.iter().take_while(|byte| fits(byte)).count()
}
