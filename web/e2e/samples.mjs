// Scenarios of every kind and what the element's code makes of them, worked out here, without a browser.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

const built = (name) => readFileSync(new URL(`../../static/${name}`, import.meta.url));

/** What wasm-pack made under this name. */
async function code(name) {
  // As data: by its name node would not know a module without a package.json beside it.
  const module = await import(`data:text/javascript;base64,${built(`${name}.js`).toString("base64")}`);
  module.initSync({ module: built(`${name}_bg.wasm`) });
  return module;
}
const { Widget } = await code("element/umem_split");
const { plan } = await code("plan/umem_plan");

// A widget without a canvas draws nothing, and knows the presets.
const widget = new Widget();

/** What the code says of something wrong. */
function complaint(act) {
  try {
    act();
  } catch ({ message }) {
    return message;
  }
  assert.fail("nothing was wrong with it");
}

/** The names of all presets. */
export const presets = () => complaint(() => widget.preset("?")).match(/there are (.*)$/)[1].split(", ");

const BASE = { version: 1, region: { length: "1M" }, memory: { page_size: "64K", layout: "scattered" }, device: { page_sizes: ["4K", "64K"] } };

/** What is told of a scenario that has something wrong in it. */
export const wrongly = (wrong) => complaint(() => plan(JSON.stringify({ ...BASE, ...wrong })));

/** Every preset, and what no preset has: drivers with a layout, refusals, bugs of old kernels, a capture. */
export const scenes = () => [
  ...presets().map((name) => {
    widget.preset(name);
    return JSON.parse(widget.asked());
  }),
  { ...BASE, name: "a driver of Linux, an IOMMU of the catalogue", iommu: "vt-d", device: "mlx5" },
  { ...BASE, iommu: { name: "mine", page_sizes: ["4K"], iova: "0x80001000", segment_boundary: "1M", address_bits: 40 } },
  { ...BASE, name: "no room for the mapping", iommu: { address_bits: 13 } },
  { ...BASE, name: "no size fits, and 5.10 does not know", kernel: { rules: "5.10" }, device: { page_sizes: ["2M"], policy: "single" } },
  { ...BASE, name: "6.7 never ends", region: { length: "8G" }, memory: { page_size: "1G", layout: "contiguous" }, kernel: { rules: "6.7" }, device: { page_sizes: ["4G"], policy: "single" } },
  { ...BASE, name: "a kernel whose vendor may have taken changes up", region: { length: "16G" }, memory: { page_size: "2M", layout: "contiguous" }, kernel: { release: "6.8.0-84-generic" }, device: "efa" },
  { ...BASE, name: "more entries than one allocation holds", region: { length: "3G" }, memory: { layout: "scattered" }, device: "ionic" },
  { ...BASE, name: "a hole that fork support meets", memory: { ...BASE.memory, areas: [{ offset: "64K", length: "64K", backing: "hole" }] }, process: { fork_support: "libibverbs" } },
  { ...BASE, name: "sized for the program's address, made with the NIC's", region: { offset: "4K", length: "4M", hca_address: "0x201000" }, memory: { page_size: "2M", layout: "contiguous" }, kernel: { release: "6.14" }, device: "mlx4", process: { access: ["local-write", "remote-write"] } },
  { ...BASE, name: "every field", region: { va: "0x7f0000000000", offset: "4K", length: 8192, hca_address: 4096 }, memory: { extents: [["0x40000000", "1M"]], length: "1M" },
    kernel: { page_size: "4K", rules: "6.15" }, device: { name: "mine", page_sizes: [4096], policy: "mixed", edges: "overhang", max_segment: "64K", max_entries: 99, max_total_entries: 999, max_length: "1T", entry_bytes: 16 },
    provenance: { kernel: "6.1.0-33-amd64", page_size: 4096, device: "mlx5_0", iommu_mode: "identity", time: "2026-11-22T20:00:00Z", rebased: true,
      asked: { start: "0x7f0000000000", length: "16M" }, left_out: { absent: 1, swapped: 0, elsewhere: 2, unread: 0 },
      moves_when_registered: { zero: 1, shared: 2, movable: 3 }, refused_when_registered: { pages: 1, errno: "EFAULT", text: "it is not mapped writable" },
      pinned: "16M", moved: { looked: 9, moved: 1 }, assumed: { device: "the device is mlx5", iommu: "there is no IOMMU", rules: "the newest" } } },
];

/** What a scenario comes to. */
export const registration = (scenario) => JSON.parse(plan(JSON.stringify(scenario)));
