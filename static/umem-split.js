// <umem-split>: how a memory region becomes page-table entries, in any document.
//
// The attributes, properties, methods and events are described in umem-split.d.ts. What is drawn, and what a key or a finger
// on it means, is Rust's (web/src/element.rs), loaded when the first element comes near the viewport, once for all of them.

/** What loads a module of Rust's code when it is first asked for; who comes after a failure may have more luck. */
function once(what, module) {
  let loading;
  return () =>
    (loading ??= module()
      .then(async (code) => {
        await code.default();
        return code;
      })
      .catch((error) => {
        loading = undefined;
        throw new Error(`${what} could not be loaded (${error.message})`);
      }));
}

const load = once("the code of <umem-split>", () => import("./element/umem_split.js"));
const rules = once("the rules", () => import("./plan/umem_plan.js"));

/**
 * Works a scenario out, as `umem plan --format json` does.
 * @param {import("./umem-split.js").Scenario | string} scenario
 * @returns {Promise<import("./umem-split.js").Registration>}
 */
export async function plan(scenario) {
  const { plan } = await rules();
  return JSON.parse(plan(typeof scenario === "string" ? scenario : JSON.stringify(scenario)));
}

/** Longer than this is no scenario that a page should work out, in bytes. */
const LONGEST = 256 * 2 ** 20;
/** A fallback less high than this is a word while one waits, and no picture whose place is kept, in pixels. */
const PICTURE = 120;
/** How far from the viewport an element begins to load, in pixels. */
const NEAR = 300;
/** How long the end is looked at before a loop begins anew, in milliseconds. */
const LOOK = 1500;
/** A pause of the browser longer than this is no time that the reader saw pass, in milliseconds. */
const BLINK = 100;
const COLOURS = ["ground", "ink", "soft", "grid", "card", "ribbon", "accent", ...[0, 1, 2, 3, 4, 5].map((n) => `size-${n}`)];
const WORDS = { preset: "", src: "", controls: "full", lanes: "", theme: "auto" };
const NUMBERS = ["speed", "at"];
const SWITCHES = ["autoplay", "loop"];

const STYLE = `
:host { display: block; position: relative; color-scheme: light dark; color: var(--umem-ink, light-dark(#1d2430, #e8ecf3));
  background: var(--umem-ground, light-dark(#fbfaf7, #12161d)); font: 14px/1.4 var(--umem-font, system-ui, sans-serif); text-align: start; }
:host([hidden]) { display: none; }
:host([theme=light]) { color-scheme: light; }
:host([theme=dark]) { color-scheme: dark; }
[hidden] { display: none !important; }
.figure { display: flex; flex-direction: column; }
.kept .figure { position: absolute; inset: 0; }
.kept .box { flex: 1; min-height: 0; overflow: hidden; }
.kept .fallback { visibility: hidden; overflow: hidden; }
.drawn:not(.kept) .fallback { display: none; }
canvas { display: block; width: 100%; touch-action: pan-y; cursor: crosshair; border-radius: 4px; }
canvas[tabindex="-1"] { cursor: auto; }
p { margin: 4px 0 0; }
.caption { flex: 1; font-size: 13px; color: var(--umem-soft, light-dark(#5b6576, #9aa6b8)); overflow-wrap: anywhere; min-height: 2.8em; }
.status { font-weight: 600; font-variant-numeric: tabular-nums; }
.error { color: var(--umem-accent, light-dark(#c2410c, #ff9d66)); background: inherit; }
.controls { display: flex; flex-wrap: wrap; align-items: center; gap: 6px; margin-top: 6px; }
.kept .controls, .kept .words, .kept .status { flex: none; }
.kept .controls { flex-wrap: nowrap; }
.words { display: flex; gap: 8px; align-items: start; }
.whole { flex: none; margin-top: 4px; }
button { font: inherit; color: inherit; background: var(--umem-card, light-dark(#fff, #181e28)); border: 1px solid currentColor; border-radius: 6px; padding: 3px 10px; min-height: 28px; cursor: pointer; }
button.play { min-width: 5em; }
input { flex: 1; min-width: 4em; min-height: 24px; accent-color: var(--umem-accent, light-dark(#c2410c, #ff9d66)); }
:focus-visible { outline: 2px solid var(--umem-accent, light-dark(#c2410c, #ff9d66)); outline-offset: 2px; }
@media (forced-colors: active) { button { border-color: ButtonText; } }
@media print { .controls, .caption, .whole { display: none; } }
`;
/** What all elements share: the style sheet, and what the reader prefers. Made by the first of them: a server that imports this has neither. */
let style, media;
/** Whether there was an element. The first is opened without waiting for a frame: a reader waits for it. */
let looked = false;
const share = () => {
  if (style) return;
  style = new CSSStyleSheet();
  style.replaceSync(STYLE);
  const asked = { dark: "(prefers-color-scheme: dark)", forced: "(forced-colors: active)", still: "(prefers-reduced-motion: reduce)", contrast: "(prefers-contrast: more)" };
  media = Object.fromEntries(Object.entries(asked).map(([name, query]) => [name, matchMedia(query)]));
};

const make = (name, part, parent, properties = {}) => {
  const node = document.createElement(name);
  node.className = part;
  node.setAttribute("part", part);
  Object.assign(node, properties);
  parent.append(node);
  return node;
};

// Where there are no elements, as on a server, it can be imported all the same.
export class UmemSplit extends (globalThis.HTMLElement ?? Object) {
  static observedAttributes = [...Object.keys(WORDS), ...NUMBERS, ...SWITCHES, "scenario", "class", "style"];

  #frame; #figure; #box; #canvas; #whole; #caption; #status; #error; #controls; #play; #slider; #extras;
  /** Rust's side of it, while the element is in a document and was near the viewport. */
  #widget = null;
  /** Whether that is somebody else's, who says what it shows, and has buttons and words of their own. */
  #led = false;
  /** What is undone when the element leaves the document. */
  #undo = null;
  /** A scenario that was set as a property: too long for an attribute. */
  #given;
  /** Which of several readings of `src` is the last. */
  #reading = 0;
  /** What the mouse is on, in words. */
  #under;
  /** The step that was told last. */
  #told = -1;
  #seen = false;
  /** Whether what it was asked for was found, and can be seen. */
  #ready = false;
  #kept = false;
  #tick = 0;
  #pending = 0;
  /** What a method asked for before there was a widget; the place to come back to. */
  #wish = {};

  constructor() {
    super();
    share();
    const root = this.attachShadow({ mode: "open", delegatesFocus: true });
    root.adoptedStyleSheets = [style];
    this.#frame = make("div", "frame", root);
    make("div", "fallback", this.#frame).append(document.createElement("slot"));
    const figure = (this.#figure = make("div", "figure", this.#frame, { hidden: true }));
    this.#box = make("div", "box", figure);
    this.#canvas = make("canvas", "picture", this.#box);
    const words = make("div", "words", figure);
    this.#caption = make("p", "caption", words, { ariaLive: "polite" });
    this.#whole = make("button", "whole", words, { type: "button", textContent: "Show all", hidden: true, onclick: () => this.#does(() => this.#widget.whole()) });
    this.#status = make("p", "status", figure, { role: "status" });
    this.#controls = make("div", "controls", figure, { role: "group", ariaLabel: "Player" });
    const button = (name, act) => make("button", name.toLowerCase(), this.#controls, { type: "button", textContent: name, onclick: act });
    this.#play = button("Play", () => this.#does(() => this.#widget.toggle()));
    this.#extras = [
      button("Back", () => this.#does(() => this.#widget.back())),
      button("Step", () => this.#does(() => this.#widget.step())),
      button("Restart", () => this.seek(0)),
    ];
    this.#slider = make("input", "slider", this.#controls, { type: "range", min: "0", step: "1", ariaLabel: "Moment", oninput: () => this.seek(+this.#slider.value) });
    this.#error = make("p", "error", this.#frame, { role: "alert", hidden: true });
    this.#listen();
  }

  connectedCallback() {
    for (const name of [...Object.keys(WORDS), ...NUMBERS, ...SWITCHES, "scenario"]) {
      // Set before the element was defined.
      if (Object.hasOwn(this, name)) {
        const value = this[name];
        delete this[name];
        this[name] = value;
      }
    }
    const near = new IntersectionObserver(([entry]) => {
      if (!entry.isIntersecting) return;
      near.disconnect();
      if (!this.#widget) this.#open();
    }, { rootMargin: `${NEAR}px` });
    this.#undo = [() => near.disconnect()];
    if (this.#led) this.#live();
    else if (!looked && this.#isNear()) this.#open();
    else near.observe(this);
    looked = true;
  }

  disconnectedCallback() {
    for (const undo of this.#undo ?? []) undo();
    this.#undo = null;
    cancelAnimationFrame(this.#tick);
    cancelAnimationFrame(this.#pending);
    clearTimeout(this.#tick);
    this.#tick = this.#pending = 0;
    if (this.#led) return;
    if (this.#ready) this.#wish = { at: this.moment, playing: this.playing };
    this.#ready = false;
    this.#widget?.free();
    this.#widget = null;
    this.#frame.classList.remove("drawn", "kept");
    this.#figure.hidden = true;
  }

  attributeChangedCallback(name, before, after) {
    if (name === "scenario" && before !== after) this.#given = undefined;
    if (!this.#widget || before === after) return;
    if (this.#led) this.#dress();
    else if (["preset", "scenario", "src"].includes(name)) this.#read();
    else if (!this.#ready) return;
    else if (name === "at") this.seek(this.at ?? this.steps);
    else if (name === "autoplay") this.#begin();
    else this.#dress();
  }

  // ---- What others call ----

  /** Plays, from the beginning if it is at the end. */
  play() {
    if (!this.#ready) this.#wish.playing = true;
    else if (!this.playing) this.#does(() => this.#widget.toggle());
  }

  /** Stops where it is. */
  pause() {
    if (!this.#ready) this.#wish.playing = false;
    else if (this.playing) this.#does(() => this.#widget.toggle());
  }

  /** On to the next step. */
  step() {
    if (this.#ready) this.#does(() => this.#widget.step());
  }

  /** To step `n`, from 0 to `steps`. */
  seek(n) {
    if (!Number.isFinite(+n)) throw new TypeError(`seek: ${n} is no step`);
    if (this.#ready) this.#does(() => this.#widget.seek(Math.max(0, Math.trunc(n))));
    else this.#wish.at = Math.max(0, Math.trunc(n));
  }

  get status() { return this.#ready ? this.#widget.status() : ""; }
  get steps() { return this.#ready ? this.#widget.steps() : 0; }
  get moment() { return this.#ready ? this.#widget.at() : 0; }
  get playing() { return this.#ready && this.#widget.playing(); }
  get ready() { return this.#ready; }

  get scenario() {
    const text = this.#ready ? this.#widget.asked() : this.#given ?? this.getAttribute("scenario");
    try {
      return text ? JSON.parse(text) : null;
    } catch {
      // What is wrong with it is told when it is to be shown.
      return null;
    }
  }

  set scenario(value) {
    this.#given = value == null || typeof value === "string" ? (value ?? undefined) : JSON.stringify(value);
    // An attribute that goes makes it read, too.
    if (value == null && this.hasAttribute("scenario")) this.removeAttribute("scenario");
    else if (this.#widget) this.#read();
  }

  // ---- What the page that belongs to it calls ----

  /** Shows what another's widget shows, whatever the attributes say, and leaves buttons and words to who made it. */
  follow(widget) {
    this.#led = true;
    this.#widget = widget;
    this.#status.remove();
    this.#controls.remove();
    this.#live();
  }

  /** Draws at once: what the widget shows has changed. */
  refresh() {
    this.#shown();
    this.#draw();
  }

  // ---- What goes on inside ----

  /** Whether it is near the viewport. To ask makes the browser lay the document out, so only the first is asked; it tells of others. */
  #isNear() {
    const { top, bottom, width } = this.getBoundingClientRect();
    return width > 0 && bottom > -NEAR && top < innerHeight + NEAR;
  }

  async #open() {
    const undo = this.#undo;
    try {
      const { Widget } = await load();
      // Gone, or gone and back, meanwhile.
      if (this.#undo !== undo || !undo || this.#widget) return;
      this.#widget = new Widget();
    } catch (error) {
      return this.#fail(error);
    }
    this.#live();
    this.#read();
  }

  /** Follows what the widget's picture depends on. */
  #live() {
    const sizes = new ResizeObserver(() => this.#draw());
    sizes.observe(this.#box);
    const sight = new IntersectionObserver(([entry]) => {
      this.#seen = entry.isIntersecting;
      this.#run();
    });
    sight.observe(this);
    const dress = () => this.#dress();
    for (const list of Object.values(media)) list.addEventListener("change", dress);
    this.#undo.push(
      () => sizes.disconnect(),
      () => sight.disconnect(),
      () => Object.values(media).forEach((list) => list.removeEventListener("change", dress)),
    );
    if (this.#led) this.#reveal();
  }

  /** Takes the fallback's place, now that there is something to show. */
  #reveal() {
    this.#ready = true;
    // A picture of ours takes the place of the fallback's, to the pixel.
    this.#kept = this.#frame.firstChild.getBoundingClientRect().height >= PICTURE;
    this.#dress();
    this.#frame.classList.toggle("kept", this.#kept);
    this.#frame.classList.add("drawn");
    this.#figure.hidden = false;
    this.#draw();
    this.#tell("umem-ready", { status: this.status, steps: this.steps });
  }

  /** Shows what the attributes ask for. */
  async #read() {
    const reading = ++this.#reading;
    try {
      const text = this.#given ?? this.getAttribute("scenario");
      const { preset, src } = this;
      if (text) {
        this.#widget.scenario(new TextEncoder().encode(text));
      } else if (src) {
        const bytes = await fetched(new URL(src, this.baseURI));
        if (reading !== this.#reading || !this.#widget) return;
        this.#widget.scenario(bytes);
      } else {
        this.#widget.preset(preset || "mail");
      }
      this.#error.hidden = true;
    } catch (error) {
      if (reading === this.#reading) this.#fail(error);
      return;
    }
    // What was told of the last scenario is told no more.
    this.#told = -1;
    this.#under = undefined;
    this.#widget.leave();
    this.#begin();
    if (this.#ready) this.#tell("umem-change", { status: this.status, steps: this.steps, scenario: this.scenario });
    else this.#reveal();
  }

  /** Where it stands when it is first seen. */
  #begin() {
    const { at, playing } = this.#wish;
    this.#wish = {};
    const plays = playing ?? (this.autoplay && this.controls !== "none" && !media.still.matches);
    const step = at ?? this.at ?? (plays ? 0 : this.#widget.steps());
    this.#does(() => {
      this.#widget.seek(Math.max(0, step));
      if (plays) this.#widget.toggle();
    });
  }

  /** Does something to the widget, and shows what came of it. */
  #does(act) {
    act();
    this.#shown();
    this.#run();
  }

  /** Looks: attributes, theme and custom properties. */
  #dress() {
    const widget = this.#widget;
    if (!widget) return;
    const { controls, theme } = this;
    const bare = controls === "none";
    this.#controls.hidden = this.#caption.hidden = this.#status.hidden = bare;
    this.#caption.hidden ||= controls === "play";
    for (const button of this.#extras) button.hidden = controls === "play";
    this.#canvas.tabIndex = bare ? -1 : 0;
    this.#canvas.setAttribute("role", bare ? "img" : "application");
    this.#canvas.ariaRoleDescription = bare ? null : "picture";
    this.#canvas.setAttribute("aria-keyshortcuts", "Space ArrowLeft ArrowRight Home ArrowUp ArrowDown Shift+ArrowLeft Shift+ArrowRight Enter + - 0");
    if (!this.#led) this.#ask();
    widget.still(media.still.matches);
    const dark = theme === "dark" || (theme !== "light" && media.dark.matches);
    widget.theme(media.forced.matches ? "forced" : dark ? "dark" : "light");
    const own = getComputedStyle(this);
    for (const name of COLOURS) {
      const value = own.getPropertyValue(`--umem-${name}`).trim();
      const colour = value && colourOf(value, this.#caption);
      if (colour !== "" && colour !== null) widget.colour(name, colour);
    }
    if (media.contrast.matches && !media.forced.matches) widget.colour("soft", dark ? 0xffffff : 0x000000);
    this.#shown();
    this.#run();
  }

  /** What the attributes ask of the widget, beside a scene. */
  #ask() {
    try {
      this.#widget.lanes(this.lanes || "virtual frames sg dma entries");
    } catch (error) {
      this.#fail(error);
    }
    this.#widget.pace(this.speed ?? 0);
  }

  /** Writes what the widget knows, and draws at the next frame. */
  #shown() {
    const widget = this.#widget;
    this.#say();
    this.#whole.hidden = !widget.zoomed() || this.controls === "none";
    this.#canvas.ariaLabel = widget.label();
    if (!this.#led) this.#count();
    this.#pending ||= requestAnimationFrame(() => this.#draw());
  }

  /** Writes where it stands, and tells it to who listens. */
  #count() {
    const widget = this.#widget;
    const [step, steps] = [widget.at(), widget.steps()];
    const status = widget.status();
    if (this.#status.textContent !== status) this.#status.textContent = status;
    this.#play.textContent = widget.playing() ? "Pause" : "Play";
    this.#slider.max = steps;
    this.#slider.value = step;
    if (step !== this.#told) {
      this.#told = step;
      const text = widget.told();
      this.#slider.setAttribute("aria-valuetext", `step ${step} of ${steps}: ${text}`);
      if (this.#ready) this.#tell("umem-step", { step, steps, stage: widget.stage() ?? null, text });
    }
  }

  #draw() {
    cancelAnimationFrame(this.#pending);
    this.#pending = 0;
    const width = this.#box.clientWidth;
    if (!this.#widget || !width) return;
    const height = this.#kept ? this.#box.clientHeight : 0;
    if (this.#kept && !height) return;
    this.#canvas.style.height = `${this.#widget.draw(this.#canvas, width, height, Math.min(4, Math.max(1, devicePixelRatio)))}px`;
  }

  /** Lets time pass while it plays and somebody can see it. */
  #run() {
    if (this.#tick || !this.#seen || this.#led || !this.#widget?.playing()) return;
    let last = null;
    const frame = (now) => {
      this.#tick = 0;
      if (!this.#widget || !this.#seen) return;
      this.#widget.tick(last === null ? 0 : Math.min(now - last, BLINK));
      last = now;
      this.#shown();
      if (this.#widget.playing()) this.#tick = requestAnimationFrame(frame);
      else if (this.loop && this.moment >= this.steps) this.#tick = setTimeout(() => this.#again(), LOOK);
    };
    this.#tick = requestAnimationFrame(frame);
  }

  #again() {
    this.#tick = 0;
    if (this.#widget && this.loop && this.moment >= this.steps && !this.playing) this.play();
  }

  /** What stands under the picture: what is under the pointer, or else what keys point at. Written when it is new, since it is read aloud. */
  #say(text = this.#under ?? this.#widget.reading()) {
    if (this.#caption.textContent !== text) this.#caption.textContent = text;
  }

  /** Something else is under the pointer, or nothing any more. */
  #hover(text) {
    if (text === undefined) this.#widget.leave();
    if (text === this.#under) return;
    this.#under = text;
    this.#shown();
  }

  #listen() {
    const canvas = this.#canvas;
    const on = (name, act) => canvas.addEventListener(name, (event) => this.#widget && this.controls !== "none" && act(event, this.#widget), { passive: false });
    on("keydown", (event, widget) => {
      this.#hover(undefined);
      if (widget.key(event)) this.#does(() => {});
      else if (event.key === "?" && !this.#led) this.#say(widget.keys());
    });
    on("wheel", (event, widget) => widget.wheel(event) && this.#shown());
    on("pointerdown", (event, widget) => widget.press(event));
    on("pointermove", (event, widget) => {
      if (widget.drag(event)) this.#shown();
      this.#hover(widget.hover(event));
    });
    on("pointerup", (event, widget) => {
      widget.lift(event);
      this.#shown();
    });
    on("pointercancel", (event, widget) => widget.cancel(event));
    on("pointerleave", () => this.#hover(undefined));
  }

  /** Says inside the element what is wrong, and to who listens. */
  #fail(error) {
    const message = String(error?.message ?? error);
    this.#error.textContent = `umem-split: ${message}`;
    this.#error.hidden = false;
    this.#tell("umem-error", { message });
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true, detail }));
  }
}

// Each attribute as a property of the same name.
for (const [name, otherwise] of Object.entries(WORDS)) {
  Object.defineProperty(UmemSplit.prototype, name, {
    configurable: true,
    enumerable: true,
    get() { return this.getAttribute(name) ?? otherwise; },
    set(value) { value == null ? this.removeAttribute(name) : this.setAttribute(name, value); },
  });
}
for (const name of NUMBERS) {
  Object.defineProperty(UmemSplit.prototype, name, {
    configurable: true,
    enumerable: true,
    get() {
      const value = parseFloat(this.getAttribute(name) ?? "");
      return Number.isFinite(value) ? value : null;
    },
    set(value) { value == null ? this.removeAttribute(name) : this.setAttribute(name, value); },
  });
}
for (const name of SWITCHES) {
  Object.defineProperty(UmemSplit.prototype, name, {
    configurable: true,
    enumerable: true,
    get() { return this.hasAttribute(name); },
    set(value) { this.toggleAttribute(name, Boolean(value)); },
  });
}

/** The bytes of a scenario or a capture, plain or gzip. */
async function fetched(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url} could not be read (${answer.status} ${answer.statusText})`);
  const stream = await plain(answer);
  const parts = [];
  let length = 0;
  for (const reader = stream.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > LONGEST) {
      await reader.cancel();
      throw new Error(`${url} is longer than ${LONGEST >> 20} MiB`);
    }
    parts.push(value);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** Its stream, unpacked if it begins as gzip does. */
async function plain(answer) {
  const [peek, whole] = answer.body.tee();
  const reader = peek.getReader();
  const { value } = await reader.read();
  reader.cancel();
  return value?.[0] === 0x1f && value[1] === 0x8b ? whole.pipeThrough(new DecompressionStream("gzip")) : whole;
}

/** A colour of CSS as 0xrrggbb; `null` if it is none. */
function colourOf(value, probe) {
  if (!CSS.supports("color", value)) return null;
  // Mixed with itself it is three numbers from 0 to 1, whatever space it was in: "color(srgb 0.4 0.2 0.6)".
  probe.style.color = `color-mix(in srgb, ${value}, ${value})`;
  const numbers = getComputedStyle(probe).color.match(/^color\(srgb (\S+) (\S+) ([^\s)]+)/);
  probe.style.removeProperty("color");
  const byte = (number) => Math.round(255 * Math.min(1, Math.max(0, parseFloat(number) || 0)));
  return numbers && (byte(numbers[1]) << 16) | (byte(numbers[2]) << 8) | byte(numbers[3]);
}

if (globalThis.customElements && !customElements.get("umem-split")) customElements.define("umem-split", UmemSplit);
