//! Which of the offered choices a message picks: `2`, `第二个`, `最后一个`, or its words.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;

use crate::policy::state::Choice;
use crate::policy::state::Target;
use crate::text::normalise::normalise;

/// Dice's coefficient of the bigrams from which on words count as the title's. Chosen by hand.
const SAME_WORDS_MIN: f32 = 0.6;

/// The place of the choice that `text` (normal form) picks, if it clearly picks one.
#[must_use]
pub fn pick(text: &str, choices: &[Choice]) -> Option<usize> {
    if choices.is_empty() {
        return None;
    }
    by_number(text, choices.len()).or_else(|| by_refusal(text, choices)).or_else(|| by_words(text, choices))
}

fn by_number(text: &str, n_choices: usize) -> Option<usize> {
    let captures = NUMBER.captures(text)?;
    if captures.name("last").is_some() {
        return Some(n_choices - 1);
    }
    let digit = captures.name("digit")?.as_str();
    let number = digit.parse::<usize>().ok().or_else(|| {
        "一二三四五六七八九".chars().position(|numeral| digit.starts_with(numeral)).map(|at| at + 1)
    })?;
    (1..=n_choices).contains(&number).then(|| number - 1)
}

fn by_refusal(text: &str, choices: &[Choice]) -> Option<usize> {
    REFUSAL.is_match(text).then(|| choices.iter().position(|choice| choice.target == Target::Human)).flatten()
}

/// The only title that contains the words, or else the one that is nearly the same.
fn by_words(text: &str, choices: &[Choice]) -> Option<usize> {
    let said = pairs(text);
    if said.is_empty() {
        return None;
    }
    let titles: Vec<String> =
        choices.iter().map(|choice| normalise(&choice.title).as_str().to_owned()).collect();
    let mut holding = (0..titles.len()).filter(|at| titles[*at].contains(text));
    if let (Some(only), None) = (holding.next(), holding.next()) {
        return Some(only);
    }
    let likeness = |title: &String| {
        let own = pairs(title);
        2.0 * own.intersection(&said).count() as f32 / (own.len() + said.len()) as f32
    };
    titles
        .iter()
        .enumerate()
        .map(|(at, title)| (at, likeness(title)))
        .filter(|(_, likeness)| *likeness >= SAME_WORDS_MIN)
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(at, _)| at)
}

fn pairs(text: &str) -> HashSet<(char, char)> {
    let letters: Vec<char> = text.chars().filter(|c| c.is_alphanumeric()).collect();
    letters.windows(2).map(|pair| (pair[0], pair[1])).collect()
}

static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"^(?:那|就|我?选|我?要|看|是|问的是)*\s*",
        r"(?:(?P<last>最后(?:一|那)?个?)|第?\s*(?P<digit>[1-9]|[一二三四五六七八九])\s*(?:个|条|项|款|号|种)?)",
        r"\s*(?:吧|呢|啊|呀|的|那个|谢谢)*[.,。、!~?]*$"
    ))
    .expect("a fixed expression")
});

static REFUSAL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"都不(?:是|对)|不是这(?:些|个|几个)|没有我(?:要|想)|^不是[.。!]?$|以上都不")
        .expect("a fixed expression")
});

#[cfg(test)]
mod tests {
    use super::*;

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
