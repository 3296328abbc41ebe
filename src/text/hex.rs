//! Bytes as people and protocols write them.

use std::fmt::Write as _;

/// Two lower-case hexadecimal digits a byte, nothing between them.
///
/// ```
/// assert_eq!(yingda::text::hex::lower_hex(&[0, 0xA5]), "00a5");
/// ```
#[must_use]
pub fn lower_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing into a string cannot fail");
        text
    })
}
