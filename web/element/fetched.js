// Scenarios and captures from a server.

/** The bytes of a scenario or a capture, plain or gzip; no more than `longest` of them. */
export async function fetched(url, longest) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url} could not be read (${answer.status} ${answer.statusText})`);
  const stream = await plain(answer);
  const parts = [];
  let length = 0;
  for (const reader = stream.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > longest) {
      await reader.cancel();
      throw new Error(`${url} is longer than ${longest / 2 ** 20} MiB`);
    }
    parts.push(value);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** Its stream, unpacked if it begins as gzip does. */
async function plain(answer) {
  const [peek, whole] = answer.body.tee();
  const reader = peek.getReader();
  const { value } = await reader.read();
  reader.cancel();
  return value?.[0] === 0x1f && value[1] === 0x8b ? whole.pipeThrough(new DecompressionStream("gzip")) : whole;
}
