// One file to copy: the modules of this folder one after the other, readable as they are. What Rust becomes stays beside it.

export default {
  input: "umem-split.js",
  external: ["./element/umem_split.js", "./plan/umem_plan.js"],
  makeAbsoluteExternalsRelative: false,
  output: { file: process.env.UMEM_BUNDLE, format: "es", generatedCode: "es2015" },
};
