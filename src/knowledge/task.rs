//! The shape of `tasks/*.toml`: what the bot carries through over several messages. Compiled and run by `task`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// Folder of the task files below the bot's own.
pub const FOLDER: &str = "tasks";

/// One task as written; its id is the name of its file.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct TaskSpec {
    /// Name of the file without its ending; filled by the loader.
    #[serde(skip)]
    pub id: String,
    /// What it is called to customers and staff, such as `退换货`.
    pub title: String,
    /// Intents that start it.
    #[serde(default)]
    pub intents: Vec<String>,
    /// A regular expression; a message in which it finds something asks about the matter and does not start it.
    #[serde(default)]
    pub unless: Option<String>,
    /// Group that takes over where the task cannot go on; the bot's default group when absent.
    #[serde(default)]
    pub group: Option<String>,
    /// Times that a prompt is put before a human takes over, 1 to 9.
    #[serde(default = "tries_max")]
    pub tries_max: u32,
    /// Minutes without a word after which it is forgotten, 1 to 10,080.
    #[serde(default = "minutes_max")]
    pub minutes_max: u32,
    /// What it has to know, by name.
    #[serde(default)]
    pub slot: BTreeMap<String, SlotSpec>,
    /// What it does, in this order.
    #[serde(default)]
    pub step: Vec<StepSpec>,
}

fn tries_max() -> u32 {
    3
}

fn minutes_max() -> u32 {
    120
}

/// Something that a task has to know. What fills it is exactly one of `entity`, `choices`, `pick`, `confirm`, `picture`
/// and `text`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct SlotSpec {
    /// What it is called, for staff: `手机号`.
    pub title: String,
    /// An entity of the taxonomy.
    pub entity: Option<String>,
    /// One of these.
    pub choices: Vec<ChoiceSpec>,
    /// Words that hold one of a choice and mean none: `退换` is not yet `换`.
    pub undecided: Vec<String>,
    /// One of a list that a call has saved under this name.
    pub pick: Option<String>,
    /// What an item of that list is called; a template with `item`.
    pub label: Option<String>,
    /// Words of a further choice that means none of the list.
    pub none: Option<String>,
    /// Yes or no.
    pub confirm: bool,
    /// A picture.
    pub picture: bool,
    /// Any words.
    pub text: bool,
    /// A regular expression of which the words must hold a match; the match is what is kept.
    pub pattern: Option<String>,
    /// An expression with `value` that must hold.
    pub valid: Option<String>,
    /// Fewest characters of the words.
    pub chars_min: usize,
    /// Most characters of the words; `0`: 500.
    pub chars_max: usize,
    /// Ways to ask for it, one after another when it has to be asked again; templates.
    pub prompts: Vec<String>,
    /// What is said when an answer does not do; a template with `said`.
    pub invalid: Option<String>,
    /// Whether the customer may leave it out (`跳过`).
    pub optional: bool,
    /// Whether only an answer to its own prompt fills it, and not what was said before.
    pub own_answer_only: bool,
    /// Field of the customer's record that fills it, and that it fills.
    pub remember: Option<String>,
}

/// One of a closed list.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct ChoiceSpec {
    /// What is kept.
    pub value: String,
    /// What is shown; the value when absent.
    #[serde(default)]
    pub title: Option<String>,
    /// Words that give it away.
    #[serde(default)]
    pub words: Vec<String>,
}

impl ChoiceSpec {
    /// What is shown.
    #[must_use]
    pub fn title(&self) -> &str {
        self.title.as_deref().unwrap_or(&self.value)
    }
}

/// One step. It does at most one thing of `ask`, `say`, `reply`, `call`, `record`, `tag`, `ticket` and `handoff`, and
/// goes on with the step below, or with `next`, or ends.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct StepSpec {
    /// Unique within the task.
    pub id: String,
    /// An expression; where it does not hold, the step is passed over.
    pub when: Option<String>,
    /// Fills a slot, and asks for it where nothing known does.
    pub ask: Option<String>,
    /// Says something; a template.
    pub say: Option<String>,
    /// Says a reply of `replies.toml`, with its attachments.
    pub reply: Option<String>,
    /// Calls what `connectors.toml` describes, or `products` for the bot's own catalogue.
    pub call: Option<String>,
    /// What the call is given; templates.
    pub with: BTreeMap<String, String>,
    /// Name under which the result is kept.
    pub save: Option<String>,
    /// Step to go on with where the call could not be made.
    pub failed: Option<String>,
    /// Step to go on with where the other side said no; its words are in `refusal`.
    pub refused: Option<String>,
    /// Fields of the customer's record; templates.
    pub record: BTreeMap<String, String>,
    /// Puts a tag on the customer.
    pub tag: Option<String>,
    /// Writes a ticket for staff; its title, a template.
    pub ticket: Option<String>,
    /// Hands the talk to a group of `bot.toml`.
    pub handoff: Option<String>,
    /// Step to go on with; one further below.
    pub next: Option<String>,
    /// Whether the task is done here.
    pub end: bool,
    /// Line in the file, from 1; filled by the loader.
    #[serde(skip)]
    pub line: usize,
}

/// All of `connectors.toml`: systems of the shop's own, and what they are asked.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Connectors {
    /// Systems by name.
    pub connector: BTreeMap<String, ConnectorSpec>,
    /// What tasks and rules call, by name.
    pub call: BTreeMap<String, CallSpec>,
}

/// The address that means the demo shop of this process.
pub const DEMO_SHOP: &str = "demo-shop";

/// A system of the shop's own that answers over HTTP.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct ConnectorSpec {
    /// Its address, `http` or `https`, or `env:NAME`; [`DEMO_SHOP`] is the demo shop of this process.
    pub url: String,
    /// Value of the header `Authorization`, `env:NAME`.
    #[serde(default)]
    pub authorization: Option<String>,
    /// Key that requests are signed with after Standard Webhooks, `env:NAME`, value `whsec_` and base64.
    #[serde(default)]
    pub secret: Option<String>,
    /// Milliseconds that one attempt may take, 100 to 10,000.
    #[serde(default = "timeout_ms")]
    pub timeout_ms: u64,
    /// Attempts, 1 to 5; a repetition carries the same idempotency key.
    #[serde(default = "attempts_max")]
    pub attempts_max: u32,
}

fn timeout_ms() -> u64 {
    1_500
}

fn attempts_max() -> u32 {
    2
}

/// One thing that a system is asked, by exactly one of `get` and `post`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct CallSpec {
    /// Which system.
    pub connector: String,
    /// Path that is read; a template of what the call is given, and `customer`.
    #[serde(default)]
    pub get: Option<String>,
    /// Path that is written to; such a template.
    #[serde(default)]
    pub post: Option<String>,
    /// The query; templates. What comes out empty is left out.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// The body of a `post`, JSON whose strings are templates.
    #[serde(default)]
    pub body: Value,
    /// An expression over the response that holds where the other side says yes; any 2xx when absent.
    #[serde(default)]
    pub ok: Option<String>,
    /// Path in the response to the words of a refusal, such as `msg`.
    #[serde(default)]
    pub refusal: Option<String>,
    /// Path in the response to what is kept, such as `data`; all of it when absent.
    #[serde(default)]
    pub answer: Option<String>,
    /// Our names to paths in an item of the answer, such as `number = "order_no"`; empty keeps the item as it is.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// What the other side calls values, by our field: `state = { WAIT_BUYER = "shipped" }`; others stay.
    #[serde(default)]
    pub values: BTreeMap<String, BTreeMap<String, String>>,
}

/// A call that needs no system: goods of the bot's own catalogue.
pub const PRODUCTS_CALL: &str = "products";
