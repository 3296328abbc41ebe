//! Template cards: what they need, what a tap on one sends, and what replaces it.
//!
//! Sources: WeCom developer centre, 发送应用消息 (path 90236), 更新模版卡片消息 (94888), 事件格式 (90240).

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use jiff::SignedDuration;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::simulate::wecom::content;
use crate::simulate::wecom::fields::Fields;
use crate::simulate::wecom::media::Kind;
use crate::simulate::wecom::refusal::Refusal;
use crate::simulate::wecom::world::World;

const UPDATE: &str = "message/update_template_card";

/// For so long a response_code is good, and once.
const RESPONSE_CODE: SignedDuration = SignedDuration::from_hours(72);

/// Most bytes of ids of tasks and options, and of keys.
const ID_BYTES_MAX: usize = 128;
const KEY_BYTES_MAX: usize = 1_024;

/// How many there may be of each.
const ACTIONS: RangeInclusive<usize> = 1..=3;
const LINES: RangeInclusive<usize> = 0..=6;
const JUMPS: RangeInclusive<usize> = 0..=3;
const PARAGRAPHS: RangeInclusive<usize> = 0..=4;
const BUTTONS: RangeInclusive<usize> = 1..=6;
const SELECTS: RangeInclusive<usize> = 1..=3;
const OPTIONS: RangeInclusive<usize> = 1..=10;
const VOTE_OPTIONS: RangeInclusive<usize> = 1..=20;

/// Width over height of a picture.
const ASPECT_RATIO: RangeInclusive<f64> = 1.3..=2.25;

/// Most users, and parties or tags, of one update.
const USERS_MAX: usize = 1_000;
const GROUPS_MAX: usize = 100;

/// Codes of fields (path 90313); what has none of its own there is a parameter against the rules.
const NO_URL: i64 = 42_028;
const BAD_TASK_ID: i64 = 42_014;
const BAD_CARD_TYPE: i64 = 42_031;
const BAD_BUTTON_TEXT: i64 = 42_038;
const BAD_BUTTON_KEY: i64 = 42_039;
const BAD_CARD_ACTION: i64 = 42_045;
const NO_SUBMIT_BUTTON: i64 = 42_046;
const BAD_SELECT_LIST: i64 = 42_047;
const BAD_SUBMIT_BUTTON: i64 = 42_049;
const SAME_ACTION_KEY: i64 = 42_051;
const AGAINST_THE_RULES: i64 = 40_058;
const NO_TITLE: i64 = 41_016;

/// What lets one card be replaced once.
pub(super) struct ResponseCode {
    app: String,
    task_id: String,
    until: Timestamp,
    is_used: bool,
}

/// A tap on a card, on its way to the company's server.
#[derive(Clone, Debug)]
pub(super) struct Tap {
    pub(super) key: String,
    pub(super) task_id: String,
    pub(super) card_type: String,
    pub(super) response_code: String,
    /// Questions and the options that were chosen.
    pub(super) selected: BTreeMap<String, Vec<String>>,
    /// Whether it was in the menu of actions.
    pub(super) is_menu: bool,
}

/// What becomes of a card on a phone.
pub(super) enum Change {
    /// Its button says this, and can no longer be tapped.
    Button(String),
    /// It is another card.
    Card(Value),
}

/// A new card as it appears, where it is well formed and its task_id is new.
pub(super) fn fresh(
    world: &mut World,
    app: usize,
    card: &Fields<'_>,
    now: Timestamp,
) -> Result<Value, Refusal> {
    accept(world, card, now)?;
    let task_id = card.text_if_any("task_id")?;
    let name = world.plan.apps[app].name.clone();
    match task_id {
        None if gives_code(card.value()) => {
            return Err(Refusal::new(BAD_TASK_ID, "task_id missing"));
        }
        Some(id) if world.cards.contains(&(name.clone(), id.to_owned())) => {
            return Err(Refusal::new(BAD_TASK_ID, format!("task_id {id} was used before")));
        }
        _ => {}
    }
    Ok(json!({ "msgtype": "template_card", "app": name, "task_id": task_id, "card": card.value() }))
}

/// A card was sent: its task_id is taken. Returns the code that lets it be replaced, where there is one.
pub(super) fn sent(world: &mut World, message: &Value, now: Timestamp) -> Option<String> {
    let (app, task_id) = (message["app"].as_str()?, message["task_id"].as_str()?);
    world.cards.insert((app.to_owned(), task_id.to_owned()));
    gives_code(&message["card"]).then(|| world.response_code(app, task_id, now))
}

/// Whether something on the card can be tapped that the app hears of.
fn gives_code(card: &Value) -> bool {
    card["card_type"].as_str().is_some_and(|kind| kind.ends_with("_interaction"))
        || card["action_menu"].is_object()
}

fn accept(world: &mut World, card: &Fields<'_>, now: Timestamp) -> Result<(), Refusal> {
    let kind = card.text("card_type", BAD_CARD_TYPE)?;
    let own: &[&str] = match kind {
        "text_notice" => &["emphasis_content", "sub_title_text", "horizontal_content_list", "jump_list"],
        "news_notice" => &[
            "card_image",
            "image_text_area",
            "vertical_content_list",
            "horizontal_content_list",
            "jump_list",
        ],
        "button_interaction" => {
            &["sub_title_text", "horizontal_content_list", "button_selection", "button_list"]
        }
        "vote_interaction" => &["checkbox", "submit_button"],
        "multiple_interaction" => &["select_list", "submit_button"],
        _ => return Err(Refusal::new(BAD_CARD_TYPE, format!("there is no card_type {kind}"))),
    };
    let every = [
        "card_type",
        "source",
        "action_menu",
        "main_title",
        "quote_area",
        "task_id",
        "card_action",
        "replace_text",
    ];
    card.known(&every.iter().chain(own).copied().collect::<Vec<_>>(), &mut world.ledger);
    accept_frame(card)?;
    accept_lines(world, card, now)?;
    let title =
        card.object_if_any("main_title")?.map(|title| title.text_if_any("title")).transpose()?.flatten();
    let sub_title = card.text_if_any("sub_title_text")?;
    if title.is_none() && !(kind == "text_notice" && sub_title.is_some()) {
        return Err(Refusal::new(NO_TITLE, format!("a {kind} needs main_title.title")));
    }
    if kind.ends_with("_notice") && card.object_if_any("card_action")?.is_none() {
        return Err(Refusal::new(BAD_CARD_ACTION, format!("a {kind} needs card_action")));
    }
    match kind {
        "news_notice" => accept_picture(card),
        "button_interaction" => accept_buttons(card),
        "vote_interaction" => {
            accept_question(&card.object("checkbox")?, VOTE_OPTIONS)?;
            accept_submit(card)
        }
        "multiple_interaction" => {
            for select in card.items("select_list", SELECTS, BAD_SELECT_LIST)? {
                accept_question(&select, OPTIONS)?;
            }
            accept_submit(card)
        }
        _ => Ok(()),
    }
}

/// What every card may have.
fn accept_frame(card: &Fields<'_>) -> Result<(), Refusal> {
    if let Some(id) = card.text_if_any("task_id")? {
        let is_plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-@".contains(&byte));
        if id.len() > ID_BYTES_MAX || !is_plain {
            let words = format!("task_id {id} is not 1 to {ID_BYTES_MAX} letters, figures, _, - and @");
            return Err(Refusal::new(BAD_TASK_ID, words));
        }
    }
    if let Some(source) = card.object_if_any("source")? {
        source.number_within("desc_color", 0..=3)?;
    }
    if let Some(quote) = card.object_if_any("quote_area")? {
        accept_way(&quote, 0, AGAINST_THE_RULES)?;
    }
    if let Some(action) = card.object_if_any("card_action")? {
        accept_way(&action, 1, BAD_CARD_ACTION)?;
    }
    if let Some(menu) = card.object_if_any("action_menu")? {
        let mut keys = Vec::new();
        for action in menu.items("action_list", ACTIONS, AGAINST_THE_RULES)? {
            action.text("text", AGAINST_THE_RULES)?;
            let key = action.text("key", AGAINST_THE_RULES)?;
            action.within("key", key, KEY_BYTES_MAX)?;
            if keys.contains(&key) {
                return Err(Refusal::new(SAME_ACTION_KEY, format!("two actions have the key {key}")));
            }
            keys.push(key);
        }
    }
    Ok(())
}

/// The lists of a card that only tell something.
fn accept_lines(world: &World, card: &Fields<'_>, now: Timestamp) -> Result<(), Refusal> {
    for line in card.items("horizontal_content_list", LINES, AGAINST_THE_RULES)? {
        line.text("keyname", AGAINST_THE_RULES)?;
        match line.number_within("type", 0..=3)? {
            1 => drop(content::address(&line, "url", line.text("url", NO_URL)?)?),
            2 => drop(content::filename(world, line.text("media_id", 41_006)?, Kind::File, now)?),
            3 => drop(line.text("userid", 41_009)?),
            _ => {}
        }
    }
    for jump in card.items("jump_list", JUMPS, AGAINST_THE_RULES)? {
        jump.text("title", NO_TITLE)?;
        accept_way(&jump, 0, AGAINST_THE_RULES)?;
    }
    for paragraph in card.items("vertical_content_list", PARAGRAPHS, AGAINST_THE_RULES)? {
        paragraph.text("title", NO_TITLE)?;
    }
    Ok(())
}

/// Where a part leads: nowhere (0), to a page (1), or to a mini-program (2).
fn accept_way(part: &Fields<'_>, least: i64, code: i64) -> Result<(), Refusal> {
    match part.number_if_any("type")?.unwrap_or_default() {
        0 if least == 0 => {}
        1 => drop(content::address(part, "url", part.text("url", NO_URL)?)?),
        2 => drop(part.text("appid", code)?),
        other => return Err(Refusal::new(code, format!("type {other} is not {least} to 2"))),
    }
    Ok(())
}

fn accept_picture(card: &Fields<'_>) -> Result<(), Refusal> {
    let [picture, area] = [card.object_if_any("card_image")?, card.object_if_any("image_text_area")?];
    if picture.is_none() && area.is_none() {
        let words = "a news_notice needs card_image or image_text_area";
        return Err(Refusal::new(AGAINST_THE_RULES, words));
    }
    if let Some(picture) = picture {
        content::address(&picture, "url", picture.text("url", NO_URL)?)?;
        let ratio = &picture.value()["aspect_ratio"];
        if !ratio.is_null() && !ratio.as_f64().is_some_and(|ratio| ASPECT_RATIO.contains(&ratio)) {
            let words = format!("aspect_ratio {ratio} is not in {ASPECT_RATIO:?}");
            return Err(Refusal::new(AGAINST_THE_RULES, words));
        }
    }
    if let Some(area) = area {
        content::address(&area, "image_url", area.text("image_url", NO_URL)?)?;
        accept_way(&area, 0, AGAINST_THE_RULES)?;
    }
    Ok(())
}

fn accept_buttons(card: &Fields<'_>) -> Result<(), Refusal> {
    if let Some(selection) = card.object_if_any("button_selection")? {
        accept_question(&selection, OPTIONS)?;
    }
    for button in card.items("button_list", BUTTONS, AGAINST_THE_RULES)? {
        button.text("text", BAD_BUTTON_TEXT)?;
        if !button.value()["style"].is_null() {
            button.number_within("style", 1..=4)?;
        }
        if button.number_within("type", 0..=1)? == 1 {
            content::address(&button, "url", button.text("url", NO_URL)?)?;
        } else {
            accept_key(&button, BAD_BUTTON_KEY)?;
        }
    }
    Ok(())
}

fn accept_submit(card: &Fields<'_>) -> Result<(), Refusal> {
    let missing = || Refusal::new(NO_SUBMIT_BUTTON, "submit_button missing");
    let button = card.object_if_any("submit_button")?.ok_or_else(missing)?;
    button.text("text", BAD_SUBMIT_BUTTON)?;
    accept_key(&button, BAD_SUBMIT_BUTTON)
}

fn accept_key(button: &Fields<'_>, code: i64) -> Result<(), Refusal> {
    let n_bytes = button.text("key", code)?.len();
    if n_bytes <= KEY_BYTES_MAX {
        return Ok(());
    }
    Err(Refusal::new(code, format!("a key of {n_bytes} bytes, at most {KEY_BYTES_MAX}")))
}

fn accept_question(question: &Fields<'_>, options: RangeInclusive<usize>) -> Result<(), Refusal> {
    question.text("question_key", AGAINST_THE_RULES)?;
    question.number_within("mode", 0..=1)?;
    let mut ids = Vec::new();
    for option in question.items("option_list", options, AGAINST_THE_RULES)? {
        let id = option.text("id", AGAINST_THE_RULES)?;
        option.within("id", id, ID_BYTES_MAX)?;
        option.text("text", AGAINST_THE_RULES)?;
        ids.push(id);
    }
    match question.text_if_any("selected_id")? {
        Some(id) if !ids.contains(&id) => {
            Err(Refusal::new(AGAINST_THE_RULES, format!("selected_id {id} is no option")))
        }
        _ => Ok(()),
    }
}

pub(super) fn update(world: &mut World, app: usize, body: &Value, now: Timestamp) -> Result<Value, Refusal> {
    let fields = Fields::new(UPDATE, body);
    let names = [
        "userids",
        "partyids",
        "tagids",
        "atall",
        "agentid",
        "response_code",
        "button",
        "template_card",
        "enable_id_trans",
    ];
    fields.known(&names, &mut world.ledger);
    let agent_id = fields.number_if_any("agentid")?.ok_or_else(|| Refusal::new(41_011, "missing agentid"))?;
    if agent_id != world.plan.apps[app].agent_id {
        return Err(Refusal::new(301_002, "not allow to access app of another token"));
    }
    let change = match (fields.object_if_any("button")?, fields.object_if_any("template_card")?) {
        (Some(button), None) => Change::Button(button.text("replace_name", BAD_BUTTON_TEXT)?.to_owned()),
        (None, Some(card)) => {
            accept(world, &card, now)?;
            Change::Card(card.value().clone())
        }
        _ => return Err(Refusal::new(40_035, "one of button and template_card is needed")),
    };
    let named = fields.texts_if_any("userids")?;
    if named.len() > USERS_MAX {
        return Err(Refusal::new(40_058, format!("{} userids, at most {USERS_MAX}", named.len())));
    }
    let n_groups = ["partyids", "tagids"].map(|name| body[name].as_array().map_or(0, Vec::len));
    if n_groups.iter().any(|count| *count > GROUPS_MAX) {
        return Err(Refusal::new(AGAINST_THE_RULES, format!("at most {GROUPS_MAX} parties and tags")));
    }
    let to_all = fields.number_within("atall", 0..=1)? == 1;
    if named.is_empty() && n_groups == [0, 0] && !to_all {
        return Err(Refusal::new(82_001, "no recipients"));
    }
    let name = world.plan.apps[app].name.clone();
    let code = fields.text("response_code", 60_140)?;
    let held = world.response_codes.get_mut(code);
    let held = held.filter(|held| held.app == name && !held.is_used && held.until > now);
    let held = held.ok_or_else(|| Refusal::new(60_140, "bad or expired response_code"))?;
    held.is_used = true;
    let task_id = held.task_id.clone();
    let named: Vec<String> = named.into_iter().map(str::to_lowercase).collect();
    let (valid, invalid) = if to_all {
        (world.plan.members.clone(), Vec::new())
    } else {
        named.into_iter().partition(|id| world.plan.members.contains(id))
    };
    for member in valid {
        // Members who never got the card have nothing to be replaced.
        let _has_card = world.replace((&name, &task_id), &member, &change, now);
    }
    Ok(json!({ "invaliduser": invalid }))
}

/// The card of an answer to a tap, where it is one.
pub(super) fn accept_answer(world: &mut World, card: &Value, now: Timestamp) -> Result<(), Refusal> {
    accept(world, &Fields::new("callback", card), now)
}

impl World {
    fn response_code(&mut self, app: &str, task_id: &str, now: Timestamp) -> String {
        let id = self.id("response");
        let (app, task_id) = (app.to_owned(), task_id.to_owned());
        let code = ResponseCode { app, task_id, until: now + RESPONSE_CODE, is_used: false };
        self.response_codes.insert(id.clone(), code);
        id
    }

    /// The newest message on a member's phone that is that card.
    fn shown_card(&mut self, (app, task_id): (&str, &str), member: &str) -> Option<&mut Value> {
        let shown = self.phones.get_mut(member)?.iter_mut().rev().map(|one| &mut one["message"]);
        shown.into_iter().find(|message| {
            message["msgtype"] == "template_card" && message["app"] == app && message["task_id"] == task_id
        })
    }

    /// Changes a card on a member's phone; whether it was there.
    pub(super) fn replace(
        &mut self,
        card: (&str, &str),
        member: &str,
        change: &Change,
        now: Timestamp,
    ) -> bool {
        let Some(message) = self.shown_card(card, member) else { return false };
        match change {
            Change::Button(words) => message["replaced"] = json!(words),
            Change::Card(new) => {
                message["replaced"] = new["replace_text"].clone();
                message["card"] = new.clone();
            }
        }
        let message = message.clone();
        self.ledger.arrival(now, member, &message);
        true
    }

    /// A member taps on a card.
    ///
    /// # Errors
    /// Says what cannot be tapped or chosen there.
    pub(super) fn tap(
        &mut self,
        (app, task_id): (&str, &str),
        member: &str,
        (key, selected): (&str, BTreeMap<String, Vec<String>>),
        now: Timestamp,
    ) -> Result<Tap, String> {
        let message = self.shown_card((app, task_id), member);
        let message = message.ok_or_else(|| format!("{member} has no card {task_id} of {app}"))?;
        let card = message["card"].clone();
        let is_menu = listed(&card["action_menu"]["action_list"]).any(|action| action["key"] == key);
        let is_button = card["submit_button"]["key"] == key
            || listed(&card["button_list"]).any(|button| button["type"] != 1 && button["key"] == key);
        if !is_menu && !is_button {
            return Err(format!("nothing on card {task_id} has the key {key}"));
        }
        if is_button && !message["replaced"].is_null() {
            return Err(format!("the buttons of card {task_id} can no longer be tapped"));
        }
        for (question, chosen) in &selected {
            choose(&card, question, chosen)?;
        }
        let response_code = self.response_code(app, task_id, now);
        let card_type = card["card_type"].as_str().unwrap_or_default().to_owned();
        Ok(Tap {
            key: key.to_owned(),
            task_id: task_id.to_owned(),
            card_type,
            response_code,
            selected,
            is_menu,
        })
    }
}

/// Checks that these options can be chosen together.
fn choose(card: &Value, question: &str, chosen: &[String]) -> Result<(), String> {
    let single = [&card["checkbox"], &card["button_selection"]];
    let asked = listed(&card["select_list"]).chain(single).find(|one| one["question_key"] == question);
    let asked = asked.ok_or_else(|| format!("the card has no question {question}"))?;
    let options = &asked["option_list"];
    if let Some(wrong) = chosen.iter().find(|id| !listed(options).any(|option| option["id"] == id.as_str())) {
        return Err(format!("{wrong} is no option of {question}"));
    }
    if chosen.len() > 1 && asked["mode"] != 1 {
        return Err(format!("of {question} one option can be chosen, not {}", chosen.len()));
    }
    Ok(())
}

fn listed(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}
