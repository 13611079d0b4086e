// What a browser loads as JavaScript. The element is one file to copy, readable but for what its modules say about themselves: that
// is a quarter of a download. What nobody reads is made small: the page's own code and style sheet, and wasm-bindgen's beside each wasm.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { transform } from "lightningcss";
import { minify } from "terser";

/** Where the site lies, where the files go, and which of them are wanted. */
const { UMEM_STATIC: site, UMEM_BUNDLE: draft, UMEM_FILES: files } = process.env;

const small = {
  name: "small",
  renderChunk: (code) => minify(code, { module: true, ecma: 2022, compress: { passes: 2 } }),
};

/** Without comments, but for where it is from. */
const plain = {
  name: "plain",
  renderChunk: (code) =>
    minify(code, {
      module: true,
      compress: false,
      mangle: false,
      format: { beautify: true, indent_level: 2, comments: false, preamble: "// <umem-split>. Its types are in umem-split.d.ts, its source in web/element." },
    }),
};

/** The page's style sheet, beside its code. */
const style = {
  name: "style",
  async generateBundle() {
    const filename = "style.css";
    // What holds on some media comes after what it changes.
    const parts = ["style.css", "media.css"].map((part) => readFile(new URL(`../page/${part}`, import.meta.url)));
    const code = Buffer.concat(await Promise.all(parts));
    this.emitFile({ type: "asset", fileName: filename, source: transform({ filename, code, minify: true }).code });
  },
};

const bundle = (input, file, plugins) => ({
  input,
  plugins,
  external: /\/(element\/umem_split|plan\/umem_plan)\.js$/,
  makeAbsoluteExternalsRelative: false,
  output: { file: join(draft, file), format: "es", generatedCode: "es2015" },
});

/** By its name below the site. */
const made = {
  "umem-split.js": () => bundle("umem-split.js", "umem-split.js", [plain]),
  "app.js": () => bundle("../page/app.js", "app.js", [small, style]),
  "dialogs.js": () => bundle("../page/dialogs/index.js", "dialogs.js", [small]),
  // It comes with app.js.
  "style.css": () => [],
};
/** What wasm-bindgen wrote, and where it wrote it. */
const glue = (file) => ({ ...bundle(join(site, file), file, [small]), external: [] });

export default files.split(" ").flatMap((file) => made[file]?.() ?? glue(file));
