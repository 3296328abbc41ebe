//! `yingda import` and `yingda export`: what people have goes in and comes out, or nothing does.

use std::fs;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;

use tempfile::TempDir;

use crate::cli::run;
use crate::cli::stderr;
use crate::cli::stdout;
use crate::fixture::BOT;
use crate::fixture::Folder;
use crate::fixture::RETURN;

/// A folder of knowledge with files beside it, and a store.
struct Desk {
    folder: Folder,
    data: TempDir,
}

impl Desk {
    fn new(files: &[(&str, &str)]) -> Self {
        let desk = Self { folder: Folder::new(), data: tempfile::tempdir().unwrap() };
        files.iter().for_each(|(name, text)| desk.folder.write(&format!("files/{name}"), text.as_bytes()));
        desk
    }

    /// Exit code, and what was said.
    fn run(&self, args: &[&str]) -> (Option<i32>, String) {
        let place = ["--knowledge", ".", "--data", self.data.path().to_str().unwrap()];
        let told = run(self.folder.root(), &[args, &place[..]].concat());
        (told.status.code(), format!("{}{}", stdout(&told), stderr(&told)))
    }

    fn n_versions(&self) -> usize {
        let (_, listed) = self.run(&["versions", "list"]);
        listed.lines().filter(|line| !line.starts_with("发布")).count()
    }
}

const GOOD: &str = "分类,问题,相似问,答案\n退换货,鞋盒破了能退吗,盒子坏了退不退,鞋盒完好才能退。\n新品,冬款几号上,,十一月十一日。\n";

#[test]
fn a_table_becomes_a_draft_that_answers_once_published() {
    let desk = Desk::new(&[("常见.csv", GOOD)]);
    let (code, told) = desk.run(&["import", "files/常见.csv"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(
        told.contains("2 条问答，0 段资料，新分类 新品")
            && told.contains("草稿 2：新增 2 条，改动 0 条，删去 0 条"),
        "{told}"
    );
    assert!(!desk.run(&["ask", "冬款几号上"]).1.contains("十一月十一日"));
    desk.run(&["versions", "publish"]);
    assert!(desk.run(&["ask", "冬款几号上"]).1.contains("十一月十一日"));
    // The same file again, mended: the entry is changed, not doubled.
    desk.folder.write("files/常见.csv", GOOD.replace("十一月十一日", "十二月一日").as_bytes());
    let (_, told) = desk.run(&["import", "files/常见.csv"]);
    assert!(told.contains("草稿 3：新增 0 条，改动 1 条，删去 0 条"), "{told}");
}

#[test]
fn files_of_one_name_in_two_folders_are_two_and_share_their_new_topics() {
    let row = |question: &str| format!("分类,问题,答案\n保修,{question},一年。\n");
    let desk = Desk::new(&[("2023/售后.csv", &row("鞋子保多久")), ("2024/售后.csv", &row("箱子保多久"))]);
    let (code, told) = desk.run(&["import", "files"]);
    assert!(code == Some(0) && told.contains("新增 2 条"), "{told}");
    // Two sources that cannot be told apart by their names are not taken for one.
    let (code, told) = desk.run(&["import", "files/2023/售后.csv", "files/2024/售后.csv"]);
    assert!(code == Some(1) && told.contains("同名的来源"), "{told}");
}

#[test]
fn a_dry_run_and_an_unclean_run_change_nothing() {
    let bad = format!("{GOOD}退换货,没有答案的,,\n");
    let desk = Desk::new(&[("good.csv", GOOD), ("bad.csv", &bad), ("x.exe", "MZ")]);
    let (code, told) = desk.run(&["import", "files/good.csv", "--dry-run"]);
    assert_eq!((code, desk.n_versions()), (Some(0), 1), "{told}");
    let (code, told) = desk.run(&["import", "files"]);
    assert_eq!((code, desk.n_versions()), (Some(1), 1), "{told}");
    assert!(told.contains("bad.csv 第 4 行：“答案”是空的") && told.contains("x.exe：不认识"), "{told}");
}

#[test]
fn a_partial_run_takes_the_rest_and_lists_what_it_left() {
    // The second row breaks a rule of the knowledge itself, not of the table.
    let bad =
        "分类,问题,答案,失效\n退换货,鞋盒破了能退吗,不能退。,\n退换货,包装丢了能退吗,不能退。,2026-13-45\n";
    let desk = Desk::new(&[("bad.csv", bad)]);
    assert_eq!(desk.run(&["import", "files/bad.csv"]).0, Some(1));
    let (code, told) = desk.run(&["import", "files/bad.csv", "--partial"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("没有收 bad.csv 第 3 行") && told.contains("草稿 2：新增 1 条"), "{told}");
}

#[test]
fn the_same_question_with_another_answer_is_told() {
    let twice = format!("分类,问题,答案\n退换货,{},三十天内都行。\n", RETURN.0);
    let desk = Desk::new(&[("twice.csv", &twice)]);
    let (_, told) = desk.run(&["import", "files/twice.csv", "--dry-run"]);
    assert!(told.contains("twice.csv 第 2 行") && told.contains(RETURN.0), "{told}");
}

#[test]
fn what_is_exported_imports_back_to_the_same_knowledge() {
    let formula = "分类,问题,答案\n退换货,公式怎么写,=1+1\n退换货,电话几号,+86 400\n";
    let desk = Desk::new(&[("公式.csv", formula)]);
    assert_eq!(desk.run(&["import", "files/公式.csv"]).0, Some(0));
    desk.run(&["versions", "publish"]);
    let (code, told) = desk.run(&["export", "--out", "out"]);
    assert_eq!(code, Some(0), "{told}");
    let table =
        fs::read_to_string(desk.folder.root().join(format!("out/{BOT}/faq/import/公式.csv"))).unwrap();
    assert!(table.contains(",'=1+1,") && table.contains(",'+86 400,"), "{table}");
    let other = tempfile::tempdir().unwrap();
    let data = other.path().to_str().unwrap();
    let of_other = |args: &[&str]| {
        stdout(&run(desk.folder.root(), &[args, &["--knowledge", "out", "--data", data][..]].concat()))
    };
    assert_eq!(of_other(&["versions", "draft"]), "1\n");
    of_other(&["versions", "publish"]);
    assert!(of_other(&["ask", "公式怎么写"]).contains("=1+1"));
    // Out again, it is the same to the byte.
    of_other(&["export", "--out", "again"]);
    let at = |place: &str| yingda::knowledge::snapshot::read(&desk.folder.root().join(place)).unwrap();
    assert_eq!(at("again/shop"), at("out/shop"));
    // A folder that is there already is not written over.
    assert_eq!(desk.run(&["export", "--out", "out"]).0, Some(2));
}

#[test]
fn a_file_larger_than_the_limit_is_refused_with_both() {
    let desk = Desk::new(&[]);
    let file = fs::File::create(desk.folder.root().join("large.csv")).unwrap();
    file.set_len(65 << 20).unwrap();
    let (code, told) = desk.run(&["import", "large.csv"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("large.csv") && told.contains("67108864"), "{told}");
}

/// Answers one request after another, each with the next of the responses; gives its host and port.
fn website(responses: Vec<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for response in responses {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = [0; 4096];
            let _request = stream.read(&mut head).unwrap();
            stream.write_all(response.as_bytes()).unwrap();
        }
    });
    host
}

fn page(text: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
        text.len()
    )
}

fn redirect(to: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}

#[test]
fn a_page_of_the_own_network_is_read_only_where_it_is_named() {
    let desk = Desk::new(&[]);
    let host = website(vec![page("<h1>帮助</h1><h2>怎么换鞋带</h2><p>找门店换。</p>")]);
    let url = format!("http://{host}/help");
    let (code, told) = desk.run(&["import", &url]);
    assert!(code == Some(1) && told.contains("127.0.0.1 是内网地址"), "{told}");
    let (code, told) = desk.run(&["import", &url, "--allow-host", &host]);
    assert!(code == Some(0) && told.contains("help.html") && told.contains("1 段资料"), "{told}");
}

#[test]
fn a_redirect_into_the_own_network_is_refused() {
    let desk = Desk::new(&[]);
    let hidden = website(vec![page("secret")]);
    let open = website(vec![redirect(&format!("http://{hidden}/"))]);
    let (code, told) = desk.run(&["import", &format!("http://{open}/x"), "--allow-host", &open]);
    assert!(code == Some(1) && told.contains(&format!("http://{hidden}/：127.0.0.1 是内网地址")), "{told}");
    let around = website((0..6).map(|_| redirect("/again")).collect());
    let (_, told) = desk.run(&["import", &format!("http://{around}/x"), "--allow-host", &around]);
    assert!(told.contains("跳转超过 5 次"), "{told}");
}

#[test]
fn goods_join_the_catalogue_beside_questions() {
    let goods =
        "货号,商品名称,分类,售价,库存\nNEW-1,云柔羊绒围巾,围巾,￥299.00,12件\nNEW-2,没有价格的,围巾,面议,1\n";
    let desk = Desk::new(&[("商品.csv", goods), ("常见.csv", GOOD)]);
    let (code, told) = desk.run(&["import", "files"]);
    assert!(code == Some(1) && told.contains("商品.csv 第 3 行：“价格”一栏“面议”不是价格"), "{told}");
    let (_, told) = desk.run(&["import", "files", "--partial"]);
    assert!(told.contains("商品.csv → products.csv：2 件商品"), "{told}");
    assert!(told.contains("新增 3 条"), "{told}");
    desk.run(&["versions", "publish"]);
    assert!(desk.run(&["ask", "云柔羊绒围巾"]).1.contains("299"));
}
