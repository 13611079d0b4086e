// <umem-split>: how a memory region becomes page-table entries, in any document.
//
// The attributes, properties, methods and events are described in umem-split.d.ts. What is drawn, and what a key or a finger
// on it means, is Rust's (web/src/element.rs), loaded when the first element comes near the viewport, once for all of them.

import { PLAIN, reflect, upgrade } from "./attributes.js";
import { Clock } from "./clock.js";
import { dress } from "./colours.js";
import { fetched } from "./fetched.js";
import { drawing, plan } from "./load.js";
import { build, write } from "./parts.js";
import { shared, watch } from "./style.js";

export { plan };

/** A fallback less high than this is a word while one waits, and no picture whose place is kept, in pixels. */
const PICTURE = 120;
/** How far from the viewport an element begins to load, in pixels. */
const NEAR = 300;
/** The steps of a picture can be followed by keys. */
const KEYS = "Space ArrowLeft ArrowRight Home ArrowUp ArrowDown Shift+ArrowLeft Shift+ArrowRight Enter + - 0";

// Where there are no elements, as on a server, it can be imported all the same.
export class UmemSplit extends (globalThis.HTMLElement ?? Object) {
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
      whole: () => {
        this.#does((widget) => widget.whole());
        // The button is gone.
        this.#parts.canvas.focus({ preventScroll: true });
      },
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
      // Only now it is known whether there is room for a lens.
      canvas.setAttribute("aria-label", this.#widget.label());
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
