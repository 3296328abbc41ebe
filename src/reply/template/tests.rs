//! What a template may say, reach and cost.

use super::*;
use crate::knowledge::sample::shop;
use crate::message::CustomerKind;

fn filled(template: &str) -> Option<String> {
    let known = shop();
    let customer = Customer { name: Some("张三".to_owned()), ..Customer::new("c", CustomerKind::Customer) };
    let scene = Scene {
        known: &known,
        customer: &customer,
        hours: "周一 09:00-18:00",
        open: true,
        next_opening: None,
    };
    fill(template, &scene, context! { group => "客服组" }).ok()
}

#[track_caller]
fn check(template: &str, expected: Option<&str>) {
    assert_eq!(filled(template).as_deref(), expected, "{template}");
}

#[test]
fn variables() {
    check("没有变量，也没有{", Some("没有变量，也没有{"));
    check("{{ customer.name }}，我是{{ bot.title }}的{{ bot.name }}", Some("张三，我是云朵小铺的小应"));
    check("{{ hours }} {{ phone }} {{ group }}", Some("周一 09:00-18:00 400-100-2000 客服组"));
    check("{% if open %}在{% else %}不在{% endif %}{% if next_opening %}等{% endif %}", Some("在"));
    check("{{ \"{\" }}", Some("{"));
    check("{{ cusotmer.name }}", None);
    check("{{ customer.nmae }}", None);
    check("{{ hours", None);
    check("{% if open %}", None);
}

#[test]
fn a_value_is_no_template() {
    let known = shop();
    let customer =
        Customer { name: Some("{{ phone }}".to_owned()), ..Customer::new("c", CustomerKind::Customer) };
    let scene = Scene { known: &known, customer: &customer, hours: "", open: true, next_opening: None };
    assert_eq!(fill("{{ customer.name }}", &scene, context! {}).ok().as_deref(), Some("{{ phone }}"));
}

#[test]
fn no_template_reaches_a_file_or_a_function() {
    for template in [
        "{% include '/etc/passwd' %}",
        "{% import '/etc/passwd' as it %}",
        "{% extends '/etc/passwd' %}",
        "{{ range(3) }}",
        "{{ hours|upper }}",
        "{{ debug() }}",
        "{{ self }}",
    ] {
        check(template, None);
    }
}

#[test]
fn no_template_runs_away() {
    check("{% for day in '一二三' %}周{{ day }}{% endfor %}", Some("周一周二周三"));
    for template in [
        "{% for i in [0] * 30000000 %}{% endfor %}",
        "{% for i in [0] * 3000 %}{% for j in [0] * 3000 %}{% endfor %}{% endfor %}",
        "{{ 'x' * 50000000 }}",
        "{% macro again() %}{{ again() }}{{ again() }}{% endmacro %}{{ again() }}",
    ] {
        check(template, None);
    }
}

#[test]
fn the_longest_answer_is_within_its_fuel() {
    let bytes_max = crate::knowledge::limits::ANSWER_BYTES_MAX;
    let template = "{{ phone }}{% if open %}{% endif %}".repeat(bytes_max / 35);
    assert!(filled(&template).is_some());
}
