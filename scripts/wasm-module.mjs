// A WebAssembly module as bytes: what the scripts of the build read and write of one.

export const CUSTOM = 0, IMPORTS = 2, EXPORTS = 7, CODE = 10, DATA = 11;
const HEADER = 8;

/** Its sections in order: id, bytes, and a reader of them. */
export const sectionsOf = (wasm) => [...new Reader(wasm, HEADER).sections()];

/** The module with other sections. */
export function withSections(wasm, sections) {
  const parts = sections.flatMap(({ id, bytes }) => [Buffer.of(id), sized(bytes)]);
  return Buffer.concat([wasm.subarray(0, HEADER), ...parts]);
}

/** LEB128. */
export function number(value) {
  const bytes = [];
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
  return Buffer.of(...bytes, value);
}

/** Bytes or a text behind their length. */
export const sized = (content) => {
  const bytes = Buffer.from(content);
  return Buffer.concat([number(bytes.length), bytes]);
};

export class Reader {
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

  /** Of every import its module, its name, whether it is a function, and the bytes that say what it is. */
  *imports() {
    for (let left = this.number(); left > 0; left--) {
      const [module, name, from] = [this.text(), this.text(), this.at];
      const kind = this.byte();
      if (kind === 0) this.number();
      if (kind === 1 || kind === 4) this.byte();
      if (kind === 3) this.take(2);
      if (kind === 4) this.number();
      if (kind === 1 || kind === 2) {
        const bounded = this.number() & 1;
        this.number();
        if (bounded) this.number();
      }
      yield { module, name, isFunction: kind === 0, bytes: this.bytes.subarray(from, this.at) };
    }
  }

  /** Of every export its name and the bytes that say what it is. */
  *exports() {
    for (let left = this.number(); left > 0; left--) {
      const [name, from] = [this.text(), this.at];
      this.byte();
      this.number();
      yield { name, bytes: this.bytes.subarray(from, this.at) };
    }
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
