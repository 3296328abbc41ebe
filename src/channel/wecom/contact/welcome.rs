//! The welcome for who adds a member: one call within twenty seconds, once.

use serde_json::Value;
use serde_json::json;

use crate::knowledge::limits::WELCOME_ATTACHMENTS_MAX;
use crate::knowledge::limits::WELCOME_BYTES_MAX;
use crate::knowledge::profile::WelcomeAttachment;
use crate::secret::Secret;

/// The body of `externalcontact/send_welcome_msg`; `None` where there is nothing to say, which WeCom refuses.
///
/// * `text`: as it was filled in; cut at a character where it is too long.
#[must_use]
pub fn welcome(code: &Secret, text: &str, attachments: &[WelcomeAttachment]) -> Option<Value> {
    let text = text[..text.floor_char_boundary(WELCOME_BYTES_MAX)].trim();
    if text.is_empty() && attachments.is_empty() {
        return None;
    }
    let mut body = json!({ "welcome_code": code.expose() });
    if !text.is_empty() {
        body["text"] = json!({ "content": text });
    }
    if !attachments.is_empty() {
        body["attachments"] = attachments.iter().take(WELCOME_ATTACHMENTS_MAX).map(attachment).collect();
    }
    Some(body)
}

fn attachment(attachment: &WelcomeAttachment) -> Value {
    match attachment {
        WelcomeAttachment::Image { pic_url } => {
            json!({ "msgtype": "image", "image": { "pic_url": pic_url } })
        }
        WelcomeAttachment::Link { title, url, description, picture } => {
            let mut link = json!({ "title": title, "url": url });
            if let Some(picture) = picture {
                link["picurl"] = json!(picture);
            }
            if let Some(description) = description {
                link["desc"] = json!(description);
            }
            json!({ "msgtype": "link", "link": link })
        }
        WelcomeAttachment::Miniprogram { title, pic_media_id, appid, page } => json!({
            "msgtype": "miniprogram",
            "miniprogram": { "title": title, "pic_media_id": pic_media_id, "appid": appid, "page": page },
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_welcome_has_words_or_attachments_and_never_neither() {
        let code = Secret::new("WCODE1");
        assert_eq!(welcome(&code, " \n", &[]), None);
        let words = json!({ "welcome_code": "WCODE1", "text": { "content": "您好" } });
        assert_eq!(welcome(&code, "您好\n", &[]), Some(words));
        let attachments = [
            WelcomeAttachment::Image { pic_url: "https://p.example/1".to_owned() },
            WelcomeAttachment::Link {
                title: "新人券".to_owned(),
                url: "https://a.example".to_owned(),
                description: Some("满减".to_owned()),
                picture: Some("https://p.example/2".to_owned()),
            },
            WelcomeAttachment::Miniprogram {
                title: "商城".to_owned(),
                pic_media_id: "M1".to_owned(),
                appid: "wx1".to_owned(),
                page: "pages/index".to_owned(),
            },
        ];
        let expected = json!({ "welcome_code": "WCODE1", "attachments": [
            { "msgtype": "image", "image": { "pic_url": "https://p.example/1" } },
            { "msgtype": "link", "link": {
                "title": "新人券", "url": "https://a.example", "desc": "满减", "picurl": "https://p.example/2" } },
            { "msgtype": "miniprogram", "miniprogram": {
                "title": "商城", "pic_media_id": "M1", "appid": "wx1", "page": "pages/index" } },
        ] });
        assert_eq!(welcome(&code, "", &attachments), Some(expected));
    }

    #[test]
    fn words_are_cut_between_characters() {
        let body = welcome(&Secret::new("c"), &"好".repeat(2_000), &[]).unwrap();
        assert_eq!(body["text"]["content"].as_str().unwrap().len(), 3_999);
    }
}
