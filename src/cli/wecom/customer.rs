//! `yingda wecom customer`: what WeCom knows of a customer, and what a member notes about them.

use clap::Subcommand;

use crate::channel::wecom::contact;
use crate::channel::wecom::contact::Details;
use crate::channel::wecom::contact::Remark;
use crate::cli::wecom::caller::Caller;
use crate::cli::wecom::caller::Common;
use crate::cli::wecom::caller::line;
use crate::config::Config;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show a customer, with the members who follow them, remarks, tags, and where they came from.
    Show {
        #[command(flatten)]
        common: Common,
        /// The external_userid.
        external_id: String,
    },
    /// Change what a member notes about a customer; what is not named stays.
    Remark {
        #[command(flatten)]
        common: Common,
        /// The external_userid.
        external_id: String,
        /// UserID of the member, who must follow the customer.
        #[arg(long)]
        user: String,
        /// What to call the customer, at most 20 characters.
        #[arg(long)]
        remark: Option<String>,
        /// Notes, at most 150 characters.
        #[arg(long)]
        description: Option<String>,
        /// What to call the company, at most 20 characters; for customers on WeChat only.
        #[arg(long)]
        company: Option<String>,
        /// A telephone number; several times for several. They take the place of all that were there.
        #[arg(long = "mobile", value_name = "NUMBER", conflicts_with = "no_mobiles")]
        mobiles: Vec<String>,
        /// Take all telephone numbers away.
        #[arg(long)]
        no_mobiles: bool,
    },
}

pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<()> {
    match &args.command {
        Command::Show { common, external_id } => {
            let caller = Caller::open(common, config).await?;
            let query = [("external_userid", external_id.as_str())];
            let answer = caller.fetch("externalcontact/get", &query).await?;
            let lines = Details::read(&answer).map(|details| lines(external_id, &details));
            caller.tell(&answer, &lines.unwrap_or_default())
        }
        Command::Remark { common, external_id, user, remark, description, company, mobiles, no_mobiles } => {
            let remark = Remark {
                user_id: user.clone(),
                external_user_id: external_id.clone(),
                remark: remark.clone(),
                description: description.clone(),
                company: company.clone(),
                mobiles: (*no_mobiles || !mobiles.is_empty()).then(|| mobiles.clone()),
            };
            let body = remark.body()?;
            let caller = Caller::open(common, config).await?;
            let answer = caller.call("externalcontact/remark", &body).await?;
            caller.tell(&answer, &[format!("改好了 {user} 对 {external_id} 的备注")])
        }
    }
}

fn lines(external_id: &str, details: &Details) -> Vec<String> {
    let name = details.name.as_deref().unwrap_or("没有名字");
    let kind = if details.uses_wecom { "企业微信用户" } else { "微信用户" };
    let mut lines = vec![format!("{name}（{external_id}，{kind}）")];
    lines.extend(line("公司", details.company.as_deref().unwrap_or_default()));
    for follower in &details.followers {
        let tags: Vec<String> = follower
            .tags
            .iter()
            .map(|tag| match &tag.group {
                Some(group) => format!("{group}/{}", tag.name),
                None => tag.name.clone(),
            })
            .collect();
        lines.push(format!("跟进人 {}", follower.user_id));
        let told = [
            ("来源", contact::add_way(follower.add_way)),
            ("渠道 state", follower.state.as_deref().unwrap_or_default()),
            ("备注", follower.remark.as_deref().unwrap_or_default()),
            ("描述", follower.description.as_deref().unwrap_or_default()),
            ("备注的公司", follower.company.as_deref().unwrap_or_default()),
            ("手机号", &follower.mobiles.join("、")),
            ("标签", &tags.join("、")),
        ];
        lines.extend(told.into_iter().filter_map(|(what, words)| line(what, words)));
    }
    lines
}
