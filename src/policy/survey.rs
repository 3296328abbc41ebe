//! What a customer answers who was asked how content they are.

use std::sync::LazyLock;

use jiff::SignedDuration;
use jiff::Timestamp;
use regex::Regex;

use crate::message::Rating;
use crate::policy::state::State;
use crate::text::pick::by_number;

/// For so long an answer is taken for one: as long as 微信客服 lets us write to somebody.
const OPEN: SignedDuration = SignedDuration::from_hours(48);

/// The rating that a message (normal form) is, if the customer was asked and says nothing else.
#[must_use]
pub(super) fn rated(before: &State, text: &str, now: Timestamp) -> Option<Rating> {
    let asked_at = before.surveyed?;
    if now.duration_since(asked_at) > OPEN {
        return None;
    }
    let in_words = || WORDS.iter().find(|(_, words)| words.is_match(text)).map(|(rating, _)| *rating);
    by_number(text, Rating::ALL.len()).map(|at| Rating::ALL[at]).or_else(in_words)
}

static WORDS: LazyLock<[(Rating, Regex); 3]> = LazyLock::new(|| {
    let words = |rating, words: &str| {
        let whole = format!(r"^(?:我?选|我?觉得|评价)?(?:{words})(?:的|了|吧|啊|哦)?[.,。!~]*$");
        (rating, Regex::new(&whole).expect("a fixed expression"))
    };
    [
        words(Rating::Good, "(?:非常|很|挺|十分|比较|都|还)?(?:满意|好评|不错|挺好)|[五5]星|赞"),
        words(Rating::Fair, "(?:很)?一般般?|还行|还可以|凑合|将就|马马虎虎|[三3]星"),
        words(
            Rating::Poor,
            "(?:非常|很|十分|太|一点都)?不(?:太|怎么|是很)?满意|(?:很|太)?差(?:劲|评)?|[一1]星",
        ),
    ]
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::normalise::normalise;

    #[track_caller]
    fn check(text: &str, hours: i64, expected: Option<Rating>) {
        let asked = Timestamp::from_second(1_795_485_600).unwrap();
        let before = State { surveyed: Some(asked), ..State::default() };
        let now = asked + SignedDuration::from_hours(hours);
        assert_eq!(rated(&before, normalise(text).as_str(), now), expected, "{text}");
        assert_eq!(rated(&State::default(), normalise(text).as_str(), now), None, "{text}");
    }

    #[test]
    fn a_tap_a_number_and_plain_words_are_ratings() {
        for text in ["满意", "1", "①", "非常满意！", "很满意的", "第一个", "五星"] {
            check(text, 1, Some(Rating::Good));
        }
        for text in ["一般", "2", "还行吧", "一般般"] {
            check(text, 1, Some(Rating::Fair));
        }
        for text in ["不满意", "3", "很不满意", "不太满意", "差评", "太差了"] {
            check(text, 1, Some(Rating::Poor));
        }
    }

    #[test]
    fn a_new_wish_is_none_and_an_old_question_is_closed() {
        for text in ["不满意 我要投诉", "黑色衬衫有货吗", "满意度调查是什么", "4", "", "质量不错 再来两件"]
        {
            check(text, 1, None);
        }
        check("满意", 49, None);
    }
}
