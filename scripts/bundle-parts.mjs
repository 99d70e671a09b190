// What the bytes of a WebAssembly module are: code by crate (of ours, by module), data, the rest. Needs
// the names of its functions. A part is gzipped by itself, so the sum is a little more than the whole.

import { gzipSync } from "node:zlib";

const IMPORTS = 2, CODE = 10, DATA = 11, CUSTOM = 0;
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
  const sections = [...new Reader(wasm, 8).sections()];
  const find = (wanted) => sections.find(({ id }) => id === wanted)?.reader;

  const names = new Map();
  const customs = sections.filter(({ id }) => id === CUSTOM);
  for (const { reader } of customs) if (reader.text() === "name") reader.names(names);
  let index = find(IMPORTS)?.importedFunctions() ?? 0;
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
  return crate === "orderline" ? `orderline::${module}` : crate;
}

class Reader {
  constructor(bytes, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  byte() {
    return this.bytes[this.at++];
  }

  number() {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }

  take(length) {
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  text() {
    return this.take(this.number()).toString();
  }

  *sections() {
    while (this.at < this.bytes.length) {
      const id = this.byte();
      const bytes = this.take(this.number());
      yield { id, bytes, reader: new Reader(bytes) };
    }
  }

  *items() {
    for (let left = this.number(); left > 0; left--) yield this.take(this.number());
  }

  importedFunctions() {
    let functions = 0;
    for (let left = this.number(); left > 0; left--) {
      this.text();
      this.text();
      const kind = this.byte();
      if (kind === 0) functions++;
      if (kind === 0) this.number();
      if (kind === 1 || kind === 4) this.byte();
      if (kind === 3) this.take(2);
      if (kind === 4) this.number();
      if (kind === 1 || kind === 2) {
        const bounded = this.number() & 1;
        this.number();
        if (bounded) this.number();
      }
    }
    return functions;
  }

  /** The subsection of functions: index and name. */
  names(into) {
    for (const { id, reader } of this.sections()) {
      if (id !== 1) continue;
      for (let left = reader.number(); left > 0; left--) {
        const index = reader.number();
        into.set(index, reader.text());
      }
    }
  }
}
