// What the newest token of a text reads: the weights of every head in every layer.

// `weights[layer][head][n]` belongs to token `first + n` of the text; those before `first` are out of sight.
export function attention(decoder, window, ids) {
  const { num_layers, num_heads, context_length } = decoder.config;
  const seen = ids.slice(-context_length);
  const weights = Array.from({ length: num_layers }, () => Array(num_heads));
  decoder.onAttention = (layer, kvHead, position, scores, length) => {
    if (position !== seen.length - 1) return;
    for (let g = 0; g < decoder.group; g++) {
      const from = scores + g * decoder.S;
      weights[layer][kvHead * decoder.group + g] = Array.from(decoder.floats.subarray(from, from + length));
    }
  };
  try {
    window.start(seen);
  } finally {
    decoder.onAttention = null;
  }
  return { first: ids.length - seen.length, weights };
}
