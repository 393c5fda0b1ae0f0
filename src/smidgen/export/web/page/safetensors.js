// Reading a safetensors file. The header is checked against the file before anything is taken from it.

const READERS = {
  F32: (bytes) => new Float32Array(bytes),
  F16: (bytes) => Float32Array.from(new Uint16Array(bytes), halfToFloat),
  BF16: (bytes) => new Float32Array(Uint32Array.from(new Uint16Array(bytes), (half) => half << 16).buffer),
};

// Name -> { shape, values } in float32, from an ArrayBuffer. Throws an Error that says what is wrong with the file.
export function readSafetensors(file) {
  const length = file.byteLength >= 8 ? Number(new DataView(file).getBigUint64(0, true)) : Infinity;
  if (8 + length > file.byteLength) throw new Error("the file of weights is cut off within its header");
  let header;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array(file, 8, length)));
  } catch {
    throw new Error("the header of the file of weights is damaged");
  }
  const tensors = new Map();
  for (const [name, entry] of Object.entries(header)) {
    if (name !== "__metadata__") tensors.set(name, readTensor(name, entry, file, 8 + length));
  }
  return tensors;
}

function readTensor(name, { dtype, shape, data_offsets: [start, end] }, file, base) {
  if (!(dtype in READERS)) throw new Error(`weight ${name} is of type ${dtype}, which this page cannot read`);
  const size = shape.reduce((product, length) => product * length, 1);
  const width = dtype === "F32" ? 4 : 2;
  if (end - start !== size * width) throw new Error(`weight ${name} has the wrong number of bytes`);
  if (base + end > file.byteLength) throw new Error(`the file of weights is cut off within ${name}`);
  return { shape, values: READERS[dtype](file.slice(base + start, base + end)) };
}

function halfToFloat(half) {
  const sign = half & 0x8000 ? -1 : 1, exponent = (half >> 10) & 31, fraction = half & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
}
