// What the dialogs are made of.

/** An element with these properties and children. `role`, and names with a dash, are attributes. */
export function node(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "role" || key.includes("-")) made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...children);
  return made;
}

/** A text in which every second piece between backticks is code. */
export const prose = (text) => text.split("`").map((piece, i) => (i % 2 ? node("code", { translate: false }, piece) : piece));

/** A field with its label, what is said of it, and room for what is wrong with it. */
export function field(label, input, note) {
  const id = `dialog-${label.replaceAll(/\W+/g, "-")}`;
  const told = node("p", { id: `${id}-note`, className: "note" }, ...prose(note));
  const fault = node("p", { id: `${id}-fault`, className: "fault", role: "alert" });
  input.id = id;
  input.setAttribute("aria-describedby", `${told.id} ${fault.id}`);
  return node("div", { className: "asked" }, node("label", { htmlFor: id }, label), input, told, fault);
}

/** An error that means: this could not be loaded, and may be the next time. */
export const away = (message) => Object.assign(new Error(message), { name: "Away" });

const TITLE = "dialog-title";

/** Shows a dialog as the page's own look (`web/src/widgets/dialog.rs`). What is closed is gone. */
export function modal(title, ...children) {
  const close = node("button", { type: "button", className: "close", onclick: () => dialog.close() }, "Close");
  const dialog = node("dialog", { className: "roomy", "aria-labelledby": TITLE }, node("h2", { id: TITLE }, title), ...children, close);
  const done = new AbortController();
  dialog.addEventListener("close", () => {
    done.abort();
    dialog.remove();
  });
  // Whatever changes the page below may have something to say there, where nobody would see it.
  const changes = ({ type, dataTransfer }) => type === "popstate" || dataTransfer.types.includes("Files");
  for (const type of ["drop", "popstate"]) addEventListener(type, (event) => changes(event) && dialog.close(), { signal: done.signal });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Whether a dialog is shown: who presses twice wants one. */
export const isShown = () => Boolean(document.querySelector("dialog[open]"));
