//! Whether a request was signed by somebody who knows the shop's key, after Standard Webhooks.
//!
//! Source: Standard Webhooks specification, version 1: `webhook-signature: v1,base64(HMAC-SHA256(key,
//! id.timestamp.body))`, several signatures separated by spaces.

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use jiff::Timestamp;
use sha2::Sha256;

use crate::simulate::shop::refusal::Refusal;

/// How far the sender's clock may be from ours, either way.
const APART_SECONDS_MAX: u64 = 300;

/// Checks the signature of a request.
///
/// * `id`: the `webhook-id`.
/// * `body`: exactly as it came.
///
/// # Errors
/// `Signature` for one that is missing, wrong, or too old.
pub(super) fn check(
    secret: &[u8],
    headers: &HeaderMap,
    id: &str,
    body: &[u8],
    now: Timestamp,
) -> Result<(), Refusal> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).ok_or(Refusal::Signature);
    let stamp = header("webhook-timestamp")?;
    let second: i64 = stamp.parse().map_err(|_no_number| Refusal::Signature)?;
    if now.as_second().abs_diff(second) > APART_SECONDS_MAX {
        return Err(Refusal::Signature);
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).map_err(|_bad_length| Refusal::Signature)?;
    mac.update(format!("{id}.{stamp}.").as_bytes());
    mac.update(body);
    let right = header("webhook-signature")?
        .split(' ')
        .filter_map(|one| one.strip_prefix("v1,"))
        // What is not base64 is no signature; another one in the header may be right.
        .filter_map(|one| STANDARD.decode(one).ok())
        .any(|one| mac.clone().verify_slice(&one).is_ok());
    if right { Ok(()) } else { Err(Refusal::Signature) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = b"{\"test\": 2432232314}";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const SIGNED_AT: i64 = 1_614_265_330;

    /// Checks the example of the Standard Webhooks libraries' own test suites.
    #[track_caller]
    fn check_example(signature: &str, body: &[u8], late_seconds: i64, right: bool) {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("webhook-timestamp", SIGNED_AT.into());
        headers.insert("webhook-signature", signature.parse().unwrap());
        let now = Timestamp::from_second(SIGNED_AT + late_seconds).unwrap();
        assert_eq!(check(&secret, &headers, ID, body, now).is_ok(), right, "{signature} {late_seconds}");
    }

    #[test]
    fn the_example_of_the_specification_is_right_and_nothing_else_is() {
        let right = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        check_example(right, BODY, 0, true);
        check_example(&format!("v1,AAAA v2,x {right}"), BODY, 0, true);
        check_example(right, BODY, 300, true);
        check_example(right, BODY, -300, true);
        check_example(right, BODY, 301, false);
        check_example(right, BODY, -301, false);
        check_example(right, b"{\"test\": 2432232315}", 0, false);
        check_example("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OA=", BODY, 0, false);
        check_example("v1,g0hM", BODY, 0, false);
        check_example(right.trim_start_matches("v1,"), BODY, 0, false);
    }
}
