// The attributes, and the properties of the same names.

/** Attributes that are words, and what each says if it is left out. */
const WORDS = { preset: "", src: "", controls: "full", lanes: "", theme: "auto" };
const NUMBERS = ["speed", "at"];
const SWITCHES = ["autoplay", "loop"];

/** The attributes that are properties as they are; `scenario`, which may be too long for an attribute, is not. */
const PLAIN = [...Object.keys(WORDS), ...NUMBERS, ...SWITCHES];

const define = (element, name, property) => Object.defineProperty(element.prototype, name, { configurable: true, enumerable: true, ...property });
const put = (element, name, value) => (value == null ? element.removeAttribute(name) : element.setAttribute(name, value));

/** Gives a class of elements a property for each attribute. */
function reflect(element) {
  for (const [name, otherwise] of Object.entries(WORDS)) {
    define(element, name, {
      get() { return this.getAttribute(name) ?? otherwise; },
      set(value) { put(this, name, value); },
    });
  }
  for (const name of NUMBERS) {
    define(element, name, {
      get() {
        const value = parseFloat(this.getAttribute(name) ?? "");
        return Number.isFinite(value) ? value : null;
      },
      set(value) { put(this, name, value); },
    });
  }
  for (const name of SWITCHES) {
    define(element, name, {
      get() { return this.hasAttribute(name); },
      set(value) { this.toggleAttribute(name, Boolean(value)); },
    });
  }
}

/** Properties that were set before the element was defined are set again, now that they mean something. */
function upgrade(element) {
  for (const name of [...PLAIN, "scenario"]) {
    if (!Object.hasOwn(element, name)) continue;
    const value = element[name];
    delete element[name];
    element[name] = value;
  }
}

// The passing of time while an element plays and somebody can see it.

/** How long the end is looked at before a loop begins anew, in milliseconds. */
const LOOK = 1500;

/** Calls `tick` with the milliseconds that passed, frame by frame, until it says that no more are wanted. */
class Clock {
  #frame = 0;
  #rest = 0;

  get runs() { return this.#frame !== 0; }

  run(tick) {
    if (this.#frame) return;
    let last = null;
    const frame = (now) => {
      this.#frame = 0;
      const more = tick(last === null ? 0 : now - last);
      last = now;
      if (more && !this.#frame) this.#frame = requestAnimationFrame(frame);
    };
    this.#frame = requestAnimationFrame(frame);
  }

  /** Calls `again` after the end has been looked at. */
  rest(again) {
    this.#rest ||= setTimeout(() => {
      this.#rest = 0;
      again();
    }, LOOK);
  }

  /** Ends the rest, so that nothing begins anew. */
  wake() {
    clearTimeout(this.#rest);
    this.#rest = 0;
  }

  stop() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.wake();
  }
}

// The element's custom properties, as the colours that Rust draws with.

const COLOURS = ["ground", "ink", "soft", "grid", "card", "ribbon", "accent", ...[0, 1, 2, 3, 4, 5].map((n) => `size-${n}`)];

/** Gives a widget the colours of its theme, and those that the document has changed; `probe` is a node inside the element. */
function dress(widget, element, media, probe) {
  const dark = element.theme === "dark" || (element.theme !== "light" && media.dark.matches);
  widget.theme(media.forced.matches ? "forced" : dark ? "dark" : "light");
  const own = getComputedStyle(element);
  for (const name of COLOURS) {
    const value = own.getPropertyValue(`--umem-${name}`).trim();
    const colour = value && colourOf(value, probe);
    if (colour !== "" && colour !== null) widget.colour(name, colour);
  }
  if (media.contrast.matches && !media.forced.matches) widget.colour("soft", dark ? 0xffffff : 0x000000);
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

// Scenarios and captures from a server.

/** The bytes of a scenario or a capture, plain or gzip; no more than `longest` of them. */
async function fetched(url, longest) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url} could not be read (${answer.status} ${answer.statusText})`);
  const stream = await plain(answer);
  const parts = [];
  let length = 0;
  for (const reader = stream.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > longest) {
      await reader.cancel();
      throw new Error(`${url} is longer than ${longest / 2 ** 20} MiB`);
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

// Rust's code, loaded when it is first asked for, once for all elements of a document.

/** What loads a module of Rust's code when it is first asked for; whoever comes after a failure may have more luck. */
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

/** The code that draws. */
const drawing = once("the code of <umem-split>", () => import('./element/umem_split.js'));
const rules = once("the rules", () => import('./plan/umem_plan.js'));

/**
 * Works a scenario out, as `umem plan --format json` does.
 * @param {import("./umem-split.js").Scenario | string} scenario
 * @returns {Promise<import("./umem-split.js").Registration>}
 */
async function plan(scenario) {
  const { plan } = await rules();
  return JSON.parse(plan(typeof scenario === "string" ? scenario : JSON.stringify(scenario)));
}

// What stands inside the element: its nodes, and the words that it says by them.

const make = (name, part, parent, properties = {}) => {
  const node = document.createElement(name);
  node.className = part;
  node.setAttribute("part", part);
  for (const [key, value] of Object.entries(properties)) {
    // Firefox reflects names of ARIA since 119 only.
    if (key.startsWith("aria-") || key === "role") node.setAttribute(key, value);
    else node[key] = value;
  }
  parent.append(node);
  return node;
};

/** Builds the nodes; `acts` says what the buttons do. */
function build(root, acts) {
  const frame = make("div", "frame", root, { translate: false });
  make("div", "fallback", frame, { translate: true }).append(document.createElement("slot"));
  const figure = make("div", "figure", frame, { hidden: true });
  const box = make("div", "box", figure);
  const canvas = make("canvas", "picture", box);
  const words = make("div", "words", figure);
  const caption = make("p", "caption", words, { "aria-live": "polite" });
  const whole = make("button", "whole", words, { type: "button", textContent: "Show all", hidden: true, onclick: acts.whole });
  const status = make("p", "status", figure, { role: "status" });
  const controls = make("div", "controls", figure, { role: "group", "aria-label": "Player" });
  const button = (name, act) => make("button", name.toLowerCase(), controls, { type: "button", textContent: name, onclick: act });
  const play = button("Play", acts.play);
  const extras = [button("Back", acts.back), button("Step", acts.step), button("Restart", acts.restart)];
  const slider = make("input", "slider", controls, { type: "range", min: "0", step: "1", "aria-label": "Moment", oninput: () => acts.seek(+slider.value) });
  const error = make("p", "error", frame, { role: "alert", hidden: true });
  return { frame, figure, box, canvas, caption, whole, status, controls, play, extras, slider, error };
}

/** Writes a text where it is new: what is written is read aloud, and a browser may have translated it. */
function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// How the element looks inside, and what the reader prefers.

const LIGHT = "--own-ink: #1d2430; --own-ground: #fbfaf7; --own-soft: #5b6576; --own-accent: #c2410c; --own-card: #fff";
const DARK = "--own-ink: #e8ecf3; --own-ground: #12161d; --own-soft: #9aa6b8; --own-accent: #ff9d66; --own-card: #181e28";

const STYLE = `
:host { ${LIGHT}; }
@media (prefers-color-scheme: dark) { :host { ${DARK}; } }
:host([theme=light]) { ${LIGHT}; }
:host([theme=dark]) { ${DARK}; }
:host { display: block; position: relative; color-scheme: light dark; color: var(--umem-ink, var(--own-ink));
  background: var(--umem-ground, var(--own-ground)); font: 14px/1.4 var(--umem-font, system-ui, sans-serif); text-align: start; }
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
.caption { flex: 1; font-size: 13px; color: var(--umem-soft, var(--own-soft)); overflow-wrap: anywhere; min-height: 2.8em; }
.status { font-weight: 600; font-variant-numeric: tabular-nums; }
.error { color: var(--umem-accent, var(--own-accent)); background: inherit; }
.controls { display: flex; flex-wrap: wrap; align-items: center; gap: 6px; margin-top: 6px; }
.kept .controls, .kept .words, .kept .status { flex: none; }
.kept .controls { flex-wrap: nowrap; }
.words { display: flex; gap: 8px; align-items: start; }
.whole { flex: none; margin-top: 4px; }
button { font: inherit; color: inherit; background: var(--umem-card, var(--own-card)); border: 1px solid currentColor; border-radius: 6px; padding: 3px 10px; min-height: 28px; cursor: pointer; }
button.play { min-width: 5em; }
input { flex: 1; min-width: 4em; min-height: 24px; accent-color: var(--umem-accent, var(--own-accent)); }
:focus-visible { outline: 2px solid var(--umem-accent, var(--own-accent)); outline-offset: 2px; }
@media (forced-colors: active) { button { border-color: ButtonText; } }
@media print { .controls, .caption, .whole { display: none; } }
`;

const PREFERRED = {
  dark: "(prefers-color-scheme: dark)",
  forced: "(forced-colors: active)",
  still: "(prefers-reduced-motion: reduce)",
  contrast: "(prefers-contrast: more)",
};

let made;

/** What all elements share: the style sheet, and the reader's preferences. Made by the first of them: a server that imports this has neither. */
function shared() {
  if (made) return made;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  const media = Object.fromEntries(Object.entries(PREFERRED).map(([name, query]) => [name, matchMedia(query)]));
  return (made = { sheet, media });
}

/** Calls `changed` whenever the reader prefers something else, or the window has another number of dots a pixel; returns what ends that. */
function watch(changed) {
  const lists = Object.values(shared().media);
  for (const list of lists) list.addEventListener("change", changed);
  let dots;
  const follow = () => {
    dots?.removeEventListener("change", follow);
    if (dots) changed();
    // A query names one density, so each needs another.
    dots = matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
    dots.addEventListener("change", follow);
  };
  follow();
  return () => {
    for (const list of lists) list.removeEventListener("change", changed);
    dots.removeEventListener("change", follow);
  };
}

// <umem-split>: how a memory region becomes page-table entries, in any document.
//
// The attributes, properties, methods and events are described in umem-split.d.ts. What is drawn, and what a key or a finger
// on it means, is Rust's (web/src/element.rs), loaded when the first element comes near the viewport, once for all of them.


/** A fallback less high than this is a word while one waits, and no picture whose place is kept, in pixels. */
const PICTURE = 120;
/** How far from the viewport an element begins to load, in pixels. */
const NEAR = 300;
/** The steps of a picture can be followed by keys. */
const KEYS = "Space ArrowLeft ArrowRight Home ArrowUp ArrowDown Shift+ArrowLeft Shift+ArrowRight Enter + - 0";

// Where there are no elements, as on a server, it can be imported all the same.
class UmemSplit extends (globalThis.HTMLElement ?? Object) {
  static observedAttributes = [...PLAIN, "scenario", "class", "style"];

  /** The nodes inside. */
  #parts;
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
  /** Whether the last drawing failed. */
  #failed = false;
  #clock = new Clock();
  #pending = 0;
  /** What a method asked for before there was a widget; the place to come back to. */
  #wish = {};

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open", delegatesFocus: true });
    root.adoptedStyleSheets = [shared().sheet];
    this.#parts = build(root, {
      whole: () => this.#does((widget) => widget.whole()),
      play: () => this.#does((widget) => widget.toggle()),
      back: () => this.#does((widget) => widget.back()),
      step: () => this.step(),
      restart: () => this.seek(0),
      seek: (step) => this.seek(step),
    });
    this.#listen();
  }

  connectedCallback() {
    upgrade(this);
    const near = new IntersectionObserver(([entry]) => {
      if (!entry.isIntersecting) return;
      near.disconnect();
      if (!this.#widget) this.#open();
    }, { rootMargin: `${NEAR}px` });
    this.#undo = [() => near.disconnect()];
    if (this.#led) this.#live();
    else near.observe(this);
  }

  disconnectedCallback() {
    for (const undo of this.#undo ?? []) undo();
    this.#undo = null;
    this.#clock.stop();
    cancelAnimationFrame(this.#pending);
    this.#pending = 0;
    if (this.#led) return;
    if (this.#ready) this.#wish = { at: this.moment, playing: this.playing };
    this.#ready = false;
    this.#widget?.free();
    this.#widget = null;
    this.#parts.frame.classList.remove("drawn", "kept");
    this.#parts.figure.hidden = true;
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
    else if (!this.playing) this.#does((widget) => widget.toggle());
  }

  /** Stops where it is, and where a loop rests. */
  pause() {
    this.#clock.wake();
    if (!this.#ready) this.#wish.playing = false;
    else if (this.playing) this.#does((widget) => widget.toggle());
  }

  /** On to the next step; from the end to the beginning. */
  step() {
    if (!this.#ready) return;
    if (this.moment >= this.steps) this.seek(0);
    else this.#does((widget) => widget.step());
  }

  /** To step `n`, from 0 to `steps`; or to the step of that name, as `umem-step` tells them. */
  seek(n) {
    const step = typeof n === "string" && this.#ready ? this.#widget.named(n) : undefined;
    const number = step ?? +n;
    if (!Number.isFinite(number)) throw new TypeError(`seek: ${n} is not a step`);
    const place = Math.max(0, Math.trunc(number));
    if (this.#ready) this.#does((widget) => widget.seek(place));
    else this.#wish.at = place;
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
    this.#parts.status.remove();
    this.#parts.controls.remove();
    this.#live();
  }

  /** Draws at once: what the widget shows has changed. */
  refresh() {
    this.#shown();
    this.#draw();
  }

  // ---- What goes on inside ----

  async #open() {
    const undo = this.#undo;
    try {
      const { Widget } = await drawing();
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
    try {
      // In dots, which change with the screen, too.
      sizes.observe(this.#parts.box, { box: "device-pixel-content-box" });
    } catch {
      // Safari counts no dots there; `watch` tells of them.
      sizes.observe(this.#parts.box);
    }
    const sight = new IntersectionObserver(([entry]) => {
      this.#seen = entry.isIntersecting;
      this.#run();
    });
    sight.observe(this);
    this.#undo.push(() => sizes.disconnect(), () => sight.disconnect(), watch(() => this.#dress()));
    if (this.#led) this.#reveal();
  }

  /** Takes the fallback's place, now that there is something to show. */
  #reveal() {
    const { frame, figure } = this.#parts;
    this.#ready = true;
    // A picture of ours takes the place of the fallback's, to the pixel.
    this.#kept = frame.firstChild.getBoundingClientRect().height >= PICTURE;
    this.#dress();
    frame.classList.toggle("kept", this.#kept);
    frame.classList.add("drawn");
    figure.hidden = false;
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
        const bytes = await fetched(new URL(src, this.baseURI), this.#widget.longest());
        if (reading !== this.#reading || !this.#widget) return;
        this.#widget.scenario(bytes);
      } else {
        this.#widget.preset(preset || "mail");
      }
      this.#parts.error.hidden = true;
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
    const plays = playing ?? (this.autoplay && this.controls !== "none" && !shared().media.still.matches);
    const step = at ?? this.at ?? (plays ? 0 : this.#widget.steps());
    this.#does((widget) => {
      widget.seek(Math.max(0, step));
      if (plays) widget.toggle();
    });
  }

  /** Does something to the widget, and shows what came of it. */
  #does(act) {
    this.#clock.wake();
    this.#guard(() => {
      act(this.#widget);
      this.#shown();
      this.#run();
    });
  }

  /** Does something of which the element tells when it fails: nobody who calls is there to hear. */
  #guard(act) {
    try {
      return act();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Looks: attributes, theme and custom properties. */
  #dress() {
    const widget = this.#widget;
    if (!widget) return;
    const { canvas, caption, controls, extras, status } = this.#parts;
    const bare = this.controls === "none";
    controls.hidden = caption.hidden = status.hidden = bare;
    caption.hidden ||= this.controls === "play";
    for (const button of extras) button.hidden = this.controls === "play";
    canvas.tabIndex = bare ? -1 : 0;
    canvas.setAttribute("role", bare ? "img" : "application");
    if (bare) canvas.removeAttribute("aria-roledescription");
    else canvas.setAttribute("aria-roledescription", "picture");
    canvas.setAttribute("aria-keyshortcuts", KEYS);
    if (!this.#led) this.#ask();
    const { media } = shared();
    widget.still(media.still.matches);
    dress(widget, this, media, caption);
    this.#shown();
    this.#run();
  }

  /** What the attributes ask of the widget, beside a scene. */
  #ask() {
    this.#guard(() => this.#widget.lanes(this.lanes || "virtual frames sg dma entries"));
    this.#widget.pace(this.speed ?? 0);
  }

  /** Writes what the widget knows, and draws at the next frame. */
  #shown() {
    const widget = this.#widget;
    this.#say();
    this.#parts.whole.hidden = !widget.zoomed() || this.controls === "none";
    this.#parts.canvas.setAttribute("aria-label", widget.label());
    if (!this.#led) this.#count();
    this.#pending ||= requestAnimationFrame(() => this.#draw());
  }

  /** Writes where it stands, and tells it to who listens. */
  #count() {
    const { play, slider, status } = this.#parts;
    const widget = this.#widget;
    const [step, steps] = [widget.at(), widget.steps()];
    write(status, widget.status());
    write(play, widget.playing() ? "Pause" : "Play");
    slider.max = steps;
    slider.value = step;
    if (step === this.#told) return;
    this.#told = step;
    const text = widget.told();
    slider.setAttribute("aria-valuetext", `step ${step} of ${steps}: ${text}`);
    if (!this.#ready) return;
    const [pinned, sg, dma, entries, total] = widget.counts();
    this.#tell("umem-step", { step, steps, name: widget.name(), stage: widget.stage() ?? null, text, pinned, sg, dma, entries, total });
  }

  /** Draws. What a browser refuses to draw harms nothing else: the next drawing is another one. */
  #draw() {
    cancelAnimationFrame(this.#pending);
    this.#pending = 0;
    const { box, canvas, error } = this.#parts;
    const width = box.clientWidth;
    const height = this.#kept ? box.clientHeight : 0;
    if (!this.#widget || !width || (this.#kept && !height)) return;
    this.#guard(() => {
      const picture = this.#widget.picture(width, height);
      canvas.style.height = `${picture.height()}px`;
      const failed = this.#failed;
      this.#failed = true;
      picture.paint(canvas, Math.min(4, Math.max(1, devicePixelRatio)));
      this.#failed = false;
      if (failed) error.hidden = true;
    });
  }

  /** Lets time pass while it plays and somebody can see it. */
  #run() {
    if (this.#clock.runs || !this.#seen || this.#led || !this.#widget?.playing()) return;
    this.#clock.run((milliseconds) => {
      if (!this.#widget || !this.#seen) return false;
      return this.#guard(() => {
        this.#widget.tick(milliseconds);
        this.#shown();
        if (this.#widget.playing()) return true;
        if (this.loop && this.moment >= this.steps) this.#clock.rest(() => this.#again());
        return false;
      });
    });
  }

  #again() {
    if (this.#widget && this.loop && this.moment >= this.steps && !this.playing) this.play();
  }

  /** What stands under the picture: what is under the pointer, or else what keys point at. Written when it is new, since it is read aloud. */
  #say(text = this.#under ?? this.#widget.reading()) {
    write(this.#parts.caption, text);
  }

  /** Something else is under the pointer, or nothing any more. */
  #hover(text) {
    if (text === undefined) this.#widget.leave();
    if (text === this.#under) return;
    this.#under = text;
    this.#shown();
  }

  #listen() {
    const on = (name, act) =>
      this.#parts.canvas.addEventListener(
        name,
        (event) => this.#widget && this.controls !== "none" && this.#guard(() => act(event, this.#widget)),
        { passive: false },
      );
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
    const trap = globalThis.WebAssembly && error instanceof WebAssembly.RuntimeError;
    const { error: place } = this.#parts;
    const message = trap ? `its code stopped (${error.message}): reload the document` : String(error?.message ?? error);
    const told = `umem-split: ${message}`;
    // A drawing that fails sixty times a second is told once.
    if (this.#failed && !place.hidden && place.textContent === told) return;
    write(place, told);
    place.hidden = false;
    this.#tell("umem-error", { message });
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true, detail }));
  }
}

reflect(UmemSplit);
if (globalThis.customElements && !customElements.get("umem-split")) customElements.define("umem-split", UmemSplit);

export { UmemSplit, plan };
