//! `GET /api/v1/bots`: who can be talked to.

use axum::Extension;
use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::http::Shared;
use crate::http::access::Access;
use crate::http::error::ApiError;
use crate::http::key::Scope;
use crate::message::Channel;
use crate::message::Content;
use crate::message::Customer;
use crate::message::CustomerKind;
use crate::message::Inbound;
use crate::message::Part;

#[derive(Serialize)]
pub(super) struct Bots {
    bots: Vec<Bot>,
}

#[derive(Serialize)]
struct Bot {
    id: String,
    title: String,
    name: String,
    greeting: String,
    suggestions: Vec<String>,
    open: bool,
    hours: String,
}

pub(super) async fn list(
    State(desk): State<Shared>,
    Extension(access): Extension<Access>,
) -> Result<Json<Bots>, ApiError> {
    access.require_unless_local(Scope::Chat)?;
    let now = desk.service.now();
    let bots = desk.service.bots();
    let known = bots.iter().filter(|(_, engine)| access.may_meet(engine.known()));
    let bots = known.map(|(id, engine)| {
        let profile = &engine.known().profile;
        let entered = Inbound {
            bot: id.clone(),
            channel: Channel::Web,
            customer: Customer::new("visitor", CustomerKind::Customer),
            content: Content::Entered,
        };
        let greeting = engine.greet(&entered, now);
        let words = greeting.parts.iter().find_map(|part| match part {
            Part::Text(text) => Some(text.clone()),
            _ => None,
        });
        Bot {
            id: id.clone(),
            title: profile.title.clone(),
            name: profile.name.clone(),
            greeting: words.unwrap_or_default(),
            suggestions: profile.suggestions.clone(),
            open: engine.calendar().is_open(now),
            hours: engine.calendar().describe(),
        }
    });
    // The shop's bot first: its customers are the ones who open the page.
    let mut bots: Vec<Bot> = bots.collect();
    bots.sort_by_key(|bot| bot.id == "staff");
    Ok(Json(Bots { bots }))
}
