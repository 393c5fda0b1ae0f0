// The settings of the draw: presets, sliders, seed.

import { byId, element } from "./elements.js";

// Of a slider, from `min` or 0 to `max`; typed numbers may lie from `least` to `limit`, as in recipes/sampling.py.
const SLIDERS = {
  temperature: { label: "Temperature", max: 2, step: 0.05, limit: 1000, hint: "0 always takes the likeliest token" },
  top_k: { label: "Top-k", max: 200, step: 1, limit: 1e6, hint: "the k likeliest; 0 is off" },
  top_p: { label: "Top-p", max: 1, step: 0.01, limit: 1, hint: "the likeliest with this share; 1 is off" },
  min_p: { label: "Min-p", max: 0.5, step: 0.01, limit: 1, hint: "at least this share of the likeliest; 0 is off" },
  repetition_penalty: {
    ...{ label: "Repetition penalty", min: 1, max: 3, step: 0.05, least: 0.01, limit: 100 },
    hint: "used words become rarer; 1 is off",
  },
  no_repeat_ngram_size: {
    ...{ label: "No repeated n-grams", max: 8, step: 1, limit: 1e6 },
    hint: "never this many tokens twice; 0 is off",
  },
  max_new_tokens: { label: "Longest text", min: 1, max: 512, step: 1, limit: 1e5, hint: "in tokens" },
};
const UNUSED_WHEN_GREEDY = ["top_k", "top_p", "min_p"];
const GREEDY = { temperature: 0, top_k: 0, top_p: 1, min_p: 0, repetition_penalty: 1, no_repeat_ngram_size: 0 };

export class Settings {
  // `recommended` are all settings, `presets` more of them with names. `onChange` hears of every change by hand.
  constructor(recommended, presets, onChange) {
    this.values = { ...recommended };
    this.presets = [
      { name: "As its makers recommend", settings: recommended },
      { name: "Greedy", settings: { ...recommended, ...GREEDY } },
      ...presets,
    ];
    this.inputs = Object.fromEntries(Object.keys(SLIDERS).map((name) => [name, this.#slider(name, onChange)]));
    this.#offerPresets(onChange);
    byId("seed").addEventListener("change", onChange);
    this.show();
  }

  get seed() {
    const seed = Math.floor(Number(byId("seed").value));
    return Number.isSafeInteger(seed) && seed >= 0 ? seed : 0;
  }

  set seed(seed) {
    byId("seed").value = String(seed);
  }

  // Take what is valid of these, as from a link.
  take(values) {
    for (const name of Object.keys(SLIDERS)) {
      const value = Number(values[name]);
      if (values[name] !== undefined && isAllowed(name, value)) this.values[name] = value;
    }
    this.show();
  }

  show() {
    for (const [name, { range, number, row }] of Object.entries(this.inputs)) {
      range.value = number.value = String(this.values[name]);
      row.classList.toggle("unused", this.values.temperature === 0 && UNUSED_WHEN_GREEDY.includes(name));
    }
    byId("preset").value = String(this.presets.findIndex(({ settings }) => isSame(settings, this.values)));
  }

  #slider(name, onChange) {
    const { label, min = 0, max, step, limit, least = min, hint } = SLIDERS[name];
    const range = element("input", { type: "range", id: name, min, max, step, "aria-describedby": `${name}-hint` });
    const number = element("input", { type: "number", min: least, max: limit, step: "any", "aria-label": label });
    const set = ({ target }) => {
      const value = Number(target.value);
      if (target.value !== "" && isAllowed(name, value)) this.values[name] = value;
      this.show();
      onChange();
    };
    range.addEventListener("input", set);
    number.addEventListener("change", set);
    const row = element("div", { class: "setting" },
      element("label", { for: name, text: label }), number, range,
      element("p", { class: "hint", id: `${name}-hint`, text: hint }));
    byId("sliders").append(row);
    return { range, number, row };
  }

  #offerPresets(onChange) {
    const preset = byId("preset");
    this.presets.forEach(({ name }, n) => preset.append(element("option", { value: n, text: name })));
    preset.append(element("option", { value: -1, text: "Own settings", disabled: true }));
    preset.addEventListener("change", () => {
      this.values = { ...this.presets[Number(preset.value)].settings };
      this.show();
      onChange();
    });
  }
}

function isAllowed(name, value) {
  const { min = 0, least = min, limit, step } = SLIDERS[name];
  if (!Number.isFinite(value) || value < least || value > limit) return false;
  if (name === "temperature") return value === 0 || value >= 0.001;
  return step < 1 || Number.isInteger(value);
}

function isSame(one, other) {
  return Object.keys(SLIDERS).every((name) => one[name] === other[name]);
}
