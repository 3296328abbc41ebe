//! `yingda wecom transfer`: customers who are handed from one member to another.

use clap::Subcommand;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;
use serde_json::json;

use crate::channel::wecom::contact;
use crate::channel::wecom::contact::Transfer;
use crate::channel::wecom::contact::Transferred;
use crate::cli::wecom::caller::Caller;
use crate::cli::wecom::caller::Common;
use crate::config::Config;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Begin to hand customers over. It takes effect after 24 hours, unless the customer refuses.
    Start {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        members: Members,
        /// What the customers are told, at most 200 characters.
        #[arg(long)]
        message: Option<String>,
        /// The external_userids, at most 100.
        customers: Vec<String>,
    },
    /// Show what became of it.
    Result {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        members: Members,
    },
}

#[derive(Debug, clap::Args)]
struct Members {
    /// UserID of who has the customers.
    #[arg(long)]
    from: String,
    /// UserID of who gets them.
    #[arg(long)]
    to: String,
    /// The member who has them has left the company.
    #[arg(long)]
    resigned: bool,
}

pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<()> {
    match &args.command {
        Command::Start { common, members, message, customers } => {
            let transfer = Transfer {
                from: members.from.clone(),
                to: members.to.clone(),
                customers: customers.clone(),
                message: message.clone(),
                resigned: members.resigned,
            };
            let (path, body) = transfer.call()?;
            let caller = Caller::open(common, config).await?;
            let answer = caller.call(path, &body).await?;
            let lines: Vec<String> = contact::transferred(&answer, "errcode").iter().map(begun).collect();
            caller.tell(&answer, &lines)
        }
        Command::Result { common, members } => {
            let caller = Caller::open(common, config).await?;
            let customers = results(&caller, members).await?;
            let answer = json!({ "customer": customers });
            let mut lines: Vec<String> = contact::transferred(&answer, "status").iter().map(fate).collect();
            if lines.is_empty() {
                lines.push("没有转接记录".to_owned());
            }
            caller.tell(&answer, &lines)
        }
    }
}

/// All pages of the results.
async fn results(caller: &Caller, members: &Members) -> anyhow::Result<Vec<Value>> {
    let path = if members.resigned {
        "externalcontact/resigned/transfer_result"
    } else {
        "externalcontact/transfer_result"
    };
    let body = json!({ "handover_userid": members.from, "takeover_userid": members.to });
    caller.pages(path, body, "customer").await
}

fn begun(customer: &Transferred) -> String {
    let id = &customer.external_user_id;
    match (customer.code, contact::advice(customer.code)) {
        (0, _) => format!("{id}：开始转接，24 小时后生效，客户可以拒绝"),
        (code, Some(advice)) => {
            format!("{id}：{}（errcode {code}）。怎么办：{}", advice.meaning, advice.remedy)
        }
        (code, None) => format!("{id}：没有转成（errcode {code}）"),
    }
}

fn fate(customer: &Transferred) -> String {
    let taken = Timestamp::from_second(customer.taken_at).ok().filter(|_| customer.taken_at > 0);
    let taken = taken.map(|at| at.to_zoned(TimeZone::system()).strftime("（%Y-%m-%d %H:%M）").to_string());
    format!("{}：{}{}", customer.external_user_id, contact::fate(customer.code), taken.unwrap_or_default())
}
