// In which order functions should stand. gzip sees no further back than 32 kB, so each comes behind
// those that it has most in common with: against the order of their names that saves 7 kB.

import { CODE, CUSTOM, IMPORTS, number, sectionsOf, sized, withSections } from "./wasm-module.mjs";

const WINDOW = 32_768;
// What is in common is counted in pieces of so many bytes.
const PIECE = 6;
const FUNCTION_NAMES = 1;

/** The module with its functions named by their place, for `wasm-opt --reorder-functions-by-name`. */
export function nameByPlace(wasm) {
  const sections = sectionsOf(wasm);
  const find = (wanted) => sections.find(({ id }) => id === wanted).reader;
  const imported = [...find(IMPORTS).imports()].filter((one) => one.isFunction).length;
  const order = orderOf([...find(CODE).items()]);
  const width = String(order.length).length;
  const names = order.map((index, place) => [index, String(place).padStart(width, "0")]).sort(([a], [b]) => a - b);
  const entries = names.flatMap(([index, name]) => [number(imported + index), sized(name)]);
  const functions = sized(Buffer.concat([number(order.length), ...entries]));
  const section = { id: CUSTOM, bytes: Buffer.concat([sized("name"), Buffer.of(FUNCTION_NAMES), functions]) };
  const isNames = ({ id, bytes }) => id === CUSTOM && bytes.subarray(1, 5).toString() === "name";
  return withSections(wasm, [...sections.filter((one) => !isNames(one)), section]);
}

/** Indices of the bodies: the longest first, then always the one that shares most with the window. */
function orderOf(bodies) {
  const holders = new Map();
  const sizes = bodies.map((body, index) => {
    const pieces = new Set();
    for (let at = 0; at + PIECE <= body.length; at++) pieces.add(body.latin1Slice(at, at + PIECE));
    for (const piece of pieces) {
      if (!holders.has(piece)) holders.set(piece, []);
      holders.get(piece).push(index);
    }
    return pieces.size;
  });
  // Of every body the pieces that others have as well, each as the list of who has it.
  const common = bodies.map(() => []);
  for (const list of holders.values()) if (list.length > 1) for (const index of list) common[index].push(list);

  const inWindow = new Map();
  const shared = new Float64Array(bodies.length);
  const count = (index, change) => {
    for (const list of common[index]) {
      const [before, after] = [inWindow.get(list) ?? 0, (inWindow.get(list) ?? 0) + change];
      inWindow.set(list, after);
      if (before === 0 || after === 0) for (const other of list) shared[other] += change;
    }
  };
  const best = (left, score) => [...left].reduce((a, b) => (score(b) > score(a) ? b : a));

  const left = new Set(bodies.keys());
  const order = [], window = [];
  let length = 0;
  let next = best(left, (index) => bodies[index].length);
  for (;;) {
    left.delete(next);
    order.push(next);
    window.push(next);
    length += bodies[next].length;
    count(next, 1);
    while (length > WINDOW && window.length > 1) {
      const gone = window.shift();
      length -= bodies[gone].length;
      count(gone, -1);
    }
    if (left.size === 0) return order;
    // A share of its size would put the small first, the mere sum the large.
    next = best(left, (index) => shared[index] / (sizes[index] + 20) ** 0.7);
  }
}
