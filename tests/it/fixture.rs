//! A tiny but complete bot folder in a temporary place, and engines built over it.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::LazyLock;

use jiff::civil::Date;
use jiff::civil::date;
use tempfile::TempDir;
use yingda::engine;
use yingda::engine::Engine;
use yingda::engine::ModelPlaces;
use yingda::service::model::Models;
use yingda::store::Store;
use yingda::text::segment::Segmenter;

/// Name of the bot that a fresh folder holds.
pub(crate) const BOT: &str = "shop";

/// Messages that the bot takes from one customer in a minute.
pub(crate) const MESSAGES_PER_MINUTE: u32 = 6;

/// A question of `faq.csv` and its answer.
pub(crate) const RETURN: (&str, &str) = ("怎么申请退货", "签收七天内在订单里申请退货。");

/// Two questions that [`AMBIGUOUS`] fits equally well, with their answers.
pub(crate) const INVOICES: [(&str, &str); 2] =
    [("电子发票怎么开", "电子的在订单页开，五分钟发到邮箱。"), ("纸质发票怎么开", "纸质的随包裹寄出。")];

/// Makes the bot ask back which of [`INVOICES`] is meant.
pub(crate) const AMBIGUOUS: &str = "发票怎么开";

/// Its answer carries the picture [`CHART_FILE`].
pub(crate) const CHART: &str = "有没有尺码表";

/// The attachment of [`CHART`], below the bot's folder.
pub(crate) const CHART_FILE: &str = "attachments/size-chart.png";

/// What the customer says to get to the group `service`.
pub(crate) const TO_HUMAN: &str = "转人工";

/// What stands in [`CHART_FILE`].
pub(crate) const CHART_BYTES: &[u8] = b"\x89PNG\r\n\x1a\n not really";

/// The dictionary takes longer to read than a test takes to run; all engines share it.
static SEGMENTER: LazyLock<Arc<Segmenter>> =
    LazyLock::new(|| Arc::new(Segmenter::new(["云柔", "尺码表"].into_iter())));

/// A knowledge folder with one bot, gone when dropped.
pub(crate) struct Folder {
    root: TempDir,
}

impl Folder {
    /// A folder with the bot [`BOT`], of which `yingda check` has nothing to say.
    pub(crate) fn new() -> Self {
        let folder = Self { root: tempfile::tempdir().expect("a temporary folder") };
        folder.add_bot(BOT);
        folder
    }

    /// The folder that holds the bots' folders.
    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    /// The folder of [`BOT`].
    pub(crate) fn bot(&self) -> PathBuf {
        self.root().join(BOT)
    }

    /// Another complete bot beside the first.
    pub(crate) fn add_bot(&self, name: &str) {
        let faq = faq();
        for (file, bytes) in [
            ("bot.toml", bot_toml().as_bytes()),
            ("faq/faq.csv", faq.as_bytes()),
            ("products.csv", PRODUCTS.as_bytes()),
            ("rules.toml", RULES.as_bytes()),
            ("replies.toml", REPLIES.as_bytes()),
            ("sensitive.toml", SENSITIVE.as_bytes()),
            (CHART_FILE, CHART_BYTES),
        ] {
            self.write(&format!("{name}/{file}"), bytes);
        }
    }

    /// Writes a file below the root, over what was there.
    pub(crate) fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().expect("a file below the root")).expect("a folder for the file");
        fs::write(path, bytes).expect("a file");
    }

    /// The engine of [`BOT`].
    pub(crate) fn engine(&self) -> Engine {
        const TODAY: Date = date(2026, 11, 23);
        let (known, findings) = engine::load(&self.bot(), TODAY);
        assert!(engine::servable(&findings), "{findings:#?}");
        Engine::new(known.expect("a folder without errors"), Arc::clone(&SEGMENTER)).expect("an engine")
    }
}

/// `bot.toml`: open on weekdays from nine to six, a group that takes over, a low flood limit.
pub(crate) fn bot_toml() -> String {
    format!(
        r#"name = "小应"
title = "云朵小铺客服"
greeting = "您好，我是{{{{ bot.name }}}}。"
suggestions = ["怎么申请退货", "运费多少钱"]
phone = "400-820-6677"

[topics]
return_policy = "退换货"
invoice = "发票"
shipping = "运费"
size = "尺码"

[thresholds]
answer = 0.6
clarify = 0.25
margin = 0.05

[hours]
mon = ["09:00-18:00"]
tue = ["09:00-18:00"]
wed = ["09:00-18:00"]
thu = ["09:00-18:00"]
fri = ["09:00-18:00"]

[handoff]
default_group = "service"

[handoff.groups]
service = "在线客服组"

[flood]
messages_per_minute = {MESSAGES_PER_MINUTE}
"#
    )
}

/// `faq.csv`.
pub(crate) fn faq() -> String {
    let [electronic, paper] = INVOICES;
    format!(
        "编号,分类,问题,相似问,答案,回复,生效,失效\n\
         return-apply,退换货,{},如何申请退货,{},,,\n\
         invoice-electronic,发票,{},,{},,,\n\
         invoice-paper,发票,{},,{},,,\n\
         shipping-fee,运费,运费多少钱,,满九十九元包邮。,,,\n\
         size-chart,尺码,{CHART},尺码表发我看看,尺码表在这里。,size-chart,,\n",
        RETURN.0, RETURN.1, electronic.0, electronic.1, paper.0, paper.1
    )
}

const PRODUCTS: &str = "\
编号,名称,类目,别名,系列,颜色,尺码,材质,款式,价格,库存,缺货,图片,描述
YR-C101,云柔衬衫,衬衫,,云柔,白色|黑色,M|L,棉,,129,20,,,
";

const RULES: &str = r#"[[rule]]
id = "human"
stage = "hard"
priority = 300
when = { any = ["转人工", "人工客服"] }
then = [{ handoff = "service" }]

[[rule]]
id = "thanks"
when = { any = ["谢谢"] }
then = [{ text = "不客气。" }]
"#;

const REPLIES: &str = r#"[reply.size-chart]
attachments = [{ kind = "image", file = "attachments/size-chart.png", title = "尺码表" }]
"#;

const SENSITIVE: &str = r#"[[word]]
id = "gambling"
words = ["赌博"]
action = "block"
"#;

/// For bots that name no model.
pub(crate) fn no_models(store: &Arc<dyn Store>) -> Arc<Models> {
    let places = ModelPlaces { models: PathBuf::from("none"), vectors: None };
    Arc::new(Models::new(Arc::clone(store), places, PathBuf::from("none")))
}
