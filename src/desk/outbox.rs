//! Sends what is to be sent: a conversation's messages in order, conversations side by side, as often as it takes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use jiff::Timestamp;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::channel::wecom::client::ClientError;
use crate::channel::wecom::client::Remedy;
use crate::channel::wecom::kf::Servicing;
use crate::service::Service;
use crate::service::app::App;
use crate::service::call;
use crate::service::call::Caller;
use crate::service::callback::chain;
use crate::service::contact::Errand;
use crate::service::contact::ErrandError;
use crate::service::media::MediaShelf;
use crate::service::notify;
use crate::service::notify::Sent;
use crate::service::outgoing;
use crate::service::outgoing::Outgoing;
use crate::service::servicing;
use crate::service::servicing::StateError;
use crate::service::servicing::Talk;
use crate::store::Attempt;
use crate::store::OutboxId;
use crate::store::OutboxRow;
use crate::store::StoreError;
use crate::task::CallResult;

/// How often it looks for what is due again.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Time for one message, a token included; below the lease, so that nobody else takes it meanwhile.
const SEND_MAX: Duration = Duration::from_secs(8);

/// Messages on their way at the same time.
const ROWS_MAX: u32 = 64;

/// Notices on their way at the same time.
const NOTICES_MAX: usize = 64;

/// Waits before each further attempt, in seconds; after the last the message is given up and listed.
const BACK_OFF: [i64; 10] = [1, 2, 5, 15, 60, 300, 900, 3_600, 7_200, 14_400];

/// Further attempts at what WeCom knows nothing of yet: in a moment it does, or there is nothing to know.
const NOT_YET_MAX: u32 = 3;

/// A welcome code has run out, or was used.
const CODE_USED: i64 = 41_050;

/// A minute's window of WeCom's.
const WINDOW: SignedDuration = SignedDuration::from_secs(60);

/// Sends for as long as it is polled.
///
/// * `media`: what WeCom has of the bots' files, which forgets what WeCom says it has not.
pub async fn run(service: Arc<Service>, media: Arc<MediaShelf>, apps: BTreeMap<String, Arc<App>>) {
    let mut tick = tokio::time::interval(LOOK_EVERY);
    let mut notices = JoinSet::new();
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = service.outbox_filled() => {}
        }
        // What is sent makes room for what stands behind it.
        loop {
            match send_beside(&service, &media, &apps, &mut notices).await {
                Ok(0) => break,
                Ok(_n_tried) => {}
                Err(error) => {
                    tracing::warn!(error = %chain(&error), "messages that are due could not be worked on");
                    break;
                }
            }
        }
    }
}

/// Tries to send what is due; returns how many it tried.
///
/// # Errors
/// When it cannot be read, or what came of it cannot be written down.
pub async fn send_due(
    service: &Arc<Service>,
    media: &Arc<MediaShelf>,
    apps: &BTreeMap<String, Arc<App>>,
) -> Result<usize, StoreError> {
    let mut notices = JoinSet::new();
    let n_tried = send_beside(service, media, apps, &mut notices).await?;
    while notices.join_next().await.is_some() {}
    Ok(n_tried)
}

/// Tries to send what is due. What people outside of the inbox are told goes beside it: a robot that does not answer keeps
/// no customer waiting.
async fn send_beside(
    service: &Arc<Service>,
    media: &Arc<MediaShelf>,
    apps: &BTreeMap<String, Arc<App>>,
    notices: &mut JoinSet<()>,
) -> Result<usize, StoreError> {
    while notices.try_join_next().is_some() {}
    let rows = service.store().outbox_take(service.now(), ROWS_MAX).await?;
    let mut sending = JoinSet::new();
    let mut n_tried = 0;
    for row in rows {
        if row.sender == notify::SENDER {
            // What finds no room falls due again when its lease ends.
            if notices.len() < NOTICES_MAX {
                notices.spawn(tell(Arc::clone(service), row));
                n_tried += 1;
            }
            continue;
        }
        let app = apps.get(&row.sender).cloned();
        let (service, media) = (Arc::clone(service), Arc::clone(media));
        sending.spawn(async move {
            let sending = async {
                if row.sender == call::SENDER {
                    make(&service, &row).await
                } else {
                    send(&service, app.as_deref(), &media, &row).await
                }
            };
            let sent = tokio::time::timeout(SEND_MAX, sending).await;
            (sent.unwrap_or(Err(NotSent::TooSlow)), row)
        });
    }
    while let Some(first) = sending.join_next().await {
        // What has ended meanwhile is written down with it; what is slow holds nobody's result back.
        let more = std::iter::from_fn(|| sending.try_join_next());
        // A panic leaves the row to its lease.
        let ended = std::iter::once(first).chain(more).filter_map(Result::ok);
        let attempts: Vec<(OutboxId, Attempt)> =
            ended.map(|(sent, row)| (row.id, attempt(&row, sent, service.now()))).collect();
        service.store().outbox_tried(&attempts, service.now()).await?;
        n_tried += attempts.len();
    }
    Ok(n_tried)
}

/// Tells somebody outside of the inbox, and writes down what came of it.
async fn tell(service: Arc<Service>, row: OutboxRow) {
    let sent = tokio::time::timeout(SEND_MAX, notify::send(&service, &row)).await;
    let sent = match sent {
        Ok(Sent::Taken) => Ok(()),
        Ok(other) => Err(NotSent::Notice(other)),
        Err(_elapsed) => Err(NotSent::TooSlow),
    };
    let attempt = attempt(&row, sent, service.now());
    // Its lease ends, and it is tried again: told twice rather than never.
    if let Err(error) = service.store().outbox_tried(&[(row.id, attempt)], service.now()).await {
        tracing::warn!(outbox.id = row.id, error = %chain(&error), "what came of a notice could not be written");
    }
}

/// Why a message was not sent.
enum NotSent {
    /// There is no such app here, or it cannot send.
    NoApp,
    /// What is stored is no message of this program's.
    NoMessage,
    /// No answer came in time.
    TooSlow,
    /// WeCom took it, but nobody will get it.
    Nobody,
    /// WeCom did not take it.
    Client(ClientError),
    /// WeCom is expected to take it in a moment, or never.
    NotYet(ClientError),
    /// What was learnt could not be stored.
    Store(StoreError),
    /// A system of the shop's own did not take a call.
    Call(&'static str),
    /// It said no.
    Refused,
    /// WeCom would drop it without a word until then.
    Held(Timestamp),
    /// Somebody outside of the inbox was not told.
    Notice(Sent),
}

async fn send(
    service: &Service,
    app: Option<&App>,
    media: &MediaShelf,
    row: &OutboxRow,
) -> Result<(), NotSent> {
    let app = app.ok_or(NotSent::NoApp)?;
    let active = app.active.as_ref().ok_or(NotSent::NoApp)?;
    let body: Value = serde_json::from_str(&row.body).map_err(|_| NotSent::NoMessage)?;
    if let Some(errand) = Errand::read(&body) {
        return errand.run(service, app, active).await.map_err(|error| match error {
            ErrandError::Client(error) => NotSent::Client(error),
            ErrandError::NotYet(error) => NotSent::NotYet(error),
            ErrandError::Store(error) => NotSent::Store(error),
        });
    }
    let call = Outgoing::read(&row.body).ok_or(NotSent::NoMessage)?;
    if call.path == outgoing::TO_MEMBER {
        active.write_to(&row.recipient, service.now()).map_err(NotSent::Held)?;
    }
    let mut sent = active.client.call(&call.path, &call.json).await;
    if let (Err(error), Some(media_id)) = (&sent, call.media_id())
        && error.is_media_gone()
    {
        if let Err(error) = media.forget(media_id).await {
            tracing::warn!(error = %chain(&error), "a file that WeCom has forgotten could not be forgotten");
        }
        if let Some(instead) = &call.instead {
            sent = active.client.call(&call.path, instead).await;
        }
    }
    follow(service, app, &call, sent.as_ref().err()).await;
    match sent {
        // Success with nobody reached is none.
        Ok(answer) if answer["invaliduser"].as_str().is_some_and(|users| !users.is_empty()) => {
            Err(NotSent::Nobody)
        }
        Ok(_answer) => Ok(()),
        Err(error) => Err(NotSent::Client(error)),
    }
}

/// Notes who has a talk of 微信客服 once WeCom says that it is not the bot's: the pool of the client took it, or a message
/// was refused.
async fn follow(service: &Service, app: &App, call: &Outgoing, error: Option<&ClientError>) {
    let of = |name: &str| call.json[name].as_str();
    let Some((open_kfid, external_userid)) = of("open_kfid").zip(of("touser").or(of("external_userid")))
    else {
        return;
    };
    let talk = Talk { bot: &app.bot, open_kfid, external_userid };
    let followed = match (call.path.as_str(), error, &app.active) {
        (servicing::TRANSFER, None, _) => {
            servicing::follow(service, talk, &Servicing::Took, None).await.map_err(StateError::Store)
        }
        (_, Some(error), Some(active)) if error.is_not_ours() => {
            servicing::follow_state(service, &active.client, talk).await
        }
        _ => return,
    };
    if let Err(error) = followed {
        tracing::warn!(app = %app.name, error = %chain(&error), "who has a talk could not be followed");
    }
}

/// Makes the call of a rule.
async fn make(service: &Service, row: &OutboxRow) -> Result<(), NotSent> {
    let bots = service.bots();
    let engine = bots.get(&row.recipient).ok_or(NotSent::NoApp)?;
    let body: Value = serde_json::from_str(&row.body).map_err(|_| NotSent::NoMessage)?;
    let (call, customer) = call::from_outbox(&body).ok_or(NotSent::NoMessage)?;
    let now = engine.calendar().zoned(service.now());
    let caller = Caller { known: engine.known(), customer: &customer, key: &row.key, now: &now };
    match service.calls().make(caller, &call).await {
        CallResult::Answered(_) => Ok(()),
        CallResult::Refused(_) => Err(NotSent::Refused),
        CallResult::Failed(reason) => Err(NotSent::Call(reason)),
    }
}

fn attempt(row: &OutboxRow, sent: Result<(), NotSent>, now: Timestamp) -> Attempt {
    let failed = |reason: &str| {
        tracing::warn!(outbox.id = row.id, app = %row.sender, reason, "a message was given up");
        Attempt::Failed { reason: reason.to_owned() }
    };
    let later = |wait: SignedDuration| Attempt::Again { at: now.saturating_add(wait).unwrap_or(now) };
    let again = |error: &str, reason: &str| match BACK_OFF.get(row.attempts as usize) {
        Some(wait) => {
            tracing::info!(outbox.id = row.id, attempts = row.attempts + 1, error, "sent again later");
            later(SignedDuration::from_secs(*wait))
        }
        None => failed(reason),
    };
    let error = match sent {
        Ok(()) => return Attempt::Taken,
        Err(NotSent::NoApp) => return failed("no app of that name can send"),
        Err(NotSent::NoMessage) => return failed("unreadable"),
        Err(NotSent::Nobody) => return failed("invaliduser"),
        Err(NotSent::Refused) => return failed("refused"),
        Err(NotSent::Call(reason)) if call::lasts(reason) => return failed(reason),
        Err(NotSent::Call(reason)) => return again(reason, reason),
        Err(NotSent::Notice(Sent::Taken)) => return Attempt::Taken,
        Err(NotSent::Held(until) | NotSent::Notice(Sent::Held(until))) => return Attempt::Held { until },
        Err(NotSent::Notice(Sent::Later(reason))) => return again(&reason, &reason),
        Err(NotSent::Notice(Sent::Refused(reason))) => return failed(&reason),
        Err(NotSent::TooSlow) => return again("no answer in time", "no answer"),
        Err(NotSent::Store(error)) => return again(&chain(&error), "the store failed"),
        Err(NotSent::NotYet(error)) => {
            let reason =
                error.code().map_or_else(|| "not ready".to_owned(), |code| format!("errcode {code}"));
            let is_over = row.attempts >= NOT_YET_MAX;
            return if is_over { failed(&reason) } else { again(&chain(&error), &reason) };
        }
        Err(NotSent::Client(error)) => error,
    };
    let reason = error.code().map_or_else(|| "no answer".to_owned(), |code| format!("errcode {code}"));
    match error.remedy() {
        Remedy::Done => Attempt::Taken,
        // The code was good a moment ago: the call whose answer got lost has used it, or another app has. Either way the
        // customer was welcomed.
        Remedy::None if row.attempts > 0 && error.code() == Some(CODE_USED) => Attempt::Taken,
        Remedy::None => failed(&reason),
        Remedy::NextWindow => later(WINDOW),
        Remedy::Later => again(&chain(&error), &reason),
    }
}
