//! A task as a drawing that people can read and paste: Mermaid, and steps with their drop-off.

use std::fmt::Write;

use crate::knowledge::task::StepSpec;
use crate::knowledge::task::TaskSpec;

/// The flow chart of a task in Mermaid's language.
///
/// Source: Mermaid documentation, "Flowcharts - Basic Syntax".
#[must_use]
pub fn mermaid(task: &TaskSpec) -> String {
    let mut drawn = String::from("flowchart TD\n");
    let mut put = |line: String| {
        // Writing to a String cannot fail.
        let _written = writeln!(drawn, "  {line}");
    };
    put(format!("start([\"{}\"]) --> s0", quoted(&task.title)));
    for (at, step) in task.step.iter().enumerate() {
        put(format!("s{at}{}", shape(task, step)));
        let to = |id: &str| {
            task.step
                .iter()
                .position(|step| step.id == id)
                .map_or_else(|| "done".to_owned(), |to| format!("s{to}"))
        };
        let below = if at + 1 < task.step.len() { format!("s{}", at + 1) } else { "done".to_owned() };
        let onward = match (&step.next, step.end, &step.handoff) {
            (_, _, Some(group)) => format!("human{at}[/\"人工：{}\"/]", quoted(group)),
            (Some(next), _, None) => to(next),
            (None, true, None) => "done".to_owned(),
            (None, false, None) => below.clone(),
        };
        match &step.when {
            Some(when) => {
                put(format!("s{at} -->|\"{}\"| {onward}", quoted(when)));
                put(format!("s{at} -.->|否| {below}"));
            }
            None => put(format!("s{at} --> {onward}")),
        }
        for (words, target) in [("没调通", &step.failed), ("对方拒绝", &step.refused)] {
            if let Some(target) = target {
                put(format!("s{at} -->|{words}| {}", to(target)));
            }
        }
    }
    put("done([\"办完\"])".to_owned());
    drawn
}

/// What a step does, in words.
#[must_use]
pub fn step_in_words(task: &TaskSpec, step: &StepSpec) -> String {
    let slot = |name: &String| {
        let title = task.slot.get(name).map(|slot| slot.title.clone()).filter(|title| !title.is_empty());
        title.unwrap_or_else(|| name.clone())
    };
    let first =
        |words: &String| words.lines().next().unwrap_or_default().chars().take(24).collect::<String>();
    if let Some(name) = &step.ask {
        format!("问：{}", slot(name))
    } else if let Some(words) = &step.say {
        format!("说：{}", first(words))
    } else if let Some(name) = &step.reply {
        format!("回复：{name}")
    } else if let Some(name) = &step.call {
        format!("调用：{name}")
    } else if !step.record.is_empty() {
        "记入客户资料".to_owned()
    } else if let Some(tag) = &step.tag {
        format!("打标签：{tag}")
    } else if let Some(title) = &step.ticket {
        format!("开工单：{}", first(title))
    } else if let Some(group) = &step.handoff {
        format!("转人工：{group}")
    } else {
        "分支".to_owned()
    }
}

fn shape(task: &TaskSpec, step: &StepSpec) -> String {
    let words = quoted(&format!("{}\n{}", step.id, step_in_words(task, step)));
    if step.ask.is_some() {
        format!("[/\"{words}\"\\]")
    } else if step.call.is_some() {
        format!("[[\"{words}\"]]")
    } else if step_in_words(task, step) == "分支" {
        format!("{{\"{words}\"}}")
    } else {
        format!("[\"{words}\"]")
    }
}

fn quoted(words: &str) -> String {
    words.replace('"', "#quot;").replace('\n', "<br/>")
}
