// The chat page: which bot, what was said, sending, and where the explanation stands.
// One conversation is a list of entries; what is on the screen is always drawn from them.

import { Failure, ask, hasKey, judge, listBots, listenTo, newUser, takeKeyFromAddress, useKey } from "./api.js";
import { element, keep, kept } from "./dom.js";
import { drawPart } from "./parts.js";
import { language, say, sayAll, setLanguage } from "./words.js";
import { explain, keyHelp, keyNote } from "./why.js";

// A reload brings back this much of a conversation, which is far below what a browser keeps for one tab.
const ENTRIES_KEPT_MAX = 80;
// Most answers come faster than this; dots that only flash would be noise.
const TYPING_AFTER_MS = 180;

const at = (id) => document.getElementById(id);
const page = at("page"), log = at("log"), turns = at("turns"), field = at("words");
const wide = matchMedia("(min-width: 960px)");
const hasMouse = matchMedia("(hover: hover) and (pointer: fine)");

let bots = [];
/** By bot: a reply may come in while another bot's talk is on the screen. */
const talks = new Map();
/** The talk on the screen: `{bot, entries, over}`; an entry is `{id, who: "customer", sent, shown, at, state, failure}` or `{id, who: "bot", author, parts, turn, answerId, helpful, at, chosen}`. */
let talk = null;
/** Messages go out one after another, since the meaning of one may hang on the one before. */
let outbox = Promise.resolve();
const why = { on: false, entry: null, note: null };

/* ---- start ---- */

takeKeyFromAddress();
sayAll();
listen();
start();

async function start() {
  try {
    bots = await listBots();
  } catch (failure) {
    return cannotStart(failure);
  }
  if (bots.length === 0) return turns.replaceChildren(notice(say("noBots")));
  const wanted = new URLSearchParams(location.search).get("bot");
  const bot = bots.find(({ id }) => id === wanted);
  open(bot ?? bots[0]);
  if (wanted !== null && !bot) turns.prepend(notice(say("missingBot", wanted)));
}

function cannotStart(failure) {
  if (failure.kind === "key") askForKey(start);
  const sentence = failure.kind === "key" ? say("keyAsk") : failure.message || say("startFail");
  const again = failure.kind === "key" ? () => askForKey(start) : start;
  const words = failure.kind === "key" ? say("keyLabel") : say("startAgain");
  turns.replaceChildren(notice(sentence, element("button", { type: "button", class: "button", click: again }, words)));
}

function open(bot) {
  if (!talks.has(bot.id)) talks.set(bot.id, { bot, entries: entriesKept(bot), over: false });
  talk = talks.get(bot.id);
  Object.assign(why, { entry: lastExplained(), note: null });
  at("seal").textContent = sealOf(bot);
  drawSign();
  drawTalk();
  placeWhy();
  ready();
  if (talk.entries.length > 0) hear(talk);
}

/** Shows what humans say in a talk, as they say it. */
function hear(here) {
  if (here.listening) return;
  here.listening = new AbortController();
  listenTo(here.bot.id, here.listening.signal, ({ parts, author }) => {
    if (here.over || !Array.isArray(parts)) return;
    retireChoices();
    add(here, { id: newId(), who: "bot", author, parts, turn: null, answerId: null, helpful: null, at: Date.now(), chosen: null });
  });
}

/* ---- what is kept ---- */

function entriesKept(bot) {
  try {
    const entries = JSON.parse(kept(sessionStorage, `yingda.talk.${bot.id}`)) ?? [];
    for (const entry of entries) if (entry.state === "waiting") Object.assign(entry, { state: "failed", failure: { kind: "left", retry: true } });
    return entries;
  } catch {
    return [];
  }
}

function remember({ bot, entries, over }) {
  if (!over) keep(sessionStorage, `yingda.talk.${bot.id}`, JSON.stringify(entries.slice(-ENTRIES_KEPT_MAX)));
}

function newId() {
  return `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}`;
}

/* ---- sending ---- */

function send(shown, sent = shown) {
  const entry = { id: newId(), who: "customer", sent, shown, at: Date.now(), state: "waiting", failure: null };
  retireChoices();
  add(talk, entry);
  const here = talk;
  outbox = outbox.then(() => deliver(here, entry));
}

async function deliver(here, entry) {
  if (here.over) return;
  const typing = setTimeout(() => showTyping(here), TYPING_AFTER_MS);
  try {
    const { parts, turn, answerId } = await ask(here.bot.id, entry.sent);
    if (here.over) return hideTyping(typing);
    entry.state = "sent";
    hear(here);
    hideTyping(typing);
    // Not drawn anew: the log would read the same words out a second time.
    if (here === talk) nodeOf(entry)?.classList.replace("turn-waiting", "turn-sent");
    // A human has it, and answers when they do.
    if (parts.length === 0) return remember(here);
    const answer = { id: newId(), who: "bot", parts, turn, answerId, helpful: null, at: Date.now(), chosen: null };
    if (here === talk && (turn !== null || hasKey())) Object.assign(why, { entry: turn === null ? null : answer, note: turn === null ? "keyNotAdmin" : null });
    add(here, answer);
    if (why.on) placeWhy();
  } catch (failure) {
    hideTyping(typing);
    if (!(failure instanceof Failure)) throw failure;
    entry.state = "failed";
    entry.failure = { kind: failure.kind, message: failure.message, retry: failure.retry };
    remember(here);
    if (here === talk) nodeOf(entry)?.replaceWith(drawEntry(entry));
    if (failure.kind === "key" && here === talk) askForKey(() => resend(entry));
  }
}

/** Sends a failed message again, as the newest one. */
function resend(entry) {
  if (entry.state !== "failed" || !talk.entries.includes(entry)) return;
  // A choice's number only means that choice while nothing else has been said since.
  const sent = talk.entries.at(-1) === entry ? entry.sent : entry.shown;
  remove(entry);
  send(entry.shown, sent);
}

/** Puts a refused message back into the field, in front of what is already there. */
function amend(entry) {
  remove(entry);
  field.value = [entry.shown, field.value].filter((words) => words !== "").join("\n");
  fieldChanged();
  field.focus();
}

function remove(entry) {
  talk.entries.splice(talk.entries.indexOf(entry), 1);
  remember(talk);
  nodeOf(entry)?.remove();
}

/* ---- drawing the conversation ---- */

function add(here, entry) {
  here.entries.push(entry);
  remember(here);
  if (here !== talk) return;
  const day = dayMark(entry, here.entries.at(-2));
  const node = drawEntry(entry);
  turns.append(...[day, node].filter(Boolean));
  show(node);
}

function drawTalk() {
  // Going through old words again must not read them all out.
  log.setAttribute("aria-live", "off");
  const greeting = talk.bot.greeting ? [drawGreeting()] : [];
  const drawn = talk.entries.flatMap((entry, index) => [dayMark(entry, talk.entries[index - 1]), drawEntry(entry)].filter(Boolean));
  turns.replaceChildren(...greeting, ...drawn);
  log.scrollTop = log.scrollHeight;
  requestAnimationFrame(() => log.setAttribute("aria-live", "polite"));
}

function drawGreeting() {
  const { bot } = talk;
  const suggestions = (bot.suggestions ?? []).map((words) =>
    element("li", null, element("button", { type: "button", class: "suggestion", click: () => { send(words); ready(); } }, words)));
  return botTurn(null,
    element("div", { class: "slip slip-text" }, bot.greeting),
    bot.hours ? element("p", { class: "hours-note" }, hoursOf(bot)) : null,
    suggestions.length === 0 ? null : element("ul", { class: "suggestions" }, suggestions));
}

function drawEntry(entry) {
  return entry.who === "bot" ? drawAnswer(entry) : drawQuestion(entry);
}

function drawQuestion(entry) {
  const foot = entry.state === "failed" ? failureOf(entry)
    : [element("time", { datetime: new Date(entry.at).toISOString() }, clock(entry.at))];
  return element("article", { class: `turn turn-customer turn-${entry.state}`, "data-id": entry.id },
    element("div", { class: "turn-body" },
      element("div", { class: "bubble" }, element("span", { class: "sr" }, say("youSaid")), entry.shown),
      element("div", { class: "turn-foot" }, foot)));
}

function failureOf(entry) {
  const { kind, message, retry } = entry.failure;
  const words = { network: "failNetwork", timeout: "failTimeout", key: "failKey", left: "failLeft", server: "failServer" };
  return [
    element("span", { class: "fail" }, kind === "server" && message ? message : say(words[kind])),
    element("button", { type: "button", class: "foot-button", click: () => (retry ? resend(entry) : amend(entry)) }, say(retry ? "retry" : "amend")),
  ];
}

function drawAnswer(entry) {
  const choices = {
    live: talk.entries.at(-1) === entry,
    chosen: entry.chosen,
    pick(index, option) {
      entry.chosen = index;
      send(option, String(index + 1));
      ready();
    },
  };
  const whyButton = entry.turn === null ? null
    : element("button", { type: "button", class: "foot-button why-button", "aria-expanded": "false", "aria-controls": "why", click: () => toggleEntry(entry) }, say("whyThis"));
  return botTurn(entry, entry.parts.map((part) => drawPart(part, choices)),
    element("div", { class: "turn-foot" }, element("time", { datetime: new Date(entry.at).toISOString() }, clock(entry.at)), judgement(entry), whyButton));
}

/** Two buttons below an answer; the opinion shows in the pressed one, and another one takes its place. */
function judgement(entry) {
  // A question back is settled by picking.
  const isQuestion = entry.parts.some((part) => part?.type === "choices");
  if (isQuestion || !Number.isInteger(entry.answerId)) return null;
  const here = talk;
  const button = (helpful) => element("button", {
    type: "button", class: "foot-button judge", "aria-pressed": String(entry.helpful === helpful),
    click: (event) => settle(event.currentTarget.parentElement, helpful),
  }, say(helpful ? "helpful" : "notHelpful"));
  const settle = async (node, helpful) => {
    try {
      await judge(here.bot.id, entry.answerId, helpful);
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      return;
    }
    entry.helpful = helpful;
    remember(here);
    node.querySelectorAll("button").forEach((own, at) => own.setAttribute("aria-pressed", String((at === 0) === helpful)));
  };
  return element("span", { class: "judgement", role: "group", "aria-label": say("judge") }, button(true), button(false));
}

function botTurn(entry, ...children) {
  const isHuman = entry?.author === "agent";
  return element("article", { class: "turn turn-bot", "data-id": entry?.id },
    element("span", { class: isHuman ? "seal seal-human" : "seal", "aria-hidden": "true" }, isHuman ? say("humanSeal") : sealOf(talk.bot)),
    element("div", { class: "turn-body" },
      element("span", { class: "sr" }, isHuman ? say("humanSaid") : say("botSaid", talk.bot.name)), ...children));
}

function notice(words, ...more) {
  return element("div", { class: "notice" }, element("p", null, words), ...more);
}

function nodeOf(entry) {
  return turns.querySelector(`[data-id="${CSS.escape(entry.id)}"]`);
}

function retireChoices() {
  for (const button of turns.querySelectorAll(".choice")) button.disabled = true;
  for (const note of turns.querySelectorAll(".slip-choices .slip-note")) note.remove();
}

function showTyping(here) {
  if (here !== talk) return;
  hideTyping();
  const dots = element("div", { class: "slip typing", "aria-hidden": "true" }, element("i"), element("i"), element("i"));
  const node = element("div", { class: "turn turn-bot", id: "typing" }, element("span", { class: "seal", "aria-hidden": "true" }, sealOf(talk.bot)), dots);
  turns.append(node);
  at("typing-words").textContent = say("typing", talk.bot.name);
  show(node);
}

function hideTyping(timer) {
  clearTimeout(timer);
  at("typing")?.remove();
  at("typing-words").textContent = "";
}

/** Brings a new turn into view: its end, or its beginning where it is taller than the screen. */
function show(node) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
  const place = () => {
    const room = log.clientHeight;
    const top = node.offsetTop - 16;
    log.scrollTo({ top: node.offsetHeight + 32 > room ? top : node.offsetTop + node.offsetHeight - room + 24, behavior: calm });
  };
  place();
  for (const picture of node.querySelectorAll("img")) picture.addEventListener("load", place, { once: true });
}

/* ---- times ---- */

function clock(time) {
  return new Intl.DateTimeFormat(language() === "zh" ? "zh-CN" : "en-GB", { hour: "2-digit", minute: "2-digit", hour12: false }).format(time);
}

function dayMark(entry, before) {
  const day = new Date(entry.at).toDateString();
  if (before && new Date(before.at).toDateString() === day) return null;
  const daysAgo = Math.round((new Date(new Date().toDateString()) - new Date(day)) / 86_400_000);
  const words = daysAgo === 0 ? say("today") : daysAgo === 1 ? say("yesterday")
    : new Intl.DateTimeFormat(language() === "zh" ? "zh-CN" : "en-GB", { month: "long", day: "numeric", weekday: "long" }).format(entry.at);
  return element("p", { class: "day" }, element("span", null, words));
}

/* ---- the sign ---- */

function sealOf(bot) {
  return Array.from(bot.name || bot.title || "应").at(-1);
}

function drawSign() {
  const { bot } = talk;
  document.title = bot.title;
  at("title").textContent = bot.title;
  at("status").hidden = typeof bot.open !== "boolean";
  at("status").dataset.open = String(bot.open);
  at("status-words").textContent = say(bot.open ? "open" : "shut");
  at("hours").hidden = !bot.hours;
  at("hours").replaceChildren(...hoursOf(bot));
  at("bots").hidden = bots.length < 2;
  at("bots").replaceChildren(...bots.map((other) => element("button", {
    type: "button", class: "bot", "aria-current": other === bot ? "true" : null, click: () => changeBot(other),
  }, element("span", { class: "bot-seal", "aria-hidden": "true" }, sealOf(other)), element("span", null, other.title))));
}

// Each stretch of hours stays on one line where it fits.
function hoursOf(bot) {
  if (!bot.hours) return [];
  return say("hours", bot.hours).split(/(?<=[：，；,;])/).map((stretch) => element("span", null, stretch));
}

function changeBot(bot) {
  if (bot === talk.bot) return;
  const address = new URL(location.href);
  address.searchParams.set("bot", bot.id);
  history.replaceState(null, "", address);
  hideTyping();
  open(bot);
}

/** Forgets every talk and becomes a new customer; asks first where there is something to lose. */
function restart() {
  if (talk === null) return;
  if (talk.entries.length > 0) at("restart-dialog").showModal();
  else beginAnew();
}

function beginAnew() {
  newUser();
  for (const old of talks.values()) {
    old.over = true;
    old.listening?.abort();
  }
  talks.clear();
  for (const bot of bots) keep(sessionStorage, `yingda.talk.${bot.id}`, null);
  hideTyping();
  open(talk.bot);
}

/* ---- why ---- */

function lastExplained() {
  return talk.entries.filter(({ turn }) => turn).at(-1) ?? null;
}

function toggleWhy(on) {
  why.on = on;
  page.classList.toggle("page-why", on);
  at("why-switch").setAttribute("aria-checked", String(on));
  if (on && talk !== null) why.entry ??= why.note === null ? lastExplained() : null;
  placeWhy();
  // The panel takes width from the talk, so the answer may have moved out of sight.
  if (on && wide.matches && why.entry !== null) nodeOf(why.entry)?.scrollIntoView({ block: "nearest" });
}

function toggleEntry(entry) {
  const closes = why.entry === entry && !wide.matches;
  Object.assign(why, { entry: closes ? null : entry, note: null });
  placeWhy();
  if (!closes) nodeOf(entry)?.scrollIntoView({ block: wide.matches ? "nearest" : "start" });
}

/** Puts the explanation where the screen has room: beside the talk, or below the answer it explains. */
function placeWhy() {
  turns.querySelector(".why-sheet")?.remove();
  for (const button of turns.querySelectorAll(".why-button")) {
    button.setAttribute("aria-expanded", String(why.on && why.entry !== null && button.closest(".turn").dataset.id === why.entry.id));
  }
  const below = !wide.matches && hasKey() && (why.entry !== null || why.note === null) && talk !== null && lastExplained() !== null;
  at("why").hidden = !why.on || below;
  if (!why.on) return;
  const content = why.entry !== null && hasKey() ? explain(why.entry.turn) : withoutAnswer();
  if (!below) {
    at("why-body").replaceChildren(...content.filter(Boolean));
    at("why-body").scrollTop = 0;
  } else if (why.entry !== null) {
    const node = nodeOf(why.entry);
    // It stands inside the log, yet it is no speech: a screen reader should not read it all out.
    node?.append(element("div", { class: "why-sheet", role: "region", "aria-live": "off", "aria-label": say("whyTitle") },
      element("h2", { class: "sr" }, say("whyTitle")), content.filter(Boolean)));
    if (node) show(node);
  }
}

function withoutAnswer() {
  if (!hasKey()) return keyHelp((key) => { useKey(key); why.note = "keySaved"; placeWhy(); ready(); });
  const sentence = say(why.note ?? "pickAnswer");
  return keyNote(sentence, () => { useKey(null); Object.assign(why, { entry: null, note: null }); placeWhy(); });
}

/* ---- the key ---- */

function askForKey(then) {
  const dialog = at("key-dialog");
  at("key-words").textContent = say(hasKey() ? "keyWrong" : "keyAsk");
  at("key-field").value = "";
  at("key-form").onsubmit = (event) => {
    event.preventDefault();
    useKey(at("key-field").value.trim());
    dialog.close();
    then();
  };
  if (!dialog.open) dialog.showModal();
}

/* ---- the field and the listeners ---- */

function submit() {
  const words = field.value.trim();
  if (words === "" || talk === null) return;
  field.value = "";
  fieldChanged();
  send(words);
}

function fieldChanged() {
  at("send").disabled = talk === null || field.value.trim() === "";
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}

/** Puts the cursor into the field, except where that would raise a phone's keyboard. */
function ready() {
  fieldChanged();
  if (hasMouse.matches) field.focus({ preventScroll: true });
}

function listen() {
  at("composer").addEventListener("submit", (event) => { event.preventDefault(); submit(); });
  field.addEventListener("input", fieldChanged);
  field.addEventListener("keydown", (event) => {
    // While an input method is composing, Enter picks a word. Safari only tells so by key code 229.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    submit();
  });
  at("language").addEventListener("click", () => changeLanguage(language() === "zh" ? "en" : "zh"));
  at("restart").addEventListener("click", restart);
  at("why-switch").addEventListener("click", () => toggleWhy(!why.on));
  at("why-close").addEventListener("click", () => { toggleWhy(false); at("why-switch").focus(); });
  at("restart-no").addEventListener("click", () => at("restart-dialog").close());
  at("restart-yes").addEventListener("click", () => { at("restart-dialog").close(); beginAnew(); });
  at("key-later").addEventListener("click", () => at("key-dialog").close());
  wide.addEventListener("change", placeWhy);
  addEventListener("hashchange", () => { if (takeKeyFromAddress()) talk === null ? start() : placeWhy(); });
  addEventListener("keydown", (event) => { if (event.key === "Escape" && !event.isComposing && why.on && document.querySelector("dialog[open]") === null) toggleWhy(false); });
  nameLanguageSwitch();
}

function changeLanguage(next) {
  setLanguage(next);
  sayAll();
  nameLanguageSwitch();
  if (talk === null) return;
  drawSign();
  drawTalk();
  placeWhy();
}

function nameLanguageSwitch() {
  const other = language() === "zh" ? { lang: "en", long: "English", short: "EN", label: "EN, switch to English" }
    : { lang: "zh-CN", long: "中文", short: "中", label: "切换到中文" };
  const button = at("language");
  button.lang = other.lang;
  button.setAttribute("aria-label", other.label);
  button.querySelector(".tool-long").textContent = other.long;
  button.querySelector(".tool-short").textContent = other.short;
}
