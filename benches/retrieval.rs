//! What it costs to search the FAQ and the catalogue. Throughput in messages. How long building the index
//! takes is measured once for each size and told on stderr, since criterion would build it ten times over.
//!
//! Data, all made of the lists of words in this file: 300, 10,000 and 100,000 entries (40 situations x 50
//! goods x 50 concerns), each with a question, two more phrasings and an answer of some 70 characters; 200 and
//! 10,000 products (10 series x 10 materials x 10 styles x 10 kinds of goods). The first entries and products
//! are the same in every size, so the messages find the same ones. So few different words make each of them
//! far more common than in 100,000 real entries: the lists that BM25 walks are as long as they can get.
//!
//! Left out: reading the message and finding its entities (`benches/text.rs`, `benches/engine.rs`), which are
//! done once before; validity of entries (all are valid); synonyms.

use std::cell::LazyCell;
use std::hint::black_box;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

use criterion::BenchmarkId;
use criterion::Criterion;
use criterion::Throughput;
use criterion::criterion_group;
use criterion::criterion_main;
use yingda::engine::vocabulary;
use yingda::knowledge::Knowledge;
use yingda::knowledge::Source;
use yingda::knowledge::entry::Entry;
use yingda::knowledge::entry::Validity;
use yingda::knowledge::product::Product;
use yingda::knowledge::reply::Replies;
use yingda::knowledge::task::Connectors;
use yingda::knowledge::wanted::Wanted;
use yingda::nlu::Nlu;
use yingda::nlu::filter::wanted;
use yingda::retrieval::Retriever;
use yingda::retrieval::catalogue::ProductEvidence;
use yingda::retrieval::faq::Query;
use yingda::text::segment::Segmenter;
use yingda::text::span::ByteSpan;
use yingda::text::utterance::Utterance;

const ENTRIES: [usize; 3] = [300, 10_000, 100_000];
const PRODUCTS: [usize; 2] = [200, 10_000];

/// As many as the engine keeps.
const HITS_MAX: usize = 8;

const PROFILE: &str = r#"
name = "小应"
title = "云朵小铺客服"
greeting = "您好！"
[aspects]
price = ["多少钱", "价格", "以内的"]
stock = ["有货", "还有", "有没有"]
recommend = ["推荐", "想买"]
"#;

/// Shares no factor with the number of combinations, so that neighbours differ and none comes twice.
const STRIDE: usize = 7_919;

const SITUATIONS: &str = "双十一买的 双十二买的 直播间抢的 朋友送的 门店买的 用券买的 国庆买的 给爸妈买的 给孩子买的 代购的 \
    昨天下单的 上周下单的 上个月买的 去年买的 刚签收的 还没发货的 拆了包装的 剪了吊牌的 洗过一次的 没试穿的 \
    货到付款的 分期付款的 公司采购的 团购的 预售的 秒杀的 赠送的 积分兑换的 换过一次的 修过一次的 \
    寄到外地的 寄到学校的 放在驿站的 邻居代收的 快递柜里的 转寄的 退回来的 补发的 会员日买的 生日时买的";
const GOODS: &str = "衬衫 卫衣 毛衣 风衣 大衣 羽绒服 棉服 冲锋衣 防晒衣 睡衣 连衣裙 半身裙 牛仔裤 休闲裤 西装 运动鞋 帆布鞋 \
    皮鞋 凉鞋 靴子 拖鞋 童鞋 双肩包 单肩包 托特包 行李箱 钱包 腰包 保温杯 抱枕 毛毯 床单 四件套 毛巾 收纳箱 加湿器 \
    小夜灯 暖手宝 窗帘 置物架 帽子 围巾 手套 腰带 袜子 针织衫 短袖 背心 马甲 雨衣";
/// One concern a line, in three ways: as the question ends, as a sentence of its own, as it begins.
const CONCERNS: &str = "\
    怎么退货|想退掉要走什么流程|退货入口在哪
    怎么换货|想换一件该怎么办|换货要几天
    怎么退款|钱什么时候退给我|退款没到账
    运费谁出|寄回去的邮费算谁的|邮费能报吗
    怎么开发票|要一张电子发票|发票抬头填错了
    能开专票吗|公司要增值税专用发票|专票资料怎么交
    怎么查物流|想知道到哪里了|物流好几天没动
    什么时候发货|一直显示待发货|催一下发货
    怎么改地址|收货地址写错了|换个地方收
    怎么取消订单|不想要了能撤销吗|取消按钮找不到
    少发了一件|数量不对缺东西|漏发怎么补
    发错颜色了|收到的颜色不一样|颜色搞错了
    发错尺码了|号码和拍的不一样|尺码搞错了
    有破洞怎么办|到手就是破的|破了一个洞
    开线了怎么办|缝的地方裂开了|线头崩开了
    掉色怎么办|洗完水都是蓝的|褪色严重
    起球怎么办|穿几次就起毛球|毛球太多
    缩水怎么办|洗完小了一圈|变小了穿不下
    有异味怎么办|味道很大散不掉|刺鼻的气味
    拉链坏了怎么修|拉链拉不上|拉链卡住了
    扣子掉了怎么补|纽扣少了一颗|补一颗扣子
    怎么清洗|可以机洗吗|洗涤方法是什么
    怎么保养|平时要注意什么|保养说明在哪
    怎么熨烫|皱了能用熨斗吗|熨烫温度多少
    怎么选尺码|不知道穿多大|尺码表发我
    偏大还是偏小|版型正不正|大小准不准
    有几种颜色|还有别的色吗|颜色全不全
    是什么材质|面料成分是啥|料子厚不厚
    是正品吗|怎么验真假|防伪码查不到
    保修多久|坏了还管不管|保修期怎么算
    怎么报修|想寄去维修|维修点在哪
    有优惠吗|最近打折没有|活动力度大吗
    优惠券怎么用|券用不了|券在哪领
    差价退不退|刚买就降价了|价保怎么申请
    有积分吗|积分没到账|积分怎么换
    能货到付款吗|收到再给钱行吗|到付支持不
    能分期吗|花呗分几期|分期手续费多少
    付款失败怎么办|钱扣了没有订单|支付不成功
    能送货上门吗|快递不上楼|要求送到家
    能自提吗|我自己去拿|自提点在哪
    派送失败怎么办|快递员联系不上我|没送到就退了
    显示签收没收到|被别人签了|包裹不见了
    能拒收吗|不想收可以退回吗|拒收扣钱吗
    能拦截吗|已经寄出想追回|拦截费多少
    有说明书吗|安装图纸没有|说明书弄丢了
    能定制吗|想印上名字|刻字怎么收费
    能批发吗|拿一百件什么价|批量采购折扣
    有现货吗|库存还剩多少|什么时候补货
    评价怎么改|写错评价了|追评有奖励吗
    怎么投诉|客服态度很差|投诉多久处理";
const ANSWERS: [&str; 5] = [
    "打开“我的订单”，找到这一单，点“售后服务”，按页面提示选原因、传照片，两个工作日内审核，结果用短信通知您。",
    "请在订单页右上角点“更多”，选对应的一项提交就行；一般当天处理，遇到周末顺延到下一个工作日，请您留意消息。",
    "在会员中心的“服务记录”里能看到进度。超过三天没有变化的，回复“转人工”，同事会带着单号帮您往下催。",
    "这件事各门店和线上的规定一样：以签收那天起算，七天之内都可以提出，要求不影响第二次销售，配件齐全。",
    "客服在工作时间处理，早上九点到晚上九点；请先准备好订单号和清楚的照片，这样一次就能办完，不用来回问。",
];

const SERIES: &str = "云柔 星河 山野 木棉 晴川 北岸 青禾 暖冬 知夏 简白";
const MATERIALS: &str = "纯棉 真丝 羊毛 亚麻 雪纺 尼龙 灯芯绒 法兰绒 莫代尔 帆布";
const STYLES: &str = "长袖 短袖 修身 宽松 商务 复古 加绒 连帽 防水 韩版";
const KINDS: &str = "衬衫 卫衣 毛衣 风衣 外套 连衣裙 牛仔裤 睡衣 双肩包 运动鞋";
const COLOURS: &str = "黑色 白色 浅灰 藏青 米白 酒红 墨绿 雾霾蓝 驼色 焦糖色";
const SIZES: &str = "S M L XL XXL 3XL";

const LONG: &str = "我上周五在你们店里给爸妈买的羽绒服，昨天收到以后发现左边袖口开线了，拉链也不太顺，洗了一次还有点掉色。\
    我想问问是寄回去换一件新的，还是你们派人维修，运费由谁出，要是换的话颜色和尺码还有现货吗，另外当时用了优惠券，\
    换货以后券还能退给我吗，急用，麻烦今天之内给个答复，谢谢";

/// What is built comes to be when the first benchmark that needs it runs, so that a filter on the command line
/// spares the rest; always before the clock starts.
fn bench_faq(c: &mut Criterion) {
    let segmenter = LazyCell::new(|| Segmenter::new(words(GOODS).into_iter()));
    let mut group = c.benchmark_group("retrieval/faq");
    for n_entries in ENTRIES {
        let retriever = LazyCell::new(|| {
            let retriever = build("faq", n_entries, &knowledge(n_entries, 0), &segmenter);
            // Its own question finds an entry, whatever the size.
            for at in 0..3 {
                let hits = retriever.faq.search(
                    Query::by_words(&read(&entry(at).question, &segmenter)),
                    &|_| true,
                    HITS_MAX,
                );
                assert_eq!(hits[0].entry, at);
            }
            retriever
        });
        let search =
            |utterance: &Utterance| retriever.faq.search(Query::by_words(utterance), &|_| true, HITS_MAX);
        let typical = LazyCell::new(|| typical_messages().map(|text| read(&text, &segmenter)));
        group.throughput(Throughput::Elements(typical_messages().len() as u64));
        group.bench_function(BenchmarkId::new("typical", n_entries), |b| {
            LazyCell::force(&retriever);
            LazyCell::force(&typical);
            b.iter(|| {
                for utterance in typical.iter() {
                    black_box(search(black_box(utterance)));
                }
            });
        });
        let long = LazyCell::new(|| read(LONG, &segmenter));
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::new("long", n_entries), |b| {
            LazyCell::force(&retriever);
            LazyCell::force(&long);
            b.iter(|| search(black_box(&long)));
        });
    }
    group.finish();
}

/// A search with one kind of filter, and what must come of it.
struct Wish {
    name: &'static str,
    text: &'static str,
    holds: fn(&ProductEvidence) -> bool,
}

const WISHES: [Wish; 6] = [
    Wish {
        name: "name", text: "云柔纯棉长袖衬衫多少钱", holds: |found| found.hits[0].product == 0
    },
    Wish { name: "kind", text: "有没有毛衣推荐", holds: all_fit },
    Wish { name: "colour_size", text: "黑色XL码的衬衫有货吗", holds: all_fit },
    Wish { name: "price_traits", text: "200以内的纯棉衬衫", holds: all_fit },
    Wish {
        name: "nothing_fits", text: "紫色XXL码的防水亚麻卫衣", holds: |found| !found.missing.is_empty()
    },
    Wish { name: "no_goods", text: "我的快递到哪了", holds: unlikely },
];

fn bench_catalogue(c: &mut Criterion) {
    let mut group = c.benchmark_group("retrieval/catalogue");
    group.throughput(Throughput::Elements(1));
    for n_products in PRODUCTS {
        let shop = LazyCell::new(|| {
            let known = knowledge(0, n_products);
            let vocabulary = vocabulary(&known);
            let segmenter = Segmenter::new(vocabulary.iter().map(String::as_str));
            let retriever = build("catalogue", n_products, &known, &segmenter);
            (retriever, Nlu::new(&known.products), segmenter)
        });
        for wish in &WISHES {
            let asked = LazyCell::new(|| {
                let (retriever, nlu, segmenter) = &*shop;
                let asked = Asked::new(wish.text, nlu, segmenter);
                let found = asked.search(retriever);
                assert!((wish.holds)(&found), "{} of {n_products}: {found:?}", wish.name);
                asked
            });
            group.bench_function(BenchmarkId::new(wish.name, n_products), |b| {
                let asked = LazyCell::force(&asked);
                b.iter(|| black_box(asked).search(&shop.0));
            });
        }
    }
    group.finish();
}

/// A message as the catalogue gets it.
struct Asked {
    utterance: Utterance,
    spans: Vec<ByteSpan>,
    wanted: Wanted,
}

impl Asked {
    fn new(text: &str, nlu: &Nlu, segmenter: &Segmenter) -> Self {
        let utterance = Utterance::read(text, segmenter);
        let slots = nlu.understand(&utterance, None, &jiff::Zoned::now()).slots;
        let spans = slots.iter().map(|slot| slot.span).collect();
        let wanted = wanted(&slots, utterance.as_str());
        Self { utterance, spans, wanted }
    }

    fn search(&self, retriever: &Retriever) -> ProductEvidence {
        retriever.catalogue.search(&self.utterance, &self.spans, &self.wanted, HITS_MAX)
    }
}

fn all_fit(found: &ProductEvidence) -> bool {
    !found.hits.is_empty() && found.missing.is_empty()
}

fn unlikely(found: &ProductEvidence) -> bool {
    found.hits.iter().all(|hit| hit.probability.value() < 0.1)
}

/// Builds the indexes, and says how long that took.
fn build(what: &str, n_items: usize, known: &Knowledge, segmenter: &Segmenter) -> Retriever {
    let started = Instant::now();
    let retriever = Retriever::build(known, segmenter).expect("an index in memory");
    let ms = started.elapsed().as_millis();
    writeln!(std::io::stderr(), "retrieval/{what}/build/{n_items}: {ms} ms, once")
        .expect("stderr takes a line");
    retriever
}

/// Questions as the entries have them, in other words, with words missing, and about nothing that is known.
fn typical_messages() -> [String; 12] {
    [
        entry(0).question,
        entry(1).question,
        entry(2).phrasings[0].clone(),
        entry(3).phrasings[1].clone(),
        "衬衫怎么退货".to_owned(),
        "直播间抢的羽绒服拉链坏了，怎么修啊".to_owned(),
        "給爸媽買的保溫杯可以換貨嗎".to_owned(),
        "快递到哪了".to_owned(),
        "发票".to_owned(),
        "你好".to_owned(),
        "膝盖疼了半个月该挂什么科".to_owned(),
        "上个月买的牛仔裤洗完掉色，裤脚还开线了，能退吗？运费谁出".to_owned(),
    ]
}

fn read(text: &str, segmenter: &Segmenter) -> Utterance {
    let utterance = Utterance::read(text, segmenter);
    assert!(utterance.has_words());
    utterance
}

fn knowledge(n_entries: usize, n_products: usize) -> Knowledge {
    Knowledge {
        bot: "bench".to_owned(),
        dir: PathBuf::new(),
        version: None,
        profile: toml::from_str(PROFILE).expect("a fixed profile"),
        entries: (0..n_entries).map(entry).collect(),
        products: (0..n_products).map(product).collect(),
        synonyms: Vec::new(),
        terms: Vec::new(),
        rules: Vec::new(),
        replies: Replies::default(),
        sensitive: Vec::new(),
        tasks: Vec::new(),
        connectors: Connectors::default(),
    }
}

/// The entry in a place, below 100,000.
fn entry(at: usize) -> Entry {
    let (situations, goods) = (words(SITUATIONS), words(GOODS));
    let concerns: Vec<&str> = CONCERNS.lines().map(str::trim).collect();
    let pick = at * STRIDE % (situations.len() * goods.len() * concerns.len());
    let situation = situations[pick / (goods.len() * concerns.len())];
    let (goods, concern) = (goods[pick / concerns.len() % goods.len()], concerns[pick % concerns.len()]);
    let ways: Vec<&str> = concern.split('|').collect();
    Entry {
        id: format!("entry-{at}"),
        topic: "topic".to_owned(),
        question: format!("{situation}{goods}{}", ways[0]),
        phrasings: vec![
            format!("{goods}是{situation}，{}", ways[1]),
            format!("{}，是{situation}{goods}", ways[2]),
        ],
        answer: format!("您好，{situation}{goods}这样办：{}", ANSWERS[at % ANSWERS.len()]),
        reply: None,
        validity: Validity::default(),
        source: Source { file: "faq.csv".to_owned(), line: at + 2 },
    }
}

/// The product in a place, below 10,000.
fn product(at: usize) -> Product {
    let pick = at * STRIDE % 10_000;
    let [series, material, style, kind] = [(SERIES, 1_000), (MATERIALS, 100), (STYLES, 10), (KINDS, 1)]
        .map(|(list, place)| words(list)[pick / place % 10]);
    let some = |list: &'static str, n: usize| {
        words(list).iter().cycle().skip(at / 3).take(n).map(|word| (*word).to_owned()).collect::<Vec<_>>()
    };
    Product {
        id: format!("BN-{at:05}"),
        name: format!("{series}{material}{style}{kind}"),
        category: kind.to_owned(),
        aliases: vec![format!("{style}{kind}"), format!("{material}{kind}")],
        series: series.to_owned(),
        colours: some(COLOURS, 4),
        sizes: some(SIZES, 4),
        materials: vec![material.to_owned()],
        styles: vec![style.to_owned()],
        price_fen: 4_900 + at as u32 % 50 * 1_000,
        stock: 100,
        sold_out: Vec::new(),
        picture: None,
        description: format!(
            "{series}系列的{kind}，{material}面料，{style}款，日常通勤都能穿，洗后不易变形。"
        ),
        source: Source { file: "products.csv".to_owned(), line: at + 2 },
    }
}

fn words(list: &'static str) -> Vec<&'static str> {
    list.split_whitespace().collect()
}

fn short() -> Criterion {
    Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3))
}

criterion_group! {
    name = benches;
    config = short();
    targets = bench_faq, bench_catalogue
}
criterion_main!(benches);
