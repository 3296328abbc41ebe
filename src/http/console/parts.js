// Draws the parts of a reply, each as one slip.

import { element, icon, webAddress } from "./dom.js";
import { say } from "./words.js";

/**
 * One part of a reply.
 *
 * `choices`: `live` while its numbers still mean these options, `chosen` the picked index or `null`,
 * and `pick(index, option)`, called on a tap.
 */
export function drawPart(part, choices) {
  switch (part?.type) {
    case "text": return element("div", { class: "slip slip-text" }, withQuote(part.text, part.quote));
    case "choices": return drawChoices(part, choices);
    case "image": return drawImage(part);
    case "card": return drawCard(part);
    case "file": return drawLink(part, "file", part.until ? `${say("file")} · ${say("until", part.until)}` : say("file"), "down");
    case "voice": return drawVoice(part);
    case "link": return drawLink(part, "out", hostOf(part.url), "out");
    // A newer server may know more kinds of part than this page.
    default: return element("div", { class: "slip slip-text slip-faint" }, part?.text ?? part?.title ?? say("unknownPart"));
  }
}

// The places of a quotation count characters, not the halves of them that JavaScript counts.
function withQuote(text, quote) {
  const letters = Array.from(String(text ?? ""));
  if (!Array.isArray(quote)) return withLinks(text);
  const [start, end] = quote;
  const piece = (from, to) => withLinks(letters.slice(from, to).join(""));
  return [...piece(0, start), element("mark", { class: "quote" }, piece(start, end)), ...piece(end)];
}

// An address in running Chinese text ends at the first Chinese character or full-width mark.
const ADDRESS = /https?:\/\/[\w\-.~:/?#[\]@!$&'()*+,;=%]+[\w\-~/#=&%]/g;

function withLinks(text) {
  const words = String(text ?? "");
  const pieces = [];
  let done = 0;
  for (const found of words.matchAll(ADDRESS)) {
    const address = webAddress(found[0]);
    if (address === null) continue;
    pieces.push(words.slice(done, found.index), outward(address, { class: "link" }, found[0]));
    done = found.index + found[0].length;
  }
  pieces.push(words.slice(done));
  return pieces.filter((piece) => piece !== "");
}

function drawChoices(part, { live, chosen, pick }) {
  const options = part.options.map((option, index) =>
    element("li", null,
      element("button", {
        type: "button", class: "choice", disabled: !live,
        "aria-pressed": index === chosen ? "true" : null,
        click: (event) => { event.currentTarget.setAttribute("aria-pressed", "true"); pick(index, option); },
      }, element("span", { class: "choice-number" }, String(index + 1)), element("span", null, option))));
  return element("div", { class: "slip slip-choices" },
    element("p", { class: "slip-prompt" }, part.prompt),
    element("ol", { class: "choices" }, options),
    live ? element("p", { class: "slip-note" }, say("numberHint")) : null);
}

function drawImage(part) {
  const address = webAddress(part.url);
  if (address === null) return element("div", { class: "slip slip-text slip-faint" }, part.title || say("picture"));
  const picture = element("img", { src: address, alt: part.title || say("picture"), decoding: "async" });
  const frame = outward(address, { class: "picture" }, picture);
  picture.addEventListener("error", () => frame.replaceChildren(element("span", { class: "picture-lost" }, say("pictureLost"))));
  return element("figure", { class: "slip slip-picture" }, frame,
    part.title ? element("figcaption", null, part.title) : null);
}

function drawCard(part) {
  const address = webAddress(part.url);
  const source = webAddress(part.picture);
  const picture = source === null ? null : element("img", { class: "card-picture", src: source, alt: "", decoding: "async" });
  picture?.addEventListener("error", () => picture.remove());
  const inside = [
    picture,
    element("span", { class: "card-words" },
      element("strong", { class: "card-title" }, part.title),
      part.description ? element("span", { class: "card-description" }, part.description) : null,
      address === null ? null : element("span", { class: "card-host" }, hostOf(address), icon("out"))),
  ];
  return address === null
    ? element("div", { class: "slip slip-card" }, inside)
    : outward(address, { class: "slip slip-card" }, inside);
}

function drawVoice(part) {
  const address = webAddress(part.url);
  if (address === null) return drawLink(part, "file", say("voice"), "down");
  const player = element("audio", { controls: true, preload: "metadata", src: address, "aria-label": part.title || say("voice") });
  const slip = element("div", { class: "slip slip-voice" }, element("span", { class: "slip-prompt" }, part.title || say("voice")), player);
  // WeCom's own voice format, AMR, plays in no browser: then the download is what is left.
  player.addEventListener("error", () => slip.replaceWith(drawLink(part, "file", say("voice"), "down")));
  return slip;
}

function drawLink(part, left, below, right) {
  const address = webAddress(part.url);
  const inside = [
    element("span", { class: "row-icon" }, icon(left)),
    element("span", { class: "row-words" },
      element("span", { class: "row-title" }, part.title || part.url),
      element("span", { class: "row-below" }, below)),
    left === right ? null : element("span", { class: "row-end" }, icon(right)),
  ];
  return address === null
    ? element("div", { class: "slip slip-row slip-faint" }, inside)
    : outward(address, { class: "slip slip-row" }, inside);
}

function outward(address, properties, ...children) {
  return element("a", { ...properties, href: address, target: "_blank", rel: "noopener noreferrer" },
    ...children, element("span", { class: "sr" }, ` (${say("openNew")})`));
}

function hostOf(raw) {
  const address = webAddress(raw);
  return address === null ? "" : new URL(address).host;
}
