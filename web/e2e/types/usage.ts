// What people write with the types, and what the types must not let pass.

import { plan, UmemSplit } from "umem-split";
import type { Capture, Registration, Scenario, UmemSplitAttributes } from "umem-split";

const split = document.querySelector("umem-split")!;
const same: UmemSplit = split;
const made: UmemSplit = document.createElement("umem-split");

split.preset = "mail";
split.preset = "a preset of a later version";
split.src = new URL("capture.json", location.href);
split.at = 3;
split.at = null;
split.autoplay = split.playing || split.ready;
const steps: number = split.steps - split.moment;
split.seek(steps);
// @ts-expect-error: no moment is a word
split.seek("soon");
// @ts-expect-error: there are three
split.controls = "some";
// @ts-expect-error: nobody sets what is told
split.status = "1 entry";

const scenario: Scenario = {
  version: 1,
  region: { va: "0x7f0000000000", offset: "4K", length: 4190208, hca_address: 0x1000 },
  memory: { extents: [["0x40000000", "2M"], [0x40200000, 2 ** 21]] },
  kernel: { page_size: "4K", rules: "7.2" },
  iommu: { page_sizes: ["4K", "2M"], iova: "kernel", segment_boundary: "4G", address_bits: 48 },
  device: { page_sizes: ["4K", "1M", "2M"], policy: "mixed", edges: "overhang", max_segment: "64K", max_entries: 512, entry_bytes: 8 },
};
split.scenario = scenario;
split.scenario = JSON.stringify(scenario);
split.scenario = null;
const shown: Scenario | null = split.scenario;

const capture: Capture = {
  ...scenario,
  provenance: { kernel: "6.1.0-33-amd64", page_size: "4K", device: "mlx5_0", iommu_mode: "DMA-FQ", time: "2026-11-22T20:00:00Z", rebased: true },
};
// @ts-expect-error: a capture says where it comes from
const nowhere: Capture = scenario;
// @ts-expect-error: a region has a length
const endless: Scenario = { ...scenario, region: { offset: "4K" } };
// @ts-expect-error: no kernel of this name is known
const future: Scenario = { ...scenario, kernel: { rules: "9.0" } };
// @ts-expect-error: no size is a BigInt
const big: Scenario = { ...scenario, region: { length: 4096n } };
// @ts-expect-error: there is no such field
const misspelt: Scenario = { ...scenario, device: { pagesizes: ["4K"] } };

split.addEventListener("umem-step", ({ detail, currentTarget }) => {
  const words: [number, number, string | null, string] = [detail.step, detail.steps, detail.stage, detail.text];
  // @ts-expect-error: a step tells of no scenario
  detail.scenario;
});
split.addEventListener("umem-change", function ({ detail: { scenario } }) {
  this.seek(scenario.version);
});
split.addEventListener("umem-error", ({ detail }) => console.error(detail.message), { once: true });
split.addEventListener("click", ({ clientX }) => split.seek(clientX));
split.addEventListener("something-else", (event: Event) => event.preventDefault());

const answer: Registration = await plan(capture);
if (answer.table.refused) {
  const why: string = answer.table.refused.message;
  // @ts-expect-error: what is refused has no entries
  answer.table.total;
} else {
  const [first] = answer.table.by_size;
  const entries: number = answer.table.total * (first?.count ?? 0);
  const size: number | null = answer.table.page_size;
}
const single = answer.alternatives.single;
const saved = single.refused ? 0 : single.total;
const [address, length] = answer.scatter.entries?.[0] ?? ["0x0", 0];
// @ts-expect-error: a scenario is no array
plan([]);

const attributes: UmemSplitAttributes = { preset: "mail", speed: "4", lanes: "dma entries" };
