//! `yingda wecom join-way`: ways into customer groups (拉群).

use clap::Subcommand;
use serde_json::Value;
use serde_json::json;

use crate::channel::wecom::contact;
use crate::channel::wecom::contact::JoinWay;
use crate::cli::wecom::caller::Caller;
use crate::cli::wecom::caller::Common;
use crate::cli::wecom::caller::line;
use crate::cli::wecom::contact_way::Scene;
use crate::config::Config;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a way into groups. Keep the config_id that it answers: without it the way cannot be changed.
    Add {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        fields: Fields,
        /// Where it is met.
        #[arg(long, value_enum, default_value_t)]
        scene: Scene,
    },
    /// Show a way into groups.
    Show {
        #[command(flatten)]
        common: Common,
        config_id: String,
    },
    /// Change a way into groups; what is not named stays.
    Update {
        #[command(flatten)]
        common: Common,
        config_id: String,
        #[command(flatten)]
        fields: Fields,
    },
    /// Delete a way into groups.
    Del {
        #[command(flatten)]
        common: Common,
        config_id: String,
    },
}

/// What can be changed later.
#[derive(Debug, clap::Args)]
struct Fields {
    /// Id of a group, 1 to 5 of them; they take the place of all that were there.
    #[arg(long = "chat", value_name = "CHAT_ID")]
    chats: Vec<String>,
    /// Comes back with the members who came through it, at most 30 characters.
    #[arg(long)]
    state: Option<String>,
    /// For staff, at most 30 characters.
    #[arg(long)]
    remark: Option<String>,
    /// Whether another group is made when the others are full [default of a new one: true].
    #[arg(long, value_name = "BOOL")]
    auto_create: Option<bool>,
    /// What such groups are called, at most 40 characters; a number follows.
    #[arg(long)]
    room_name: Option<String>,
    /// The number of the first of them.
    #[arg(long)]
    room_number: Option<u64>,
}

impl Fields {
    /// Writes what is named over a way.
    fn over(&self, way: &mut JoinWay) {
        if !self.chats.is_empty() {
            way.chats.clone_from(&self.chats);
        }
        way.state = self.state.clone().or(way.state.take());
        way.remark = self.remark.clone().or(way.remark.take());
        way.auto_create = self.auto_create.unwrap_or(way.auto_create);
        if self.auto_create == Some(false) {
            // What the groups would have been called goes with them.
            (way.room_name, way.room_number) = (None, None);
        }
        way.room_name = self.room_name.clone().or(way.room_name.take());
        way.room_number = self.room_number.or(way.room_number);
    }
}

pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<()> {
    match &args.command {
        Command::Add { common, fields, scene } => {
            let mut way = JoinWay {
                scene: (*scene).into(),
                remark: None,
                auto_create: true,
                room_name: None,
                room_number: None,
                chats: Vec::new(),
                state: None,
            };
            fields.over(&mut way);
            let body = way.body()?;
            let caller = Caller::open(common, config).await?;
            let mut answer = caller.call("externalcontact/groupchat/add_join_way", &body).await?;
            let config_id = answer["config_id"].as_str().unwrap_or_default().to_owned();
            let mut lines = vec![format!("建好了拉群方式 {config_id}（改和删都要用这个编号，请保存）")];
            // The way itself stands, whatever becomes of asking for its code.
            match show(&caller, &config_id).await {
                Ok(mut shown) => {
                    lines.extend(line("二维码", shown["join_way"]["qr_code"].as_str().unwrap_or_default()));
                    answer["join_way"] = shown["join_way"].take();
                }
                Err(error) => {
                    lines.push(format!("  二维码没有取到：{error:#}；过一会儿用 join-way show 再取"))
                }
            }
            caller.tell(&answer, &lines)
        }
        Command::Show { common, config_id } => {
            let caller = Caller::open(common, config).await?;
            let answer = show(&caller, config_id).await?;
            caller.tell(&answer, &lines(config_id, &answer["join_way"]))
        }
        Command::Update { common, config_id, fields } => {
            let caller = Caller::open(common, config).await?;
            // The interface overwrites all of it.
            let answer = show(&caller, config_id).await?;
            let mut way = JoinWay::read(&answer["join_way"]);
            fields.over(&mut way);
            let body = way.update(config_id)?;
            let answer = caller.call("externalcontact/groupchat/update_join_way", &body).await?;
            caller.tell(&answer, &[format!("改好了拉群方式 {config_id}")])
        }
        Command::Del { common, config_id } => {
            let caller = Caller::open(common, config).await?;
            let body = json!({ "config_id": config_id });
            let answer = caller.call("externalcontact/groupchat/del_join_way", &body).await?;
            caller.tell(&answer, &[format!("删掉了拉群方式 {config_id}")])
        }
    }
}

async fn show(caller: &Caller, config_id: &str) -> anyhow::Result<Value> {
    caller.call("externalcontact/groupchat/get_join_way", &json!({ "config_id": config_id })).await
}

fn lines(config_id: &str, way: &Value) -> Vec<String> {
    let read = JoinWay::read(way);
    let number = read.room_number.map(|number| number.to_string()).unwrap_or_default();
    let mut lines = vec![format!("拉群方式 {config_id}")];
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
        ("客户群", &read.chats.join("、")),
        ("群满后自动建群", if read.auto_create { "是" } else { "否" }),
        ("新群的群名", read.room_name.as_deref().unwrap_or_default()),
        ("新群的起始序号", &number),
        ("二维码地址", way["qr_code"].as_str().unwrap_or_default()),
    ];
    lines.extend(told.into_iter().filter_map(|(what, words)| line(what, words)));
    lines
}
