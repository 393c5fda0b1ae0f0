// A model of this folder: its description, its tokenizer and its decoder.

import { Decoder } from "./decoder.js";
import { readSafetensors } from "./safetensors.js";
import { Tokenizer } from "./tokenizer.js";

// The description that `smidgen export --to web` wrote. Throws an Error with a sentence for people.
export async function readDescription(address) {
  const description = await (await fetched(address)).json().catch(() => {
    throw new Error(`${address} is no readable JSON; export the model again`);
  });
  if (description.format !== "smidgen-web" || description.version !== 1) {
    throw new Error(`${address} is of another version than this page; export the model again`);
  }
  return description;
}

// Tokenizer and decoder of a description; `onProgress` hears which share of the weights has come.
export async function openModel(description, address, { onProgress = () => {}, ...options } = {}) {
  const { file, bytes, sha256 } = description.weights;
  const weights = await content(new URL(file, address), bytes, onProgress);
  await requireDigest(weights, sha256);
  return {
    tokenizer: new Tokenizer(description.tokenizer),
    decoder: new Decoder(description.config, readSafetensors(weights.buffer), options),
  };
}

async function fetched(address) {
  const answer = await fetch(address).catch(() => null);
  if (!answer) throw new Error(`${address} cannot be reached; is the server that this page came from still there?`);
  if (!answer.ok) throw new Error(`${address} is not there (${answer.status}); the whole exported folder is needed`);
  return answer;
}

async function content(address, length, onProgress) {
  const reader = (await fetched(address)).body.getReader();
  const all = new Uint8Array(length);
  let at = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    if (at + part.value.length > length) throw damaged(`more than ${length} bytes`);
    all.set(part.value, at);
    onProgress((at += part.value.length) / length);
  }
  if (at < length) throw damaged(`${at} of ${length} bytes`);
  return all;
}

// Where the browser lets a page compute it, which is over https and on this machine.
async function requireDigest(bytes, expected) {
  if (!globalThis.crypto?.subtle) return;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const found = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  if (found !== expected) throw damaged("with another checksum");
}

function damaged(how) {
  return new Error(`the weights came ${how}: the file is damaged or another one; load the page or export it again`);
}
