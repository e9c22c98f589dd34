/* How strongly a 3D reference acts: a curve over the noise level that is dragged, where the run is on it, and what it does to the shape. */
(() => {
  "use strict";
  const PACE_MS = 70, MOST_POINTS = 12, FINEST_PLACE = 0.01, APART = 0.02, MANUAL = "0.55";
  const BOX = { width: 336, height: 142, left: 30, right: 320, top: 14, bottom: 122 };
  const PLOT = { width: 336, height: 62, left: 30, right: 320, top: 5, bottom: 56 };
  const SVG = "http://www.w3.org/2000/svg";
  const GATES = [["auto", "By itself", "Closes by itself where the reference does not fit what is wanted."],
    ["by hand", "By hand", "You say from which likeness on it is half open."], ["open", "Always open", "It acts whether it fits or not."]];

  const make = (tag, look, text) => Object.assign(document.createElement(tag), { className: look || "", textContent: text ?? "" });
  const draw = (tag, attributes) => {
    const part = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes || {})) part.setAttribute(name, value);
    return part;
  };
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
  const snap = (value, step) => Number((Math.round(value / step) * step).toFixed(4));
  const say = (value) => value.toFixed(2);

  /* At most one call in PACE_MS; the last one always comes. */
  const paced = (act) => {
    let due = 0, last = -Infinity;
    return () => {
      if (due) return;
      due = setTimeout(() => { due = 0; last = performance.now(); act(); }, Math.max(0, last + PACE_MS - performance.now()));
    };
  };

  /* "0:1,0.5:0.8,1:0.3" as [[0, 1], [0.5, 0.8], [1, 0.3]], where the engine would read it; else null. */
  const parse = (text, most) => {
    const points = text.split(",").map((part) => part.split(":").map((number) => (number.trim() ? Number(number) : NaN)));
    const rising = points.every(([place], i) => i === 0 || place > points[i - 1][0]);
    const good = points.every((pair) => pair.length === 2 && pair[0] >= 0 && pair[0] <= 1 && pair[1] >= 0 && pair[1] <= most);
    return rising && good ? points : null;
  };
  const written = (points) => points.map(([place, strength]) => `${Number(place.toFixed(3))}:${Number(strength.toFixed(3))}`).join(",");
  const at = (points, place) => {
    const after = points.findIndex(([each]) => each > place);
    if (after <= 0) return points[after === 0 ? 0 : points.length - 1][1];
    const [[start, low], [end, high]] = points.slice(after - 1, after + 1);
    return low + (high - low) * (place - start) / (end - start);
  };

  /* The components that hold the five settings. Whoever sets them (a preset, an earlier run) is heard by the drawing. */
  const held = {};
  let shown = null;
  maquette.mountHeld = (name, props, trigger, watch) => {
    held[name] = { props, tell: paced(() => trigger("input")) };
    watch("value", () => shown?.draw());
    shown?.draw();
  };
  const get = (name) => held[name].props.value;
  const set = (name, value) => {
    if (held[name].props.value === value) return;
    held[name].props.value = value;
    held[name].tell();
  };

  class Strength {
    constructor(root, marks) {
      Object.assign(this, { root, marks, most: marks.reference_early.high, step: marks.reference_early.step, chosen: -1, knots: [], status: null });
      this.build();
      this.listen();
      this.draw();
    }

    build() {
      const { marks } = this;
      this.root.innerHTML = `
        <div class="mq-strength-head"><h4>Reference</h4>
          <button type="button" class="mq-flip" role="switch" data-part="ignore"><span></span><i></i></button></div>
        <p class="mq-strength-fit" data-part="fit" role="status"></p>
        <label class="mq-strength-follow"><span></span><input type="range"><output></output><small>only hints</small><small>its shape</small></label>
        <div class="mq-strength-course"><h5><span>Likeness to the reference</span><output></output><span class="mq-faint">strength</span><output class="mq-faint"></output></h5>
          <svg viewBox="0 0 ${PLOT.width} ${PLOT.height}" role="img"></svg></div>
        <button type="button" class="mq-strength-compare" data-part="compare"></button>
        <details class="mq-strength-more"><summary>Advanced: when it acts, and the gate</summary>
        <div class="mq-strength-ends"><span data-part="early"></span><span data-part="late"></span></div>
        <svg class="mq-strength-curve" viewBox="0 0 ${BOX.width} ${BOX.height}"></svg>
        <p class="mq-strength-now" data-part="now"></p>
          <div class="mq-strength-row"><button type="button" data-act="add">Add a point</button><button type="button" data-act="remove">Remove point</button><button type="button" data-act="straight">Straight line</button></div>
          <label class="mq-strength-text"><span></span><input type="text" spellcheck="false" autocomplete="off"></label>
          <p class="mq-strength-note" data-part="note"></p>
          <div class="mq-strength-gate" role="radiogroup"></div>
          <label class="mq-strength-half"><span>Half open from</span><input type="range" min="0" max="1" step="0.01"><output></output></label>
          <p class="mq-strength-note" data-part="gate"></p>
        </details>`;
      this.find = (selector) => this.root.querySelector(selector);
      this.part = (name) => this.find(`[data-part="${name}"]`);
      this.curve = this.find(".mq-strength-curve");
      this.plot = this.find(".mq-strength-course svg");
      this.find(".mq-flip span").textContent = marks.ignore_reference.label;
      this.find(".mq-flip").title = marks.ignore_reference.help;
      const follow = marks.reference_follow, [word, slider] = this.find(".mq-strength-follow").children;
      this.find(".mq-strength-follow").hidden = !follow;
      word.textContent = follow?.label ?? "";
      Object.assign(slider, { min: 0, max: follow?.high ?? 1, step: follow?.step ?? 0.05, title: follow?.help ?? "" });
      slider.setAttribute("aria-description", slider.title);
      const [name, input] = this.find(".mq-strength-text").children;
      name.textContent = marks.reference_curve.label;
      Object.assign(input, { placeholder: marks.reference_curve.example, maxLength: marks.reference_curve.most, title: marks.reference_curve.help });
      this.find(".mq-strength-gate").setAttribute("aria-label", marks.reference_gate.label);
      this.find(".mq-strength-gate").replaceChildren(...GATES.map(([key, title, help]) => {
        const button = Object.assign(make("button", "", title), { type: "button", title: help });
        button.setAttribute("role", "radio");
        button.dataset.gate = key;
        return button;
      }));
      this.buildCurve();
    }

    buildCurve() {
      const grid = [0, 1, this.most].map((strength) => draw("path", { class: "mq-grid", d: `M${BOX.left} ${this.y(strength)}H${BOX.right}` }));
      const text = (x, y, words, anchor) => Object.assign(draw("text", { x, y, "text-anchor": anchor }), { textContent: words });
      const scale = [0, 1, this.most].map((strength) => text(BOX.left - 18, this.y(strength) + 3.5, String(strength), "end"));
      const ends = [text(BOX.left, BOX.height - 3, "much noise", "start"), text(BOX.right, BOX.height - 3, "little noise", "end")];
      this.area = draw("path", { class: "mq-area" });
      this.line = draw("path", { class: "mq-line" });
      this.now = draw("g", { class: "mq-now" });
      this.now.append(draw("path", { d: `M0 ${BOX.top}V${BOX.bottom}` }), draw("circle", { r: 4 }));
      this.points = draw("g");
      this.curve.append(...grid, ...scale, ...ends, this.area, this.line, this.now, this.points);
    }

    listen() {
      const acts = { add: () => this.add(), remove: () => this.remove(this.chosen), straight: () => this.straighten() };
      for (const button of this.root.querySelectorAll("[data-act]")) button.addEventListener("click", acts[button.dataset.act]);
      this.part("ignore").addEventListener("click", () => { set("ignore_reference", !get("ignore_reference")); this.draw(); });
      this.find(".mq-strength-follow input").addEventListener("input", (event) => { set("reference_follow", Number(event.target.value)); this.draw(); });
      this.part("compare").addEventListener("click", () => maquette.comparison ? maquette.endComparison() : document.querySelector("#mq-compare").click());
      this.curve.addEventListener("dblclick", (event) => { if (!event.target.closest(".mq-knot")) this.add(this.place(event)); });
      this.find(".mq-strength-text input").addEventListener("change", (event) => this.write(event.target.value.trim()));
      for (const button of this.root.querySelectorAll("[data-gate]")) button.addEventListener("click", () => {
        set("reference_gate", button.dataset.gate === "by hand" ? MANUAL : button.dataset.gate);
        this.draw();
      });
      this.find(".mq-strength-half input").addEventListener("input", (event) => { set("reference_gate", event.target.value); this.draw(); });
      document.addEventListener("mq-status", (event) => { Object.assign(this, { status: event.detail.reference, over: event.detail.state === "done" }); this.told(); });
      document.addEventListener("mq-open", () => { this.status = null; this.told(); });
      document.addEventListener("mq-comparison", () => this.told());
    }

    x(place) { return BOX.left + place * (BOX.right - BOX.left); }
    y(strength) { return BOX.bottom - strength / this.most * (BOX.bottom - BOX.top); }
    place(event) {
      const box = this.curve.getBoundingClientRect(), x = (event.clientX - box.left) / box.width * BOX.width, y = (event.clientY - box.top) / box.height * BOX.height;
      return [(x - BOX.left) / (BOX.right - BOX.left), (BOX.bottom - y) / (BOX.bottom - BOX.top) * this.most];
    }

    get isCurve() { return Boolean(get("reference_curve").trim()); }

    /* The curve with both of its ends, which are flat where it has none of its own. */
    read() {
      if (!this.isCurve) return [[0, Number(get("reference_early"))], [1, Number(get("reference_late"))]];
      const points = parse(get("reference_curve"), this.most);
      if (!points) return this.last || [[0, 1], [1, 1]];
      const first = points[0][0] > 0 ? [[0, points[0][1]]] : [], last = points[points.length - 1];
      return [...first, ...points, ...(last[0] < 1 ? [[1, last[1]]] : [])];
    }

    keep(points) {
      if (points.length > 2 || this.isCurve) {
        set("reference_curve", written(points));
      } else {
        set("reference_early", points[0][1]);
        set("reference_late", points[1][1]);
      }
      this.draw();
    }

    move(index, place, strength) {
      const points = this.read(), inner = index > 0 && index < points.length - 1;
      const where = inner ? clamp(snap(place, FINEST_PLACE), points[index - 1][0] + APART, points[index + 1][0] - APART) : points[index][0];
      points[index] = [where, clamp(snap(strength, this.step), 0, this.most)];
      this.keep(points);
    }

    /* A new point: there, or in the middle of the widest gap on the line. */
    add(there) {
      const points = this.read();
      if (points.length >= MOST_POINTS) return;
      const gaps = points.slice(1).map(([place], i) => place - points[i][0]), widest = gaps.indexOf(Math.max(...gaps));
      const [place, strength] = there || [points[widest][0] + gaps[widest] / 2, null];
      const spot = snap(clamp(place, 0, 1), FINEST_PLACE), after = points.findIndex(([each]) => each > spot);
      if (after < 1 || spot - points[after - 1][0] < APART || points[after][0] - spot < APART) return;
      const height = strength === null ? at(points, spot) : strength;
      points.splice(after, 0, [spot, clamp(snap(height, this.step), 0, this.most)]);
      this.chosen = after;
      this.keep(points);
      this.knots[after]?.focus();
    }

    remove(index) {
      const points = this.read();
      if (index < 1 || index > points.length - 2) return;
      points.splice(index, 1);
      this.chosen = -1;
      if (points.length === 2) this.straighten(); else this.keep(points);
    }

    /* Back to the two handles. */
    straighten() {
      const points = this.read();
      this.chosen = -1;
      set("reference_early", points[0][1]);
      set("reference_late", points[points.length - 1][1]);
      set("reference_curve", "");
      this.draw();
    }

    /* A curve as it is written; what the engine could not read is not sent. */
    write(text) {
      this.unread = Boolean(text) && !parse(text, this.most);
      if (!this.unread) set("reference_curve", text);
      this.draw();
    }

    draw() {
      if (Object.keys(this.marks).some((name) => !held[name])) return;
      const points = this.last = this.read(), ignored = get("ignore_reference") === true, gate = String(get("reference_gate"));
      this.root.toggleAttribute("data-ignored", ignored);
      this.part("ignore").setAttribute("aria-checked", String(ignored));
      const follow = Number(held.reference_follow?.props.value ?? 0), slider = this.find(".mq-strength-follow input");
      if (Number(slider.value) !== follow) slider.value = follow;
      slider.disabled = ignored;
      this.find(".mq-strength-follow output").textContent = say(follow);
      for (const [name, point] of [["early", points[0]], ["late", points[points.length - 1]]]) {
        this.part(name).replaceChildren(this.title(name), make("output", "", say(point[1])));
      }
      this.line.setAttribute("d", `M${points.map(([place, strength]) => `${this.x(place).toFixed(1)} ${this.y(strength).toFixed(1)}`).join("L")}`);
      this.drawKnots(points);
      this.drawGate(gate);
      const input = this.find(".mq-strength-text input");
      if (!this.unread && document.activeElement !== input) input.value = get("reference_curve");
      input.toggleAttribute("data-wrong", Boolean(this.unread));
      this.part("note").textContent = this.unread ? `Not sent: ${this.marks.reference_curve.help}`
        : this.isCurve ? "This curve holds; the two handles move its ends." : "A straight line between the two handles. Add points to bend it.";
      this.find('[data-act="remove"]').disabled = !(this.chosen > 0 && this.chosen < points.length - 1);
      this.find('[data-act="straight"]').disabled = !this.isCurve;
      this.find('[data-act="add"]').disabled = points.length >= MOST_POINTS;
      this.told();
    }

    title(name) { return make("span", "", { early: "Overall shape", late: "Details" }[name]); }

    drawKnots(points) {
      while (this.points.children.length > points.length) this.points.lastChild.remove();
      while (this.points.children.length < points.length) this.points.append(this.knot());
      this.knots = [...this.points.children];
      for (const [i, [place, strength]] of points.entries()) {
        const knot = this.knots[i], end = i === 0 ? "early" : i === points.length - 1 ? "late" : "";
        knot.dataset.end = end;
        knot.dataset.index = i;
        knot.setAttribute("transform", `translate(${this.x(place).toFixed(1)} ${this.y(strength).toFixed(1)})`);
        knot.toggleAttribute("data-chosen", i === this.chosen);
        knot.querySelector(".mq-dot-of-knot").setAttribute("r", end ? 9 : 6);
        const mark = this.marks[`reference_${end || "early"}`];
        knot.setAttribute("aria-label", end ? `${mark.label}. ${mark.help}` : `Point at ${Math.round(100 * (1 - place))} % noise. Delete removes it.`);
        for (const [name, value] of [["valuemin", mark.low], ["valuemax", mark.high], ["valuenow", strength], ["valuetext", say(strength)]]) knot.setAttribute(`aria-${name}`, value);
      }
    }

    knot() {
      const knot = draw("g", { class: "mq-knot", role: "slider", tabindex: 0, "aria-orientation": "vertical" });
      knot.append(draw("circle", { class: "mq-knot-reach", r: 20 }), draw("circle", { class: "mq-dot-of-knot", r: 9 }));
      const index = () => Number(knot.dataset.index);
      let grip = null;
      knot.addEventListener("pointerdown", (event) => {
        const [place, strength] = this.place(event), own = this.read()[index()];
        grip = [own[0] - place, own[1] - strength];
        knot.setPointerCapture(event.pointerId);
        knot.focus();
        this.choose(index());
        event.preventDefault();
      });
      knot.addEventListener("pointermove", (event) => {
        if (!grip) return;
        const [place, strength] = this.place(event);
        this.move(index(), place + grip[0], strength + grip[1]);
      });
      for (const name of ["pointerup", "pointercancel"]) knot.addEventListener(name, () => { grip = null; });
      knot.addEventListener("focus", () => this.choose(index()));
      knot.addEventListener("keydown", (event) => this.key(event, index()));
      return knot;
    }

    choose(index) {
      if (this.chosen === index) return;
      this.chosen = index;
      this.draw();
    }

    key(event, index) {
      const points = this.read(), [place, strength] = points[index], inner = index > 0 && index < points.length - 1, { step } = this;
      const aside = inner ? 0 : step;  // sideways keys move the ends up and down, as on any slider
      const moves = { ArrowUp: [0, step], ArrowDown: [0, -step], ArrowRight: [0.02, aside], ArrowLeft: [-0.02, -aside],
        PageUp: [0, 5 * step], PageDown: [0, -5 * step], Home: [0, -this.most], End: [0, this.most] };
      if (event.key in moves) this.move(index, place + moves[event.key][0], strength + moves[event.key][1]);
      else if ((event.key === "Delete" || event.key === "Backspace") && inner) this.remove(index);
      else return;
      event.preventDefault();
    }

    drawGate(gate) {
      const kind = gate === "auto" || gate === "open" ? gate : "by hand", half = this.find(".mq-strength-half");
      for (const button of this.root.querySelectorAll("[data-gate]")) button.setAttribute("aria-checked", String(button.dataset.gate === kind));
      half.hidden = kind !== "by hand";
      if (kind === "by hand" && document.activeElement !== half.querySelector("input")) half.querySelector("input").value = gate;
      half.querySelector("output").textContent = kind === "by hand" ? say(Number(gate)) : "";
      this.part("gate").textContent = GATES.find(([key]) => key === kind)[2];
    }

    /* What the run tells: where it is on the curve, how well the reference fits, and how the likeness went. */
    told() {
      if (!this.last) return;
      const { status, last } = this, gate = status?.gate ?? 1, ignored = get("ignore_reference") === true, acts = ignored ? 0 : gate;
      const low = this.y(0), edge = last.map(([place, strength]) => `${this.x(place).toFixed(1)} ${this.y(strength * acts).toFixed(1)}`);
      this.area.setAttribute("d", `M${this.x(0)} ${low}L${edge.join("L")}L${this.x(1)} ${low}Z`);
      const noise = status?.noise ?? null, here = noise === null ? 0 : at(last, 1 - noise);
      this.now.toggleAttribute("data-on", noise !== null);
      if (noise !== null) {
        this.now.style.transform = `translateX(${this.x(1 - noise)}px)`;
        this.now.querySelector("circle").setAttribute("cy", this.y(here * acts));
      }
      this.root.dataset.noise = noise ?? "";
      this.root.dataset.acts = noise === null ? "" : say(here * acts);
      const how = ignored ? "" : gate < 0.995 ? ` = ${say(here)} × gate ${say(gate)}` : "";
      const words = this.over ? ["At the end, at", "it acted"] : ["Now at", "it acts"];
      this.part("now").textContent = ignored ? "Ignored: the prior makes what it would without it."
        : noise === null ? "" : `${words[0]} ${Math.round(100 * noise)} % noise, ${words[1]} with ${say(here * acts)}${how}`;
      this.part("fit").textContent = ignored ? "" : status?.words || "";
      this.drawCourse();
      const compare = this.part("compare"), other = status?.ignored ? "with" : "without";
      compare.hidden = !status;
      compare.textContent = maquette.comparison ? "End the comparison" : `Compare ${other} the reference`;
    }

    drawCourse() {
      const traces = this.status?.traces || { similarity: [], strength: [] }, likeness = traces.similarity, all = [...likeness, ...traces.strength];
      this.root.dataset.course = likeness.length;
      this.find(".mq-strength-course").hidden = likeness.length < 2;
      if (likeness.length < 2) { this.plot.replaceChildren(); return; }
      const steps = all.map(([step]) => step), first = Math.min(...steps), end = Math.max(...steps), top = Math.max(1, ...all.map(([, value]) => value));
      const x = (step) => PLOT.left + (step - first) / (end - first || 1) * (PLOT.right - PLOT.left), y = (value) => PLOT.bottom - value / top * (PLOT.bottom - PLOT.top);
      const path = (look, points) => draw("path", { class: look, d: points.length ? `M${points.map(([step, value]) => `${x(step).toFixed(1)} ${y(value).toFixed(1)}`).join("L")}` : "" });
      const text = (value, words) => Object.assign(draw("text", { x: PLOT.left - 18, y: y(value) + 3.5, "text-anchor": "end" }), { textContent: words });
      const grid = [0, 1].map((value) => draw("path", { class: "mq-grid", d: `M${PLOT.left} ${y(value)}H${PLOT.right}` }));
      const [, newest] = likeness[likeness.length - 1], strength = traces.strength[traces.strength.length - 1];
      this.plot.replaceChildren(...grid, text(0, "0"), text(1, "1"), path("mq-faint-line", traces.strength), path("mq-likeness", likeness),
        draw("circle", { class: "mq-likeness-end", r: 3, cx: x(likeness[likeness.length - 1][0]), cy: y(newest) }));
      this.plot.setAttribute("aria-label", `Likeness to the reference from step ${first} to ${end}: ${say(likeness[0][1])} to ${say(newest)}`);
      const [now, faint] = this.root.querySelectorAll(".mq-strength-course output");
      now.textContent = say(newest);
      faint.textContent = strength ? say(strength[1]) : "";
    }
  }

  maquette.mountStrength = (element, props) => { shown = new Strength(element.querySelector(".mq-strength"), props.marks); };
})();
