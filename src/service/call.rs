//! Calls to the shop's own systems, as `connectors.toml` describes them: what tasks wait for, and what rules set off.
//!
//! Whatever the other side does, slow, wrong, HTML, without end, it becomes a [`CallResult`], and a task goes on with it.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use jiff::Timestamp;
use jiff::Zoned;
use reqwest::Url;
use reqwest::header;
use serde_json::Value;
use serde_json::json;
use sha2::Digest;
use sha2::Sha256;

use crate::engine::Engine;
use crate::engine::Turn;
use crate::knowledge::Knowledge;
use crate::knowledge::secret_name;
use crate::knowledge::task::CallSpec;
use crate::knowledge::task::ConnectorSpec;
use crate::knowledge::task::DEMO_SHOP;
use crate::message::Customer;
use crate::message::Inbound;
use crate::policy::state::State;
use crate::secret::Secret;
use crate::service::callback::chain;
use crate::service::fetch;
use crate::service::signature::SigningKey;
use crate::service::signature::with_id;
use crate::store::ConversationRow;
use crate::task::Call;
use crate::task::CallResult;
use crate::task::expression;
use crate::text::hex::lower_hex;

/// Most bytes of a response.
const RESPONSE_BYTES_MAX: usize = 1024 * 1024;

/// Most items of a list that is kept: a state holds it, and a customer picks from it.
const ITEMS_MAX: usize = 20;

/// Most bytes of what is kept of a response, as JSON.
const KEPT_BYTES_MAX: usize = 64 * 1024;

/// Most characters of a refusal, which the customer reads.
const REFUSAL_CHARS_MAX: usize = 300;

/// Wait before a repetition; one more each time.
const PAUSE: Duration = Duration::from_millis(150);

/// Sender of the calls that rules set off, in the outbox.
pub const SENDER: &str = "call";

/// The way to the shop's own systems.
pub struct Calls {
    /// Hosts with their ports that may lie in the own network.
    pub allowed: BTreeSet<String>,
    /// Where the demo shop of this process listens.
    pub demo_shop: Option<SocketAddr>,
    /// The environment, or what stands for it.
    pub variable: fn(&str) -> Option<String>,
}

impl Default for Calls {
    /// The public internet alone, with secrets of the environment.
    fn default() -> Self {
        Self { allowed: BTreeSet::new(), demo_shop: None, variable: |name| std::env::var(name).ok() }
    }
}

/// Who calls for whom.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'c> {
    /// The bot's knowledge, which describes the call.
    pub known: &'c Knowledge,
    /// The customer that it is about.
    pub customer: &'c Customer,
    /// By which the other side knows a repetition, 1 to 256 bytes.
    pub key: &'c str,
    /// Now, in the bot's zone.
    pub now: &'c Zoned,
}

/// The state of a talk from which calls are made. It holds the times of what was said, so that no two are the same; notes,
/// timers and humans, who come in between, leave it as it is.
#[must_use]
pub fn origin(conversation: &ConversationRow) -> String {
    // An id is given anew where a store is; the time of the beginning is not.
    let state = lower_hex(&Sha256::digest(&conversation.state));
    format!("{}.{}.{state}", conversation.id, conversation.created_at.as_millisecond())
}

/// By what the other side knows a repetition: the same for the same call from the same state of a talk, whoever makes it
/// and however often, and another one for any other.
#[must_use]
pub fn key(origin: &str, call: &Call) -> String {
    let named = json!([origin, call.name, call.with]);
    format!("call_{}", &lower_hex(&Sha256::digest(named.to_string()))[..40])
}

/// Why a call brought nothing; a stable word.
type Failure = &'static str;

/// Failures that no repetition mends, as long as nobody changes a file or the environment.
const LASTING: [Failure; 6] = [
    NO_CALL,
    PRIVATE,
    "no such host",
    "the address is not set",
    "a secret is not set",
    "the demo shop does not run here",
];

const NO_CALL: Failure = "no such call";

const PRIVATE: Failure = "a private address";

/// Whether a failure stays however often the call is made.
#[must_use]
pub fn lasts(failure: &str) -> bool {
    LASTING.contains(&failure)
}

impl Calls {
    /// Makes the calls that a turn waits for, one after another, until it is the last word.
    ///
    /// * `origin`: see [`origin`].
    pub async fn carry_on(
        &self,
        engine: &Engine,
        mut turn: Turn,
        (inbound, before): (&Inbound, &State),
        origin: &str,
        now: Timestamp,
    ) -> Turn {
        let zoned = engine.calendar().zoned(now);
        let mut results = Vec::new();
        // Steps lead only down: there are no more calls than steps.
        while let Some(call) = turn.call() {
            let key = key(origin, call);
            let caller =
                Caller { known: engine.known(), customer: &inbound.customer, key: &key, now: &zoned };
            results.push(self.make(caller, call).await);
            turn = engine.conclude(turn.evidence, inbound, before, now, &results, &mut |_| {});
        }
        turn
    }

    /// Makes a call, and repeats it where that may help.
    pub async fn make(&self, caller: Caller<'_>, call: &Call) -> CallResult {
        let connectors = &caller.known.connectors;
        let found = connectors.call.get(&call.name);
        let Some((spec, connector)) =
            found.and_then(|spec| Some((spec, connectors.connector.get(&spec.connector)?)))
        else {
            return CallResult::Failed(NO_CALL);
        };
        let mut attempt = 1;
        loop {
            let result = self.attempt(caller, call, spec, connector).await;
            match result {
                Ok(result) => return result,
                Err((failure, helps)) => {
                    if !helps || attempt >= connector.attempts_max {
                        tracing::warn!(
                            bot = %caller.known.bot, call = call.name, attempt, failure, "a call failed"
                        );
                        return CallResult::Failed(failure);
                    }
                    tokio::time::sleep(PAUSE * attempt).await;
                    attempt += 1;
                }
            }
        }
    }

    /// One attempt; with a failure comes whether a repetition may help.
    async fn attempt(
        &self,
        caller: Caller<'_>,
        call: &Call,
        spec: &CallSpec,
        connector: &ConnectorSpec,
    ) -> Result<CallResult, (Failure, bool)> {
        let now = caller.now;
        let variables = variables(caller.customer, call);
        let url = self.url(spec, connector, &variables, now).map_err(|failure| (failure, false))?;
        let timeout = Duration::from_millis(connector.timeout_ms);
        let asking = async {
            let client = fetch::client(&url, &self.allowed_with_demo(), timeout).await.map_err(|error| {
                tracing::warn!(call = call.name, error = %chain(&error), "a call has no address to go to");
                (refused(&error), false)
            })?;
            let mut request =
                if spec.post.is_some() { client.post(url.clone()) } else { client.get(url.clone()) };
            if let Some(authorization) = self.secret(connector.authorization.as_deref())? {
                let mut value = header::HeaderValue::from_str(authorization.expose())
                    .map_err(|_| ("the authorization cannot stand in a header", false))?;
                value.set_sensitive(true);
                request = request.header(header::AUTHORIZATION, value);
            }
            if spec.post.is_some() {
                let body =
                    filled(&spec.body, &variables, now).map_err(|failure| (failure, false))?.to_string();
                let at = now.timestamp();
                request = match self.secret(connector.secret.as_deref())? {
                    Some(secret) => SigningKey::new(secret)
                        .map_err(|_| ("the secret cannot sign", false))?
                        .signed(request, caller.key, at, &body),
                    None => with_id(request, caller.key, at),
                };
                request = request.header(header::CONTENT_TYPE, "application/json").body(body);
            }
            let mut response = request.send().await.map_err(|_| ("no answer", true))?;
            let status = response.status();
            if !status.is_success() {
                return Err(("an error of the other side", status.is_server_error()));
            }
            let mut bytes = Vec::new();
            while let Some(chunk) = response.chunk().await.map_err(|_| ("the answer broke off", true))? {
                bytes.extend_from_slice(&chunk);
                if bytes.len() > RESPONSE_BYTES_MAX {
                    return Err(("the answer is too large", false));
                }
            }
            serde_json::from_slice::<Value>(&bytes).map_err(|_| ("the answer is not JSON", false))
        };
        let response =
            tokio::time::timeout(timeout, asking).await.map_err(|_| ("no answer in time", true))??;
        understood(spec, &response, now).map_err(|failure| (failure, false))
    }

    fn allowed_with_demo(&self) -> BTreeSet<String> {
        self.allowed.iter().cloned().chain(self.demo_shop.map(|demo| demo.to_string())).collect()
    }

    fn url(
        &self,
        spec: &CallSpec,
        connector: &ConnectorSpec,
        variables: &Value,
        now: &Zoned,
    ) -> Result<Url, Failure> {
        let base = match (connector.url.as_str(), secret_name(&connector.url)) {
            (DEMO_SHOP, _) => format!("http://{}", self.demo_shop.ok_or("the demo shop does not run here")?),
            (_, Some(name)) => (self.variable)(name).ok_or("the address is not set")?,
            (url, None) => url.to_owned(),
        };
        let template = spec.get.as_ref().or(spec.post.as_ref()).ok_or("neither get nor post")?;
        // In a path every value is one part of it, whatever is in it.
        let encoded = encoded(variables)?;
        let path = expression::fill(template, &encoded, now).map_err(|_| "a template of the path")?;
        let joined = format!("{}/{}", base.trim_end_matches('/'), path.trim_start_matches('/'));
        let mut url = Url::parse(&joined).map_err(|_| "no address")?;
        for (name, template) in &spec.query {
            let value = expression::fill(template, variables, now).map_err(|_| "a template of the query")?;
            if !value.is_empty() {
                url.query_pairs_mut().append_pair(name, &value);
            }
        }
        Ok(url)
    }

    fn secret(&self, named: Option<&str>) -> Result<Option<Secret>, (Failure, bool)> {
        let Some(name) = named.and_then(secret_name) else { return Ok(None) };
        let value = (self.variable)(name).filter(|value| !value.is_empty());
        value.map(|value| Some(Secret::new(value))).ok_or(("a secret is not set", false))
    }
}

fn refused(error: &fetch::FetchError) -> Failure {
    match error {
        fetch::FetchError::Private { .. } => PRIVATE,
        _ => "no such host",
    }
}

fn variables(customer: &Customer, call: &Call) -> Value {
    let mut variables = json!({ "customer": {
        "id": customer.id, "name": customer.name.as_deref().unwrap_or_default(),
        "tags": customer.tags, "record": customer.record,
    } });
    for (name, value) in &call.with {
        variables[name] = json!(value);
    }
    variables
}

/// The same values, fit for one part of a path each.
fn encoded(value: &Value) -> Result<Value, Failure> {
    Ok(match value {
        // There is no way of writing these as a part of a path.
        Value::String(words) if words == "." || words == ".." => return Err("a value that would climb"),
        Value::String(words) => {
            let mut url = Url::parse("x://x").expect("a fixed address");
            if let Ok(mut parts) = url.path_segments_mut() {
                parts.push(words);
            }
            json!(url.path().trim_start_matches('/'))
        }
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(name, value)| Ok((name.clone(), encoded(value)?)))
                .collect::<Result<_, Failure>>()?,
        ),
        other => other.clone(),
    })
}

/// JSON with its strings filled in.
fn filled(body: &Value, variables: &Value, now: &Zoned) -> Result<Value, Failure> {
    fn fill(body: &Value, variables: &Value, now: &Zoned) -> Result<Value, Failure> {
        Ok(match body {
            Value::String(template) => {
                json!(expression::fill(template, variables, now).map_err(|_| "a template of the body")?)
            }
            Value::Array(items) => {
                items.iter().map(|item| fill(item, variables, now)).collect::<Result<_, _>>()?
            }
            Value::Object(fields) => Value::Object(
                fields
                    .iter()
                    .map(|(name, value)| Ok((name.clone(), fill(value, variables, now)?)))
                    .collect::<Result<_, Failure>>()?,
            ),
            other => other.clone(),
        })
    }
    fill(body, variables, now)
}

/// What a response says, in our words.
fn understood(spec: &CallSpec, response: &Value, now: &Zoned) -> Result<CallResult, Failure> {
    let says_yes = match &spec.ok {
        Some(ok) => {
            expression::holds(ok, response, now).map_err(|_| "the condition `ok` cannot be evaluated")?
        }
        None => true,
    };
    if !says_yes {
        let words = spec.refusal.as_deref().and_then(|path| at(response, path)?.as_str());
        return match words.filter(|words| !words.trim().is_empty()) {
            Some(words) => Ok(CallResult::Refused(words.chars().take(REFUSAL_CHARS_MAX).collect())),
            None => Err("refused without a word"),
        };
    }
    let answer = match &spec.answer {
        Some(path) => at(response, path).ok_or("the answer lacks what is asked for")?,
        None => response,
    };
    let kept: Value = match answer {
        Value::Array(items) => items.iter().take(ITEMS_MAX).map(|item| mapped(spec, item)).collect(),
        item => mapped(spec, item),
    };
    // The state of the talk holds it, and what was picked of it once more.
    if kept.to_string().len() > KEPT_BYTES_MAX {
        return Err("the answer is too large to be kept: name what is wanted of it in `fields`");
    }
    Ok(CallResult::Answered(kept))
}

/// An item by our names.
fn mapped(spec: &CallSpec, item: &Value) -> Value {
    if spec.fields.is_empty() {
        return item.clone();
    }
    let mut own = json!({});
    for (name, path) in &spec.fields {
        let value = at(item, path).cloned().unwrap_or(Value::Null);
        // An order without a refund has none, and not one of nothing.
        if value.is_null() && name.contains('.') {
            continue;
        }
        let known = value.as_str().and_then(|word| spec.values.get(name)?.get(word)).map(|word| json!(word));
        put(&mut own, name, known.unwrap_or(value));
    }
    own
}

/// Writes a value at a path; where something else than an object stands in the way, that stays.
fn put(own: &mut Value, path: &str, value: Value) {
    let mut place = own;
    for part in path.split('.') {
        if !(place.is_object() || place.is_null()) {
            return;
        }
        place = &mut place[part];
    }
    *place = value;
}

/// The value at a path such as `data.order.no` or `lines.0.title`.
fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(value, |value, part| match value {
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        other => other.get(part),
    })
}

/// A call of a rule as the outbox keeps it.
///
/// * `at`: when the rule fired.
#[must_use]
pub fn to_outbox(customer: &Customer, call: &Call, at: Timestamp) -> Value {
    json!({
        "name": call.name, "with": call.with, "at": at.to_string(),
        "customer": { "id": customer.id, "name": customer.name, "tags": customer.tags, "record": customer.record },
    })
}

/// A call as [`to_outbox`] has written it.
#[must_use]
pub fn from_outbox(row: &Value) -> Option<(Call, Customer)> {
    let with: BTreeMap<String, String> = serde_json::from_value(row["with"].clone()).ok()?;
    let call = Call { name: row["name"].as_str()?.to_owned(), with };
    let mut customer = Customer::new(row["customer"]["id"].as_str()?, crate::message::CustomerKind::Customer);
    customer.name = row["customer"]["name"].as_str().map(str::to_owned);
    customer.tags = serde_json::from_value(row["customer"]["tags"].clone()).ok()?;
    customer.record = serde_json::from_value(row["customer"]["record"].clone()).ok()?;
    Some((call, customer))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Zoned {
        "2026-11-23T10:00:00+08:00[Asia/Shanghai]".parse().unwrap()
    }

    fn spec(toml: &str) -> CallSpec {
        toml::from_str(toml).unwrap()
    }

    const ORDERS: &str = r#"
connector = "shop"
get = "/api/orders"
ok = "code == 0"
refusal = "msg"
answer = "data"
fields = { number = "order_no", state = "status", "line.title" = "lines.0.title" }
values = { state = { WAIT = "paid" } }
"#;

    #[test]
    fn a_response_is_told_in_our_names() {
        let response = json!({ "code": 0, "data": [
            { "order_no": "1", "status": "WAIT", "lines": [{ "title": "衬衫" }] },
            { "order_no": "2", "status": "signed", "lines": [] },
        ] });
        let expected = json!([
            { "number": "1", "state": "paid", "line": { "title": "衬衫" } },
            { "number": "2", "state": "signed" },
        ]);
        assert_eq!(understood(&spec(ORDERS), &response, &now()), Ok(CallResult::Answered(expected)));
    }

    #[test]
    fn names_that_stand_in_each_others_way_and_answers_too_large_to_keep_break_nothing() {
        let spec = spec(
            "connector = 'shop'\nget = '/o'\nanswer = 'data'\nfields = { who = 'name', \"who.phone\" = 'phone', big = 'big' }",
        );
        let response = |big: String| json!({ "data": { "name": "林", "phone": "1", "big": big } });
        let expected = json!({ "big": "x", "who": "林" });
        assert_eq!(understood(&spec, &response("x".to_owned()), &now()), Ok(CallResult::Answered(expected)));
        assert!(understood(&spec, &response("x".repeat(KEPT_BYTES_MAX)), &now()).is_err());
    }

    #[test]
    fn a_refusal_keeps_its_words_and_anything_else_is_a_failure() {
        let understood = |response: Value| understood(&spec(ORDERS), &response, &now());
        assert_eq!(
            understood(json!({ "code": 1, "msg": "已发货" })),
            Ok(CallResult::Refused("已发货".to_owned()))
        );
        assert!(understood(json!({ "code": 1 })).is_err());
        assert!(understood(json!({ "code": 0 })).is_err());
        assert!(understood(json!("<html>")).is_err());
    }

    #[test]
    fn what_a_customer_says_stays_one_part_of_the_path() {
        let calls = Calls::default();
        let connector: ConnectorSpec = toml::from_str("url = 'https://a.example/base/'").unwrap();
        let url = |number: &str| {
            let spec = spec(
                "connector = 'shop'\npost = '/orders/{{ number }}/cancel'\nquery = { who = '{{ customer.id }}', none = '{{ nothing }}' }",
            );
            let call = Call {
                name: "x".to_owned(),
                with: BTreeMap::from([("number".to_owned(), number.to_owned())]),
            };
            let customer = Customer::new("甲&b", crate::message::CustomerKind::Customer);
            calls.url(&spec, &connector, &variables(&customer, &call), &now()).map(|url| url.to_string())
        };
        assert_eq!(url("7").unwrap(), "https://a.example/base/orders/7/cancel?who=%E7%94%B2%26b");
        assert!(url("..").is_err() && url(".").is_err());
        for nasty in ["../../admin", "7/../../x", "7?x=1#y", "%2e%2e", "..."] {
            let url = url(nasty).unwrap();
            let path = url.split('?').next().unwrap();
            assert!(
                path.starts_with("https://a.example/base/orders/") && path.ends_with("/cancel"),
                "{nasty}: {url}"
            );
            assert_eq!(path.matches('/').count(), 6, "{nasty}: {url}");
        }
    }

    #[test]
    fn a_body_is_filled_in_without_a_way_out_of_its_strings() {
        let body = json!({ "no": "{{ number }}", "list": ["{{ customer.id }}", 1], "deep": { "x": true } });
        let variables = json!({ "number": "7\", \"admin\": \"1", "customer": { "id": "c" } });
        let filled = filled(&body, &variables, &now()).unwrap();
        assert_eq!(filled, json!({ "no": "7\", \"admin\": \"1", "list": ["c", 1], "deep": { "x": true } }));
    }
}
