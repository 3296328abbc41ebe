//! Every broken template is found before a customer sees it.

use super::*;
use crate::knowledge::reply::ReplySpec;
use crate::knowledge::sample::sensitive;
use crate::knowledge::sample::shop;
use crate::knowledge::sensitive::Direction;
use crate::knowledge::sensitive::SensitiveAction;

#[track_caller]
fn check(known: &Knowledge, expected: &[(&str, &str)]) {
    let findings = lint(known);
    let found: Vec<(&str, &str)> =
        findings.iter().map(|finding| (finding.code, finding.source.file.as_str())).collect();
    assert_eq!(found, expected);
}

fn answering(answer: &str) -> Knowledge {
    let mut known = shop();
    known.entries[0].answer = answer.to_owned();
    known
}

fn with_sentence(name: &str, words: &str) -> Knowledge {
    let mut known = shop();
    known.replies.standard.insert(name.to_owned(), words.to_owned());
    known
}

#[test]
fn the_sample_and_the_built_in_sentences_are_clean() {
    let mut known = shop();
    for sentence in Sentence::ALL {
        known.replies.standard.insert(sentence.name().to_owned(), sentence.built_in().to_owned());
    }
    check(&known, &[]);
}

#[test]
fn unknown_variables_and_bad_syntax() {
    for answer in ["{{ hour }}", "{{ hours", "{% if open %}", "{{ customer.nmae }}"] {
        check(&answering(answer), &[("bad-template", "faq/all.csv")]);
    }
    check(&with_sentence("decline", "{{ hour }}"), &[("bad-template", "replies.toml")]);
    let mut known = shop();
    known.profile.greeting = "{{ nobody }}".to_owned();
    check(&known, &[("bad-template", "bot.toml")]);
}

#[test]
fn a_variable_of_one_sentence_is_unknown_elsewhere() {
    for name in ["group", "missing", "product.name", "kind", "until"] {
        check(&answering(&format!("{{{{ {name} }}}}")), &[("bad-template", "faq/all.csv")]);
    }
    check(&with_sentence("handoff_open", "{{ group }}"), &[]);
    check(&with_sentence("decline", "{{ group }}"), &[("bad-template", "replies.toml")]);
}

#[test]
fn branches_of_the_night_and_of_friends_are_tried_too() {
    check(&answering("{% if not open %}{{ hour }}{% endif %}"), &[("bad-template", "faq/all.csv")]);
    check(&answering("{% if customer.name %}{{ hour }}{% endif %}"), &[("bad-template", "faq/all.csv")]);
    let words = "{% if product.colours %}{{ product.colour }}{% endif %}";
    check(&with_sentence("product", words), &[("bad-template", "replies.toml")]);
    let words = "{% if current %}{{ curent }}{% endif %}";
    check(&with_sentence("expired", words), &[("bad-template", "replies.toml")]);
}

#[test]
fn named_replies_cards_rules_and_sensitive_words_are_tried() {
    let mut known = shop();
    let broken = || "{{ nobody }}".to_owned();
    let card =
        AttachmentSpec::Card { title: "好".to_owned(), description: broken(), url: None, picture: None };
    known.replies.reply.insert("a".to_owned(), ReplySpec { text: broken(), attachments: vec![card] });
    known.rules.push(crate::knowledge::rule::RuleSpec {
        id: "r".to_owned(),
        stage: crate::knowledge::rule::Stage::Hard,
        priority: 0,
        when: Default::default(),
        then: vec![ActionSpec::Text(broken())],
        continues: false,
        line: 3,
    });
    let mut spec = sensitive("s", "词", SensitiveAction::Block, Direction::In);
    spec.message = Some(broken());
    known.sensitive.push(spec);
    let bad = |file| ("bad-template", file);
    check(&known, &[bad("replies.toml"), bad("replies.toml"), bad("rules.toml"), bad("sensitive.toml")]);
}

#[test]
fn words_for_people_outside_are_tried_too() {
    let notified = |to: &str, template: &str| {
        let mut known = shop();
        let spec = format!("name = \"a\"\non = [\"waiting\"]\ntemplate = \"{template}\"\nto = {to}");
        known.profile.notify = vec![toml::from_str(&spec).unwrap()];
        known
    };
    let robot = "{ group_robot = { url = \"env:X\" } }";
    check(&notified(robot, notice::BUILT_IN), &[]);
    for template in ["{{ nobody }}", "{% if not wait_minutes %}{{ hours }}{% endif %}"] {
        check(&notified(robot, template), &[("bad-template", "bot.toml")]);
    }
    let sms = |param: &str| {
        format!(
            "{{ tencent_sms = {{ secret_id = \"env:I\", secret_key = \"env:K\", app_id = \"1\", sign = \"s\", \
             template = \"7\", phones = [\"env:P\"], params = [\"{param}\"] }} }}"
        )
    };
    check(&notified(&sms("{{ title }}"), ""), &[]);
    check(&notified(&sms("{{ text }}"), ""), &[("bad-template", "bot.toml")]);
}

#[test]
fn a_template_that_runs_away_is_an_error() {
    check(&answering("{% for i in [0] * 30000000 %}{% endfor %}"), &[("bad-template", "faq/all.csv")]);
}

#[test]
fn a_standard_sentence_that_does_not_exist() {
    check(&with_sentence("handof_open", "您好"), &[("unknown-sentence", "replies.toml")]);
}

#[test]
fn a_welcome_is_measured_as_it_is_filled_in() {
    let with = |text: &str| {
        let mut known = shop();
        let welcome = Welcome { state: None, text: text.to_owned(), attachments: Vec::new() };
        known.profile.welcome = vec![welcome];
        known
    };
    let full = "好".repeat(1_333);
    check(&with(&format!("{full}a")), &[]);
    check(&with(&format!("{full}ab")), &[("long-welcome", "bot.toml")]);
    check(&with(&format!("{full}{{{{ customer.name }}}}")), &[("long-welcome", "bot.toml")]);
    check(&with("{{ nobody }}"), &[("bad-template", "bot.toml")]);
}
