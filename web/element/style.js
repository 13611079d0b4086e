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
export function shared() {
  if (made) return made;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  const media = Object.fromEntries(Object.entries(PREFERRED).map(([name, query]) => [name, matchMedia(query)]));
  return (made = { sheet, media });
}

/** Calls `changed` whenever the reader prefers something else, or the window has another number of dots a pixel; returns what ends that. */
export function watch(changed) {
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
