// Short names for what index.js and the module know each other by. wasm-bindgen's have a hash each, in
// both files: 7 kB gzipped. What index.js does not name is not exported any more; of the Worker's
// libraries these are classes that JavaScript might have wanted.

import { EXPORTS, IMPORTS, number, sectionsOf, sized, withSections } from "./wasm-module.mjs";

const IDENTIFIER = /[A-Za-z_$][\w$]*/g;
// The name of a variable as well, which src/worker/entry.js reads.
const KEPT = "__worker_init_state";

export function shortenNames(js, wasm) {
  const named = new Set(js.match(IDENTIFIER));
  const short = new Map();
  // Plain words such as `fetch` are methods of other objects, too.
  const shortened = (name) => {
    if (!name.includes("_") || name === KEPT) return name;
    if (!short.has(name)) short.set(name, `_${short.size.toString(36)}`);
    return short.get(name);
  };
  const list = (entries) => Buffer.concat([number(entries.length), ...entries.flat()]);
  const sections = sectionsOf(wasm).map(({ id, bytes, reader }) => {
    if (id === IMPORTS) {
      const imports = [...reader.imports()];
      bytes = list(imports.map((one) => [sized(one.module), sized(shortened(one.name)), one.bytes]));
    }
    if (id === EXPORTS) {
      const exports = [...reader.exports()].filter(({ name }) => named.has(name));
      bytes = list(exports.map((one) => [sized(shortened(one.name)), one.bytes]));
    }
    return { id, bytes };
  });
  return { js: js.replace(IDENTIFIER, (name) => short.get(name) ?? name), wasm: withSections(wasm, sections) };
}
