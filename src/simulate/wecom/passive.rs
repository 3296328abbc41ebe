//! The XML of passive answers as the JSON of the same fields. Source: WeCom developer centre, 被动回复消息格式 (path 90241).

use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// Names that are not the snake case of their elements'.
const NAMES: [(&str, &str); 6] = [
    ("AppId", "appid"),
    ("Appid", "appid"),
    ("CheckBox", "checkbox"),
    ("KeyName", "keyname"),
    ("PagePath", "pagepath"),
    ("UserId", "userid"),
];

/// Fields that are numbers.
const NUMBERS: [&str; 5] = ["type", "mode", "style", "desc_color", "aspect_ratio"];

/// Fields that are true or not.
const FLAGS: [&str; 2] = ["is_checked", "disable"];

/// What stands between the root's tags: names in snake case, repeated elements as lists. `None` where it is no XML.
pub(super) fn object(xml: &str) -> Option<Value> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().expand_empty_elements = true;
    // The last one is what the reader stands in.
    let mut open = vec![(Map::new(), String::new())];
    loop {
        match reader.read_event().ok()? {
            Event::Start(_) => open.push((Map::new(), String::new())),
            Event::Text(text) => open.last_mut()?.1.push_str(&text.xml10_content()),
            Event::CData(text) => open.last_mut()?.1.push_str(&text.xml10_content()),
            Event::End(end) => {
                let (fields, words) = open.pop()?;
                let name = field(end.name().0);
                let value = if fields.is_empty() { leaf(&name, &words) } else { Value::Object(fields) };
                put(&mut open.last_mut()?.0, name, value);
            }
            Event::Eof => return open.pop()?.0.remove("xml"),
            _ => {}
        }
    }
}

fn put(into: &mut Map<String, Value>, name: String, value: Value) {
    if !name.ends_with("_list") {
        into.insert(name, value);
    } else if let Some(list) = into.entry(name).or_insert_with(|| json!([])).as_array_mut() {
        list.push(value);
    }
}

fn leaf(name: &str, words: &str) -> Value {
    if FLAGS.contains(&name) {
        return json!(matches!(words, "true" | "1"));
    }
    let number = NUMBERS.contains(&name).then(|| serde_json::from_str(words).ok()).flatten();
    number.unwrap_or_else(|| json!(words))
}

fn field(element: &str) -> String {
    if let Some((_, name)) = NAMES.iter().find(|(own, _)| *own == element) {
        return (*name).to_owned();
    }
    let mut name = String::new();
    for sign in element.chars() {
        if sign.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(sign.to_ascii_lowercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_in_xml_is_the_card_in_json() {
        let xml = "<xml><MsgType><![CDATA[update_template_card]]></MsgType><TemplateCard>\
            <CardType>button_interaction</CardType><MainTitle><Title><![CDATA[新工单]]></Title></MainTitle>\
            <HorizontalContentList><KeyName>客户</KeyName><Value>王*</Value><Type>0</Type></HorizontalContentList>\
            <ButtonList><Text>接单</Text><Style>1</Style><Key>a</Key></ButtonList>\
            <ButtonList><Text>转派</Text><Key>b</Key></ButtonList>\
            <CheckBox><OptionList><Id>1</Id><IsChecked>true</IsChecked></OptionList></CheckBox>\
            </TemplateCard></xml>";
        let card = json!({
            "card_type": "button_interaction", "main_title": { "title": "新工单" },
            "horizontal_content_list": [{ "keyname": "客户", "value": "王*", "type": 0 }],
            "button_list": [{ "text": "接单", "style": 1, "key": "a" }, { "text": "转派", "key": "b" }],
            "checkbox": { "option_list": [{ "id": "1", "is_checked": true }] },
        });
        assert_eq!(object(xml).unwrap()["template_card"], card);
        assert_eq!(object("<xml><a></xml>"), None);
    }
}
