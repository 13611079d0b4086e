// How fast umem-core's paths are as wasm in Chromium, beside the same paths natively: both in turns, round after round, each by the
// time that its own thread was running. `cargo xtask bench browser` runs it and draws the table from what it prints: a line a path, of its
// name, its unit, and the nanoseconds a unit in each round, native and wasm.
//
// node wasm.mjs PROGRAM MODULE browser|small ROUNDS [SECTION]

import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { launch } from "./support.mjs";

/** What a turn takes at least, in nanoseconds: asking the browser for one takes a quarter of a millisecond itself. */
const TURN = 2e7;
/** Turns that do not count: V8 compiles a function well only when it was found to be worth it. */
const WARM_UP = 3;

const [program, module, scale, rounds, wanted = ""] = process.argv.slice(2);
const native = await startNative();
const browser = await launch();
try {
  const page = await startPage();
  for (const [number, name] of (await native.sections()).entries()) {
    if (name.includes(wanted)) await measure(page, number);
  }
} finally {
  native.stop();
  await browser.close();
}

async function measure(page, section) {
  const paths = await native.open(section);
  if ((await page.open(section)) !== paths.length) throw new Error(`as wasm, section ${section} has other paths`);
  for (const path of paths) {
    const [once] = await both(page, path, 1);
    path.times = scale === "small" ? 1 : Math.ceil(TURN / once);
  }
  for (let round = -WARM_UP; round < rounds; round++) {
    for (const path of paths) {
      const times = await both(page, path, path.times, round % 2 !== 0);
      if (round >= 0) path.rounds.push(...times.map((time) => time / path.times / path.units));
    }
  }
  for (const { name, unit, rounds } of paths) console.log([name, unit, ...rounds].join("\t"));
}

/** The times of one turn of each, native and wasm, whoever begins. That both say the same tells that both do the same. */
async function both(page, { number, name }, times, wasmFirst = false) {
  const answers = wasmFirst ? [await page.run(number, times), await native.run(number, times)].reverse() : [await native.run(number, times), await page.run(number, times)];
  const [[, said], [, asWasm]] = answers;
  if (said !== asWasm) throw new Error(`${name}: natively ${said}, as wasm ${asWasm}`);
  return answers.map(([time]) => time);
}

/** The program, which is asked line by line. */
async function startNative() {
  const child = spawn(program, ["turns", scale], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${program} ended`);
    return value.split("\t");
  };
  return {
    async sections() {
      child.stdin.write("sections\n");
      return next();
    },
    async open(section) {
      child.stdin.write(`open ${section}\n`);
      const paths = [];
      const [count] = await next();
      for (let number = 0; number < Number(count); number++) {
        const [name, unit, units] = await next();
        paths.push({ number, name, unit, units: Number(units), rounds: [] });
      }
      return paths;
    },
    async run(path, times) {
      child.stdin.write(`run ${path} ${times}\n`);
      const [time, said] = await next();
      return [Number(time), said];
    },
    stop: () => child.stdin.end(),
  };
}

/** An empty page with the module in it. */
async function startPage() {
  const page = await browser.newPage();
  const code = (await readFile(module)).toString("base64");
  await page.evaluate(async (code) => {
    const bytes = Uint8Array.from(atob(code), (letter) => letter.charCodeAt(0));
    globalThis.bench = (await WebAssembly.instantiate(bytes)).instance.exports;
  }, code);
  const client = await page.createCDPSession();
  await client.send("Performance.enable", { timeDomain: "threadTicks" });
  const threadTime = async () => {
    const { metrics } = await client.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "ThreadTime").value * 1e9;
  };
  return {
    open: (section) => page.evaluate((section, small) => bench.umem_bench_open(section, small), section, scale === "small"),
    async run(path, times) {
      const start = await threadTime();
      const said = await page.evaluate((path, times) => String(BigInt.asUintN(64, bench.umem_bench_run(path, times))), path, times);
      return [(await threadTime()) - start, said];
    },
  };
}
