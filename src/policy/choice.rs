//! Which of the offered choices a message picks: `2`, `第二个`, `最后一个`, or its words.

use std::sync::LazyLock;

use regex::Regex;

use crate::policy::state::Choice;
use crate::policy::state::Target;
use crate::text::pick::by_number;
use crate::text::pick::by_words;

/// The place of the choice that `text` (normal form) picks, if it clearly picks one.
#[must_use]
pub fn pick(text: &str, choices: &[Choice]) -> Option<usize> {
    if choices.is_empty() {
        return None;
    }
    let titles = || choices.iter().map(|choice| choice.title.clone()).collect::<Vec<_>>();
    by_number(text, choices.len()).or_else(|| by_refusal(text, choices)).or_else(|| by_words(text, &titles()))
}

fn by_refusal(text: &str, choices: &[Choice]) -> Option<usize> {
    REFUSAL.is_match(text).then(|| choices.iter().position(|choice| choice.target == Target::Human)).flatten()
}

static REFUSAL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"都不(?:是|对)|不是这(?:些|个|几个)|没有我(?:要|想)|^不是[.。!]?$|以上都不")
        .expect("a fixed expression")
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::normalise::normalise;

    #[track_caller]
    fn check(text: &str, expected: Option<usize>) {
        let choice = |title: &str, target| Choice { title: title.to_owned(), target };
        let choices = [
            choice("怎么申请退货", Target::Entry("a".into())),
            choice("退货运费谁承担", Target::Entry("b".into())),
            choice("电子发票怎么开", Target::Entry("c".into())),
            choice("都不是，转人工", Target::Human),
        ];
        assert_eq!(pick(normalise(text).as_str(), &choices), expected, "{text}");
    }

    #[test]
    fn numbers_in_every_writing() {
        for text in ["2", "２", "②", "2.", "2、", "第二个", "第2个吧", "二", "选2", "我选第二个", "要2号"]
        {
            check(text, Some(1));
        }
        check("最后一个", Some(3));
        check("9", None);
        check("0", None);
        check("2件", None);
    }

    #[test]
    fn the_words_understood() {
        check("发票", Some(2));
        check("运费", Some(1));
        check("退货运费谁承担", Some(1));
        check("都不是", Some(3));
        check("转人工", Some(3));
        check("退货", None);
        check("你们几点下班", None);
        check("", None);
        assert_eq!(pick("2", &[]), None);
    }
}
