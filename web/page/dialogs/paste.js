// The dialog "Paste": what people have, read as `umem import` reads it. What it does not say is asked for by name.

import { rules } from "../../element/load.js";
import { awaited } from "../awaited.js";
import { away, field, isShown, modal, node } from "./modal.js";

const EXAMPLE = "ibv_reg_mr(address=0x7f0000001000, length=65536) failed: Cannot allocate memory";
const ABOUT =
  "Lines of a log, /proc/PID/smaps, or what `rdma -j resource show mr` prints; a scenario, a set or a capture as JSON. It stays in this browser.";

/** What the options of `umem import` are called here. */
const NAMES = {
  va: "Address",
  length: "Length",
  "page-size": "Page size",
  "kernel-page": "Kernel page",
  device: "Device",
  iommu: "IOMMU",
  release: "Kernel release",
};

/** What somebody pastes: JSON of a scenario or a set, and what was inferred. An empty list if they close the dialog. */
export async function paste() {
  const { paste } = await awaited(rules()).catch(({ message }) => {
    throw away(message);
  });
  if (isShown()) return [];
  const text = node("textarea", { rows: 8, spellcheck: false, placeholder: EXAMPLE });
  const lacks = node("p", { "aria-live": "polite" });
  const more = node("div");
  const form = node("form", { noValidate: true }, field("Paste a log line, smaps or JSON", text, ABOUT), lacks, more, node("button", { className: "primary" }, "Read"));
  const dialog = modal("Paste", form);
  /** The fields by the options that they stand for; the text is "". */
  const fields = new Map([["", text]]);
  return new Promise((done) => {
    let result = [];
    dialog.addEventListener("close", () => done(result));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const given = Object.fromEntries([...fields].map(([option, input]) => [option, input.value.trim()]).filter(([option, value]) => option && value));
      const { asked, notes, missing = [], wrong } = JSON.parse(paste(text.value, JSON.stringify(given)));
      if (asked) {
        result = [asked, notes.join(" ")];
        return dialog.close();
      }
      if (missing.length) lacks.textContent = "The text does not say everything. Add:";
      const asking = missing.filter(({ option }) => !fields.has(option)).map((one) => add(fields, more, one));
      for (const input of fields.values()) blame(input, "");
      if (wrong) {
        const input = fields.get(wrong.option) ?? text;
        blame(input, wrong.text);
        asking.unshift(input);
      }
      (asking[0] ?? fields.get(missing[0].option)).focus();
    });
  });
}

/** Adds a field for something that is missing. */
function add(fields, room, { option, what, find, choices }) {
  const input = node("input", { type: "text", autocomplete: "off", spellcheck: false });
  const list = node("datalist", { id: `choices-${option}` }, ...choices.map((value) => node("option", { value })));
  if (choices.length) input.setAttribute("list", list.id);
  fields.set(option, input);
  room.append(field(NAMES[option] ?? option, input, `${what[0].toUpperCase()}${what.slice(1)}: ${find}.`), list);
  return input;
}

/** Says what is wrong with a field, or that nothing is. */
function blame(input, problem) {
  const fault = document.getElementById(`${input.id}-fault`);
  fault.textContent = problem;
  if (problem) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}
