// The calls to the server, the customer's id and the key.

import { keep, kept } from "./dom.js";

// The engine answers in milliseconds; a customer on a poor line gets this long before we call it lost.
const WAIT_MS = 20_000;
// After a line to the server broke, or the server went away.
const LISTEN_AGAIN_MS = 2_000;

/** Why a call brought no reply. `retry` says whether the same words may be sent again. */
export class Failure extends Error {
  /** `kind`: `network`, `timeout`, `key` or `server`; `message`: the server's sentence, or empty. */
  constructor(kind, message = "", retry = true) {
    super(message);
    this.kind = kind;
    this.retry = retry;
  }
}

// Both live here as well as in storage, because a browser may forbid storage.
let key = kept(sessionStorage, "yingda.key");
let user = kept(localStorage, "yingda.user");
if (user === null) newUser();

/** Whether a key is at hand. */
export function hasKey() {
  return key !== null;
}

/** Takes a key for this tab, or forgets it for `null`. */
export function useKey(next) {
  key = next;
  keep(sessionStorage, "yingda.key", next);
}

/** Takes a key out of the address (`#key=…`), so that it stays in neither history nor a copied link. */
export function takeKeyFromAddress() {
  const given = new URLSearchParams(location.hash.slice(1)).get("key");
  if (given === null) return false;
  history.replaceState(history.state, "", location.pathname + location.search);
  if (given.trim() === "") return false;
  useKey(given.trim());
  return true;
}

/** Becomes a customer whom the bot does not know yet. */
export function newUser() {
  // randomUUID needs https, and a shop may try this page on its own network without it.
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  user = `web-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  keep(localStorage, "yingda.user", user);
}

/** The bots that this page may talk to. */
export async function listBots() {
  const { response, body } = await call("/api/v1/bots", {});
  if (!response.ok || !Array.isArray(body?.bots)) throw refusal(response, body);
  return body.bots;
}

/** Sends one message; gives the reply's parts and, for an admin key, the turn. */
export async function ask(bot, text) {
  const { response, body } = await call("/api/v1/chat", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ bot, user, text }),
  });
  // A refusal may still carry words for the customer; those come first.
  const isWithHuman = response.ok && body?.speaker === "human";
  if (response.status !== 401 && Array.isArray(body?.reply) && (body.reply.length > 0 || isWithHuman)) {
    return { parts: body.reply, turn: body.turn ?? null, answerId: body.answer_id ?? null };
  }
  throw refusal(response, body);
}

/**
 * Listens for what humans and the program say in a talk, until `signal` ends it; comes back by itself.
 * `EventSource` would do, but cannot send a key.
 */
export async function listenTo(bot, signal, heard) {
  let after = "";
  while (!signal.aborted) {
    try {
      const query = new URLSearchParams({ bot, user, ...(after === "" ? {} : { after }) });
      const headers = { Accept: "text/event-stream", ...(key === null ? {} : { Authorization: `Bearer ${key}` }) };
      const response = await fetch(`/api/v1/chat/events?${query}`, { headers, cache: "no-store", signal });
      if (!response.ok) return;
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let rest = ""; ; ) {
        const { value, done } = await reader.read();
        if (done) break;
        const events = (rest + value).split("\n\n");
        rest = events.pop();
        for (const event of events) {
          const data = event.split("\n").find((line) => line.startsWith("data:"));
          if (data === undefined) continue;
          const message = JSON.parse(data.slice(5));
          after = String(message.id);
          heard(message);
        }
      }
    } catch {
      // A line that broke is taken up again.
    }
    await new Promise((resolve) => setTimeout(resolve, LISTEN_AGAIN_MS));
  }
}

/** Says whether an answer helped. */
export async function judge(bot, answerId, helpful) {
  const { response, body } = await call("/api/v1/feedback", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ bot, user, answer_id: answerId, helpful }),
  });
  if (!response.ok) throw refusal(response, body);
}

async function call(path, options) {
  const headers = { Accept: "application/json", ...options.headers };
  if (key !== null) headers.Authorization = `Bearer ${key}`;
  const clock = new AbortController();
  const timer = setTimeout(() => clock.abort(), WAIT_MS);
  try {
    const response = await fetch(path, { ...options, headers, cache: "no-store", signal: clock.signal });
    return { response, body: await bodyOf(response) };
  } catch {
    throw new Failure(clock.signal.aborted ? "timeout" : "network");
  } finally {
    clearTimeout(timer);
  }
}

// A proxy in front of us answers in HTML; that is a failure of the server, not of the network.
async function bodyOf(response) {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function refusal(response, body) {
  const message = typeof body?.error?.message === "string" ? body.error.message : "";
  if (response.status === 401) return new Failure("key", message);
  const passing = response.ok || response.status >= 500 || response.status === 429 || response.status === 408;
  return new Failure("server", message, passing);
}
