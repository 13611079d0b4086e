// The page's dialogs that few visitors open, loaded when somebody does. `cargo xtask build` makes static/dialogs.js of them.

export { cases, question } from "./cases.js";
export { paste } from "./paste.js";
