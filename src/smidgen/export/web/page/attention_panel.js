// What a token reads: for every head the token it reads most, and all of them shaded in the text.

import { element } from "./elements.js";
import { shownPiece } from "./segments.js";
import { percent } from "./words.js";

const EXPLANATION = "Each head with the token it reads most. The text above is shaded by the mean of all heads, or " +
  "by the head you point at.";

export class AttentionPanel {
  constructor(lane) {
    this.lane = lane;
    this.content = element("div", { class: "attention-content" });
    this.element = element("details", { class: "attention", hidden: true },
      element("summary", { text: "What this token reads" }), this.content);
    this.element.addEventListener("toggle", () => (this.element.open ? this.#open() : this.lane.shade(null)));
  }

  // A token was chosen whose reading can be asked for.
  offer(index) {
    this.index = index;
    this.element.hidden = false;
    if (this.element.open) this.#open();
  }

  close() {
    this.element.hidden = true;
    this.lane.shade(null);
  }

  async #open() {
    const { index, lane } = this;
    const ids = lane.ids.slice(0, index + 1);
    try {
      const { first, weights } = await lane.engine.attention(ids);
      if (this.index === index && !this.element.hidden) this.#show(ids, first, weights);
    } catch (error) {
      this.content.replaceChildren(element("p", { text: `It failed: ${error.message}.` }));
    }
  }

  #show(ids, first, weights) {
    const heads = weights.flat();
    const mean = heads[0].map((_, n) => heads.reduce((sum, head) => sum + head[n], 0) / heads.length);
    const placed = (head) => {
      const all = [];
      head.forEach((weight, n) => (all[first + n] = weight));
      return all;
    };
    const shade = (head) => this.lane.shade(placed(head));
    const cell = (head, label) => {
      const most = head.indexOf(Math.max(...head));
      const [look, away] = [() => shade(head), () => shade(mean)];
      const heard = { onpointerenter: look, onfocus: look, onpointerleave: away, onblur: away };
      const piece = shownPiece(this.lane.vocabulary, ids[first + most]);
      return element("button", { type: "button", class: "head", "aria-label": `${label}: ${piece}`, ...heard },
        element("span", { class: "piece", text: piece }),
        element("span", { class: "hint", text: percent(head[most]) }));
    };
    const rows = weights.map((layer, l) => element("tr", {},
      element("th", { scope: "row", text: `Layer ${l + 1}` }),
      ...layer.map((head, h) => element("td", {}, cell(head, `Layer ${l + 1}, head ${h + 1}`)))));
    const top = element("tr", {}, element("td"),
      ...weights[0].map((_, h) => element("th", { scope: "col", text: `Head ${h + 1}` })));
    const table = element("table", {}, element("thead", {}, top), element("tbody", {}, ...rows));
    this.content.replaceChildren(
      element("p", { class: "hint", text: EXPLANATION }),
      element("div", { class: "scroll" }, table));
    shade(mean);
  }
}
