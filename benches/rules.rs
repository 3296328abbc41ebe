//! What it costs to find the rules that fire, and the sensitive words of a text. Throughput in messages, for
//! sensitive words in bytes.
//!
//! Data: 10, 1,000 and 5,000 rules made of two lists of 40 words in this file. One in ten is an expression
//! (half of them `退款.{0,6}多久`, half `价.*格`), one in twenty asks for a time of day or a tag beside its
//! keywords, the others hold two keywords of four to nine characters. Every rule continues, so that no hit
//! spares the rest. 500 sensitive words in 25 entries, half of which watch for homophones.
//!
//! Left out: compiling (once a start), normalising the message (`benches/text.rs`), conditions on channel,
//! region or opening hours, rules nested in `and`, `or` and `not`.

use std::hint::black_box;
use std::time::Duration;

use criterion::BenchmarkId;
use criterion::Criterion;
use criterion::Throughput;
use criterion::criterion_group;
use criterion::criterion_main;
use yingda::knowledge::rule::ActionSpec;
use yingda::knowledge::rule::ConditionSpec;
use yingda::knowledge::rule::RuleSpec;
use yingda::knowledge::rule::Stage;
use yingda::knowledge::rule::Weekday;
use yingda::knowledge::sensitive::Direction;
use yingda::knowledge::sensitive::SensitiveAction;
use yingda::knowledge::sensitive::SensitiveSpec;
use yingda::message::Channel;
use yingda::message::Customer;
use yingda::message::CustomerKind;
use yingda::message::MessageKind;
use yingda::rules::Context;
use yingda::rules::Moment;
use yingda::rules::RuleSet;
use yingda::rules::sensitive::SensitiveSet;
use yingda::text::normalise::normalise;

const SIZES: [usize; 3] = [10, 1_000, 5_000];

/// Messages with the hits they must have among 10, 1,000 and 5,000 rules.
const MESSAGES: [(&str, &str, [usize; 3]); 4] = [
    ("none", "你好，在吗？想看看秋天穿的外套，有没有显瘦一点的", [0, 0, 0]),
    ("one", "请问一下退款的多久呀", [1, 1, 1]),
    ("several", "先说退款的多久，再说库存是不是失败，还有赠品怎么查询，麻烦都讲讲", [3, 5, 9]),
    (
        "crowded",
        "我的快递一直没有更新，是不是丢失了？发票也没收到，尺码好像发错了，包装破损，吊牌少件，想换货又怕运费要自己出，\
         优惠券的期限快到了，会员积分还能叠加吗，要是退款的进度太慢我就投诉，麻烦客服尽快查询一下订单的时间和地址",
        [0, 0, 12],
    ),
];

const TOPICS: &str = "退款 退货 换货 发票 快递 物流 运费 尺码 颜色 库存 优惠券 积分 会员 订单 地址 密码 账号 门店 赠品 吊牌 \
    包装 拉链 面料 售后 保修 维修 定金 尾款 预售 秒杀 满减 团购 礼盒 洗涤 掉色 起球 缩水 色差 试穿 样品";
const ASKS: &str = "多久 进度 流程 规则 时间 费用 电话 入口 失败 超时 丢失 破损 少件 错误 取消 修改 查询 申请 补发 延迟 \
    上限 门槛 期限 有效期 到账 说明 截图 证明 审核 驳回 催促 投诉 对比 推荐 截止 叠加 转让 升级 冻结 恢复";
/// What joins topic and ask in the two keywords of a rule.
const JOINTS: [[&str; 2]; 4] = [["的", "还"], ["没有", "是不是"], ["可以", "要"], ["怎么", "能"]];

/// Shares no factor with the 6,400 combinations, so that neighbours differ and no keyword comes twice.
const STRIDE: usize = 7_919;

const SENSITIVE_DEEDS: &str = "代开 代办 代刷 低价 高价 私下 加急 批量 匿名 境外 包过 秒批 无抵押 一手 原版 海外 地下 黑市 \
    倒卖 出售 收购 转让 租借 伪造 套取";
const SENSITIVE_GOODS: &str = "发票 证件 好评 流水 贷款 银行卡 身份证 驾照 文凭 公章 会员 账号 红包 优惠券 积分 手机号 名单 \
    客户资料 礼品卡 信用卡";

fn bench_matches(c: &mut Criterion) {
    let mut customer = Customer::new("bench", CustomerKind::Customer);
    customer.tags.insert("vip".to_owned());
    let noon = Moment { minute_of_day: 12 * 60, weekday: Weekday::Mon, holiday: false, open: true };
    let context = Context { customer: &customer, channel: Channel::Web, kind: MessageKind::Text, now: noon };
    let mut group = c.benchmark_group("rules/matches");
    group.throughput(Throughput::Elements(1));
    for (size_idx, n_rules) in SIZES.into_iter().enumerate() {
        let rules = RuleSet::compile(&(0..n_rules).map(rule).collect::<Vec<_>>()).expect("valid rules");
        for (name, text, n_hits) in MESSAGES {
            let text = normalise(text);
            assert_eq!(rules.matches(&text, &context).len(), n_hits[size_idx], "{name} of {n_rules}");
            group.bench_function(BenchmarkId::new(name, n_rules), |b| {
                b.iter(|| rules.matches(black_box(&text), black_box(&context)));
            });
        }
    }
    group.finish();
}

fn bench_sensitive(c: &mut Criterion) {
    let set = SensitiveSet::compile(&sensitive_words()).expect("valid words");
    let long = MESSAGES[3].1.chars().cycle().take(500).collect::<String>();
    let texts = [
        ("clean", "我想退换上个月买的黑色衬衫，怎么操作", 0),
        ("clean_500_chars", &long, 0),
        ("written", "你们能不能帮忙代开发票啊", 1),
        ("symbols", "你们能不能帮忙代*开。发-票啊", 1),
        ("pinyin", "你们能不能帮忙代开fa票啊", 1),
    ];
    let mut group = c.benchmark_group("rules/sensitive_500_words");
    for (name, text, n_hits) in texts {
        let text = normalise(text);
        assert_eq!(set.find(&text, Direction::In).len(), n_hits, "{name}");
        group.throughput(Throughput::Bytes(text.as_str().len() as u64));
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            b.iter(|| set.find(black_box(&text), Direction::In));
        });
    }
    group.finish();
}

/// The rule in a place; the first ones are the same however many there are.
fn rule(at: usize) -> RuleSpec {
    let (topics, asks) = (words(TOPICS), words(ASKS));
    let pick = at * STRIDE % (topics.len() * asks.len() * JOINTS.len());
    let topic_idx = pick / (asks.len() * JOINTS.len());
    let (topic, ask) = (topics[topic_idx], asks[(pick + topic_idx) % asks.len()]);
    let joints = JOINTS[pick / asks.len() % JOINTS.len()];
    let mut when = ConditionSpec::default();
    if at % 10 == 3 {
        let (first, last) = (topic.chars().next(), ask.chars().last());
        when.regex = match (first, last) {
            (Some(first), Some(last)) if at % 20 == 13 => Some(format!("{first}.*{last}")),
            (_, _) => Some(format!("{topic}.{{0,6}}{ask}")),
        };
    } else {
        when.any = joints.map(|joint| format!("{topic}{joint}{ask}")).to_vec();
    }
    match at % 40 {
        7 => when.time = Some("22:00-08:00".to_owned()),
        27 => when.tags = vec!["vip".to_owned()],
        _ => {}
    }
    RuleSpec {
        id: format!("rule-{at}"),
        stage: Stage::Soft,
        priority: 0,
        when,
        then: vec![ActionSpec::Text("您好，这件事请打开“我的订单”查看。".to_owned())],
        continues: true,
        line: at + 1,
    }
}

fn sensitive_words() -> Vec<SensitiveSpec> {
    let entry = |(at, deed): (usize, &str)| SensitiveSpec {
        id: format!("entry-{at}"),
        words: words(SENSITIVE_GOODS).iter().map(|goods| format!("{deed}{goods}")).collect(),
        action: SensitiveAction::Mask,
        direction: Direction::Both,
        message: None,
        group: None,
        homophones: at % 2 == 1,
        line: at + 1,
    };
    words(SENSITIVE_DEEDS).into_iter().enumerate().map(entry).collect()
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
    targets = bench_matches, bench_sensitive
}
criterion_main!(benches);
