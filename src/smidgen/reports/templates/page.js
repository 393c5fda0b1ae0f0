// Reads values off the charts: under the pointer, or with the arrow keys once a chart has the focus.
// Everything shown here also stands in a table on the page.
(() => {
  const tip = document.getElementById("tip");
  let current = null;

  const hide = () => {
    if (current) current.classList.remove("on");
    current = null;
    tip.hidden = true;
  };

  const show = (mark, x, y) => {
    if (current && current !== mark) current.classList.remove("on");
    current = mark;
    mark.classList.add("on");
    tip.textContent = mark.dataset.tip;
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    const left = x + 16 + box.width > innerWidth ? x - 16 - box.width : x + 16;
    const top = y + 16 + box.height > innerHeight ? y - 16 - box.height : y + 16;
    tip.style.left = `${Math.max(8, Math.min(left, innerWidth - box.width - 8))}px`;
    tip.style.top = `${Math.max(8, top)}px`;
  };

  const step = (chart, key) => {
    const marks = [...chart.querySelectorAll("[data-tip]")];
    if (!marks.length) return;
    const at = marks.indexOf(current);
    const places = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: marks.length - 1 };
    const mark = marks[Math.max(0, Math.min(places[key], marks.length - 1))];
    const box = mark.getBoundingClientRect();
    show(mark, box.left + box.width / 2, box.top + Math.min(box.height / 2, innerHeight / 2));
  };

  document.addEventListener("pointermove", (event) => {
    const mark = event.target.closest("[data-tip]");
    if (mark) show(mark, event.clientX, event.clientY);
    else if (event.pointerType === "mouse") hide();
  });
  document.addEventListener("pointerdown", (event) => {
    const mark = event.target.closest("[data-tip]");
    if (mark) show(mark, event.clientX, event.clientY);
    else hide();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return hide();
    const chart = event.target.closest("svg.chart");
    if (chart && /^(Arrow|Home|End)/.test(event.key)) {
      event.preventDefault();
      step(chart, event.key);
    }
  });
  document.addEventListener("focusout", hide);
  document.addEventListener("scroll", hide, { passive: true });
})();
