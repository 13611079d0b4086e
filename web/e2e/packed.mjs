// The npm package as it is packed: unpacked into a folder of somebody else, and that folder served.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { after } from "node:test";

/** The tarball, as `cargo xtask test` gives it. */
export function tarball() {
  const path = process.env.UMEM_PACKAGE;
  if (!path || !existsSync(path)) throw new Error("UMEM_PACKAGE names no tarball: make one with `cargo xtask package`, or run these by `cargo xtask test`");
  return path;
}

const made = [];
after(() => Promise.all(made.map((undo) => undo())));

/** A folder that is gone after the tests. */
export async function folder() {
  const path = await mkdtemp(join(tmpdir(), "umem-package-"));
  made.push(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** Unpacks the package into `to`. */
export async function unpack(to) {
  await mkdir(to, { recursive: true });
  execFileSync("tar", ["--extract", "--gzip", "--strip-components=1", "--file", tarball(), "--directory", to]);
  return to;
}

/** The package's README, and the first of its code blocks in this language that has `word` in it. */
export async function readme() {
  const text = await readFile(new URL("../npm/README.md", import.meta.url), "utf8");
  const block = (language, word) => [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)].find(([, named, code]) => named === language && code.includes(word))[2];
  return { text, block };
}

const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".wasm": "application/wasm" };

/** Serves the files of a folder, and others that are given, under a policy. */
export async function serve(root, policy, others = {}) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const path = pathname.endsWith("/") ? `${pathname}index.html` : pathname;
    const content = others[path] ?? (await readFile(join(root, path)).catch(() => null));
    response.writeHead(content === null ? 404 : 200, { "Content-Type": TYPES[extname(path)] ?? "application/octet-stream", "Content-Security-Policy": policy });
    response.end(content ?? "");
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  made.push(() => new Promise((done) => { server.close(done); server.closeAllConnections(); }));
  return `http://127.0.0.1:${server.address().port}/`;
}
