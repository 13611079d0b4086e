/** Has the page say that something is on its way until it is there, as `web/src/door.rs` does of the page's own code. */
export async function awaited(promise) {
  const page = document.documentElement;
  page.toggleAttribute("data-awaits", true);
  try {
    return await promise;
  } finally {
    page.toggleAttribute("data-awaits", false);
  }
}
