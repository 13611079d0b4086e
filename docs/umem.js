// Brings the element to the book's pages. mdBook emits this as a classic script, so that import() resolves against the
// script's own address: the element lies beside the book, wherever a server puts both.
(() => {
  // In what is printed the pictures stand by themselves.
  if (!/\/print\.html$/.test(location.pathname)) import("../umem-split.js").catch((error) => console.error(error));

  // What scrolls can be reached with the keyboard, and what does not is no stop on its way.
  const reach = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }
  });
  for (const box of document.querySelectorAll(".table-wrapper, pre > code")) reach.observe(box);

  // mdBook's theme is a class, which readers choose in its menu.
  const DARK = ["coal", "navy", "ayu"];
  const dress = () => {
    const theme = DARK.some((name) => document.documentElement.classList.contains(name)) ? "dark" : "light";
    for (const element of document.querySelectorAll("umem-split")) element.setAttribute("theme", theme);
  };
  dress();
  new MutationObserver(dress).observe(document.documentElement, { attributeFilter: ["class"] });
})();
