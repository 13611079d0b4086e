// What a browser loads as JavaScript. The element is one file to copy, readable as its modules are. What nobody reads is made
// small: the page's own code, and wasm-bindgen's beside each wasm.

import { join } from "node:path";
import { minify } from "terser";

/** Where the site lies, where the files go, and which of them are wanted. */
const { UMEM_STATIC: site, UMEM_BUNDLE: draft, UMEM_FILES: files } = process.env;

const small = {
  name: "small",
  renderChunk: (code) => minify(code, { module: true, ecma: 2022, compress: { passes: 2 } }),
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
  "umem-split.js": () => bundle("umem-split.js", "umem-split.js", []),
  "app.js": () => bundle("../page/app.js", "app.js", [small]),
};
/** What wasm-bindgen wrote, and where it wrote it. */
const glue = (file) => ({ ...bundle(join(site, file), file, [small]), external: [] });

export default files.split(" ").map((file) => made[file]?.() ?? glue(file));
