// The element's custom properties, as the colours that Rust draws with.

const COLOURS = ["ground", "ink", "soft", "grid", "card", "ribbon", "accent", ...[0, 1, 2, 3, 4, 5].map((n) => `size-${n}`)];

/** Gives a widget the colours of its theme, and those that the document has changed; `probe` is a node inside the element. */
export function dress(widget, element, media, probe) {
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
