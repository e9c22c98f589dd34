/* The blocks editor: boxes, spheres, cylinders and cones, stacked in the viewport's place. What stands there is the reference of the
   next run; studio/blocks_editor.py keeps it as a file. The state is in data-* attributes of .mq-blocks. */
(() => {
  "use strict";
  const { View, Painter, solid, rgbOf } = maquette.solid, { reach, within, STEP, FARTHEST, SMALLEST } = maquette.blockMath;
  const KINDS = ["box", "sphere", "cylinder", "cone"], NAMES = { box: "Box", sphere: "Sphere", cylinder: "Cylinder", cone: "Cone" };
  const COLOURS = ["#b9a68c", "#8a5a34", "#f0ece2", "#4a4a4f", "#b5402f", "#d9a23a", "#4d7f52", "#3f6f9f"];
  const ACCENT = [29, 107, 92];
  const MODES = [["move", "Move"], ["size", "Size"], ["turn", "Turn"]];
  const VIEWS = { "3D": [35, 22], Front: [0, 4], Side: [90, 4], Top: [0, 89] };
  const MOST = 300, KEEP_MS = 500, UNDOS = 100, HANDLE_PX = 13;
  const FIELDS = [["Place", "centre", 0.05], ["Size", "size", 0.05], ["Turn °", "rotation_deg", 5]];
  const ICONS = {
    box: '<path d="M10 3l6 3.200v7.200L10 17l-6-3.600V6.200zM4 6.400l6 3.400 6-3.400M10 9.800V17"/>',
    sphere: '<circle cx="10" cy="10" r="6.500"/><path d="M3.500 10c2 2.600 11 2.600 13 0"/>',
    cylinder: '<ellipse cx="10" cy="5" rx="5" ry="2"/><path d="M5 5v10c0 2.700 10 2.700 10 0V5"/>',
    cone: '<path d="M10 3L4.800 15c0 2.700 10.400 2.700 10.400 0z"/><path d="M4.800 15c.6-1.800 9.800-1.800 10.400 0"/>',
    copy: '<path d="M7 7h9v9H7zM4 13V4h9"/>', drop: '<path d="M5 6h10M8 6V4h4v2M6 6l.8 10h6.400L14 6"/>',
    undo: '<path d="M7 4L3.500 7.500 7 11M4 7.500h7.500a4.500 4.500 0 0 1 0 9H8"/>', redo: '<path d="M13 4l3.500 3.500L13 11M16 7.500H8.500a4.500 4.500 0 0 0 0 9H12"/>',
    ground: '<path d="M10 3v8M6.800 8L10 11l3.200-3M3.500 15h13"/>',
  };

  const block = (kind, centre, size, colour = COLOURS[0], rotation_deg = [0, 0, 0]) => ({ kind, centre, size, rotation_deg, colour });
  const legs = (x, y, height, wide, colour, kind) => [-1, 1].flatMap((i) => [-1, 1].map((j) => block(kind, [i * x, j * y, height / 2], [wide, wide, height], colour)));
  const EXAMPLES = {
    Chair: [block("box", [0, 0, 0.47], [0.9, 0.9, 0.1], "#8a5a34"), block("box", [-0.4, 0, 0.98], [0.1, 0.9, 0.94], "#8a5a34"), ...legs(0.39, 0.39, 0.42, 0.1, "#4a4a4f", "box")],
    Lamp: [block("cylinder", [0, 0, 0.04], [0.6, 0.6, 0.08], "#4a4a4f"), block("cylinder", [0, 0, 0.5], [0.07, 0.07, 0.9], "#4a4a4f"), block("cone", [0, 0, 1.05], [0.85, 0.85, 0.55], "#d9a23a")],
    Truck: [block("box", [-0.35, 0, 0.62], [1.1, 0.72, 0.72], "#f0ece2"), block("box", [0.48, 0, 0.5], [0.46, 0.7, 0.5], "#b5402f"), block("box", [0, 0, 0.2], [1.7, 0.6, 0.12], "#4a4a4f"),
      ...[-0.5, 0.5].flatMap((x) => [-0.32, 0.32].map((y) => block("cylinder", [x, y, 0.17], [0.34, 0.34, 0.14], "#2c2c2e", [90, 0, 0])))],
  };

  const make = (tag, look, text) => Object.assign(document.createElement(tag), { className: look || "", textContent: text || "" });
  const icon = (name) => `<svg viewBox="0 0 20 20" aria-hidden="true">${ICONS[name]}</svg>`;
  const button = (title, act, { drawn, look, words } = {}) => {
    const made = Object.assign(make("button", look), { type: "button", title });
    made.innerHTML = drawn ? icon(drawn) : "";
    if (words) made.append(make("span", "", words)); else made.setAttribute("aria-label", title);
    made.addEventListener("click", act);
    return made;
  };
  const copied = (blocks) => JSON.parse(JSON.stringify(blocks));
  const rounded = (blocks) => blocks.map((each) => ({ ...each, ...Object.fromEntries(["centre", "size", "rotation_deg"].map((name) => [name, each[name].map((v) => Number(v.toFixed(4)))])) }));
  /* Look from far enough away to see all blocks. */
  const frame = (view, blocks) => {
    if (!blocks.length) return;
    const ends = (side) => [0, 1, 2].map((k) => Math.max(...blocks.map((each) => side * each.centre[k] + reach(each, k))));
    const high = ends(1), low = ends(-1).map((v) => -v);
    view.target = low.map((v, k) => (v + high[k]) / 2);
    view.distance = within(1.6 * Math.hypot(...low.map((v, k) => high[k] - v)) + 0.5, 1.2, 200);
  };

  class Blocks extends maquette.BlockHandles {
    constructor(changed) {
      super();
      Object.assign(this, { changed, blocks: [], chosen: -1, mode: "move", past: [], future: [], painter: new Painter(), view: new View(35, 22, 4, [0, 0, 0.5]), touches: new Map(), spread: 0 });
      this.root = make("section", "mq-blocks");
      this.root.setAttribute("aria-label", "Blocks editor");
      this.root.hidden = true;
      this.canvas = Object.assign(make("canvas"), { tabIndex: 0 });
      this.canvas.setAttribute("aria-label", "Blocks. Click one to choose it, drag it to move it; arrow keys and Page Up and Down move it, Delete removes it. Drag beside it to look round.");
      this.build();
      this.listen();
    }

    build() {
      const bar = make("div", "mq-blocks-bar"), add = make("div", "mq-blocks-group"), modes = make("div", "mq-blocks-group mq-blocks-modes"), acts = make("div", "mq-blocks-group"), looks = make("div", "mq-blocks-views");
      add.append(...KINDS.map((kind) => button(`Add a ${kind}`, () => this.add(kind), { drawn: kind, words: NAMES[kind] })));
      this.modes = MODES.map(([mode, title]) => Object.assign(button(`${title} with handles`, () => { this.mode = mode; this.draw(); }, { words: title }), { mode }));
      modes.append(...this.modes);
      modes.setAttribute("role", "group");
      this.own = [button("Duplicate (Ctrl+D)", () => this.duplicate(), { drawn: "copy" }), button("Set on the ground", () => this.ground(), { drawn: "ground" }), button("Delete", () => this.remove(), { drawn: "drop" })];
      this.back = [button("Undo (Ctrl+Z)", () => this.undo(), { drawn: "undo" }), button("Redo (Ctrl+Shift+Z)", () => this.redo(), { drawn: "redo" })];
      acts.append(...this.own, ...this.back);
      this.note = make("output", "mq-blocks-note");
      const done = button("Close the editor", () => this.close(), { look: "mq-blocks-done", words: "Done" });
      bar.append(add, modes, acts, this.note, done);
      looks.append(...Object.entries(VIEWS).map(([name, [azimuth, elevation]]) => button(`Look: ${name}`, () => this.look(azimuth, elevation), { words: name })));
      this.stage = make("div", "mq-blocks-stage");
      this.hint = make("p", "mq-blocks-hint", "Add a solid to begin, or take an example on the left.");
      this.stage.append(this.canvas, looks, this.hint);
      this.root.append(bar, this.stage, this.inspector());
    }

    /* Numbers and the colour of the chosen block. */
    inspector() {
      const host = this.fields = make("div", "mq-blocks-fields"), colours = make("div", "mq-blocks-colours");
      this.numbers = FIELDS.map(([title, name, step]) => {
        const row = make("fieldset"), boxes = ["x", "y", "z"].map((axis, k) => {
          const box = Object.assign(make("input"), { type: "number", step });
          box.setAttribute("aria-label", `${title} ${axis}`);
          box.addEventListener("change", () => this.typed(name, k, box.valueAsNumber));
          return box;
        });
        row.append(make("legend", "", title), ...boxes);
        host.append(row);
        return { name, boxes };
      });
      this.swatches = COLOURS.map((colour) => { const swatch = button(`Colour ${colour}`, () => this.paintIn(colour)); swatch.style.setProperty("--swatch", colour); swatch.dataset.colour = colour; return swatch; });
      this.picker = Object.assign(make("input"), { type: "color", title: "Another colour" });
      this.picker.setAttribute("aria-label", "Another colour");
      this.picker.addEventListener("change", () => this.paintIn(this.picker.value));
      const step = make("div", "mq-blocks-group");
      this.count = make("output");
      step.append(button("The block before", () => this.cycle(-1), { words: "‹" }), this.count, button("The next block", () => this.cycle(1), { words: "›" }));
      colours.append(...this.swatches, this.picker);
      host.prepend(step);
      host.append(colours);
      return host;
    }

    listen() {
      const { canvas } = this;
      canvas.addEventListener("pointerdown", (event) => this.down(event));
      canvas.addEventListener("pointermove", (event) => this.moved(event));
      for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => this.up(event));
      canvas.addEventListener("wheel", (event) => { event.preventDefault(); this.zoom(Math.exp(event.deltaY * 0.001)); }, { passive: false });
      this.root.addEventListener("keydown", (event) => this.key(event));
      new ResizeObserver(() => this.draw()).observe(this.stage);
      new MutationObserver(() => this.draw()).observe(document.body, { attributeFilter: ["class"] });
    }

    get at() { return this.blocks[this.chosen]; }

    open() { this.root.hidden = false; this.draw(); this.canvas.focus({ preventScroll: true }); }
    close() { this.root.hidden = true; this.keep(0); }
    look(azimuth, elevation) { Object.assign(this.view, { azimuth, elevation }); this.draw(); }
    zoom(factor) { this.view.distance = within(this.view.distance * factor, 0.6, 60); this.draw(); }

    /* Show other blocks, as they were kept: nothing has changed. */
    show(blocks) { Object.assign(this, { blocks: copied(blocks), chosen: -1, past: [], future: [] }); frame(this.view, this.blocks); this.draw(); }

    /* Put other blocks in their place, kept at once. */
    replace(blocks) {
      this.remember();
      Object.assign(this, { blocks: copied(blocks), chosen: -1 });
      frame(this.view, this.blocks);
      this.draw();
      this.keep(0);
    }

    /* Call before a change, so that it can be undone. */
    remember() { this.past.push(copied(this.blocks)); if (this.past.length > UNDOS) this.past.shift(); this.future = []; }

    act(change) { this.remember(); change(); this.altered(); }

    altered() { this.draw(); this.keep(KEEP_MS); }

    keep(wait) {
      clearTimeout(this.keeping);
      this.keeping = setTimeout(() => this.changed(rounded(this.blocks)), wait);
    }

    step(from, to) {
      if (!from.length) return;
      to.push(copied(this.blocks));
      this.blocks = from.pop();
      this.chosen = Math.min(this.chosen, this.blocks.length - 1);
      this.altered();
    }

    undo() { this.step(this.past, this.future); }
    redo() { this.step(this.future, this.past); }

    /* On top of the chosen block, or on the ground. */
    add(kind) {
      if (this.blocks.length >= MOST) return;
      const below = this.at, size = kind === "box" && below ? [0.5, 0.5, 0.3] : [0.5, 0.5, 0.5];
      const centre = below ? [below.centre[0], below.centre[1], below.centre[2] + reach(below, 2) + size[2] / 2] : [0, 0, size[2] / 2];
      this.act(() => { this.blocks.push(block(kind, centre, size, below ? below.colour : COLOURS[0])); this.chosen = this.blocks.length - 1; });
    }

    duplicate() {
      if (!this.at || this.blocks.length >= MOST) return;
      const twin = copied([this.at])[0];
      twin.centre[1] += 2 * reach(twin, 1);
      this.act(() => { this.blocks.push(twin); this.chosen = this.blocks.length - 1; });
    }

    remove() { if (this.at) this.act(() => { this.blocks.splice(this.chosen, 1); this.chosen = -1; }); }
    ground() { if (this.at) this.act(() => { this.at.centre[2] = reach(this.at, 2); }); }
    paintIn(colour) { if (this.at) this.act(() => { this.at.colour = colour; }); }
    cycle(by) { if (this.blocks.length) { this.chosen = (this.chosen + by + this.blocks.length) % this.blocks.length; this.draw(); } }

    typed(name, k, value) {
      if (!this.at || !Number.isFinite(value)) { this.draw(); return; }
      const low = { centre: -FARTHEST, size: SMALLEST, rotation_deg: -360 }[name], high = name === "rotation_deg" ? 360 : FARTHEST;
      this.act(() => { this.at[name][k] = within(value, low, high); });
    }

    key(event) {
      if (event.target.matches("input")) return;
      const control = event.ctrlKey || event.metaKey, name = event.key.toLowerCase();
      const side = (Math.round(this.view.azimuth / 90) % 4 + 4) % 4;  // arrow keys move as it is seen
      const along = ([x, y]) => [[-y, x], [-x, -y], [y, -x], [x, y]][side];
      const moves = { arrowleft: along([-1, 0]), arrowright: along([1, 0]), arrowup: along([0, 1]), arrowdown: along([0, -1]) };
      if (control && name === "z") { if (event.shiftKey) this.redo(); else this.undo(); }
      else if (control && name === "y") this.redo();
      else if (control && name === "d") this.duplicate();
      else if (name === "delete" || name === "backspace") this.remove();
      else if (name === "escape") { if (this.at) { this.chosen = -1; this.draw(); } else this.close(); }
      else if (this.at && name in moves) this.act(() => { this.at.centre[0] += STEP * moves[name][0]; this.at.centre[1] += STEP * moves[name][1]; });
      else if (this.at && (name === "pageup" || name === "pagedown")) this.act(() => { this.at.centre[2] += name === "pageup" ? STEP : -STEP; });
      else return;
      event.preventDefault();
    }

    /* Pointer: a handle, else a block, else the view. */
    place(event) { const box = this.canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; }

    down(event) {
      this.canvas.setPointerCapture(event.pointerId);
      this.touches.set(event.pointerId, event);
      this.spread = 0;
      if (this.touches.size > 1) { this.cancel(); return; }
      const [x, y] = this.place(event), wide = event.pointerType === "touch" ? 1.8 : 1;
      const handle = (this.handles || []).filter((each) => each.hit(x, y) < HANDLE_PX * wide).sort((a, b) => a.hit(x, y) - b.hit(x, y))[0];
      const met = this.painter.idAt(x / this.canvas.clientWidth, y / this.canvas.clientHeight) - 1;
      this.from = { x, y, before: copied(this.blocks), moved: false };
      if (handle) this.drag = handle.start(x, y);
      else if (met >= 0) { this.chosen = met; this.drag = this.slide(x, y); this.draw(); }
      else this.drag = null;
    }

    moved(event) {
      const before = this.touches.get(event.pointerId);
      if (!before) { this.point(event); return; }
      this.touches.set(event.pointerId, event);
      if (this.touches.size > 1) { this.pinch(); return; }
      const [x, y] = this.place(event);
      if (!this.drag) {
        this.view.azimuth = (this.view.azimuth - 0.45 * (event.clientX - before.clientX)) % 360;
        this.view.elevation = within(this.view.elevation + 0.35 * (event.clientY - before.clientY), 2, 89);
        this.from.moved = this.from.moved || Math.hypot(x - this.from.x, y - this.from.y) > 4;
      } else if (this.from.moved || Math.hypot(x - this.from.x, y - this.from.y) > 3) {
        this.from.moved = true;
        this.drag(x, y, event);
      }
      this.draw();
    }

    up(event) {
      if (!this.touches.delete(event.pointerId) || this.touches.size || !this.from) return;
      if (this.drag && this.from.moved) { const now = this.blocks; this.blocks = this.from.before; this.remember(); this.blocks = now; this.keep(KEEP_MS); }
      if (!this.drag && !this.from.moved) this.chosen = -1;  // a click beside everything
      this.from = this.drag = null;
      this.draw();
    }

    /* A second finger: what the first one moved goes back. */
    cancel() { if (this.drag && this.from) this.blocks = this.from.before; this.drag = null; this.draw(); }

    pinch() {
      const [a, b] = [...this.touches.values()], now = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
      if (this.spread) this.zoom(this.spread / now);
      this.spread = now;
    }

    point(event) {
      const [x, y] = this.place(event), over = (this.handles || []).some((each) => each.hit(x, y) < HANDLE_PX) || this.painter.idAt(x / this.canvas.clientWidth, y / this.canvas.clientHeight);
      this.canvas.style.cursor = over ? "pointer" : "grab";
    }

    draw() {
      if (this.due || this.root.hidden) { this.tell(); return; }
      this.due = requestAnimationFrame(() => { this.due = 0; this.paint(); });
      this.tell();
    }

    paint() {
      const { canvas, view } = this, width = canvas.clientWidth, height = canvas.clientHeight, ratio = Math.min(2, window.devicePixelRatio || 1);
      if (!width || !height) return;
      if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
      view.fit(width, height);
      const fine = this.touches.size ? 1 : 2;  // while nothing moves twice as fine as it is shown, for soft edges
      this.painter.begin(view, width * fine, height * fine);
      this.blocks.forEach((each, i) => this.painter.draw(solid(each), rgbOf(each.colour), i + 1));
      if (this.at) this.painter.outline(this.chosen + 1, ACCENT, fine === 1 ? 2 : 3);
      const pen = canvas.getContext("2d");
      pen.setTransform(ratio, 0, 0, ratio, 0, 0);
      pen.clearRect(0, 0, width, height);
      this.floor(pen);
      pen.imageSmoothingQuality = "high";
      pen.drawImage(this.painter.end(), 0, 0, width, height);
      this.handles = this.drag && this.mode === "turn" ? this.handles : this.handlesNow();
      for (const handle of this.handles) { pen.strokeStyle = pen.fillStyle = handle.colour; pen.lineWidth = 2.25; pen.lineCap = "round"; handle.paint(pen); }
    }

    /* A grid, where the front is, and soft shadows. */
    floor(pen) {
      const { view } = this, half = 2, line = (a, b) => { const [x, y, d] = view.project(a), [u, v, e] = view.project(b); if (d > 0.1 && e > 0.1) { pen.beginPath(); pen.moveTo(x, y); pen.lineTo(u, v); pen.stroke(); } };
      pen.lineWidth = 1;
      for (let i = -4; i <= 4; i++) { pen.strokeStyle = i % 2 ? "#20201d0c" : "#20201d17"; line([i / 2, -half, 0], [i / 2, half, 0]); line([-half, i / 2, 0], [half, i / 2, 0]); }
      const [x, y, depth] = view.project([Math.max(0.4, ...this.blocks.map((each) => each.centre[0] + reach(each, 0))) + 0.25, 0, 0]);
      if (depth > 0.1) { pen.fillStyle = "#6b675d"; pen.font = "11px system-ui, sans-serif"; pen.textAlign = "center"; pen.fillText("front", x, y); }
      pen.save();
      pen.filter = "blur(5px)";
      pen.fillStyle = "#20201d1f";
      for (const each of this.blocks) {
        const faint = Math.max(0, each.centre[2] - reach(each, 2)), corners = hull(this.footprint(each).map((p) => view.project(p)));
        pen.globalAlpha = 1 / (1 + 2 * faint);
        pen.beginPath(); corners.forEach(([u, v], n) => n ? pen.lineTo(u, v) : pen.moveTo(u, v)); pen.fill();
      }
      pen.restore();
    }

    footprint(each) {
      const { points } = solid(each), found = [];
      for (let i = 0; i < points.length; i += each.kind === "box" ? 3 : 27) found.push([points[i], points[i + 1], 0]);
      return found;
    }

    /* Everything beside the picture. */
    tell() {
      const { at } = this;
      Object.assign(this.root.dataset, { count: this.blocks.length, chosen: this.chosen, mode: this.mode });
      this.hint.hidden = this.blocks.length > 0;
      for (const each of this.modes) each.setAttribute("aria-pressed", String(each.mode === this.mode));
      for (const each of this.own) each.disabled = !at;
      this.back[0].disabled = !this.past.length;
      this.back[1].disabled = !this.future.length;
      this.fields.toggleAttribute("data-on", Boolean(at));
      this.count.textContent = at ? `${NAMES[at.kind]} ${this.chosen + 1} of ${this.blocks.length}` : `${this.blocks.length} block${this.blocks.length === 1 ? "" : "s"}`;
      for (const { name, boxes } of this.numbers) boxes.forEach((box, k) => { box.disabled = !at; if (document.activeElement !== box || !at) box.value = at ? Number(at[name][k].toFixed(3)) : ""; });
      for (const swatch of this.swatches) { swatch.disabled = !at; swatch.setAttribute("aria-pressed", String(Boolean(at) && at.colour === swatch.dataset.colour)); }
      this.picker.disabled = !at;
      if (at) this.picker.value = at.colour;
    }
  }

  /* The outline of points (x, y), by A. M. Andrew's chain. */
  const hull = (points) => {
    const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]), half = (list) => {
      const out = [];
      for (const p of list) { while (out.length > 1 && (out[out.length - 1][0] - out[out.length - 2][0]) * (p[1] - out[out.length - 2][1]) <= (out[out.length - 1][1] - out[out.length - 2][1]) * (p[0] - out[out.length - 2][0])) out.pop(); out.push(p); }
      return out.slice(0, -1);
    };
    return [...half(sorted), ...half(sorted.reverse())];
  };

  /* A picture of blocks, for the card. */
  const portrait = (blocks, canvas) => {
    const view = new View(35, 20, 4, [0, 0, 0]), painter = new Painter();
    frame(view, blocks);
    painter.begin(view, canvas.width * 2, canvas.height * 2);
    blocks.forEach((each) => painter.draw(solid(each), rgbOf(each.colour), 1));
    canvas.getContext("2d").drawImage(painter.end(), 0, 0, canvas.width, canvas.height);
  };

  Object.assign(maquette, { Blocks, blockExamples: EXAMPLES, blockPortrait: portrait });
})();
