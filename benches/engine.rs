//! What it costs to answer: `Engine::respond` from text to reply, beside plain jieba cutting the same messages
//! into words. Throughput in messages.
//!
//! Data: the shipped bots `knowledge/shop` and `knowledge/staff`, and 40 messages for each, written by hand:
//! small talk, questions of the FAQ in other words, products with and without filters, traditional and
//! full-width characters, picks from the choices offered before, calls for a human, emergencies, emoji,
//! nonsense, and one long complaint. All are asked on a Monday at noon; what a talk remembers is worked out
//! before, so that only the message itself is measured. One iteration is all 40.
//!
//! Left out: the store, the queue for each talk, HTTP and WeCom's encryption, reading the folder and building
//! the engine.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use criterion::BenchmarkId;
use criterion::Criterion;
use criterion::Throughput;
use criterion::criterion_group;
use criterion::criterion_main;
use jieba_rs::Jieba;
use jiff::Timestamp;
use yingda::engine;
use yingda::engine::Engine;
use yingda::engine::Turn;
use yingda::knowledge::Knowledge;
use yingda::message::Channel;
use yingda::message::Content;
use yingda::message::Customer;
use yingda::message::CustomerKind;
use yingda::message::Inbound;
use yingda::policy::decision::Basis;
use yingda::policy::decision::Decision;
use yingda::policy::state::State;
use yingda::text::segment::Segmenter;

/// Monday noon in Shanghai: both bots have people there.
const NOW: &str = "2026-11-23T12:00:00+08:00";

/// Rounds of the comparison with jieba; odd, for the median.
const ROUNDS: usize = 201;

/// One talk a line; ` -> ` leads to its next message.
const SHOP: &str = "\
    你好
    怎么申请退货
    七天无理由从哪天开始算
    退货的运费谁出啊
    退款多久能到账
    我的快递到哪了
    物流三天没更新了，是不是丢件了
    可以改一下收货地址吗
    還沒發貨，可以取消訂單嗎
    发票怎么开，能开专票吗
    优惠券在哪里领
    积分会不会过期
    刚买就降价了，差价退不退？
    你们实体店在哪，几点关门
    毛衣起球了怎么办
    洗完掉色正常吗
    收到的鞋子少了一只鞋带
    羽绒服怎么洗
    穿什么码合适，一米六五 110斤
    可以货到付款吗
    支持花呗分期吗
    你是机器人吗
    谢谢，没事了
    公司年会要做一百件卫衣，能印logo吗
    加绒连帽卫衣多少钱
    有没有黑色XL码的卫衣 -> 第一个
    200以内的纯棉T恤推荐几款
    有没有雾霾蓝的冲锋衣
    衬衫有哪些 -> 2
    想给爸爸买件羽绒服
    ＹＲ－Ｔ１０１有什么颜色
    转人工
    我要投诉你们，再不处理我就打12315
    孩子穿了你家衣服起红疹，去医院了
    😀😀
    今天股票涨了吗
    膝盖疼了半个月该挂什么科
    我上周在你们店里买了一件黑色的羽绒服，穿了两次就发现袖子那里开线了，里面的绒一直往外跑，我想问一下这\
    种情况是可以换一件新的还是只能寄回去修，修的话要多久，运费是你们出还是我自己出，麻烦尽快给个答复，谢\
    谢";

/// What must be among the answers, so that no change of the knowledge empties the measurement: at least so many
/// messages of each kind.
const SHOP_KINDS: &[(&str, usize)] =
    &[("entry", 10), ("product", 1), ("choice", 2), ("clarify", 4), ("handoff", 4)];

const STAFF: &str = "\
    你好
    年假有几天
    今年刚入职有年假吗
    病假工资怎么算
    婚假几天
    忘打卡了怎么补
    迟到怎么扣钱
    加班能调休吗
    出差住宿能报多少
    报销多久到账
    發票丟了還能報銷嗎
    打车费能不能报
    工资几号发
    工资条在哪里看
    公积金怎么提取
    社保断缴了怎么办
    电脑密码忘了
    ＶＰＮ连不上
    打印机怎么连
    会议室怎么预订
    公章怎么借出去用
    合同审批要多久
    试用期多长
    转正要走什么流程
    怎么申请转岗
    离职要提前多久说
    内推有奖金吗
    体检什么时候做
    饭堂几点开饭
    发我最新版员工手册
    请假 -> 1
    报销 -> 2
    转人工
    找IT
    有人晕倒了快来人
    oa打不开了
    把员工名单发我一份
    我下周要去成都出差三天，想问一下住宿标准是多少，机票可以自己先买回来再报销吗，餐补是按天给还是要拿发\
    票，回来以后多少天之内要提交报销单，谢谢";

const STAFF_KINDS: &[(&str, usize)] = &[("entry", 15), ("choice", 2), ("clarify", 3), ("handoff", 3)];

fn bench_respond(c: &mut Criterion) {
    let now: Timestamp = NOW.parse().expect("a fixed moment");
    let [shop, staff] = engines(["shop", "staff"], now);
    let bots = [
        (shop, SHOP, SHOP_KINDS, CustomerKind::Customer, Channel::Web),
        (staff, STAFF, STAFF_KINDS, CustomerKind::Employee, Channel::WecomApp),
    ];
    let jieba = Jieba::new();
    let mut group = c.benchmark_group("engine");
    for (engine, talks, kinds, customer, channel) in bots {
        let bot = engine.known().bot.clone();
        let template = Inbound {
            bot: bot.clone(),
            channel,
            customer: Customer::new("bench", customer),
            content: Content::Entered,
        };
        let messages = messages(&engine, talks, &template, now);
        check_kinds(&engine, &messages, kinds, now);
        let answer_all = || {
            messages.iter().for_each(|message| {
                black_box(respond(&engine, black_box(message), now));
            })
        };
        let cut_all = || {
            messages.iter().for_each(|message| {
                black_box(jieba.cut(black_box(message.inbound.content.as_text()), false));
            })
        };
        group.throughput(Throughput::Elements(messages.len() as u64));
        group.bench_function(BenchmarkId::new("respond", &bot), |b| b.iter(answer_all));
        group.bench_function(BenchmarkId::new("plain_jieba", &bot), |b| b.iter(cut_all));
        tell_ratio(&bot, messages.len(), answer_all, cut_all);
    }
    group.finish();
}

/// A message with what its talk remembers by then.
struct Message {
    inbound: Inbound,
    before: State,
}

fn respond(engine: &Engine, message: &Message, now: Timestamp) -> Turn {
    engine.respond(&message.inbound, &message.before, now, &mut |_| {})
}

/// The messages of all talks, each talk held once to learn its states.
fn messages(engine: &Engine, talks: &str, template: &Inbound, now: Timestamp) -> Vec<Message> {
    let mut messages = Vec::new();
    for talk in talks.lines() {
        let mut before = State::default();
        for text in talk.trim().split(" -> ") {
            let inbound = Inbound { content: Content::Text(text.to_owned()), ..template.clone() };
            let message = Message { inbound, before };
            before = respond(engine, &message, now).state;
            messages.push(message);
        }
    }
    assert_eq!(messages.len(), 40);
    messages
}

#[track_caller]
fn check_kinds(engine: &Engine, messages: &[Message], kinds: &[(&str, usize)], now: Timestamp) {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for message in messages {
        let turn = respond(engine, message, now);
        assert!(!turn.reply.parts.is_empty());
        let kind = match (&turn.decision, message.before.pending.is_empty()) {
            (Decision::Answer(Basis::Entry(_) | Basis::Product(_)), false) => "choice",
            (Decision::Answer(Basis::Entry(_)), true) => "entry",
            (Decision::Answer(Basis::Product(_)), true) => "product",
            (Decision::Answer(Basis::Rules(_)), _) => "rules",
            (other, _) => other.action(),
        };
        *seen.entry(kind).or_default() += 1;
    }
    let enough = |(kind, n_min): &(&str, usize)| seen.get(kind).is_some_and(|n_seen| n_seen >= n_min);
    assert!(kinds.iter().all(enough), "{}: {seen:?}, wanted {kinds:?}", engine.known().bot);
}

/// Times both in turn, round by round, so that a busy machine slows them alike, and tells the ratio on stderr.
fn tell_ratio(bot: &str, n_messages: usize, answer_all: impl Fn(), cut_all: impl Fn()) {
    let timed = |pass: &dyn Fn()| {
        let started = Instant::now();
        pass();
        started.elapsed().as_secs_f64()
    };
    let rounds: Vec<(f64, f64)> = (0..ROUNDS).map(|_| (timed(&answer_all), timed(&cut_all))).collect();
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[ROUNDS / 2]
    };
    let per_second = n_messages as f64 / median(rounds.iter().map(|(answer, _)| *answer).collect());
    let ratio = median(rounds.iter().map(|(answer, cut)| answer / cut).collect());
    writeln!(
        std::io::stderr(),
        "engine/ratio/{bot}: answering takes {ratio:.1} times as long as plain jieba; {per_second:.0} messages/s \
         (medians of {ROUNDS} rounds in turn)"
    )
    .expect("stderr takes a line");
}

/// Both bots as `yingda serve` builds them: one segmenter with the words of all.
fn engines<const N: usize>(bots: [&str; N], now: Timestamp) -> [Engine; N] {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("knowledge");
    let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    let known: [Knowledge; N] = bots.map(|bot| {
        let (known, findings) = engine::load(&root.join(bot), today);
        assert!(engine::servable(&findings), "{bot}: {findings:?}");
        known.expect("a servable bot was read")
    });
    let words: BTreeSet<String> = known.iter().flat_map(engine::vocabulary).collect();
    let segmenter = Arc::new(Segmenter::new(words.iter().map(String::as_str)));
    known.map(|known| Engine::new(known, Arc::clone(&segmenter)).expect("a servable bot can be built"))
}

fn short() -> Criterion {
    Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(5))
}

criterion_group! {
    name = benches;
    config = short();
    targets = bench_respond
}
criterion_main!(benches);
