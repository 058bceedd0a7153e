"use strict";
(() => {
  const report = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  /** An element with attributes and children; text children are never parsed as HTML. */
  const el = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return node;
  };

  const bytes = (n) => {
    if (n < 1024) return `${n} B`;
    const units = ["K", "M", "G", "T"];
    let unit = -1;
    do { n /= 1024; unit++; } while (n >= 1024 && unit < 3);
    return `${n.toFixed(1)} ${units[unit]}`;
  };
  const count = (n) => (n < 1e3 ? `${n}` : n < 1e6 ? `${(n / 1e3).toFixed(1)} k` : `${(n / 1e6).toFixed(1)} M`);
  const percent = (p, digits = 2) => `${(100 * p).toFixed(digits)} %`;
  const latency = (us) => (us < 1000 ? `${us.toFixed(1)} µs` : `${(us / 1000).toFixed(2)} ms`);
  const change = (a, b) => (a === b ? "same" : a ? `${b > a ? "+" : ""}${(100 * (b - a) / a).toFixed(1)} %` : "–");

  const table = (header, rows, classes = []) =>
    el("div", { class: "scroll" }, el("table", {},
      el("thead", {}, el("tr", {}, header.map((h, i) => el("th", { class: classes[i] || "" }, h)))),
      el("tbody", {}, rows.map((row) => el("tr", { class: row.class || "" },
        row.cells.map((cell, i) => el("td", { class: classes[i] || "" }, cell)))))));

  const download = (name, rows) => {
    const button = el("button", {}, "Download CSV");
    button.onclick = () => {
      const cell = (v) => `"${String(v ?? "").replaceAll('"', '""')}"`;
      const text = rows.map((row) => row.map(cell).join(",")).join("\n") + "\n";
      const link = el("a", { download: name, href: URL.createObjectURL(new Blob([text], { type: "text/csv" })) });
      link.click();
      URL.revokeObjectURL(link.href);
    };
    return button;
  };

  const { before, after } = report;

  const drawHeader = () => {
    document.title = report.title;
    byId("title").append(report.title);
    byId("subtitle").append([report.data && `accuracy on ${report.data}`, report.machine.cpu,
      `seed ${report.seed}`, `adze ${report.adze}`].filter(Boolean).join(" · "));
    if (report.refusal) byId("headline").before(el("p", { class: "refusal" }, report.refusal));
    if (!after) return;
    const tile = (value, label, state) => el("div", { class: `tile ${state}` }, el("b", {}, value), el("span", {}, label));
    const tiles = [];
    if (before.file_bytes > 0) {
      tiles.push(tile(`${(before.file_bytes / after.file_bytes).toFixed(2)}×`, "smaller file",
        after.file_bytes < before.file_bytes ? "good" : "bad"));
    }
    if (report.pruning.length > 0 && before.macs !== after.macs) tiles.push(tile(`${(before.macs / Math.max(1, after.macs)).toFixed(2)}×`, "fewer MACs", "good"));
    if (before.sparse_bytes > 0 && after.sparse_bytes > 0) {
      tiles.push(tile(`${(before.weight_bytes / after.sparse_bytes).toFixed(2)}×`, "smaller weights, zeros as bits or runs",
        after.sparse_bytes < before.weight_bytes ? "good" : "bad"));
    }
    if (before.latency && after.latency) {
      const ratio = before.latency.p50_us / after.latency.p50_us;
      tiles.push(tile(`${ratio.toFixed(2)}×`, `faster (p50, ${after.latency.isa}, ${after.latency.threads} thread)`,
        ratio >= 1 ? "good" : "bad"));
    }
    tiles.push(tile(`${(before.arena_bytes / after.arena_bytes).toFixed(2)}×`, "smaller arena",
      after.arena_bytes <= before.arena_bytes ? "good" : "bad"));
    if (before.accuracy && after.accuracy) {
      const points = 100 * (after.accuracy.value - before.accuracy.value);
      tiles.push(tile(`${points > 0 ? "+" : ""}${points.toFixed(2)}`, `points of ${after.accuracy.metric} (now ${percent(after.accuracy.value)})`,
        points >= -1 ? "good" : "bad"));
    }
    byId("headline").append(...tiles);
  };

  const drawSummary = () => {
    if (!after) { byId("summary").hidden = true; return; }
    const rows = [];
    const add = (label, a, b, text) => rows.push({ cells: [label, text(a), text(b), change(a, b)] });
    if (before.file_bytes > 0) add("File", before.file_bytes, after.file_bytes, bytes);
    add("Weights", before.weight_bytes, after.weight_bytes, bytes);
    if (before.sparse_bytes > 0 && after.sparse_bytes > 0) add("Weights, zeros as bits or runs", before.sparse_bytes, after.sparse_bytes, bytes);
    add("Parameters", before.parameters, after.parameters, count);
    add("MACs", before.macs, after.macs, count);
    add("Peak activations", before.peak_activation_bytes, after.peak_activation_bytes, bytes);
    add("Arena", before.arena_bytes, after.arena_bytes, bytes);
    if (before.accuracy && after.accuracy) {
      const text = (a) => `${percent(a.value)} (${percent(a.low)} – ${percent(a.high)})`;
      const points = 100 * (after.accuracy.value - before.accuracy.value);
      rows.push({ cells: [`${before.accuracy.metric}, ${before.accuracy.samples} samples (95 % interval)`,
        text(before.accuracy), text(after.accuracy), `${points > 0 ? "+" : ""}${points.toFixed(2)} points`] });
    }
    if (before.latency && after.latency) {
      for (const [key, label] of [["p50_us", "p50"], ["p90_us", "p90"], ["p99_us", "p99"], ["min_us", "min"]]) {
        add(`Latency ${label}, batch 1, ${after.latency.threads} thread`, before.latency[key], after.latency[key], latency);
      }
    }
    byId("summary").append(table(["", before.name, after.name, "change"], rows));
  };

  /** Accuracy against size: each trial with its interval, the original, the limit. */
  const drawPareto = (host) => {
    const all = report.trials.filter((t) => t.figures.accuracy);
    all.sort((a, b) => a.figures.file_bytes - b.figures.file_bytes);
    const xs = all.map((t) => t.figures.file_bytes / 1024);
    const pick = (test) => all.map((t) => (test(t) ? 100 * t.figures.accuracy.value : null));
    const series = [
      ["original", css("--before"), pick((t) => t.name === "original")],
      ["within limits", css("--try"), pick((t) => t.within_limits && !t.chosen && t.name !== "original")],
      ["refused", css("--warn"), pick((t) => !t.within_limits && !t.chosen)],
      ["chosen", css("--after"), pick((t) => t.chosen)],
    ];
    const ink = css("--muted"), line = css("--line");
    const axis = (label) => ({ label, stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line } });
    const drawIntervals = (plot) => {
      const { ctx } = plot;
      ctx.save();
      ctx.lineWidth = 1.5 * devicePixelRatio;
      all.forEach((trial) => {
        const found = series.find(([, , ys]) => ys[all.indexOf(trial)] !== null);
        ctx.strokeStyle = found ? found[1] : ink;
        const x = plot.valToPos(trial.figures.file_bytes / 1024, "x", true);
        ctx.beginPath();
        ctx.moveTo(x, plot.valToPos(100 * trial.figures.accuracy.low, "y", true));
        ctx.lineTo(x, plot.valToPos(100 * trial.figures.accuracy.high, "y", true));
        ctx.stroke();
      });
      ctx.restore();
    };
    const low = Math.min(...all.map((t) => 100 * t.figures.accuracy.low));
    const high = Math.max(...all.map((t) => 100 * t.figures.accuracy.high));
    const span = Math.max(1, high - low);
    const holder = el("div", { class: "chart" });
    host.append(holder);
    new uPlot({
      width: holder.clientWidth - 24, height: 320,
      scales: { x: { time: false, range: (u, a, b) => [0, b * 1.08] }, y: { range: () => [low - 0.06 * span, high + 0.06 * span] } },
      axes: [axis("file size, KiB"), axis("accuracy, %")],
      series: [{ label: "KiB", value: (u, v) => (v === null ? "" : v.toFixed(1)) },
        ...series.map(([label, stroke]) => ({ label, stroke, paths: () => null,
          points: { show: true, size: 9, fill: stroke, stroke }, value: (u, v) => (v === null ? "" : `${v.toFixed(2)} %`) }))],
      hooks: { draw: [drawIntervals] },
    }, [xs, ...series.map(([, , ys]) => ys)], holder);
  };

  const drawTrials = () => {
    if (report.trials.length === 0) { byId("trials").hidden = true; return; }
    drawPareto(byId("trials"));
    const header = ["recipe", "file", "accuracy", "drop, points (95 %)", "p-value", "latency p50", "verdict"];
    const rows = report.trials.map((t) => ({
      class: t.chosen ? "chosen" : t.within_limits ? "" : "refused",
      cells: [t.name, bytes(t.figures.file_bytes), t.figures.accuracy ? percent(t.figures.accuracy.value) : "–",
        `${(100 * t.drop).toFixed(2)} (${(100 * t.drop_low).toFixed(2)} … ${(100 * t.drop_high).toFixed(2)})`,
        t.p_value.toPrecision(2), t.figures.latency ? latency(t.figures.latency.p50_us) : "–", t.verdict],
    }));
    byId("trials").append(table(header, rows, ["", "", "", "", "", "", "text"]));
  };

  /** Curves over the epochs: what was learned from and what epochs were judged on. */
  const drawCurves = (host, label, scale, learned, judged) => {
    const epochs = report.epochs;
    const ink = css("--muted"), line = css("--line");
    const axis = (text) => ({ label: text, stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line } });
    const holder = el("div", { class: "chart" });
    host.append(holder);
    const text = (u, v) => (v === null || v === undefined ? "" : v.toFixed(scale === 1 ? 4 : 2));
    new uPlot({
      width: holder.clientWidth - 24, height: 260,
      scales: { x: { time: false } },
      axes: [{ ...axis("epoch"), incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500] }, axis(label)],
      series: [{ label: "epoch" },
        { label: "training", stroke: css("--try"), width: 2, value: text },
        { label: "validation", stroke: css("--after"), width: 2, value: text, points: { show: epochs.length < 60 } }],
    }, [epochs.map((e) => e.epoch), epochs.map((e) => scale * e[learned]), epochs.map((e) => scale * e[judged])], holder);
  };

  const drawTraining = () => {
    const epochs = report.epochs;
    if (epochs.length === 0) { byId("training").hidden = true; return; }
    const host = byId("training");
    drawCurves(host, "loss", 1, "loss", "validation_loss");
    if (epochs.some((e) => e.accuracy > 0)) drawCurves(host, "accuracy, %", 100, "accuracy", "validation_accuracy");
    const header = ["epoch", "loss", "accuracy", "validation loss", "validation accuracy", "learning rate", "samples/s", "s"];
    host.append(table(header, epochs.map((e) => ({ class: e.best ? "chosen" : "",
      cells: [`${e.epoch}${e.best ? " (written)" : ""}`, e.loss.toFixed(4), percent(e.accuracy), e.validation_loss.toFixed(4),
        percent(e.validation_accuracy), e.learning_rate.toPrecision(3), e.samples_per_second.toFixed(0), e.seconds.toFixed(1)] }))),
      download("epochs.csv", [header, ...epochs.map((e) => [e.epoch, e.loss, e.accuracy, e.validation_loss,
        e.validation_accuracy, e.learning_rate, e.samples_per_second, e.seconds])]));
  };

  /** One bar a channel, as high as its score; what went is drawn in the warning colour. */
  const unitBars = (g) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 240 84");
    svg.setAttribute("preserveAspectRatio", "none");
    const low = Math.min(0, ...g.scores), high = Math.max(1e-12, ...g.scores);
    const width = 240 / g.scores.length;
    g.scores.forEach((score, i) => {
      const bar = document.createElementNS(svg.namespaceURI, "rect");
      const height = Math.max(1.5, 76 * (score - low) / (high - low));
      const attributes = { x: i * width, y: 82 - height, width: width * 0.86, height, fill: css(g.went[i] ? "--warn" : "--try") };
      for (const [key, value] of Object.entries(attributes)) bar.setAttribute(key, value);
      const title = document.createElementNS(svg.namespaceURI, "title");
      title.append(`channel ${i}: score ${score.toPrecision(3)}, ${g.went[i] ? `went in round ${g.went[i]}` : "stays"}`);
      bar.append(title);
      svg.append(bar);
    });
    return svg;
  };

  /** Rounds to show where there are more than fit: evenly, the last always. */
  const shownRounds = (count) => {
    const most = 12, every = Math.ceil(count / most);
    return Array.from({ length: count }, (_, i) => i).filter((i) => (count - 1 - i) % every === 0);
  };

  /** What is left of the network and how right it is, a row a round. */
  const drawRounds = (host) => {
    const rounds = report.pruning_rounds || [];
    if (rounds.length < 2 && !rounds.some((r) => r.cut !== null || r.accuracy !== null)) return;
    const share = (v) => (v === null ? "–" : percent(v));
    const judged = [["cut", "accuracy after cutting"], ["accuracy", "accuracy after training"]].filter(([key]) => rounds.some((r) => r[key] !== null));
    const header = ["", "left", "MACs", "parameters", ...judged.map(([, label]) => label)];
    const first = { cells: ["before", "100.0 %", count(before.macs), count(before.parameters),
      ...judged.map((_, i) => (i === 0 && before.accuracy ? percent(before.accuracy.value) : "–"))] };
    host.append(table(header, [first, ...shownRounds(rounds.length).map((i) => rounds[i]).map((r) => ({ cells: [r.name, percent(r.left, 1), count(r.macs), count(r.parameters), ...judged.map(([key]) => share(r[key]))] }))]));
  };

  /** A row a group or layer, a column a round; the fuller the colour the less is left. */
  const drawPruning = () => {
    const groups = report.pruning || [], rounds = report.pruning_rounds || [], host = byId("pruning");
    if (groups.length === 0) { host.hidden = true; return; }
    if (report.pruning_why) host.append(el("p", { class: "muted" }, report.pruning_why));
    host.append(el("div", { class: "pictures" }, (report.pictures || []).map((p) => el("img", { class: "picture", alt: p.title,
      src: `data:image/svg+xml,${encodeURIComponent(p.svg)}` }))));
    drawRounds(host);
    const shown = shownRounds(Math.max(0, ...groups.map((g) => g.left.length)));
    if (shown.length === 0) {
      host.append(table(["part that went, in this order", "squared error of the outputs"], groups.map((g) => ({ cells: [g.name, g.largest_removed.toPrecision(3)] }))));
      return;
    }
    const heat = (share) => el("span", { class: "heat", style: `background:color-mix(in srgb, var(--after) ${(75 * (1 - share)).toFixed(0)}%, transparent)` },
      percent(share, 0));
    const scored = groups.some((g) => g.smallest_kept !== 0 || g.largest_removed !== 0);
    const score = (v) => (v === 0 ? "–" : v.toPrecision(3));
    const name = (i) => (rounds[i] ? rounds[i].name : `round ${i + 1}`);
    const header = ["", "size", ...shown.map(name), ...(scored ? ["largest score that went", "smallest that stayed"] : []), scored ? "which went" : "zeros"];
    host.append(el("p", { class: "muted" }, "What is left of each, at the end of each round; the fuller the colour the less."),
      table(header, groups.map((g) => ({ cells: [el("span", { class: "name", title: g.name }, g.name), count(g.size), ...shown.map((i) => (i < g.left.length ? heat(g.left[i]) : "–")),
        ...(scored ? [score(g.largest_removed), score(g.smallest_kept)] : []), el("span", { class: "wrapped", title: g.removed }, g.removed || "none")] })),
      ["", ...Array(header.length - 2).fill(""), "text"]),
      download("pruning.csv", [["", "size", ...Array.from({ length: Math.max(...groups.map((g) => g.left.length)) }, (_, i) => name(i)), "largest score that went", "smallest that stayed", "which went"],
        ...groups.map((g) => [g.name, g.size, ...g.left, g.largest_removed, g.smallest_kept, g.removed])]));
    const charted = groups.filter((g) => g.scores.length > 0);
    if (charted.length === 0) return;
    host.append(el("h3", {}, "Score of each channel"),
      el("p", { class: "muted" }, "One bar a channel, from channel 0 on the left, as high as its score in the round in which it went, or in the last. Orange went, blue stays; the pointer on a bar says more."),
      el("div", { class: "grid" }, charted.map((g) => el("div", { class: "card" }, el("h3", { title: g.name }, g.name), unitBars(g),
        el("p", {}, `${g.went.filter((r) => r > 0).length} of ${g.size} went; the highest bar is ${Math.max(...g.scores).toPrecision(3)}`)))));
  };

  const drawSlices = () => {
    const slices = report.slices || [], wrong = report.new_mistakes || [];
    if (slices.length === 0) { byId("slices").hidden = true; return; }
    const share = (n, s) => n / Math.max(1, s.samples);
    const lost = (s) => share(s.correct_before, s) - share(s.correct_after, s);
    const worst = Math.max(1e-9, ...slices.map(lost));
    const loss = (s) => el("span", { class: "heat", style: `background:color-mix(in srgb, var(--warn) ${(60 * Math.max(0, lost(s)) / worst).toFixed(0)}%, transparent)` },
      (100 * lost(s)).toFixed(2));
    const header = ["class or group", "samples", "before", "after", "points lost"];
    byId("slices").append(
      table(header, slices.map((s) => ({ cells: [s.name, `${s.samples}`, percent(share(s.correct_before, s)), percent(share(s.correct_after, s)), loss(s)] }))),
      download("slices.csv", [header, ...slices.map((s) => [s.name, s.samples, share(s.correct_before, s), share(s.correct_after, s), lost(s)])]));
    const most = 100;
    byId("slices").append(el("h3", {}, `Right before, wrong now: ${wrong.length}${wrong.length > most ? `, the first ${most} of them` : ""}`));
    if (wrong.length === 0) return;
    const columns = ["sample", "is", "now taken for"];
    byId("slices").append(el("div", { class: "tall" }, table(columns, wrong.slice(0, most).map((w) => ({ cells: [w.sample, w.label, w.after] })), ["", "text", "text"])),
      download("newly-wrong.csv", [columns, ...wrong.map((w) => [w.sample, w.label, w.after])]));
  };

  const drawLayers = () => {
    if (report.layers.length === 0) { byId("layers").hidden = true; return; }
    const most = Math.max(1, ...report.layers.map((l) => l.macs));
    const bar = (n) => [el("span", { class: "bar", style: `width:${(60 * n / most).toFixed(1)}px` }), count(n)];
    const decibel = (v, warn) => (v === null ? "–" : v < warn ? el("span", { class: "low" }, v.toFixed(1)) : v.toFixed(1));
    const share = (v) => (v === null ? "–" : v > 0.01 ? el("span", { class: "low" }, percent(v)) : percent(v));
    const header = ["layer", "operator", "output", "MACs", "parameters", "weights", "weight bytes", "weight SQNR, dB",
      "output SQNR, dB", "saturated"];
    const rows = report.layers.map((l) => ({ cells: [l.name, l.op, l.output, bar(l.macs), count(l.parameters),
      l.weight_type || "–", bytes(l.weight_bytes), decibel(l.weight_sqnr_db, 25), decibel(l.sqnr_db, 15), share(l.saturated)] }));
    byId("layers").append(
      el("p", { class: "muted" }, "SQNR: signal-to-quantization-noise ratio against the float network on the same samples; higher is better."),
      table(header, rows, ["", "text", "text"]),
      download("layers.csv", [header, ...report.layers.map((l) => [l.name, l.op, l.output, l.macs, l.parameters,
        l.weight_type, l.weight_bytes, l.weight_sqnr_db, l.sqnr_db, l.saturated])]));
  };

  /** A histogram as SVG; what lies outside the chosen range is drawn in the warning colour. */
  const histogram = (h) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 240 84");
    svg.setAttribute("preserveAspectRatio", "none");
    const add = (tag, attributes) => {
      const node = document.createElementNS(svg.namespaceURI, tag);
      for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
      svg.append(node);
    };
    const peak = Math.max(1e-12, ...h.counts.map((c) => Math.log1p(c)));
    const width = 240 / h.counts.length, step = (h.high - h.low) / h.counts.length;
    h.counts.forEach((c, i) => {
      const middle = h.low + (i + 0.5) * step;
      const inside = middle >= h.chosen_low && middle <= h.chosen_high;
      const height = 74 * Math.log1p(c) / peak;
      add("rect", { x: i * width, y: 78 - height, width: width * 0.92, height, fill: css(inside ? "--try" : "--warn") });
    });
    const x = (v) => 240 * (v - h.low) / Math.max(1e-30, h.high - h.low);
    for (const edge of [h.chosen_low, h.chosen_high]) {
      add("line", { x1: x(edge), x2: x(edge), y1: 2, y2: 80, stroke: css("--after"), "stroke-width": 1.5 });
    }
    return svg;
  };

  /** The spread of an error around zero, as SVG. */
  const errorHistogram = (h) => histogram({ low: -h.limit, high: h.limit, counts: h.counts, chosen_low: -h.limit, chosen_high: h.limit });

  const drawErrors = () => {
    if (report.error_histograms.length === 0) { byId("errors").hidden = true; return; }
    byId("errors").append(
      el("p", { class: "muted" }, "Value in the quantized network minus value in the float network, on the same samples; logarithmic height, from minus to plus the largest error."),
      el("div", { class: "grid" }, report.error_histograms.map((h) => el("div", { class: "card" },
        el("h3", { title: h.name }, h.name), errorHistogram(h),
        el("p", {}, `± ${h.limit.toPrecision(3)}   SQNR ${h.sqnr_db === null ? "–" : h.sqnr_db.toFixed(1)} dB`)))));
  };

  /** A row a layer, a column a width; the fuller the colour the more damage, in powers of ten. */
  const drawSensitivity = () => {
    const layers = report.sensitivity || [];
    if (layers.length === 0) { byId("sensitivity").hidden = true; return; }
    const widths = layers[0].bits;
    const damages = layers.flatMap((l) => l.damage).filter((d) => d > 0);
    const low = Math.log10(Math.min(...damages)), high = Math.log10(Math.max(...damages));
    const heat = (l, d, i) => el("span", {
      class: l.bits[i] === l.chosen ? "heat chosen" : "heat",
      style: `background:color-mix(in srgb, var(--warn) ${(100 * (d > 0 ? (Math.log10(d) - low) / Math.max(1e-9, high - low) : 0)).toFixed(0)}%, transparent)`,
    }, d.toPrecision(2));
    const width = (bits) => (bits === 32 ? "float" : `${bits}`);
    const most = Math.max(...layers.map((l) => l.chosen || 0), 1);
    const chosen = (l) => (l.chosen ? [el("span", { class: "bar", style: `width:${(60 * l.chosen / most).toFixed(0)}px` }), width(l.chosen)] : "–");
    const header = ["layer", "weights", ...widths.map((w) => (w === 32 ? "float" : `${w} bits`)), "bits"];
    byId("sensitivity").append(
      el("p", { class: "muted" }, "Noise at the network's outputs relative to the signal when the layer alone is quantized; framed: what was chosen."),
      table(header, layers.map((l) => ({ cells: [l.layer, count(l.weights), ...l.damage.map((d, i) => (d === null ? "–" : heat(l, d, i))), chosen(l)] }))),
      download("sensitivity.csv", [header, ...layers.map((l) => [l.layer, l.weights, ...l.damage, l.chosen])]));
  };

  const drawWeights = () => {
    const layers = report.weight_histograms || [];
    if (layers.length === 0) { byId("weights").hidden = true; return; }
    const inside = (limit, counts) => histogram({ low: -limit, high: limit, counts, chosen_low: -limit, chosen_high: limit });
    byId("weights").append(
      el("p", { class: "muted" }, "From top to bottom: weights in float, what their codes stand for, the difference; logarithmic height."),
      el("div", { class: "grid" }, layers.map((l) => el("div", { class: "card" },
        el("h3", { title: l.name }, l.name), inside(l.limit, l.before), inside(l.limit, l.after), inside(l.error_limit, l.errors),
        el("p", {}, `${l.bits} bits   ± ${l.limit.toPrecision(3)}   error ± ${l.error_limit.toPrecision(3)}   SQNR ${l.sqnr_db === null ? "–" : l.sqnr_db.toFixed(1)} dB`)))));
  };

  /** Kernels as a canvas: a colour picture where a filter sees colours, else blue below zero and red above. */
  const sheet = (figure, shades, title) => {
    const { height, width, columns, colours } = figure;
    const area = height * width, kernels = shades.length / 2 / (colours * area), rows = Math.ceil(kernels / columns);
    const zoom = Math.max(1, Math.floor(200 / (columns * (width + 1))));
    const canvas = el("canvas", { width: (columns * (width + 1) - 1) * zoom, height: (rows * (height + 1) - 1) * zoom, title });
    const paint = canvas.getContext("2d");
    const shade = (i) => parseInt(shades.substr(2 * i, 2), 16);
    for (let kernel = 0; kernel < kernels; kernel++) {
      const left = (kernel % columns) * (width + 1), top = Math.floor(kernel / columns) * (height + 1);
      for (let tap = 0; tap < area; tap++) {
        const at = kernel * colours * area + tap;
        if (colours === 3) {
          paint.fillStyle = `rgb(${shade(at)}, ${shade(at + area)}, ${shade(at + 2 * area)})`;
        } else {
          const share = (shade(at) - 128) / 127, rest = 245 - Math.round(215 * Math.abs(share));
          paint.fillStyle = share < 0 ? `rgb(${rest}, ${Math.round((rest + 245) / 2)}, 245)` : `rgb(245, ${Math.round(rest * 0.8 + 40)}, ${rest})`;
        }
        paint.fillRect((left + tap % width) * zoom, (top + Math.floor(tap / width)) * zoom, zoom, zoom);
      }
    }
    return canvas;
  };

  const drawKernels = () => {
    const layers = report.kernels || [];
    if (layers.length === 0) { byId("kernels").hidden = true; return; }
    const what = (k) => (k.by_input ? "rows: outputs, columns: inputs" : k.colours === 3 ? "filters over red, green, blue" : "filters");
    byId("kernels").append(
      el("p", { class: "muted" }, "From left to right: in float, what the codes stand for, the difference. Each kernel is drawn relative to its own largest weight (blue below zero, red above; colour filters: grey is zero), differences relative to the largest of the picture. At most 64 kernels of a layer, the first ones."),
      el("div", { class: "grid wide" }, layers.map((k) => el("div", { class: "card" },
        el("h3", { title: k.name }, k.name),
        el("div", { class: "sheets" }, sheet(k, k.before, "float"), sheet(k, k.after, `${k.bits} bits`), sheet(k, k.difference, "difference")),
        el("p", {}, `${k.height} × ${k.width} · ${what(k)} · ${k.bits} bits · difference ± ${k.difference_limit.toPrecision(2)}`)))));
  };

  /** A row of cells, one or several channels each; the fuller the colour the larger the share, in powers of ten. */
  const strip = (shares, channels, colour) => {
    const canvas = el("canvas", { class: "strip", width: Math.max(1, shares.length), height: 1 });
    const paint = canvas.getContext("2d");
    shares.forEach((share, i) => {
      paint.globalAlpha = share > 0 ? Math.min(1, Math.max(0.08, 1 + Math.log10(share) / 4)) : 0;
      paint.fillStyle = css(colour);
      paint.fillRect(i, 0, 1, 1);
    });
    canvas.onmousemove = (event) => {
      const cell = Math.min(shares.length - 1, Math.floor(shares.length * event.offsetX / canvas.clientWidth));
      const first = Math.floor(cell * channels / shares.length), last = Math.floor((cell + 1) * channels / shares.length) - 1;
      canvas.title = `${last > first ? `channels ${first} to ${last}` : `channel ${first}`}: ${percent(shares[cell], 3)}`;
    };
    return canvas;
  };

  const drawSaturation = () => {
    const rows = report.saturation || [];
    if (rows.length === 0) { byId("saturation").hidden = true; return; }
    const header = ["value", "channels", "at the lowest code", "at the highest code", "cut off", "most cut off"];
    const most = (s) => (s.most_cut_off === 0 ? "–" : el("span", { class: s.most_cut_off > 0.01 ? "low" : "" },
      `${percent(s.most_cut_off, 3)} (channel ${s.worst_channel})`));
    byId("saturation").append(
      el("p", { class: "muted" }, "The quantized network on the calibration samples; one cell a channel, from the first on the left, or several channels a cell where there are more than 64: their mean, for what is cut off the worst of them. Colour by powers of ten, from 0.01 % (pale) to 100 %. After a rectifier many values lie at the lowest code, which is 0: nothing is lost there. Cut off: more than half a step beyond the last code on either side."),
      table(header, rows.map((s) => ({ cells: [el("span", { class: "name", title: s.name }, s.name), `${s.channels}`, strip(s.lowest, s.channels, "--try"),
        strip(s.highest, s.channels, "--try"), strip(s.cut_off, s.channels, "--warn"), most(s)] })), ["", "", "map", "map", "map"]),
      download("saturation.csv", [["value", "channels", "worst channel", "most cut off", "cut off by cell"], ...rows.map((s) => [s.name, s.channels, s.worst_channel, s.most_cut_off, s.cut_off.join(" ")])]));
  };

  const drawHistograms = () => {
    if (report.histograms.length === 0) { byId("histograms").hidden = true; return; }
    byId("histograms").append(
      el("p", { class: "muted" }, "Calibration values, logarithmic height; below them, where looked at, the codes that the quantized network gave them. Green lines: the range that the codes cover; orange: values that saturate."),
      el("div", { class: "grid" }, report.histograms.map((h) => el("div", { class: "card" },
        el("h3", { title: h.name }, h.name), histogram(h), h.after && h.after.length ? histogram({ ...h, counts: h.after }) : null,
        el("p", {}, `[${h.chosen_low.toPrecision(4)}, ${h.chosen_high.toPrecision(4)}]  scale ${h.scale.toPrecision(4)}  zero point ${h.zero_point}`),
        el("p", {}, `saturated ${percent(h.saturated, 3)}`)))));
  };

  const drawSteps = () => {
    const done = report.steps.filter((s) => s.changes > 0);
    if (done.length === 0) { byId("steps").hidden = true; return; }
    byId("steps").append(table(["step", "changes", "ms"],
      done.map((s) => ({ cells: [s.name, `${s.changes}`, (1000 * s.seconds).toFixed(1)] }))));
  };

  const drawRepeat = () => {
    byId("repeat").append(el("pre", {}, report.command));
    if (report.recipe) byId("repeat").append(el("p", {}, "The recipe:"), el("pre", {}, report.recipe));
    if (report.notes.length) byId("repeat").append(el("p", {}, "Notes:"), el("ul", {}, report.notes.map((n) => el("li", {}, n))));
    const judged = report.epochs.length ? "the epoch was chosen on the validation samples: judge it on others"
      : report.pruning.length && !before.accuracy ? "latencies are this machine's"
      : report.pruning.length ? "accuracy is on validation samples, by which epochs and limits are decided: judge the result on a test set"
      : "latencies are this machine's; accuracy is on data the method never saw";
    byId("foot").append(`Measured on ${report.machine.cpu}, ${report.machine.cores} cores; ${judged}.`);
  };

  drawHeader();
  drawSummary();
  drawTraining();
  drawPruning();
  drawSlices();
  drawTrials();
  drawLayers();
  drawSensitivity();
  drawWeights();
  drawKernels();
  drawHistograms();
  drawSaturation();
  drawErrors();
  drawSteps();
  drawRepeat();
})();
