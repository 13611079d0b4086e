// What axe finds in a part of a page. mdBook's own menu bar fails it, and is none of ours.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const source = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/** The violations, in a line each. */
export async function accessible(page, part) {
  await page.evaluate(source);
  const { violations } = await page.evaluate(
    (part, tags) => window.axe.run(part, { runOnly: tags, resultTypes: ["violations"] }),
    part,
    TAGS,
  );
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target} ${node.failureSummary}`));
}
