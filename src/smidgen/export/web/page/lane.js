// One model and what it wrote: the text as tokens that can be asked about.

import { AttentionPanel } from "./attention_panel.js";
import { element } from "./elements.js";
import { remarks } from "./equations.js";
import { loopStart } from "./loops.js";
import { segments } from "./segments.js";
import { count, counted } from "./words.js";

const COLOURS = 6;
const REASONS = {
  stop: "the model ended the text",
  length: "as long as allowed",
  stopped: "stopped",
};

export class Lane {
  // `why` is the card that explains a token, `onStatus` hears sentences for those who do not see the page.
  constructor(engine, description, tokenizer, { named, why, onStatus }) {
    Object.assign(this, { engine, description, tokenizer, why, onStatus });
    this.view = "text";
    this.spans = [];
    const label = "Text; the arrow keys go from token to token";
    this.output = element("div", { class: "output", tabindex: 0, role: "document", "aria-label": label });
    this.status = element("p", { class: "status" });
    this.panel = new AttentionPanel(this);
    const name = named ? [element("h2", { text: description.name })] : [];
    this.element = element("article", { class: "lane" }, ...name, this.output, this.status, this.panel.element);
    this.#listen();
    this.clear();
  }

  get vocabulary() {
    return this.tokenizer;
  }

  // All tokens: of the prompt, then written.
  get ids() {
    return [...this.promptIds, ...this.written.map(({ id }) => id)];
  }

  get state() {
    return { promptIds: this.promptIds, written: this.written, told: this.told };
  }

  set state({ promptIds, written, told }) {
    Object.assign(this, { promptIds, written, told, asked: new Map() });
    this.#unpin();
    this.show();
    this.#tell(told);
  }

  clear() {
    this.state = { promptIds: [], written: [], told: "" };
  }

  // Write after a text, or go on after what there is.
  async write(text, settings, seed) {
    const goesOn = text === null;
    const prompt = goesOn ? { ids: this.ids } : { text };
    this.running = true;
    if (!goesOn) this.clear();
    let unseen = 0, count = 0, told;
    try {
      const end = await this.engine.complete(prompt, settings, seed, {
        begin: (said) => {
          unseen = said.unseen;
          if (!goesOn) this.promptIds = said.ids;
          this.#showSoon();
        },
        token: ({ token, seconds }) => {
          this.written.push(token);
          this.#tell(`${counted(++count, "token")}, ${seconds.toFixed(1)} s`);
          this.#showSoon();
        },
      });
      told = this.#ended(end, count, unseen, seed, text);
    } catch (error) {
      told = `It failed: ${error.message}.`;
    }
    this.running = false;
    this.show();
    this.#tell(told);
  }

  // What is known of the token at an index, asked of the model where it was part of the prompt.
  async explanation(index) {
    if (index >= this.promptIds.length) return this.written[index - this.promptIds.length];
    if (!this.asked.has("prompt")) this.asked.set("prompt", this.engine.inspect(this.promptIds));
    return (await this.asked.get("prompt")).tokens[index];
  }

  show(view = this.view) {
    if (view !== this.view) this.#unpin();
    this.view = view;
    this.#render(segments(this.tokenizer, this.ids, { view: this.view, running: this.running }));
    this.output.classList.toggle("empty", !this.spans.length);
    this.output.dataset.view = this.view;
    if (view === "surprise") this.#colourBySurprise();
  }

  // Shade the tokens before one by how much of them it reads; nothing to end it.
  shade(weights) {
    for (const { span, index } of this.spans) {
      const weight = weights?.[index];
      span.classList.toggle("shaded", weight !== undefined);
      if (weight !== undefined) span.style.setProperty("--weight", `${Math.round(100 * Math.sqrt(weight))}%`);
    }
  }

  #showSoon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.show();
    });
  }

  // Only what has changed is made anew, so that a token that is pointed at stays.
  #render(wanted) {
    for (const segment of wanted) segment.classes = this.#classes(segment);
    let same = 0;
    while (same < wanted.length && same < this.spans.length && isSame(this.spans[same], wanted[same])) same++;
    for (const { span, end } of this.spans.splice(same)) {
      span.remove();
      end?.remove();
    }
    for (const segment of wanted.slice(same)) {
      const span = element("span", { class: segment.classes, text: segment.text });
      const end = segment.breaks ? element("br") : null;
      this.spans.push({ ...segment, span, end });
      this.output.append(span, ...(end ? [end] : []));
    }
  }

  #classes({ index, isMark }) {
    const kinds = ["token", `c${index % COLOURS}`];
    if (index < this.promptIds.length) kinds.push("prompt");
    if (isMark) kinds.push("mark");
    return kinds.join(" ");
  }

  async #colourBySurprise() {
    if (!this.running && this.promptIds.length > 1) await this.explanation(0).catch(() => null);
    const known = (await this.asked.get("prompt")?.catch(() => null))?.tokens ?? [];
    for (const { span, index } of this.spans) {
      const said = index < this.promptIds.length ? known[index] : this.written[index - this.promptIds.length];
      span.style.setProperty("--surprise", `${said ? Math.round(100 * surprise(said.probability)) : 0}%`);
    }
  }

  #ended({ reason, speed, seconds }, written, unseen, seed, prompt) {
    const parts = [counted(written, "token")];
    if (speed) parts.push(`${count(Math.round(speed))} tokens/s`);
    else parts.push(`${seconds.toFixed(1)} s`);
    parts.push(REASONS[reason] ?? reason, `seed ${seed}`);
    const sentences = [parts.join(" · "), ...remarks(prompt ?? "", this.description.equations)];
    if (unseen) {
      const { context_length } = this.description.config;
      sentences.push(`The text is longer than the model can see: it read the last ${count(context_length)} tokens.`);
    }
    if (loopStart(this.ids.slice(this.promptIds.length)) >= 0) {
      sentences.push("It repeats itself; a repetition penalty or a higher temperature may help.");
    }
    return sentences.join("\n");
  }

  #tell(told) {
    this.told = told;
    this.status.textContent = told;
    if (!this.running && told) this.onStatus(told);
  }

  #listen() {
    const spanOf = (event) => this.spans.find(({ span }) => span === event.target);
    this.output.addEventListener("pointerover", (event) => {
      const found = event.pointerType === "mouse" && spanOf(event);
      if (found && !this.why.isPinned) this.#explain(found, false);
    });
    this.output.addEventListener("pointerleave", () => this.why.leave());
    this.output.addEventListener("click", (event) => {
      const found = spanOf(event);
      if (found && !String(getSelection())) this.#explain(found, true);
    });
    this.output.addEventListener("keydown", (event) => this.#step(event));
  }

  #step(event) {
    const at = this.spans.findIndex(({ span }) => span.classList.contains("current"));
    const last = this.spans.length - 1;
    const next = at + 1, previous = at < 0 ? last : at - 1;
    const places = { ArrowRight: next, ArrowDown: next, ArrowLeft: previous, ArrowUp: previous, Home: 0, End: last };
    if (!(event.key in places) || last < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const found = this.spans[Math.max(0, Math.min(places[event.key], last))];
    found.span.scrollIntoView({ block: "nearest" });
    this.#explain(found, true);
  }

  async #explain({ span, index }, pinned) {
    this.#unpin();
    span.classList.add("current");
    this.current = index;
    this.why.show(this, index, span, pinned);
    if (!pinned) return;
    if (!this.running) this.panel.offer(index);
    const said = await this.explanation(index).catch(() => null);
    if (said && this.current === index) this.onStatus(this.why.sentence(this, said));
  }

  #unpin() {
    for (const { span } of this.spans) span.classList.remove("current");
    this.current = null;
    this.panel?.close();
  }

  // The card was closed.
  forget() {
    for (const { span } of this.spans) span.classList.remove("current");
    this.current = null;
  }
}

// From 0, for what was certain, to 1 for one in 4,096 and less.
function surprise(probability) {
  return Math.min(1, -Math.log2(probability) / 12);
}

function isSame(one, other) {
  return one.index === other.index && one.text === other.text && one.classes === other.classes;
}
