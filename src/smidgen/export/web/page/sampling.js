// From logits to the next token, and why it was that one. Order and meaning of the settings are those of sampling.py,
// which are those of transformers' generate().

const REPEATED_NGRAM = 1, TOP_K = 2, TOP_P = 3, MIN_P = 4;
const FILTERS = ["", "no_repeat_ngram_size", "top_k", "top_p", "min_p"];
const SHOWN = 10;

// The chosen token and what led to it: `probability` and `rank` as the model has them, `scaled` its probability under
// temperature and penalties, `drawn` in the draw. `filters` say how many tokens each removed and what share the model
// had given them; `top` are the most probable tokens.
export function choose(logits, history, settings, random) {
  const { scaled, drawn, removed } = drawOdds(logits, history, settings);
  const isGreedy = settings.temperature === 0;
  const id = isGreedy ? argmax(drawn) : draw(drawn, random);
  return { ...explained(id, softmax(logits), scaled, drawn, removed), isGreedy };
}

// The probabilities of a draw: `scaled` by temperature and penalties, `drawn` after the filters too; `removed` says
// which filter took a token, 0 for none.
export function drawOdds(logits, history, settings) {
  const processed = Float64Array.from(logits);
  const removed = new Uint8Array(logits.length);
  penalizeRepetition(processed, history, settings.repetition_penalty);
  banRepeatedNgrams(processed, history, settings.no_repeat_ngram_size, removed);
  const best = argmax(processed);
  if (processed[best] === -Infinity) {
    throw new Error("no token is left to choose: a larger no_repeat_ngram_size, or 0 (off), would work");
  }
  if (Number.isNaN(processed[best])) throw new Error("the model's logits are not numbers: its weights are damaged");
  if (settings.temperature === 0) return { scaled: softmax(processed), drawn: oneHot(logits.length, best), removed };
  for (let id = 0; id < processed.length; id++) processed[id] /= settings.temperature;
  const scaled = softmax(processed);
  filter(processed, scaled, settings, removed);
  return { scaled, drawn: softmax(processed), removed };
}

function softmax(logits) {
  let most = -Infinity, total = 0;
  for (const logit of logits) if (logit > most) most = logit;
  const odds = new Float64Array(logits.length);
  for (let id = 0; id < odds.length; id++) total += odds[id] = Math.exp(logits[id] - most);
  for (let id = 0; id < odds.length; id++) odds[id] /= total;
  return odds;
}

// Tokens of the history become less likely, each once however often it occurred.
function penalizeRepetition(logits, history, penalty) {
  if (penalty === 1) return;
  for (const id of new Set(history)) logits[id] = logits[id] < 0 ? logits[id] * penalty : logits[id] / penalty;
}

// A token that would complete an n-gram the history already holds is impossible.
function banRepeatedNgrams(logits, history, size, removed) {
  if (!size || size > history.length) return;
  const begun = history.length + 1 - size;
  for (let start = 0; start + size <= history.length; start++) {
    let n = 0;
    while (n < size - 1 && history[start + n] === history[begun + n]) n++;
    if (n < size - 1) continue;
    const banned = history[start + size - 1];
    logits[banned] = -Infinity;
    removed[banned] = REPEATED_NGRAM;
  }
}

function filter(logits, scaled, { top_k, top_p, min_p }, removed) {
  const removeBelow = (odds, least, by) => {
    for (let id = 0; id < logits.length; id++) {
      if (removed[id] || odds[id] >= least) continue;
      logits[id] = -Infinity;
      removed[id] = by;
    }
  };
  if (top_k && top_k < logits.length) removeBelow(scaled, rising(scaled).at(-top_k), TOP_K);
  if (top_p < 1) {
    const odds = softmax(logits);
    removeBelow(odds, leastOfNucleus(odds, top_p), TOP_P);
  }
  if (min_p) {
    const odds = softmax(logits);
    removeBelow(odds, min_p * odds[argmax(odds)], MIN_P);
  }
}

// The smallest probability among the fewest tokens that hold `share` together; all that equal it stay.
function leastOfNucleus(odds, share) {
  const sorted = rising(odds.filter((probability) => probability > 0));
  // Summed from the improbable end, as sampling.py does; the most probable token always stays.
  let n = 0;
  for (let sum = sorted[0]; n < sorted.length - 1 && sum <= 1 - share; n++) sum += sorted[n + 1];
  return sorted[n];
}

// What the model alone says about a token: `probability`, `rank` and the most probable tokens.
export function likelihood(logits, id) {
  const odds = softmax(logits);
  const entry = (token) => ({ id: token, probability: odds[token] });
  return { ...entry(id), rank: rankOf(id, odds), top: withToken(topOf(odds, SHOWN), id).map(entry) };
}

function explained(id, odds, scaled, drawn, removed) {
  const victims = FILTERS.map(() => ({ count: 0, share: 0 }));
  for (let other = 0; other < odds.length; other++) {
    if (!removed[other]) continue;
    victims[removed[other]].count++;
    victims[removed[other]].share += odds[other];
  }
  const entry = (token) => ({
    id: token,
    probability: odds[token],
    scaled: scaled[token],
    drawn: drawn[token],
    removed: FILTERS[removed[token]],
  });
  const filters = FILTERS.map((name, n) => ({ name, ...victims[n] })).filter(({ count }) => count);
  return { ...entry(id), rank: rankOf(id, odds), filters, top: withToken(topOf(odds, SHOWN), id).map(entry) };
}

// 1 for the most probable; of equal ones the first comes first.
function rankOf(id, odds) {
  let rank = 1;
  for (let other = 0; other < odds.length; other++) {
    if (odds[other] > odds[id] || (odds[other] === odds[id] && other < id)) rank++;
  }
  return rank;
}

function withToken(order, id) {
  return order.includes(id) ? order : [...order, id];
}

function topOf(odds, count) {
  const top = [];
  for (let id = 0; id < odds.length; id++) {
    if (top.length === count && !(odds[id] > odds[top[count - 1]])) continue;
    let at = top.length;
    while (at > 0 && odds[id] > odds[top[at - 1]]) at--;
    top.splice(at, 0, id);
    if (top.length > count) top.pop();
  }
  return top;
}

function draw(odds, random) {
  let left = random();
  let last = 0;
  for (let id = 0; id < odds.length; id++) {
    if (!odds[id]) continue;
    last = id;
    if ((left -= odds[id]) < 0) break;
  }
  return last;
}

function rising(values) {
  return Float64Array.from(values).sort();
}

function argmax(values) {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best] || Number.isNaN(values[i])) best = i;
  return best;
}

function oneHot(length, id) {
  const odds = new Float64Array(length);
  odds[id] = 1;
  return odds;
}

// Numbers from 0 to 1 that a seed decides, the same in every browser (sfc32 by Chris Doty-Humphrey, public domain).
export function seeded(seed) {
  let [a, b, c, d] = [0x9e3779b9, Math.floor(seed / 2 ** 32) >>> 0, seed >>> 0, 1];
  const next = () => {
    const sum = (a + b + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let n = 0; n < 15; n++) next();
  return () => (next() * 2 ** 21 + (next() >>> 11)) / 2 ** 53;
}
