// The page opens under the strict policy, and shows the mail's example.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { start, status } from "./support.mjs";

let site;
before(async () => {
  site = await start();
});
after(() => site?.stop());

test("the page opens with the mail's example", async () => {
  const page = await site.open();
  assert.equal(await status(page), "257 entries: 255 × 4K + 1 × 1M + 1 × 2M");
  assert.deepEqual(page.complaints, []);
});
