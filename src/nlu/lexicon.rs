//! Entities that are words: the catalogue's own, and those that every shop shares.

use std::collections::HashMap;
use std::collections::HashSet;

use aho_corasick::AhoCorasick;
use aho_corasick::MatchKind;

use crate::knowledge::product::Product;
use crate::nlu::slot::Origin;
use crate::nlu::slot::Slot;
use crate::nlu::slot::SlotName;
use crate::text::normalise::normalise;
use crate::text::span::ByteSpan;
use crate::text::utterance::Utterance;

/// From this many characters on, a word counts even where jieba cuts otherwise.
const FREE_CHARS_MIN: usize = 3;

/// Known words with their meaning.
#[derive(Debug)]
pub struct Lexicon {
    words: Vec<(String, SlotName)>,
    automaton: AhoCorasick,
}

impl Lexicon {
    /// Gathers the catalogue's words; where the catalogue and the shared list disagree about a word, the
    /// catalogue is right.
    #[must_use]
    pub fn new(products: &[Product]) -> Self {
        let mut meaning: HashMap<String, SlotName> = HashMap::new();
        for (name, list) in SHARED {
            for word in list.split_whitespace() {
                meaning.entry(normalise(word).as_str().to_owned()).or_insert(*name);
            }
        }
        for product in products {
            let mut learn = |name: SlotName, word: &str| {
                let word = normalise(word).as_str().to_owned();
                if !word.is_empty() {
                    meaning.insert(word, name);
                }
            };
            product.sizes.iter().for_each(|size| learn(SlotName::Size, size));
            product.styles.iter().for_each(|style| learn(SlotName::Style, style));
            product.materials.iter().for_each(|material| learn(SlotName::Material, material));
            for colour in &product.colours {
                learn(SlotName::Color, colour);
                // 军绿 on the label is 军绿色 in a sentence.
                if !colour.ends_with('色') {
                    learn(SlotName::Color, &format!("{colour}色"));
                }
            }
            learn(SlotName::Brand, &product.series);
            learn(SlotName::Spec, &product.id);
            product.aliases.iter().for_each(|alias| learn(SlotName::Item, alias));
            learn(SlotName::Item, &product.name);
            learn(SlotName::Item, &product.category);
        }
        let mut words: Vec<(String, SlotName)> = meaning.into_iter().collect();
        words.sort();
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(words.iter().map(|(word, _)| word))
            .expect("a catalogue of at most 200,000 short words stays far below the automaton's limit");
        Self { words, automaton }
    }

    /// Every word, in normal form, and the terms of trade around them that must not be cut.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(|(word, _)| word.as_str()).chain(TERMS.split_whitespace())
    }

    /// What a word of the lexicon, in normal form, stands for.
    #[must_use]
    pub fn meaning(&self, word: &str) -> Option<SlotName> {
        let place = self.words.binary_search_by(|(other, _)| other.as_str().cmp(word)).ok()?;
        Some(self.words[place].1)
    }

    /// The words that goods, colours and the like are called by, in normal form.
    pub fn entries(&self) -> impl Iterator<Item = (&str, SlotName)> {
        self.words.iter().map(|(word, name)| (word.as_str(), *name))
    }

    /// Known words of a message; may overlap.
    ///
    /// A short word counts only between two cuts of jieba: the 包 of 包邮 is no bag.
    #[must_use]
    pub fn find(&self, utterance: &Utterance) -> Vec<Slot> {
        let text = utterance.as_str();
        let borders: HashSet<usize> =
            utterance.words.iter().flat_map(|word| [word.start, word.end]).collect();
        self.automaton
            .find_overlapping_iter(text)
            .map(|found| (ByteSpan::new(found.start(), found.end()), found.pattern().as_usize()))
            .filter(|(span, _)| {
                let word = span.of(text);
                let between_cuts = borders.contains(&span.start) && borders.contains(&span.end);
                let free = word.chars().count() >= FREE_CHARS_MIN && !word.is_ascii();
                between_cuts || free
            })
            .map(|(span, word)| {
                let name = self.words[word].1;
                Slot::found(name, without_particle(name, span, text), Origin::Lexicon)
            })
            .collect()
    }
}

/// 黑的, 退了 and 换个 are listed whole, so that they are cut as words; the entity is what stands in front.
fn without_particle(name: SlotName, span: ByteSpan, text: &str) -> ByteSpan {
    if !matches!(name, SlotName::Color | SlotName::Action) {
        return span;
    }
    let word = span.of(text).trim_end_matches(['的', '了', '吗', '个']);
    ByteSpan::new(span.start, span.start + word.len())
}

/// Words of the trade that are no entities and would be cut, or would lend a part of themselves to one.
const TERMS: &str = "包邮 包裹 包装 包装盒 免邮 吊牌 价保 保价 差价 运费险 好评 返现 晒图 拼单 凑单 满减 秒杀 预售 现货 断货 \
     补货 缺货 发货 催发货 签收 拒收 拦截 驿站 自提 快递柜 转人工 人工客服 客服 退货运费 七天无理由 无理由 尺码 尺码表 \
     起球 掉色 缩水 色差 质检 专票 普票 电子发票 抬头 税号 花呗 分期 对公 货到付款 优惠券 优惠码 积分 会员 会员日 \
     试穿 小样 报价单 说明书 保修 三包 实体店 门店 营业时间 改绑 注销 登不上 登录 换货 多少钱";

/// Words that customers of any shop use, whatever its catalogue holds.
const SHARED: &[(SlotName, &str)] = &[
    (
        SlotName::Action,
        "退货 换货 退换 退换货 退款 退钱 维修 返修 换码 换色 换新 补发 退 换 修 退掉 换掉 退了 换个",
    ),
    (
        SlotName::Color,
        "黑色 白色 红色 蓝色 绿色 黄色 紫色 粉色 灰色 棕色 橙色 咖色 咖啡色 卡其 卡其色 藏青 藏青色 藏蓝 米白 米色 \
         杏色 驼色 酒红 酒红色 墨绿 军绿 浅蓝 深蓝 天蓝 浅灰 深灰 玫红 香槟色 焦糖色 雾霾蓝 牛油果绿 奶白 奶茶色 \
         黑的 白的 红的 蓝的 绿的 灰的 粉的 黄的",
    ),
    (
        SlotName::Material,
        "纯棉 全棉 棉 真丝 羊毛 羊绒 亚麻 棉麻 涤纶 牛皮 真皮 头层牛皮 帆布 牛仔布 雪纺 莫代尔 羽绒 鹅绒 白鸭绒 \
         不锈钢 陶瓷 尼龙 灯芯绒 法兰绒 冰丝",
    ),
    (
        SlotName::Style,
        "长袖 短袖 无袖 修身 宽松 休闲 商务 夏季 冬季 春秋 秋冬 春夏 男款 女款 男士 女士 儿童 情侣 中长款 短款 长款 \
         高腰 低帮 高帮 加绒 加厚 薄款 厚款 通勤 复古 韩版 V领 圆领 高领 连帽 防水 显瘦 大码",
    ),
    (
        SlotName::Item,
        "衣服 衬衫 衬衣 t恤 卫衣 毛衣 针织衫 连衣裙 半身裙 裙子 裤子 牛仔裤 休闲裤 西装 风衣 大衣 外套 羽绒服 棉服 \
         冲锋衣 防晒衣 睡衣 内衣 袜子 鞋子 运动鞋 帆布鞋 皮鞋 凉鞋 靴子 拖鞋 童鞋 包包 双肩包 单肩包 托特包 行李箱 \
         钱包 腰包 保温杯 抱枕 毛毯 床单 四件套 毛巾 收纳箱 加湿器 小夜灯 暖手宝 窗帘 置物架 帽子 围巾 手套 腰带 \
         鞋 包 裤 裙",
    ),
    (SlotName::Courier, "顺丰 中通 圆通 申通 韵达 邮政 ems 京东快递 京东物流 德邦 极兔 菜鸟 顺丰速运"),
    (
        SlotName::Place,
        "北京 上海 天津 重庆 河北 山西 辽宁 吉林 黑龙江 江苏 浙江 安徽 福建 江西 山东 河南 湖北 湖南 广东 海南 四川 \
         贵州 云南 陕西 甘肃 青海 台湾 内蒙古 内蒙 广西 西藏 宁夏 新疆 香港 澳门 广州 深圳 杭州 南京 成都 武汉 西安 \
         苏州 长沙 郑州 青岛 大连 沈阳 哈尔滨 昆明 贵阳 拉萨 乌鲁木齐 江浙沪 东北",
    ),
];
