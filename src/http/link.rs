//! Links to attachments that work for some days and cannot be changed.

use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use jiff::Span;
use jiff::Timestamp;
use jiff::Zoned;
use jiff::civil::Date;
use sha2::Sha256;

use crate::secret::Secret;
use crate::secret::same_bytes;
use crate::text::hex::lower_hex;
use crate::text::percent::percent_encoded;

/// Signs and checks links.
#[derive(Clone, Debug)]
pub struct Signer {
    key: Secret,
    days: u32,
}

/// How long the links of one reply work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// The last day, in the bot's time zone.
    pub last_day: Date,
    /// The end of it.
    until: Timestamp,
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
    /// * `days`: that a link works, where a bot does not say.
    #[must_use]
    pub fn new(key: Secret, days: u32) -> Self {
        Self { key, days }
    }

    /// How long a link works that is handed out now: until the end of a whole day, so that the same attachment has the
    /// same link, and a cache a use, all day long.
    ///
    /// * `days`: the bot's own number of days, where it has one.
    /// * `now`: in the bot's time zone.
    #[must_use]
    pub fn term(&self, days: Option<u32>, now: &Zoned) -> Term {
        let days = i32::try_from(days.unwrap_or(self.days)).unwrap_or(i32::MAX);
        let last_day = now.date().saturating_add(Span::new().days(days));
        let next = last_day.tomorrow().unwrap_or(Date::MAX).to_zoned(now.time_zone().clone());
        Term { last_day, until: next.map_or(Timestamp::MAX, |next| next.timestamp()) }
    }

    /// Path of a link: `/a/BOT/EXPIRES/SIGNATURE/PATH`.
    #[must_use]
    pub fn path(&self, bot: &str, path: &str, term: Term) -> String {
        let expires = term.until.as_second();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_opens_what_it_names_until_its_day_is_over() {
        let signer = Signer::new(Secret::new("key"), 7);
        let now: Zoned = "2026-11-22T18:00:00[Asia/Shanghai]".parse().unwrap();
        let term = signer.term(None, &now);
        assert_eq!(term.last_day, jiff::civil::date(2026, 11, 29));
        let link = signer.path("shop", "attachments/尺码 表.png", term);
        let parts: Vec<&str> = link.split('/').collect();
        assert_eq!(parts[2], "shop");
        assert!(link.ends_with("attachments/%E5%B0%BA%E7%A0%81%20%E8%A1%A8.png"), "{link}");
        let (expires, signature) = (parts[3].parse().unwrap(), parts[4]);
        let check = |path, now| signer.check("shop", expires, signature, path, now);
        let at = |text: &str| text.parse::<Zoned>().unwrap().timestamp();
        assert_eq!(check("attachments/尺码 表.png", now.timestamp()), Ok(()));
        assert_eq!(check("bot.toml", now.timestamp()), Err(LinkError::Forged));
        let last = at("2026-11-29T23:59:59[Asia/Shanghai]");
        assert_eq!(check("attachments/尺码 表.png", last), Ok(()));
        let later = at("2026-11-30T00:00:00[Asia/Shanghai]");
        assert_eq!(check("attachments/尺码 表.png", later), Err(LinkError::Expired));
        let other = Signer::new(Secret::new("other"), 7);
        assert_eq!(
            other.check("shop", expires, signature, "attachments/尺码 表.png", now.timestamp()),
            Err(LinkError::Forged)
        );
        assert_eq!(
            signer.term(Some(1), &now).last_day,
            jiff::civil::date(2026, 11, 23),
            "the bot's own days"
        );
    }
}
