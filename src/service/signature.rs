//! Signatures after Standard Webhooks, on whatever we send to the shop's own systems.
//!
//! Source: Standard Webhooks specification, version 1: `webhook-id`, `webhook-timestamp` and
//! `webhook-signature: v1,base64(HMAC-SHA256(key, id.timestamp.body))`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use jiff::Timestamp;
use sha2::Sha256;

use crate::secret::Secret;

/// Bytes that a key may have.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A key to sign with: `whsec_` and base64 of 24 to 64 bytes.
#[derive(Debug)]
pub struct SigningKey(Secret);

/// It is no such key.
#[derive(Debug, thiserror::Error)]
#[error("the secret is not `whsec_` and base64 of 24 to 64 bytes")]
pub struct KeyError;

impl SigningKey {
    /// Takes a key.
    ///
    /// # Errors
    /// When it is none.
    pub fn new(secret: Secret) -> Result<Self, KeyError> {
        let n_bytes = bytes(&secret).map_or(0, |bytes| bytes.len());
        if KEY_BYTES.contains(&n_bytes) { Ok(Self(secret)) } else { Err(KeyError) }
    }

    /// A request with what says who sends it, when, and that nobody has changed it.
    ///
    /// * `id`: by which the other side knows a repetition.
    pub fn signed(
        &self,
        request: reqwest::RequestBuilder,
        id: &str,
        at: Timestamp,
        body: &str,
    ) -> reqwest::RequestBuilder {
        with_id(request, id, at).header("webhook-signature", self.signature(id, at.as_second(), body))
    }

    fn signature(&self, id: &str, at_second: i64, body: &str) -> String {
        let key = bytes(&self.0).expect("checked when it was taken");
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes keys of any length");
        mac.update(format!("{id}.{at_second}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// A request that says by what its repetition is known, for receivers that want no signature.
pub fn with_id(request: reqwest::RequestBuilder, id: &str, at: Timestamp) -> reqwest::RequestBuilder {
    request.header("webhook-id", id).header("webhook-timestamp", at.as_second())
}

fn bytes(key: &Secret) -> Option<Vec<u8>> {
    STANDARD.decode(key.expose().trim().strip_prefix("whsec_")?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_specification() {
        // Example of the Standard Webhooks libraries' own test suites.
        let key = SigningKey::new(Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")).unwrap();
        let signed = key.signature("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, "{\"test\": 2432232314}");
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for none in ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAAA", "whsec_!"] {
            assert!(SigningKey::new(Secret::new(none)).is_err(), "{none:?}");
        }
    }
}
