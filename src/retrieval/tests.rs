//! What is found in the sample shop, and that nothing typed is syntax.

use std::sync::LazyLock;

use super::*;
use crate::knowledge::sample::empty_shop;
use crate::knowledge::sample::entry;
use crate::knowledge::sample::product;
use crate::knowledge::sample::shop;
use crate::knowledge::wanted::Wanted;
use crate::retrieval::catalogue::ProductEvidence;
use crate::retrieval::faq::EntryHit;
use crate::retrieval::faq::Query;
use crate::text::utterance::Utterance;

static SEGMENTER: LazyLock<Segmenter> = LazyLock::new(|| Segmenter::new(["雾霾蓝", "驿站"].into_iter()));
static RETRIEVER: LazyLock<Retriever> = LazyLock::new(|| built(&shop()));

const HITS_MAX: usize = 8;

fn built(known: &Knowledge) -> Retriever {
    Retriever::build(known, &SEGMENTER).unwrap()
}

fn asked(text: &str) -> Vec<EntryHit> {
    RETRIEVER.faq.search(Query::by_words(&Utterance::read(text, &SEGMENTER)), &|_| true, HITS_MAX)
}

/// The id of the most probable entry.
#[track_caller]
fn check_first(text: &str, expected: &str) {
    let hits = asked(text);
    let first = hits.first().map(|hit| shop().entries[hit.entry].id.clone());
    assert_eq!(first.as_deref(), Some(expected), "{text}");
}

#[test]
fn signs_are_no_syntax() {
    let plain = asked("退货");
    assert!(!plain.is_empty());
    for sign in "+-\"():*?[]{}~^\\/!&|<>=@#'`，。？".chars() {
        for text in [format!("{sign}退货"), format!("退货{sign}"), format!("{sign}{sign}退货{sign}{sign}")]
        {
            assert_eq!(asked(&text), plain, "{text}");
        }
        assert_eq!(asked(&sign.to_string()), [], "{sign}");
    }
    for text in ["\"退货", "(退货", "[退货", "退货~2", "退货^9", "words:退货", "answer:(退货", "退货*"]
    {
        check_first(text, "return");
    }
    assert_eq!(asked("退货:发票"), asked("退货 发票"));
}

#[test]
fn and_or_not_are_words() {
    for text in ["NOT 退货", "退货 AND 火星", "退货 OR", "AND", "-退货", "+火星 退货"] {
        let hits = asked(text);
        let found = hits.iter().any(|hit| shop().entries[hit.entry].id == "return");
        assert_eq!(found, text != "AND", "{text}");
    }
    let mut known = shop();
    known.entries.push(entry("logic", "AND 和 OR 有什么区别", &[], "一个都要，一个任选。"));
    let hits =
        built(&known).faq.search(Query::by_words(&Utterance::read("or", &SEGMENTER)), &|_| true, HITS_MAX);
    assert_eq!(hits.first().map(|hit| hit.entry), Some(4));
}

#[test]
fn synonyms_find() {
    check_first("票据怎么开", "invoice");
    assert!(asked("票据").iter().any(|hit| hit.matched == ["发票"]));
    assert_eq!(looked("衬衣", &Wanted::default()), looked("衬衫", &Wanted::default()));
    let items = Wanted { items: words("衬衣"), ..Wanted::default() };
    check_products("衬衣", items, "YR-C101 YR-C102", "");
}

#[test]
fn the_best_phrasing_speaks() {
    let phrasing = |text: &str| asked(text).first().map(|hit| (hit.entry, hit.phrasing));
    assert_eq!(phrasing("怎么申请退货"), Some((0, 0)));
    assert_eq!(phrasing("我想退货"), Some((0, 1)));
    assert_eq!(phrasing("衣服不合适怎么退"), Some((0, 2)));
}

#[test]
fn what_may_not_be_shown_is_not_found() {
    let utterance = Utterance::read("怎么申请退货", &SEGMENTER);
    let hits = RETRIEVER.faq.search(Query::by_words(&utterance), &|entry| entry != 0, HITS_MAX);
    assert!(hits.iter().all(|hit| hit.entry != 0));
    assert!(hits.iter().any(|hit| hit.entry == 2), "the others are still there");
}

#[test]
fn a_typing_error_is_bridged_by_bigrams() {
    check_first("申请退或", "return");
    check_first("电子法票怎么开", "invoice");
    // 营业 is a word, 业时 lies across a border: only the pair can find it.
    let hits = asked("业时");
    assert_eq!(hits.first().map(|hit| (hit.entry, hit.matched.len())), Some((3, 0)));
}

#[test]
fn hits_are_sorted_and_as_many_as_asked_for() {
    let utterance = Utterance::read("退货发票运费关门怎么", &SEGMENTER);
    let hits = asked("退货发票运费关门怎么");
    assert_eq!(hits.len(), 4);
    assert!(hits.windows(2).all(|pair| pair[0].probability >= pair[1].probability));
    assert_eq!(RETRIEVER.faq.search(Query::by_words(&utterance), &|_| true, 2), hits[..2]);
    assert_eq!(RETRIEVER.faq.search(Query::by_words(&utterance), &|_| true, 0), []);
}

fn words(list: &str) -> Vec<String> {
    list.split_whitespace().map(str::to_owned).collect()
}

fn looked(text: &str, wanted: &Wanted) -> ProductEvidence {
    RETRIEVER.catalogue.search(&Utterance::read(text, &SEGMENTER), &[], wanted, HITS_MAX)
}

/// * `expected`, `missing`: ids in any order, and words, with blanks between them.
#[track_caller]
fn check_products(text: &str, wanted: Wanted, expected: &str, missing: &str) {
    let found = looked(text, &wanted);
    let mut ids: Vec<String> = found.hits.iter().map(|hit| shop().products[hit.product].id.clone()).collect();
    ids.sort();
    assert_eq!((ids, found.missing), (words(expected), words(missing)), "{wanted:?}");
}

fn shirt() -> Wanted {
    Wanted { items: words("衬衫"), ..Wanted::default() }
}

#[test]
fn colours_in_every_form() {
    for said in ["黑", "黑色", "黑的"] {
        check_products("衬衫", Wanted { colours: words(said), ..shirt() }, "YR-C101", "");
    }
    for said in ["蓝", "蓝色", "雾霾蓝", "雾霾蓝色"] {
        check_products("衬衫", Wanted { colours: words(said), ..shirt() }, "YR-C102", "");
    }
}

#[test]
fn any_of_several_colours_and_sizes_will_do() {
    check_products("衬衫", Wanted { colours: words("黑色 雾霾蓝"), ..shirt() }, "YR-C101 YR-C102", "");
    // Red is a colour of the shop, but not of its shirts.
    check_products("衬衫", Wanted { colours: words("红色 雾霾蓝"), ..shirt() }, "YR-C102", "");
    check_products("衬衫", Wanted { sizes: words("S XL"), ..shirt() }, "YR-C101", "");
}

#[test]
fn a_plain_colour_beside_a_shade_of_it() {
    let mut known = shop();
    known.products.push(product("SY-F101", "晴空防晒衣", "防晒衣", "蓝色", "M", "防晒", 9_900));
    let wanted = Wanted { colours: words("蓝色"), ..shirt() };
    let utterance = Utterance::read("衬衫", &SEGMENTER);
    let found = built(&known).catalogue.search(&utterance, &[], &wanted, HITS_MAX);
    assert_eq!(found.hits.iter().map(|hit| hit.product).collect::<Vec<_>>(), [1]);
    assert!(found.missing.is_empty());
}

#[test]
fn sizes_in_every_form() {
    for said in ["XL", "xl", "XL码", "xl号", "ＸＬ码"] {
        check_products("衬衫", Wanted { sizes: words(said), ..shirt() }, "YR-C101", "");
    }
    // L is no part of XL.
    check_products(
        "毛衣",
        Wanted { items: words("毛衣"), sizes: words("L"), ..Wanted::default() },
        "NJ-M101",
        "",
    );
    let dress = Wanted { items: words("连衣裙"), sizes: words("L"), ..Wanted::default() };
    check_products("连衣裙", dress, "XH-D101", "L");
}

#[test]
fn prices_and_traits_filter() {
    check_products("衬衫", Wanted { price_fen_max: Some(12_900), ..shirt() }, "YR-C102", "");
    check_products("衬衫", Wanted { price_fen_max: Some(12_899), ..shirt() }, "YR-C101 YR-C102", "价位");
    check_products("衬衫", Wanted { price_fen_min: Some(19_900), ..shirt() }, "YR-C101", "");
    check_products("衬衫", Wanted { traits: words("亚麻"), ..shirt() }, "YR-C102", "");
    check_products("衬衫", Wanted { traits: words("亚麻 短袖"), ..shirt() }, "YR-C102", "");
}

#[test]
fn traits_yield_first_then_size_then_colour_then_price() {
    let wanted = Wanted { colours: words("黑色"), traits: words("短袖"), ..shirt() };
    check_products("衬衫", wanted, "YR-C101", "短袖");
    let wanted = Wanted { colours: words("雾霾蓝"), sizes: words("XL"), ..shirt() };
    check_products("衬衫", wanted, "YR-C102", "XL");
    let wanted = Wanted { colours: words("黑色"), price_fen_max: Some(15_000), ..shirt() };
    check_products("衬衫", wanted, "YR-C102", "黑色");
    let wanted = Wanted { sizes: words("5XL"), price_fen_max: Some(1), ..shirt() };
    check_products("衬衫", wanted, "YR-C101 YR-C102", "5XL 价位");
}

#[test]
fn only_what_is_really_lacking_is_missing() {
    // Long sleeves are there; it is the size that is not.
    let wanted = Wanted { sizes: words("5XL"), traits: words("长袖"), ..shirt() };
    check_products("衬衫", wanted, "YR-C101", "5XL");
}

#[test]
fn the_goods_themselves_never_change() {
    check_products("裤子", Wanted { items: words("裤子"), ..Wanted::default() }, "", "");
    check_products("金色", Wanted { colours: words("金色"), ..Wanted::default() }, "", "");
}

#[test]
fn two_indexes_of_one_shop_agree() {
    let other = built(&shop());
    let wanted = Wanted { colours: words("黑"), ..shirt() };
    for text in ["退货运费发票怎么开", "我想退货", "黑色衬衫多少钱", "衣服", "营业", "and", ""]
    {
        let utterance = Utterance::read(text, &SEGMENTER);
        assert_eq!(other.faq.search(Query::by_words(&utterance), &|_| true, HITS_MAX), asked(text), "{text}");
        for wanted in [&Wanted::default(), &wanted] {
            let found = other.catalogue.search(&utterance, &[], wanted, HITS_MAX);
            assert_eq!(found, looked(text, wanted), "{text}");
        }
    }
}

#[test]
fn an_empty_shop_finds_nothing() {
    let empty = built(&empty_shop());
    for text in ["", "退货", "衬衫多少钱", "***"] {
        let utterance = Utterance::read(text, &SEGMENTER);
        assert_eq!(empty.faq.search(Query::by_words(&utterance), &|_| true, HITS_MAX), []);
        let found = empty.catalogue.search(&utterance, &[], &shirt(), HITS_MAX);
        assert_eq!((found.hits, found.missing), (Vec::new(), Vec::new()));
    }
}

#[test]
fn twenty_thousand_characters_are_answered() {
    check_first(&"退货".repeat(10_000), "return");
    check_first(&format!("怎么申请退货{}", " a-".repeat(7_000)), "return");
    let all: String = ('\u{4E00}'..).take(20_000).collect();
    assert!(asked(&all).len() <= HITS_MAX);
    assert!(looked(&all, &shirt()).hits.len() <= HITS_MAX);
    assert_eq!(asked(&"z".repeat(20_000)), []);
}
