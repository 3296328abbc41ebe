//! Words inside of an address.

use std::fmt::Write as _;

/// Every byte that RFC 3986 does not call unreserved as `%` and two upper-case digits.
///
/// ```
/// assert_eq!(yingda::text::percent::percent_encoded("a b/云~"), "a%20b%2F%E4%BA%91~");
/// ```
#[must_use]
pub fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => write!(encoded, "%{byte:02X}").expect("writing into a string cannot fail"),
        }
        encoded
    })
}
