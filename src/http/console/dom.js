// Building nodes and keeping small values. Text becomes text nodes only: this page never parses HTML.

/**
 * A new element.
 *
 * Properties that are functions become listeners of that name, `null` and `false` are left out,
 * everything else becomes an attribute. Children that are strings become text.
 */
export function element(tag, properties, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name, value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

/** An icon out of the symbols in index.html. */
export function icon(name) {
  const SVG = "http://www.w3.org/2000/svg";
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("class", "icon");
  picture.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  picture.append(use);
  return picture;
}

/** The absolute form of a web address, or `null` for anything that is not http or https, such as `javascript:`. */
export function webAddress(raw) {
  if (typeof raw !== "string" || raw === "") return null;
  try {
    const address = new URL(raw, document.baseURI);
    return address.protocol === "https:" || address.protocol === "http:" ? address.href : null;
  } catch {
    return null;
  }
}

/** What was kept under `name`, or `null`; a browser that forbids storage counts as empty. */
export function kept(storage, name) {
  try {
    return storage.getItem(name);
  } catch {
    return null;
  }
}

/** Keeps `value` under `name`, or forgets it for `null`. A full or forbidden storage only costs the memory of it. */
export function keep(storage, name, value) {
  try {
    if (value === null) storage.removeItem(name);
    else storage.setItem(name, value);
  } catch {
    // The conversation goes on without it.
  }
}
