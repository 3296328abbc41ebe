// Explains one answer: the decision, what was understood, the intent, the rules, the evidence against the thresholds, the time.

import { element } from "./dom.js";
import { say, sayOne } from "./words.js";

const KEY_COMMAND = "yingda key add --scope admin";
// Search and the whole are both told where they differ by this much; a hair less, since 0.47 - 0.46 is below 0.01 here.
const DIFFERS_FROM = 0.01 - 1e-6;

/** Everything a turn tells about its answer, top to bottom as the engine went. */
export function explain(turn) {
  return [
    element("section", { class: "verdict", "data-action": turn.action },
      element("span", { class: "verdict-action" }, sayOne("actions", turn.action)),
      element("p", null, turn.because)),
    heard(turn),
    intent(turn.intent, turn.thresholds),
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

// A name in the reader's language with the id that the shop's files know it by; the id alone where there is no such name.
function named(set, id) {
  const name = sayOne(set, id);
  return name === id ? [element("code", null, id)] : [name, " ", element("code", null, id)];
}

function heard(turn) {
  const slots = turn.slots ?? [];
  const dropped = turn.dropped ?? [];
  if (!turn.text) return null;
  return section(say("heard"),
    element("p", { class: "sentence" }, marked(turn.text, slots)),
    slots.length === 0 ? null : element("ul", { class: "entities" }, slots.map((slot) => drawSlot(slot))),
    dropped.length === 0 ? null : element("details", { class: "folded" }, element("summary", null, say("dropped", dropped.length)),
      element("ul", { class: "entities" }, dropped.map((slot) => drawSlot(slot, slots.find((other) => overlap(slot, other)))))),
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
    pieces.push(element("mark", { title: sayOne("slotNames", slot.name) }, struck(slot, characters.slice(slot.start, slot.end).join(""))));
    done = slot.end;
  }
  pieces.push(characters.slice(done).join(""));
  return pieces;
}

// Few screen readers tell of a line through words, so the denial is also said.
function struck(slot, words) {
  return slot.negated ? [element("s", null, words), element("span", { class: "sr" }, say("negatedAside"))] : [words];
}

function overlap(one, other) {
  return one.start < other.end && other.start < one.end;
}

/** One entity; `winner` is the one that it lost to, if it lost. */
function drawSlot(slot, winner) {
  const meant = meaning(slot.meaning);
  const foot = [
    slot.found_by ? found(slot) : null,
    winner ? say("lostTo", sayOne("slotNames", winner.name), String(winner.value)) : null,
  ].filter((words) => words !== null);
  return element("li", { class: "entity" },
    element("p", { class: "entity-head" },
      element("span", { class: "entity-name" }, named("slotNames", slot.name)),
      element("span", { class: "entity-value" }, struck(slot, String(slot.value))),
      slot.negated ? element("span", { class: "proof-kind", "aria-hidden": "true" }, say("negated")) : null,
      meant === null ? null : element("span", { class: "entity-meaning" }, element("span", { class: "entity-arrow" }, "→ "), meant)),
    foot.length === 0 ? null : element("p", { class: "entity-foot" }, foot.map((words) => element("span", null, words))));
}

function found(slot) {
  const sure = typeof slot.confidence === "number" ? percent(slot.confidence) : null;
  return say("found", sayOne("finders", slot.found_by), sure, (slot.seconded_by ?? []).map((finder) => sayOne("finders", finder)));
}

// What a machine makes of an entity, in words; the keys that are there tell its kind. `null` where nothing is made of it.
function meaning(value) {
  if (value === null || value === undefined) return null;
  if ("from" in value) return [element("span", { title: `${value.from} / ${value.to}` }, period(value))];
  if ("count" in value) return [say("amount", number(value.count), value.unit)];
  if ("yuan_min" in value || "yuan_max" in value) return [money(value)];
  if ("measure" in value) return [say("measured", sayOne("measures", value.measure), number(value.value), sayOne("units", value.unit))];
  if ("colour" in value) return [say("coloured", value.colour, sayOne("families", value.family))];
  if ("products" in value) return [`${value.word} `, ...products(value.products)];
  return "word" in value ? [value.word] : [JSON.stringify(value)];
}

function products(ids) {
  if (ids.length === 0) return [element("span", { class: "why-faint" }, say("noProducts"))];
  return ids.flatMap((id) => [element("code", { class: "product-id" }, id), " "]);
}

function money({ yuan_min: least, yuan_max: most }) {
  if (typeof least !== "number") return say("moneyAtMost", number(most));
  if (typeof most !== "number") return say("moneyAtLeast", number(least));
  return least === most ? say("moneyExact", number(least)) : say("moneyBetween", number(least), number(most));
}

function number(value) {
  return String(Math.round(value * 100) / 100);
}

// Both ends as the reader's own clock has them. The end no longer belongs to the period: an end at midnight is the day before.
function period(value) {
  const from = instant(value.from);
  const to = instant(value.to);
  if (Number.isNaN(from.getTime()) || Number.isNaN(to.getTime())) return say("span", value.from, value.to);
  const dayBefore = new Date(to.getFullYear(), to.getMonth(), to.getDate() - 1);
  const whole = atMidnight(from) && atMidnight(to) && from < to;
  const first = whole ? day(from) : `${day(from)} ${hour(from)}`;
  if (!(from < to)) return first;
  if (whole) return day(dayBefore) === first ? first : say("span", first, day(dayBefore));
  // Of hours until midnight, 24:00 of the day before.
  const [lastDay, lastHour] = atMidnight(to) ? [day(dayBefore), "24:00"] : [day(to), hour(to)];
  if (lastDay !== day(from)) return say("span", first, `${lastDay} ${lastHour}`);
  return lastHour === hour(from) ? first : say("span", first, lastHour);
}

// The server tells the wall clock of the bot's zone with its offset; it is shown as it stands, wherever the reader is.
function instant(words) {
  return new Date(String(words).replace(/[+-]\d\d:\d\d$/, ""));
}

function atMidnight(time) {
  return time.getHours() === 0 && time.getMinutes() === 0 && time.getSeconds() === 0 && time.getMilliseconds() === 0;
}

function day(time) {
  return [String(time.getFullYear()).padStart(4, "0"), twoDigits(time.getMonth() + 1), twoDigits(time.getDate())].join("-");
}

function hour(time) {
  return `${twoDigits(time.getHours())}:${twoDigits(time.getMinutes())}`;
}

function twoDigits(value) {
  return String(value).padStart(2, "0");
}

// A bot without a model has no intent, and nothing is said of it.
function intent(value, thresholds) {
  if (value === null || value === undefined) return null;
  const limit = typeof thresholds?.intent === "number" ? thresholds.intent : null;
  const wishes = value.wishes ?? [];
  return section(say("intent"),
    wishes.length < 2 ? null : element("p", { class: "wishes" }, say("wishes", wishes.length),
      wishes.map((wish) => element("span", { class: "wish" }, named("topics", wish)))),
    limit === null ? null : element("div", { class: "axis axis-single" }, flag("intent", limit, say("lineIntent", percent(limit)))),
    element("ol", { class: "intents" }, (value.top ?? []).map(([id, probability]) => drawIntent(id, probability, limit))),
    typeof value.out_of_scope !== "number" ? null
      : element("p", { class: "why-faint" }, say("outOfScope", percent(value.out_of_scope), value.foreign === true)),
    value.model ? element("p", { class: "model" }, say("model"), " ", element("code", null, value.model)) : null);
}

function drawIntent(id, probability, limit) {
  const reached = limit !== null && probability >= limit;
  return element("li", { class: "proof", "data-zone": reached ? "answer" : "none" },
    element("p", { class: "proof-head" },
      element("span", { class: "proof-title" }, named("topics", id)),
      element("span", { class: "proof-percent" }, percent(probability))),
    bar(sayOne("topics", id), probability, limit === null ? [] : [["intent", limit]]));
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
    probability === null ? null : bar(proof.title ?? proof.id, probability, thresholds ? [["clarify", thresholds.clarify], ["answer", thresholds.answer]] : []),
    bothShares(proof, probability),
    element("p", { class: "proof-foot" },
      proof.matched?.length
        ? element("span", { class: "proof-matched" }, element("span", { class: "sr" }, `${say("matched")}: `), proof.matched.map((word) => element("b", null, word)))
        : null,
      element("span", { class: "proof-source" },
        proof.source ? element("code", null, proof.source) : null,
        typeof proof.score === "number" ? element("span", null, say("score", proof.score.toFixed(2))) : null)));
}

// What the whole made of search's own share, where it made something of it.
function bothShares({ searched }, probability) {
  if (probability === null || typeof searched !== "number" || Math.abs(searched - probability) < DIFFERS_FROM) return null;
  return element("p", { class: "proof-both" }, say("bothShares", searched.toFixed(2), probability.toFixed(2)));
}

/** A bar as long as `probability`, with `lines` of `[name, at]` across it. */
function bar(title, probability, lines) {
  const fill = element("span", { class: "bar-fill" });
  fill.style.setProperty("--at", String(probability));
  const drawn = lines.map(([name, at]) => {
    const line = element("span", { class: `bar-line bar-line-${name}` });
    line.style.setProperty("--at", String(at));
    return line;
  });
  return element("div", { class: "bar", role: "img", "aria-label": say("barLabel", title, percent(probability)) }, fill, drawn);
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
  return element("details", { class: "folded" }, element("summary", null, say("state")),
    element("pre", { tabindex: "0" }, JSON.stringify(value, null, 2)));
}

// Neither certain nor impossible unless it is.
function percent(share) {
  if (share > 0 && share < 0.005) return "<1%";
  if (share < 1 && share >= 0.995) return ">99%";
  return `${Math.round(share * 100)}%`;
}

function duration(microseconds) {
  return microseconds < 1000 ? `${microseconds} µs` : `${(microseconds / 1000).toFixed(1)} ms`;
}
