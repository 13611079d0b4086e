// What stands inside the element: its nodes, and the words that it says by them.

export const make = (name, part, parent, properties = {}) => {
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
export function build(root, acts) {
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
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
