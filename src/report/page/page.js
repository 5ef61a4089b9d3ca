"use strict";
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const by = (id) => document.getElementById(id);
  const { baseline, series } = JSON.parse(by("data").textContent);
  const numbers = (text) => (text || "").split(" ").filter(Boolean).map(Number);
  for (const part of all(".with-script")) part.hidden = false;

  // Numbers as everywhere on the page: about three digits.
  const time = (ms) => {
    const digits = Math.abs(ms) >= 99.95 ? 0 : Math.abs(ms) >= 9.995 ? 1 : 2;
    const shown = Math.abs(ms).toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
    return (ms < 0 ? "\u2212" : "") + shown;
  };
  const signed = (ms) => (ms > 0 ? "+" : "") + time(ms);

  // ---- Scenarios can be left out. In a chart, the rows below move up.
  const boxes = all("#switches input");
  const charts = all("figure svg.chart").map((svg) => ({
    svg,
    figure: svg.closest("figure"),
    height: svg.viewBox.baseVal.height,
    rows: all("g.row", svg),
    foot: svg.querySelector("g.foot"),
  }));

  function show() {
    const off = new Set(boxes.filter((box) => !box.checked).map((box) => Number(box.value)));
    const isOff = (part) => numbers(part.dataset.of).some((place) => off.has(place));
    for (const part of all("[data-of]")) {
      if (part instanceof SVGElement) part.style.display = isOff(part) ? "none" : "";
      else part.hidden = isOff(part);
    }
    for (const chart of charts) {
      let gone = 0;
      for (const row of chart.rows) {
        row.setAttribute("transform", `translate(0 ${-gone})`);
        if (isOff(row)) gone += Number(row.dataset.height);
      }
      if (chart.foot) chart.foot.setAttribute("transform", `translate(0 ${-gone})`);
      const { width } = chart.svg.viewBox.baseVal;
      chart.svg.setAttribute("viewBox", `0 0 ${width} ${chart.height - gone}`);
      chart.svg.setAttribute("height", chart.height - gone);
    }
    by("shown").textContent =
      off.size === 0 ? "All scenarios are shown." : `${boxes.length - off.size} of ${boxes.length} scenarios are shown.`;
    leave();
  }

  for (const box of boxes) box.addEventListener("change", show);
  by("all")?.addEventListener("click", () => {
    for (const box of boxes) box.checked = true;
    show();
  });

  // ---- A dot says what it stands for, and where the others of its block are.
  const tip = by("tip");
  let pointed = null;

  function marks(chart) {
    if (chart.marks) return chart.marks;
    const places = numbers(chart.figure.dataset.series);
    chart.marks = all("g[data-row]", chart.svg).flatMap((group) => {
      const of = series[places[Number(group.dataset.row)]];
      const path = group.querySelector("path.dots");
      if (!of || !path) return [];
      const found = [...path.getAttribute("d").matchAll(/M(-?\d+) (-?\d+)h0/g)];
      return [{ group, of, dots: found.map((match) => [Number(match[1]), Number(match[2])]) }];
    });
    return chart.marks;
  }

  const shift = (group) => group.transform.baseVal.consolidate()?.matrix.f || 0;
  const isShown = (row) => row.group.style.display !== "none";

  function told(of, index) {
    const where = `${of.label}, block ${of.block[index]}: `;
    if (of.saved) {
      const saved = of.saved[index];
      return `${where}${saved < 0 ? "costs" : "saves"} ${time(Math.abs(saved))} ms (${of.metric})`;
    }
    let text = `${where}${of.metric} ${time(of.ms[index])} ms, CPU ${time(of.cpu[index])} ms`;
    const other = series.find((each) => each.ms && each.label === baseline && each.metric === of.metric);
    const same = other && other !== of ? other.block.indexOf(of.block[index]) : -1;
    if (same >= 0) text += `; ${signed(of.ms[index] - other.ms[same])} ms against ${baseline} in this block`;
    return `${text}; ${of.at[index].toFixed(1)} s into the run`;
  }

  function ring(parent, [x, y], radius, width) {
    const circle = document.createElementNS("http://www.w3.org/2000/svg", "circle");
    for (const [name, value] of Object.entries({ cx: x, cy: y, r: radius, "stroke-width": width })) {
      circle.setAttribute(name, value);
    }
    parent.append(circle);
    return circle;
  }

  function point(chart, row, index) {
    leave();
    const layer = document.createElementNS("http://www.w3.org/2000/svg", "g");
    layer.setAttribute("class", "pointed");
    chart.svg.append(layer);
    const at = (each, place) => [each.dots[place][0], each.dots[place][1] + shift(each.group)];
    for (const other of marks(chart)) {
      const same = other === row ? -1 : other.of.block.indexOf(row.of.block[index]);
      if (same >= 0 && other.dots[same] && isShown(other)) ring(layer, at(other, same), 10, 3);
    }
    const mark = ring(layer, at(row, index), 14, 5);
    pointed = { chart, row, index, layer };
    tip.textContent = told(row.of, index);
    tip.classList.add("seen");
    const box = mark.getBoundingClientRect();
    const [wide, high] = [tip.offsetWidth, tip.offsetHeight];
    const left = Math.min(Math.max(box.left + box.width / 2 - wide / 2, 8), innerWidth - wide - 8);
    const above = box.top - high - 8;
    tip.style.left = `${Math.max(left, 0)}px`;
    tip.style.top = `${above >= 0 ? above : box.bottom + 8}px`;
  }

  function leave() {
    pointed?.layer.remove();
    pointed = null;
    tip.classList.remove("seen");
    tip.textContent = "";
  }

  function nearest(chart, event) {
    const matrix = chart.svg.getScreenCTM();
    if (!matrix) return null;
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
    // A finger's width, whatever the chart's size is.
    let least = 12 / matrix.a;
    let best = null;
    for (const row of marks(chart).filter(isShown)) {
      const down = y - shift(row.group);
      row.dots.forEach(([dotX, dotY], index) => {
        const away = Math.hypot(dotX - x, dotY - down);
        if (away < least) [least, best] = [away, [row, index]];
      });
    }
    return best;
  }

  function step(chart, key) {
    const rows = marks(chart).filter((row) => isShown(row) && row.dots.length > 0);
    if (rows.length === 0) return;
    const here = pointed?.chart === chart ? pointed : { row: rows[0], index: -1 };
    const place = rows.indexOf(here.row);
    const last = here.row.dots.length - 1;
    // Up and down stay in the block where that can be.
    const over = (row) => {
      if (!row) return [here.row, Math.max(here.index, 0)];
      const same = row.of.block.indexOf(here.row.of.block[here.index]);
      return [row, same >= 0 && same < row.dots.length ? same : 0];
    };
    const [row, index] = {
      ArrowRight: () => [here.row, Math.min(here.index + 1, last)],
      ArrowLeft: () => [here.row, Math.max(here.index - 1, 0)],
      Home: () => [here.row, 0],
      End: () => [here.row, last],
      ArrowDown: () => over(rows[place + 1]),
      ArrowUp: () => over(rows[place - 1]),
    }[key]();
    point(chart, row, index);
  }

  for (const chart of charts) {
    // The browser's own hint would lie over ours.
    const title = chart.svg.querySelector("title");
    if (title) {
      chart.svg.setAttribute("aria-label", title.textContent);
      chart.svg.removeAttribute("aria-labelledby");
      title.remove();
    }
    if (numbers(chart.figure.dataset.series).length === 0) continue;
    const box = chart.svg.parentElement;
    box.setAttribute("role", "application");
    box.setAttribute("aria-roledescription", "chart");
    box.setAttribute("aria-label", chart.svg.getAttribute("aria-label") || "");
    box.setAttribute("aria-describedby", "keys");
    chart.svg.addEventListener("pointermove", (event) => {
      const found = nearest(chart, event);
      if (!found) leave();
      else if (pointed?.row !== found[0] || pointed?.index !== found[1]) point(chart, ...found);
    });
    chart.svg.addEventListener("pointerleave", leave);
    box.addEventListener("focus", () => {
      if (box.matches(":focus-visible")) step(chart, "Home");
    });
    box.addEventListener("blur", leave);
    box.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "Escape") leave();
      if (!/^(Arrow|Home$|End$)/.test(event.key)) return;
      event.preventDefault();
      step(chart, event.key);
    });
  }
  addEventListener("scroll", () => pointed && !pointed.chart.svg.parentElement.matches(":focus") && leave(), {
    passive: true,
  });
})();
