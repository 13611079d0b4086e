// Shows the picture by the element, whose code is small, and then opens the page in its place; says what to do when it cannot.

import "./umem-split.js";

const root = document.getElementById("page");

/** The only policy that the page's Content-Security-Policy allows: one script of ours, the service worker. */
const policy = globalThis.trustedTypes?.createPolicy("umem", {
  createScriptURL(url) {
    if (/^sw\.js\?build=[0-9a-f]+$/.test(url)) return url;
    throw new TypeError(`${url} is no script of this page`);
  },
});

/** Whether somebody serves the page to themselves, as `cargo xtask serve` and `umem view` do. */
const isLocal = () => ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);

/** What tells one build of the page from another: the digest of its code. */
async function build() {
  const code = await (await fetch("pkg/web_bg.wasm")).arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", code));
  return [...digest.slice(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Keeps the page for when there is no network. What serves a page to its own machine needs no keeping, and would go stale. */
async function keep() {
  if (isLocal() || !navigator.serviceWorker) return;
  const url = `sw.js?build=${await build()}`;
  await navigator.serviceWorker.register(policy ? policy.createScriptURL(url) : url);
}

/** The picture that the address asks for, as far as the element can tell: at the latest when it fails, the page goes on. */
async function picture() {
  const first = root.querySelector("umem-split");
  const asked = new URLSearchParams(location.hash.slice(1));
  // These show something else, which only the page knows.
  if (asked.has("story") || new URLSearchParams(location.search).has("src")) return first.remove();
  const seen = new Promise((done) => ["umem-ready", "umem-error"].forEach((name) => first.addEventListener(name, done, { once: true })));
  try {
    const bytes = Uint8Array.from(atob((asked.get("s") ?? "").replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
    if (bytes.length) first.scenario = new TextDecoder().decode(bytes);
  } catch {
    // The page says what is wrong with its address.
  }
  first.preset = asked.get("preset") ?? "mail";
  await Promise.race([seen, new Promise((done) => setTimeout(done, 4000))]);
  await new Promise((done) => setTimeout(done));
}

try {
  await picture();
  const page = await import("./pkg/web.js");
  await page.default();
  page.open(root);
  // Only who is offline, or forbids keeping, is without it; the page itself works.
  addEventListener("load", () => keep().catch(() => {}), { once: true });
  if (document.readyState === "complete") keep().catch(() => {});
} catch (error) {
  console.error(error);
  const trouble = document.createElement("p");
  trouble.className = "trouble";
  trouble.setAttribute("role", "alert");
  trouble.textContent =
    typeof WebAssembly === "undefined"
      ? "This browser has no WebAssembly, which this page computes with. Some browsers switch it off in a hardened mode."
      : `The page's code could not be loaded (${error.message}). From a checkout, \`cargo xtask build\` makes it and \`cargo xtask serve\` serves it; elsewhere, reload the page.`;
  root.replaceChildren(trouble);
}
