/* What is left away of an export: a box, and haze, specks and needles by their histograms. Each change can be taken back. */
(() => {
  "use strict";
  const SPAN = 1.2, STEP = 0.02, MOST_UNDO = 60, DRAG_MS = 900, WHOLE = [-SPAN, -SPAN, -SPAN, SPAN, SPAN, SPAN], NONE = { box: [], least_opacity: 0, most_size: 0, most_stretch: 0 };
  const AXES = [["Back to front", 0], ["Right to left", 1], ["Bottom to top", 2]];
  /* name, title, what the threshold does, range of the histogram, from its place (0..1) to the value; the far end means no bound. */
  const CUTS = [
    ["least_opacity", "opacity", "Haze", "Leaves away splats that cover less than this", (place) => place, (value) => value, 0, (value) => value.toFixed(2)],
    ["most_size", "size", "Large specks", "Leaves away splats that are larger than this", (place) => 10 ** (3 * place - 3), (value) => (Math.log10(value) + 3) / 3, 1, (value) => value.toPrecision(2)],
    ["most_stretch", "stretch", "Needles", "Leaves away splats that are drawn out more than this", (place) => 10 ** (2 * place), (value) => Math.log10(value) / 2, 1, (value) => `${value.toPrecision(2)}×`],
  ];
  const boxed = (box) => (box.every((side) => Math.abs(Math.abs(side) - SPAN) < 1e-6) ? [] : box);
  const make = (tag, look, text) => Object.assign(document.createElement(tag), { className: look || "", textContent: text || "" });

  class Trim {
    constructor(live, changed) {
      Object.assign(this, { live, changed, value: { ...NONE }, before: [], histograms: {} });
      this.root = make("details", "mq-trim");
      this.sum = make("summary", "", "Crop and clean");
      this.undo = Object.assign(make("button", "mq-export-quiet", "Undo"), { type: "button" });
      this.undo.addEventListener("click", () => { this.value = this.before.pop() || { ...NONE }; this.draw(); this.showInView(); this.changed(); });
      this.body = make("div");
      this.root.append(this.sum, this.body);
      this.draw();
    }

    tell(histograms) { this.histograms = histograms; this.draw(); }

    /* A whole drag is one change. */
    set(values, goesOn) {
      if (!goesOn) this.before = [...this.before, this.value].slice(-MOST_UNDO);
      this.value = { ...this.value, ...values };
      this.changed();
    }

    /* Another object is whole at first. */
    reset() { Object.assign(this, { value: { ...NONE }, before: [], viewed: false }); this.draw(); this.showInView(); }

    get box() { return this.value.box.length ? this.value.box : WHOLE; }

    /* With grips in the 3D viewport, or not. */
    inView(on) { this.viewed = on; this.showInView(); }
    showInView() { if (this.viewed || this.live.crop.length) this.live.setCrop(this.viewed ? this.box : [], (box) => this.take(box)); }

    /* The box as it was dragged there; moves that follow each other closely are one. */
    take(box) {
      const now = performance.now(), goesOn = now - (this.tookAt ?? -DRAG_MS) < DRAG_MS;
      this.tookAt = now;
      this.set({ box: boxed(box) }, goesOn);
      this.draw();
    }

    draw() {
      const sides = AXES.map(([title, axis]) => this.sides(title, axis)), cuts = CUTS.filter(([, key]) => this.histograms[key]).map((cut) => this.cut(cut));
      this.undo.hidden = !this.before.length;
      this.body.replaceChildren(...sides, ...cuts, this.undo);
    }

    slider(label, min, max, step, value, act) {
      const input = Object.assign(make("input"), { type: "range", min, max, step, value });
      let dragged = false;
      input.setAttribute("aria-label", label);
      input.addEventListener("input", () => { act(Number(input.value), dragged); dragged = true; });
      input.addEventListener("change", () => { dragged = false; this.undo.hidden = !this.before.length; });
      return input;
    }

    sides(title, axis) {
      const row = make("div", "mq-trim-row"), name = make("span", "", title), { box } = this;
      const set = (place, other) => (value, goesOn) => {
        const now = [...this.box], gap = place < 3 ? Math.min(value, now[other] - STEP) : Math.max(value, now[other] + STEP);
        now[place] = gap;
        this.set({ box: boxed(now) }, goesOn);
        this.showInView();
      };
      row.append(name, this.slider(`${title}, from`, -SPAN, SPAN, STEP, box[axis], set(axis, axis + 3)), this.slider(`${title}, to`, -SPAN, SPAN, STEP, box[axis + 3], set(axis + 3, axis)));
      return row;
    }

    cut([name, key, title, help, valueAt, placeOf, open, words]) {
      const row = make("div", "mq-trim-row mq-trim-cut"), label = Object.assign(make("span", "", title), { title: help }), chart = make("div", "mq-trim-bars"), told = make("output");
      const counts = this.histograms[key], most = Math.log1p(Math.max(...counts, 1));
      const bars = counts.map((count) => { const bar = make("i"); bar.style.height = `${100 * Math.log1p(count) / most}%`; return bar; });
      const place = this.value[name] ? placeOf(this.value[name]) : open;
      const mark = (at) => {
        bars.forEach((bar, i) => bar.toggleAttribute("data-gone", open ? (i + 1) / bars.length > at + 1e-6 : i / bars.length < at - 1e-6));
        told.textContent = at === open ? "all" : words(valueAt(at));
      };
      chart.append(...bars, this.slider(`${title}: ${help}`, 0, 1, 1 / counts.length, place, (at, goesOn) => { mark(at); this.set({ [name]: at === open ? 0 : valueAt(at) }, goesOn); }));
      mark(place);
      row.append(label, chart, told);
      return row;
    }
  }

  Object.assign(maquette, { Trim });
})();
