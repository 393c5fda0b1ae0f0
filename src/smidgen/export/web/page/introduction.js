// What stands above and below: which model this is, where it runs, how it was checked.

import { byId, element } from "./elements.js";
import { count, millions } from "./words.js";

// `opened` are the models with their descriptions and proofs; `place` is where they compute.
export function introduce(opened, place) {
  const isHere = place !== "server";
  const names = opened.map(({ description }) => description.name).join(" and ");
  document.title = isHere ? `${names} in your browser` : `${names} – Smidgen playground`;
  byId("kicker").textContent = isHere ? "A small language model in your browser" : "Smidgen playground";
  byId("name").textContent = names;
  const several = opened.length > 1;
  byId("facts").append(...opened.map(({ description }) => element("span", { text: facts(description, several) })));
  const runs = isHere ? "the model runs in this page" : "PyTorch computes behind this page";
  const sentences = [`What you type stays on this machine: ${runs}.`];
  for (const { proof } of opened) if (proof) sentences.push(proven(proof));
  byId("footer").append(...sentences.map((text) => element("p", { text })));
}

function facts({ name, parameters, config }, named) {
  const parts = [
    `${named ? `${name}: ` : ""}${millions(parameters)} parameters`,
    ...(config.num_layers ? [`${config.num_layers} layers`] : []),
    `a vocabulary of ${count(config.vocab_size)}`,
    `sees ${count(config.context_length)} tokens`,
  ];
  if (config.xsa) parts.push("exclusive self attention");
  if (config.place_vocab_size) parts.push("digit features");
  return `${parts.join(" · ")}.`;
}

function proven({ browser, max_abs_logit_diff }) {
  const most = max_abs_logit_diff.toExponential(0);
  return `Checked against PyTorch in ${browser}: no logit that was compared differs by more than ${most}.`;
}
