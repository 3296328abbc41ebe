//! Colours: the many names of shops, mapped to one name and one family each.
//!
//! It reads a word that is known to name a colour; it finds no colours in sentences.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::text::sound;

/// More characters than this name no colour.
const CHARS_MAX: usize = 12;

/// A colour under one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Colour {
    /// The usual name; with 色 where the name is one character without it: 黑色, 米白, 雾霾蓝.
    pub canonical: &'static str,
    /// One of 黑 白 灰 红 橙 黄 绿 蓝 紫 粉 棕, 金属 for gold, silver and the like, and 彩 for several colours or none.
    pub family: &'static str,
}

/// The colour that a word in normal form names: 藏青色, 黑的, 浅卡其, `navy`, `lan色`, 蓝瑟.
///
/// Unknown shades go by their end: 星空蓝 is 蓝色. Words that only sound like a colour (成色, 脱色) are none.
#[must_use]
pub fn colour(said: &str) -> Option<Colour> {
    let word: String = said.chars().filter(|sign| !sign.is_whitespace()).take(CHARS_MAX + 1).collect();
    if word.chars().count() > CHARS_MAX {
        return None;
    }
    named(&word).or_else(|| shaded(&word)).or_else(|| by_sound(&word)).or_else(|| by_end(&word))
}

/// A name of the table, with or without 色, 款, 系, 的.
fn named(word: &str) -> Option<Colour> {
    if NO_COLOURS.contains(&word) {
        return None;
    }
    let mut stem = word;
    loop {
        if let Some(colour) = NAMES.get(stem) {
            return Some(*colour);
        }
        stem = PARTICLES.iter().find_map(|end| stem.strip_suffix(end)).filter(|stem| !stem.is_empty())?;
    }
}

/// A known colour behind a word for its shade: 浅藏青, 荧光绿, 哑光黑.
fn shaded(word: &str) -> Option<Colour> {
    SHADES.iter().filter_map(|shade| word.strip_prefix(shade)).find_map(named)
}

/// A shade nobody listed, by its last character.
fn by_end(word: &str) -> Option<Colour> {
    let stem = PARTICLES.iter().fold(word, |stem, end| stem.strip_suffix(end).unwrap_or(stem));
    let last = stem.chars().next_back()?;
    let n_chars = stem.chars().count();
    // 洗衣粉, 蛋白 and 押金 end like colours; with 色 behind them they would be some.
    let needs_suffix = n_chars < 3 || "粉白金银".contains(last);
    let other_word = NO_ENDS.iter().any(|end| stem.ends_with(end)) || NO_COLOURS.contains(&word);
    if !(2..=5).contains(&n_chars) || other_word || (needs_suffix && !word.contains('色')) {
        return None;
    }
    if !stem.chars().all(|sign| ('\u{4E00}'..='\u{9FA5}').contains(&sign))
        || !"黑白灰红橙黄绿蓝紫粉棕金银咖".contains(last)
    {
        return None;
    }
    named(&last.to_string())
}

/// A name written as it sounds; at least two syllables, and no two colours that sound alike.
fn by_sound(word: &str) -> Option<Colour> {
    if NO_COLOURS.contains(&word) {
        return None;
    }
    let stem = ["的", "款"].iter().find_map(|end| word.strip_suffix(end)).unwrap_or(word);
    if stem.chars().count() < 2
        || !stem.chars().all(|sign| sign.is_ascii_lowercase() || !sound::readings(sign).is_empty())
    {
        return None;
    }
    spellings(stem).iter().find_map(|spelling| SOUNDS.get(spelling).copied().flatten())
}

/// How a word is typed in letters, one spelling for each way to read it, eight at most.
fn spellings(word: &str) -> Vec<String> {
    let mut spellings = vec![String::new()];
    for sign in word.chars() {
        let mut longer = Vec::new();
        for start in &spellings {
            let readings = sound::readings(sign);
            if readings.is_empty() {
                longer.push(format!("{start}{sign}"));
            }
            longer.extend(readings.iter().map(|reading| format!("{start}{}", sound::letters(*reading))));
        }
        longer.truncate(8);
        spellings = longer;
    }
    spellings
}

static NAMES: LazyLock<HashMap<&'static str, Colour>> = LazyLock::new(|| {
    let mut names = HashMap::new();
    for (family, rows) in TABLE {
        for row in rows.lines().map(str::trim).filter(|row| !row.is_empty()) {
            let mut words = row.split_whitespace();
            let Some(canonical) = words.next() else { continue };
            let colour = Colour { canonical, family };
            for name in std::iter::once(canonical).chain(words) {
                names.entry(name).or_insert(colour);
                let stem = name.strip_suffix('色').filter(|stem| !NOT_ALONE.contains(stem));
                if let Some(stem) = stem.filter(|stem| !stem.is_empty()) {
                    names.entry(stem).or_insert(colour);
                }
            }
        }
    }
    names
});

/// Spelling in letters to colour; `None` where two colours share a spelling.
static SOUNDS: LazyLock<HashMap<String, Option<Colour>>> = LazyLock::new(|| {
    let mut sounds: HashMap<String, Option<Colour>> = HashMap::new();
    let mut learn = |name: &str, colour: Colour| {
        for spelling in spellings(name) {
            sounds
                .entry(spelling)
                .and_modify(|known| *known = known.filter(|known| *known == colour))
                .or_insert(Some(colour));
        }
    };
    for (name, colour) in NAMES.iter().filter(|(name, _)| !name.is_ascii()) {
        if name.chars().count() > 1 {
            learn(name, *colour);
        }
        if !name.ends_with('色') {
            learn(&format!("{name}色"), *colour);
        }
    }
    sounds
});

const PARTICLES: &[&str] = &["的", "款", "色系", "系", "调", "色", "颜色"];

const SHADES: &[&str] = &[
    "浅",
    "深",
    "亮",
    "暗",
    "淡",
    "纯",
    "正",
    "大",
    "鲜",
    "嫩",
    "中",
    "荧光",
    "哑光",
    "亚光",
    "哑",
    "亮光",
    "磨砂",
    "复古",
    "莫兰迪",
    "马卡龙",
    "高级",
    "奶油",
    "雾面",
    "冰川",
    "冰",
    "雾",
    "经典",
    "曜石",
    "幻夜",
    "星空",
    "珠光",
    "柔",
    "暖",
    "冷",
    "清新",
    "低饱和",
];

/// Words that are no colours, though they look or sound like one.
const NO_COLOURS: &[&str] = &[
    "成色",
    "音色",
    "百色",
    "姿色",
    "情色",
    "脱色",
    "菜色",
    "合色",
    "何色",
    "分色",
    "形色",
    "性色",
    "颜色",
    "角色",
    "特色",
    "出色",
    "掉色",
    "褪色",
    "变色",
    "染色",
    "本色",
    "货色",
    "景色",
    "夜色",
    "气色",
    "什么色",
    "啥色",
    "哪个色",
    "小白",
    "明白",
    "空白",
    "表白",
    "口红",
    "网红",
    "腮红",
    "分红",
    "奶粉",
    "面粉",
    "花粉",
    "散粉",
    "现金",
    "押金",
    "定金",
    "奖金",
    "佣金",
    "资金",
    "退色",
    "换色",
    "选色",
    "补色",
    "就红",
    "几色",
    "一色",
    "单色系",
    "明黄瓜",
    "调色",
    "上色",
    "配色",
    "物色",
    "起色",
    "月色",
    "肉肉",
];

/// Ends of words that are no colours.
const NO_ENDS: &[&str] = &[
    "衣粉",
    "奶粉",
    "面粉",
    "蛋白",
    "押金",
    "定金",
    "现金",
    "口红",
    "腮红",
    "网红",
    "明白",
    "空白",
    "白白",
    "木耳黑",
];

/// Stems that mean something else when 色 is missing.
const NOT_ALONE: &[&str] = &[
    "花",
    "肉",
    "木",
    "水",
    "茶",
    "肤",
    "酒",
    "原",
    "骨",
    "象",
    "藕",
    "土",
    "沙",
    "豆",
    "烟",
    "纯",
    "本",
    "拼",
    "双",
    "多",
    "混",
    "撞",
    "随机",
    "血",
    "铜",
    "雪",
    "裸",
    "橘",
    "姜",
    "可可",
    "巧克力",
    "奶油",
    "燕麦",
    "芝麻",
    "胡桃",
    "栗",
    "香槟",
    "亚麻",
    "牛奶",
    "奶酪",
    "蜜桃",
    "樱花",
    "奶茶",
    "拿铁",
    "焦糖",
    "枫叶",
    "沙滩",
    "石头",
    "柠檬",
    "南瓜",
    "橄榄",
    "玫瑰",
];

/// Family, then a colour a line: its name and what else it is called. Chosen by hand from what shops write.
const TABLE: &[(&str, &str)] = &[
    ("黑", "
        黑色 black 曜石黑 乌黑 墨黑 漆黑 玄色 碳黑 炭黑 酷黑 暗黑 纯黑色 黑黑 子夜黑 午夜黑 幻夜黑 磨砂黑 黑灰黑
        墨色 墨
        黑白 黑白色 黑白拼色 黑白条
    "),
    ("白", "
        白色 white 纯白色 本白 本白色 雪白 雪色 漂白色 珍珠白 象牙白 瓷白 月白 月牙白 月光白 云白 亮白 冰川白 牛奶白 荧光白
        米白 米白色 米白的 奶油白 燕麦白 offwhite
        奶白 奶白色 乳白 乳白色 奶油色 牛奶色
        象牙色 象色 骨白 骨色
        灰白 灰白色
    "),
    ("灰", "
        灰色 gray grey 灰灰
        浅灰 浅灰色 淡灰 亮灰 麻灰浅
        深灰 深灰色 暗灰 铁灰 炭灰 碳灰 枪灰 烟灰 石墨 石墨色 石墨灰 煤灰 墨灰 大象灰
        中灰 中灰色
        银灰 银灰色
        麻灰 花灰 芝麻灰 混灰 燕麦灰
        高级灰 雾灰 雾霾灰 水泥灰 岩灰 岩石灰 太空灰 深空灰 莫兰迪灰 冷灰 暖灰 石头色
        黑灰 黑灰色
        青灰 鸽灰 灰绿灰
    "),
    ("红", "
        红色 red 大红 大红色 正红 正红色 中国红 鲜红 朱红 喜庆红 红红 法拉利红 火红 本命红
        酒红 酒红色 酒色 葡萄酒红 红酒色 波尔多红 勃艮第 勃艮第红 wine
        枣红 枣红色 暗红 暗红色 深红 深红色 绛红 猪肝红 血色 车厘子红 车厘子色 车厘子 樱桃红 赤霞红
        玫红 玫红色 玫瑰红 玫瑰色 梅红 梅红色 洋红 桃红 桃红色 西瓜红 火龙果色
        砖红 砖红色 铁锈红 锈红 土红 枫叶红 枫叶色 脏橘红
        番茄红 番茄色 草莓红 辣椒红 浆果红
        浅红 浅红色 淡红
        珊瑚红 珊瑚 珊瑚色
        豆沙红 豆沙色 豆沙 豆色
        胭脂红 石榴红 山楂红 绯红 绯色
    "),
    ("橙", "
        橙色 orange 橙 亮橙 爱马仕橙 活力橙 荧光橙 蜜橙
        橘色 橘红 橘红色 桔色 桔红 桔红色 橘 桔
        南瓜色 脏橘 脏橘色 赤橙
        柿子色 柿子红 落日橙 日落橙 胡萝卜色
        杏橙 橘粉橙
    "),
    ("黄", "
        黄色 yellow 明黄 明黄色 正黄 亮黄 荧光黄 黄黄
        浅黄 浅黄色 淡黄 淡黄色 鹅黄 鹅黄色 嫩黄 奶黄 奶黄色 奶酪黄 奶油黄 米黄 米黄色 杏黄 奶酪色
        柠檬黄 柠檬色 香蕉黄 迎春黄
        姜黄 姜黄色 姜色 芥末黄 芥末 咖喱色 咖喱黄
        深黄 深黄色 土黄 土黄色 土色 枯黄 老黄
        橙黄 橘黄 橘黄色 蜜黄 蜂蜜色 琥珀 琥珀色
        黄油色 黄油黄 向日葵黄
    "),
    ("绿", "
        绿色 green 正绿 绿绿 大绿 草绿 草绿色 草地绿 抹茶 抹茶绿 抹茶色 苹果绿 翠绿 翠绿色 翡翠绿 祖母绿 果绿 嫩绿 青草绿 芦荟绿
        浅绿 浅绿色 淡绿 豆绿 豆绿色 豆沙绿 鼠尾草绿 水绿 春绿 嫩芽绿
        深绿 深绿色 墨绿 墨绿色 森林绿 松石绿深 暗绿 孔雀绿 松绿 黛绿 复古绿
        军绿 军绿色 橄榄绿 橄榄色 橄榄 丛林绿 陆军绿
        牛油果绿 牛油果 牛油果色
        薄荷绿 薄荷 薄荷色 马卡龙绿 冰绿 薄荷青
        荧光绿 青柠 青柠绿
        灰绿 灰绿色 雾绿 莫兰迪绿 苔藓绿 抹布绿
        青绿 青绿色 松石绿 碧绿 蓝绿 蓝绿色 湖绿
        青色 cyan 天青 青瓷色 豆青 竹青 青
        黄绿 黄绿色
    "),
    ("蓝", "
        蓝色 blue 正蓝 大蓝 蓝蓝 中蓝 蔚蓝
        浅蓝 浅蓝色 淡蓝 淡蓝色 冰蓝 冰蓝色 婴儿蓝 水蓝 水色 粉蓝 粉蓝色 奶蓝 奶油蓝 海盐蓝
        天蓝 天蓝色 天空蓝 晴空蓝 湖蓝 湖蓝色 湖水蓝 海天蓝
        深蓝 深蓝色 暗蓝 墨蓝 午夜蓝 深海蓝 海军蓝 navy 普鲁士蓝
        藏青 藏青色 藏蓝 藏蓝色 藏蓝的 丈青
        宝蓝 宝蓝色 宝石蓝 皇家蓝 景泰蓝 蓝宝石 电光蓝 荧光蓝
        克莱因蓝 克莱因
        雾霾蓝 雾霾 雾蓝 莫兰迪蓝 灰蓝 灰蓝色 烟灰蓝 雾霾蓝色 高级蓝
        牛仔蓝 丹宁蓝 牛仔色 靛蓝 靛青 靛色 靛
        孔雀蓝 蒂芙尼蓝 tiffany蓝 松石蓝 马尔代夫蓝
        海蓝 海蓝色 海洋蓝 爱琴海蓝
        鸢尾蓝 长春花蓝 紫蓝
    "),
    ("紫", "
        紫色 purple 正紫 紫紫 葡萄紫 茄紫 茄子紫 罗兰紫
        浅紫 浅紫色 淡紫 淡紫色 丁香紫 薰衣草紫 薰衣草 奶紫 粉紫 粉紫色 紫粉 雪青 藕荷 藕荷色
        香芋紫 香芋 香芋色 芋泥紫 芋泥 芋泥色
        深紫 深紫色 暗紫 黑紫 桑葚紫 绛紫 紫罗兰 紫罗兰色
        蓝紫 蓝紫色 灰紫 雾霾紫
        紫红 紫红色 玫紫
    "),
    ("粉", "
        粉色 pink 粉红 粉红色 粉粉 正粉 少女粉 樱花粉 樱花色 芭比粉 蜜桃粉 蜜桃色 桃粉 桃粉色 水蜜桃粉 草莓粉
        浅粉 浅粉色 淡粉 淡粉色 嫩粉 奶粉色 冰粉色 婴儿粉 樱粉
        深粉 深粉色 玫粉 亮粉 荧光粉 死亡芭比粉
        裸粉 裸粉色 脏粉 脏粉色 藕粉 藕粉色 干枯玫瑰 干枯玫瑰色 灰粉 灰粉色 烟粉 豆沙粉 莫兰迪粉
        珊瑚粉 橘粉 橘粉色 三文鱼色 蜜粉色
        藕色 藕
    "),
    ("棕", "
        棕色 brown 棕棕 褐色 褐 茶褐 栗色 栗子色 栗棕 土棕 板栗色
        咖啡色 咖色 咖 咖啡 咖啡棕 coffee 摩卡 摩卡色 拿铁色 可可色 巧克力色 巧克力棕
        深棕 深棕色 深咖 深咖色 深褐 深褐色 黑棕 黑咖 胡桃色 胡桃木色 黑胡桃
        浅棕 浅棕色 浅咖 浅咖色 浅褐色
        焦糖色 焦糖棕 焦糖
        奶茶色 奶茶 奶咖 奶咖色 奶茶棕 芋泥奶茶
        驼色 camel 骆驼色 驼 浅驼 深驼 燕麦驼
        卡其 卡其色 khaki 浅卡其 深卡其 卡其布色 风衣色
        米色 beige 米 杏米 浅米色 燕麦色 燕麦 亚麻色 沙色 沙漠色 沙滩色 米咖 米杏 米杏色 麦色
        杏色 杏 杏仁色 浅杏 浅杏色 深杏 裸杏 奶杏 奶杏色
        裸色 肤色 肉色 nude 裸肤色 肤
        红棕 红棕色 红褐 铁锈棕 锈色
        茶色 棕黄 黄棕 原木色 木色 木纹色
        古铜色 铜色 青铜色
    "),
    ("金属", "
        金色 gold 黄金色 土豪金 亮金 浅金 金 金属金
        香槟色 香槟金 香槟 浅香槟
        玫瑰金 玫瑰金色 rosegold
        银色 silver 亮银 银 银白 银白色 金属银
        枪色 枪黑 枪黑色 金属灰
    "),
    ("彩", "
        彩色 多色 五彩 七彩 彩虹 彩虹色 缤纷 炫彩 幻彩 渐变 渐变色 镭射 混色
        花色 碎花 印花 拼色 撞色 双色 多巴胺 多巴胺色
        迷彩 迷彩色
        透明 透明色 无色
        格子 格纹 条纹 蓝白条纹 黑白条纹 波点 黑白格 红格 蓝格
        随机色
    "),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(said: &str, canonical: &str, family: &str) {
        let found = colour(said).map(|colour| (colour.canonical, colour.family));
        assert_eq!(found, Some((canonical, family)), "{said}");
    }

    #[test]
    fn names_of_shops() {
        for (said, canonical, family) in [
            ("黑", "黑色", "黑"),
            ("黑的", "黑色", "黑"),
            ("黑色", "黑色", "黑"),
            ("黑色款", "黑色", "黑"),
            ("black", "黑色", "黑"),
            ("藏青", "藏青", "蓝"),
            ("藏蓝色", "藏青", "蓝"),
            ("雾霾蓝", "雾霾蓝", "蓝"),
            ("雾霾蓝色", "雾霾蓝", "蓝"),
            ("navy", "深蓝", "蓝"),
            ("焦糖色", "焦糖色", "棕"),
            ("米白", "米白", "白"),
            ("奶茶色", "奶茶色", "棕"),
            ("酒红", "酒红", "红"),
            ("酒红色的", "酒红", "红"),
            ("牛油果绿", "牛油果绿", "绿"),
            ("克莱因蓝", "克莱因蓝", "蓝"),
            ("香芋紫", "香芋紫", "紫"),
            ("驼色", "驼色", "棕"),
            ("卡其", "卡其", "棕"),
            ("军绿", "军绿", "绿"),
            ("军绿色", "军绿", "绿"),
            ("玫红", "玫红", "红"),
            ("咖色", "咖啡色", "棕"),
            ("银色", "银色", "金属"),
            ("香槟色", "香槟色", "金属"),
            ("彩色", "彩色", "彩"),
            ("杏色", "杏色", "棕"),
            ("粉红", "粉色", "粉"),
            ("米色", "米色", "棕"),
            ("橘红", "橘色", "橙"),
            ("姜黄", "姜黄", "黄"),
        ] {
            check(said, canonical, family);
        }
    }

    #[test]
    fn shades_go_by_the_rule() {
        check("浅藏青", "藏青", "蓝");
        check("荧光绿", "荧光绿", "绿");
        check("哑光黑", "黑色", "黑");
        check("星空蓝", "蓝色", "蓝");
        check("梦幻紫", "紫色", "紫");
        check("高级感灰色", "灰色", "灰");
        check("亮红色", "红色", "红");
        check("深驼色", "驼色", "棕");
        check("浅蓝", "浅蓝", "蓝");
        check("淡黄色", "浅黄", "黄");
    }

    #[test]
    fn typing_errors_go_by_sound() {
        check("蓝瑟", "蓝色", "蓝");
        check("lan色", "蓝色", "蓝");
        check("heise", "黑色", "黑");
        check("粽色", "棕色", "棕");
        check("卡奇", "卡其", "棕");
        check("米拜", "米白", "白");
        check("藏清色", "藏青", "蓝");
        check("雾埋蓝", "雾霾蓝", "蓝");
        check("lvse", "绿色", "绿");
        check("辉色", "灰色", "灰");
    }

    #[test]
    fn other_words_are_no_colours() {
        for said in [
            "",
            "色",
            "的",
            "成色",
            "脱色",
            "颜色",
            "什么色",
            "音色",
            "明白",
            "洗衣粉",
            "蛋白",
            "口红",
            "押金",
            "衬衫",
            "黑龙江",
            "lan",
            "hei",
            "a",
            "不掉色",
            "黑色的衬衫还有没有货呢",
            "好吗",
        ] {
            assert_eq!(colour(said), None, "{said}");
        }
    }

    #[test]
    fn every_name_finds_itself() {
        let families = ["黑", "白", "灰", "红", "橙", "黄", "绿", "蓝", "紫", "粉", "棕", "金属", "彩"];
        let mut n_canonical = 0;
        for (family, rows) in TABLE {
            assert!(families.contains(family));
            for row in rows.lines().map(str::trim).filter(|row| !row.is_empty()) {
                let words: Vec<&str> = row.split_whitespace().collect();
                n_canonical += 1;
                for word in &words {
                    check(word, words[0], family);
                }
            }
        }
        assert!(n_canonical >= 95 && NAMES.len() >= 500, "{n_canonical} {}", NAMES.len());
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_safe(said in ".*", signs in "[黑白红蓝绿色的浅深米藏瑟a-z ]{0,14}") {
            for said in [said, signs] {
                let _ = colour(&said);
            }
        }
    }
}
