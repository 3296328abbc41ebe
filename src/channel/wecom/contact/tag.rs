//! The company's list of customer tags, and tags on customers.

use std::collections::BTreeSet;

use serde_json::Value;
use serde_json::json;

use crate::channel::wecom::contact::LimitError;
use crate::channel::wecom::contact::customer::text;
use crate::channel::wecom::contact::limit;

/// A group of tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagGroup {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its tags.
    pub tags: Vec<CorpTag>,
}

/// A tag of the company's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorpTag {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// Reads the groups of `externalcontact/get_corp_tag_list`; what was deleted is left out.
#[must_use]
pub fn tag_groups(answer: &Value) -> Vec<TagGroup> {
    let lives = |value: &&Value| value["deleted"].as_bool() != Some(true);
    let items = |value: &'_ Value| value.as_array().cloned().unwrap_or_default();
    let tag = |tag: &Value| Some(CorpTag { id: text(&tag["id"])?, name: text(&tag["name"])? });
    let groups = items(&answer["tag_group"]);
    let group = |group: &Value| {
        Some(TagGroup {
            id: text(&group["group_id"])?,
            name: text(&group["group_name"])?,
            tags: items(&group["tag"]).iter().filter(lives).filter_map(tag).collect(),
        })
    };
    groups.iter().filter(lives).filter_map(group).collect()
}

/// Tags to add to the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewTags {
    /// Id of the group; takes precedence over its name.
    pub group_id: Option<String>,
    /// Name of the group, 1 to 30 characters; it is made where there is none.
    pub group_name: Option<String>,
    /// Names, 1 to 30 characters each.
    pub names: Vec<String>,
}

impl NewTags {
    /// The body of `externalcontact/add_corp_tag`.
    ///
    /// # Errors
    /// See [`LimitError`].
    pub fn body(&self) -> Result<Value, LimitError> {
        limit::items("标签", self.names.len(), 1, 10_000)?;
        for name in &self.names {
            limit::chars("标签名", name, 1, 30)?;
        }
        let distinct: BTreeSet<&String> = self.names.iter().collect();
        if distinct.len() != self.names.len() {
            return Err(LimitError::Together("标签名写重复了：同一次里重名的标签会合成一个"));
        }
        let tags: Vec<Value> = self.names.iter().map(|name| json!({ "name": name })).collect();
        let mut body = json!({ "tag": tags });
        match (&self.group_id, &self.group_name) {
            (Some(id), _) => {
                limit::id("标签组的 id ", id)?;
                body["group_id"] = json!(id);
            }
            (None, Some(name)) => {
                limit::chars("标签组名", name, 1, 30)?;
                body["group_name"] = json!(name);
            }
            (None, None) => return Err(LimitError::Together("要写标签组：--group 组名，或者 --group-id")),
        }
        Ok(body)
    }
}

/// The body of `externalcontact/edit_corp_tag`, for a tag or a group.
///
/// # Errors
/// See [`LimitError`].
pub fn renaming(id: &str, name: &str) -> Result<Value, LimitError> {
    limit::id("标签的 id ", id)?;
    limit::chars("标签名", name, 1, 30)?;
    Ok(json!({ "id": id, "name": name }))
}

/// The body of `externalcontact/del_corp_tag`.
///
/// # Errors
/// See [`LimitError`].
pub fn deletion(tag_ids: &[String], group_ids: &[String]) -> Result<Value, LimitError> {
    if tag_ids.is_empty() && group_ids.is_empty() {
        return Err(LimitError::Together("要写删哪些标签或者标签组"));
    }
    for id in tag_ids.iter().chain(group_ids) {
        limit::id("标签的 id ", id)?;
    }
    let mut body = json!({});
    if !tag_ids.is_empty() {
        body["tag_id"] = json!(tag_ids);
    }
    if !group_ids.is_empty() {
        body["group_id"] = json!(group_ids);
    }
    Ok(body)
}

/// Tags to put on a customer of a member's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark<'m> {
    /// UserID of a member who follows the customer.
    pub user_id: &'m str,
    /// The customer.
    pub external_user_id: &'m str,
    /// Ids of the tags.
    pub added: &'m [String],
}

impl Mark<'_> {
    /// The body of `externalcontact/mark_tag`.
    #[must_use]
    pub fn body(&self) -> Value {
        json!({
            "userid": self.user_id, "external_userid": self.external_user_id,
            "add_tag": self.added, "remove_tag": [],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_read_without_what_was_deleted() {
        let answer = json!({ "errcode": 0, "tag_group": [
            { "group_id": "eg1", "group_name": "等级", "create_time": 1, "order": 1, "tag": [
                { "id": "et1", "name": "重要", "create_time": 1, "order": 1 },
                { "id": "et2", "name": "一般", "deleted": true } ] },
            { "group_id": "eg2", "group_name": "旧的", "deleted": true, "tag": [] },
        ] });
        let tags = vec![CorpTag { id: "et1".to_owned(), name: "重要".to_owned() }];
        let group = TagGroup { id: "eg1".to_owned(), name: "等级".to_owned(), tags };
        assert_eq!(tag_groups(&answer), [group]);
        assert_eq!(tag_groups(&json!({})), []);
    }

    #[test]
    fn names_of_tags_have_their_limits() {
        let tags = |names: &[&str]| NewTags {
            group_name: Some("等级".to_owned()),
            names: names.iter().map(|&name| name.to_owned()).collect(),
            ..NewTags::default()
        };
        let expected = json!({ "group_name": "等级", "tag": [{ "name": "重要" }, { "name": "一般" }] });
        assert_eq!(tags(&["重要", "一般"]).body(), Ok(expected));
        assert!(tags(&[]).body().is_err() && tags(&["重要", "重要"]).body().is_err());
        assert!(tags(&[&"长".repeat(30)]).body().is_ok() && tags(&[&"长".repeat(31)]).body().is_err());
        let by_id = NewTags { group_id: Some("eg1".to_owned()), ..tags(&["重要"]) };
        assert_eq!(by_id.body(), Ok(json!({ "group_id": "eg1", "tag": [{ "name": "重要" }] })));
        assert!(NewTags { group_name: None, ..tags(&["重要"]) }.body().is_err());
    }

    #[test]
    fn tags_are_renamed_deleted_and_marked_by_their_ids() {
        assert_eq!(renaming("et1", "大客户"), Ok(json!({ "id": "et1", "name": "大客户" })));
        assert!(renaming("", "大客户").is_err() && renaming("et1", "").is_err());
        assert_eq!(deletion(&["et1".to_owned()], &[]), Ok(json!({ "tag_id": ["et1"] })));
        assert!(deletion(&[], &[]).is_err());
        let mark = Mark { user_id: "user01", external_user_id: "wm1", added: &["et1".to_owned()] };
        let expected =
            json!({ "userid": "user01", "external_userid": "wm1", "add_tag": ["et1"], "remove_tag": [] });
        assert_eq!(mark.body(), expected);
    }
}
