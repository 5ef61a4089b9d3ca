"use strict";
(() => {
  // ---- Rows are those that hold every word that is asked for.
  const field = document.getElementById("filter");
  const rows = [...document.querySelectorAll("tbody tr")];
  const shown = document.getElementById("shown");

  function filter() {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      if (!row.hidden) count += 1;
    }
    shown.textContent = `${count} of ${rows.length} runs`;
  }

  field.addEventListener("input", filter);
  field.parentElement.hidden = false;
  // A browser may have kept what was typed before the page was loaded anew.
  filter();
})();
