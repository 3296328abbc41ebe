//! `yingda wecom kf`: accounts of 微信客服, who takes their customers, and the links that lead to them.

use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;
use qrcode::QrCode;
use qrcode::render::svg;
use serde_json::Value;
use serde_json::json;

use crate::channel::wecom::account;
use crate::channel::wecom::account::Account;
use crate::channel::wecom::account::Servicer;
use crate::channel::wecom::media;
use crate::cli::wecom::caller::Caller;
use crate::cli::wecom::caller::Common;
use crate::config::Config;
use crate::message::Media;

/// Least width and height of a printed code, in pixels.
const CODE_PIXELS: u32 = 480;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the accounts.
    List {
        #[command(flatten)]
        common: Common,
    },
    /// Make an account.
    Add {
        #[command(flatten)]
        common: Common,
        /// What customers see, at most 16 characters.
        name: String,
        /// Its picture, PNG or JPG.
        #[arg(long)]
        avatar: PathBuf,
    },
    /// Change an account.
    Update {
        #[command(flatten)]
        common: Common,
        open_kfid: String,
        /// What customers see, at most 16 characters.
        #[arg(long, required_unless_present = "avatar")]
        name: Option<String>,
        /// Its picture, PNG or JPG.
        #[arg(long)]
        avatar: Option<PathBuf>,
    },
    /// Delete an account.
    Del {
        #[command(flatten)]
        common: Common,
        open_kfid: String,
    },
    /// List who takes the customers of an account.
    Servicers {
        #[command(flatten)]
        common: Common,
        open_kfid: String,
    },
    /// Let members or departments take the customers of an account.
    ServicerAdd {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        whom: Whom,
    },
    /// Take members or departments off an account.
    ServicerDel {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        whom: Whom,
    },
    /// Make a link to an account, and its code to print.
    Link {
        #[command(flatten)]
        common: Common,
        open_kfid: String,
        /// Where it is put up: letters, figures, `_` and `-`, at most 32. It comes back when a customer enters.
        #[arg(long)]
        scene: Option<String>,
        /// More that comes back, at most 128 bytes once encoded; needs a scene.
        #[arg(long, requires = "scene")]
        param: Option<String>,
        /// Writes the code as SVG.
        #[arg(long, value_name = "FILE")]
        qr: Option<PathBuf>,
    },
}

#[derive(Debug, clap::Args)]
struct Whom {
    open_kfid: String,
    /// UserIDs, at most 100.
    members: Vec<String>,
    /// Number of a department, at most 20 of them.
    #[arg(long = "department", value_name = "NUMBER")]
    departments: Vec<i64>,
}

pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<()> {
    match &args.command {
        Command::List { common } => {
            let caller = Caller::open(common, config).await?;
            list(&caller).await
        }
        Command::Add { common, name, avatar } => {
            let caller = Caller::open(common, config).await?;
            account::account(None, Some(name), None)?;
            let avatar = uploaded(&caller, avatar).await?;
            let body = account::account(None, Some(name), Some(&avatar))?;
            let answer = caller.call("kf/account/add", &body).await?;
            let id = answer["open_kfid"].as_str().unwrap_or_default();
            let advice = format!("写进 bot.toml 的 [wecom.{}]：kf = [\"{id}\"]", common.app());
            caller.tell(&answer, &[format!("客服账号：{id}"), advice])
        }
        Command::Update { common, open_kfid, name, avatar } => {
            let caller = Caller::open(common, config).await?;
            account::account(Some(open_kfid), name.as_deref(), None)?;
            let avatar = match avatar {
                Some(avatar) => Some(uploaded(&caller, avatar).await?),
                None => None,
            };
            let body = account::account(Some(open_kfid), name.as_deref(), avatar.as_deref())?;
            let answer = caller.call("kf/account/update", &body).await?;
            caller.tell(&answer, &["已更新".to_owned()])
        }
        Command::Del { common, open_kfid } => {
            let caller = Caller::open(common, config).await?;
            let answer = caller.call("kf/account/del", &json!({ "open_kfid": open_kfid })).await?;
            caller.tell(&answer, &["已删除".to_owned()])
        }
        Command::Servicers { common, open_kfid } => {
            let caller = Caller::open(common, config).await?;
            let answer = caller.fetch("kf/servicer/list", &[("open_kfid", open_kfid)]).await?;
            let lines: Vec<String> = account::servicers(&answer).iter().map(servicer).collect();
            caller.tell(&answer, &lines)
        }
        Command::ServicerAdd { common, whom } => change(common, whom, "kf/servicer/add", config).await,
        Command::ServicerDel { common, whom } => change(common, whom, "kf/servicer/del", config).await,
        Command::Link { common, open_kfid, scene, param, qr } => {
            let caller = Caller::open(common, config).await?;
            let body = account::contact_way(open_kfid, scene.as_deref())?;
            let mut answer = caller.call("kf/add_contact_way", &body).await?;
            let link = account::link(&answer, param.as_deref())?;
            answer["url"] = json!(link);
            let mut lines = vec![link.clone()];
            if let Some(file) = qr {
                let code = QrCode::new(&link).context("链接太长，二维码放不下")?;
                let drawn = code.render::<svg::Color<'_>>().min_dimensions(CODE_PIXELS, CODE_PIXELS).build();
                std::fs::write(file, drawn).with_context(|| format!("writing {}", file.display()))?;
                lines.push(format!("二维码：{}", file.display()));
            }
            caller.tell(&answer, &lines)
        }
    }
}

async fn list(caller: &Caller) -> anyhow::Result<()> {
    let mut found: Vec<Account> = Vec::new();
    loop {
        let body = json!({ "offset": found.len(), "limit": account::PAGE });
        let page = account::accounts(&caller.call("kf/account/list", &body).await?);
        let is_last = page.len() < account::PAGE;
        found.extend(page);
        if is_last {
            break;
        }
    }
    let listed = |one: &Account| {
        let managed = if one.is_managed {
            ""
        } else {
            "（没有授权给这个应用：微信客服 → API → 可调用接口的应用）"
        };
        format!("{}\t{}{managed}", one.open_kfid, one.name)
    };
    let rows = found.iter().map(
        |one| json!({ "open_kfid": one.open_kfid, "name": one.name, "manage_privilege": one.is_managed }),
    );
    let answer = json!({ "account_list": rows.collect::<Vec<Value>>() });
    caller.tell(&answer, &found.iter().map(listed).collect::<Vec<_>>())
}

async fn change(common: &Common, whom: &Whom, path: &str, config: &Config) -> anyhow::Result<()> {
    let body = account::servicing(&whom.open_kfid, &whom.members, &whom.departments)?;
    let caller = Caller::open(common, config).await?;
    let answer = caller.call(path, &body).await?;
    let result = |(whom, code, words): (String, i64, String)| match code {
        0 if words == "ignored" => format!("{whom}\t本来就是"),
        0 => format!("{whom}\t好"),
        60030 => format!("{whom}\t不在应用的可见范围里（60030）"),
        code => format!("{whom}\t没有办成（{code} {words}）"),
    };
    caller.tell(&answer, &account::results(&answer).into_iter().map(result).collect::<Vec<_>>())
}

fn servicer(servicer: &Servicer) -> String {
    match servicer {
        Servicer::Member { userid, is_on_duty: true } => format!("{userid}\t接待中"),
        Servicer::Member { userid, is_on_duty: false } => format!("{userid}\t停止接待"),
        Servicer::Department(id) => format!("部门 {id}"),
    }
}

/// Hands WeCom a picture of an account.
async fn uploaded(caller: &Caller, picture: &std::path::Path) -> anyhow::Result<String> {
    let bytes = std::fs::read(picture).with_context(|| format!("reading {}", picture.display()))?;
    media::check(Media::Image, &bytes).with_context(|| picture.display().to_string())?;
    let name = picture.file_name().unwrap_or_default().to_string_lossy();
    caller.upload(Media::Image, &name, &bytes).await
}
