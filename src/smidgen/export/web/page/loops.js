// Texts that repeat themselves, as repetition.py finds them.

// Where the first loop begins: some unit of up to 64 tokens, four times in a row; -1 when there is none.
export function loopStart(ids, mostPeriod = 64, repeats = 4) {
  let first = -1;
  for (let period = 1; period <= mostPeriod; period++) {
    const needed = period * (repeats - 1);
    for (let index = period, equal = 0; index < ids.length; index++) {
      equal = ids[index] === ids[index - period] ? equal + 1 : 0;
      if (equal < needed) continue;
      const start = index + 1 - period * repeats;
      if (first < 0 || start < first) first = start;
      break;
    }
  }
  return first;
}
