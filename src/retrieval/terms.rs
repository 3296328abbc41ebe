//! From words to search terms: synonyms become one term, words that say nothing count little.

use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::LazyLock;

use crate::text::normalise::normalise;
use crate::text::span::ByteSpan;

/// The synonyms of a bot.
#[derive(Clone, Debug)]
pub(super) struct Vocabulary {
    canonical: Arc<HashMap<String, String>>,
}

impl Vocabulary {
    /// * `groups`: words that mean the same, the canonical one first.
    pub(super) fn new(groups: &[Vec<String>]) -> Self {
        let mut canonical = HashMap::new();
        for group in groups {
            let Some(first) = group.first() else { continue };
            let first = normalise(first).as_str().to_owned();
            for word in group {
                canonical.insert(normalise(word).as_str().to_owned(), first.clone());
            }
        }
        Self { canonical: Arc::new(canonical) }
    }

    /// The term that stands for a word: its group's canonical word, else itself.
    pub(super) fn term<'a>(&'a self, word: &'a str) -> &'a str {
        self.canonical.get(word).map_or(word, String::as_str)
    }

    /// Distinct terms of a text in order of first appearance; signs, blanks and the figures of an order, a
    /// parcel or a telephone are no terms.
    pub(super) fn terms(&self, text: &str, words: &[ByteSpan]) -> Vec<String> {
        let mut seen = HashSet::new();
        words
            .iter()
            .map(|span| span.of(text))
            .filter(|word| word.chars().any(char::is_alphanumeric) && !is_reference(word))
            .map(|word| self.term(word))
            .filter(|term| seen.insert((*term).to_owned()))
            .map(str::to_owned)
            .collect()
    }
}

/// Whether a word is a number that names one thing in the world: seven figures or more, letters before them or not.
fn is_reference(word: &str) -> bool {
    word.is_ascii() && word.bytes().filter(u8::is_ascii_digit).count() >= 7
}

/// Distinct pairs of neighbouring letters or characters, signs and blanks left out.
pub(super) fn bigrams(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().filter(|c| c.is_alphanumeric()).collect();
    let mut seen = HashSet::new();
    characters
        .windows(2)
        .map(|pair| pair.iter().collect::<String>())
        .filter(|pair| seen.insert(pair.clone()))
        .collect()
}

/// How much rarer than everything a term is, from the number of entries that hold it.
#[derive(Clone, Debug, Default)]
pub(super) struct Rarity {
    n_owners: usize,
    owners_of: HashMap<String, usize>,
}

impl Rarity {
    /// Counts each owner's distinct terms.
    pub(super) fn count<'t>(owners: impl Iterator<Item = HashSet<&'t str>>) -> Self {
        let mut rarity = Self::default();
        for terms in owners {
            rarity.n_owners += 1;
            for term in terms {
                *rarity.owners_of.entry(term.to_owned()).or_default() += 1;
            }
        }
        rarity
    }

    /// Weight of a term: the inverse document frequency of BM25 over owners, a tenth of it for a word
    /// that only greets, asks or begs. Positive; highest for a term that nobody has.
    ///
    /// Source: Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009, section 3.
    pub(super) fn weight(&self, term: &str) -> f32 {
        let holders = self.owners_of.get(term).copied().unwrap_or(0) as f32;
        let idf = (1.0 + (self.n_owners as f32 - holders + 0.5) / (holders + 0.5)).ln();
        if is_empty_word(term) { idf * 0.1 } else { idf }
    }

    /// Whether any owner holds the term.
    pub(super) fn knows(&self, term: &str) -> bool {
        self.owners_of.contains_key(term)
    }

    /// Sum of the weights of `terms`.
    pub(super) fn mass<'t>(&self, terms: impl Iterator<Item = &'t String>) -> f32 {
        terms.map(|term| self.weight(term)).sum()
    }
}

/// Whether a term carries manners or grammar and no topic.
pub(super) fn is_empty_word(term: &str) -> bool {
    EMPTY_WORDS.contains(term)
}

/// Chosen by hand.
static EMPTY_WORDS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    "的 了 吗 呢 吧 啊 呀 哦 噢 嗯 哈 么 嘛 呗 哎 唉 诶 喂 亲 亲亲 您 你 我 他 她 它 们 你们 我们 他们 咱 咱们 大家 \
     请问 请 想问 想问下 问一下 问下 问 一下 下 麻烦 谢谢 老板 客服 小姐姐 亲爱 那个 这个 那 这 个 些 有点 就是 就 都 也 还 \
     又 再 很 太 真 好 是 在 到 把 被 给 跟 和 与 或 但 但是 不过 然后 所以 因为 如果 已经 现在 刚刚 刚 刚才 要 想 想要 能 可以 会 \
     可不可以 能不能 怎么 怎样 咋 如何 什么 为什么 为啥 啥 多 点 帮 帮忙 帮我 一个 自己 知道 觉得 看 看看 说 告诉 来 去 上 里 \
     么样 怎么样 怎么办 咋办 咋整 求 急 有 没 没有 有没有 不 人 款 件 条 双 色 得 着 过 地 之 对 呀 哟 哇"
        .split_whitespace()
        .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn synonyms_become_their_canonical_word() {
        let vocabulary = Vocabulary::new(&[vec!["衬衫".into(), "衬衣".into(), "ＳＨＩＲＴ".into()]]);
        assert_eq!(vocabulary.term("衬衣"), "衬衫");
        assert_eq!(vocabulary.term("shirt"), "衬衫");
        assert_eq!(vocabulary.term("裤子"), "裤子");
    }

    #[test]
    fn rare_terms_weigh_more_and_empty_words_little() {
        let owners = [["退货", "的"], ["发票", "的"], ["运费", "的"]];
        let rarity = Rarity::count(owners.iter().map(|terms| terms.iter().copied().collect()));
        assert!(rarity.weight("退货") > rarity.weight("的"));
        assert!(rarity.weight("火星") > rarity.weight("退货"));
        assert!(rarity.weight("请问") < rarity.weight("退货"));
        assert!(!rarity.knows("火星"));
    }
}
