//! Messages that lean on what was said before: `那白色的呢`, `有L码吗`, `刚才那件厚不厚`, `不对 是蓝色`.
//!
//! Such a message is completed with what it leaves out and read again as a whole, so that search, entities and the
//! explanation see one message and need no memory of their own.

use std::ops::Range;
use std::sync::LazyLock;

use jiff::SignedDuration;
use jiff::Timestamp;
use regex::Regex;

use crate::knowledge::Knowledge;
use crate::knowledge::product::Product;
use crate::knowledge::profile::Aspect;
use crate::knowledge::wanted::Wanted;
use crate::nlu::slot::Slot;
use crate::nlu::slot::SlotName;
use crate::policy::choice;
use crate::policy::decision::About;
use crate::policy::decision::Basis;
use crate::policy::decision::Decision;
use crate::policy::state::Focus;
use crate::policy::state::State;
use crate::policy::state::Target;
use crate::retrieval::catalogue::Labels;
use crate::retrieval::catalogue::Named;
use crate::retrieval::catalogue::ProductEvidence;
use crate::text::span::ByteSpan;
use crate::text::utterance::Utterance;

/// What was talked about is forgotten after so long without a word about it.
pub const FOCUS_MAX: SignedDuration = SignedDuration::from_mins(30);

/// A message longer than this says all it means.
const CHARS_MAX: usize = 20;

/// Completes a message that leaves out what it is about; `None` for one that stands for itself.
///
/// * `before`: what the talk remembers.
/// * `slots`: of the message as it was typed.
/// * Returns the message as it would be said without anything before it, in normal form.
#[must_use]
pub fn complete(
    known: &Knowledge,
    before: &State,
    utterance: &Utterance,
    slots: &[Slot],
    now: Timestamp,
) -> Option<String> {
    let text = utterance.as_str();
    if text.chars().count() > CHARS_MAX || drops(text) {
        return None;
    }
    let focus = before.focus.as_ref().filter(|focus| now.duration_since(focus.at) <= FOCUS_MAX);
    let talked_of = focus.and_then(|focus| focus.product.as_ref());
    let talked_of = known.products.iter().find(|one| Some(&one.id) == talked_of);
    // Without an article or a kind of goods there is nothing to lean on.
    let pointed = offered(known, before, text);
    // 第四个 of three is no other article, and neither is the dearest of no list.
    if pointed.is_none() && (ORDINAL.is_match(text) || plainly(&PRICED, text).is_some()) {
        return None;
    }
    let product = pointed.or(talked_of);
    let focus = focus.cloned().unwrap_or_default();
    let items: Vec<&str> = slots
        .iter()
        .filter(|slot| slot.name == SlotName::Item && !slot.negated)
        .map(|slot| slot.span.of(text))
        .collect();
    // 刚才那件大衣 is the coat of before; 大衣 alone is any.
    let is_back =
        REFERENCE.is_match(text) && product.is_some_and(|one| items.iter().all(|item| is_kind(one, item)));
    if (!items.is_empty() && !is_back) || (product.is_none() && focus.wanted.items.is_empty()) {
        // 算了 还是看马丁靴吧: what comes behind stands for itself.
        let rest = TURNS.replace(text, "");
        return (!items.is_empty() && rest.len() < text.len()).then(|| rest.into_owned());
    }
    // How large somebody is says which size fits, and that is a question of its own.
    if slots.iter().any(|slot| slot.name == SlotName::Body) {
        return None;
    }
    let labels = product.map(|product| Labels::of(product).find(text)).unwrap_or_default();
    let attribute = |name: SlotName| slots.iter().any(|slot| slot.name == name && !slot.negated);
    let has_colour = attribute(SlotName::Color) || !labels.colours.is_empty();
    let has_size = attribute(SlotName::Size) || !labels.sizes.is_empty();
    let says_own = has_colour
        || has_size
        || slots
            .iter()
            .any(|slot| slot.name.describes_goods() && slot.name != SlotName::Item && !slot.negated);
    let buys = plainly(&BUYS, text).is_some() && product.is_some();
    let points = pointed.is_some() || REFERENCE.is_match(text);
    let asks = known.profile.aspects.values().flatten().any(|word| text.contains(word.as_str()));
    if !(says_own || buys || points || asks) || !leans(known, text, slots, &labels) {
        return None;
    }
    if buys && !says_own && !asks {
        // Whose mind is made up about an article asks for no more of it.
        return Some("怎么下单".to_owned());
    }
    let mut words: Vec<String> = Vec::new();
    let old = &focus.wanted;
    if product.is_none() {
        let replaced = attribute(SlotName::Style) || attribute(SlotName::Material);
        words.extend(old.traits.iter().filter(|_| !replaced).cloned());
    }
    let asks_for = |aspect: Aspect| {
        known.profile.aspects.get(&aspect).into_iter().flatten().any(|word| text.contains(word.as_str()))
    };
    words.extend(old.colours.iter().filter(|_| !has_colour && !asks_for(Aspect::Colour)).cloned());
    words.extend(old.sizes.iter().filter(|_| !has_size && !asks_for(Aspect::Size)).cloned());
    match product {
        Some(product) => words.push(product.name.clone()),
        None => words.extend(old.items.iter().cloned()),
    }
    let denied = slots.iter().filter(|slot| slot.negated).map(|slot| slot.span.of(text));
    let rest = [&*ORDINAL, &*PRICED, &*REFERENCE]
        .into_iter()
        .fold(text.to_owned(), |rest, pattern| pattern.replace_all(&rest, " ").into_owned());
    let rest = TURNS.replace(rest.trim(), "").into_owned();
    let rest = denied.chain(items.iter().copied()).fold(rest, |rest, word| rest.replace(word, " "));
    words.push(rest.trim().trim_start_matches(['那', '是', '要', '换']).to_owned());
    if !asks && let Some(word) = focus.aspect.and_then(|aspect| known.profile.aspects.get(&aspect)?.first()) {
        words.push(word.clone());
    }
    words.retain(|word| !word.trim().is_empty());
    Some(words.join(" "))
}

/// What the talk is about after an answer.
///
/// * `products`: what was found for the message, completed where it leaned on another.
#[must_use]
pub fn focus(
    known: &Knowledge,
    before: &State,
    decision: &Decision,
    products: &ProductEvidence,
    now: Timestamp,
) -> Option<Focus> {
    let aspect = products.aspects.iter().find(|aspect| **aspect != Aspect::Recommend).copied();
    let about = |product: Option<String>| {
        let wanted = Wanted { price_fen_max: None, price_fen_min: None, ..products.wanted.clone() };
        Some(Focus { product, wanted, aspect, at: now })
    };
    match decision {
        Decision::Answer(Basis::Product(at)) => about(Some(known.products[*at].id.clone())),
        Decision::Clarify { about: About::Products, .. } => about(None),
        _ => before.focus.clone().filter(|focus| now.duration_since(focus.at) <= FOCUS_MAX),
    }
}

/// Whether the customer lets the matter drop.
#[must_use]
pub fn drops(text: &str) -> bool {
    DROPS.is_match(text)
}

/// The article among the choices that the message points at: `第二个有L码吗`, `最便宜的那个`, `短款那件`.
fn offered<'k>(known: &'k Knowledge, before: &State, text: &str) -> Option<&'k Product> {
    let products: Vec<&Product> = before
        .pending
        .iter()
        .filter_map(|choice| match &choice.target {
            Target::Product(id) => known.products.iter().find(|product| product.id == *id),
            Target::Entry(_) | Target::Human => None,
        })
        .collect();
    if let Some(place) = ORDINAL.find(text) {
        // 第二件 and 最后那款 are 第二个 and 最后那个.
        let place = place.as_str().replace(['款', '件', '条', '双', '种'], "个");
        let at = choice::pick(&place, &before.pending)?;
        let Target::Product(id) = &before.pending[at].target else { return None };
        return products.into_iter().find(|product| product.id == *id);
    }
    if let Some(priced) = plainly(&PRICED, text) {
        let dear = priced.contains('贵');
        return if dear {
            products.into_iter().max_by_key(|product| product.price_fen)
        } else {
            products.into_iter().min_by_key(|product| product.price_fen)
        };
    }
    let pointed = REFERENCE.find(text).map(|found| &text[..found.start()])?;
    let said = FILLERS.replace_all(pointed, "");
    let said = said.trim();
    let mut holding =
        products.into_iter().filter(|product| said.chars().nth(1).is_some() && product.name.contains(said));
    match (holding.next(), holding.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

/// Whether a word for goods may mean this article.
fn is_kind(product: &Product, item: &str) -> bool {
    let names = || [&product.name, &product.category].into_iter().chain(&product.aliases);
    let last = item.trim_end_matches('子').chars().next_back();
    names().any(|name| name.contains(item)) || last.is_some_and(|last| product.category.contains(last))
}

/// Whether nothing is left of a message but attributes, what is asked about them, and words that say nothing alone.
fn leans(known: &Knowledge, text: &str, slots: &[Slot], labels: &Named) -> bool {
    // What an ordinal counts is no quantity: the two lie over one another.
    let spans = slots.iter().filter(|slot| slot.name.describes_goods()).map(|slot| slot.span);
    let spans: Vec<ByteSpan> = spans.chain(labels.colours.iter().chain(&labels.sizes).copied()).collect();
    let ordinals: Vec<Range<usize>> = ORDINAL.find_iter(text).map(|found| found.range()).collect();
    let is_told = |at: usize| {
        spans.iter().any(|span| (span.start..span.end).contains(&at))
            || ordinals.iter().any(|one| one.contains(&at))
    };
    let rest: String = text.char_indices().map(|(at, c)| if is_told(at) { ' ' } else { c }).collect();
    let mut rest = TURNS.replace(&rest, " ").into_owned();
    rest = PRICED.replace_all(&rest, " ").into_owned();
    rest = REFERENCE.replace_all(&rest, " ").into_owned();
    // Longest first: 有没有 before 有.
    let mut aspects: Vec<&String> = known.profile.aspects.values().flatten().collect();
    aspects.sort_by_key(|word| std::cmp::Reverse(word.len()));
    for word in aspects {
        rest = rest.replace(word.as_str(), " ");
    }
    rest = match plainly(&BUYS, text) {
        Some(_) => BUYS.replace_all(&rest, " ").into_owned(),
        None => rest,
    };
    FILLERS.replace_all(&rest, "").chars().all(|c| !c.is_alphanumeric())
}

/// What a pattern finds where nothing denies it: 要了 but not 不要了.
fn plainly<'t>(pattern: &Regex, text: &'t str) -> Option<&'t str> {
    let denied = |at: usize| text[..at].trim_end().ends_with(['不', '没', '别', '太', '甭']);
    pattern.find_iter(text).find(|found| !denied(found.start())).map(|found| found.as_str())
}

fn fixed(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a fixed expression")
}

static ORDINAL: LazyLock<Regex> =
    LazyLock::new(|| fixed(r"第\s*[1-9一二三四五六七八九]\s*[个款件条双种]|最后(?:一|那)?[个款件条双种]"));

static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?:刚才|刚刚|刚说|上面|前面|上一)(?:说|看|问|发)?的?(?:这|那)?一?[个款件条双种套]?|[这那]一?[个款件条双种套]|它",
    )
});

/// Words that take back or turn away from what was said before, at the beginning.
static TURNS: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"^(?:(?:啊|哦|额|呃|哎|唉|诶|哈|嗯)*\s*(?:不对|错了|码?也?打错了?|说错了?|看错了?|不是|算了|太贵了?|有点贵)[,.!。,、\s]*)+(?:还是|我?是|应该是)?",
    )
});

static PRICED: LazyLock<Regex> =
    LazyLock::new(|| fixed(r"最?(?:便宜|贵)(?:点|一点|些)?的?(?:那|这)?一?[个款件条双种]|最(?:便宜|贵)的?"));

static BUYS: LazyLock<Regex> = LazyLock::new(|| {
    fixed(r"(?:就|我)?(?:要了|要这|买了|买这|拍了|上哪拍|去哪拍|下单|定了|就它|就要|我要|买它)")
});

static FILLERS: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"请问|你们|你家|我想|想要|看看|看下|看一下|换成|改成|可以|那么|还是|或者|如果|没有|知道|帮我|一下|一件|一条|一双|一套|一款|一个|总有|凑合|那个色|这个色|来着|也行|再|那个|[的呢吗啊呀吧嘛么哦哈噢哎唉诶嘞咧哒滴哟伐不色码号是有没要就那这也还我想看给来换改行能好咋嗯额都和点儿了只]",
    )
});

static DROPS: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"^(?:.{1,10}[\s,，。!])?(?:那|那就|嗯|哎|唉|哦|就|我|[这那]一?[个款件条双套]|都)*[,\s]*(?:(?:算了|不用了|不要了|不要[这那]一?[个款件条双套]了?|不买了|不看了|不弄了|不办了|不退了|不换了|取消吧|先这样|先不了)[,\s]*)+(?:吧|啦|了|谢谢)*[.,。!~]*$",
    )
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::sample::shop;
    use crate::nlu::Nlu;
    use crate::policy::state::Choice;
    use crate::text::segment::Segmenter;

    const START: i64 = 1_795_485_600;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(START + 60 * minutes).unwrap()
    }

    /// The sample shop, where customers ask what something costs and whether it is there.
    fn known() -> Knowledge {
        let mut known = shop();
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        known.profile.aspects.insert(Aspect::Price, words(&["多少钱", "贵吗"]));
        known.profile.aspects.insert(Aspect::Stock, words(&["有货", "有吗"]));
        known.profile.aspects.insert(Aspect::Material, words(&["厚不厚", "材质"]));
        known
    }

    fn about(product: Option<&str>, wanted: Wanted, aspect: Option<Aspect>) -> State {
        let focus = Focus { product: product.map(str::to_owned), wanted, aspect, at: at(0) };
        State { focus: Some(focus), ..State::default() }
    }

    fn completed(before: &State, text: &str, minutes: i64) -> Option<String> {
        let known = known();
        let nlu = Nlu::new(&known.products);
        let segmenter = Segmenter::new(nlu.words());
        let utterance = Utterance::read(text, &segmenter);
        let now = at(minutes);
        let meaning = nlu.understand(&utterance, None, &now.to_zoned(jiff::tz::TimeZone::UTC));
        complete(&known, before, &utterance, &meaning.slots, now)
    }

    /// Words in any order of blanks.
    #[track_caller]
    fn check(before: &State, text: &str, expected: Option<&str>) {
        let found = completed(before, text, 1);
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(found.as_deref().map(words), expected.map(words), "{text}");
    }

    fn black_shirts() -> State {
        let wanted =
            Wanted {
                items: vec!["衬衫".to_owned()], colours: vec!["黑色".to_owned()], ..Wanted::default()
            };
        about(None, wanted, Some(Aspect::Price))
    }

    fn one() -> (State, String) {
        let product = known().products[0].clone();
        (about(Some(&product.id), Wanted::default(), None), product.name)
    }

    #[test]
    fn what_is_left_out_comes_from_before_and_what_is_said_takes_its_place() {
        check(&black_shirts(), "那白色的呢", Some("衬衫 白色的呢 多少钱"));
        check(&black_shirts(), "不对 是蓝色", Some("衬衫 蓝色 多少钱"));
        check(&black_shirts(), "有L码吗", Some("黑色 衬衫 有l码吗 多少钱"));
        check(&black_shirts(), "有货吗", Some("黑色 衬衫 有货吗"));
    }

    #[test]
    fn one_article_is_meant_by_what_points_at_it() {
        let (before, name) = one();
        check(&before, "刚才那件厚不厚", Some(&format!("{name} 厚不厚")));
        check(&before, "它多少钱", Some(&format!("{name} 多少钱")));
        check(&before, "就要这个", Some("怎么下单"));
        check(&before, "好 要了", Some("怎么下单"));
    }

    #[test]
    fn an_ordinal_points_into_the_list() {
        let known = known();
        let product = &known.products[0];
        let choice = Choice { title: product.name.clone(), target: Target::Product(product.id.clone()) };
        let before = State { pending: vec![choice], ..black_shirts() };
        check(&before, "第一个有货吗", Some(&format!("黑色 {} 有货吗", product.name)));
        check(&before, "最后那款有货吗", Some(&format!("黑色 {} 有货吗", product.name)));
    }

    #[test]
    fn a_message_that_stands_for_itself_is_left_alone() {
        let (before, _) = one();
        for text in [
            "怎么退货",
            "运费谁出",
            "衬衫多少钱",
            "你们几点下班",
            "好的谢谢",
            "175 140斤穿多大",
            "这个会不会起球",
        ] {
            check(&before, text, None);
        }
        for text in ["那白色的呢", "多少钱", "就要这个"] {
            check(&State::default(), text, None);
        }
        // Who declines is not told how to order, and no other article stands in for one that is not there.
        for text in ["我不要这个", "不下单", "我没下单", "第四个有货吗", "最贵的那个"]
        {
            check(&before, text, None);
        }
        assert_eq!(completed(&before, "它多少钱", 31), None, "forgotten after half an hour");
    }

    #[test]
    fn letting_drop_is_told_from_saying_no() {
        for text in
            ["算了", "那算了吧", "不要了谢谢", "不买了。", "我不要了", "这件不要了", "有点贵 算了不买了"]
        {
            assert!(drops(text), "{text}");
        }
        for text in ["不要黑色", "算了一下要两件", "这个不要了换那个", "不"] {
            assert!(!drops(text), "{text}");
        }
    }
}
