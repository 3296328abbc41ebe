//! Words for people outside of the inbox: that somebody waits, and where; never what was said, nor who the customer is.

use minijinja::context;

use crate::knowledge::Knowledge;
use crate::knowledge::notify::EventKind;
use crate::reply::template::TemplateError;
use crate::reply::template::render;

/// The built-in words: a template.
pub const BUILT_IN: &str = "【{{ bot.title }}】{{ title }}：会话 {{ conversation_id }}，客户 {{ customer_id }}\
     {% if group %}，{{ group }}{% endif %}{% if wait_minutes %}，已等 {{ wait_minutes }} 分钟{% endif %}。";

/// What a notice may refer to.
#[derive(Clone, Copy, Debug)]
pub struct Notice<'n> {
    /// The bot of the talk.
    pub known: &'n Knowledge,
    /// What happened.
    pub kind: EventKind,
    /// Id of the group that it concerns.
    pub group: Option<&'n str>,
    /// The customer's id, masked.
    pub customer_id: &'n str,
    /// The conversation.
    pub conversation_id: i64,
    /// Whole minutes that the customer has waited for a human; 0 where they do not.
    pub wait_minutes: i64,
}

/// Fills a template in: `bot.name`, `bot.title`, `kind`, `title`, `group`, `customer_id`, `conversation_id`,
/// `wait_minutes`.
///
/// # Errors
/// As for the templates of replies.
pub fn words(template: &str, notice: &Notice<'_>) -> Result<String, TemplateError> {
    let profile = &notice.known.profile;
    let group = notice.group.unwrap_or_default();
    // A group that was renamed since is told by its id.
    let group = profile.handoff.groups.get(group).map_or(group, String::as_str);
    render(template, || {
        context! {
            bot => context! { name => &profile.name, title => &profile.title },
            kind => notice.kind.as_str(),
            title => notice.kind.title(),
            group,
            customer_id => notice.customer_id,
            conversation_id => notice.conversation_id,
            wait_minutes => notice.wait_minutes,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::sample::shop;

    #[test]
    fn the_built_in_words_tell_what_is_known() {
        let known = shop();
        let notice = Notice {
            known: &known,
            kind: EventKind::Overdue,
            group: Some("service"),
            customer_id: "****7890",
            conversation_id: 12,
            wait_minutes: 5,
        };
        assert_eq!(
            words(BUILT_IN, &notice).unwrap(),
            "【云朵小铺】客户等了很久还没人接待：会话 12，客户 ****7890，客服组，已等 5 分钟。"
        );
        let bare = Notice { kind: EventKind::Closed, group: None, wait_minutes: 0, ..notice };
        assert_eq!(words(BUILT_IN, &bare).unwrap(), "【云朵小铺】会话已结束：会话 12，客户 ****7890。");
        let renamed = Notice { group: Some("old"), ..notice };
        assert_eq!(words("{{ kind }} {{ group }} {{ bot.name }}", &renamed).unwrap(), "overdue old 小应");
    }

    #[test]
    fn what_no_notice_has_is_an_error() {
        let known = shop();
        let notice = Notice {
            known: &known,
            kind: EventKind::Waiting,
            group: None,
            customer_id: "****",
            conversation_id: 1,
            wait_minutes: 0,
        };
        for template in ["{{ customer.name }}", "{{ text }}", "{{ title", "{{ hours }}"] {
            assert!(words(template, &notice).is_err(), "{template}");
        }
    }
}
