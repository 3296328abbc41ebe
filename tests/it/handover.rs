//! Humans in conversations: who may, who was first, who has vanished, and that the bot is silent meanwhile.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use tempfile::TempDir;
use yingda::desk::timers;
use yingda::message::Channel;
use yingda::message::Content;
use yingda::message::CustomerKind;
use yingda::message::Part;
use yingda::service::Answer;
use yingda::service::Question;
use yingda::service::Service;
use yingda::service::handover::Deed;
use yingda::service::handover::Handover;
use yingda::service::handover::HandoverError;
use yingda::service::inbox;
use yingda::service::personal::Personal;
use yingda::service::satisfaction::Count;
use yingda::service::satisfaction::satisfaction;
use yingda::store::AgentRow;
use yingda::store::Author;
use yingda::store::ConversationRow;
use yingda::store::CustomerKey;
use yingda::store::Speaker;
use yingda::store::SqliteStore;
use yingda::store::Store;
use yingda::store::StoreError;
use yingda::store::TurnRow;

use crate::fixture::BOT;
use crate::fixture::Folder;
use crate::fixture::RETURN;
use crate::fixture::TO_HUMAN;
use crate::fixture::bot_toml;

/// A Monday, ten o'clock in Shanghai.
const NOW: &str = "2026-11-23T02:00:00Z";

struct Shop {
    service: Arc<Service>,
    store: Arc<dyn Store>,
    handover: Handover,
    second: Arc<AtomicI64>,
    folder: Folder,
    data: TempDir,
}

impl Shop {
    async fn open() -> Self {
        let folder = Folder::new();
        let profile = bot_toml()
            .replace("default_group = \"service\"\n", "default_group = \"service\"\nwait_minutes = 3\noverdue_group = \"night\"\nlease_minutes = 10\n")
            .replace("service = \"在线客服组\"\n", "service = \"在线客服组\"\nnight = \"值班组\"\n");
        let profile = format!("{profile}\n[survey]\nidle_minutes = 30\n");
        folder.write(&format!("{BOT}/bot.toml"), profile.as_bytes());
        Self::over(folder, tempfile::tempdir().unwrap(), NOW.parse::<Timestamp>().unwrap().as_second()).await
    }

    async fn over(folder: Folder, data: TempDir, second: i64) -> Self {
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(data.path()).await.unwrap());
        let second = Arc::new(AtomicI64::new(second));
        let clock = {
            let second = Arc::clone(&second);
            Arc::new(move || Timestamp::from_second(second.load(Ordering::SeqCst)).unwrap())
        };
        let service = Arc::new(Service::new(vec![folder.engine()], Arc::clone(&store), clock));
        let handover = Handover::new(Arc::clone(&service), BTreeMap::new());
        Self { service, store, handover, second, folder, data }
    }

    /// The same shop after its process has ended.
    async fn restarted(self) -> Self {
        let Self { store, second, folder, data, .. } = self;
        store.close().await;
        Self::over(folder, data, second.load(Ordering::SeqCst)).await
    }

    fn pass(&self, seconds: i64) {
        self.second.fetch_add(seconds, Ordering::SeqCst);
    }

    async fn agent(&self, name: &str, groups: &[&str]) -> AgentRow {
        let mut hash = [0; 32];
        hash[..name.len().min(32)].copy_from_slice(&name.as_bytes()[..name.len().min(32)]);
        let key = self.store.key_add("agent", &hash, name, self.service.now()).await.unwrap();
        let groups: BTreeSet<String> = groups.iter().map(|group| (*group).to_owned()).collect();
        self.store.agent_add(name, &groups, key, self.service.now()).await.unwrap()
    }

    async fn say(&self, customer: &str, text: &str) -> Answer {
        let question = Question {
            bot: BOT.to_owned(),
            channel: Channel::Web,
            customer_id: customer.to_owned(),
            name: None,
            kind: CustomerKind::Customer,
            content: Content::Text(text.to_owned()),
            with: Vec::new(),
        };
        self.service.answer(&question).await.unwrap()
    }

    async fn talk(&self, customer: &str) -> ConversationRow {
        let key = CustomerKey::new(BOT, Channel::Web, customer).unwrap();
        self.store.conversation(&key, self.service.now()).await.unwrap()
    }

    /// What was said in a talk, with its authors.
    async fn said(&self, customer: &str) -> Vec<(&'static str, String)> {
        let messages = self.store.messages(self.talk(customer).await.id, 99).await.unwrap();
        messages.iter().map(|one| (one.author.as_str(), one.body.clone())).collect()
    }

    async fn fire(&self) -> usize {
        timers::fire_due(&self.service, &self.handover).await.unwrap()
    }
}

fn words(answer: &Answer) -> String {
    answer.reply.parts.iter().flat_map(Part::words).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn the_bot_is_silent_while_a_human_speaks_and_goes_on_afterwards() {
    let shop = Shop::open().await;
    let wang = shop.agent("小王", &["service"]).await;
    shop.say("c", TO_HUMAN).await;
    let id = shop.talk("c").await.id;
    assert_eq!(shop.talk("c").await.speaker, Speaker::Waiting);
    let act = async |deed: Deed| shop.handover.act(&wang, id, &deed).await.unwrap();
    let taken = act(Deed::Take).await;
    assert_eq!((taken.speaker, taken.message_id.is_some()), (Speaker::Human, true));
    let answer = shop.say("c", RETURN.0).await;
    assert!(answer.reply.parts.is_empty() && answer.turn.is_none());
    act(Deed::Reply("七天内都可以".to_owned())).await;
    act(Deed::Note("老顾客".to_owned())).await;
    act(Deed::Return).await;
    assert_eq!(words(&shop.say("c", RETURN.0).await), RETURN.1);
    let said = shop.said("c").await;
    let authors: Vec<&str> = said.iter().map(|(author, _)| *author).collect();
    assert_eq!(authors, ["customer", "bot", "system", "customer", "agent", "system", "customer", "bot"]);
    assert!(said[4].1.contains("七天内都可以") && said.iter().all(|(_, body)| !body.contains("老顾客")));
    let events = shop.store.events(0, 99).await.unwrap();
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["waiting", "taken", "message", "replied", "noted", "returned"]);
    assert!(shop.store.handoff_open(id).await.unwrap().is_none());
}

#[tokio::test]
async fn of_two_who_take_at_once_one_has_it() {
    let shop = Shop::open().await;
    let (wang, li) = (shop.agent("小王", &[]).await, shop.agent("小李", &[]).await);
    for round in 0..20 {
        let customer = format!("c{round}");
        shop.say(&customer, TO_HUMAN).await;
        let id = shop.talk(&customer).await.id;
        let take = |agent: &AgentRow| {
            let (handover, agent) = (shop.handover.clone(), agent.clone());
            tokio::spawn(async move { handover.act(&agent, id, &Deed::Take).await })
        };
        let (first, second) = tokio::join!(take(&wang), take(&li));
        let results = [first.unwrap(), second.unwrap()];
        let n_taken = results.iter().filter(|result| result.is_ok()).count();
        assert_eq!(n_taken, 1, "{results:?}");
        let winner = if results[0].is_ok() { "小王" } else { "小李" };
        let refused = results.iter().find_map(|result| result.as_ref().err());
        assert!(matches!(refused, Some(HandoverError::Taken { by, .. }) if by == winner), "{refused:?}");
    }
}

#[tokio::test]
async fn an_agent_who_vanishes_loses_the_talk_and_cannot_speak_in_it_any_more() {
    let shop = Shop::open().await;
    let (wang, li) = (shop.agent("小王", &[]).await, shop.agent("小李", &[]).await);
    shop.say("c", TO_HUMAN).await;
    let id = shop.talk("c").await.id;
    shop.handover.act(&wang, id, &Deed::Take).await.unwrap();
    shop.pass(9 * 60);
    // A word keeps it for longer.
    shop.handover.act(&wang, id, &Deed::Reply("稍等".to_owned())).await.unwrap();
    shop.pass(9 * 60);
    assert_eq!(shop.fire().await, 0);
    shop.pass(2 * 60);
    let late = shop.handover.act(&wang, id, &Deed::Reply("来了".to_owned())).await;
    assert!(matches!(late, Err(HandoverError::NotHeld(_))), "{late:?}");
    // The process ends before the timer has fired; the next one finds it.
    let shop = shop.restarted().await;
    assert_eq!((shop.fire().await, shop.fire().await), (1, 0));
    let talk = shop.talk("c").await;
    assert_eq!((talk.speaker, talk.holder), (Speaker::Waiting, None));
    assert!(shop.said("c").await.last().unwrap().1.contains("暂时离开"));
    shop.handover.act(&li, id, &Deed::Take).await.unwrap();
    let holder = shop.talk("c").await.holder.map(|(agent, _)| agent);
    assert_eq!(holder, Some(li.id));
}

#[tokio::test]
async fn when_nobody_comes_the_customer_is_told_and_the_next_group_is_asked_once() {
    let shop = Shop::open().await;
    shop.say("c", TO_HUMAN).await;
    let id = shop.talk("c").await.id;
    shop.pass(2 * 60);
    assert_eq!(shop.fire().await, 0);
    shop.pass(60);
    assert_eq!(shop.fire().await, 1);
    assert!(shop.said("c").await.last().unwrap().1.contains("让您久等了"));
    assert_eq!(shop.store.handoff_open(id).await.unwrap().unwrap().group, "night");
    shop.pass(3 * 60);
    assert_eq!(shop.fire().await, 1);
    shop.pass(3600);
    assert_eq!(shop.fire().await, 0, "told twice, and then no more");
    // A clock that steps back fires nothing again.
    shop.pass(-7200);
    assert_eq!(shop.fire().await, 0);
}

#[tokio::test]
async fn a_timer_whose_bot_is_gone_stands_in_nobodys_way() {
    let shop = Shop::open().await;
    shop.say("c", TO_HUMAN).await;
    shop.pass(4 * 60);
    let empty = Arc::new(Service::new(Vec::new(), Arc::clone(&shop.store), {
        let second = Arc::clone(&shop.second);
        Arc::new(move || Timestamp::from_second(second.load(Ordering::SeqCst)).unwrap())
    }));
    let handover = Handover::new(Arc::clone(&empty), BTreeMap::new());
    assert_eq!(timers::fire_due(&empty, &handover).await.unwrap(), 1);
    assert_eq!(timers::fire_due(&empty, &handover).await.unwrap(), 0, "put off");
    shop.pass(11 * 60);
    assert_eq!(shop.fire().await, 1, "and not lost");
}

#[tokio::test]
async fn who_may_do_what() {
    let shop = Shop::open().await;
    let (night, wang) = (shop.agent("夜班", &["night"]).await, shop.agent("小王", &["service"]).await);
    shop.say("c", TO_HUMAN).await;
    let id = shop.talk("c").await.id;
    let act = async |agent: &AgentRow, deed: Deed| shop.handover.act(agent, id, &deed).await;
    assert!(
        matches!(act(&night, Deed::Take).await, Err(HandoverError::OtherGroup(group)) if group == "service")
    );
    assert!(matches!(act(&night, Deed::Note("看看".to_owned())).await, Err(HandoverError::OtherGroup(_))));
    for deed in [Deed::Reply("好".to_owned()), Deed::Return, Deed::Close, Deed::Transfer("night".to_owned())]
    {
        assert!(matches!(act(&wang, deed.clone()).await, Err(HandoverError::NotHeld(_))), "{deed:?}");
    }
    act(&wang, Deed::Take).await.unwrap();
    assert!(matches!(
        act(&wang, Deed::Transfer("nobody".to_owned())).await,
        Err(HandoverError::UnknownGroup(_))
    ));
    for words in ["", "  ", &"长".repeat(2_001)] {
        let refused = act(&wang, Deed::Reply(words.to_owned())).await;
        assert!(matches!(refused, Err(HandoverError::Words { .. })), "{refused:?}");
    }
    act(&wang, Deed::Transfer("night".to_owned())).await.unwrap();
    assert_eq!(shop.talk("c").await.speaker, Speaker::Waiting);
    act(&night, Deed::Take).await.unwrap();
    act(&night, Deed::Close).await.unwrap();
    assert_eq!(shop.talk("c").await.speaker, Speaker::Closed);
    // The next message begins anew with the bot.
    assert_eq!(words(&shop.say("c", RETURN.0).await), RETURN.1);
    assert_eq!(shop.talk("c").await.speaker, Speaker::Bot);
    assert!(matches!(shop.handover.act(&night, 999, &Deed::Take).await, Err(HandoverError::Unknown(999))));
}

#[tokio::test]
async fn a_turn_of_the_bot_that_a_human_overtook_is_not_stored() {
    let shop = Shop::open().await;
    let wang = shop.agent("小王", &[]).await;
    shop.say("c", RETURN.0).await;
    let before = shop.talk("c").await;
    let turn = |revision: i64| TurnRow {
        conversation_id: before.id,
        revision,
        at: shop.service.now(),
        inbound: "{}".to_owned(),
        outbound: "{}".to_owned(),
        state: "{}".to_owned(),
        tags_added: BTreeSet::new(),
        record: BTreeMap::new(),
        tickets: Vec::new(),
        steps: Vec::new(),
        rating: None,
        idle_at: None,
        handoff: None,
        answers: Vec::new(),
        route: None,
        outbox: Vec::new(),
    };
    shop.handover.act(&wang, before.id, &Deed::Take).await.unwrap();
    let overtaken = shop.store.record_turn(turn(before.revision)).await;
    assert!(matches!(overtaken, Err(StoreError::Conflict { .. })), "{overtaken:?}");
    // Even one that names the right revision.
    let silenced = shop.store.record_turn(turn(shop.talk("c").await.revision)).await;
    assert!(matches!(silenced, Err(StoreError::HumanSpeaks { .. })), "{silenced:?}");
}

#[tokio::test]
async fn who_was_served_by_a_human_is_asked_once_a_day_and_counted() {
    let shop = Shop::open().await;
    let wang = shop.agent("小王", &[]).await;
    let serve = async || {
        shop.say("c", RETURN.0).await;
        shop.say("c", TO_HUMAN).await;
        let id = shop.talk("c").await.id;
        shop.handover.act(&wang, id, &Deed::Take).await.unwrap();
        shop.handover.act(&wang, id, &Deed::Close).await.unwrap();
        shop.said("c").await.pop().unwrap().1
    };
    let asked = serve().await;
    assert!(asked.contains("不满意"), "{asked}");
    let thanks = shop.say("c", "不满意").await;
    assert!(words(&thanks).contains("抱歉"), "{}", words(&thanks));
    assert!(words(&shop.say("c", "不满意").await) != words(&thanks), "one tap, one answer");
    assert!(!serve().await.contains("不满意"), "asked twice within a day");

    let engine = shop.service.bots()[BOT].clone();
    let counted = satisfaction(shop.store.as_ref(), &engine, 30, shop.service.now()).await.unwrap();
    let only = Count { asked: 1, poor: 1, ..Count::default() };
    assert_eq!(counted.all, only);
    assert_eq!((counted.by_agent[0].id.as_deref(), counted.by_agent[0].count), (Some("小王"), only));
    assert_eq!((counted.by_intent[0].id.as_deref(), counted.by_intent.len()), (Some("return_policy"), 1));
}

#[tokio::test]
async fn the_bot_closes_a_talk_after_silence_and_asks_who_wanted_something() {
    let shop = Shop::open().await;
    shop.say("a", RETURN.0).await;
    shop.say("b", "👍").await;
    shop.pass(29 * 60);
    shop.say("a", RETURN.0).await;
    shop.pass(60);
    assert_eq!(shop.fire().await, 1);
    assert_eq!((shop.talk("a").await.speaker, shop.talk("b").await.speaker), (Speaker::Bot, Speaker::Closed));
    assert!(!shop.said("b").await.iter().any(|(author, _)| *author == "system"), "asked about nothing");
    let shop = shop.restarted().await;
    shop.pass(29 * 60);
    assert_eq!((shop.fire().await, shop.fire().await), (1, 0));
    let (author, body) = shop.said("a").await.pop().unwrap();
    assert!(author == "system" && body.contains("不满意"), "{author}: {body}");
    assert_eq!(shop.talk("a").await.speaker, Speaker::Closed);
    assert!(words(&shop.say("a", "1").await).contains("谢谢"));
    let engine = shop.service.bots()[BOT].clone();
    let counted = satisfaction(shop.store.as_ref(), &engine, 30, shop.service.now()).await.unwrap();
    let by_bot = &counted.by_agent[0];
    assert_eq!((by_bot.id.as_deref(), by_bot.count.asked, by_bot.count.good), (None, 1, 1));
}

#[tokio::test]
async fn those_ahead_in_the_queue_are_told_of() {
    let shop = Shop::open().await;
    let wang = shop.agent("小王", &[]).await;
    assert!(!words(&shop.say("a", TO_HUMAN).await).contains("前面还有"));
    let second = words(&shop.say("b", TO_HUMAN).await);
    assert!(second.contains("前面还有1位") && !second.contains("分钟"), "{second}");
    shop.pass(120);
    shop.handover.act(&wang, shop.talk("a").await.id, &Deed::Take).await.unwrap();
    let third = words(&shop.say("d", TO_HUMAN).await);
    assert!(third.contains("前面还有1位") && third.contains("大约2分钟"), "{third}");
}

#[tokio::test]
async fn an_agent_reads_the_story_and_what_the_bot_would_say() {
    let shop = Shop::open().await;
    let wang = shop.agent("小王", &[]).await;
    shop.say("c", "你们是骗子吗").await;
    shop.say("c", TO_HUMAN).await;
    let id = shop.talk("c").await.id;
    shop.handover.act(&wang, id, &Deed::Take).await.unwrap();
    shop.say("c", RETURN.0).await;
    let story = inbox::story(&shop.service, id, Personal::Shown).await.unwrap().unwrap();
    assert_eq!(story["summary"]["wish"], RETURN.0);
    assert_eq!(story["summary"]["mood"], "angry");
    assert_eq!(story["suggestions"][0]["answer"], RETURN.1);
    assert_eq!(story["agent"], "小王");
    assert_eq!(story["messages"].as_array().unwrap().len(), 6);
    shop.say("c", "打我电话13800138000 单号202611230001234 寄到上海市静安区南京西路88号").await;
    let told = async |personal| inbox::story(&shop.service, id, personal).await.unwrap().unwrap().to_string();
    for own in ["13800138000", "202611230001234", "南京西路88号"] {
        assert!(told(Personal::Shown).await.contains(own), "{own}");
        assert!(!told(Personal::Hidden).await.contains(own), "{own}");
    }
    assert!(inbox::story(&shop.service, 999, Personal::Shown).await.unwrap().is_none());
    let messages = shop.store.messages_after(id, 0, 99).await.unwrap();
    assert!(messages.iter().any(|one| one.author == Author::System));
}
