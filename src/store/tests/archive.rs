//! Looking up what was said.

use crate::message::Channel;
use crate::store::AgentId;
use crate::store::ArchiveFilter;
use crate::store::ArchiveOrder;
use crate::store::ArchivedBy;
use crate::store::Author;
use crate::store::Change;
use crate::store::CustomerKey;
use crate::store::Direction;
use crate::store::HandoffChange;
use crate::store::Speaker;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::TurnRow;
use crate::store::tests::at;
use crate::store::tests::customer;
use crate::store::tests::tags;
use crate::store::tests::turn;

async fn talks(store: &dyn Store, key: &CustomerKey, inbound: &str, outbound: &str, second: i64) {
    let read = store.conversation(key, at(second)).await.unwrap();
    let (inbound, outbound) = (inbound.to_owned(), outbound.to_owned());
    store.record_turn(TurnRow { inbound, outbound, ..turn(&read, at(second)) }).await.unwrap();
}

async fn says(store: &dyn Store, key: &CustomerKey, author: Author, body: &str, second: i64) {
    let read = store.conversation(key, at(second)).await.unwrap();
    let change = Change {
        conversation_id: read.id,
        revision: read.revision,
        at: at(second),
        speaker: Speaker::Bot,
        holder: None,
        said: Some((author, body.to_owned())),
        state: None,
        note: None,
        outbox: Vec::new(),
        answers: Vec::new(),
        handoff: HandoffChange::None,
        timers: Vec::new(),
        survey: None,
        event: None,
    };
    store.change(&change).await.unwrap();
}

pub(in crate::store) async fn agent(store: &dyn Store, name: &str, hash: u8) -> AgentId {
    let key = store.key_add("agent", &[hash; 32], name, at(0)).await.unwrap();
    store.agent_add(name, &tags(&[]), key, at(0)).await.unwrap().id
}

/// All that was said with a bot, oldest first.
pub(in crate::store) fn everything(bot: &str) -> ArchiveFilter {
    ArchiveFilter {
        bot: bot.to_owned(),
        channel: None,
        customer_id: None,
        direction: None,
        by: None,
        from: None,
        until: None,
        words: Vec::new(),
        order: ArchiveOrder::OldestFirst,
        after: None,
        limit: u32::MAX,
    }
}

/// A talk of Amy's on the web (0 and 1), one of Bob's over 微信客服 with a picture (2 and 3), and then with a human: what Bob
/// says (4), the human (5) and the program (6).
pub(in crate::store) async fn fill(store: &dyn Store, bot: &str, wang: AgentId) {
    let (amy, bob) = (customer(bot, "amy"), CustomerKey::new(bot, Channel::WecomKf, "bob").unwrap());
    let asked = r#"{"kind":"text","text":"怎么退货 Size_M"}"#;
    let answered = r#"{"parts":[{"type":"text","text":"七天内 100% 可退"},{"type":"choices","prompt":"还想问？",
        "options":["运费\"谁出\"","发票"]}],"because":"客户打开了会话","entry":"return"}"#;
    talks(store, &amy, asked, answered, 1).await;
    let shown = r#"{"parts":[{"type":"image","title":"尺码表","url":"attachments/size.png","until":null},
        {"type":"link","title":"上新","url":"https://shop.example/new"}]}"#;
    talks(store, &bob, r#"{"kind":"image","text":""}"#, shown, 2).await;
    says(store, &bob, Author::Customer, r#"{"kind":"text","text":"有人吗"}"#, 3).await;
    let replied = r#"{"parts":[{"type":"text","text":"我在，size_m 有"}]}"#;
    says(store, &bob, Author::Agent(wang), replied, 4).await;
    says(store, &bob, Author::System, r#"{"parts":[{"type":"text","text":"已结束"}]}"#, 5).await;
}

pub(super) async fn messages_are_found_by_every_filter(store: &dyn Store) {
    const BOT: &str = "archive";
    let wang = agent(store, "档案小王", 0xa7).await;
    fill(store, BOT, wang).await;
    talks(store, &customer("archive-other", "amy"), r#"{"text":"退货"}"#, r#"{"parts":[]}"#, 1).await;
    let all = store.archive(&everything(BOT)).await.unwrap();
    let authors: Vec<Author> = all.iter().map(|row| row.message.author).collect();
    let customer = Author::Customer;
    let expected =
        [customer, Author::Bot, customer, Author::Bot, customer, Author::Agent(wang), Author::System];
    assert_eq!(authors, expected);
    assert_eq!((all[2].customer.channel(), all[2].customer.customer_id()), ("wecom_kf", "bob"));
    let check = async |filter: ArchiveFilter, expected: &[usize]| {
        let rows = store.archive(&filter).await.unwrap();
        let found: Vec<usize> =
            rows.iter().map(|row| all.iter().position(|one| one == row).unwrap()).collect();
        assert_eq!(found, expected, "{filter:?}");
    };
    let base = || everything(BOT);
    let of = |id: &str| ArchiveFilter { customer_id: Some(id.to_owned()), ..base() };
    check(ArchiveFilter { channel: Some(Channel::WecomKf), ..base() }, &[2, 3, 4, 5, 6]).await;
    check(of("amy"), &[0, 1]).await;
    check(of("nobody"), &[]).await;
    check(ArchiveFilter { channel: Some(Channel::Web), ..of("bob") }, &[]).await;
    check(ArchiveFilter { direction: Some(Direction::In), ..base() }, &[0, 2, 4]).await;
    check(ArchiveFilter { direction: Some(Direction::Out), ..base() }, &[1, 3, 5, 6]).await;
    let by = |by| ArchiveFilter { by: Some(by), ..base() };
    check(by(ArchivedBy::Customer), &[0, 2, 4]).await;
    check(by(ArchivedBy::Bot), &[1, 3]).await;
    check(by(ArchivedBy::Agents), &[5]).await;
    check(by(ArchivedBy::Agent(wang)), &[5]).await;
    check(by(ArchivedBy::Agent(wang + 1)), &[]).await;
    check(by(ArchivedBy::System), &[6]).await;
    check(ArchiveFilter { by: Some(ArchivedBy::System), ..of("bob") }, &[6]).await;
    check(ArchiveFilter { by: Some(ArchivedBy::Agents), ..of("amy") }, &[]).await;

    let span = |filter| ArchiveFilter { from: Some(at(2)), until: Some(at(4)), ..filter };
    check(span(base()), &[2, 3, 4]).await;
    check(span(of("bob")), &[2, 3, 4]).await;
    check(span(ArchiveFilter { order: ArchiveOrder::NewestFirst, ..base() }), &[4, 3, 2]).await;
    check(ArchiveFilter { from: Some(at(5)), ..base() }, &[6]).await;
    check(ArchiveFilter { from: Some(at(6)), ..base() }, &[]).await;
    check(ArchiveFilter { until: Some(at(1)), ..base() }, &[]).await;

    for order in [ArchiveOrder::OldestFirst, ArchiveOrder::NewestFirst] {
        for (filter, mut expected) in [
            (base(), vec![0, 1, 2, 3, 4, 5, 6]),
            (of("bob"), vec![2, 3, 4, 5, 6]),
            (span(base()), vec![2, 3, 4]),
        ] {
            if order == ArchiveOrder::NewestFirst {
                expected.reverse();
            }
            let mut after = None;
            for page in expected.chunks(2) {
                check(ArchiveFilter { order, after, limit: 2, ..filter.clone() }, page).await;
                after = page.last().map(|last| all[*last].message.id);
            }
            check(ArchiveFilter { order, after, limit: 2, ..filter }, &[]).await;
        }
    }
}

/// Many of the filters that there are.
pub(in crate::store) fn filters(bot: &str, wang: AgentId) -> Vec<ArchiveFilter> {
    let base = || everything(bot);
    let mut filters = vec![
        base(),
        ArchiveFilter { channel: Some(Channel::WecomKf), ..base() },
        ArchiveFilter { customer_id: Some("bob".to_owned()), ..base() },
        ArchiveFilter { direction: Some(Direction::Out), ..base() },
        ArchiveFilter { words: vec!["退".to_owned()], ..base() },
        ArchiveFilter { from: Some(at(2)), ..base() },
        ArchiveFilter { until: Some(at(4)), ..base() },
        ArchiveFilter { from: Some(at(2)), until: Some(at(4)), ..base() },
        ArchiveFilter { from: Some(at(99)), ..base() },
    ];
    let by = [
        ArchivedBy::Customer,
        ArchivedBy::Bot,
        ArchivedBy::Agents,
        ArchivedBy::System,
        ArchivedBy::Agent(wang),
    ];
    filters.extend(by.map(|by| ArchiveFilter { by: Some(by), ..base() }));
    let both = |filter: ArchiveFilter| {
        [ArchiveFilter { order: ArchiveOrder::NewestFirst, ..filter.clone() }, filter]
    };
    let anywhere =
        |filter: ArchiveFilter| [ArchiveFilter { after: Some(4), limit: 2, ..filter.clone() }, filter];
    filters.into_iter().flat_map(both).flat_map(anywhere).collect()
}

pub(super) async fn words_are_found_in_what_people_read(store: &dyn Store) {
    const BOT: &str = "archive-words";
    let wang = agent(store, "档案小李", 0xa8).await;
    fill(store, BOT, wang).await;
    let all = store.archive(&everything(BOT)).await.unwrap();
    let with = |words: &[&str]| ArchiveFilter {
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        ..everything(BOT)
    };
    for (words, expected) in [
        (&["退货"][..], &[0][..]),
        // Either case of Latin letters.
        (&["size_m"], &[0, 5]),
        (&["SIZE_M", "退货"], &[0]),
        // All of them, in any of the texts.
        (&["退", "发票"], &[1]),
        // What stands for other signs in SQL stands for itself.
        (&["100%"], &[1]),
        (&["10%"], &[]),
        (&["七_内"], &[]),
        (&["\\"], &[]),
        (&["谁出\""], &[1]),
        // Titles and addresses that were seen; no file of the bot's, no name of a field, no reason.
        (&["尺码表"], &[3]),
        (&["shop.example"], &[3]),
        (&["attachments"], &[]),
        (&["options"], &[]),
        (&["image"], &[]),
        (&["客户打开"], &[]),
        (&["return"], &[]),
    ] {
        let rows = store.archive(&with(words)).await.unwrap();
        let found: Vec<usize> =
            rows.iter().map(|row| all.iter().position(|one| one == row).unwrap()).collect();
        assert_eq!(found, expected, "{words:?}");
    }
    let refused = async |word: &str| store.archive(&with(&[word])).await.unwrap_err();
    assert!(matches!(refused("").await, StoreError::Empty { .. }));
    assert!(matches!(refused(&"x".repeat(257)).await, StoreError::TooLong { len: 257, limit: 256, .. }));
}

pub(super) async fn what_is_forgotten_is_in_no_archive(store: &dyn Store) {
    const BOT: &str = "archive-forgotten";
    let wang = agent(store, "档案小张", 0xa9).await;
    fill(store, BOT, wang).await;
    let amy = customer(BOT, "amy");
    talks(store, &amy, r#"{"text":"后来"}"#, r#"{"parts":[]}"#, 100).await;
    assert_eq!(store.archive(&everything(BOT)).await.unwrap().len(), 9);
    // Whoever said it, and whichever way it went.
    assert_eq!(store.messages_prune(BOT, at(100)).await.unwrap().n_messages, 7);
    let left = store.archive(&everything(BOT)).await.unwrap();
    let times: Vec<_> = left.iter().map(|row| row.message.at).collect();
    assert_eq!(times, [at(100), at(100)]);
    store.customer_forget(&amy).await.unwrap();
    assert_eq!(store.archive(&everything(BOT)).await.unwrap(), []);
}
