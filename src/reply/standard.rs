//! The sentences that every bot needs. `[standard]` of `replies.toml` replaces them by name.

use std::collections::BTreeMap;

macro_rules! sentences {
    ($($variant:ident $name:literal $doc:literal => $text:literal),+ $(,)?) => {
        /// A sentence by its purpose.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Sentence {
            $(#[doc = $doc] $variant),+
        }

        impl Sentence {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Name in `replies.toml`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The built-in words: a template.
            #[must_use]
            pub fn built_in(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }
    };
}

sentences! {
    ClarifyTopics "clarify_topics" "The bot is not sure which topic is meant." =>
        "您想了解的是下面哪一个？回复数字就行：",
    ClarifyProducts "clarify_products" "Several products fit." =>
        "为您找到这几款，回复数字看详情：",
    Nearest "nearest" "No product has all that was asked; `missing` is what it lacks." =>
        "没有完全符合“{{ missing }}”的，最接近的是：",
    Product "product" "Facts of one product, `product.*` in the context." =>
        "{{ product.name }}\n价格：{{ product.price }}元{% if product.colours %}\n颜色：{{ product.colours }}{% endif %}{% if product.sizes %}\n尺码/规格：{{ product.sizes }}{% endif %}{% if product.materials %}\n材质：{{ product.materials }}{% endif %}\n库存：{{ product.availability }}{% if product.description %}\n{{ product.description }}{% endif %}",
    HandoffOpen "handoff_open" "A human takes over, inside business hours." =>
        "好的，已为您转接{{ group }}，我们的对话同事都能看到，您不用重复。客服马上就来，请稍候。",
    HandoffClosed "handoff_closed" "A human will take over later." =>
        "您的问题已登记给{{ group }}。现在是休息时间（服务时间：{{ hours }}），{% if next_opening %}{{ next_opening }}上班后{% else %}上班后{% endif %}同事会第一时间联系您。",
    HandoffUnknown "handoff_unknown" "What is said before a handoff when the bot knows no answer." =>
        "这个问题我还答不准，不敢乱说。",
    Decline "decline" "Nobody can take over." =>
        "这个问题我还答不上来。{% if phone %}您可以拨打 {{ phone }}（{{ hours }}），{% else %}您可以在服务时间（{{ hours }}）再来，{% endif %}会有同事帮您处理。",
    Blocked "blocked" "A sensitive word in what the customer said." =>
        "您的消息里有不便讨论的内容，我没法处理。换个说法告诉我您的需求，我来帮您。",
    Withheld "withheld" "An answer that a sensitive word keeps back." =>
        "这个问题需要同事核实后再答复您。",
    NoWords "no_words" "A message without words." =>
        "收到～ 有什么可以帮您？直接用一句话告诉我就行。",
    Media "media" "A picture, voice message, video or file." =>
        "收到您发的{{ kind }}了。我暂时还看不懂{{ kind }}，麻烦用文字说一下想咨询什么；需要人工看的话，回复“转人工”。",
    More "more" "Stands below a text that goes on." =>
        "（未完，回复“继续”看下文）",
    Variant "variant" "Whether a colour or size of one product is there: `product.*`, `variant`, `available`." =>
        "{{ product.name }}的{{ variant }}{% if available %}有货{% else %}暂时没货{% endif %}，{{ product.price }}元。",
    Fact "fact" "What was asked about the product that the talk is about: `product.*`, and which facts." =>
        "{{ product.name }}：{% if price %}{{ product.price }}元{% endif %}{% if colour %}\n颜色：{{ product.colours }}{% endif %}{% if size %}\n尺码/规格：{{ product.sizes }}{% endif %}{% if material %}\n材质：{{ product.materials }}{% if product.description %}\n{{ product.description }}{% endif %}{% endif %}{% if stock %}\n库存：{{ product.availability }}{% endif %}",
    Dropped "dropped" "The customer lets the matter drop." =>
        "好的，那就先不办了。有需要随时叫我～",
    Queue "queue" "How many wait ahead: `n_ahead`, and `minutes` where that is known." =>
        "前面还有{{ n_ahead }}位在等{% if minutes %}，大约{{ minutes }}分钟{% endif %}。等的时候有别的问题，可以接着问我。",
    AgentTook "agent_took" "A human has taken over: `agent`." =>
        "您好，我是{{ agent }}，由我来为您服务，前面的对话我都看到了。",
    Returned "returned" "A human gives the talk back to the bot." =>
        "人工服务先到这里，接下来有问题可以直接问我；要找同事，回复“转人工”。",
    Closed "closed" "A human closes the talk." =>
        "这次服务就到这里，谢谢您的耐心。有需要随时再来。",
    Survey "survey" "Asks for a rating when a talk is over." =>
        "这次服务您还满意吗？点一下或回复数字就行：",
    Rated "rated" "The customer is content, or half." =>
        "收到您的评价，谢谢！有需要随时再来。",
    RatedPoor "rated_poor" "The customer is not content." =>
        "抱歉没让您满意，您的评价同事会看到。问题还没解决的话，回复“转人工”，我们接着处理。",
    Transferred "transferred" "A human hands the talk to another group: `group`." =>
        "已为您转到{{ group }}，前面说过的不用重复，请稍等。",
    HandoffOverdue "handoff_overdue" "Nobody has taken over in time." =>
        "让您久等了，同事还在忙别的顾客。您的问题已经登记，会尽快联系您{% if phone %}；着急的话可以拨打 {{ phone }}{% endif %}。",
    LeaseLapsed "lease_lapsed" "The human has been silent for too long." =>
        "刚才的同事暂时离开了，我正在请其他同事接着为您处理，请稍等。",
    CallFailed "call_failed" "A task could not be carried on by the bot; a human goes on." =>
        "系统这会儿查不到，我请同事帮您接着办。",
    TaskResumed "task_resumed" "A task is taken up again: `title`." =>
        "我们接着办刚才的{{ title }}：",
    NothingLeft "nothing_left" "The customer wants more and there is none." =>
        "刚才的内容已经发完啦。还有什么想了解的，直接问我就行。",
    Expired "expired" "A document past its last day." =>
        "《{{ title }}》已于{{ until }}过期，不再提供。{% if not current %}需要最新版，回复“转人工”，同事发给您。{% else %}这是现在有效的版本：{% endif %}",
    Flood "flood" "Too many messages in a minute." =>
        "您的消息我都收到了，发得有点快，请稍等一分钟再继续～",
    Failure "failure" "Something broke on our side." =>
        "抱歉，系统刚才出了点问题，请稍后再发一次{% if phone %}，或拨打 {{ phone }}{% endif %}。",
    Waiting "waiting" "The answer takes longer than the channel waits." =>
        "正在为您查询，请稍候……",
}

/// The words of every sentence for one bot.
#[derive(Clone, Debug)]
pub struct Sentences {
    own: BTreeMap<String, String>,
}

impl Sentences {
    /// * `own`: what the bot says differently, by name.
    #[must_use]
    pub fn new(own: &BTreeMap<String, String>) -> Self {
        Self { own: own.clone() }
    }

    /// The bot's words for a sentence: a template.
    #[must_use]
    pub fn words(&self, sentence: Sentence) -> &str {
        self.own.get(sentence.name()).map_or(sentence.built_in(), String::as_str)
    }
}
