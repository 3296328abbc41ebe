//! 客户联系: customers who add members of the company are welcomed and known, and tags go both ways.
//!
//! What an event brings about is written to the outbox in the transaction that answers its delivery, so that a crash loses
//! nothing and a repeated delivery adds nothing. The welcome leaves at once, because its code lives for twenty seconds; all
//! that has to be asked for comes after it. What is learnt goes into the same row as what 微信客服 knows of the customer.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use jiff::SignedDuration;
use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use serde_json::json;
use tokio::sync::Mutex;

use crate::channel::wecom::change::ExternalChatChange;
use crate::channel::wecom::change::ExternalContactChange;
use crate::channel::wecom::change::ExternalContactChangeKind as Kind;
use crate::channel::wecom::change::ExternalTagChangeKind;
use crate::channel::wecom::client::Client;
use crate::channel::wecom::client::ClientError;
use crate::channel::wecom::client::Remedy;
use crate::channel::wecom::contact;
use crate::channel::wecom::contact::Details;
use crate::channel::wecom::contact::Follower;
use crate::channel::wecom::contact::Mark;
use crate::channel::wecom::contact::TagGroup;
use crate::channel::wecom::event::Event;
use crate::channel::wecom::message::Body;
use crate::channel::wecom::message::CallbackMessage;
use crate::message::Channel;
use crate::message::Customer;
use crate::message::CustomerKind;
use crate::secret::Secret;
use crate::service::Service;
use crate::service::ServiceError;
use crate::service::app::Active;
use crate::service::app::App;
use crate::service::callback::chain;
use crate::service::delivery::message_key;
use crate::service::delivery::own_key;
use crate::store::CallbackAnswer;
use crate::store::CallbackKey;
use crate::store::ConversationRow;
use crate::store::CustomerKey;
use crate::store::CustomerRow;
use crate::store::CustomerTold;
use crate::store::NAME_BYTES_MAX;
use crate::store::NewOutbox;
use crate::store::Notice;
use crate::store::StoreError;

/// A welcome code works for so long.
const WELCOME: SignedDuration = SignedDuration::from_secs(20);

/// Right after the event WeCom may not know of the relation yet; and welcomes have the way for themselves meanwhile.
const LOOK_AFTER: SignedDuration = SignedDuration::from_secs(2);

/// The company's list of tags is asked for again after this long; events tell of changes sooner.
const TAGS_LIVE: Duration = Duration::from_secs(300);

/// Changes of tags that are older are not followed any more, where WeCom keeps refusing to tell the list.
const TAGS_MAX: SignedDuration = SignedDuration::from_hours(1);

/// Members who get a tag marked on one customer of theirs. Chosen by hand.
const FOLLOWERS_MAX: usize = 10;

/// Customers of one page when tags have changed.
const PAGE: u32 = 500;

/// The part of the keys of marks: beside those of what a turn says.
const MARK_PART: usize = 1_000;

/// Fields of the record that are kept here.
const STATE: &str = "wecom_state";
const STAFF: &str = "wecom_staff";
const REMARK: &str = "wecom_remark";
const DESCRIPTION: &str = "wecom_description";
const COMPANY: &str = "wecom_company";
const MOBILES: &str = "wecom_mobiles";
const ADD_WAY: &str = "wecom_add_way";
const TAGS: &str = "wecom_tags";
const LEFT: &str = "wecom_left";
const TRANSFER: &str = "wecom_transfer";

/// WeCom knows no such tag any more: the list that we have is old.
const NO_SUCH_TAG: i64 = 40_068;

/// The member and the customer do not know one another, or not yet.
const NO_RELATION: i64 = 84_061;

/// What is to be done for a customer beside sending something.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(tag = "errand", rename_all = "lowercase")]
pub enum Errand {
    /// Asks what WeCom knows of them.
    Look {
        /// The customer.
        external_userid: String,
    },
    /// Marks tags that the bot has put on them.
    Mark {
        /// The customer.
        external_userid: String,
        /// Names of the tags.
        tags: BTreeSet<String>,
    },
}

/// Why an errand was not done.
#[derive(Debug, thiserror::Error)]
pub enum ErrandError {
    /// WeCom did not do its part.
    #[error("WeCom did not take it")]
    Client(#[from] ClientError),
    /// WeCom is expected to do it in a moment.
    #[error("WeCom is not ready yet")]
    NotYet(#[source] ClientError),
    /// The store did not.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

impl Errand {
    /// Reads what the outbox holds; `None` where it is something to be sent.
    #[must_use]
    pub fn read(body: &Value) -> Option<Self> {
        Self::deserialize(body).ok()
    }

    /// Runs it. It may be run again at any time.
    ///
    /// # Errors
    /// See [`ErrandError`].
    pub async fn run(&self, service: &Service, app: &App, active: &Active) -> Result<(), ErrandError> {
        match self {
            Self::Look { external_userid } => look(service, app, active, external_userid).await,
            Self::Mark { external_userid, tags } => {
                let key = CustomerKey::new(&app.bot, Channel::WecomKf, external_userid)?;
                mark(service, active, &key, tags).await
            }
        }
    }

    fn row(&self, app: &str, key: String) -> NewOutbox {
        let (Self::Look { external_userid } | Self::Mark { external_userid, .. }) = self;
        NewOutbox {
            sender: app.to_owned(),
            recipient: external_userid.clone(),
            body: json!(self).to_string(),
            key,
            to_customer: false,
            latest_only: false,
            expires_at: None,
        }
    }
}

/// The company's list of tags, asked for when it is needed.
#[derive(Debug, Default)]
pub struct TagList(Mutex<Option<(Instant, Arc<Vec<TagGroup>>)>>);

impl TagList {
    /// The list; held while it is fetched, so that many callers fetch one.
    async fn groups(&self, client: &Client) -> Result<Arc<Vec<TagGroup>>, ClientError> {
        let mut held = self.0.lock().await;
        if let Some((at, groups)) = held.as_ref()
            && at.elapsed() < TAGS_LIVE
        {
            return Ok(Arc::clone(groups));
        }
        let answer = client.call("externalcontact/get_corp_tag_list", &json!({})).await?;
        let groups = Arc::new(contact::tag_groups(&answer));
        *held = Some((Instant::now(), Arc::clone(&groups)));
        Ok(groups)
    }

    async fn forget(&self) {
        *self.0.lock().await = None;
    }
}

/// What is kept of a customer to go on from.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default)]
struct Contact {
    /// The app that knows them.
    app: String,
    /// Members who follow them, in lower case.
    users: BTreeSet<String>,
    /// The tags that stood in WeCom last.
    tags: Vec<Tag>,
}

/// A tag: flat, with the group above it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Tag {
    /// Personal tags have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
}

impl Contact {
    fn of(row: Option<&CustomerRow>) -> Self {
        let json = row.and_then(|row| row.contact.as_deref());
        // One that cannot be read is learnt anew.
        json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    }

    fn names(&self) -> BTreeSet<String> {
        self.tags.iter().map(|tag| tag.name.clone()).collect()
    }

    /// What changes in a customer's row when this is what stands in WeCom from now on.
    fn told(&self, key: &CustomerKey, before: &Self) -> CustomerTold {
        let shown = self.tags.iter().map(|tag| match &tag.parent {
            Some(parent) => format!("{parent}/{}", tag.name),
            None => tag.name.clone(),
        });
        CustomerTold {
            tags_added: self.names(),
            tags_removed: before.names(),
            record: BTreeMap::from([(TAGS.to_owned(), joined(shown))]),
            contact: Some(json!(self).to_string()),
            ..CustomerTold::nothing(key.clone())
        }
    }
}

/// The customer that an event is about.
pub(super) fn whose(message: &CallbackMessage) -> Option<&str> {
    match &message.body {
        Body::Event(Event::ChangeExternalContact(change)) => Some(&change.external_user_id),
        _ => None,
    }
}

/// Takes an event of 客户联系; whether there was one, and its delivery is answered now.
///
/// # Errors
/// When it could not be stored, or WeCom could not be asked about tags: it is to be taken again.
pub(super) async fn take(
    service: &Service,
    app: &App,
    key: &CallbackKey,
    message: &CallbackMessage,
) -> Result<bool, ServiceError> {
    let (Body::Event(event), Some(active)) = (&message.body, &app.active) else { return Ok(false) };
    match event {
        Event::ChangeExternalContact(change) => {
            let Ok(customer) = CustomerKey::new(&app.bot, Channel::WecomKf, &change.external_user_id) else {
                tracing::warn!(app = %app.name, "an event names no customer");
                return Ok(false);
            };
            changed(service, app, key, &customer, (change, message.created_at)).await?;
            Ok(true)
        }
        Event::ChangeExternalTag(change) => {
            active.tags.forget().await;
            let at = Timestamp::from_second(message.created_at).unwrap_or_else(|_| service.now());
            let is_old = service.now().duration_since(at) > TAGS_MAX;
            match change.kind {
                ExternalTagChangeKind::Update | ExternalTagChangeKind::Delete if !is_old => {
                    tags_changed(service, app).await?;
                }
                _ => {}
            }
            Ok(false)
        }
        Event::ChangeExternalChat(ExternalChatChange { chat_id, kind }) => {
            tracing::info!(app = %app.name, chat.id = chat_id, change = ?kind, "a customer group changed");
            Ok(false)
        }
        _ => Ok(false),
    }
}

async fn changed(
    service: &Service,
    app: &App,
    key: &CallbackKey,
    customer: &CustomerKey,
    (change, created_at): (&ExternalContactChange, i64),
) -> Result<(), ServiceError> {
    let (store, now) = (service.store(), service.now());
    // A sender without a clock sends at once.
    let at = Timestamp::from_second(created_at).ok().filter(|_| created_at > 0).unwrap_or(now);
    let look = || Errand::Look { external_userid: change.external_user_id.clone() };
    let look = || (look().row(&app.name, message_key(key, 1)), now.saturating_add(LOOK_AFTER).unwrap_or(now));
    let row = store.customer(customer).await?;
    let mut outbox = Vec::new();
    match &change.kind {
        Kind::Add { state, welcome_code, .. } => {
            let code = welcome_code.as_ref();
            let welcome = code.and_then(|code| welcome(service, app, row.as_ref(), (code, state.as_deref())));
            outbox.extend(welcome.map(|body| (sending(app, key, change, (&body, at)), now)));
            outbox.push(look());
        }
        Kind::MessageAuditApproved { welcome_code } => {
            let state = row.as_ref().and_then(|row| row.record.get(STATE)).map(String::as_str);
            let code = welcome_code.as_ref();
            let welcome = code.and_then(|code| welcome(service, app, row.as_ref(), (code, state)));
            outbox.extend(welcome.map(|body| (sending(app, key, change, (&body, at)), now)));
        }
        Kind::Edit => outbox.push(look()),
        Kind::DeletedByMember { .. } | Kind::DeletedByCustomer | Kind::TransferFail { .. } => {
            let told = parted(customer, row.as_ref(), change, &day(service, app, at));
            store.customer_told(&told, now).await?;
        }
    }
    let sends = !outbox.is_empty();
    let answer = CallbackAnswer { key: key.clone(), reply: String::new(), late: false };
    match store.notice(&Notice { customer: customer.clone(), at: now, outbox, answer }).await {
        Ok(()) => service.outbox_written(sends),
        // Another process was faster, and has written the same.
        Err(StoreError::CallbackAnswered { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// The call that welcomes a customer; `None` where the bot has nothing to say to those who come from there.
fn welcome(
    service: &Service,
    app: &App,
    row: Option<&CustomerRow>,
    (code, state): (&Secret, Option<&str>),
) -> Option<Value> {
    let bots = service.bots();
    let engine = bots.get(&app.bot)?;
    let spec = engine.known().profile.welcome_from(state)?;
    let mut customer = Customer::new("welcome", CustomerKind::Customer);
    customer.name = row.and_then(|row| row.name.clone());
    let text = engine.fill(&spec.text, &customer, service.now()).unwrap_or_else(|error| {
        tracing::error!(bot = %app.bot, error = %chain(&error), "a welcome could not be filled in");
        String::new()
    });
    contact::welcome(code, &text, &spec.attachments)
}

fn sending(
    app: &App,
    key: &CallbackKey,
    change: &ExternalContactChange,
    (body, at): (&Value, Timestamp),
) -> NewOutbox {
    NewOutbox {
        sender: app.name.clone(),
        recipient: change.external_user_id.clone(),
        body: json!({ "path": "externalcontact/send_welcome_msg", "json": body }).to_string(),
        key: message_key(key, 0),
        to_customer: true,
        latest_only: false,
        expires_at: at.checked_add(WELCOME).ok(),
    }
}

/// What is noted when a member and a customer part, or stay together against a plan.
fn parted(
    customer: &CustomerKey,
    row: Option<&CustomerRow>,
    change: &ExternalContactChange,
    day: &str,
) -> CustomerTold {
    let user = change.user_id.to_lowercase();
    let (field, what) = match &change.kind {
        Kind::DeletedByCustomer => (LEFT, format!("{day} 客户删除了 {user}")),
        Kind::DeletedByMember { source: Some(_) } => (LEFT, format!("{day} 从 {user} 转走")),
        Kind::DeletedByMember { source: None } => (LEFT, format!("{day} {user} 删除了客户")),
        Kind::TransferFail { reason } => {
            let why = match reason.as_str() {
                "customer_refused" => "客户拒绝",
                "customer_limit_exceed" => "接手的员工客户已满",
                other => other,
            };
            (TRANSFER, format!("{day} 转给 {user} 没有成功：{why}"))
        }
        Kind::Add { .. } | Kind::Edit | Kind::MessageAuditApproved { .. } => {
            return CustomerTold::nothing(customer.clone());
        }
    };
    let mut told = CustomerTold::nothing(customer.clone());
    told.record.insert(field.to_owned(), Some(what));
    let mut contact = Contact::of(row);
    if field == LEFT && contact.users.remove(&user) {
        told.record.insert(STAFF.to_owned(), joined(contact.users.iter().cloned()));
        told.contact = Some(json!(contact).to_string());
    }
    told
}

/// A day as staff write it.
fn day(service: &Service, app: &App, at: Timestamp) -> String {
    match service.bots().get(&app.bot) {
        Some(engine) => engine.calendar().today(at).to_string(),
        None => at.strftime("%Y-%m-%d").to_string(),
    }
}

/// Asks WeCom for a customer, and brings the row up to what it says.
async fn look(service: &Service, app: &App, active: &Active, id: &str) -> Result<(), ErrandError> {
    let key = CustomerKey::new(&app.bot, Channel::WecomKf, id)?;
    let answer = match active.client.fetch("externalcontact/get", &[("external_userid", id)]).await {
        Err(error) if error.code() == Some(NO_RELATION) => return Err(ErrandError::NotYet(error)),
        result => result?,
    };
    let Some(details) = Details::read(&answer) else { return Ok(()) };
    let store = service.store();
    let before = Contact::of(store.customer(&key).await?.as_ref());
    let after = Contact {
        app: app.name.clone(),
        users: details.followers.iter().map(|follower| follower.user_id.clone()).collect(),
        tags: tags(&details.followers),
    };
    let mut told = after.told(&key, &before);
    told.name = details.name.as_deref().map(cut);
    told.record.extend(record(&details));
    let row = store.customer_told(&told, service.now()).await?;
    // What the bot put on before anybody followed the customer, or while WeCom could not be reached.
    let own: BTreeSet<String> = row.tags.difference(&after.names()).cloned().collect();
    mark(service, active, &key, &own).await
}

/// Tags of all followers, once each.
fn tags(followers: &[Follower]) -> Vec<Tag> {
    let all = followers.iter().flat_map(|follower| &follower.tags);
    let all: BTreeSet<Tag> =
        all.map(|tag| Tag { id: tag.id.clone(), name: cut(&tag.name), parent: tag.group.clone() }).collect();
    all.into_iter().collect()
}

/// Fields of the record from what WeCom tells; those of which it tells nothing are taken out.
fn record(details: &Details) -> BTreeMap<String, Option<String>> {
    let followers = &details.followers;
    let users = followers.iter().map(|follower| follower.user_id.clone());
    let states = followers.iter().filter_map(|follower| follower.state.clone());
    let mobiles = followers.iter().flat_map(|follower| follower.mobiles.iter().cloned());
    let ways = followers.iter().map(|follower| contact::add_way(follower.add_way).to_owned());
    let companies = followers.iter().filter_map(|follower| follower.company.clone());
    let companies = details.company.iter().cloned().chain(companies);
    let of_each = |text: fn(&Follower) -> Option<&String>| {
        let told = followers.iter().filter_map(|follower| Some((follower, text(follower)?)));
        joined(told.map(|(follower, text)| match followers.as_slice() {
            [_only] => text.clone(),
            _ => format!("{}：{text}", follower.user_id),
        }))
    };
    let fields = [
        (STAFF, joined(users)),
        (STATE, joined(states)),
        (MOBILES, joined(mobiles)),
        (ADD_WAY, joined(ways)),
        (COMPANY, joined(companies)),
        (REMARK, of_each(|follower| follower.remark.as_ref())),
        (DESCRIPTION, of_each(|follower| follower.description.as_ref())),
    ];
    fields.into_iter().map(|(field, value)| (field.to_owned(), value)).collect()
}

/// Words in a row, each once; `None` where there are none.
fn joined(words: impl Iterator<Item = String>) -> Option<String> {
    let mut distinct: Vec<String> = Vec::new();
    for word in words {
        if !distinct.contains(&word) {
            distinct.push(word);
        }
    }
    (!distinct.is_empty()).then(|| distinct.join("、"))
}

/// A name as long as the store takes it.
fn cut(name: &str) -> String {
    name[..name.floor_char_boundary(NAME_BYTES_MAX)].to_owned()
}

/// What marks in WeCom the tags that a turn puts on; `None` where they were there, or no member follows the customer.
///
/// * `contact`, `before`: of the customer's row as the turn found it.
pub(super) fn marks(
    conversation: &ConversationRow,
    contact: Option<&str>,
    (before, put_on): (&BTreeSet<String>, &[String]),
) -> Option<NewOutbox> {
    let contact: Contact = serde_json::from_str(contact?).ok()?;
    let known = contact.names();
    let is_new = |tag: &&String| !before.contains(*tag) && !known.contains(*tag);
    let tags: BTreeSet<String> = put_on.iter().filter(is_new).cloned().collect();
    if tags.is_empty() || contact.users.is_empty() {
        return None;
    }
    let external_userid = conversation.customer.customer_id().to_owned();
    let key = own_key(conversation.id, conversation.revision, MARK_PART);
    Some(Errand::Mark { external_userid, tags }.row(&contact.app, key))
}

/// Marks tags on a customer for each member who follows them, as far as they are of the company's list, and notes them as
/// standing there. Calls of ours cause no event, so nothing comes back.
async fn mark(
    service: &Service,
    active: &Active,
    key: &CustomerKey,
    names: &BTreeSet<String>,
) -> Result<(), ErrandError> {
    let store = service.store();
    let before = Contact::of(store.customer(key).await?.as_ref());
    let standing = before.names();
    if before.users.is_empty() || names.is_subset(&standing) {
        return Ok(());
    }
    let groups = active.tags.groups(&active.client).await?;
    let listed = groups.iter().flat_map(|group| group.tags.iter().map(move |tag| (group, tag)));
    let wanted: Vec<Tag> = listed
        .filter(|(_, tag)| names.contains(&tag.name) && !standing.contains(&tag.name))
        .map(|(group, tag)| Tag {
            id: Some(tag.id.clone()),
            name: tag.name.clone(),
            parent: Some(group.name.clone()),
        })
        .collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let ids: Vec<String> = wanted.iter().filter_map(|tag| tag.id.clone()).collect();
    let mut marked = false;
    for user_id in before.users.iter().take(FOLLOWERS_MAX) {
        let body = Mark { user_id, external_user_id: key.customer_id(), added: &ids }.body();
        match active.client.call("externalcontact/mark_tag", &body).await {
            Ok(_) => marked = true,
            // They have parted, and the event is on its way.
            Err(error) if error.code() == Some(NO_RELATION) => {}
            Err(error) if error.code() == Some(NO_SUCH_TAG) => {
                active.tags.forget().await;
                return Err(ErrandError::NotYet(error));
            }
            Err(error) => return Err(error.into()),
        }
    }
    if marked {
        let mut after = before.clone();
        after.tags.extend(wanted);
        after.tags.sort();
        store.customer_told(&after.told(key, &before), service.now()).await?;
    }
    Ok(())
}

/// Brings all customers up to a list in which tags were renamed or deleted, as far as it can be read.
///
/// # Errors
/// When WeCom could not be asked, or the store failed.
pub async fn tags_changed(service: &Service, app: &App) -> Result<(), ServiceError> {
    let Some(active) = &app.active else { return Ok(()) };
    let groups = match active.tags.groups(&active.client).await {
        Ok(groups) => groups,
        Err(error) if error.remedy() == Remedy::None => {
            tracing::warn!(app = %app.name, error = %chain(&error), "the list of tags cannot be read");
            return Ok(());
        }
        Err(error) => return Err(ServiceError::Channel(error)),
    };
    let listed: BTreeMap<&str, (&str, &str)> = groups
        .iter()
        .flat_map(|group| group.tags.iter().map(move |tag| (&*tag.id, (&*tag.name, &*group.name))))
        .collect();
    let store = service.store();
    let mut after: Option<CustomerKey> = None;
    loop {
        let page = store.contacts(&app.bot, after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.key.clone());
        for row in &page {
            let before = Contact::of(Some(row));
            if before.app != app.name {
                continue;
            }
            let now_called = Contact { tags: called_now(&before.tags, &listed), ..before.clone() };
            if now_called != before {
                store.customer_told(&now_called.told(&row.key, &before), service.now()).await?;
            }
        }
    }
}

/// Tags as a list calls them now; what it does not hold any more is gone, personal tags stay.
fn called_now(tags: &[Tag], listed: &BTreeMap<&str, (&str, &str)>) -> Vec<Tag> {
    let called = tags.iter().filter_map(|tag| {
        let Some(id) = &tag.id else { return Some(tag.clone()) };
        let (name, parent) = listed.get(id.as_str())?;
        Some(Tag { id: Some(id.clone()), name: (*name).to_owned(), parent: Some((*parent).to_owned()) })
    });
    let called: BTreeSet<Tag> = called.collect();
    called.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(id: Option<&str>, name: &str, parent: Option<&str>) -> Tag {
        Tag { id: id.map(str::to_owned), name: name.to_owned(), parent: parent.map(str::to_owned) }
    }

    fn customer() -> CustomerKey {
        CustomerKey::new("shop", Channel::WecomKf, "wm1").unwrap()
    }

    #[test]
    fn an_errand_is_told_from_what_is_sent() {
        let tags = BTreeSet::from(["重要".to_owned()]);
        let errands = [
            Errand::Look { external_userid: "wm1".to_owned() },
            Errand::Mark { external_userid: "wm1".to_owned(), tags },
        ];
        for errand in errands {
            let row = errand.row("app", "k".to_owned());
            assert_eq!(Errand::read(&serde_json::from_str(&row.body).unwrap()), Some(errand));
            assert_eq!((row.recipient.as_str(), row.to_customer), ("wm1", false));
        }
        assert_eq!(Errand::read(&json!({ "path": "kf/send_msg", "json": { "touser": "wm1" } })), None);
    }

    #[test]
    fn of_several_followers_each_keeps_their_own_words() {
        let follower = |user_id: &str, remark: &str| json!({ "userid": user_id, "remark": remark, "add_way": 1, "state": "p7", "remark_mobiles": ["138"] });
        let details = |followers: Value| {
            let contact = json!({ "name": "李四", "type": 1 });
            Details::read(&json!({ "external_contact": contact, "follow_user": followers })).unwrap()
        };
        let one = record(&details(json!([follower("a", "李先生")])));
        assert_eq!(one[REMARK].as_deref(), Some("李先生"));
        let two = record(&details(json!([follower("a", "李先生"), follower("B", "李总")])));
        assert_eq!(two[REMARK].as_deref(), Some("a：李先生、b：李总"));
        assert_eq!((two[STAFF].as_deref(), two[STATE].as_deref()), (Some("a、b"), Some("p7")));
        assert_eq!((two[MOBILES].as_deref(), two[DESCRIPTION].as_deref()), (Some("138"), None));
    }

    #[test]
    fn what_was_taken_off_goes_and_what_others_put_on_stays() {
        let before = Contact {
            tags: vec![tag(Some("et1"), "重要", Some("等级")), tag(None, "爱喝茶", None)],
            ..Contact::default()
        };
        let after = Contact { tags: vec![tag(None, "爱喝茶", None)], ..before.clone() };
        let told = after.told(&customer(), &before);
        assert_eq!(told.tags_added, BTreeSet::from(["爱喝茶".to_owned()]));
        assert_eq!(told.tags_removed, before.names());
        assert_eq!(told.record[TAGS].as_deref(), Some("爱喝茶"));
        let none = Contact::default().told(&customer(), &before);
        assert_eq!((none.tags_added.len(), none.record[TAGS].as_deref()), (0, None));
    }

    #[test]
    fn a_list_renames_and_deletes_what_it_holds_and_nothing_else() {
        let listed = BTreeMap::from([("et1", ("大客户", "级别"))]);
        let tags = [
            tag(Some("et1"), "重要", Some("等级")),
            tag(Some("et2"), "一般", None),
            tag(None, "爱喝茶", None),
        ];
        let expected = [tag(None, "爱喝茶", None), tag(Some("et1"), "大客户", Some("级别"))];
        assert_eq!(called_now(&tags, &listed), expected);
    }

    #[test]
    fn parting_is_noted_with_who_and_why() {
        let change = |kind| ExternalContactChange {
            user_id: "ZhangSan".to_owned(),
            external_user_id: "wm1".to_owned(),
            kind,
        };
        let noted = |kind, field: &str| {
            parted(&customer(), None, &change(kind), "2026-11-24").record[field].clone().unwrap()
        };
        assert_eq!(noted(Kind::DeletedByCustomer, LEFT), "2026-11-24 客户删除了 zhangsan");
        assert_eq!(noted(Kind::DeletedByMember { source: None }, LEFT), "2026-11-24 zhangsan 删除了客户");
        let source = Some("DELETE_BY_TRANSFER".to_owned());
        assert_eq!(noted(Kind::DeletedByMember { source }, LEFT), "2026-11-24 从 zhangsan 转走");
        let reason = "customer_refused".to_owned();
        let failed = noted(Kind::TransferFail { reason }, TRANSFER);
        assert_eq!(failed, "2026-11-24 转给 zhangsan 没有成功：客户拒绝");
    }
}
