// What a study of sampling settings found for the model, and a way to use a row of it.

import { byId, element } from "./elements.js";
import { percent } from "./words.js";

const FIGURES = [
  { name: "loop_rate", label: "Loops", said: percent },
  { name: "garble", label: "Unknown words", said: percent },
  { name: "distinct", label: "Distinct 3-grams", said: (value) => value.toFixed(2) },
  { name: "nll", label: "Nats a token", said: (value) => value.toFixed(2) },
];
const NAMES = {
  temperature: "temperature",
  top_k: "top-k",
  top_p: "top-p",
  min_p: "min-p",
  repetition_penalty: "penalty",
  no_repeat_ngram_size: "no repeated",
};
const OFF = { top_k: 0, top_p: 1, min_p: 0, repetition_penalty: 1, no_repeat_ngram_size: 0 };

// `use(settings)` hears which row is wanted.
export function showStudy(study, use) {
  const best = spoken(study.recommended.settings);
  const isBest = ({ settings }) => spoken(settings) === best;
  const advised = study.settings.filter((one) => one.names.length && !isBest(one));
  const others = study.settings.filter((one) => !one.names.length && !isBest(one));
  const { number_of_prompts, new_tokens, words_of } = study.conditions;
  const about = `${number_of_prompts} prompts, up to ${new_tokens} tokens after each, with 95% intervals. A word ` +
    `is unknown that does not stand in ${words_of}. ${capitalised(study.why)}.`;
  byId("study").append(
    element("h2", { text: "What suits this model" }),
    element("p", { class: "hint", text: about }),
    table([
      row(study.recommended, ["recommended", ...study.recommended.names].join(", "), use, "best"),
      ...advised.map((one) => row(one, one.names.join(", "), use)),
      filled("Real text", "", study.real_text, []),
    ]));
  if (others.length) {
    byId("study").append(element("details", {},
      element("summary", { text: `${others.length} more settings` }), table(others.map((one) => row(one, "", use)))));
  }
  byId("study").hidden = false;
}

function table(rows) {
  const heads = [
    ...["Setting", "Advice of"].map((text) => element("th", { scope: "col", text })),
    ...FIGURES.map(({ label }) => element("th", { scope: "col", class: "number", text: label })),
    element("td"),
  ];
  const attributes = { class: "scroll", tabindex: 0, role: "region", "aria-label": "Settings that were measured" };
  return element("div", attributes,
    element("table", {},
      element("thead", {}, element("tr", {}, ...heads)),
      element("tbody", {}, ...rows)));
}

function row({ settings, ...figures }, by, use, kind) {
  const text = spoken(settings);
  const attributes = { type: "button", class: "small", text: "Use", "aria-label": `Use ${text}` };
  return filled(text, by, figures, [element("button", { ...attributes, onclick: () => use(settings) })], kind);
}

function filled(name, by, figures, last, kind) {
  return element("tr", { class: kind },
    element("th", { scope: "row", text: name }),
    element("td", { text: by }),
    ...cells(figures),
    element("td", {}, ...last));
}

// A figure each, with its interval below.
function cells(figures) {
  return FIGURES.map(({ name, said }) => {
    if (!figures[name]) return element("td", { class: "number", text: "\u2013" });
    const [value, low, high] = figures[name];
    const interval = element("span", { class: "hint", text: `${said(low)} to ${said(high)}` });
    return element("td", { class: "number" }, said(value), interval);
  });
}

function spoken(settings) {
  const on = Object.keys(OFF).filter((name) => settings[name] !== undefined && settings[name] !== OFF[name]);
  const parts = on.map((name) => `${NAMES[name]} ${settings[name]}`);
  return [settings.temperature === 0 ? "greedy" : `temperature ${settings.temperature}`, ...parts].join(", ");
}

function capitalised(text) {
  return text[0].toUpperCase() + text.slice(1);
}
