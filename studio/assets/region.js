/* The box whose content changes: in numbers in the card, as a box over the live picture, with knobs that pull its sides and one
   that moves it, and with grips in the 3D viewport. Its text is that of the setting `region`. */
(() => {
  "use strict";
  const { View } = maquette.solid, AXES = ["x", "y", "z"], NAMES = ["Back to front", "Right to left", "Down to up"], REACH = 1.5, USUAL = 1, ROUNDED = 0.011;
  const FACES = [[0, 1, 3, 2], [4, 5, 7, 6], [0, 1, 5, 4], [2, 3, 7, 6], [0, 2, 6, 4], [1, 3, 7, 5]];
  const QUICK = { Top: "z=0.1:1", Base: "z=-1:-0.1", Front: "x=0.1:1", Back: "x=-1:-0.1", "Its left": "y=0.1:1", "Its right": "y=-1:-0.1" };
  const make = (tag, look, text) => Object.assign(document.createElement(tag), { className: look || "", textContent: text || "" });
  const tidy = (value) => String(Math.round(value * 100) / 100);

  /* [[low, high], ...] of the first box of a text; what is not said reaches as far as objects do. */
  const read = (text) => {
    const sides = AXES.map(() => [-USUAL, USUAL]);
    for (const term of (text || "").split(";")[0].split(",")) {
      const [axis, ends] = term.split("=").map((part) => part.trim()), at = AXES.indexOf(axis);
      if (at < 0 || !ends) continue;
      const [low, high] = ends.split(":").map(parseFloat);
      sides[at] = [Number.isFinite(low) ? Math.max(low, -REACH) : -USUAL, Number.isFinite(high) ? Math.min(high, REACH) : USUAL];
    }
    return sides;
  };
  const write = (sides) => sides.map(([low, high], k) => `${AXES[k]}=${tidy(low)}:${tidy(high)}`).join(",");

  class Region extends maquette.BlockHandles {
    constructor(root, props, trigger) {
      super();
      Object.assign(this, { root, props, trigger, view: new View(0, 0, 3, [0, 0, 0]), seen: "", shown: false });
      const quick = make("div", "mq-region-quick");
      quick.append(...Object.entries(QUICK).map(([name, text]) => {
        const button = Object.assign(make("button", "", name), { type: "button", title: `The box: ${text}` });
        button.addEventListener("click", () => this.write(write(read(text))));
        return button;
      }));
      this.inputs = AXES.map((axis, k) => [0, 1].map((side) => {
        const input = Object.assign(make("input"), { type: "number", step: 0.05, min: -REACH, max: REACH });
        input.setAttribute("aria-label", `${NAMES[k]}: ${side ? "to" : "from"}`);
        input.addEventListener("change", () => this.typed());
        return input;
      }));
      const rows = AXES.map((axis, k) => {
        const row = make("label", "mq-region-row");
        row.append(make("span", "", NAMES[k]), this.inputs[k][0], make("i", "", "to"), this.inputs[k][1]);
        return row;
      });
      root.replaceChildren(quick, ...rows);
    }

    get sides() { return read(this.props.value); }
    set at(box) { this.box = box; }
    get at() { return this.box; }

    typed() {
      const sides = this.inputs.map((pair) => pair.map((input) => parseFloat(input.value)));
      if (sides.every(([low, high]) => Number.isFinite(low) && Number.isFinite(high) && low < high)) this.write(write(sides)); else this.draw();
    }

    write(text) {
      const others = (this.props.value || "").split(";").slice(1);
      this.props.value = [text, ...others].join(";");
      this.trigger("input");
      this.draw();
    }

    draw() {
      const sides = this.sides;
      sides.forEach((pair, k) => pair.forEach((value, side) => { this.inputs[k][side].value = tidy(value); }));
      this.box = { kind: "box", centre: sides.map(([low, high]) => (low + high) / 2), size: sides.map(([low, high]) => high - low), rotation_deg: [0, 0, 0] };
      this.seen = "";
      this.mount();
      if (this.shown) this.showInView();
    }

    /* In the 3D viewport, with grips, for as long as a part is chosen; then whatever crops the export there comes back. */
    showInView() {
      if (!this.shown) { this.live.setCrop([]); maquette.sheet?.trim.showInView(); return; }
      const sides = this.sides, box = [0, 1].flatMap((side) => sides.map((pair) => pair[side])), { crop } = this.live;
      if (!crop.length || box.some((value, k) => Math.abs(value - crop[k]) > ROUNDED)) this.live.setCrop(box, (dragged) => this.hear(dragged));
    }

    /* Where it was dragged to there. */
    hear(box) { this.write(write(AXES.map((_, k) => [box[k], box[k + 3]]))); }

    /* Over the live picture, once there is one. */
    mount() {
      if (this.canvas || !maquette.stage) return;
      const figure = document.querySelector(".mq-live");
      this.live = maquette.stage.live;
      this.canvas = make("canvas", "mq-region");
      figure.append(this.canvas);
      const grips = AXES.flatMap((axis, k) => [1, -1].map((side) => ({ k, side, title: `Pull the box ${side > 0 ? "out" : "in"} along ${axis}` })));
      this.grips = [...grips, { k: -1, side: 0, title: "Move the box" }].map((grip) => {
        const knob = Object.assign(make("button", `mq-region-knob mq-region-${grip.k < 0 ? "move" : AXES[grip.k]}`), { type: "button", title: grip.title });
        figure.append(knob);
        this.dragging(knob, grip);
        return { ...grip, knob };
      });
      this.follow();
    }

    dragging(knob, { k, side }) {
      let drag = null;
      const at = (event) => { const box = this.canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
      knob.addEventListener("pointerdown", (event) => {
        knob.setPointerCapture(event.pointerId);
        const axis = [0, 0, 0];
        if (k >= 0) axis[k] = side;
        drag = k < 0 ? this.slide(...at(event)) : this.stretch(...at(event), k, axis);
      });
      knob.addEventListener("pointermove", (event) => { if (drag) { drag(...at(event), event); this.seen = ""; } });
      for (const name of ["pointerup", "pointercancel"]) knob.addEventListener(name, () => { if (drag) { drag = null; this.take(); } });
      knob.addEventListener("keydown", (event) => {
        const step = { ArrowUp: 0.05, ArrowRight: 0.05, ArrowDown: -0.05, ArrowLeft: -0.05 }[event.key];
        if (!step) return;
        event.preventDefault();
        const sides = this.sides;
        if (k < 0) sides[2] = sides[2].map((value) => value + step); else sides[k][side > 0 ? 1 : 0] += step;
        this.write(write(sides));
      });
    }

    /* What was dragged, as text, within reach. */
    take() {
      const { centre, size } = this.box, within = (value) => Math.max(-REACH, Math.min(REACH, value));
      this.write(write(centre.map((middle, k) => [within(middle - size[k] / 2), within(middle + size[k] / 2)])));
    }

    get on() { return document.body.dataset.tab === "edit" && document.body.dataset.edit === "part" && maquette.stage.root.dataset.picture === "shown"; }

    follow() {
      if (this.on !== this.shown || (this.shown && !this.live.crop.length)) { this.shown = this.on; this.showInView(); }
      const { camera } = this.live, { clientWidth: width, clientHeight: height } = this.canvas;
      const key = [this.on, camera.azimuth, camera.elevation, camera.distance, width, height].join();
      if (key !== this.seen && this.box) { this.seen = key; Object.assign(this.view, camera); this.paint(width, height); }
      requestAnimationFrame(() => this.follow());
    }

    paint(width, height) {
      for (const part of [this.canvas, ...this.grips.map((grip) => grip.knob)]) part.hidden = !this.on;
      if (!this.on || !width) return;
      Object.assign(this.canvas, { width, height });
      this.view.fit(width, height);
      const pen = this.canvas.getContext("2d"), { centre, size } = this.box;
      const corners = Array.from({ length: 8 }, (_, i) => this.view.project([4, 2, 1].map((bit, k) => centre[k] + (i & bit ? 0.5 : -0.5) * size[k])));
      pen.lineWidth = 1.5;
      pen.lineJoin = "round";
      for (const face of FACES.map((face) => ({ face, depth: face.reduce((sum, i) => sum + corners[i][2], 0) })).sort((a, b) => b.depth - a.depth)) {
        pen.beginPath();
        face.face.forEach((i, n) => (n ? pen.lineTo(corners[i][0], corners[i][1]) : pen.moveTo(corners[i][0], corners[i][1])));
        pen.closePath();
        pen.fillStyle = "#1d6b5c12";
        pen.fill();
        pen.strokeStyle = "#1d6b5cb0";
        pen.stroke();
      }
      for (const { k, side, knob } of this.grips) {
        const [x, y] = this.view.project(centre.map((v, i) => (i === k ? v + side * size[k] / 2 : v)));
        knob.style.transform = `translate(${x}px, ${y}px) translate(-50%, -50%)`;
      }
    }
  }

  maquette.mountRegion = (element, props, trigger, watch) => {
    const region = maquette.region = new Region(element.querySelector(".mq-region-box"), props, trigger);
    watch("value", () => region.draw());
    document.addEventListener("mq-open", () => region.mount());
    region.draw();
  };
})();
