// Rust's code, loaded when it is first asked for, once for all elements of a document.

/** What loads a module of Rust's code when it is first asked for; whoever comes after a failure may have more luck. */
function once(what, module) {
  let loading;
  return () =>
    (loading ??= module()
      .then(async (code) => {
        await code.default();
        return code;
      })
      .catch((error) => {
        loading = undefined;
        throw new Error(`${what} could not be loaded (${error.message})`);
      }));
}

/** The code that draws. */
export const drawing = once("the code of <umem-split>", () => import("./element/umem_split.js"));
/** The rules, and reading of what people paste. */
export const rules = once("the rules", () => import("./plan/umem_plan.js"));

/**
 * Works a scenario out, as `umem plan --format json` does.
 * @param {import("./umem-split.js").Scenario | string} scenario
 * @returns {Promise<import("./umem-split.js").Registration>}
 */
export async function plan(scenario) {
  const { plan } = await rules();
  return JSON.parse(plan(typeof scenario === "string" ? scenario : JSON.stringify(scenario)));
}
