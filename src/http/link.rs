//! Links to attachments that work for some days and cannot be changed.

use std::fmt::Write as _;

use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use jiff::SignedDuration;
use jiff::Timestamp;
use sha2::Sha256;

use crate::secret::Secret;
use crate::secret::same_bytes;
use crate::text::hex::lower_hex;

/// Signs and checks links.
#[derive(Clone, Debug)]
pub struct Signer {
    key: Secret,
    days: u32,
}

/// Why a link does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkError {
    /// Somebody changed it.
    Forged,
    /// Its days are over.
    Expired,
}

impl Signer {
    /// * `key`: random, kept in the store.
    /// * `days`: that a link works.
    #[must_use]
    pub fn new(key: Secret, days: u32) -> Self {
        Self { key, days }
    }

    /// Path of a link: `/a/BOT/EXPIRES/SIGNATURE/PATH`. It expires at the end of a whole day, so that the
    /// same attachment has the same link, and a cache a use, all day long.
    #[must_use]
    pub fn path(&self, bot: &str, path: &str, now: Timestamp) -> String {
        let until = now.saturating_add(SignedDuration::from_hours(24 * (i64::from(self.days) + 1)));
        let until = until.map_or(i64::MAX, |until| until.as_second());
        let expires = until - until.rem_euclid(86_400);
        let encoded: Vec<String> = path.split('/').map(percent_encoded).collect();
        format!(
            "/a/{}/{expires}/{}/{}",
            percent_encoded(bot),
            self.signature(bot, expires, path),
            encoded.join("/")
        )
    }

    /// Checks a link.
    ///
    /// # Errors
    /// `Forged` before `Expired`: a stranger learns nothing about files by trying.
    pub fn check(
        &self,
        bot: &str,
        expires: i64,
        signature: &str,
        path: &str,
        now: Timestamp,
    ) -> Result<(), LinkError> {
        if !same_bytes(self.signature(bot, expires, path).as_bytes(), signature.as_bytes()) {
            return Err(LinkError::Forged);
        }
        if now.as_second() >= expires { Err(LinkError::Expired) } else { Ok(()) }
    }

    /// The first 128 bits of HMAC-SHA256, in hexadecimal digits.
    fn signature(&self, bot: &str, expires: i64, path: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.expose().as_bytes())
            .expect("HMAC takes a key of any length");
        mac.update(format!("{bot}\n{expires}\n{path}").as_bytes());
        lower_hex(&mac.finalize().into_bytes()[..16])
    }
}

fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte))
            }
            _ => write!(encoded, "%{byte:02X}").expect("writing into a string cannot fail"),
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_opens_what_it_names_until_its_day_is_over() {
        let signer = Signer::new(Secret::new("key"), 7);
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let link = signer.path("shop", "attachments/尺码 表.png", now);
        let parts: Vec<&str> = link.split('/').collect();
        assert_eq!(parts[2], "shop");
        assert!(link.ends_with("attachments/%E5%B0%BA%E7%A0%81%20%E8%A1%A8.png"), "{link}");
        let (expires, signature) = (parts[3].parse().unwrap(), parts[4]);
        let check = |path, now| signer.check("shop", expires, signature, path, now);
        assert_eq!(check("attachments/尺码 表.png", now), Ok(()));
        assert_eq!(check("bot.toml", now), Err(LinkError::Forged));
        let week = now + SignedDuration::from_hours(7 * 24);
        assert_eq!(check("attachments/尺码 表.png", week), Ok(()));
        let later = now + SignedDuration::from_hours(9 * 24);
        assert_eq!(check("attachments/尺码 表.png", later), Err(LinkError::Expired));
        let other = Signer::new(Secret::new("other"), 7);
        assert_eq!(
            other.check("shop", expires, signature, "attachments/尺码 表.png", now),
            Err(LinkError::Forged)
        );
    }
}
