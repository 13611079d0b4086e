// Opens the page in the place of the first picture; says what to do when it cannot, and when it ever stops. `cargo xtask build`
// makes static/app.js of it and of the element.

import { plan } from "../element/umem-split.js";
import { awaited } from "./awaited.js";

const root = document.getElementById("page");
/** The build that this file is of: every other file is asked for by it, so that builds never mix. */
const build = new URL(import.meta.url).searchParams.get("b") ?? "";
const of = (file) => new URL(`${file}?b=${build}`, import.meta.url);

// ---- Trouble ----

/** What this page needs of a browser, and whether it is there. */
const NEEDS = {
  "WebAssembly (some browsers switch it off in a hardened mode)": () => typeof WebAssembly === "object",
  "WebAssembly with SIMD": () =>
    WebAssembly.validate(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11])),
  "style sheets made by scripts": () => "adoptedStyleSheets" in Document.prototype,
  "gzip": () => typeof DecompressionStream === "function",
};
const FLOOR = "Chrome and Edge 111, Firefox 113, Safari 16.4, and all later ones have it.";

/**
 * Says something above the page, with a button. An open dialog covers the page and takes all clicks, so it is said there; and when that is
 * closed, `after`.
 */
function say(sentence, label, onclick, after) {
  const banner = document.createElement("div");
  banner.className = "notice";
  banner.setAttribute("role", "alert");
  banner.appendChild(document.createElement("p")).textContent = sentence;
  const button = banner.appendChild(document.createElement("button"));
  Object.assign(button, { type: "button", textContent: label, onclick: () => onclick(banner) });
  const dialog = document.querySelector("dialog[open]");
  (dialog ?? document.body).prepend(banner);
  dialog?.addEventListener("close", () => after(banner), { once: true });
}

let isOver = false;
/** Says what went wrong, and offers to reload the page. The address stays as it is, so nothing is lost by that. */
function trouble(sentence) {
  if (isOver) return;
  isOver = true;
  say(sentence, "Reload", () => location.reload(), (banner) => document.body.prepend(banner));
}

/** An error that means: this could not be loaded, and may be the next time. `web/src/lib.rs` knows the name as well. */
const away = (message) => Object.assign(new Error(message), { name: "Away" });

/** Says so, unless something is said already: one cause is told once. */
function tellAway({ message }) {
  if (document.querySelector(".notice[role=alert]")) return;
  const gone = (banner) => banner.remove();
  say(`${message[0].toUpperCase()}${message.slice(1)}: try again once the network is back.`, "Dismiss", gone, gone);
}

/** The memory of the page's code. */
let memory;
/** Whether that is what the code stopped for: it cannot become twice as large. Nothing is lost by trying, now that the code has stopped. */
function isFull() {
  try {
    memory.grow(memory.buffer.byteLength / 65536);
    return false;
  } catch {
    return true;
  }
}
const MEMORY =
  "This browser has no memory left for what you opened, and the page has stopped. `umem plan FILE` works it out at any size. The address still has what was open before.";
const stopped = (what) => `Something went wrong in this page (${what}). What you see may be stale. ${held()}`;
/** Where what was open still is. */
const held = () =>
  location.hash || location.search
    ? "The address still has your scenario: reload to go on with it."
    : "No address holds what was open: reload the page, and open it again.";

/** Whether an error is this page's own, and not of something that the browser or an extension put into it. */
function isOurs(error, place) {
  if (error instanceof WebAssembly.RuntimeError) return true;
  return [place, error?.stack].some((text) => text?.includes(location.origin));
}

/** Tells of an error that nobody caught. Of several the first is told: the others follow from it. */
function tell(error, message) {
  if (error?.name === "Away") return tellAway(error);
  const trap = error instanceof WebAssembly.RuntimeError;
  if (trap && isFull()) return trouble(MEMORY);
  trouble(stopped(trap ? `its code ended: ${message}` : message));
}

function watch() {
  addEventListener("error", ({ error, message, filename }) => {
    // A picture that is resized while it is measured is measured again in the next frame.
    if (/ResizeObserver loop/.test(message) || !isOurs(error, filename)) return;
    tell(error, error?.message ?? message);
  });
  addEventListener("unhandledrejection", ({ reason }) => {
    if (isOurs(reason, "")) tell(reason, reason?.message ?? reason);
  });
}

// ---- Keeping ----

/** The only policy that the page's Content-Security-Policy allows: one script of ours, the service worker. */
const policy = globalThis.trustedTypes?.createPolicy("umem", {
  createScriptURL(url) {
    if (/^sw\.js\?b=[0-9a-f]+$/.test(url)) return url;
    throw new TypeError(`${url} is not a script of this page`);
  },
});

/** Whether somebody serves the page to themselves, as `cargo xtask serve` and `umem view` do. */
const isLocal = () => ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);

/** Keeps the page for when there is no network. What serves a page to its own machine needs no keeping, and would go stale. */
async function keep() {
  if (isLocal() || !navigator.serviceWorker) return;
  const url = `sw.js?b=${build}`;
  await navigator.serviceWorker.register(policy ? policy.createScriptURL(url) : url);
}

// ---- Later ----

/** The dialogs that few visitors open. */
const dialogs = () =>
  awaited(import(of("dialogs.js"))).catch(({ message }) => {
    throw away(`this part of the page could not be loaded (${message})`);
  });

/** What the page's code asks for when somebody wants it, and not before. */
const later = {
  plan,
  cases: async () => (await dialogs()).cases(),
  question: async (name, number) => (await dialogs()).question(name, number),
  paste: async () => (await dialogs()).paste(),
};

// ---- Opening ----

/** When the first picture has been painted: the page's code would keep the browser from it. */
const painted = () =>
  new Promise((done) => {
    // Nothing is painted where nobody looks, and a page that is asked for is there at last.
    if (document.hidden) return done();
    new PerformanceObserver(done).observe({ type: "paint", buffered: true });
    setTimeout(done, 3000);
  });

async function open() {
  const lacks = Object.keys(NEEDS).find((need) => !NEEDS[need]());
  if (lacks) return trouble(`This browser lacks ${lacks}, which this page needs. ${FLOOR}`);
  try {
    await painted();
    const page = await import(of("pkg/web.js"));
    ({ memory } = await page.default({ module_or_path: of("pkg/web_bg.wasm") }));
    watch();
    // From here on what is seen is what the address asks for.
    document.documentElement.classList.remove("other");
    await page.open(root, build, later);
  } catch (error) {
    console.error(error);
    return trouble(
      `The page's code could not be loaded (${error.message}). From a checkout, \`cargo xtask build\` makes it and \`cargo xtask serve\` serves it; elsewhere, reload the page.`,
    );
  }
  // Only a reader who is offline, or forbids keeping, is without it; the page itself works.
  if (document.readyState === "complete") keep().catch(() => {});
  else addEventListener("load", () => keep().catch(() => {}), { once: true });
}

open();
