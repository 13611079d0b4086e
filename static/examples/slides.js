// Turns the slides with the keys that remotes send, and stops what plays on a slide that is left.

const slides = [...document.querySelectorAll("section")];
const STEPS = { ArrowRight: 1, ArrowDown: 1, PageDown: 1, ArrowLeft: -1, ArrowUp: -1, PageUp: -1 };

/** The slide that fills most of the window. */
const present = () => slides.findIndex((slide) => slide.getBoundingClientRect().bottom > innerHeight / 2);

addEventListener("keydown", (event) => {
  const step = STEPS[event.key];
  // Inside of an element the arrows are the element's.
  if (!step || event.target.closest?.("umem-split")) return;
  const next = slides[present() + step];
  if (!next) return;
  event.preventDefault();
  slides[present()].querySelector("umem-split")?.pause?.();
  next.scrollIntoView();
});
