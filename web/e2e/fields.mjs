// The page's fields by their accessible names, and what umem-core itself says about what they say.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { status } from "./support.mjs";

/** The one element of that role and accessible name. It may come with code that has yet to be loaded. */
export async function named(page, role, name) {
  const all = () => page.$$(`aria/${name}[role="${role}"]`);
  let found = await all();
  for (let tries = 0; !found.length && tries < 50; tries++) {
    await new Promise((done) => setTimeout(done, 100));
    found = await all();
  }
  assert.equal(found.length, 1, `${found.length} elements of role ${role} are named "${name}"`);
  return found[0];
}

/** Presses the button of that name. */
export const press = async (page, name) => (await named(page, "button", name)).click();

/** Replaces what stands in a text field by typing. */
export async function type(page, name, text) {
  const field = await named(page, "textbox", name);
  await field.click({ count: 3 });
  await page.keyboard.press("Backspace");
  await field.type(text);
}

/** Chooses an option of a native select by its name in the formats. */
export const choose = async (page, name, option) => (await named(page, "combobox", name)).select(option);

/** What a text field or a select holds. */
export const value = async (page, role, name) => (await named(page, role, name)).evaluate((element) => element.value);

/** Chooses a radio button of the group "Policy". */
export const cut = async (page, policy) => (await named(page, "radio", policy)).click();

/** Toggles one of the device's page sizes. */
export async function toggle(page, size) {
  const group = await named(page, "group", "Device page sizes");
  const chip = await group.$(`aria/${size}[role="button"]`);
  await chip.click();
}

/** Which page sizes of the device are on. */
export async function sizes(page) {
  const group = await named(page, "group", "Device page sizes");
  return group.$$eval("button[aria-pressed=true]", (chips) => chips.map((chip) => chip.textContent));
}

/** The slider's step, and its last. */
export async function moment(page) {
  const slider = await named(page, "slider", "Moment");
  return slider.evaluate((element) => ({ step: Number(element.value), last: Number(element.max) }));
}

/** The message beside a field that is marked wrong; null where it is not. */
export async function fault(page, role, name) {
  const field = await named(page, role, name);
  return field.evaluate((element) => {
    if (element.getAttribute("aria-invalid") !== "true") return null;
    return document.getElementById(element.getAttribute("aria-describedby")).textContent;
  });
}

/** What the address bar holds: a preset's name, or a scenario. */
export async function address(page) {
  const hash = await page.evaluate(() => location.hash);
  const [, kind, text] = hash.match(/^#(preset|s)=(.*)$/) ?? assert.fail(`the address ends in "${hash}"`);
  return kind === "preset" ? { preset: text } : { scenario: JSON.parse(Buffer.from(text, "base64url").toString()) };
}

/** What `umem plan` says of a scenario, or of a preset: the same core, compiled for this machine. */
export function planned({ preset, scenario }) {
  const what = preset ? ["--preset", preset] : ["-"];
  const umem = ["run", "--quiet", "--package", "native-runner", "--", "plan", "--format", "json", ...what];
  const ran = spawnSync("cargo", umem, { input: scenario && JSON.stringify(scenario), encoding: "utf8" });
  assert.equal(ran.status, 0, ran.stderr);
  return JSON.parse(ran.stdout);
}

/** The page's status line, once it is what `umem plan` says of the scenario in the address bar, which is written a moment after the picture. */
export async function agreed(page) {
  for (let patience = 20; ; patience -= 1) {
    const told = await status(page);
    const { status: expected } = planned(await address(page));
    if (told === expected || patience === 0) {
      assert.equal(told, expected);
      return expected;
    }
    await new Promise((done) => setTimeout(done, 100));
  }
}
