//! Words for every decision, and the length that an app takes.

use jiff::civil::date;

use super::*;
use crate::knowledge::sample::sensitive;
use crate::knowledge::sample::shop;
use crate::knowledge::sensitive::Direction;
use crate::knowledge::sensitive::SensitiveAction;
use crate::message::Customer;
use crate::message::CustomerKind;
use crate::nlu::Meaning;
use crate::policy::evidence::TaskEvidence;
use crate::policy::state::Target;
use crate::probability::Probability;
use crate::retrieval::catalogue::ProductEvidence;
use crate::retrieval::catalogue::ProductHit;
use crate::rules::RuleHit;
use crate::text::segment::Segmenter;
use crate::text::utterance::Utterance;

const TODAY: Date = date(2026, 11, 23);

fn evidence(kind: MessageKind) -> Evidence {
    static SEGMENTER: std::sync::LazyLock<Segmenter> =
        std::sync::LazyLock::new(|| Segmenter::new(std::iter::empty()));
    Evidence {
        kind,
        utterance: Utterance::read("", &SEGMENTER),
        completed: None,
        sensitive: Vec::new(),
        meaning: Meaning { intents: None, slots: Vec::new(), dropped: Vec::new() },
        rules: Vec::new(),
        entries: Vec::new(),
        products: ProductEvidence::default(),
        task: TaskEvidence::default(),
    }
}

fn ruled(actions: &[ActionSpec]) -> Evidence {
    let hit = RuleHit {
        rule: 0,
        id: "r".to_owned(),
        stage: crate::knowledge::rule::Stage::Hard,
        priority: 0,
        because: Vec::new(),
        actions: actions.to_vec(),
    };
    Evidence { rules: vec![hit], ..evidence(MessageKind::Text) }
}

/// Calls `then` with the scene of an hour at which the shop is open, or one at which it is closed.
fn on_stage<T>(known: &Knowledge, open: bool, then: impl FnOnce(&Renderer, &Scene<'_>) -> T) -> T {
    let customer = Customer::new("c", CustomerKind::Customer);
    let next_opening = (!open).then_some("明天09:00");
    let scene =
        Scene { known, customer: &customer, hours: "周一至周五 09:00-18:00", open, next_opening };
    then(&Renderer::new(known), &scene)
}

fn parts(known: &Knowledge, decision: &Decision, evidence: &Evidence) -> Vec<Part> {
    on_stage(known, true, |renderer, scene| {
        renderer.render(decision, evidence, (&State::default(), None), scene, TODAY).parts
    })
}

#[track_caller]
fn check(known: &Knowledge, decision: Decision, expected: &[&str]) {
    let expected: Vec<Part> = expected.iter().map(|text| Part::Text((*text).to_owned())).collect();
    assert_eq!(parts(known, &decision, &evidence(MessageKind::Image)), expected, "{decision:?}");
}

fn to_service(reason: Reason, said: Vec<usize>) -> Decision {
    Decision::Handoff { group: "service".to_owned(), reason, said }
}

fn file(title: &str, valid_until: Option<Date>, current: Option<&str>) -> AttachmentSpec {
    AttachmentSpec::File {
        file: format!("attachments/{title}.pdf"),
        title: title.to_owned(),
        valid_until,
        current: current.map(str::to_owned),
        media_id: None,
    }
}

/// The shop with named replies, and the first entry followed by the first of them.
fn attaching(replies: &[(&str, &str, Vec<AttachmentSpec>)]) -> Knowledge {
    let mut known = shop();
    known.entries[0].reply = replies.first().map(|(name, _, _)| (*name).to_owned());
    for (name, text, attachments) in replies {
        let spec = ReplySpec { text: (*text).to_owned(), attachments: attachments.clone() };
        known.replies.reply.insert((*name).to_owned(), spec);
    }
    known
}

/// What follows the answer of the first entry.
fn attached(known: &Knowledge) -> Vec<Part> {
    let mut parts = parts(known, &Decision::Answer(Basis::Entry(0)), &evidence(MessageKind::Text));
    assert_eq!(parts.remove(0), Part::Text("在订单页点“申请退货”。".to_owned()));
    parts
}

fn text(words: &str) -> Part {
    Part::Text(words.to_owned())
}

fn document(title: &str) -> Part {
    Part::File(Asset { path: format!("attachments/{title}.pdf"), title: title.to_owned(), media_id: None })
}

#[test]
fn every_decision_has_its_words() {
    let mut known = shop();
    known.sensitive = vec![sensitive("s", "词", SensitiveAction::Block, Direction::In)];
    check(&known, Decision::Answer(Basis::Greeting), &["您好，我是小应。"]);
    check(&known, Decision::Answer(Basis::Entry(3)), &["我们的时间是周一至周五 09:00-18:00。"]);
    check(&known, Decision::Answer(Basis::NothingLeft), &[Sentence::NothingLeft.built_in()]);
    check(&known, Decision::Answer(Basis::NoWords), &[Sentence::NoWords.built_in()]);
    check(&known, Decision::Block { spec: 0 }, &[Sentence::Blocked.built_in()]);
    check(&known, Decision::Block { spec: 9 }, &[Sentence::Blocked.built_in()]);
    let media = Sentence::Media.built_in().replace("{{ kind }}", "图片");
    check(&known, Decision::Answer(Basis::Media), &[&media]);
    let decline =
        "这个问题我还答不上来。您可以拨打 400-100-2000（周一至周五 09:00-18:00），会有同事帮您处理。";
    check(&known, Decision::Decline(Reason::Unknown), &[decline]);
    known.sensitive[0].message = Some("这个不聊，{{ bot.name }}帮您看货。".to_owned());
    check(&known, Decision::Block { spec: 0 }, &["这个不聊，小应帮您看货。"]);
}

#[test]
fn nothing_to_say_becomes_words_all_the_same() {
    let silent = [Sentence::NoWords.built_in()];
    let mut known = shop();
    check(&known, Decision::Answer(Basis::Rest), &silent);
    check(&known, Decision::Answer(Basis::Rules(vec![])), &silent);
    check(&known, Decision::Answer(Basis::Rules(vec![7])), &silent);
    known.entries[0].answer = "{% if not open %}关门了{% endif %}\n".to_owned();
    known.replies.standard.insert("no_words".to_owned(), String::new());
    check(&known, Decision::Answer(Basis::Entry(0)), &silent);
    check(&known, Decision::Answer(Basis::NoWords), &silent);
}

#[test]
fn the_rest_is_said_as_it_was_left() {
    let before = State { rest: Some("下文 {{ phone }}".to_owned()), ..State::default() };
    let known = shop();
    let decision = Decision::Answer(Basis::Rest);
    let reply = on_stage(&known, true, |renderer, scene| {
        renderer.render(&decision, &evidence(MessageKind::Text), (&before, None), scene, TODAY)
    });
    assert_eq!(reply, Reply::text("下文 {{ phone }}"));
}

#[test]
fn rules_speak_in_order_and_before_the_handoff() {
    let known = attaching(&[("aid", "先冲凉水。", Vec::new())]);
    let found = ruled(&[
        ActionSpec::Tag("急".to_owned()),
        ActionSpec::Text("别急，{{ bot.name }}在。".to_owned()),
        ActionSpec::Reply("aid".to_owned()),
        ActionSpec::Reply("gone".to_owned()),
        ActionSpec::Handoff("service".to_owned()),
    ]);
    let spoken = [text("别急，小应在。"), text("先冲凉水。")];
    assert_eq!(parts(&known, &Decision::Answer(Basis::Rules(vec![0])), &found), spoken);
    let handed = parts(&known, &to_service(Reason::Rule("r".to_owned()), vec![0]), &found);
    assert_eq!(handed[..2], spoken);
    assert_eq!(handed[2..], [text(&Sentence::HandoffOpen.built_in().replace("{{ group }}", "客服组"))]);
}

#[test]
fn a_promise_keeps_to_the_hours() {
    let known = shop();
    let promise = |open, reason| {
        let reply = on_stage(&known, open, |renderer, scene| {
            let decision = to_service(reason, Vec::new());
            renderer.render(&decision, &evidence(MessageKind::Text), (&State::default(), None), scene, TODAY)
        });
        let [Part::Text(words)] = reply.parts.as_slice() else { panic!("{reply:?}") };
        words.clone()
    };
    assert!(promise(true, Reason::Chosen).contains("马上就来"));
    let closed = promise(false, Reason::Chosen);
    assert!(!closed.contains("马上就来") && closed.contains("明天09:00上班后"), "{closed}");
    assert!(closed.contains("客服组") && closed.contains("09:00-18:00"), "{closed}");
    assert!(promise(true, Reason::Unknown).starts_with(Sentence::HandoffUnknown.built_in()));
}

#[test]
fn attachments_of_every_kind() {
    let media_id = Some("m1".to_owned());
    let known = attaching(&[(
        "all",
        "请看：",
        vec![
            AttachmentSpec::Image {
                file: "attachments/a.png".to_owned(),
                title: None,
                media_id: media_id.clone(),
            },
            AttachmentSpec::Voice {
                file: "a.amr".to_owned(),
                title: Some("问候".to_owned()),
                media_id: None,
            },
            AttachmentSpec::Card {
                title: "{{ bot.title }}".to_owned(),
                description: "电话{{ phone }}".to_owned(),
                url: Some("https://example.com".to_owned()),
                picture: None,
            },
            AttachmentSpec::Link { title: "官网".to_owned(), url: "https://example.com".to_owned() },
            file("手册", None, None),
        ],
    )]);
    let expected = [
        text("请看："),
        Part::Image(Asset { path: "attachments/a.png".to_owned(), title: "a.png".to_owned(), media_id }),
        Part::Voice(Asset { path: "a.amr".to_owned(), title: "问候".to_owned(), media_id: None }),
        Part::Card(Card {
            title: "云朵小铺".to_owned(),
            description: "电话400-100-2000".to_owned(),
            url: Some("https://example.com".to_owned()),
            picture: None,
        }),
        Part::Link { title: "官网".to_owned(), url: "https://example.com".to_owned() },
        document("手册"),
    ];
    assert_eq!(attached(&known), expected);
}

#[test]
fn a_document_is_handed_out_until_its_last_day() {
    let known = attaching(&[("list", "", vec![file("价目表", Some(TODAY), None)])]);
    assert_eq!(attached(&known), [document("价目表")]);
}

#[test]
fn an_expired_document_says_so_and_offers_its_successor() {
    let yesterday = Some(date(2026, 11, 22));
    let notice = "《价目表》已于2026年11月22日过期，不再提供。";
    let alone = attaching(&[("list", "", vec![file("价目表", yesterday, None)])]);
    assert_eq!(attached(&alone), [text(&format!("{notice}需要最新版，回复“转人工”，同事发给您。"))]);
    let gone = attaching(&[("list", "", vec![file("价目表", yesterday, Some("none"))])]);
    assert_eq!(attached(&gone), attached(&alone));
    let followed = attaching(&[
        ("list", "", vec![file("价目表", yesterday, Some("new"))]),
        ("new", "新的在此。", vec![file("新价目表", None, None)]),
    ]);
    let now_valid = text(&format!("{notice}这是现在有效的版本："));
    assert_eq!(attached(&followed), [now_valid, text("新的在此。"), document("新价目表")]);
}

#[test]
fn two_documents_that_name_each_other_come_to_an_end() {
    let yesterday = Some(date(2026, 11, 22));
    let known = attaching(&[
        ("a", "", vec![file("甲", yesterday, Some("b"))]),
        ("b", "", vec![file("乙", yesterday, Some("a"))]),
    ]);
    let said = attached(&known);
    assert_eq!(said.len(), 2);
    assert!(matches!(&said[1], Part::Text(words) if words.contains("《乙》") && words.contains("转人工")));
}

#[test]
fn a_product_is_a_text_or_with_a_picture_a_card() {
    let mut known = shop();
    known.products[0].stock = 3;
    let words = "云柔纯棉长袖衬衫\n价格：199元\n颜色：黑色、白色\n尺码/规格：M、L、XL\n库存：仅剩3件";
    check(&known, Decision::Answer(Basis::Product(0)), &[words]);
    known.products[0].picture = Some("pictures/1.png".to_owned());
    let card = Card {
        title: "云柔纯棉长袖衬衫".to_owned(),
        description: words.split_once('\n').unwrap().1.to_owned(),
        url: None,
        picture: Some("pictures/1.png".to_owned()),
    };
    let shown = parts(&known, &Decision::Answer(Basis::Product(0)), &evidence(MessageKind::Text));
    assert_eq!(shown, [Part::Card(card)]);
}

#[test]
fn what_a_product_lacks_is_said_of_the_found_one_only() {
    let hit = ProductHit {
        product: 0,
        score: 1.0,
        probability: Probability::ONE,
        matched: Vec::new(),
        in_full: false,
    };
    let products =
        ProductEvidence { hits: vec![hit], missing: vec!["红色".to_owned()], ..ProductEvidence::default() };
    let found = Evidence { products, ..evidence(MessageKind::Text) };
    let lacking = text("没有完全符合“红色”的，最接近的是：");
    let known = shop();
    assert_eq!(parts(&known, &Decision::Answer(Basis::Product(0)), &found)[0], lacking);
    assert_ne!(parts(&known, &Decision::Answer(Basis::Product(1)), &found)[0], lacking);
    let choice = Choice { title: "衬衫".to_owned(), target: Target::Human };
    let about = |about| Decision::Clarify { choices: vec![choice.clone()], about };
    assert_eq!(parts(&known, &about(About::Products), &found)[0], lacking);
    let options = vec!["衬衫".to_owned()];
    let prompt = Sentence::ClarifyTopics.built_in().to_owned();
    assert_eq!(parts(&known, &about(About::Topics), &found), [Part::Choices { prompt, options }]);
}

#[test]
fn a_broken_template_says_its_plain_words() {
    let mut known = shop();
    for (template, words) in [
        ("亲爱的{{ nobody }}，在的。", "亲爱的，在的。"),
        ("{% if nobody %}您{% endif %}好", "您好"),
        ("好的。{{ hours", "好的。"),
        ("{{ nobody }}", Sentence::NoWords.built_in()),
    ] {
        known.entries[0].answer = template.to_owned();
        check(&known, Decision::Answer(Basis::Entry(0)), &[words]);
    }
}

fn fitted(parts: Vec<Part>, channel: Channel) -> Rendered {
    on_stage(&shop(), true, |renderer, scene| renderer.fitted(Reply { parts }, channel, scene))
}

#[test]
fn the_web_takes_any_length() {
    let parts = vec![text(&"退".repeat(5_000)), document("手册")];
    assert_eq!(fitted(parts.clone(), Channel::Web), Rendered { reply: Reply { parts }, rest: None });
}

#[test]
fn an_app_takes_2048_bytes_and_the_rest_follows() {
    // 682 characters and two letters are 2,048 bytes; one letter more is cut.
    let full = format!("{}ab", "退".repeat(682));
    assert_eq!(fitted(vec![text(&full)], Channel::WecomApp).rest, None);
    let long: String = (0..900).map(|number| format!("第{number}条，七天无理由。\n")).collect();
    let (mut said, mut left, mut rounds) = (String::new(), Some(long.clone()), 0);
    while let Some(part) = left {
        let now = fitted(vec![Part::Text(part)], Channel::WecomApp);
        let [Part::Text(head)] = now.reply.parts.as_slice() else { panic!("{now:?}") };
        assert!(head.len() <= 2_048, "{} bytes", head.len());
        let own = head.strip_suffix(&format!("\n{}", Sentence::More.built_in()));
        assert_eq!(own.is_some(), now.rest.is_some(), "the notice stands exactly where something is left");
        said.push_str(own.unwrap_or(head));
        said.push('\n');
        left = now.rest;
        rounds += 1;
    }
    assert!(said.trim_end() == long.trim_end(), "something was lost or said twice");
    assert!(rounds > 10);
}

#[test]
fn what_is_attached_keeps_its_room_in_an_app() {
    let link = Part::Link { title: "官网".to_owned(), url: "https://example.com".to_owned() };
    let others = [document("手册"), link];
    let parts =
        [vec![text("一。"), others[0].clone(), text(&"退。".repeat(600)), others[1].clone()]].concat();
    let now = fitted(parts, Channel::WecomApp);
    assert_eq!(now.reply.parts[1..], others);
    assert!(now.reply.parts.iter().map(bytes_in_text).sum::<usize>() <= 2_048);
    assert!(matches!(&now.reply.parts[0], Part::Text(words) if words.starts_with("一。\n\n退。")));
    assert!(now.rest.is_some_and(|rest| !rest.contains("手册")));
}
