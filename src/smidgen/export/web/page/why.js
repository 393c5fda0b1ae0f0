// The card beside a token: how likely the model held it, what temperature and filters made of that, and the ten
// likeliest tokens there.

import { byId, element } from "./elements.js";
import { shownPiece } from "./segments.js";
import { FILTER_NAMES, count, counted, ordinal, percent } from "./words.js";

const NARROW = matchMedia("(max-width: 40rem)");

export class WhyCard {
  constructor() {
    this.element = byId("why");
    this.isPinned = false;
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
    document.addEventListener("pointerdown", ({ target }) => {
      if (!target.closest("#why, .token, .attention")) this.close();
    });
    document.addEventListener("scroll", () => this.shown && this.#place(this.span), { passive: true });
    NARROW.addEventListener("change", () => this.close());
  }

  async show(lane, index, span, pinned) {
    this.lane = lane;
    this.span = span;
    this.isPinned = pinned;
    const shown = (this.shown = {});
    const said = await lane.explanation(index).catch((error) => error);
    if (this.shown !== shown) return; // the pointer has moved on
    this.element.replaceChildren(...this.#content(lane, index, said));
    this.element.hidden = false;
    this.#place(span);
  }

  // The pointer has left the text.
  leave() {
    if (!this.isPinned) this.close();
  }

  close() {
    this.shown = null;
    this.isPinned = false;
    this.element.hidden = true;
    this.lane?.forget();
  }

  sentence(lane, said) {
    const piece = shownPiece(lane.vocabulary, said.id).trim();
    return `${piece || "blank"}: ${percent(said.probability)}, the ${ordinal(said.rank)} likeliest.`;
  }

  #content(lane, index, said) {
    const id = lane.ids[index];
    const head = element("p", { class: "why-head" },
      element("span", { class: "piece", text: shownPiece(lane.vocabulary, id) }),
      element("span", { class: "hint", text: `token ${count(id)}` }));
    if (said?.top) {
      return [head, element("p", { text: reasons(said, lane.vocabulary.size) }), this.#table(lane, said)];
    }
    const known = index ? "It is out of the model's sight." : "The text begins here, so nothing led to it.";
    return [head, element("p", { text: said ? `It failed: ${said.message}.` : known })];
  }

  #table(lane, said) {
    const isDrawn = said.drawn !== undefined;
    const most = Math.max(...said.top.flatMap(({ probability, drawn = 0 }) => [probability, drawn]));
    const rows = said.top.map((entry) => {
      const piece = element("span", { class: "piece", text: shownPiece(lane.vocabulary, entry.id) });
      const bars = [bar("model", entry.probability / most), ...(isDrawn ? [bar("drawn", entry.drawn / most)] : [])];
      const numbers = [percent(entry.probability), ...(isDrawn ? [fate(entry)] : [])];
      return element("tr", { class: entry.id === said.id && "chosen" },
        element("th", { scope: "row" }, piece),
        element("td", {}, ...bars),
        ...numbers.map((text) => element("td", { class: "number", text })));
    });
    const heads = ["Model", ...(isDrawn ? ["Draw"] : [])];
    const top = element("tr", {},
      element("th", { scope: "col", text: "Token" }),
      element("td"),
      ...heads.map((text) => element("th", { scope: "col", class: "number", text })));
    return element("table", {}, element("thead", {}, top), element("tbody", {}, ...rows));
  }

  #place(span) {
    const { style } = this.element;
    if (NARROW.matches) {
      style.removeProperty("left");
      style.removeProperty("top");
      return;
    }
    const at = span.getBoundingClientRect(), box = this.element.getBoundingClientRect();
    const below = at.bottom + 8 + box.height <= innerHeight;
    style.left = `${Math.max(8, Math.min(at.left, innerWidth - box.width - 16))}px`;
    style.top = `${below ? at.bottom + 8 : Math.max(8, at.top - 8 - box.height)}px`;
  }
}

function bar(kind, share) {
  const made = element("span", { class: `bar ${kind}` });
  made.style.setProperty("--share", `${100 * share}%`);
  return made;
}

function fate({ drawn, removed }) {
  return removed ? FILTER_NAMES[removed] : percent(drawn);
}

function reasons(said, size) {
  const rank = said.rank === 1 ? "its first choice" : `its ${ordinal(said.rank)} choice`;
  const first = `The model gave it ${percent(said.probability)}: ${rank} of ${count(size)}.`;
  if (said.drawn === undefined) return `${first} It is part of the prompt.`;
  if (said.isGreedy) return `${first} At temperature 0 the likeliest is always taken.`;
  const parts = [first];
  if (Math.abs(said.scaled - said.probability) > 0.0005) {
    parts.push(`Temperature and penalties made that ${percent(said.scaled)}.`);
  }
  for (const { name, count: removed, share } of said.filters) {
    parts.push(`${capitalised(FILTER_NAMES[name])} removed ${counted(removed, "token")} (${percent(share)}).`);
  }
  parts.push(`In the draw it had ${percent(said.drawn)}.`);
  return parts.join(" ");
}

function capitalised(text) {
  return text[0].toUpperCase() + text.slice(1);
}
