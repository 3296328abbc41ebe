//! Whole folders: one page of cases for every finding that loading and linting can give.

use std::fs;
use std::path::Path;

use jiff::civil::Date;
use proptest::prelude::*;

use crate::knowledge::Knowledge;
use crate::knowledge::bots;
use crate::knowledge::finding::Finding;
use crate::knowledge::finding::Severity;
use crate::knowledge::lint;
use crate::knowledge::load;
use crate::knowledge::load::Loaded;

const TODAY: Date = jiff::civil::date(2026, 11, 22);
const BOT: &str = "\
name = \"小应\"
title = \"云朵小铺\"
greeting = \"您好\"
[topics]
return_policy = \"退换货\"
[handoff]
default_group = \"service\"
[handoff.groups]
service = \"客服\"
";
const FAQ: &str = "编号,分类,问题,相似问,答案,回复,生效,失效\n";
const PRODUCTS: &str = "编号,名称,类目,别名,系列,颜色,尺码,材质,款式,价格,库存,缺货,图片,描述\n";

fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, bytes) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    dir
}

fn check_folder(dir: &Path) -> Loaded {
    let Loaded { knowledge, mut findings } = load(dir);
    if let Some(knowledge) = &knowledge {
        findings.extend(lint(knowledge, TODAY));
    }
    findings.sort_by(|a, b| a.source.cmp(&b.source));
    Loaded { knowledge, findings }
}

fn findings(files: &[(&str, &str)]) -> Vec<Finding> {
    let mut written: Vec<(&str, &[u8])> = files.iter().map(|(path, text)| (*path, text.as_bytes())).collect();
    if !files.iter().any(|(path, _text)| *path == "bot.toml") {
        written.push(("bot.toml", BOT.as_bytes()));
    }
    check_folder(folder(&written).path()).findings
}

/// Checks that the files give exactly one finding: `file:line code`.
#[track_caller]
fn check(files: &[(&str, &str)], expected: &str) -> Finding {
    let found = findings(files);
    let told: Vec<String> =
        found.iter().map(|f| format!("{}:{} {}", f.source.file, f.source.line, f.code)).collect();
    assert_eq!(told, [expected], "{found:#?}");
    let finding = found.into_iter().next().unwrap();
    for text in [&finding.message, &finding.remedy] {
        assert!(text.contains(|c| ('一'..='龥').contains(&c)), "not in Chinese: {text}");
    }
    finding
}

#[track_caller]
fn check_faq(rows: &str, expected: &str) -> Finding {
    check(&[("faq/a.csv", &format!("{FAQ}{rows}"))], expected)
}

#[track_caller]
fn check_bot(from: &str, to: &str, expected: &str) -> Finding {
    assert!(BOT.contains(from));
    check(&[("bot.toml", &BOT.replace(from, to))], expected)
}

#[test]
fn numbers_of_a_profile_lie_in_their_ranges() {
    for (line, code) in [
        ("link_days = 0", "bad-days"),
        ("retention_days = 3651", "bad-days"),
        ("survey = { idle_minutes = 1441 }", "bad-minutes"),
        ("survey = { every_hours = 0 }", "bad-hours"),
    ] {
        check(&[("bot.toml", &format!("{line}\n{BOT}"))], &format!("bot.toml:1 {code}"));
    }
    let head = "[handoff]\n";
    let below = 2 + BOT.split(head).next().unwrap().lines().count();
    for (line, code) in [
        ("wait_minutes = 0", "bad-minutes"),
        ("lease_minutes = 241", "bad-minutes"),
        ("overdue_group = \"没有\"", "unknown-group"),
    ] {
        check_bot(head, &format!("{head}{line}\n"), &format!("bot.toml:{below} {code}"));
    }
}

#[track_caller]
fn check_reply(text: &str, expected: &str) -> Finding {
    check(&[("replies.toml", text), ("x.pdf", "12345678"), ("x.png", "12345678")], expected)
}

#[track_caller]
fn loaded(files: &[(&str, &[u8])]) -> Knowledge {
    let mut files = files.to_vec();
    files.push(("bot.toml", BOT.as_bytes()));
    let loaded = load(folder(&files).path());
    assert_eq!(loaded.findings, []);
    loaded.knowledge.unwrap()
}

#[test]
fn a_sound_folder_is_read_without_a_word() {
    let rules = "# first\n\n[[rule]]\nid = \"a\"\nthen = [{ reply = \"chart\" }]\n\n  [[rule]]\nid = \"b\"\nwhen = { any = [\"人工\"] }\n\
                 then = [{ handoff = \"service\" }, { tag = \"x\" }]\n";
    let dir = folder(&[
        ("bot.toml", BOT.as_bytes()),
        ("faq/b.md", "# 退换货\n\n## 几天能退\n\n七天。\n".as_bytes()),
        ("faq/a/a.csv", format!("{FAQ}r-1,退换货,能退吗,,能。,chart,2026-01-01,2026-12-31\n").as_bytes()),
        ("faq/.hidden", b"x"),
        ("products.csv", format!("{PRODUCTS}A1,衬衫,衬衫,,,黑色,M,,,9,1,黑色/M,x.png,\n").as_bytes()),
        ("synonyms.txt", "衬衫 = 衬衣\n".as_bytes()),
        ("terms.txt", "云柔\n".as_bytes()),
        ("rules.toml", rules.as_bytes()),
        (
            "replies.toml",
            b"[reply.chart]\ntext = \"x\"\nattachments = [{ kind = \"image\", file = \"x.png\" }]\n",
        ),
        ("sensitive.toml", "# x\n[[word]]\nid = \"w\"\nwords = [\"微信\"]\naction = \"mask\"\n".as_bytes()),
        ("x.png", b"12345678"),
        ("README.md", b"x"),
    ]);
    let loaded = check_folder(dir.path());
    assert_eq!(loaded.findings, []);
    let knowledge = loaded.knowledge.unwrap();
    assert_eq!(knowledge.bot, dir.path().file_name().unwrap().to_str().unwrap());
    let entries: Vec<_> =
        knowledge.entries.iter().map(|e| (e.source.file.as_str(), e.source.line, e.topic.as_str())).collect();
    assert_eq!(entries, [("faq/a/a.csv", 2, "return_policy"), ("faq/b.md", 3, "return_policy")]);
    assert_eq!(
        knowledge.rules.iter().map(|rule| (rule.id.as_str(), rule.line)).collect::<Vec<_>>(),
        [("a", 3), ("b", 7)]
    );
    assert_eq!(knowledge.sensitive[0].line, 2);
    assert_eq!((knowledge.products.len(), knowledge.synonyms.len(), knowledge.terms.len()), (1, 1, 1));
}

#[test]
fn the_folder_and_its_files() {
    let empty = tempfile::tempdir().unwrap();
    let told = load(empty.path());
    assert_eq!(told.findings[0].code, "missing-file");
    assert!(told.knowledge.is_none());
    check(&[("faq/a.xlsx", "x")], "faq/a.xlsx:1 unread-file");
    assert_eq!(check(&[("rule.toml", "")], "rule.toml:1 unread-file").remedy, "您是不是想写“rules.toml”？");
    check(&[("products.csv/x", "")], "products.csv:1 file-unreadable");
    check(&[("faq/1/2/3/4/5/6/7/8/x.csv", "")], "faq/1/2/3/4/5/6/7/8:1 too-many");
}

#[test]
fn bytes_that_cannot_be_read_name_the_encoding_and_the_line() {
    let mut bytes = format!("\u{FEFF}{FAQ}r-1,退换货,能退吗,,能。,,,\n").into_bytes();
    bytes.extend(b"r-2,\xFF\xFF,x,,x,,,\n");
    let told = load(folder(&[("bot.toml", BOT.as_bytes()), ("faq/a.csv", &bytes)]).path()).findings;
    assert_eq!(told.iter().map(|f| (f.code, f.source.line)).collect::<Vec<_>>(), [("file-encoding", 3)]);
    assert!(told[0].message.contains("UTF-8"), "{}", told[0].message);
}

#[test]
fn a_file_above_the_limit_is_not_read() {
    let dir = folder(&[("bot.toml", BOT.as_bytes()), ("products.csv", b"")]);
    // A sparse file: no such amount is written.
    fs::File::options()
        .write(true)
        .open(dir.path().join("products.csv"))
        .unwrap()
        .set_len((64 << 20) + 1)
        .unwrap();
    let told = load(dir.path()).findings;
    assert_eq!(told.iter().map(|finding| finding.code).collect::<Vec<_>>(), ["file-size"]);
}

#[cfg(unix)]
#[test]
fn links_and_names_of_other_systems_are_refused() {
    let outside = folder(&[("a.csv", FAQ.as_bytes())]);
    let dir = folder(&[("bot.toml", BOT.as_bytes()), ("faq/a.csv", FAQ.as_bytes())]);
    let link =
        |name: &str| std::os::unix::fs::symlink(outside.path().join("a.csv"), dir.path().join(name)).unwrap();
    link("faq/linked.csv");
    link("terms.txt");
    fs::write(dir.path().join("faq/a:b.csv"), FAQ).unwrap();
    std::os::unix::fs::symlink(outside.path(), dir.path().join("faq/more")).unwrap();
    let told: Vec<_> = load(dir.path()).findings.iter().map(|f| (f.code, f.source.file.clone())).collect();
    let expected = [
        ("path-outside", "faq/a:b.csv"),
        ("file-link", "faq/linked.csv"),
        ("file-link", "faq/more"),
        ("file-link", "terms.txt"),
    ];
    assert_eq!(told, expected.map(|(code, file)| (code, file.to_owned())));
}

#[test]
fn tables_of_chinese_spreadsheets_read_alike() {
    let table = format!("{FAQ}r-1,退换货,能退吗,退货,\"能,\n七天\",,,\nr-2,退换货,换货呢,,可以。,,,\n");
    let utf16: Vec<u8> =
        std::iter::once(0xFEFF).chain(table.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let tabs = table.replace("能,\n", "能\n").replace(',', "\t");
    let tabs: Vec<u8> =
        std::iter::once(0xFEFF).chain(tabs.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let plain = table.clone().into_bytes();
    let marked = format!("\u{FEFF}{table}").into_bytes();
    let gbk = encoding_rs::GBK.encode(&table).0.into_owned();
    let windows = table.replace('\n', "\r\n").into_bytes();
    for (name, bytes) in [
        ("utf-8", plain),
        ("bom", marked),
        ("gbk", gbk),
        ("utf-16", utf16),
        ("tabs", tabs),
        ("crlf", windows),
    ] {
        let entries = loaded(&[("faq/a.csv", &bytes)]).entries;
        let read: Vec<_> = entries.iter().map(|entry| (entry.id.as_str(), entry.source.line)).collect();
        assert_eq!(read, [("r-1", 2), ("r-2", 4)], "{name}");
        assert_eq!(entries[1].question, "换货呢", "{name}");
    }
}

#[test]
fn broken_toml_names_line_column_and_key() {
    let syntax = check_bot("title = \"云朵小铺\"", "title = 云朵小铺", "bot.toml:2 toml-syntax");
    assert!(
        syntax.message.contains("第 2 行第 9 列") && syntax.message.contains("“title”"),
        "{}",
        syntax.message
    );
    check(&[("rules.toml", "[[rule]\n")], "rules.toml:1 toml-syntax");
    let unknown = check_bot("greeting =", "phne = \"1\"\ngreeting =", "bot.toml:3 unknown-key");
    assert_eq!(unknown.remedy, "您是不是想写“phone”？");
    check_bot("title = \"云朵小铺\"\n", "", "bot.toml:1 missing-key");
    check_bot("title = \"云朵小铺\"", "title = 3", "bot.toml:2 bad-value");
    check_bot("[handoff]", "[flood]\nmessages_per_minute = \"秘密\"\n[handoff]", "bot.toml:7 bad-value");
}

#[test]
fn all_mistakes_of_a_toml_file_are_told_at_once() {
    let rules = "\
[[rule]]
id = \"a\"
wen = {}
then = [{ repl = \"x\" }]
[[rule]]
then = [{ tag = \"x\" }]
[[rule]]
id = \"c\"
when = { weekday = [\"monday\"], anny = [\"x\"] }
then = [{ tag = 3 }]
[[rules]]
id = \"d\"
";
    let told: Vec<_> = findings(&[("rules.toml", rules)]).iter().map(|f| (f.source.line, f.code)).collect();
    let expected = [
        (3, "unknown-key"),
        (4, "bad-value"),
        (5, "missing-key"),
        (9, "bad-value"),
        (9, "unknown-key"),
        (10, "bad-value"),
        (11, "unknown-key"),
    ];
    let mut sorted = told.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, expected);
    let both = "greeting = \"x\"\n";
    let told: Vec<_> = findings(&[("bot.toml", both)]).iter().map(|f| f.code).collect();
    assert_eq!(told, ["missing-key", "missing-key"]);
}

#[test]
fn keys_inside_attachments_are_found() {
    let reply = "[reply.a]\ntext = \"x\"\nattachments = [\n  { kind = \"image\", file = \"x.png\" },\n  { kind = \"image\", file = \"x.png\", titel = \"x\" },\n]\n";
    let told = check_reply(reply, "replies.toml:5 unknown-key");
    assert_eq!(told.remedy, "您是不是想写“title”？");
    check_reply(&reply.replace("titel", "title").replacen("image", "imag", 1), "replies.toml:4 bad-value");
    check_reply(
        "[reply.a]\ntext = \"x\"\nattachments = [{ kind = \"file\", file = \"x.pdf\" }]\n",
        "replies.toml:3 missing-key",
    );
}

#[test]
fn dates_may_stand_bare_or_quoted() {
    let holiday =
        |from: &str| format!("{BOT}[[holidays]]\nname = \"国庆\"\nfrom = {from}\nuntil = 2026-10-07\n");
    for from in ["2026-10-01", "\"2026-10-01\""] {
        assert_eq!(findings(&[("bot.toml", &holiday(from))]), []);
    }
    let told = check(&[("bot.toml", &holiday("\"2026-13-01\""))], "bot.toml:12 bad-value");
    assert!(told.message.contains("2026-13-01"), "{}", told.message);
}

#[test]
fn headers_of_tables() {
    let told = check(&[("faq/a.csv", "问题,答案,回服\n")], "faq/a.csv:1 csv-header");
    assert!(told.message.contains("第 3 列“回服”"), "{}", told.message);
    assert_eq!(told.remedy, "您是不是想写“回复”？");
}

#[test]
fn faq_rows() {
    check_faq("r-1,退换货,能退吗,,能\n", "faq/a.csv:2 csv-fields");
    check_faq("r-1,退换货,能退吗,,\"能\n,,,\n", "faq/a.csv:2 csv-quote");
    check_faq("r 1,退换货,能退吗,,能,,,\n", "faq/a.csv:2 bad-id");
    check_faq("r-1,退换货,,,能,,,\n", "faq/a.csv:2 missing-field");
    check_faq("r-1,退换货,能退吗,,能,,明天,\n", "faq/a.csv:2 bad-date");
    check_faq("r-1,退换货,能退吗,,\" \",,,\n", "faq/a.csv:2 empty-answer");
    check_faq(&format!("r-1,退换货,能退吗,,{},,,\n", "a".repeat(2_049)), "faq/a.csv:2 long-answer");
    check_faq(&format!("r-1,退换货,{},,能,,,\n", "问".repeat(201)), "faq/a.csv:2 too-long");
    check_faq(&format!("r-1,退换货,能退吗,{},能,,,\n", "问|".repeat(101)), "faq/a.csv:2 too-many");
    check_faq("r-1,退换,能退吗,,能,,,\n", "faq/a.csv:2 unknown-topic");
    check_faq("r-1,,能退吗,,能,,,\n", "faq/a.csv:2 unknown-topic");
    check_faq("r-1,退换货,能退吗,,能,chart,,\n", "faq/a.csv:2 unknown-reply");
    check_faq("r-1,退换货,能退吗,,能,,2026-12-02,2026-12-01\n", "faq/a.csv:2 entry-period");
    check_faq("r-1,退换货,能退吗,,能,,,2026-11-21\n", "faq/a.csv:2 expired-entry");
    check_faq("r-1,退换货,能退吗,,能,,,2026-11-22\n", "faq/a.csv:2 ends-soon");
    assert_eq!(findings(&[("faq/a.csv", &format!("{FAQ}r-1,退换货,能退吗,,能,,,2026-12-07\n"))]), []);
}

#[test]
fn faq_entries_against_each_other() {
    check_faq("r-1,退换货,能退吗,,能,,,\nr-1,退换货,几天到,,能,,,\n", "faq/a.csv:3 duplicate-id");
    check_faq(
        "r-1,退换货,能退吗,,能,,,\nr-2,退换货,几天到,能退吗？,能,,,\n",
        "faq/a.csv:3 duplicate-question",
    );
    check_faq("r-1,退换货,能退吗,ABC|ａｂｃ,能,,,\n", "faq/a.csv:2 repeated-phrasing");
    let near = "r-1,退换货,我上个星期买的那件黑色长袖衬衫现在还可以退货吗,,能,,,\n\
                r-2,退换货,我上个星期买的那件黑色长袖衬衫现在还可以退货么,,能,,,\n";
    check_faq(near, "faq/a.csv:3 near-duplicate");
    let one_after_the_other = "r-1,退换货,能退吗,,能,,,2027-12-01\nr-2,退换货,能退吗,,不能,,2027-12-02,\n";
    assert_eq!(findings(&[("faq/a.csv", &format!("{FAQ}{one_after_the_other}"))]), []);
}

#[test]
fn markdown_pages() {
    let page = |keys: &str| format!("# 退换货\n## 能退吗\n{keys}\n\n能。\n");
    check(&[("faq/a.md", &page("问发：x"))], "faq/a.md:3 unknown-key");
    check(&[("faq/a.md", &page("编号：a\n编号：b"))], "faq/a.md:4 duplicate-key");
    check(&[("faq/a.md", &format!("x\n{}", page("编号：a")))], "faq/a.md:1 stray-text");
    check(&[("faq/a.md", &page("编号：a\n\n```"))], "faq/a.md:5 markdown-fence");
}

#[test]
fn products() {
    let check_product = |row: &str, expected: &str| {
        check(&[("products.csv", &format!("{PRODUCTS}{row}\n"))], expected);
    };
    check_product("A1,衬衫,衬衫,,,,,,,x,1,,,", "products.csv:2 bad-price");
    check_product("A1,衬衫,衬衫,,,,,,,1,x,,,", "products.csv:2 bad-stock");
    check_product("A1,衬衫,衬衫,,,黑色,M,,,1,1,黑色,,", "products.csv:2 bad-variant");
    check_product("A1,衬衫,衬衫,,,黑色,M,,,1,1,红色/M,,", "products.csv:2 unknown-variant");
    check_product("A1,衬衫,衬衫,,,黑色,M,,,1,1,黑色/L,,", "products.csv:2 unknown-variant");
    check_product("A1,衬衫,衬衫,,,,,,,0,1,,,", "products.csv:2 price-zero");
    check_product("A1,衬衫,衬衫,,,,,,,1,1,,pictures/A1.png,", "products.csv:2 picture-missing");
    check_product("A1,衬衫,衬衫,,,,,,,1,1,,../A1.png,", "products.csv:2 attachment-path");
    check_product("A1,衬衫,衬衫,,,,,,,1,1,,,\nA1,裤子,裤子,,,,,,,1,1,,,", "products.csv:3 duplicate-id");
}

#[test]
fn word_lists() {
    check(&[("synonyms.txt", "衬衫 衬衣\n")], "synonyms.txt:1 bad-synonyms");
    check(&[("synonyms.txt", "# x\n衬衫 = 衬衣\n\n上衣 = 衬衣\n")], "synonyms.txt:4 repeated-synonym");
    check(&[("terms.txt", &"长".repeat(51))], "terms.txt:1 too-long");
}

#[test]
fn welcomes_keep_to_what_wecom_takes() {
    let check = |welcome: &str, expected: &str| check(&[("bot.toml", &format!("{BOT}{welcome}"))], expected);
    check("[[welcome]]\nstate = \"\"\ntext = \"好\"\n", "bot.toml:11 bad-state");
    let long = "海".repeat(31);
    check(&format!("[[welcome]]\nstate = \"{long}\"\ntext = \"好\"\n"), "bot.toml:11 bad-state");
    let one = "[[welcome]]\nstate = \"a\"\ntext = \"好\"\n";
    check(&format!("{one}{one}"), "bot.toml:14 duplicate-welcome");
    check("[[welcome]]\ntext = \" \"\n", "bot.toml:11 empty-welcome");
    let with = |attachments: &str| format!("[[welcome]]\ntext = \"好\"\nattachments = [{attachments}]\n");
    check(&with("{ kind = \"image\", pic_url = \"x.png\" }"), "bot.toml:12 bad-url");
    let link = "{ kind = \"link\", title = \"t\", url = \"https://a.example\" }";
    check(&with(&[link; 10].join(", ")), "bot.toml:12 too-many");
    let title = "题".repeat(43);
    check(&with(&link.replace("\"t\"", &format!("\"{title}\""))), "bot.toml:12 attachment-length");
    assert_eq!(findings(&[("bot.toml", &format!("{BOT}{}", with(&[link; 9].join(", "))))]), []);
}

#[test]
fn settings_of_the_bot() {
    check_bot("title = \"云朵小铺\"", "title = \" \"", "bot.toml:2 empty-field");
    check_bot(
        "[topics]",
        "suggestions = [\"1\", \"2\", \"3\", \"4\", \"5\", \"6\", \"7\"]\n[topics]",
        "bot.toml:4 too-many",
    );
    check_bot("[topics]", "[thresholds]\nanswer = 1.5\n[topics]", "bot.toml:5 threshold-range");
    check_bot("[topics]", "[thresholds]\nmargin = nan\n[topics]", "bot.toml:5 threshold-range");
    check_bot("[topics]", "[thresholds]\nanswer = 0.2\n[topics]", "bot.toml:4 threshold-order");
    let told = check_bot("\"service\"", "\"servise\"", "bot.toml:7 unknown-group");
    assert_eq!(told.remedy, "您是不是想写“service”？");
}

#[test]
fn people_outside_are_told_of_kinds_and_groups_that_there_are() {
    const ROBOT: &str = "to = { group_robot = { url = \"env:X\" } }";
    let entry = |lines: &str| format!("[[notify]]\n{lines}\n");
    let profile = |lines: &str| format!("{BOT}{}", entry(lines));
    let check = |lines: &str, expected: &str| check(&[("bot.toml", &profile(lines))], expected);
    let whole =
        format!("name = \"值班群\"\non = [\"waiting\", \"overdue\"]\ngroups = [\"service\"]\n{ROBOT}");
    assert_eq!(findings(&[("bot.toml", &profile(&whole))]), []);
    check(&format!("name = \"a\"\non = [\"waiting\", \"overdu\"]\n{ROBOT}"), "bot.toml:12 bad-value");
    let told = check(&whole.replace("\"service\"", "\"servise\""), "bot.toml:13 unknown-group");
    assert_eq!(told.remedy, "您是不是想写“service”？");
    check(&format!("name = \"a\"\non = []\n{ROBOT}"), "bot.toml:12 empty-field");
    check(&format!("name = \"{}\"\non = [\"taken\"]\n{ROBOT}", "名".repeat(41)), "bot.toml:11 bad-name");
    let twice = format!("{whole}\n{}", entry(&whole).trim_end());
    check(&twice, "bot.toml:16 duplicate-id");

    let sms = |rest: &str| {
        format!(
            "name = \"a\"\non = [\"waiting\"]\n[notify.to.aliyun_sms]\naccess_key_id = \"env:I\"\n\
             access_key_secret = \"env:S\"\nsign = \"云朵\"\ntemplate = \"SMS_1\"\n{rest}"
        )
    };
    assert_eq!(findings(&[("bot.toml", &profile(&sms("phones = [\"env:P\"]")))]), []);
    check(&sms("phones = []"), "bot.toml:18 bad-count");
    check(&sms("phones = [\"env:P\"]").replace("\"SMS_1\"", "\" \""), "bot.toml:17 empty-field");
    check(&sms("phones = [\"13800001234\"]"), "bot.toml:18 literal-secret");
    let worded = sms("phones = [\"env:P\"]").replace("[\"waiting\"]\n", "[\"waiting\"]\ntemplate = \"好\"\n");
    let told = check(&worded, "bot.toml:13 unused-template");
    assert_eq!(told.severity, Severity::Warning);

    let url = "name = \"a\"\non = [\"waiting\"]\nto = { dingtalk = { url = \"https://a.cn/x\" } }";
    let told = check(url, "bot.toml:13 literal-secret");
    assert!(!told.message.contains("a.cn"), "{told}");
    let todo = "name = \"a\"\non = [\"waiting\"]\n[notify.to.dingtalk_todo]\napp_key = \"env:K\"\napp_secret = \"env:S\"\n\
                creator = \"U1\"\nexecutors = []";
    check(todo, "bot.toml:17 bad-count");
    let nowhere = todo.replace("[]", "[\"U2\"]\ndetail_url = \"desk\"");
    check(&nowhere, "bot.toml:18 bad-url");
    let missing = profile("name = \"a\"\non = [\"waiting\"]\nto = { dingtalk = {} }");
    assert!(findings(&[("bot.toml", &missing)]).iter().any(|finding| finding.code == "missing-key"));
}

#[test]
fn replies_and_their_attachments() {
    let attached = |inside: &str| format!("[reply.a]\ntext = \"x\"\n[[reply.a.attachments]]\n{inside}\n");
    check_reply("[reply.a]\n", "replies.toml:1 empty-reply");
    check_reply(&attached("kind = \"image\"\nfile = \"y.png\""), "replies.toml:5 attachment-missing");
    check_reply(&attached("kind = \"image\"\nfile = \"/etc/passwd\""), "replies.toml:5 attachment-path");
    check_reply(&attached("kind = \"image\"\nfile = \"x.pdf\""), "replies.toml:5 attachment-format");
    check_reply(&attached("kind = \"voice\"\nfile = \"x.png\""), "replies.toml:5 attachment-format");
    let voice = attached("kind = \"voice\"\nfile = \"x.mp3\"");
    let beside = [("replies.toml", voice.as_str()), ("x.mp3", "12345678"), ("x.amr", "12345678")];
    assert_eq!(findings(&beside), [], "pages play the one and WeCom the other");
    check_reply(&attached("kind = \"link\"\ntitle = \"x\"\nurl = \"www.a.cn\""), "replies.toml:6 bad-url");
    let card = |title: usize, words: usize| {
        let (title, words) = ("a".repeat(title), "a".repeat(words));
        attached(&format!(
            "kind = \"card\"\ntitle = \"{title}\"\ndescription = \"{words}\"\npicture = \"x.png\""
        ))
    };
    assert_eq!(findings(&[("replies.toml", &card(128, 512)), ("x.png", "12345678")]), []);
    check_reply(&card(129, 512), "replies.toml:5 card-title");
    check_reply(&card(128, 513), "replies.toml:6 card-description");
}

#[test]
fn attachments_above_what_wecom_takes() {
    for (kind, file, limit) in
        [("image", "x.png", 10 << 20), ("voice", "x.amr", 2 << 20), ("file", "x.pdf", 20 << 20)]
    {
        let reply =
            format!("[reply.a]\nattachments = [{{ kind = \"{kind}\", file = \"{file}\", title = \"x\" }}]\n");
        let dir = folder(&[("bot.toml", BOT.as_bytes()), ("replies.toml", reply.as_bytes()), (file, b"")]);
        let open = fs::File::options().write(true).open(dir.path().join(file)).unwrap();
        for (bytes, expected) in
            [(5, &["attachment-size"][..]), (6, &[]), (limit, &[]), (limit + 1, &["attachment-size"])]
        {
            open.set_len(bytes).unwrap();
            let told: Vec<_> = check_folder(dir.path()).findings.iter().map(|f| f.code).collect();
            assert_eq!(told, expected, "{kind} of {bytes} bytes");
        }
    }
}

#[test]
fn documents_that_run_out() {
    let file = |name: &str, rest: &str| {
        format!(
            "[reply.{name}]\nattachments = [{{ kind = \"file\", file = \"x.pdf\", title = \"x\"{rest} }}]\n"
        )
    };
    let told = check_reply(&file("a", ", valid_until = 2026-11-21"), "replies.toml:2 expired-attachment");
    assert_eq!(told.severity, Severity::Warning);
    let told = check_reply(&file("a", ", valid_until = 2026-11-22"), "replies.toml:2 ends-soon");
    assert_eq!(told.severity, Severity::Warning);
    let later = file("a", ", valid_until = 2026-12-07");
    assert_eq!(findings(&[("replies.toml", &later), ("x.pdf", "12345678")]), []);
    check_reply(&file("a", ", current = \"b\""), "replies.toml:2 unknown-reply");
    check_reply(&file("a", ", current = \"a\""), "replies.toml:2 current-loop");
    let chain = file("a", ", valid_until = 2026-11-21, current = \"b\"") + &file("b", "");
    assert_eq!(findings(&[("replies.toml", &chain), ("x.pdf", "12345678")]), []);
}

#[test]
fn rules_and_sensitive_words() {
    let rule = |then: &str| format!("[[rule]]\nid = \"a\"\nthen = [{then}]\n");
    check(&[("rules.toml", &rule("{ reply = \"x\" }"))], "rules.toml:1 unknown-reply");
    check(&[("rules.toml", &rule("{ handoff = \"x\" }"))], "rules.toml:1 unknown-group");
    assert_eq!(findings(&[("rules.toml", &rule("{ handoff = \"\" }"))]), []);
    check(&[("rules.toml", &rule("{ tag = \"x\" }").repeat(2))], "rules.toml:4 duplicate-id");
    let word = "[[word]]\nid = \"a\"\nwords = [\"x\"]\naction = \"handoff\"\n";
    check(&[("sensitive.toml", &format!("{word}group = \"x\"\n"))], "sensitive.toml:1 unknown-group");
    check(&[("sensitive.toml", &word.repeat(2))], "sensitive.toml:5 duplicate-id");
    let named_after_the_file = word.replace("[[word]]", "[[sensitive]]");
    check(&[("sensitive.toml", &named_after_the_file.repeat(2))], "sensitive.toml:5 duplicate-id");
}

#[test]
fn secrets_are_named_and_never_repeated() {
    let secret = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";
    let app = |token: &str, key: &str| {
        format!("{BOT}[wecom.shop]\ncorp_id = \"ww1\"\ntoken = \"{token}\"\naes_key = \"{key}\"\n")
    };
    assert_eq!(findings(&[("bot.toml", &app("env:TOKEN", "env:KEY"))]), []);
    let bot = |token: &str, key: &str| {
        format!("{BOT}[aibot.shop]\ntoken = \"{token}\"\naes_key = \"{key}\"\nemployees = true\n")
    };
    assert_eq!(findings(&[("bot.toml", &bot("env:TOKEN", "env:KEY"))]), []);
    let all = [
        check(&[("bot.toml", &bot(secret, "env:KEY"))], "bot.toml:11 literal-secret"),
        check(&[("bot.toml", &bot("env:TOKEN", &secret[..20]))], "bot.toml:12 literal-secret"),
        check(&[("bot.toml", &app(secret, "env:KEY"))], "bot.toml:12 literal-secret"),
        check(&[("bot.toml", &app("env:TOKEN", secret))], "bot.toml:13 literal-secret"),
        check(&[("bot.toml", &app("env:TOKEN", &secret[..20]))], "bot.toml:13 literal-secret"),
        check_bot(
            "[handoff]",
            &format!("[handoff]\nwebhook = \"https://a.cn/{secret}\""),
            "bot.toml:7 literal-secret",
        ),
        check_bot(
            "[handoff]",
            &format!("[handoff]\nwebhook_secret = \"whsec_{secret}\""),
            "bot.toml:7 literal-secret",
        ),
        check(&[("rules.toml", &format!("# aes_key: {secret}\n"))], "rules.toml:1 literal-secret"),
        check(
            &[("replies.toml", &format!("[standard]\nhello = \"whsec_{secret}\"\n"))],
            "replies.toml:2 literal-secret",
        ),
        // Pasted into a place of another type, and into broken TOML.
        check_bot(
            "[handoff]",
            &format!("[flood]\nmessages_per_minute = \"{secret}\"\n[handoff]"),
            "bot.toml:7 bad-value",
        ),
        check_bot("title = \"云朵小铺\"", &format!("title = {secret}"), "bot.toml:2 toml-syntax"),
    ];
    assert!(all.iter().all(|finding| !format!("{finding:?}").contains(&secret[..20])), "{all:#?}");
}

#[test]
fn folders_with_a_bot_are_listed() {
    let root =
        folder(&[("shop/bot.toml", b""), ("a/bot.toml", b""), ("notes/x.txt", b""), ("bot.toml", b"")]);
    let names: Vec<_> =
        bots(root.path()).unwrap().iter().map(|dir| dir.file_name().unwrap().to_owned()).collect();
    assert_eq!(names, ["a", "shop"]);
    assert!(bots(Path::new("/no/such/folder")).is_err());
}

/// Texts around the formats: pieces that mean something, in any order, among anything else.
fn scribble() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        FAQ,
        PRODUCTS,
        BOT,
        "[[rule]]\n",
        "[[word]]\n",
        "id = \"a\"\n",
        "then = [",
        "{ reply = \"x\" }",
        "]\n",
        "words = []\n",
        "# 退换货 {",
        "}\n",
        "## ",
        "编号：",
        "\n",
        "\"",
        ",",
        "|",
        "=",
        "```",
        "a",
        "退",
        "\u{FEFF}",
        "\0",
        "2026-01-01",
        "{{ x }}",
        "[reply.a]\n",
        "attachments = [{ kind = \"card\" }]\n",
        "[",
        "{",
        "\r",
    ];
    let piece = prop_oneof![
        8 => prop::sample::select(pieces.to_vec()).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ];
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn no_bytes_make_the_loader_panic(contents in prop::collection::vec(scribble(), 9), sound in any::<bool>()) {
        let names = [
            "bot.toml", "faq/a.csv", "faq/b.md", "products.csv", "synonyms.txt", "terms.txt", "rules.toml", "replies.toml",
            "sensitive.toml",
        ];
        let mut files: Vec<(&str, &[u8])> = names.into_iter().zip(contents.iter().map(Vec::as_slice)).collect();
        if sound {
            files[0].1 = BOT.as_bytes();
        }
        let loaded = check_folder(folder(&files).path());
        prop_assert!(loaded.findings.iter().all(|finding| finding.source.line >= 1));
    }
}
