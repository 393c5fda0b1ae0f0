// Numbers and sentences for people.

const COUNT = new Intl.NumberFormat("en-GB");

export function count(number) {
  return COUNT.format(number);
}

export function counted(number, noun) {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}

// A share as a percentage with about two digits that matter.
export function percent(share) {
  if (share === 0) return "0%";
  if (share > 0.99995) return share === 1 ? "100%" : ">99.99%";
  if (share < 0.0001) return "<0.01%";
  return `${(100 * share).toFixed(share < 0.01 ? 2 : share < 0.1 || share > 0.99 ? 1 : 0)}%`;
}

export function size(bytes) {
  return bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

export function millions(number) {
  return number < 1e6 ? `${(number / 1e3).toFixed(0)}k` : `${(number / 1e6).toFixed(2)}M`;
}

export function ordinal(number) {
  const teens = number % 100 > 10 && number % 100 < 14;
  return `${count(number)}${teens ? "th" : (["th", "st", "nd", "rd"][number % 10] ?? "th")}`;
}

export const FILTER_NAMES = {
  no_repeat_ngram_size: "no repeated n-grams",
  top_k: "top-k",
  top_p: "top-p",
  min_p: "min-p",
};
