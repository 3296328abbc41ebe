//! `yingda wecom tag`: the company's list of customer tags.

use clap::Subcommand;
use serde_json::json;

use crate::channel::wecom::contact;
use crate::channel::wecom::contact::NewTags;
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
    /// List all groups with their tags.
    List {
        #[command(flatten)]
        common: Common,
    },
    /// Add tags to a group, which is made where there is none of that name.
    Add {
        #[command(flatten)]
        common: Common,
        /// Name of the group, at most 30 characters.
        #[arg(long)]
        group: Option<String>,
        /// Id of the group, in place of its name.
        #[arg(long, conflicts_with = "group")]
        group_id: Option<String>,
        /// Names of the tags, at most 30 characters each.
        names: Vec<String>,
    },
    /// Rename a tag or a group. Only the app that made it may.
    Rename {
        #[command(flatten)]
        common: Common,
        /// Id of the tag or the group.
        id: String,
        /// The new name, at most 30 characters.
        name: String,
    },
    /// Delete tags or groups. Only the app that made them may.
    Del {
        #[command(flatten)]
        common: Common,
        /// Id of a tag; several times for several.
        #[arg(long = "tag", value_name = "ID")]
        tags: Vec<String>,
        /// Id of a group; several times for several.
        #[arg(long = "group", value_name = "ID")]
        groups: Vec<String>,
    },
}

pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<()> {
    match &args.command {
        Command::List { common } => {
            let caller = Caller::open(common, config).await?;
            let answer = caller.call("externalcontact/get_corp_tag_list", &json!({})).await?;
            let mut lines = Vec::new();
            for group in contact::tag_groups(&answer) {
                lines.push(format!("{}（{}）", group.name, group.id));
                lines.extend(group.tags.iter().map(|tag| format!("  {}（{}）", tag.name, tag.id)));
            }
            if lines.is_empty() {
                lines.push("还没有企业标签".to_owned());
            }
            caller.tell(&answer, &lines)
        }
        Command::Add { common, group, group_id, names } => {
            let tags =
                NewTags { group_id: group_id.clone(), group_name: group.clone(), names: names.clone() };
            let body = tags.body()?;
            let caller = Caller::open(common, config).await?;
            let answer = caller.call("externalcontact/add_corp_tag", &body).await?;
            // The answer has the one group in the form of the list.
            let groups = contact::tag_groups(&json!({ "tag_group": [answer["tag_group"]] }));
            let mut lines = Vec::new();
            for group in &groups {
                lines.push(format!("加进了标签组 {}（{}）", group.name, group.id));
                lines.extend(group.tags.iter().map(|tag| format!("  {}（{}）", tag.name, tag.id)));
            }
            caller.tell(&answer, &lines)
        }
        Command::Rename { common, id, name } => {
            let body = contact::renaming(id, name)?;
            let caller = Caller::open(common, config).await?;
            let answer = caller.call("externalcontact/edit_corp_tag", &body).await?;
            caller.tags_changed(config).await?;
            caller.tell(&answer, &[format!("{id} 改名为“{name}”")])
        }
        Command::Del { common, tags, groups } => {
            let body = contact::deletion(tags, groups)?;
            let caller = Caller::open(common, config).await?;
            let answer = caller.call("externalcontact/del_corp_tag", &body).await?;
            caller.tags_changed(config).await?;
            let told = format!("删掉了 {} 个标签、{} 个标签组", tags.len(), groups.len());
            caller.tell(&answer, &[told])
        }
    }
}
