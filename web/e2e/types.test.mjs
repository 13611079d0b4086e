// The types of the npm package, held against the code: its schema, its outputs, its attributes. tsc decides.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { folder, readme, unpack } from "./packed.mjs";
import { presets, registration, scenes, wrongly } from "./samples.mjs";

const run = promisify(execFile);
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const OPTIONS = { strict: true, noEmit: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipDefaultLibCheck: true, target: "es2022", lib: ["es2023", "dom", "dom.iterable"], types: [] };

let root, element;
before(async () => {
  root = await folder();
  // Found from every project below, as an installed package is.
  await unpack(join(root, "node_modules/umem-split"));
  element = await import(join(root, "node_modules/umem-split/umem-split.js"));
});

/** Has tsc check these files in a project of their own, which sees the package and the `modules`. */
async function check(name, files, options, modules = {}) {
  const project = join(root, name);
  await mkdir(project);
  for (const [path, target] of Object.entries(modules)) {
    await mkdir(join(project, "node_modules", path, ".."), { recursive: true });
    await symlink(here(`node_modules/${target}`), join(project, "node_modules", path));
  }
  for (const [path, text] of Object.entries(files)) {
    if (text === null) await cp(here(`types/${path}`), join(project, path));
    else await writeFile(join(project, path), text);
  }
  await writeFile(join(project, "package.json"), '{ "type": "module" }');
  await writeFile(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions: { ...OPTIONS, ...options }, files: Object.keys(files) }));
  await run(process.execPath, [here("node_modules/typescript/bin/tsc"), "--project", project]).catch(({ stdout }) => assert.fail(stdout));
}

/** `"a" | "b"`, as TypeScript has it. */
const union = (words) => [...words].map((word) => JSON.stringify(word)).join(" | ") || "never";
const sames = (pairs) => pairs.map(([type, words], i) => `export const same${i}: Same<${type}, ${union(words)}> = true;`).join("\n");
const HEAD = 'import type * as T from "umem-split";\nimport type { Names, Required, Same } from "./same.js";\n';

/** What the schema calls otherwise than the types do. */
const RENAMED = { AreaSpec: "Area", DeviceObject: "Device", IommuObject: "Iommu", KernelSpec: "Kernel", MemorySpec: "Memory", ProcessSpec: "Process" };

async function ofTheSchema() {
  const schema = JSON.parse(await readFile(here("../../umem-core/scenario.schema.json"), "utf8"));
  const objects = Object.entries({ ...schema.$defs, Scenario: schema }).filter(([, { properties }]) => properties);
  assert.equal(objects.length, 15);
  const choices = (name) => schema.$defs[name].oneOf.map((choice) => choice.const);
  return sames([
    ...objects.flatMap(([name, { properties, required = [] }]) => {
      const type = `T.${RENAMED[name] ?? name}`;
      return [[`keyof ${type}`, Object.keys(properties)], [`Required<${type}>`, required]];
    }),
    ["T.Policy", choices("Policy")],
    ["T.Access", choices("Access")],
    ["T.Backing", choices("Backing")],
    ["T.ForkSupport", choices("ForkSupport")],
    ['NonNullable<T.Area["protection"]>', choices("Protection")],
    ['NonNullable<T.Device["edges"]>', choices("Edges")],
    ['NonNullable<T.Memory["layout"]>', choices("LayoutName")],
    ["T.PresetName", presets()],
    ["T.KernelRules", wrongly({ kernel: { rules: "?" } }).match(/there are (.*)$/)[1].split(", ")],
  ]);
}

/** Every sample as a literal, of which tsc takes no field that the types lack; and every field of the types is in a sample. */
function ofTheOutputs() {
  const names = new Set();
  const collect = (value) => {
    if (Array.isArray(value)) value.forEach(collect);
    else if (value && typeof value === "object") Object.entries(value).forEach(([name, inner]) => { names.add(name); collect(inner); });
  };
  const lines = scenes().map((scene, i) => {
    const answer = registration(scene);
    collect(answer);
    return `export const scenario${i}: T.Scenario = ${JSON.stringify(scene)};\nexport const registration${i}: T.Registration = ${JSON.stringify(answer)};`;
  });
  return `${lines.join("\n")}\n${sames([["Names<T.Registration>", names]])}`;
}

async function ofTheElement() {
  const { observedAttributes, prototype } = element.UmemSplit;
  const source = await readFile(here("../element/umem-split.js"), "utf8");
  const events = new Set([...source.matchAll(/#tell\("([\w-]+)"/g)].map(([, name]) => name));
  const members = Object.getOwnPropertyNames(prototype).filter((name) => !/^constructor$|Callback$/.test(name));
  const attributes = observedAttributes.filter((name) => !["class", "style"].includes(name));
  return sames([
    ["keyof T.UmemSplitAttributes", attributes],
    ["Exclude<keyof T.UmemSplit, keyof HTMLElement>", members],
    ["keyof T.UmemSplitEvents", events],
    ["Exclude<keyof T.UmemSplitAttributes, keyof T.UmemSplitProps>", []],
  ]);
}

test("the types are those of the code, and let nothing else pass", async () => {
  const files = { "same.ts": null, "usage.ts": null, "schema.ts": HEAD + (await ofTheSchema()), "outputs.ts": HEAD + ofTheOutputs(), "element.ts": HEAD + (await ofTheElement()) };
  await check("plain", files, { module: "nodenext" });
});

const jsx = (name, source, modules) =>
  test(`JSX of ${name} knows the element`, () =>
    check(name.replace(" ", "-"), { "jsx.tsx": null }, { module: "esnext", moduleResolution: "bundler", skipLibCheck: true, jsx: "react-jsx", jsxImportSource: source }, modules));
jsx("React 19", "react", { "@types/react": "@types/react" });
jsx("React 18", "react", { "@types/react": "react-18-types" });
jsx("Preact", "preact", { preact: "preact" });

/** What editors and catalogues of elements read. Its form is tsc's to decide; that nothing is missing, the code's. */
test("the custom-elements manifest tells of all that the element has", async () => {
  const text = await readFile(join(root, "node_modules/umem-split/custom-elements.json"), "utf8");
  const file = `import type { Package } from "custom-elements-manifest";\nexport const manifest: Package = ${text};`;
  await check("manifest", { "manifest.ts": file }, { module: "nodenext" }, { "custom-elements-manifest": "custom-elements-manifest" });

  const [told] = JSON.parse(text).modules[0].declarations;
  const names = (list) => list.map(({ name }) => name).sort();
  const { observedAttributes, prototype } = element.UmemSplit;
  assert.deepEqual(names(told.attributes), observedAttributes.filter((name) => !["class", "style"].includes(name)).sort());
  assert.deepEqual(names(told.members), Object.getOwnPropertyNames(prototype).filter((name) => !/^constructor$|Callback$/.test(name)).sort());
  const source = await readFile(here("../element/umem-split.js"), "utf8");
  assert.deepEqual(names(told.events), [...new Set([...source.matchAll(/#tell\("([\w-]+)"/g)].map(([, name]) => name))].sort());
  const { text: words } = await readme();
  for (const { name } of [...told.cssParts, ...told.cssProperties]) {
    if (!/--umem-size-[1-4]/.test(name)) assert.ok(words.includes(`\`${name}\``), name);
  }
});

test("the tables of attributes have each of them", async () => {
  const attributes = element.UmemSplit.observedAttributes.filter((name) => !["class", "style"].includes(name)).sort();
  const named = (text) => {
    const table = text.split(/^## /m).find((section) => section.startsWith("Attributes")).match(/^\| `.*$/gm);
    return table.flatMap((row) => row.split("|")[1].match(/[\w-]+/g)).sort();
  };
  const { text } = await readme();
  assert.deepEqual(named(text), attributes);
  const book = await readFile(here("../../docs/src/embed.md"), "utf8").catch(() => null);
  if (book) assert.deepEqual(named(book), attributes);
  for (const name of presets()) assert.ok(text.includes(`\`${name}\``), name);
  for (const name of Object.getOwnPropertyNames(element.UmemSplit.prototype).filter((name) => !/^constructor$|Callback$/.test(name))) {
    assert.ok(new RegExp(`\`${name}[\`(]`).test(text), `the README does not tell of ${name}`);
  }
});
