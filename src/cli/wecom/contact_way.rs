//! `yingda wecom contact-way`: ways to members (活码).

use clap::Subcommand;
use clap::ValueEnum;
use jiff::SignedDuration;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::channel::wecom::contact;
use crate::channel::wecom::contact::ContactWay;
use crate::channel::wecom::contact::Temporary;
use crate::cli::wecom::caller::Caller;
use crate::cli::wecom::caller::Common;
use crate::cli::wecom::caller::line;
use crate::config::Config;

/// Ways of one page; the interface gives no more.
const PAGE: u32 = 1_000;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a way. Keep the config_id that it answers: without it the way cannot be changed.
    Add {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        fields: Fields,
        /// Where it is met.
        #[arg(long, value_enum, default_value_t)]
        scene: Scene,
        /// Several members, of whom WeCom picks one.
        #[arg(long)]
        several: bool,
        /// A session that ends; for medical companies.
        #[arg(long)]
        temporary: bool,
        /// The one customer who may use a temporary way.
        #[arg(long, requires = "temporary")]
        unionid: Option<String>,
    },
    /// List the config_ids of all ways that were made after 2021-07-10.
    List {
        #[command(flatten)]
        common: Common,
        /// Only those of so many last days.
        #[arg(long)]
        days: Option<u32>,
    },
    /// Show a way.
    Show {
        #[command(flatten)]
        common: Common,
        config_id: String,
    },
    /// Change a way; what is not named stays. Members and departments take the place of all that were there.
    Update {
        #[command(flatten)]
        common: Common,
        config_id: String,
        #[command(flatten)]
        fields: Fields,
    },
    /// Delete a way.
    Del {
        #[command(flatten)]
        common: Common,
        config_id: String,
    },
}

/// What can be changed later.
#[derive(Debug, clap::Args)]
struct Fields {
    /// UserID of a member; several times for several.
    #[arg(long = "user", value_name = "USERID")]
    users: Vec<String>,
    /// Id of a department, with --several; several times for several.
    #[arg(long = "party", value_name = "ID")]
    parties: Vec<u64>,
    /// Comes back with the customers who came through it, at most 30 characters; [[welcome]] goes by it.
    #[arg(long)]
    state: Option<String>,
    /// For staff, at most 30 characters.
    #[arg(long)]
    remark: Option<String>,
    /// Look of a mini program's button: 1 to 3 for one member, 1 to 2 for several.
    #[arg(long)]
    style: Option<u64>,
    /// Whether the member must confirm each customer [default of a new one: false].
    #[arg(long, value_name = "BOOL")]
    verify: Option<bool>,
    /// Whether one company of customers keeps to one member [default of a new one: false].
    #[arg(long, value_name = "BOOL")]
    exclusive: Option<bool>,
    /// Seconds that a temporary code lives, at most 14 days.
    #[arg(long, value_name = "SECONDS")]
    expires_in: Option<u64>,
    /// Seconds that a temporary session lives, at most 14 days.
    #[arg(long, value_name = "SECONDS")]
    chat_expires_in: Option<u64>,
    /// Closing words of a temporary session, at most 4,000 bytes.
    #[arg(long)]
    conclusion: Option<String>,
}

/// Where a way is met.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(super) enum Scene {
    /// A button of a mini program.
    Miniprogram,
    /// A QR code.
    #[default]
    Qr,
}

impl From<Scene> for contact::Scene {
    fn from(scene: Scene) -> Self {
        match scene {
            Scene::Miniprogram => Self::Miniprogram,
            Scene::Qr => Self::Qr,
        }
    }
}

impl Fields {
    /// Writes what is named over a way.
    fn over(&self, way: &mut ContactWay) -> anyhow::Result<()> {
        if !self.users.is_empty() || !self.parties.is_empty() {
            (way.users, way.parties) = (self.users.clone(), self.parties.clone());
        }
        way.state = self.state.clone().or(way.state.take());
        way.remark = self.remark.clone().or(way.remark.take());
        way.style = self.style.or(way.style);
        way.verify = self.verify.unwrap_or(way.verify);
        way.exclusive = self.exclusive.or(way.exclusive);
        let named = self.expires_in.is_some() || self.chat_expires_in.is_some() || self.conclusion.is_some();
        match &mut way.temporary {
            Some(temporary) => {
                temporary.expires_in = self.expires_in.or(temporary.expires_in);
                temporary.chat_expires_in = self.chat_expires_in.or(temporary.chat_expires_in);
                temporary.conclusion = self.conclusion.clone().or(temporary.conclusion.take());
            }
            None => anyhow::ensure!(!named, "有效期和结束语只有临时会话（--temporary）才有"),
        }
        Ok(())
    }
}

pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<()> {
    match &args.command {
        Command::Add { common, fields, scene, several, temporary, unionid } => {
            let temporary = temporary.then(|| Temporary { unionid: unionid.clone(), ..Temporary::default() });
            let mut way =
                ContactWay { several: *several, scene: (*scene).into(), temporary, ..ContactWay::default() };
            fields.over(&mut way)?;
            let body = way.body()?;
            let caller = Caller::open(common, config).await?;
            let answer = caller.call("externalcontact/add_contact_way", &body).await?;
            let of = |key: &str| answer[key].as_str().unwrap_or_default();
            let mut lines = vec![format!("建好了活码 {}（改和删都要用这个编号，请保存）", of("config_id"))];
            lines.extend(line("二维码", of("qr_code")));
            caller.tell(&answer, &lines)
        }
        Command::List { common, days } => {
            let caller = Caller::open(common, config).await?;
            let ways = list(&caller, *days).await?;
            let mut lines: Vec<String> =
                ways.iter().filter_map(|way| way["config_id"].as_str()).map(str::to_owned).collect();
            lines.push(format!("共 {} 个活码", ways.len()));
            caller.tell(&json!({ "contact_way": ways }), &lines)
        }
        Command::Show { common, config_id } => {
            let caller = Caller::open(common, config).await?;
            let answer = show(&caller, config_id).await?;
            caller.tell(&answer, &lines(config_id, &answer["contact_way"]))
        }
        Command::Update { common, config_id, fields } => {
            let caller = Caller::open(common, config).await?;
            let answer = show(&caller, config_id).await?;
            let mut way = ContactWay::read(&answer["contact_way"]);
            fields.over(&mut way)?;
            let answer = caller.call("externalcontact/update_contact_way", &way.update(config_id)?).await?;
            caller.tell(&answer, &[format!("改好了活码 {config_id}")])
        }
        Command::Del { common, config_id } => {
            let caller = Caller::open(common, config).await?;
            let body = json!({ "config_id": config_id });
            let answer = caller.call("externalcontact/del_contact_way", &body).await?;
            caller.tell(&answer, &[format!("删掉了活码 {config_id}")])
        }
    }
}

async fn show(caller: &Caller, config_id: &str) -> anyhow::Result<Value> {
    caller.call("externalcontact/get_contact_way", &json!({ "config_id": config_id })).await
}

/// All pages of the list.
async fn list(caller: &Caller, days: Option<u32>) -> anyhow::Result<Vec<Value>> {
    let mut body = json!({ "limit": PAGE });
    if let Some(days) = days {
        let now = Timestamp::now();
        let start = now.checked_sub(SignedDuration::from_hours(24 * i64::from(days)))?;
        body["start_time"] = json!(start.as_second());
        body["end_time"] = json!(now.as_second());
    }
    caller.pages("externalcontact/list_contact_way", body, "contact_way").await
}

fn lines(config_id: &str, way: &Value) -> Vec<String> {
    let read = ContactWay::read(way);
    let parties: Vec<String> = read.parties.iter().map(u64::to_string).collect();
    let mut lines = vec![format!("活码 {config_id}（{}）", if read.several { "多人" } else { "单人" })];
    let told = [
        (
            "场景",
            match read.scene {
                contact::Scene::Miniprogram => "小程序",
                contact::Scene::Qr => "二维码",
            },
        ),
        ("渠道 state", read.state.as_deref().unwrap_or_default()),
        ("备注", read.remark.as_deref().unwrap_or_default()),
        ("员工", &read.users.join("、")),
        ("部门", &parties.join("、")),
        ("添加好友", if read.verify { "要员工确认" } else { "不用员工确认" }),
        ("同一企业客户只加一位员工", if read.exclusive == Some(true) { "是" } else { "否" }),
        ("临时会话", if read.temporary.is_some() { "是" } else { "" }),
        ("二维码地址", way["qr_code"].as_str().unwrap_or_default()),
    ];
    lines.extend(told.into_iter().filter_map(|(what, words)| line(what, words)));
    lines
}
