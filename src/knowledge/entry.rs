//! A FAQ entry: one answer and all the ways of asking for it.

use jiff::civil::Date;

use crate::knowledge::Source;

/// One answer with its question and phrasings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Unique within the bot; given by the author, else derived from the question.
    pub id: String,
    /// Topic id; `[topics]` of `bot.toml` gives its Chinese title.
    pub topic: String,
    /// The question as the maintainer words it; shown when the bot asks back.
    pub question: String,
    /// Other ways of asking the same.
    pub phrasings: Vec<String>,
    /// The answer: a template of `reply`, never blank in a bot that may be served.
    pub answer: String,
    /// Name of a reply in `replies.toml` whose parts follow the answer.
    pub reply: Option<String>,
    /// When the answer may be used.
    pub validity: Validity,
    /// Where it was written.
    pub source: Source,
}

/// A period of whole days in the bot's time zone; both ends are included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Validity {
    /// First day; open when absent.
    pub from: Option<Date>,
    /// Last day; open when absent.
    pub until: Option<Date>,
}

/// Days before its end in which a maintainer is told of it.
const SOON_DAYS: i32 = 14;

impl Validity {
    /// Whether `day` lies in the last two weeks of the period.
    #[must_use]
    pub fn ends_soon(&self, day: Date) -> bool {
        let left = self.until.and_then(|until| day.until(until).ok()).map(|left| left.get_days());
        left.is_some_and(|days| (0..=SOON_DAYS).contains(&days))
    }

    /// Whether `day` lies inside the period.
    #[must_use]
    pub fn contains(&self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day <= until)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn an_end_is_near_for_two_weeks() {
        let period = Validity { from: None, until: Some(date(2027, 1, 1)) };
        let days = [date(2026, 12, 17), date(2026, 12, 18), date(2027, 1, 1), date(2027, 1, 2)];
        assert_eq!(days.map(|day| period.ends_soon(day)), [false, true, true, false]);
        assert!(!Validity::default().ends_soon(date(2027, 1, 1)));
    }
}
