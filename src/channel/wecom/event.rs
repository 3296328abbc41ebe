//! The events that WeCom sends to an app, typed: what happened rather than what was said.
//!
//! Sources, WeCom developer centre: 事件格式 (path 90240) for apps, 客户联系 (92130), 微信客服 (94670, 97712).
//! Text fields are empty where the sender left them out; an `Option` marks what is often absent. One-time credentials
//! are `Secret`.

use crate::channel::wecom::change;
use crate::channel::wecom::change::ContactChange;
use crate::channel::wecom::change::ExternalChatChange;
use crate::channel::wecom::change::ExternalContactChange;
use crate::channel::wecom::change::ExternalTagChange;
use crate::channel::wecom::xml::Element;
use crate::channel::wecom::xml::texts;
use crate::secret::Secret;

/// Something that happened in WeCom.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A member came into the visible range of the app.
    Subscribe,
    /// A member left the visible range of the app.
    Unsubscribe,
    /// A member opened the app.
    EnterAgent,
    /// The position that a member's client reports on its own.
    Location {
        /// Degrees, north positive.
        latitude: Option<f64>,
        /// Degrees, east positive.
        longitude: Option<f64>,
        /// Metres.
        precision: Option<f64>,
        /// `wxwork` in WeCom.
        app_type: String,
    },
    /// A menu item that carries a key was tapped.
    Click {
        /// Key of the menu item.
        key: String,
    },
    /// A menu item that leads to a page was tapped.
    View {
        /// Address of the page.
        url: String,
    },
    /// A menu item that leads to a mini program was tapped.
    ViewMiniprogram {
        /// Page of the mini program.
        path: String,
    },
    /// A menu item scanned a code and showed the result itself.
    ScancodePush(Scan),
    /// A menu item scanned a code and waits for our answer.
    ScancodeWaitmsg(Scan),
    /// A menu item took or chose pictures; the pictures follow as messages.
    Pictures(Pictures),
    /// A menu item chose a place.
    LocationSelect(Place),
    /// A button of a template card was tapped.
    TemplateCard(CardTap),
    /// An entry of a template card's corner menu was tapped.
    TemplateCardMenu(CardTap),
    /// A batch job of the address book ended.
    BatchJobResult {
        /// Id of the job.
        job_id: String,
        /// Such as `sync_user`.
        job_type: String,
        /// 0 for success.
        err_code: Option<i64>,
        /// Words for `err_code`.
        err_msg: String,
    },
    /// The address book changed.
    ChangeContact(ContactChange),
    /// The app is unused for so long that it loses, lost or regained its interfaces: tell an operator.
    Activity(AppActivity),
    /// An asynchronous upload ended.
    UploadMediaJobFinish {
        /// Id of the job.
        job_id: String,
    },
    /// A customer and a member found or lost one another.
    ChangeExternalContact(ExternalContactChange),
    /// A customer group changed.
    ChangeExternalChat(ExternalChatChange),
    /// The company's customer tags changed.
    ChangeExternalTag(ExternalTagChange),
    /// 微信客服 has messages to fetch; the event itself carries none.
    KfMsgOrEvent {
        /// To be handed to `kf/sync_msg`, valid 10 minutes.
        token: Secret,
        /// The customer-service account.
        open_kfid: String,
    },
    /// The company lets the app manage other 微信客服 accounts than before.
    KfAccountAuthChange {
        /// Accounts that were added.
        added: Vec<String>,
        /// Accounts that were taken away.
        removed: Vec<String>,
    },
}

/// A scanned code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// Key of the menu item.
    pub key: String,
    /// `qrcode` or `barcode`.
    pub scan_type: String,
    /// What the code holds.
    pub scan_result: String,
}

/// Pictures sent through a menu item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pictures {
    /// How they were taken.
    pub source: PictureSource,
    /// Key of the menu item.
    pub key: String,
    /// How many, as the sender counts.
    pub count: Option<u32>,
    /// MD5 of each, in hexadecimal.
    pub md5_sums: Vec<String>,
}

/// Where the pictures of a menu item come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureSource {
    /// `pic_sysphoto`.
    Camera,
    /// `pic_photo_or_album`.
    CameraOrAlbum,
    /// `pic_weixin`.
    Album,
}

/// A place chosen through a menu item.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Key of the menu item.
    pub key: String,
    /// Degrees, north positive.
    pub latitude: Option<f64>,
    /// Degrees, east positive.
    pub longitude: Option<f64>,
    /// Zoom of the map.
    pub scale: Option<u32>,
    /// Address in words.
    pub label: String,
    /// Name of the point of interest, where one was chosen.
    pub poi_name: Option<String>,
    /// `wxwork` in WeCom.
    pub app_type: String,
}

/// A tap on a template card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardTap {
    /// Key of the button, of the submit button or of the menu entry.
    pub key: String,
    /// Our id of the card.
    pub task_id: String,
    /// Such as `button_interaction`.
    pub card_type: String,
    /// Lets us update the card once within 72 hours.
    pub response_code: Secret,
    /// What was picked in each question of the card; empty for plain buttons.
    pub selected: Vec<SelectedItem>,
}

/// The picked options of one question of a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectedItem {
    /// Key of the question.
    pub question_key: String,
    /// Ids of the picked options.
    pub option_ids: Vec<String>,
}

/// Where an app stands that is hardly used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppActivity {
    /// The app will be stopped for being unused.
    InactiveAlert {
        /// Unix seconds at which it will be.
        effective_at: Option<i64>,
    },
    /// The app was stopped for being unused.
    CloseInactiveAgent,
    /// The stopped app was started again.
    ReopenInactiveAgent,
    /// The app's limits will be lowered for being little used.
    LowActiveAlert {
        /// Unix seconds at which they will be.
        effective_at: Option<i64>,
    },
    /// The app's limits were lowered.
    LowActive,
    /// The app's limits are as before.
    ActiveRestored,
}

/// Reads the event of a message whose type is `event`; `None` for an event or a change that we do not know.
pub(crate) fn read(root: &Element) -> Option<Event> {
    let key = || root.text("EventKey");
    // WeChat writes some of these names in capitals, and so do old WeCom samples.
    let event = match root.text("Event").to_ascii_lowercase().as_str() {
        "subscribe" => Event::Subscribe,
        "unsubscribe" => Event::Unsubscribe,
        "enter_agent" => Event::EnterAgent,
        "location" => Event::Location {
            latitude: root.number("Latitude"),
            longitude: root.number("Longitude"),
            precision: root.number("Precision"),
            app_type: root.text("AppType"),
        },
        "click" => Event::Click { key: key() },
        "view" => Event::View { url: key() },
        "view_miniprogram" => Event::ViewMiniprogram { path: key() },
        "scancode_push" => Event::ScancodePush(scan(root)),
        "scancode_waitmsg" => Event::ScancodeWaitmsg(scan(root)),
        "pic_sysphoto" => Event::Pictures(pictures(root, PictureSource::Camera)),
        "pic_photo_or_album" => Event::Pictures(pictures(root, PictureSource::CameraOrAlbum)),
        "pic_weixin" => Event::Pictures(pictures(root, PictureSource::Album)),
        "location_select" => Event::LocationSelect(place(root)),
        "template_card_event" => Event::TemplateCard(card_tap(root)),
        "template_card_menu_event" => Event::TemplateCardMenu(card_tap(root)),
        "batch_job_result" => batch_job_result(root),
        "change_contact" => Event::ChangeContact(change::contact(root)?),
        "inactive_alert" => {
            Event::Activity(AppActivity::InactiveAlert { effective_at: root.number("EffectTime") })
        }
        "close_inactive_agent" => Event::Activity(AppActivity::CloseInactiveAgent),
        "reopen_inactive_agent" => Event::Activity(AppActivity::ReopenInactiveAgent),
        "low_active_alert" => {
            Event::Activity(AppActivity::LowActiveAlert { effective_at: root.number("EffectTime") })
        }
        "low_active" => Event::Activity(AppActivity::LowActive),
        "active_restored" => Event::Activity(AppActivity::ActiveRestored),
        "upload_media_job_finish" => Event::UploadMediaJobFinish { job_id: root.text("JobId") },
        "change_external_contact" => Event::ChangeExternalContact(change::external_contact(root)?),
        "change_external_chat" => Event::ChangeExternalChat(change::external_chat(root)?),
        "change_external_tag" => Event::ChangeExternalTag(change::external_tag(root)?),
        "kf_msg_or_event" => {
            Event::KfMsgOrEvent { token: Secret::new(root.text("Token")), open_kfid: root.text("OpenKfId") }
        }
        "kf_account_auth_change" => Event::KfAccountAuthChange {
            added: texts(root.children("AuthAddOpenKfId")),
            removed: texts(root.children("AuthDelOpenKfId")),
        },
        _ => return None,
    };
    Some(event)
}

fn scan(root: &Element) -> Scan {
    let within = |name: &str| root.child("ScanCodeInfo").map(|scan| scan.text(name)).unwrap_or_default();
    Scan { key: root.text("EventKey"), scan_type: within("ScanType"), scan_result: within("ScanResult") }
}

fn pictures(root: &Element, source: PictureSource) -> Pictures {
    let sent = root.child("SendPicsInfo");
    let items =
        sent.and_then(|sent| sent.child("PicList")).into_iter().flat_map(|list| list.children("item"));
    Pictures {
        source,
        key: root.text("EventKey"),
        count: sent.and_then(|sent| sent.number("Count")),
        md5_sums: items.map(|item| item.text("PicMd5Sum")).collect(),
    }
}

fn place(root: &Element) -> Place {
    let sent = root.child("SendLocationInfo");
    let number = |name: &str| sent.and_then(|sent| sent.number(name));
    Place {
        key: root.text("EventKey"),
        latitude: number("Location_X"),
        longitude: number("Location_Y"),
        scale: sent.and_then(|sent| sent.number("Scale")),
        label: sent.map(|sent| sent.text("Label")).unwrap_or_default(),
        poi_name: sent.and_then(|sent| sent.optional("Poiname")),
        app_type: root.text("AppType"),
    }
}

fn card_tap(root: &Element) -> CardTap {
    let items = root.child("SelectedItems").into_iter().flat_map(|items| items.children("SelectedItem"));
    CardTap {
        key: root.text("EventKey"),
        task_id: root.text("TaskId"),
        card_type: root.text("CardType"),
        response_code: Secret::new(root.text("ResponseCode")),
        selected: items.map(selected_item).collect(),
    }
}

fn selected_item(item: &Element) -> SelectedItem {
    // Some revisions of the interface spell it `OpitonIds`, and `OpitonId` within.
    let lists =
        item.all_children().iter().filter(|child| child.is_named("OptionIds") || child.is_named("OpitonIds"));
    SelectedItem {
        question_key: item.text("QuestionKey"),
        option_ids: lists.flat_map(|list| texts(list.all_children().iter())).collect(),
    }
}

fn batch_job_result(root: &Element) -> Event {
    let job = root.child("BatchJob");
    let within = |name: &str| job.map(|job| job.text(name)).unwrap_or_default();
    Event::BatchJobResult {
        job_id: within("JobId"),
        job_type: within("JobType"),
        err_code: job.and_then(|job| job.number("ErrCode")),
        err_msg: within("ErrMsg"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(fields: &str, expected: Option<Event>) {
        let root = Element::parse(&format!("<xml>{fields}</xml>")).expect("sound XML");
        assert_eq!(read(&root), expected, "{fields}");
    }

    fn owned(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn members_come_and_go() {
        check("<Event><![CDATA[subscribe]]></Event><EventKey></EventKey>", Some(Event::Subscribe));
        check("<Event>unsubscribe</Event>", Some(Event::Unsubscribe));
        check("<Event>enter_agent</Event>", Some(Event::EnterAgent));
        let location = Event::Location {
            latitude: Some(23.104),
            longitude: Some(113.32),
            precision: Some(65.0),
            app_type: "wxwork".to_owned(),
        };
        check(
            "<Event>LOCATION</Event><Latitude>23.104</Latitude><Longitude>113.320</Longitude><Precision>65.000</Precision><AppType>wxwork</AppType>",
            Some(location),
        );
    }

    #[test]
    fn menu_items() {
        let key = "k1".to_owned();
        check("<Event>click</Event><EventKey>k1</EventKey>", Some(Event::Click { key: key.clone() }));
        check(
            "<Event>view</Event><EventKey>https://a.example/?x=1&amp;y</EventKey>",
            Some(Event::View { url: "https://a.example/?x=1&y".to_owned() }),
        );
        check(
            "<Event>view_miniprogram</Event><EventKey>pages/a</EventKey>",
            Some(Event::ViewMiniprogram { path: "pages/a".to_owned() }),
        );

        let scan = Scan { key: key.clone(), scan_type: "qrcode".to_owned(), scan_result: "1".to_owned() };
        let fields = "<EventKey>k1</EventKey><ScanCodeInfo><ScanType>qrcode</ScanType><ScanResult>1</ScanResult></ScanCodeInfo>";
        check(&format!("<Event>scancode_push</Event>{fields}"), Some(Event::ScancodePush(scan.clone())));
        check(&format!("<Event>scancode_waitmsg</Event>{fields}"), Some(Event::ScancodeWaitmsg(scan)));

        let fields = "<EventKey>k1</EventKey><SendPicsInfo><Count>2</Count><PicList><item><PicMd5Sum>aa</PicMd5Sum></item><item><PicMd5Sum>bb</PicMd5Sum></item></PicList></SendPicsInfo>";
        for (name, source) in [
            ("pic_sysphoto", PictureSource::Camera),
            ("pic_photo_or_album", PictureSource::CameraOrAlbum),
            ("pic_weixin", PictureSource::Album),
        ] {
            let pictures =
                Pictures { source, key: key.clone(), count: Some(2), md5_sums: owned(&["aa", "bb"]) };
            check(&format!("<Event>{name}</Event>{fields}"), Some(Event::Pictures(pictures)));
        }

        let place = Place {
            key,
            latitude: Some(23.0),
            longitude: Some(113.0),
            scale: Some(15),
            label: "某路1号".to_owned(),
            poi_name: None,
            app_type: "wxwork".to_owned(),
        };
        check(
            "<Event>location_select</Event><EventKey>k1</EventKey><SendLocationInfo><Location_X>23</Location_X><Location_Y>113</Location_Y><Scale>15</Scale><Label>某路1号</Label><Poiname></Poiname></SendLocationInfo><AppType>wxwork</AppType>",
            Some(Event::LocationSelect(place)),
        );
    }

    #[test]
    fn card_taps_accept_both_spellings_of_option_ids() {
        let tap = |selected| CardTap {
            key: "accept".to_owned(),
            task_id: "ticket-1001".to_owned(),
            card_type: "button_interaction".to_owned(),
            response_code: Secret::new("RC0001"),
            selected,
        };
        let head = "<EventKey>accept</EventKey><TaskId>ticket-1001</TaskId><CardType>button_interaction</CardType><ResponseCode>RC0001</ResponseCode>";
        check(
            &format!("<Event>template_card_menu_event</Event>{head}"),
            Some(Event::TemplateCardMenu(tap(Vec::new()))),
        );
        for spelling in ["Option", "Opiton"] {
            let items = format!(
                "<SelectedItems><SelectedItem><QuestionKey>q1</QuestionKey><{spelling}Ids><{spelling}Id>o1</{spelling}Id><{spelling}Id>o2</{spelling}Id></{spelling}Ids></SelectedItem><SelectedItem><QuestionKey>q2</QuestionKey></SelectedItem></SelectedItems>"
            );
            let selected = vec![
                SelectedItem { question_key: "q1".to_owned(), option_ids: owned(&["o1", "o2"]) },
                SelectedItem { question_key: "q2".to_owned(), option_ids: Vec::new() },
            ];
            check(
                &format!("<Event>template_card_event</Event>{head}{items}"),
                Some(Event::TemplateCard(tap(selected))),
            );
        }
    }

    #[test]
    fn jobs_and_the_state_of_the_app() {
        let job_id = "S0".to_owned();
        let result = Event::BatchJobResult {
            job_id: job_id.clone(),
            job_type: "sync_user".to_owned(),
            err_code: Some(0),
            err_msg: "ok".to_owned(),
        };
        check(
            "<Event>batch_job_result</Event><BatchJob><JobId>S0</JobId><JobType>sync_user</JobType><ErrCode>0</ErrCode><ErrMsg>ok</ErrMsg></BatchJob>",
            Some(result),
        );
        check(
            "<Event>upload_media_job_finish</Event><JobId>S0</JobId>",
            Some(Event::UploadMediaJobFinish { job_id }),
        );

        let effective_at = Some(1_735_689_600);
        let states = [
            ("inactive_alert", AppActivity::InactiveAlert { effective_at }),
            ("close_inactive_agent", AppActivity::CloseInactiveAgent),
            ("reopen_inactive_agent", AppActivity::ReopenInactiveAgent),
            ("low_active_alert", AppActivity::LowActiveAlert { effective_at }),
            ("low_active", AppActivity::LowActive),
            ("active_restored", AppActivity::ActiveRestored),
        ];
        for (name, state) in states {
            check(
                &format!("<Event>{name}</Event><EffectTime>1735689600</EffectTime>"),
                Some(Event::Activity(state)),
            );
        }
    }

    #[test]
    fn customer_service_accounts() {
        let wake_up = Event::KfMsgOrEvent { token: Secret::new("ENC1"), open_kfid: "wk1".to_owned() };
        assert!(!format!("{wake_up:?}").contains("ENC1"), "a token must not reach the log");
        check("<Event>kf_msg_or_event</Event><Token>ENC1</Token><OpenKfId>wk1</OpenKfId>", Some(wake_up));
        check(
            "<Event>kf_account_auth_change</Event><AuthAddOpenKfId>wk1</AuthAddOpenKfId><AuthDelOpenKfId>wk3</AuthDelOpenKfId><AuthAddOpenKfId>wk2</AuthAddOpenKfId>",
            Some(Event::KfAccountAuthChange { added: owned(&["wk1", "wk2"]), removed: owned(&["wk3"]) }),
        );
    }

    #[test]
    fn changes_are_told_apart_by_their_event() {
        let kind = |name: &str, change_type: &str| {
            let fields = format!("<Event>{name}</Event><ChangeType>{change_type}</ChangeType>");
            read(&Element::parse(&format!("<xml>{fields}</xml>")).expect("sound XML"))
        };
        assert!(matches!(kind("change_contact", "delete_user"), Some(Event::ChangeContact(_))));
        let contact = kind("change_external_contact", "del_follow_user");
        assert!(matches!(contact, Some(Event::ChangeExternalContact(_))));
        assert!(matches!(kind("change_external_chat", "create"), Some(Event::ChangeExternalChat(_))));
        assert!(matches!(kind("change_external_tag", "create"), Some(Event::ChangeExternalTag(_))));
        assert_eq!(kind("change_external_tag", "delete_user"), None);
    }

    #[test]
    fn unknown_events_are_none() {
        check("<Event>brand_new</Event>", None);
        check("<A>1</A>", None);
    }
}
