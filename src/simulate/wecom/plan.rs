//! The company that is played: its id, its apps with their keys, its accounts, its people.

use crate::secret::Secret;

/// One self-built app.
#[derive(Clone, Debug)]
pub struct AppPlan {
    /// What it is called here and in `/wecom/{app}/callback`.
    pub name: String,
    /// `AgentId`.
    pub agent_id: i64,
    /// Its secret.
    pub secret: Secret,
    /// Token of its callback.
    pub token: Secret,
    /// EncodingAESKey of its callback.
    pub aes_key: Secret,
    /// Where its callbacks go; none leave without.
    pub callback: Option<String>,
    /// Accounts of 微信客服 that are granted to it.
    pub accounts: Vec<String>,
}

/// A robot of a group, which speaks and does not hear.
#[derive(Clone, Debug)]
pub struct RobotPlan {
    /// The group that it speaks in: the name of the phone that shows it.
    pub group: String,
    /// The key in its address, its only secret.
    pub key: Secret,
}

/// A bot with which members talk, and which hears and answers in JSON.
#[derive(Clone, Debug)]
pub struct AibotPlan {
    /// What it is called here and in `/wecom/{name}/aibot`.
    pub name: String,
    /// `aibotid`.
    pub bot_id: String,
    /// Token of its callback.
    pub token: Secret,
    /// EncodingAESKey of its callback, whose receiver id is empty.
    pub aes_key: Secret,
    /// Where it is told; nothing leaves without.
    pub callback: Option<String>,
}

/// A company.
#[derive(Clone, Debug)]
pub struct Plan {
    /// CorpID.
    pub corp_id: String,
    /// Its apps.
    pub apps: Vec<AppPlan>,
    /// Its accounts: id and name.
    pub accounts: Vec<(String, String)>,
    /// UserIDs of its members, in the apps' visible range; all of them are servicers of all accounts.
    pub members: Vec<String>,
    /// Names of the apps that may call 客户联系, and hear of it.
    pub contacts: Vec<String>,
    /// Robots that only speak, each in one group.
    pub robots: Vec<RobotPlan>,
    /// Bots with which members talk.
    pub aibots: Vec<AibotPlan>,
    /// Messages of one page of `sync_msg` at most, whatever is asked for.
    pub page_max: usize,
}

impl Plan {
    /// A shop with one app for customers and one for staff.
    ///
    /// * `server`: where the company's own server answers, such as `http://127.0.0.1:8640`.
    #[must_use]
    pub fn demo(server: &str) -> Self {
        let server = server.trim_end_matches('/');
        let app = |name: &str, agent_id: i64, accounts: &[&str]| AppPlan {
            name: name.to_owned(),
            agent_id,
            secret: Secret::new(format!("simulator-secret-of-{name}")),
            token: Secret::new(format!("simToken{agent_id}")),
            // 43 letters; the last is one that leaves no bits over.
            aes_key: Secret::new(format!("{:A<42}E", format!("simulator{agent_id}"))),
            callback: Some(format!("{server}/wecom/{name}/callback")),
            accounts: accounts.iter().map(|account| (*account).to_owned()).collect(),
        };
        Self {
            corp_id: "wwsimulator00001".to_owned(),
            apps: vec![app("shop", 1_000_001, &["wkSimulatorShop"]), app("staff", 1_000_002, &[])],
            accounts: vec![("wkSimulatorShop".to_owned(), "云朵小铺".to_owned())],
            members: ["wangfang", "lilei", "zhaomin"].map(str::to_owned).to_vec(),
            contacts: vec!["shop".to_owned()],
            robots: vec![RobotPlan {
                group: "值班群".to_owned(),
                key: Secret::new("simulator-key-of-robot"),
            }],
            aibots: vec![AibotPlan {
                name: "staff".to_owned(),
                bot_id: "AIBsimulator0001".to_owned(),
                token: Secret::new("simTokenAibot"),
                aes_key: Secret::new(format!("{:A<42}E", "simulatorAibot")),
                callback: Some(format!("{server}/wecom/staff/aibot")),
            }],
            page_max: 1_000,
        }
    }

    /// The app of that name.
    pub(super) fn app(&self, name: &str) -> Option<&AppPlan> {
        self.apps.iter().find(|app| app.name == name)
    }

    /// The bot of that name.
    pub(super) fn aibot(&self, name: &str) -> Option<&AibotPlan> {
        self.aibots.iter().find(|bot| bot.name == name)
    }

    /// Variables that `yingda serve` needs to meet this company, in the names of the shipped bots.
    #[must_use]
    pub fn variables(&self) -> Vec<(String, String)> {
        let mut variables = Vec::new();
        for app in &self.apps {
            let mut set = |name: &str, value: &str| {
                variables.push((format!("{}_WECOM_{name}", app.name.to_uppercase()), value.to_owned()));
            };
            set("CORP_ID", &self.corp_id);
            set("TOKEN", app.token.expose());
            set("AES_KEY", app.aes_key.expose());
            set("SECRET", app.secret.expose());
            if let Some(account) = app.accounts.first() {
                set("KF", account);
            }
        }
        for bot in &self.aibots {
            let name = bot.name.to_uppercase();
            variables.push((format!("{name}_AIBOT_TOKEN"), bot.token.expose().to_owned()));
            variables.push((format!("{name}_AIBOT_AES_KEY"), bot.aes_key.expose().to_owned()));
        }
        variables
    }
}
