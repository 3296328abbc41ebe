// Explains one answer: the decision, what was understood, the rules, the evidence against the thresholds, the time.

import { element } from "./dom.js";
import { say, sayOne } from "./words.js";

const KEY_COMMAND = "yingda key add --scope admin";

/** Everything a turn tells about its answer, top to bottom as the engine went. */
export function explain(turn) {
  return [
    element("section", { class: "verdict", "data-action": turn.action },
      element("span", { class: "verdict-action" }, sayOne("actions", turn.action)),
      element("p", null, turn.because)),
    heard(turn),
    rules(turn.rules ?? []),
    evidence(turn.evidence ?? [], turn.thresholds),
    sensitive(turn.sensitive ?? []),
    timings(turn.timings_us ?? {}),
    state(turn.state),
  ];
}

/** How to get an admin key, with a field for it; `take(key)` receives what was entered. */
export function keyHelp(take) {
  const field = element("input", { id: "admin-key", type: "password", autocomplete: "off", spellcheck: "false", required: true });
  const form = element("form", { class: "key-form", submit: (event) => { event.preventDefault(); take(field.value.trim()); } },
    element("label", { for: "admin-key" }, say("keyAdmin")),
    field,
    element("button", { type: "submit", class: "button" }, say("keyUse")));
  return [
    element("p", null, say("keyHelp")),
    element("div", { class: "command" }, element("code", null, KEY_COMMAND), copyButton(KEY_COMMAND)),
    form,
    element("p", { class: "why-faint" }, say("keyHelpThen")),
  ];
}

/** A sentence in place of an explanation, with a way to drop the key. */
export function keyNote(sentence, forget) {
  return [
    element("p", null, sentence),
    element("button", { type: "button", class: "button-quiet", click: forget }, say("keyForget")),
  ];
}

function copyButton(words) {
  // Browsers offer the clipboard on https and localhost only.
  if (!navigator.clipboard) return null;
  const button = element("button", { type: "button", class: "button-quiet" }, say("copy"));
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(words);
    button.textContent = say("copied");
  });
  return button;
}

function section(title, ...children) {
  return element("section", null, element("h3", null, title), ...children);
}

function heard(turn) {
  const slots = turn.slots ?? [];
  if (!turn.text) return null;
  return section(say("heard"),
    element("p", { class: "sentence" }, marked(turn.text, slots)),
    slots.length === 0 ? null : element("dl", { class: "pairs" }, slots.flatMap((slot) => [
      element("dt", null, slot.name), element("dd", null, String(slot.value)),
    ])),
    turn.tokens?.length ? element("p", { class: "tokens", "aria-label": say("tokens") },
      turn.tokens.map((token) => element("span", null, token))) : null);
}

// Slot offsets count Unicode scalar values of what was typed, which JavaScript's own indices do not.
function marked(sentence, slots) {
  const characters = Array.from(sentence);
  const pieces = [];
  let done = 0;
  for (const slot of [...slots].sort((a, b) => a.start - b.start)) {
    if (!(slot.start >= done && slot.end > slot.start && slot.end <= characters.length)) continue;
    pieces.push(characters.slice(done, slot.start).join(""));
    pieces.push(element("mark", { title: slot.name }, characters.slice(slot.start, slot.end).join("")));
    done = slot.end;
  }
  pieces.push(characters.slice(done).join(""));
  return pieces;
}

function rules(fired) {
  if (fired.length === 0) return null;
  return section(say("rules"), element("ul", { class: "rules" }, fired.map((rule) =>
    element("li", null,
      element("p", { class: "rule-head" }, element("code", null, rule.id), element("span", null, sayOne("stages", rule.stage))),
      (rule.because ?? []).map((reason) => element("p", { class: "rule-because" }, reason))))));
}

function evidence(proofs, thresholds) {
  if (proofs.length === 0) return section(say("evidence"), element("p", { class: "why-faint" }, say("noEvidence")));
  return section(say("evidence"),
    thresholds ? axis(thresholds) : null,
    element("ol", { class: "proofs" }, proofs.map((proof) => drawProof(proof, thresholds))),
    thresholds ? lead(proofs, thresholds) : null);
}

function axis(thresholds) {
  return element("div", { class: "axis" },
    flag("clarify", thresholds.clarify, say("lineClarify", percent(thresholds.clarify))),
    flag("answer", thresholds.answer, say("lineAnswer", percent(thresholds.answer))));
}

// The words hang on that side of their line where there is more room.
function flag(name, at, words) {
  const node = element("div", { class: `flag flag-${name}`, "data-side": at > 0.5 ? "left" : "right" }, element("span", null, words));
  node.style.setProperty("--at", String(at));
  return node;
}

function drawProof(proof, thresholds) {
  const probability = typeof proof.probability === "number" ? proof.probability : null;
  return element("li", { class: "proof", "data-zone": zone(probability, thresholds) },
    element("p", { class: "proof-head" },
      element("span", { class: "proof-kind" }, sayOne("kinds", proof.kind)),
      element("span", { class: "proof-title" }, proof.title ?? proof.id),
      probability === null ? null : element("span", { class: "proof-percent" }, percent(probability))),
    probability === null ? null : bar(proof, probability, thresholds),
    element("p", { class: "proof-foot" },
      proof.matched?.length
        ? element("span", { class: "proof-matched" }, element("span", { class: "sr" }, `${say("matched")}: `), proof.matched.map((word) => element("b", null, word)))
        : null,
      element("span", { class: "proof-source" },
        proof.source ? element("code", null, proof.source) : null,
        typeof proof.score === "number" ? element("span", null, say("score", proof.score.toFixed(2))) : null)));
}

function bar(proof, probability, thresholds) {
  const fill = element("span", { class: "bar-fill" });
  fill.style.setProperty("--at", String(probability));
  const lines = thresholds
    ? ["clarify", "answer"].map((name) => {
        const line = element("span", { class: `bar-line bar-line-${name}` });
        line.style.setProperty("--at", String(thresholds[name]));
        return line;
      })
    : [];
  return element("div", { class: "bar", role: "img", "aria-label": say("barLabel", proof.title ?? proof.id, percent(probability)) }, fill, lines);
}

function zone(probability, thresholds) {
  if (probability === null || !thresholds) return "none";
  if (probability >= thresholds.answer) return "answer";
  return probability >= thresholds.clarify ? "clarify" : "below";
}

// Rules carry no rivalry: only what was searched for competes for the first place.
function lead(proofs, thresholds) {
  const found = proofs.filter((proof) => proof.kind !== "rule" && typeof proof.probability === "number");
  if (found.length < 2 || typeof thresholds.margin !== "number") return null;
  const [first, second] = found.map((proof) => proof.probability).sort((a, b) => b - a);
  const gap = first - second;
  return element("p", { class: "why-faint" }, say("lead", percent(gap), percent(thresholds.margin), gap >= thresholds.margin));
}

function sensitive(hits) {
  if (hits.length === 0) return null;
  return section(say("sensitive"), element("ul", { class: "rules" }, hits.map((hit) =>
    element("li", null, element("p", { class: "rule-head" }, element("code", null, hit.id), element("span", null, sayOne("actions", hit.action)))))));
}

function timings(spans) {
  const steps = Object.entries(spans).filter(([name]) => name !== "total");
  if (steps.length === 0) return null;
  const known = steps.reduce((sum, [, span]) => sum + span, 0);
  const total = spans.total ?? known;
  if (total > known) steps.push(["rest", total - known]);
  const track = element("div", { class: "clock", "aria-hidden": "true" }, steps.map(([name, span]) => {
    const piece = element("span", { "data-step": name });
    piece.style.flexGrow = String(span);
    return piece;
  }));
  return section(say("timings"), track, element("dl", { class: "clock-words" },
    steps.map(([name, span]) => element("div", null, element("dt", { "data-step": name }, sayOne("timingsOf", name)), element("dd", null, duration(span)))),
    element("div", { class: "clock-total" }, element("dt", null, say("total")), element("dd", null, duration(total)))));
}

function state(value) {
  if (value === null || value === undefined) return null;
  return element("details", { class: "state" }, element("summary", null, say("state")),
    element("pre", { tabindex: "0" }, JSON.stringify(value, null, 2)));
}

function percent(share) {
  return `${Math.round(share * 100)}%`;
}

function duration(microseconds) {
  return microseconds < 1000 ? `${microseconds} µs` : `${(microseconds / 1000).toFixed(1)} ms`;
}
