"use strict";
(() => {
  // ---- Tables sort: downwards, upwards, and as they were.
  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0];
    const before = [...body.rows];
    const headings = [...table.tHead.rows[0].cells];
    headings.forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
      heading.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        const next = { none: "ascending", ascending: "descending", descending: "none" }[heading.getAttribute("aria-sort")];
        for (const other of headings) other.setAttribute("aria-sort", "none");
        heading.setAttribute("aria-sort", next);
        body.append(...(next === "none" ? before : sorted(before, column, next === "ascending" ? 1 : -1)));
      });
    });
  }

  function sorted(rows, column, sign) {
    const keyed = rows.map((row) => {
      const cell = row.cells[column];
      const text = cell.dataset.v ?? cell.textContent.trim();
      const number = text === "" ? NaN : Number(text.replaceAll(",", "").replace("\u2212", "-"));
      return { row, text, number };
    });
    const isText = keyed.every((each) => Number.isNaN(each.number));
    // What has no number stands last, either way.
    const last = (each) => (isText ? each.text === "" : Number.isNaN(each.number));
    keyed.sort((a, b) => {
      if (last(a) || last(b)) return last(a) - last(b);
      return sign * (isText ? a.text.localeCompare(b.text, "en") : a.number - b.number);
    });
    return keyed.map((each) => each.row);
  }
})();
