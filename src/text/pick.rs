//! Which of several offered titles a message picks: `2`, `第二个`, `最后一个`, or its words.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;

use crate::text::normalise::normalise;

/// Dice's coefficient of the bigrams from which on words count as the title's. Chosen by hand.
const SAME_WORDS_MIN: f32 = 0.6;

/// The place that a number in `text` (normal form) names, counted from 0, of `n_titles`.
#[must_use]
pub fn by_number(text: &str, n_titles: usize) -> Option<usize> {
    let captures = NUMBER.captures(text)?;
    if captures.name("last").is_some() {
        return n_titles.checked_sub(1);
    }
    let digit = captures.name("digit")?.as_str();
    let number = digit.parse::<usize>().ok().or_else(|| {
        "一二三四五六七八九".chars().position(|numeral| digit.starts_with(numeral)).map(|at| at + 1)
    })?;
    (1..=n_titles).contains(&number).then(|| number - 1)
}

/// The only title that contains the words (normal form), or else the one that is nearly the same.
#[must_use]
pub fn by_words(text: &str, titles: &[String]) -> Option<usize> {
    let said = pairs(text);
    if said.is_empty() {
        return None;
    }
    let titles: Vec<String> = titles.iter().map(|title| normalise(title).as_str().to_owned()).collect();
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
