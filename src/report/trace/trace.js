"use strict";
(() => {
  const by = (id) => document.getElementById(id);
  const lanes = JSON.parse(by("traces").textContent).lanes;
  const [canvas, box, status, search, select] = ["canvas", "frame", "status", "search", "lane"].map(by);
  const pen = canvas.getContext("2d");
  if (!pen || lanes.length === 0) return;
  by("chart").hidden = false;

  const COLOURS = ["execute", "compile", "unmarshal", "read", "find", "dlopen", "rest"];
  const ROW = 18;
  const NAMES = 200;
  for (const name of COLOURS) {
    const [entry, mark] = [document.createElement("span"), document.createElement("i")];
    mark.style.background = `var(--${name})`;
    entry.append(mark, name);
    by("legend").append(entry);
  }
  lanes.forEach((lane, index) => select.append(new Option(lane.name, index)));

  // Each frame with what is around it, in it, and its own stretches of time.
  for (const lane of lanes) {
    const open = [];
    lane.frames = lane.frames.map(([depth, kind, name, begin, end]) => {
      const frame = { depth, kind, name, begin, end, parts: [], around: null, own: end - begin };
      open.length = depth;
      frame.around = open[depth - 1] || null;
      open[depth] = frame;
      if (frame.around) {
        frame.around.parts.push(frame);
        frame.around.own -= frame.own;
      }
      return frame;
    });
    // A row of the waterfall for each module, and what its own time went into.
    const rows = new Map();
    for (const frame of lane.frames) {
      const key = frame.kind === "tracer" ? "tracer" : frame.name;
      const row = rows.get(key) || { name: key, begin: frame.begin, end: frame.end, stretches: [] };
      rows.set(key, row);
      row.end = Math.max(row.end, frame.end);
      let from = frame.begin;
      for (const part of frame.parts) {
        if (part.begin > from) row.stretches.push({ begin: from, end: part.begin, frame });
        from = Math.max(from, part.end);
      }
      if (frame.end > from) row.stretches.push({ begin: from, end: frame.end, frame });
    }
    lane.rows = [...rows.values()];
    lane.deepest = lane.frames.reduce((most, frame) => Math.max(most, frame.depth), 0);
  }

  let lane = lanes[0];
  let view = "flame";
  let [from, to] = [lane.begin, lane.end];
  let current = null;
  let shown = [];
  let words = "";

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const inkOf = (kind) => (COLOURS.includes(kind) ? kind : "rest");
  const label = (frame) =>
    ({ import: frame.name, program: frame.name, other: frame.name, tracer: "tracer" })[frame.kind] ||
    `${frame.kind} ${frame.name}`;
  const isFound = (name) => words !== "" && name.toLowerCase().includes(words);
  const time = (micros) => `${(micros / 1000).toFixed(micros < 9995 ? 2 : 1)} ms`;

  function told(frame) {
    const share = ((100 * (frame.end - frame.begin)) / (lane.end - lane.begin)).toFixed(1);
    const file = lane.files[frame.name];
    return (
      `${label(frame)}: ${time(frame.end - frame.begin)} (${share} %), its own ${time(Math.max(frame.own, 0))}, ` +
      `from ${time(frame.begin)} on` + (file ? `. ${file}` : "")
    );
  }

  function say() {
    if (current) {
      status.textContent = told(current);
    } else if (words !== "") {
      const own = { modules: new Set(), time: 0 };
      for (const frame of lane.frames) {
        if (isFound(frame.name)) {
          own.modules.add(frame.name);
          own.time += Math.max(frame.own, 0);
        }
      }
      status.textContent = `${own.modules.size} found, ${time(own.time)} of their own.`;
    } else {
      status.textContent = "\u00a0";
    }
  }

  function draw() {
    const wide = box.clientWidth;
    const left = view === "flame" ? 0 : NAMES;
    const rows = words === "" ? lane.rows : lane.rows.filter((row) => isFound(row.name));
    const lines = view === "flame" ? lane.deepest + 1 : Math.max(rows.length, 1);
    const high = lines * ROW + 2;
    const dots = window.devicePixelRatio || 1;
    canvas.width = Math.round(wide * dots);
    canvas.height = Math.round(high * dots);
    canvas.style.height = `${high}px`;
    pen.setTransform(dots, 0, 0, dots, 0, 0);
    pen.clearRect(0, 0, wide, high);
    pen.font = "11px 'DejaVu Sans', Verdana, sans-serif";
    pen.textBaseline = "middle";
    const scale = (wide - left) / Math.max(to - from, 1e-9);
    const place = (at) => left + (Math.min(Math.max(at, from), to) - from) * scale;
    const inks = Object.fromEntries(COLOURS.map((name) => [name, colour(name)]));
    const [text, paper, plain, mark] = ["text", "background", "frame", "link"].map(colour);
    shown = [];
    const bar = (begin, end, row, fill, least) => {
      const [x, width] = [place(begin), place(end) - place(begin)];
      if (end < from || begin > to || width < least) return null;
      pen.fillStyle = fill;
      pen.fillRect(x, row * ROW + 1, Math.max(width - (width > 3 ? 0.5 : 0), 0.5), ROW - 2);
      return [x, width];
    };
    if (view === "flame") {
      for (const frame of lane.frames) {
        const isPlain = frame.kind === "import" || frame.kind === "program" || frame.kind === "other";
        pen.globalAlpha = words === "" || isFound(frame.name) ? 1 : 0.25;
        const drawn = bar(frame.begin, frame.end, frame.depth, isPlain ? plain : inks[inkOf(frame.kind)], 0.3);
        if (!drawn) continue;
        shown.push({ frame, x: drawn[0], width: Math.max(drawn[1], 1), row: frame.depth });
        if (drawn[1] > 30) {
          pen.save();
          pen.beginPath();
          pen.rect(drawn[0] + 3, frame.depth * ROW, drawn[1] - 6, ROW);
          pen.clip();
          pen.fillStyle = isPlain ? text : paper;
          pen.fillText(label(frame), drawn[0] + 4, frame.depth * ROW + ROW / 2);
          pen.restore();
        }
      }
      pen.globalAlpha = 1;
    } else {
      rows.forEach((row, index) => {
        pen.fillStyle = text;
        pen.save();
        pen.beginPath();
        pen.rect(0, index * ROW, NAMES - 6, ROW);
        pen.clip();
        pen.fillText(row.name, 4, index * ROW + ROW / 2);
        pen.restore();
        bar(row.begin, row.end, index, plain, 0);
        for (const stretch of row.stretches) {
          const drawn = bar(stretch.begin, stretch.end, index, inks[inkOf(stretch.frame.kind)], 0.05);
          if (drawn) shown.push({ frame: stretch.frame, x: drawn[0], width: Math.max(drawn[1], 1), row: index });
        }
      });
    }
    for (const each of shown) {
      if (each.frame === current) {
        pen.strokeStyle = mark;
        pen.lineWidth = 2;
        pen.strokeRect(each.x + 1, each.row * ROW + 1, Math.max(each.width - 2, 1), ROW - 2);
      }
    }
    say();
  }

  function under(event) {
    const edge = canvas.getBoundingClientRect();
    const [x, row] = [event.clientX - edge.left, Math.floor((event.clientY - edge.top) / ROW)];
    const near = (each) => Math.max(each.x - x, x - each.x - each.width, 0);
    let best = null;
    for (const each of shown) {
      if (each.row === row && near(each) <= 2 && (!best || near(each) <= near(best))) best = each;
    }
    return best && best.frame;
  }

  function choose(frame) {
    current = frame;
    if (frame && (frame.end < from || frame.begin > to)) [from, to] = [lane.begin, lane.end];
    draw();
    const seen = shown.find((each) => each.frame === frame);
    if (seen) {
      const top = seen.row * ROW;
      if (top < box.scrollTop) box.scrollTop = top;
      if (top + ROW > box.scrollTop + box.clientHeight) box.scrollTop = top + ROW - box.clientHeight;
    }
  }

  function zoom(frame) {
    if (!frame) return;
    current = frame;
    [from, to] = frame.end > frame.begin ? [frame.begin, frame.end] : [from, to];
    draw();
  }

  function zoomOut() {
    let around = current && current.around;
    while (around && around.end - around.begin <= to - from) around = around.around;
    [from, to] = around ? [around.begin, around.end] : [lane.begin, lane.end];
    if (around) current = around;
    draw();
  }

  function beside(step) {
    const all = current.around ? current.around.parts : lane.frames.filter((frame) => frame.depth === 0);
    return all[all.indexOf(current) + step] || current;
  }

  function next() {
    const found = lane.frames.filter((frame) => isFound(frame.name) && frame.kind === "import");
    const later = found.find((frame) => current && frame.begin > current.begin);
    if (found.length > 0) choose(later || found[0]);
  }

  box.addEventListener("pointermove", (event) => {
    const frame = under(event);
    canvas.title = frame ? told(frame) : "";
    status.textContent = frame ? told(frame) : status.textContent;
  });
  box.addEventListener("pointerleave", say);
  canvas.addEventListener("click", (event) => zoom(under(event)));
  box.addEventListener("keydown", (event) => {
    const first = () => lane.frames.find((frame) => frame.kind === "program") || lane.frames[0];
    const keys = {
      ArrowUp: () => choose(current ? current.around || current : first()),
      ArrowDown: () => choose(current ? current.parts[0] || current : first()),
      ArrowLeft: () => choose(current ? beside(-1) : first()),
      ArrowRight: () => choose(current ? beside(1) : first()),
      Enter: () => zoom(current),
      Escape: zoomOut,
      n: next,
      "/": () => search.focus(),
    };
    if (keys[event.key] && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      keys[event.key]();
    }
  });
  search.addEventListener("input", () => {
    words = search.value.trim().toLowerCase();
    current = null;
    draw();
  });
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      box.focus();
      next();
    }
  });
  select.addEventListener("change", () => {
    lane = lanes[Number(select.value)];
    [from, to] = [lane.begin, lane.end];
    current = null;
    draw();
  });
  for (const radio of document.querySelectorAll("input[name=view]")) {
    radio.addEventListener("change", () => {
      view = radio.value;
      draw();
    });
  }
  by("whole").addEventListener("click", () => {
    [from, to] = [lane.begin, lane.end];
    current = null;
    draw();
  });
  new ResizeObserver(draw).observe(box);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  draw();
})();
