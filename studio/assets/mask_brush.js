/* A brush that corrects how an object was cut out: what is left out lies under a veil, strokes add or remove, each can be undone. */
(() => {
  "use strict";
  const { make } = maquette.pictureTools;
  const VEIL = "rgb(163 58 41 / 62%)", STEP = 12, SIZES = [1, 30], HELP = "Paint with the pointer, or move with the arrow keys and press Space to dab. X swaps add and remove, [ and ] change the size, Ctrl+Z undoes, Escape leaves.";
  const loaded = (address) => new Promise((done, failed) => { const image = new Image(); image.onload = () => done(image); image.onerror = failed; image.src = address; });
  const blank = (width, height) => Object.assign(document.createElement("canvas"), { width, height });

  maquette.pictureTools.MaskBrush = class {
    /* `done(blob)` gets the corrected picture as a PNG with alpha; `left()` is called when nothing is to change. */
    constructor(done, left) {
      Object.assign(this, { done, left, adds: true, strokes: [], stroke: null, at: null });
      this.root = Object.assign(make("div", "mq-mask"), { hidden: true });
      this.canvas = Object.assign(make("canvas"), { tabIndex: 0, title: HELP });
      this.canvas.setAttribute("role", "application");
      this.canvas.setAttribute("aria-label", `The picture with its outline. ${HELP}`);
      this.says = make("small", "mq-unseen");
      this.says.setAttribute("role", "status");
      const button = (text, act, title = "") => { const made = Object.assign(make("button", "mq-pic-button", text), { type: "button", title }); made.addEventListener("click", act); return made; };
      this.add = button("Add", () => this.choose(true), "Paint what belongs to the object");
      this.remove = button("Remove", () => this.choose(false), "Paint what does not");
      this.size = Object.assign(make("input"), { type: "range", min: SIZES[0], max: SIZES[1], value: 8, title: "Size of the brush" });
      this.size.setAttribute("aria-label", "Size of the brush, in percent of the picture");
      this.size.addEventListener("input", () => this.draw());
      this.undo = button("Undo", () => this.takeBack(), "Take the last stroke back");
      this.use = button("Use this outline", () => this.finish());
      this.use.classList.add("mq-mask-use");
      const [kinds, acts] = [make("div", "mq-mask-kinds"), make("div", "mq-mask-acts")];
      kinds.setAttribute("role", "group");
      kinds.setAttribute("aria-label", "What the brush does");
      kinds.append(this.add, this.remove);
      acts.append(this.use, button("Leave it", () => this.close()));
      const row = make("div", "mq-mask-row");
      row.append(kinds, this.size, this.undo);
      this.root.append(this.canvas, row, acts, this.says);
      this.listen();
    }

    /* Show a picture and its cut, which have one size. */
    async open(original, cut) {
      const [picture, first] = await Promise.all([loaded(original), loaded(cut)]);
      Object.assign(this, { picture, first, strokes: [], stroke: null, at: null });
      Object.assign(this.canvas, { width: picture.naturalWidth, height: picture.naturalHeight });
      this.mask = blank(this.canvas.width, this.canvas.height);
      this.root.hidden = false;
      this.choose(true);
      this.replay();
    }

    close() { if (this.root.hidden) return; this.root.hidden = true; this.left(); }

    get radius() { return Math.max(2, this.size.value / 200 * Math.max(this.canvas.width, this.canvas.height)); }

    choose(adds) {
      this.adds = adds;
      this.add.setAttribute("aria-pressed", String(adds));
      this.remove.setAttribute("aria-pressed", String(!adds));
      this.draw();
    }

    listen() {
      const { canvas } = this, place = (event) => {
        const box = canvas.getBoundingClientRect();
        return [(event.clientX - box.left) * canvas.width / box.width, (event.clientY - box.top) * canvas.height / box.height];
      };
      canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); this.begin(place(event)); });
      canvas.addEventListener("pointermove", (event) => { this.at = place(event); if (this.stroke) this.extend(this.at); else this.draw(); });
      for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => this.end());
      canvas.addEventListener("pointerleave", () => { if (!this.stroke) { this.at = null; this.draw(); } });
      this.root.addEventListener("keydown", (event) => this.key(event));
    }

    key(event) {
      const moves = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }, own = event.target === this.canvas;
      if (event.key === "Escape") this.close();
      else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") this.takeBack();
      else if (own && event.key in moves) this.step(moves[event.key]);
      else if (own && (event.key === " " || event.key === "Enter")) { this.begin(this.at || this.middle); this.end(); }
      else if (event.key.toLowerCase() === "x") this.choose(!this.adds);
      else if (event.key === "[" || event.key === "]") { this.size.value = Number(this.size.value) + (event.key === "]" ? 2 : -2); this.draw(); }
      else return;
      event.preventDefault();
      event.stopPropagation();
    }

    get middle() { return [this.canvas.width / 2, this.canvas.height / 2]; }
    step([x, y]) {
      const [left, top] = this.at || this.middle, { width, height } = this.canvas;
      this.at = [Math.min(width, Math.max(0, left + x)), Math.min(height, Math.max(0, top + y))];
      this.draw();
    }

    begin(point) { this.stroke = { adds: this.adds, radius: this.radius, points: [point] }; this.at = point; this.mark(this.stroke); this.draw(); }
    extend(point) { this.stroke.points.push(point); this.mark(this.stroke, this.stroke.points.length - 2); this.draw(); }
    end() {
      if (!this.stroke) return;
      this.strokes.push(this.stroke);
      this.stroke = null;
      this.tell();
    }

    takeBack() { if (this.strokes.pop()) this.replay(); }

    /* The outline as it was found, and all strokes again. */
    replay() {
      const pen = this.mask.getContext("2d");
      pen.globalCompositeOperation = "source-over";
      pen.clearRect(0, 0, this.mask.width, this.mask.height);
      pen.drawImage(this.first, 0, 0, this.mask.width, this.mask.height);
      for (const stroke of this.strokes) this.mark(stroke);
      this.tell();
      this.draw();
    }

    /* A stroke from its point number `from` on, into the mask: only its alpha counts. */
    mark({ adds, radius, points }, from = 0) {
      const pen = this.mask.getContext("2d");
      Object.assign(pen, { globalCompositeOperation: adds ? "source-over" : "destination-out", lineCap: "round", lineJoin: "round", lineWidth: 2 * radius });
      pen.beginPath();
      pen.arc(...points[from], radius, 0, 7);  // a line to where it begins is drawn as nothing
      pen.fill();
      pen.beginPath();
      pen.moveTo(...points[from]);
      for (const point of points.slice(from)) pen.lineTo(...point);
      pen.stroke();
    }

    tell() {
      this.undo.disabled = !this.strokes.length;
      this.use.disabled = !this.strokes.length;
      this.root.dataset.strokes = this.strokes.length;
      this.says.textContent = this.strokes.length === 1 ? "1 stroke" : `${this.strokes.length} strokes`;
    }

    draw() {
      if (!this.picture) return;
      const { width, height } = this.canvas, pen = this.canvas.getContext("2d"), veil = blank(width, height), under = veil.getContext("2d");
      under.fillStyle = VEIL;
      under.fillRect(0, 0, width, height);
      under.globalCompositeOperation = "destination-out";
      under.drawImage(this.mask, 0, 0);
      pen.drawImage(this.picture, 0, 0, width, height);
      pen.drawImage(veil, 0, 0);
      if (!this.at) return;
      Object.assign(pen, { lineWidth: Math.max(2, width / 250), strokeStyle: this.adds ? "#1d6b5c" : "#a33a29" });
      pen.beginPath();
      pen.arc(...this.at, this.radius, 0, 7);
      pen.stroke();
    }

    /* The picture with the mask for its alpha. */
    finish() {
      const { width, height } = this.canvas, cut = blank(width, height), pen = cut.getContext("2d");
      pen.drawImage(this.picture, 0, 0, width, height);
      pen.globalCompositeOperation = "destination-in";
      pen.drawImage(this.mask, 0, 0);
      cut.toBlob((blob) => { this.root.hidden = true; this.done(blob); }, "image/png");
    }
  };
})();
