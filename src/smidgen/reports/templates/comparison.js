// Sorts the leaderboard by a column. Measured and self-reported models are parts of the table that never mix.
(() => {
  const board = document.querySelector(".board");
  if (!board) return;

  const value = (row, column) => {
    const stored = row.cells[column].dataset.value;
    return stored ? Number(stored) : null;
  };

  const sort = (header) => {
    const direction = header.getAttribute("aria-sort") === "descending" ? "ascending" : "descending";
    for (const other of board.querySelectorAll("[aria-sort]")) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", direction);
    const sign = direction === "ascending" ? 1 : -1;
    for (const body of board.tBodies) {
      const rows = [...body.rows].filter((row) => row.cells.length > 1);
      const known = rows.filter((row) => value(row, header.cellIndex) !== null);
      known.sort((a, b) => sign * (value(a, header.cellIndex) - value(b, header.cellIndex)));
      body.append(...known, ...rows.filter((row) => value(row, header.cellIndex) === null));
    }
  };

  for (const header of board.querySelectorAll("[data-sort]")) {
    const button = document.createElement("button");
    button.append(...header.childNodes);
    button.addEventListener("click", () => sort(header));
    header.append(button);
  }
})();
