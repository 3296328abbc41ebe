//! Tokens of apps: one a secret, the same for as long as it is good. Source: developer centre, gettoken (path 91039).

use jiff::SignedDuration;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::simulate::wecom::refusal::Refusal;
use crate::simulate::wecom::world::World;

/// Seconds that a token is good for.
const LIFE: i64 = 7_200;

/// A token that was given out.
pub(super) struct Issued {
    /// Place of its app.
    app: usize,
    until: Timestamp,
    is_revoked: bool,
}

impl World {
    pub(super) fn issue(
        &mut self,
        corp_id: Option<&str>,
        secret: Option<&str>,
        now: Timestamp,
    ) -> Result<Value, Refusal> {
        let corp_id = corp_id.ok_or_else(|| Refusal::new(41_002, "corpid missing"))?;
        let secret = secret.ok_or_else(|| Refusal::new(41_004, "corpsecret missing"))?;
        if corp_id != self.plan.corp_id {
            return Err(Refusal::new(40_013, "invalid corpid"));
        }
        let app = self.plan.apps.iter().position(|app| app.secret.expose() == secret);
        let app = app.ok_or_else(|| Refusal::new(40_001, "invalid credential"))?;
        let held = self.tokens.iter().find(|(_, token)| token.app == app && token.is_good(now));
        let (token, until) = match held {
            Some((token, issued)) => (token.clone(), issued.until),
            None => {
                let (token, until) = (self.id("token"), now + SignedDuration::from_secs(LIFE));
                self.tokens.insert(token.clone(), Issued { app, until, is_revoked: false });
                (token, until)
            }
        };
        Ok(json!({ "access_token": token, "expires_in": until.duration_since(now).as_secs() }))
    }

    /// The place of the app whose token this is.
    pub(super) fn authorised(&self, token: Option<&str>, now: Timestamp) -> Result<usize, Refusal> {
        let token = token.filter(|token| !token.is_empty());
        let token = token.ok_or_else(|| Refusal::new(41_001, "access_token missing"))?;
        match self.tokens.get(token) {
            None => Err(Refusal::new(40_014, "invalid access_token")),
            Some(issued) if issued.is_revoked => Err(Refusal::new(40_014, "invalid access_token")),
            Some(issued) if issued.until <= now => Err(Refusal::new(42_001, "access_token expired")),
            Some(issued) => Ok(issued.app),
        }
    }

    /// Makes all tokens worth nothing, before their time.
    pub(super) fn revoke(&mut self) {
        self.tokens.values_mut().for_each(|issued| issued.is_revoked = true);
    }
}

impl Issued {
    fn is_good(&self, now: Timestamp) -> bool {
        !self.is_revoked && self.until > now
    }
}
