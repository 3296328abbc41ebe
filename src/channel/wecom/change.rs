//! What a `change_*` event says has changed: the address book, customers, customer groups, customer tags.
//!
//! Sources, WeCom developer centre: 事件格式 (path 90240) and 客户联系 (92130). Text fields are empty where the sender
//! left them out; an `Option` marks what is often absent.

use crate::channel::wecom::xml::Element;
use crate::channel::wecom::xml::texts;
use crate::secret::Secret;

/// What changed in the address book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContactChange {
    /// A member was added.
    CreateUser {
        /// UserID of the member.
        user_id: String,
    },
    /// A member's entry was changed.
    UpdateUser {
        /// UserID before the change.
        user_id: String,
        /// UserID after it, where it changed.
        new_user_id: Option<String>,
    },
    /// A member was removed.
    DeleteUser {
        /// UserID of the member.
        user_id: String,
    },
    /// A department was added.
    CreateParty(Party),
    /// A department was renamed or moved.
    UpdateParty(Party),
    /// A department was removed.
    DeleteParty(Party),
    /// A tag of members was put on or taken off.
    UpdateTag {
        /// Id of the tag.
        tag_id: Option<u64>,
    },
}

/// A department of the company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// Id of the department.
    pub id: Option<u64>,
    /// Its name, where the event tells it.
    pub name: Option<String>,
    /// The department above, where the event tells it.
    pub parent_id: Option<u64>,
}

/// What changed between a member and a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalContactChange {
    /// UserID of the member; on `TransferFail` the one who should have taken over.
    pub user_id: String,
    /// The customer.
    pub external_user_id: String,
    /// What happened.
    pub kind: ExternalContactChangeKind,
}

/// What happened between a member and a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExternalContactChangeKind {
    /// The customer was added.
    Add {
        /// The channel through which the customer came, where it was one of ours.
        state: Option<String>,
        /// Lets us send one welcome, where none was sent yet.
        welcome_code: Option<Secret>,
        /// True while the member has not confirmed yet (`add_half_external_contact`).
        half: bool,
    },
    /// The member changed the remark, the number or the tags of the customer.
    Edit,
    /// The member deleted the customer.
    DeletedByMember {
        /// `DELETE_BY_TRANSFER` when a transfer did it.
        source: Option<String>,
    },
    /// The customer deleted the member.
    DeletedByCustomer,
    /// The customer was not handed over.
    TransferFail {
        /// `customer_refused` or `customer_limit_exceed`.
        reason: String,
    },
    /// The customer agreed to the archiving of the chat.
    MessageAuditApproved {
        /// Lets us send one welcome, where none was sent yet.
        welcome_code: Option<Secret>,
    },
}

/// What changed in a customer group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalChatChange {
    /// The group.
    pub chat_id: String,
    /// What happened.
    pub kind: ExternalChatChangeKind,
}

/// What happened to a customer group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExternalChatChangeKind {
    /// It was made.
    Create,
    /// It changed in one respect.
    Update {
        /// `add_member`, `del_member`, `change_owner`, `change_name` or `change_notice`.
        detail: String,
        /// 0 invited, 3 by the group's code.
        join_scene: Option<u32>,
        /// 0 left, 1 removed.
        quit_scene: Option<u32>,
        /// How many members came or went, as the sender counts.
        members_changed: Option<u32>,
        /// Who came or went.
        member_ids: Vec<String>,
        /// Version before the change: trust `member_ids` only if it is the one we stored.
        last_version: Option<String>,
        /// Version after the change.
        current_version: Option<String>,
    },
    /// It was dissolved.
    Dismiss,
}

/// What changed among the company's customer tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalTagChange {
    /// The tag or the group of tags.
    pub id: String,
    /// `tag` or `tag_group`.
    pub tag_type: String,
    /// The rule group that the tag belongs to, where there is one.
    pub strategy_id: Option<u64>,
    /// What happened.
    pub kind: ExternalTagChangeKind,
}

/// What happened to a customer tag; deleting a group tells nothing of its tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExternalTagChangeKind {
    /// It was made.
    Create,
    /// It was renamed.
    Update,
    /// It was deleted.
    Delete,
    /// The order changed.
    Shuffle,
}

/// Reads a change of the address book; `None` for a kind that we do not know.
pub(crate) fn contact(root: &Element) -> Option<ContactChange> {
    let user_id = root.text("UserID");
    let party =
        || Party { id: root.number("Id"), name: root.optional("Name"), parent_id: root.number("ParentId") };
    let change = match root.text("ChangeType").as_str() {
        "create_user" => ContactChange::CreateUser { user_id },
        "update_user" => ContactChange::UpdateUser { user_id, new_user_id: root.optional("NewUserID") },
        "delete_user" => ContactChange::DeleteUser { user_id },
        "create_party" => ContactChange::CreateParty(party()),
        "update_party" => ContactChange::UpdateParty(party()),
        "delete_party" => ContactChange::DeleteParty(party()),
        "update_tag" => ContactChange::UpdateTag { tag_id: root.number("TagId") },
        _ => return None,
    };
    Some(change)
}

/// Reads a change between a member and a customer; `None` for a kind that we do not know.
pub(crate) fn external_contact(root: &Element) -> Option<ExternalContactChange> {
    let welcome_code = || root.optional("WelcomeCode").map(Secret::new);
    let add = |half| ExternalContactChangeKind::Add {
        state: root.optional("State"),
        welcome_code: welcome_code(),
        half,
    };
    let kind = match root.text("ChangeType").as_str() {
        "add_external_contact" => add(false),
        "add_half_external_contact" => add(true),
        "edit_external_contact" => ExternalContactChangeKind::Edit,
        "del_external_contact" => {
            ExternalContactChangeKind::DeletedByMember { source: root.optional("Source") }
        }
        "del_follow_user" => ExternalContactChangeKind::DeletedByCustomer,
        "transfer_fail" => ExternalContactChangeKind::TransferFail { reason: root.text("FailReason") },
        "msg_audit_approved" => {
            ExternalContactChangeKind::MessageAuditApproved { welcome_code: welcome_code() }
        }
        _ => return None,
    };
    Some(ExternalContactChange {
        user_id: root.text("UserID"),
        external_user_id: root.text("ExternalUserID"),
        kind,
    })
}

/// Reads a change of a customer group; `None` for a kind that we do not know.
pub(crate) fn external_chat(root: &Element) -> Option<ExternalChatChange> {
    let kind = match root.text("ChangeType").as_str() {
        "create" => ExternalChatChangeKind::Create,
        "update" => ExternalChatChangeKind::Update {
            detail: root.text("UpdateDetail"),
            join_scene: root.number("JoinScene"),
            quit_scene: root.number("QuitScene"),
            members_changed: root.number("MemChangeCnt"),
            member_ids: root
                .child("MemChangeList")
                .map(|list| texts(list.children("Item")))
                .unwrap_or_default(),
            last_version: root.optional("LastMemVer"),
            current_version: root.optional("CurMemVer"),
        },
        "dismiss" => ExternalChatChangeKind::Dismiss,
        _ => return None,
    };
    Some(ExternalChatChange { chat_id: root.text("ChatId"), kind })
}

/// Reads a change of the customer tags; `None` for a kind that we do not know.
pub(crate) fn external_tag(root: &Element) -> Option<ExternalTagChange> {
    let kind = match root.text("ChangeType").as_str() {
        "create" => ExternalTagChangeKind::Create,
        "update" => ExternalTagChangeKind::Update,
        "delete" => ExternalTagChangeKind::Delete,
        "shuffle" => ExternalTagChangeKind::Shuffle,
        _ => return None,
    };
    Some(ExternalTagChange {
        id: root.text("Id"),
        tag_type: root.text("TagType"),
        strategy_id: root.number("StrategyId"),
        kind,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check<T: std::fmt::Debug + PartialEq>(
        read: fn(&Element) -> Option<T>,
        change_type: &str,
        fields: &str,
        expected: Option<T>,
    ) {
        let document = format!("<xml><ChangeType>{change_type}</ChangeType>{fields}</xml>");
        let root = Element::parse(&document).expect("sound XML");
        assert_eq!(read(&root), expected, "{document}");
    }

    #[test]
    fn changes_of_the_address_book() {
        let user_id = "u1".to_owned();
        let party = |name: Option<&str>| Party {
            id: Some(2),
            name: name.map(str::to_owned),
            parent_id: name.map(|_| 1),
        };
        let cases = [
            ("create_user", "<UserID>u1</UserID>", ContactChange::CreateUser { user_id: user_id.clone() }),
            (
                "update_user",
                "<UserID>u1</UserID><NewUserID>u2</NewUserID>",
                ContactChange::UpdateUser { user_id: user_id.clone(), new_user_id: Some("u2".to_owned()) },
            ),
            ("delete_user", "<UserID>u1</UserID>", ContactChange::DeleteUser { user_id }),
            (
                "create_party",
                "<Id>2</Id><Name>客服</Name><ParentId>1</ParentId>",
                ContactChange::CreateParty(party(Some("客服"))),
            ),
            ("update_party", "<Id>2</Id>", ContactChange::UpdateParty(party(None))),
            ("delete_party", "<Id>2</Id>", ContactChange::DeleteParty(party(None))),
            ("update_tag", "<TagId>7</TagId>", ContactChange::UpdateTag { tag_id: Some(7) }),
        ];
        for (change_type, fields, change) in cases {
            check(contact, change_type, fields, Some(change));
        }
    }

    #[test]
    fn changes_between_customers_and_members() {
        use ExternalContactChangeKind as Kind;

        let state = Some("poster_07".to_owned());
        let welcome_code = Some(Secret::new("WCODE1"));
        let cases = [
            (
                "add_external_contact",
                "<State>poster_07</State><WelcomeCode>WCODE1</WelcomeCode>",
                Kind::Add { state: state.clone(), welcome_code: welcome_code.clone(), half: false },
            ),
            ("add_half_external_contact", "", Kind::Add { state: None, welcome_code: None, half: true }),
            ("edit_external_contact", "", Kind::Edit),
            (
                "del_external_contact",
                "<Source>DELETE_BY_TRANSFER</Source>",
                Kind::DeletedByMember { source: Some("DELETE_BY_TRANSFER".to_owned()) },
            ),
            ("del_follow_user", "", Kind::DeletedByCustomer),
            (
                "transfer_fail",
                "<FailReason>customer_refused</FailReason>",
                Kind::TransferFail { reason: "customer_refused".to_owned() },
            ),
            (
                "msg_audit_approved",
                "<WelcomeCode>WCODE1</WelcomeCode>",
                Kind::MessageAuditApproved { welcome_code },
            ),
        ];
        for (change_type, fields, kind) in cases {
            let change =
                ExternalContactChange { user_id: "u1".to_owned(), external_user_id: "wm1".to_owned(), kind };
            let fields = format!("<UserID>u1</UserID><ExternalUserID>wm1</ExternalUserID>{fields}");
            check(external_contact, change_type, &fields, Some(change));
        }
    }

    #[test]
    fn changes_of_groups() {
        let update = ExternalChatChangeKind::Update {
            detail: "add_member".to_owned(),
            join_scene: Some(3),
            quit_scene: None,
            members_changed: Some(2),
            member_ids: vec!["wm1".to_owned(), "wm2".to_owned()],
            last_version: Some("v1".to_owned()),
            current_version: Some("v2".to_owned()),
        };
        let fields = "<UpdateDetail>add_member</UpdateDetail><JoinScene>3</JoinScene><MemChangeCnt>2</MemChangeCnt><MemChangeList><Item>wm1</Item><Item>wm2</Item></MemChangeList><LastMemVer>v1</LastMemVer><CurMemVer>v2</CurMemVer>";
        let chats = [
            ("create", "", ExternalChatChangeKind::Create),
            ("update", fields, update),
            ("dismiss", "", ExternalChatChangeKind::Dismiss),
        ];
        for (change_type, fields, kind) in chats {
            let change = ExternalChatChange { chat_id: "wr1".to_owned(), kind };
            let fields = format!("<ChatId>wr1</ChatId>{fields}");
            check(external_chat, change_type, &fields, Some(change));
        }
    }

    #[test]
    fn changes_of_tags() {
        use ExternalTagChangeKind as Kind;

        for (change_type, kind) in [
            ("create", Kind::Create),
            ("update", Kind::Update),
            ("delete", Kind::Delete),
            ("shuffle", Kind::Shuffle),
        ] {
            let change = ExternalTagChange {
                id: "et1".to_owned(),
                tag_type: "tag".to_owned(),
                strategy_id: Some(4),
                kind,
            };
            let fields = "<Id>et1</Id><TagType>tag</TagType><StrategyId>4</StrategyId>";
            check(external_tag, change_type, fields, Some(change));
        }
    }

    #[test]
    fn unknown_changes_are_none() {
        check(contact, "brand_new", "", None);
        check(external_contact, "brand_new", "", None);
        check(external_chat, "brand_new", "", None);
        check(external_tag, "", "", None);
    }
}
