/* The second half of the stage. It turns with the live picture: from behind, or the reference from the same side; with a GPU in the
   browser, the splats themselves can be walked round there instead. */
(() => {
  "use strict";
  const FRAME = 0, BEHIND_DEG = 180;
  const make = (tag, look, text) => Object.assign(document.createElement(tag), { className: look || "", textContent: text || "" });

  /* Nearest picture of a row from all round; `turn` is how far the object is turned beyond what the row shows. */
  const fromRow = (canvas, row, azimuth) => {
    const size = row.naturalHeight, count = Math.round(row.naturalWidth / size);
    const frame = ((Math.round(azimuth * count / 360) % count) + count) % count;
    if (canvas.width !== size) canvas.width = canvas.height = size;
    const pen = canvas.getContext("2d");
    pen.clearRect(0, 0, size, size);
    pen.drawImage(row, frame * size, 0, size, size, 0, 0, size, size);
  };

  class Beside {
    constructor(stage, way) {
      Object.assign(this, { stage, way, token: "", row: null });
      this.pane = stage.find(".mq-view");
      this.canvas = this.pane.querySelector("canvas");
      this.frame = stage.find("#mq-viewport");
      this.choices = this.pane.querySelector(".mq-halves");
      this.choices.addEventListener("click", (event) => { const half = event.target.closest("[data-half]"); if (half) this.show(half.dataset.half); });
      maquette.steer(this.canvas, stage.live);
      this.live = new maquette.Live({ status: () => {}, picture: (...parts) => this.picture(...parts), connection: () => {} });
      this.live.look = (camera) => this.turned(camera);
      stage.live.followers.add(this.live);
      this.watching = new ResizeObserver(() => maquette.fit(this.canvas, this.live));
      this.watching.observe(this.canvas);
      document.addEventListener("mq-status", (event) => this.offer(Boolean(event.detail.reference)));
      this.offer(false);
      this.show(this.first);
    }

    open(token) {
      Object.assign(this, { token, row: null });
      this.canvas.getContext("2d").clearRect(0, 0, this.canvas.width, this.canvas.height);
      this.show(this.half === "reference" ? this.first : this.half);
    }

    get first() { return this.way === "none" || this.way === "shared" ? "behind" : "walk"; }

    /* Which halves there are: a reference only where the run has one, walking only where the browser can draw. */
    offer(reference) {
      this.choices.querySelector('[data-half="reference"]').hidden = !reference;
      this.choices.querySelector('[data-half="walk"]').hidden = this.way === "none";
      if (!reference && this.half === "reference") this.show(this.first);
    }

    show(half) {
      this.half = this.pane.dataset.half = half;
      for (const button of this.choices.children) button.setAttribute("aria-pressed", String(button.dataset.half === half));
      const way = this.way === "splats" ? "splats" : "pictures", walks = half === "walk" && this.token;
      const walked = walks ? maquette.url(`/viewport/client/#${this.token}/${way}`) : "about:blank";
      if (this.walked !== walked) this.frame.src = this.walked = walked;
      if (half === "behind" && this.token) { this.turned(this.stage.live.camera); this.live.open(this.token); } else this.live.close();
      if (half === "reference" && this.token) this.readReference();
    }

    turned(camera) {
      if (this.half === "reference" && this.row) fromRow(this.canvas, this.row, this.stage.live.camera.azimuth);
      if (this.half !== "behind") return;
      const behind = { ...this.stage.live.camera, ...camera };
      maquette.Live.prototype.look.call(this.live, { ...behind, azimuth: behind.azimuth + BEHIND_DEG });
    }

    picture(kind, bitmap) {
      if (kind !== FRAME || this.half !== "behind") return;
      if (this.canvas.width !== bitmap.width || this.canvas.height !== bitmap.height) Object.assign(this.canvas, { width: bitmap.width, height: bitmap.height });
      this.canvas.getContext("2d").drawImage(bitmap, 0, 0);
      this.pane.dataset.frames = Number(this.pane.dataset.frames || 0) + 1;
    }

    readReference() {
      const row = new Image();
      row.onload = () => { if (this.half === "reference") { this.row = row; this.turned({}); } };
      const { up, turn } = maquette.reference, of = maquette.reference.visible();
      if (of) row.src = maquette.url(`/reference/sides?${new URLSearchParams({ of, up, turn })}`);
    }

    close() { this.live.close(); this.frame.src = this.walked = "about:blank"; }
  }

  Object.assign(maquette, { Beside });
})();
