// The attributes, and the properties of the same names.

/** Attributes that are words, and what each says if it is left out. */
const WORDS = { preset: "", src: "", controls: "full", lanes: "", theme: "auto" };
const NUMBERS = ["speed", "at"];
const SWITCHES = ["autoplay", "loop"];

/** The attributes that are properties as they are; `scenario`, which may be too long for an attribute, is not. */
export const PLAIN = [...Object.keys(WORDS), ...NUMBERS, ...SWITCHES];

const define = (element, name, property) => Object.defineProperty(element.prototype, name, { configurable: true, enumerable: true, ...property });
const put = (element, name, value) => (value == null ? element.removeAttribute(name) : element.setAttribute(name, value));

/** Gives a class of elements a property for each attribute. */
export function reflect(element) {
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
export function upgrade(element) {
  for (const name of [...PLAIN, "scenario"]) {
    if (!Object.hasOwn(element, name)) continue;
    const value = element[name];
    delete element[name];
    element[name] = value;
  }
}
