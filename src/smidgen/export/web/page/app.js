// The page: opens the models and lets them write.

import { byId, element } from "./elements.js";
import { WorkerEngine } from "./engine.js";
import { introduce } from "./introduction.js";
import { Lane } from "./lane.js";
import { readDescription } from "./model.js";
import { readLink, writeLink } from "./permalink.js";
import { PieceTokenizer } from "./piece_tokenizer.js";
import { ServerEngine } from "./server_engine.js";
import { Settings } from "./settings.js";
import { showStudy } from "./study_panel.js";
import { Tokenizer } from "./tokenizer.js";
import { WhyCard } from "./why.js";
import { percent, size } from "./words.js";

// What else of a browser the page rests on; modules of JavaScript have brought us here.
const NEEDED = ["Worker", "MessageChannel", "ReadableStream", "TextEncoder", "BigUint64Array"];

const prompt = byId("prompt");
const why = new WhyCard();
let lanes = [];
let settings;
let isWriting = false;
const before = []; // what Undo goes back to

start().catch((error) => complain(error.message));

async function start() {
  const missing = NEEDED.find((name) => !(name in window));
  if (missing) throw new Error(`it needs a newer browser, one that has ${missing}`);
  tell("Loading …");
  const { models, place } = await (await fetch("models.json")).json();
  const opened = await Promise.all(models.map((model) => open(model, place, models.length > 1)));
  lanes = opened.map(({ lane }) => lane);
  introduce(opened, place);
  byId("lanes").append(...lanes.map((lane) => lane.element));
  byId("lanes").classList.toggle("several", lanes.length > 1);
  const { sampling, presets, prompts, study } = opened[0].description;
  settings = new Settings(sampling, presets, rememberSoon);
  offer(prompts);
  if (study && lanes.length === 1) showStudy(study, useSetting);
  takeLink(prompts[0] ?? "");
  listen();
  showAs("text");
  byId("notice").hidden = true;
  byId("bench").hidden = false;
  document.documentElement.dataset.ready = "yes";
}

// `place` is where models compute: "server", or else in this page.
async function open({ address, proof }, place, named) {
  const absolute = new URL(address, location.href).href;
  const description = await readDescription(absolute);
  const { name, weights, tokenizer } = description;
  const engine = place === "server" ? new ServerEngine(absolute) : new WorkerEngine(absolute);
  await engine.load(({ share }) => tell(`Loading ${name}: ${percent(share)} of ${size(weights.bytes)}`));
  const Kind = tokenizer.pieces ? PieceTokenizer : Tokenizer;
  const onStatus = (sentence) => (byId("status").textContent = sentence);
  return { lane: new Lane(engine, description, new Kind(tokenizer), { named, why, onStatus }), description, proof };
}

function offer(prompts) {
  const use = (text) => {
    prompt.value = text;
    remember();
    write();
  };
  const buttons = prompts.map((text) => element("button", { type: "button", text, onclick: () => use(text) }));
  byId("starts").append(...buttons);
}

function useSetting(values) {
  settings.take(values);
  remember();
  byId("preset").scrollIntoView({ block: "center" });
}

function listen() {
  byId("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    write();
  });
  prompt.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) write();
  });
  prompt.addEventListener("input", rememberSoon);
  document.addEventListener("keydown", (event) => event.key === "Escape" && isWriting && stop());
  byId("stop").addEventListener("click", stop);
  byId("more").addEventListener("click", () => write({ goesOn: true }));
  byId("again").addEventListener("click", () => write({ again: true }));
  byId("undo").addEventListener("click", undo);
  byId("link").addEventListener("click", copyLink);
  for (const radio of document.querySelectorAll("input[name=view]")) {
    radio.addEventListener("change", () => showAs(radio.value));
  }
  window.addEventListener("hashchange", () => takeLink(prompt.value));
}

async function write({ goesOn = false, again = false } = {}) {
  if (isWriting) return;
  before.push({ prompt: prompt.value, seed: settings.seed, states: lanes.map((lane) => copied(lane.state)) });
  if (again) settings.seed++;
  remember();
  setWriting(true);
  const { values, seed } = settings;
  await Promise.all(lanes.map((lane) => lane.write(goesOn ? null : prompt.value, { ...values }, seed)));
  setWriting(false);
}

function stop() {
  for (const lane of lanes) lane.engine.stop();
}

function undo() {
  const last = before.pop();
  if (!last) return;
  prompt.value = last.prompt;
  settings.seed = last.seed;
  lanes.forEach((lane, n) => (lane.state = last.states[n]));
  remember();
  setWriting(false);
}

function copied({ promptIds, written, told }) {
  return { promptIds: [...promptIds], written: [...written], told };
}

function setWriting(now) {
  isWriting = now;
  const hasText = lanes.some((lane) => lane.ids.length);
  const [shown, other] = now ? [byId("stop"), byId("write")] : [byId("write"), byId("stop")];
  const hadFocus = document.activeElement === other;
  shown.hidden = false;
  if (hadFocus) shown.focus();
  other.hidden = true;
  byId("more").disabled = byId("again").disabled = now || !hasText;
  byId("undo").disabled = now || !before.length;
}

function showAs(view) {
  why.close();
  for (const lane of lanes) lane.show(view);
  byId("hint").textContent = hint(view, lanes[0].tokenizer.rules);
}

function hint(view, { reverseDigits, mapCase, closeNumbers }) {
  if (view === "text") return "Point at a word, tap it or use the arrow keys to see what was likely there.";
  if (view === "surprise") return "The stronger the colour, the less the model expected the token.";
  const parts = ["As the model reads and writes it."];
  if (reverseDigits) parts.push("Numbers begin with their last digit.");
  if (closeNumbers) parts.push("Behind a digit with \u27e9 its number ends.");
  if (mapCase) parts.push("\u21e7 stands before a capital, \u21ea before a row of them.");
  return parts.join(" ");
}

function remember() {
  return writeLink({ prompt: prompt.value, ...settings.values, seed: settings.seed });
}

// Not at every key: browsers limit how often a page may change its address.
let due;
function rememberSoon() {
  clearTimeout(due);
  due = setTimeout(remember, 400);
}

function takeLink(otherwise) {
  const link = readLink();
  prompt.value = link.prompt ?? otherwise;
  settings.take(link);
  if (link.seed !== undefined) settings.seed = link.seed;
}

async function copyLink() {
  const address = remember();
  const done = await navigator.clipboard?.writeText(address).then(() => true, () => false);
  byId("link").textContent = done ? "Copied" : "It is in the address bar";
  setTimeout(() => (byId("link").textContent = "Copy link"), 2000);
}

function tell(sentence) {
  byId("notice").classList.remove("trouble");
  byId("notice").replaceChildren(element("p", { text: sentence }));
}

function complain(sentence) {
  byId("notice").hidden = false;
  byId("notice").classList.add("trouble");
  byId("notice").replaceChildren(element("p", { text: `This page cannot show the model: ${sentence}.` }));
}
