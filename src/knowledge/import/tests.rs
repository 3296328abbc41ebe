//! Files as people have them, and files that nobody should have.

use std::io::Cursor;
use std::io::Write;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

fn no_map() -> Mapping {
    BTreeMap::new()
}

fn mapping(pairs: &[(&str, &str)]) -> Mapping {
    pairs.iter().map(|(column, heading)| ((*column).to_owned(), (*heading).to_owned())).collect()
}

fn cell(draft: &Draft, column: Column) -> &str {
    &draft.cells[column as usize]
}

/// Question, phrasings and answer of all drafts.
fn entries(imported: &Imported) -> Vec<[&str; 3]> {
    let shown = [Column::Question, Column::Phrasings, Column::Answer];
    imported.drafts.iter().map(|draft| shown.map(|column| cell(draft, column))).collect()
}

fn zip(files: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, text) in files {
        writer.start_file(*path, SimpleFileOptions::default()).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A workbook of one sheet.
///
/// * `rows`: what stands inside of `sheetData`. `rest`: what follows it.
fn xlsx(rows: &str, rest: &str) -> Vec<u8> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
    zip(&[
        (
            "[Content_Types].xml",
            "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>",
        ),
        (
            "_rels/.rels",
            &format!(
                "<Relationships xmlns=\"{PACKAGE}\"><Relationship Id=\"r1\" Type=\"{OFFICE}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/workbook.xml",
            &format!(
                "<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\"><sheets><sheet name=\"问答\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            &format!(
                "<Relationships xmlns=\"{PACKAGE}\"><Relationship Id=\"r1\" Type=\"{OFFICE}/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/worksheets/sheet1.xml",
            &format!("<worksheet xmlns=\"{MAIN}\"><sheetData>{rows}</sheetData>{rest}</worksheet>"),
        ),
    ])
}

/// A row of texts; `#` begins an error, `\0` is no cell.
fn row(number: usize, cells: &[&str]) -> String {
    let cells = cells.iter().zip('A'..).filter(|(text, _)| **text != "\0").map(|(text, column)| {
        match text.strip_prefix('#') {
            Some(error) => format!("<c r=\"{column}{number}\" t=\"e\"><f>x</f><v>#{error}</v></c>"),
            None => format!("<c r=\"{column}{number}\" t=\"inlineStr\"><is><t>{text}</t></is></c>"),
        }
    });
    format!("<row r=\"{number}\">{}</row>", cells.collect::<String>())
}

fn docx(body: &str) -> Vec<u8> {
    let text = format!(
        "<w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body>{body}</w:body></w:document>"
    );
    let styles = "<w:styles xmlns:w=\"w\"><w:style w:styleId=\"2\"><w:name w:val=\"heading 1\"/></w:style>\
                  <w:style w:styleId=\"3\"><w:name w:val=\"heading 2\"/></w:style></w:styles>";
    zip(&[("word/document.xml", &text), ("word/styles.xml", styles)])
}

fn paragraph(style: &str, text: &str) -> String {
    let style = if style.is_empty() {
        String::new()
    } else {
        format!("<w:pPr><w:pStyle w:val=\"{style}\"/></w:pPr>")
    };
    format!("<w:p>{style}<w:r><w:t>{text}</w:t></w:r></w:p>")
}

/// A PDF of pages with a text each; without a font where it is empty.
fn pdf(pages: &[&str]) -> Vec<u8> {
    let n = pages.len();
    let mut objects = vec!["<< /Type /Catalog /Pages 2 0 R >>".to_owned()];
    let kids: Vec<String> = (0..n).map(|at| format!("{} 0 R", 4 + 2 * at)).collect();
    objects.push(format!("<< /Type /Pages /Kids [{}] /Count {n} >>", kids.join(" ")));
    objects
        .push("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned());
    for (at, text) in pages.iter().enumerate() {
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Resources << /Font << /F1 3 0 R >> >> /Contents {} 0 R >>",
            5 + 2 * at
        ));
        let stream =
            if text.is_empty() { String::new() } else { format!("BT /F1 12 Tf 50 700 Td ({text}) Tj ET") };
        objects.push(format!("<< /Length {} >>\nstream\n{stream}\nendstream", stream.len()));
    }
    let mut file = "%PDF-1.4\n".to_owned();
    let mut offsets = Vec::new();
    for (number, object) in (1..).zip(&objects) {
        offsets.push(file.len());
        file.push_str(&format!("{number} 0 obj\n{object}\nendobj\n"));
    }
    let xref = file.len();
    file.push_str(&format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1));
    offsets.iter().for_each(|offset| file.push_str(&format!("{offset:010} 00000 n \n")));
    file.push_str(&format!(
        "trailer << /Size {} /Root 1 0 R >>\nstartxref\n{xref}\n%%EOF\n",
        objects.len() + 1
    ));
    file.into_bytes()
}

#[test]
fn headings_of_all_kinds_are_guessed() {
    let text = "云朵小铺常见问题,,,,\n序号,*客户问题,相似问1,相似问 2,回复内容（必填）,备注\n1,怎么退货,想退;退货流程,不想要了,七天内可退。,x\n";
    let imported = read("常见.csv", text.as_bytes(), &no_map()).unwrap();
    assert_eq!(entries(&imported), [["怎么退货", "想退|退货流程|不想要了", "七天内可退。"]]);
    assert_eq!(imported.unread, ["序号", "备注"]);
    assert_eq!(imported.drafts[0].place, "常见.csv 第 3 行");
    let english = read("faq.csv", "Question,Answer,Category\nHow?,So.,x\n".as_bytes(), &no_map()).unwrap();
    assert_eq!(cell(&english.drafts[0], Column::Topic), "x");
}

#[test]
fn a_column_that_nobody_guesses_can_be_named() {
    let text = "咨询,话术库\n怎么退货,七天内可退。\n";
    let error = read("x.csv", text.as_bytes(), &no_map()).unwrap_err().to_string();
    assert!(error.contains("“咨询”、“话术库”") && error.contains("--map"), "{error}");
    let map = mapping(&[("问题", "咨询"), ("answer", "话术库")]);
    assert_eq!(entries(&read("x.csv", text.as_bytes(), &map).unwrap()), [["怎么退货", "", "七天内可退。"]]);
}

#[test]
fn a_workbook_is_read_with_its_merged_cells_and_refuses_its_failed_formulas() {
    let rows = [
        row(1, &["分类", "问题", "答案", "失效"]),
        row(2, &["售后", "怎么退货", "七天内可退。", "2026-12-31 00:00:00"]),
        row(3, &["\0", "怎么换货", "联系客服。"]),
        row(4, &["\0", "多少钱", "#REF!"]),
        row(5, &["\0", "运费多少", "\0"]),
        row(900_000, &["\0", "\0", " "]),
    ];
    let bytes = xlsx(&rows.concat(), "<mergeCells count=\"1\"><mergeCell ref=\"A2:A4\"/></mergeCells>");
    let imported = read("价目.xlsx", &bytes, &no_map()).unwrap();
    assert_eq!(entries(&imported), [["怎么退货", "", "七天内可退。"], ["怎么换货", "", "联系客服。"]]);
    let topics: Vec<_> = imported.drafts.iter().map(|draft| cell(draft, Column::Topic)).collect();
    assert_eq!(topics, ["售后", "售后"]);
    assert_eq!(cell(&imported.drafts[0], Column::ValidUntil), "2026-12-31");
    let refused: Vec<_> =
        imported.refused.iter().map(|row| format!("{}：{}", row.place, row.reason)).collect();
    assert_eq!(refused, ["价目.xlsx 第 4 行：“答案”一格是公式错误 #REF!", "价目.xlsx 第 5 行：“答案”是空的"]);
}

#[test]
fn a_million_empty_rows_are_no_rows() {
    let empty: String = (2..=1_000_000)
        .map(|number| format!("<row r=\"{number}\"><c r=\"A{number}\" s=\"1\"/></row>"))
        .collect();
    let rows =
        format!("{}{empty}{}", row(1, &["问题", "答案"]), row(1_048_576, &["怎么退货", "七天内可退。"]));
    let imported = read("空.xlsx", &xlsx(&rows, ""), &no_map()).unwrap();
    assert_eq!(imported.drafts[0].place, "空.xlsx 第 1048576 行");
    assert_eq!(imported.drafts.len(), 1);
}

#[test]
fn archives_that_grow_without_end_are_refused() {
    let zeros = " ".repeat(1 << 20);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("word/document.xml", SimpleFileOptions::default()).unwrap();
    for _ in 0..520 {
        writer.write_all(zeros.as_bytes()).unwrap();
    }
    let bytes = writer.finish().unwrap().into_inner();
    assert!(bytes.len() < 2 << 20);
    for name in ["a.docx", "a.xlsx"] {
        let error = read(name, &bytes, &no_map()).unwrap_err();
        assert!(matches!(error, ImportError::Bomb { .. }), "{name}: {error}");
    }
}

#[test]
fn a_word_document_becomes_passages_below_their_headings() {
    let body = [
        paragraph("2", "请假制度"),
        paragraph("3", "年假"),
        paragraph("", "满一年有五天&amp;可以分开休。"),
        "<w:tbl><w:tr><w:tc>".to_owned(),
        paragraph("", "工龄十年"),
        "</w:tc></w:tr></w:tbl>".to_owned(),
        paragraph("3", "病假"),
        "<w:p><w:del><w:r><w:delText>旧的</w:delText></w:r></w:del><w:r><w:t>要有病历。</w:t></w:r></w:p>"
            .to_owned(),
    ];
    let imported = read("员工手册.docx", &docx(&body.concat()), &no_map()).unwrap();
    assert_eq!(
        entries(&imported),
        [
            [
                "年假",
                "请假制度 年假",
                "满一年有五天&可以分开休。\n工龄十年\n（出自：员工手册 › 请假制度 › 年假）"
            ],
            ["病假", "请假制度 病假", "要有病历。\n（出自：员工手册 › 请假制度 › 病假）"],
        ]
    );
    assert!(imported.drafts.iter().all(|draft| draft.is_passage));
}

#[test]
fn plain_text_is_cut_along_what_looks_like_headings() {
    let text = "第一章 总则\n本制度适用于全体员工。\n第二章 考勤\n一、上班时间\n早上九点到下午六点。\n二、迟到\n迟到三次算旷工半天。\n";
    let imported = read("考勤.txt", text.as_bytes(), &no_map()).unwrap();
    let names: Vec<_> = entries(&imported).iter().map(|entry| entry[1].to_owned()).collect();
    assert_eq!(names, ["", "第二章 考勤 一、上班时间", "第二章 考勤 二、迟到"]);
}

#[test]
fn pairs_of_question_and_answer_are_entries() {
    let text =
        "# 售后\n问：怎么退货？\n答：七天内可退。\n要有吊牌。\n\n**Q2：** 运费谁出\n**A2：** 我们出。\n";
    let imported = read("faq.md", text.as_bytes(), &no_map()).unwrap();
    assert_eq!(
        entries(&imported),
        [["怎么退货？", "", "七天内可退。\n要有吊牌。"], ["运费谁出", "", "我们出。"]]
    );
    assert_eq!(cell(&imported.drafts[0], Column::Topic), "售后");
}

#[test]
fn a_page_of_our_own_keeps_its_keys() {
    let text =
        "# 请假 {leave}\n\n## 年假几天\n编号：leave-annual\n问法：年假有多少\n问法：一年休几天\n\n五天。\n";
    let imported = read("leave.md", text.as_bytes(), &no_map()).unwrap();
    assert_eq!(entries(&imported), [["年假几天", "年假有多少|一年休几天", "五天。"]]);
    assert_eq!(cell(&imported.drafts[0], Column::Id), "leave-annual");
}

#[test]
fn long_sections_are_cut_where_sentences_end() {
    let sentence = "这一句话正好有二十个字，一个也不多不少呢。";
    let text = format!("# 须知\n{}\n", sentence.repeat(60));
    let imported = read("须知.md", text.as_bytes(), &no_map()).unwrap();
    assert!(imported.drafts.len() > 2);
    let mut whole = String::new();
    for draft in &imported.drafts {
        let answer = cell(draft, Column::Answer).split("\n（出自").next().unwrap();
        assert!(answer.ends_with('。') && answer.chars().count() <= 500, "{answer}");
        whole.push_str(answer);
    }
    assert_eq!(whole, sentence.repeat(60));
    let places: std::collections::BTreeSet<_> = imported.drafts.iter().map(|draft| &draft.place).collect();
    assert_eq!(places.len(), imported.drafts.len(), "each passage is told apart");
}

#[test]
fn a_web_page_is_read_without_its_scripts() {
    let page = "<html><head><title>x</title></head><body><nav>首页</nav><h1>帮助</h1><h2>退货</h2>\
                <p>七天内可退。</p><script>alert('七天')</script><style>p{}</style></body></html>";
    let imported = read("help.html", page.as_bytes(), &no_map()).unwrap();
    assert_eq!(entries(&imported), [["退货", "帮助 退货", "七天内可退。\n（出自：help › 帮助 › 退货）"]]);
}

#[test]
fn json_is_a_table_in_three_forms() {
    let object = r#"{"question": "怎么退货", "similar": ["想退", "退货"], "answer": "七天内可退。"}"#;
    for text in [format!("[{object}]"), format!("{{\"data\": [{object}]}}"), format!("{object}\n")] {
        let imported = read("faq.json", text.as_bytes(), &no_map()).unwrap();
        assert_eq!(entries(&imported), [["怎么退货", "想退|退货", "七天内可退。"]], "{text}");
    }
    let imported = read("faq.jsonl", format!("{object}\n{{\"question\": 1\n").as_bytes(), &no_map()).unwrap();
    assert_eq!((imported.drafts.len(), imported.refused[0].place.as_str()), (1, "faq.jsonl 第 2 行"));
}

#[test]
fn a_pdf_is_read_page_by_page() {
    let imported = read(
        "manual.pdf",
        &pdf(&["Returns are free within seven days", "Shipping takes two days"]),
        &no_map(),
    );
    let imported = imported.unwrap();
    let text: String = entries(&imported).iter().map(|entry| entry[2]).collect();
    assert!(
        text.contains("Returns are free within seven days") && text.contains("Shipping takes two days"),
        "{text}"
    );
}

#[test]
fn a_pdf_without_words_is_refused_with_the_reason() {
    assert!(matches!(read("扫描.pdf", &pdf(&["", ""]), &no_map()), Err(ImportError::Scanned { .. })));
    let mut cut = pdf(&["Returns are free within seven days"]);
    cut.truncate(200);
    assert!(matches!(read("坏.pdf", &cut, &no_map()), Err(ImportError::Damaged { .. })));
    let many = vec![""; 2_001];
    let error = read("长.pdf", &pdf(&many), &no_map()).unwrap_err().to_string();
    assert!(error.contains("2001 页") && error.contains("2000"), "{error}");
}

#[test]
fn what_is_nothing_is_told_apart() {
    for (name, bytes, expected) in [
        ("a.exe", &b"MZ"[..], "不认识"),
        ("a.xlsx", b"PK\x03\x04 not", "打不开"),
        ("a.docx", b"\xD0\xCF\x11\xE0 old", "另存为"),
        ("a.csv", b"", "没有内容"),
        ("a.txt", b" \n", "没有内容"),
        ("a.json", b"{", "打不开"),
    ] {
        let error = read(name, bytes, &no_map()).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(expected), "{name}: {error}");
    }
}

#[test]
fn fifty_megabytes_in_one_cell_are_refused_with_their_row() {
    let text = format!("问题,答案\n怎么退货,{}\n运费多少,九元。\n", "长".repeat(17 << 20));
    let imported = read("大.csv", text.as_bytes(), &no_map()).unwrap();
    assert_eq!(entries(&imported), [["运费多少", "", "九元。"]]);
    assert_eq!(imported.refused[0].place, "大.csv 第 2 行");
}

#[test]
fn new_topics_go_into_the_profile_and_lines_lead_back_to_their_rows() {
    let text = "分类,问题,答案\n退换货,怎么退货,\"第一行\n第二行\"\n新品,有什么新的,=很多\n";
    let imported = read("表/一.csv", text.as_bytes(), &no_map()).unwrap();
    let mut files = Files::from([(
        "bot.toml".to_owned(),
        b"name = \"x\"\n[topics]\nreturn = \"\xe9\x80\x80\xe6\x8d\xa2\xe8\xb4\xa7\"\n[hours]\n".to_vec(),
    )]);
    let topics = BTreeMap::from([("return".to_owned(), "退换货".to_owned())]);
    let placed = place(&imported, &mut files, &topics, &|_| false);
    assert_eq!(
        (placed.file.as_str(), placed.new_topics.values().map(String::as_str).collect::<Vec<_>>()),
        ("faq/import/表-一.csv", vec!["新品"])
    );
    let table = String::from_utf8(files[&placed.file].clone()).unwrap();
    assert!(table.ends_with("有什么新的,,'=很多,,\n"), "{table}");
    assert_eq!(
        placed.places,
        BTreeMap::from([(2, "表/一.csv 第 2 行".to_owned()), (4, "表/一.csv 第 4 行".to_owned())])
    );
    let profile = String::from_utf8(files["bot.toml"].clone()).unwrap();
    let parsed: toml::Table = profile.parse().unwrap();
    let titles: Vec<_> = parsed["topics"].as_table().unwrap().values().collect();
    assert!(titles.contains(&&toml::Value::from("新品")) && titles.len() == 2, "{profile}");
}

#[test]
fn a_profile_of_another_system_gets_its_topics_as_well() {
    for text in [
        "name = \"小应\"\r\ntitle = \"云朵\"\r\n[topics]\r\na = \"甲\"\r\n",
        "[ topics ] # 分类\na = \"甲\"\n",
        "x = 1\n",
    ] {
        let found = with_topics(text, &BTreeMap::from([("b".to_owned(), "乙".to_owned())]));
        let parsed: toml::Table = found.parse().unwrap_or_else(|error| panic!("{error}: {found}"));
        assert_eq!(parsed["topics"]["b"].as_str(), Some("乙"), "{found}");
    }
}

#[test]
fn pairs_without_an_answer_are_told_and_words_before_the_first_pair_are_kept() {
    let text =
        "# 售后\n本页由客服部维护，每月更新一次。\n问：怎么退货\n答：七天内可退。\n问：没有答案的\n答：\n";
    let imported = read("faq.md", text.as_bytes(), &no_map()).unwrap();
    let questions: Vec<_> = entries(&imported).iter().map(|entry| entry[0].to_owned()).collect();
    assert_eq!(questions, ["售后", "怎么退货"]);
    assert!(imported.refused[0].reason.contains("没有答案的"), "{:?}", imported.refused);
}

fn stocked(imported: &Imported, others: goods::Others, files: &mut Files) -> (Placed, Vec<Vec<String>>) {
    let (placed, _) = goods::stock(&imported.goods, others, files, &|_| false);
    let text = String::from_utf8(files["products.csv"].clone()).unwrap();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let rows = reader.records().skip(1).map(|row| row.unwrap().iter().map(str::to_owned).collect());
    (placed, rows.collect())
}

const CATALOGUE: &str = "编号,名称,类目,别名,系列,颜色,尺码,材质,款式,价格,库存,缺货,图片,描述\n\
                         A-1,云柔衬衫,衬衫,白衬衣,云柔,黑色|白色,M|L,棉,通勤,199,30,黑色/M,p.png,不透\n\
                         A-2,抓绒卫衣,卫衣,,,灰色,均码,绒,,259,8,,,\n";

fn with_catalogue() -> Files {
    Files::from([("products.csv".to_owned(), CATALOGUE.into()), ("p.png".to_owned(), b"x".to_vec())])
}

#[test]
fn an_export_of_a_shop_system_becomes_the_catalogue() {
    let table = xlsx(
        &[
            row(
                1,
                &[
                    "货号",
                    "商品名称",
                    "商品分类",
                    "颜色分类",
                    "尺码",
                    "售价（元）",
                    "库存数量",
                    "主图",
                    "运营备注",
                ],
            ),
            row(2, &["B-7", "亚麻裤", "裤子", "卡其", "M", "￥1,299.00", "12件", "https://x/1.png", "x"]),
            row(3, &["B-7", "亚麻裤", "裤子", "卡其", "L", "1299", "0", "", ""]),
            row(4, &["B-7", "亚麻裤", "裤子", "黑色", "M", "1299.0", "3", "", ""]),
            row(5, &["\0", "没有货号", "裤子", "黑色", "M", "9", "3", "", ""]),
            row(6, &["B-7", "亚麻裤", "裤子", "白色", "M", "999", "3", "", ""]),
        ]
        .concat(),
        "",
    );
    let imported = read("商品.xlsx", &table, &no_map()).unwrap();
    assert_eq!(imported.drafts, []);
    assert_eq!(imported.unread, ["运营备注"]);
    let refused: Vec<_> =
        imported.refused.iter().map(|row| (row.place.as_str(), row.reason.as_str())).collect();
    assert_eq!(
        refused,
        [
            ("商品.xlsx 第 5 行", "“编号”是空的"),
            ("商品.xlsx 第 6 行", "编号“B-7”的价格前面是“1299”，这里是“999”")
        ]
    );
    let (placed, rows) = stocked(&imported, goods::Others::Stay, &mut Files::new());
    let expected =
        ["B-7", "亚麻裤", "裤子", "", "", "卡其|黑色", "M|L", "", "", "1299", "15", "卡其/L", "", ""];
    assert_eq!(rows, [expected]);
    assert_eq!(placed.places, BTreeMap::from([(2, "商品.xlsx 第 2 行".to_owned())]));
}

#[test]
fn a_table_of_prices_leaves_the_rest_of_an_article_as_it_is() {
    let imported = read("价.csv", "编号,价格,库存\nA-1,149,7\n".as_bytes(), &no_map()).unwrap();
    let (_, rows) = stocked(&imported, goods::Others::Stay, &mut with_catalogue());
    let changed = ["A-1", "云柔衬衫", "衬衫", "白衬衣", "云柔", "黑色|白色", "M|L", "棉", "通勤", "149", "7"];
    assert_eq!(rows[0][..11], changed);
    assert_eq!(rows[0][11..], ["黑色/M", "p.png", "不透"]);
    assert_eq!(rows[1][0], "A-2");
    let (_, rows) = stocked(&imported, goods::Others::Go, &mut with_catalogue());
    assert_eq!(rows.iter().map(|row| row[0].as_str()).collect::<Vec<_>>(), ["A-1"]);
}

#[test]
fn what_is_sold_out_follows_the_colours_of_the_table() {
    let imported = read("色.csv", "编号,颜色,库存\nA-1,蓝色,7\n".as_bytes(), &no_map()).unwrap();
    let (_, rows) = stocked(&imported, goods::Others::Stay, &mut with_catalogue());
    assert_eq!((rows[0][5].as_str(), rows[0][11].as_str()), ("蓝色", ""));
}

#[test]
fn a_list_of_goods_is_found_in_the_answer_of_a_system() {
    let answer = r#"{"code": 0, "tags": ["x"], "data": {"total": 1, "list": [
        {"sku": "C-1", "title": "帆布包", "cat": {"name": "包"}, "price": {"sale": 59.90}, "stock": 4, "color": ["米白", "黑"]}
    ]}}"#;
    let map = mapping(&[("类目", "cat.name"), ("价格", "price.sale")]);
    let imported = read("answer.json", answer.as_bytes(), &map).unwrap();
    let (_, rows) = stocked(&imported, goods::Others::Stay, &mut Files::new());
    assert_eq!(rows[0], ["C-1", "帆布包", "包", "", "", "米白|黑", "", "", "", "59.9", "4", "", "", ""]);
}

#[test]
fn a_mapping_of_a_column_that_nobody_has_is_refused() {
    let error = read("a.csv", b"x", &mapping(&[("单位", "x")])).unwrap_err().to_string();
    assert!(error.contains("“单位”") && error.contains("价格"), "{error}");
}

#[test]
fn variants_on_two_pages_and_in_two_warehouses_are_one_article() {
    let page = |rows: &str| {
        let text = format!("编号,名称,类目,颜色,尺码,价格,库存\n{rows}");
        read("页.csv", text.as_bytes(), &no_map()).unwrap().goods
    };
    let first = page("A-1,云柔衬衫,衬衫,黑色,M,199,0\nA-1,云柔衬衫,衬衫,黑色,L,199,0\n");
    let second = page("A-1,云柔衬衫,衬衫,黑色,M,199,5\nA-1,云柔衬衫,衬衫,白色,M,199,2\n");
    let (goods, refused) = goods::gathered(vec![first, second]);
    assert_eq!(refused, []);
    let imported = Imported { goods, ..Imported::default() };
    let (_, rows) = stocked(&imported, goods::Others::Go, &mut Files::new());
    assert_eq!(rows.len(), 1);
    let shown = [5, 6, 10, 11].map(|column| rows[0][column].as_str());
    assert_eq!(shown, ["黑色|白色", "M|L", "7", "黑色/L"]);
}
