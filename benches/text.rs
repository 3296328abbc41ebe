//! What it costs to read a message: normal form, words, and both together. Throughput in bytes of UTF-8.
//!
//! Data: three texts of this file, a plain question of 18 characters, the same kind of question in traditional
//! and full-width characters with an emoji, and 2,000 characters (the most that is looked at), which are one
//! paragraph over and over. The segmenter is jieba's dictionary alone.
//!
//! Left out: loading the dictionaries (once a process), the bots' own words, decoding files.

use std::hint::black_box;
use std::time::Duration;

use criterion::BenchmarkId;
use criterion::Criterion;
use criterion::Throughput;
use criterion::criterion_group;
use criterion::criterion_main;
use yingda::text::normalise::normalise;
use yingda::text::segment::Segmenter;
use yingda::text::utterance::CHARS_MAX;
use yingda::text::utterance::Utterance;

const SIMPLE: &str = "我想退换上个月买的黑色衬衫，怎么操作";
const SIMPLE_NORMAL: &str = "我想退换上个月买的黑色衬衫,怎么操作";
const TRADITIONAL: &str = "請問這件ＡＢＣ襯衫有沒有ＸＬ碼的？？？😀謝謝";
const TRADITIONAL_NORMAL: &str = "请问这件abc衬衫有没有xl码的?谢谢";
const PARAGRAPH: &str = "我上周五在你们店里买了一件云柔的雾霾蓝冲锋衣，订单号202611220001，付款199元。昨天收到以后发现\
    左边袖口开线了，拉链也不太顺，洗了一次还有点掉色。我想问问：是寄回去换一件新的，还是你们派师傅上门修？运费由谁出？\
    要是换的话，XL码还有现货吗？我一米七五，130斤，平时穿L码，怕大了不好看。另外当时用了满300减30的优惠券，\
    换货以后券还能退给我吗？急用，麻烦今天之内给个答复，谢谢！";

/// The texts with their names in the reports.
fn texts() -> [(&'static str, String); 3] {
    [
        ("simple", SIMPLE.to_owned()),
        ("traditional", TRADITIONAL.to_owned()),
        ("2000_chars", PARAGRAPH.chars().cycle().take(CHARS_MAX).collect()),
    ]
}

fn bench_normalise(c: &mut Criterion) {
    assert_eq!(normalise(SIMPLE).as_str(), SIMPLE_NORMAL);
    assert_eq!(normalise(TRADITIONAL).as_str(), TRADITIONAL_NORMAL);
    let mut group = c.benchmark_group("text/normalise");
    for (name, text) in texts() {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(BenchmarkId::from_parameter(name), |b| b.iter(|| normalise(black_box(&text))));
    }
    group.finish();
}

/// Both cuts that an utterance holds, of text in normal form.
fn bench_segment(c: &mut Criterion) {
    let segmenter = Segmenter::new(std::iter::empty());
    let mut group = c.benchmark_group("text/segment");
    for (name, text) in texts() {
        let normalised = normalise(&text);
        let text = normalised.as_str();
        let words = segmenter.words(text);
        assert_eq!(words.iter().map(|word| word.of(text)).collect::<String>(), text);
        assert!(segmenter.search_words(text).len() >= words.len());
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            b.iter(|| (segmenter.words(black_box(text)), segmenter.search_words(black_box(text))));
        });
    }
    group.finish();
}

fn bench_read(c: &mut Criterion) {
    let segmenter = Segmenter::new(std::iter::empty());
    let mut group = c.benchmark_group("text/read");
    for (name, text) in texts() {
        let utterance = Utterance::read(&text, &segmenter);
        assert!(utterance.has_words() && !utterance.cut);
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            b.iter(|| Utterance::read(black_box(&text), &segmenter));
        });
    }
    group.finish();
}

fn short() -> Criterion {
    Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3))
}

criterion_group! {
    name = benches;
    config = short();
    targets = bench_normalise, bench_segment, bench_read
}
criterion_main!(benches);
