// The dialog "Cases": public reports, found by what people saw. Their questions are shown by the page, which answers them itself.

import { awaited } from "../awaited.js";
import { away, field, isShown, modal, node, prose } from "./modal.js";
import { matching } from "./search.js";

/** The reports of the build that this file is of. */
const SOURCE = new URL(`cases.json${new URL(import.meta.url).search}`, import.meta.url);

let loading;
/** All reports, loaded when they are first asked for; whoever comes after a failure may have more luck. */
const reports = () =>
  (loading ??= awaited(load()).catch((error) => {
    loading = undefined;
    throw away(`the public reports could not be loaded (${error.message})`);
  }));

async function load() {
  const answer = await fetch(SOURCE);
  if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
  return (await answer.json()).cases;
}

/** What the address `#case=NAME&question=NUMBER` asks for: a report's title, its question, and JSON of what that asks. */
export async function question(name, number) {
  const report = (await reports()).find((report) => report.name === name);
  if (!report) throw new Error(`there is no report "${name}"; "Cases" lists them all`);
  const asked = report.asked[number - 1];
  if (!asked) throw new Error(`"${name}" has ${report.asked.length} ${report.asked.length === 1 ? "question" : "questions"}`);
  return [report.title, asked.title, JSON.stringify(asked.scenario ?? asked.set)];
}

/** The report that the page shows, if it shows one. */
const present = () => new URLSearchParams(location.hash.slice(1)).get("case");

/** Shows the reports; the one that the page shows is open. */
export async function cases() {
  const all = await reports();
  if (isShown()) return;
  const room = node("div");
  const dialog = modal("Public reports", room);
  const shown = all.find(({ name }) => name === present());
  const state = { all, dialog, room, text: "" };
  if (shown) open(state, shown);
  else search(state);
}

const ABOUT = "From issues, pull requests and list archives. Paste an error text, or type a word of it.";

/** The list, with the field that searches it; the focus is on the report that was open, or in the field. */
function search(state, before) {
  const input = node("input", { type: "search", value: state.text, placeholder: "Cannot allocate memory" });
  const told = node("p", { className: "note", "aria-live": "polite" });
  const list = node("ul", { className: "reports", role: "list" });
  input.oninput = () => {
    state.text = input.value;
    const { found, told: words } = matching(state.all, state.text);
    told.textContent = words;
    list.replaceChildren(...found.map((report) => item(state, report)));
  };
  state.room.replaceChildren(field("Search reports", input, ABOUT), told, list);
  input.oninput();
  const at = state.all.indexOf(before);
  (list.children[at] && !state.text ? list.children[at].querySelector("button") : input).focus();
}

function item(state, report) {
  const title = node("button", { type: "button", onclick: () => open(state, report) }, report.title);
  const source = report.source.map(({ text }) => text).join(", ");
  return node("li", {}, title, errors(report), node("p", { className: "note" }, source));
}

/** What people see. */
const errors = (report) => node("ul", { className: "errors" }, ...report.errors.map((error) => node("li", { translate: false }, node("code", {}, error))));

/** One report, with its questions. */
function open(state, report) {
  const heading = node("h3", { tabIndex: -1 }, report.title);
  const told = (label, ...words) => node("p", {}, node("b", {}, label), " ", ...words);
  const inferred = report.inferred.length ? [told("Inferred, and said by no source:", ...prose(`${report.inferred.join("; ")}.`))] : [];
  const questions = report.asked.map((asked, i) => node("li", {}, node("button", { type: "button", onclick: () => put(state, report, i + 1) }, asked.title)));
  state.room.replaceChildren(
    node("button", { type: "button", className: "back", onclick: () => search(state, report) }, "All reports"),
    heading,
    errors(report),
    told("What happened.", ...prose(report.happened)),
    told("Why.", ...prose(report.cause)),
    ...inferred,
    told("Reported:", ...report.source.flatMap(link)),
    node("h3", {}, "Put it to umem"),
    node("ul", { className: "questions" }, ...questions),
  );
  heading.focus();
}

function link({ text, url }, i) {
  const source = url ? node("a", { href: url, target: "_blank", rel: "noreferrer" }, text) : text;
  return i ? [", ", source] : [source];
}

/** The page shows what its address asks for. What it asks for already, no browser tells anew: fields may say something else by now. */
function put({ dialog }, { name }, number) {
  dialog.close();
  const asked = number === 1 ? `#case=${name}` : `#case=${name}&question=${number}`;
  if (location.hash === asked) dispatchEvent(new PopStateEvent("popstate", { state: history.state }));
  else location.hash = asked;
}
