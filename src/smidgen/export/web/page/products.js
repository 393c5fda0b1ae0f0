// Products of matrices with vectors, which is where a model's time goes: in WebAssembly's vector instructions where
// the browser has them, else in plain JavaScript. Both work on one memory.
//
// A function is given by hand, in WebAssembly's binary format (https://webassembly.github.io/spec/core/binary/):
//
//     products(w, wStride, x, xStride, y, yStride, rows, columns, vectors)
//
// gives every vector its products with all rows: y[vector][row] = sum of w[row][column] * x[vector][column]. Places
// and strides are in bytes; rows are a multiple of 4 and columns, in bytes, of 16. Four rows at a time share what is
// loaded of x, and all vectors what is loaded of the rows.

const I32 = 0x7f, V128 = 0x7b, EMPTY = 0x40;
const LOOP = 0x03, END = 0x0b, BR_IF = 0x0d, GET = 0x20, SET = 0x21, TEE = 0x22, CONST = 0x41;
const F32_STORE = 0x38, ADD = 0x6a, SUB = 0x6b, SHL = 0x74, LT = 0x49, F32_ADD = 0x92;
const VECTOR = 0xfd, LOAD = 0x00, VECTOR_CONST = 0x0c, LANE = 0x1f;
const VECTOR_ADD = [0xe4, 0x01], VECTOR_MUL = [0xe6, 0x01];
const PAGE = 65536;

// Parameters and locals, by number.
const [W, W_STRIDE, X, X_STRIDE, Y, Y_STRIDE, ROWS, COLUMNS, VECTORS] = Array(9).keys();
const LEFT = 9, X_NOW = 10, Y_NOW = 11, AT = 12, ROW = [W, 13, 14, 15], SUM = [16, 17, 18, 19], PART = 20;

// A memory of so many bytes and the products on it.
export class Products {
  constructor(bytes, { allowVectors = true } = {}) {
    const pages = Math.ceil(bytes / PAGE);
    const code = allowVectors ? compiled() : null;
    if (code) {
      const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
      this.floats = new Float32Array(memory.buffer);
      this.products = new WebAssembly.Instance(code, { page: { memory } }).exports.products;
    } else {
      this.floats = new Float32Array(pages * (PAGE / 4));
    }
    this.hasVectors = Boolean(code);
  }

  // The same in units of numbers instead of bytes.
  run(w, wStride, x, xStride, y, yStride, rows, columns, vectors) {
    if (!rows || !columns || !vectors) return;
    if (this.products) {
      this.products(4 * w, 4 * wStride, 4 * x, 4 * xStride, 4 * y, 4 * yStride, rows, 4 * columns, vectors);
    } else {
      plainProducts(this.floats, w, wStride, x, xStride, y, yStride, rows, columns, vectors);
    }
  }
}

function plainProducts(floats, w, wStride, x, xStride, y, yStride, rows, columns, vectors) {
  for (let row = 0; row < rows; row++, w += wStride) {
    for (let vector = 0; vector < vectors; vector++) {
      const from = x + vector * xStride;
      let a = 0, b = 0, c = 0, d = 0;
      for (let i = 0; i < columns; i += 4) {
        a += floats[w + i] * floats[from + i];
        b += floats[w + i + 1] * floats[from + i + 1];
        c += floats[w + i + 2] * floats[from + i + 2];
        d += floats[w + i + 3] * floats[from + i + 3];
      }
      floats[y + vector * yStride + row] = a + b + c + d;
    }
  }
}

// The compiled module, or null where the browser lacks vectors or forbids compiling.
function compiled() {
  try {
    return new WebAssembly.Module(moduleBytes());
  } catch {
    return null;
  }
}

function moduleBytes() {
  const name = (text) => [text.length, ...new TextEncoder().encode(text)];
  const section = (id, ...content) => [id, ...unsigned(content.length), ...content];
  const body = [...LOCALS, ...PRODUCTS, END];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, 1, 0x60, 9, ...Array(9).fill(I32), 0),
    ...section(2, 1, ...name("page"), ...name("memory"), 2, 1, 0, ...unsigned(PAGE)),
    ...section(3, 1, 0),
    ...section(7, 1, ...name("products"), 0, 0),
    ...section(10, 1, ...unsigned(body.length), ...body),
  ]);
}

function unsigned(value) {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

const get = (local) => [GET, local];
const advance = (local, ...by) => [...get(local), ...by, ADD, SET, local];
const load = (...place) => [...place, VECTOR, LOAD, 2, 0];
const repeatWhile = (condition, ...content) => [LOOP, EMPTY, ...content, ...condition, BR_IF, 0, END];
const lanesSummed = (sum) =>
  [0, 1, 2, 3].flatMap((lane) => [...get(sum), VECTOR, LANE, lane, ...(lane ? [F32_ADD] : [])]);

const LOCALS = [2, 7, I32, 5, V128];
const ZERO = [VECTOR, VECTOR_CONST, ...Array(16).fill(0)];
const PRODUCTS = repeatWhile(
  [...get(ROWS), CONST, 4, SUB, TEE, ROWS],
  ...[1, 2, 3].flatMap((n) => [...get(ROW[n - 1]), ...get(W_STRIDE), ADD, SET, ROW[n]]),
  ...[...get(VECTORS), SET, LEFT, ...get(X), SET, X_NOW, ...get(Y), SET, Y_NOW],
  ...repeatWhile(
    [...get(LEFT), CONST, 1, SUB, TEE, LEFT],
    ...SUM.flatMap((sum) => [...ZERO, SET, sum]),
    ...[CONST, 0, SET, AT],
    ...repeatWhile(
      [...advance(AT, CONST, 16), ...get(AT), ...get(COLUMNS), LT],
      ...[...load(...get(X_NOW), ...get(AT), ADD), SET, PART],
      ...SUM.flatMap((sum, n) => [
        ...get(sum),
        ...[...load(...get(ROW[n]), ...get(AT), ADD), ...get(PART), VECTOR, ...VECTOR_MUL],
        ...[VECTOR, ...VECTOR_ADD, SET, sum],
      ]),
    ),
    ...SUM.flatMap((sum, n) => [...get(Y_NOW), ...lanesSummed(sum), F32_STORE, 2, ...unsigned(4 * n)]),
    ...advance(X_NOW, ...get(X_STRIDE)),
    ...advance(Y_NOW, ...get(Y_STRIDE)),
  ),
  ...advance(W, ...get(W_STRIDE), CONST, 2, SHL),
  ...advance(Y, CONST, 16),
);
