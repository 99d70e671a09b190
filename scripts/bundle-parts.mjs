// What the bytes of a WebAssembly module are: code by crate (of the Worker's own, by module), data, the rest. Needs
// the names of its functions. A part is gzipped by itself, so the sum is a little more than the whole.

import { gzipSync } from "node:zlib";
import { CODE, CUSTOM, DATA, IMPORTS, sectionsOf } from "./wasm-module.mjs";

const SHOWN = 25;

export function printParts(wasm) {
  const parts = [...partsOf(wasm)].map(([name, bytes]) => ({
    name,
    raw: bytes.reduce((sum, piece) => sum + piece.length, 0),
    gzipped: gzipSync(Buffer.concat(bytes), { level: 9 }).length,
  }));
  parts.sort((a, b) => b.gzipped - a.gzipped);
  const kb = (bytes) => (bytes / 1000).toFixed(1).padStart(7);
  console.log("     kB  gzipped");
  for (const { name, raw, gzipped } of parts.slice(0, SHOWN)) console.log(`${kb(raw)}  ${kb(gzipped)}  ${name}`);
}

/** Name of the part → its bytes. */
function partsOf(wasm) {
  const parts = new Map();
  const add = (name, bytes) => {
    if (!parts.has(name)) parts.set(name, []);
    parts.get(name).push(bytes);
  };
  const sections = sectionsOf(wasm);
  const find = (wanted) => sections.find(({ id }) => id === wanted)?.reader;

  const names = new Map();
  const customs = sections.filter(({ id }) => id === CUSTOM);
  for (const { reader } of customs) if (reader.text() === "name") reader.names(names);
  let index = [...(find(IMPORTS)?.imports() ?? [])].filter((one) => one.isFunction).length;
  for (const body of find(CODE).items()) add(owner(names.get(index++) ?? ""), body);
  for (const { id, bytes } of sections) {
    if (id === DATA) add("data", bytes);
    else if (id !== CODE && id !== CUSTOM) add("tables, types, imports, exports", bytes);
  }
  return parts;
}

/** The crate that a function's name begins with; of our own, the module. */
function owner(name) {
  const path = name.match(/[a-z_][a-z0-9_]*(\[[0-9a-f]+\])?(::[a-z_][a-z0-9_]*)+/i)?.[0] ?? "other";
  const [crate, module] = path.replace(/\[[0-9a-f]+\]/g, "").split("::");
  return /^orderline(_wire|_audio)?$/.test(crate) ? `${crate}::${module}` : crate;
}
