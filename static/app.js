// Loads the page's code and opens the page; says what to do when it cannot.

const root = document.getElementById("page");

try {
  const page = await import("./pkg/web.js");
  await page.default();
  page.open(root);
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
