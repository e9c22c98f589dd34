/* The second half of the stage, switched to what is needed just then. It turns with the live picture: from behind, or the reference
   from the same side; a given picture turns the live one to its own camera; with WebGL in the browser the shape can be walked
   round in 3D. What was chosen last is kept in the page's address. */
(() => {
  "use strict";
  const FRAME = 0, BEHIND_DEG = 180, IN_ADDRESS = "half", NEAR_DEG = 8;
  const make = (tag, look, text) => Object.assign(document.createElement(tag), { className: look || "", textContent: text || "" });
  const apart = (a, b) => Math.abs(((a - b) % 360 + 540) % 360 - 180);

  /* Nearest picture of a row from all round; `turn` is how far the object is turned beyond what the row shows. */
  const fromRow = (canvas, row, azimuth) => {
    const size = row.naturalHeight, count = Math.round(row.naturalWidth / size);
    const frame = ((Math.round(azimuth * count / 360) % count) + count) % count;
    if (canvas.width !== size || canvas.height !== size) canvas.width = canvas.height = size;
    const pen = canvas.getContext("2d");
    pen.clearRect(0, 0, size, size);
    pen.drawImage(row, frame * size, 0, size, size, 0, 0, size, size);
  };
  const loaded = (address) => new Promise((done, failed) => { const image = new Image(); image.onload = () => done(image); image.onerror = failed; image.src = address; });

  class Beside {
    constructor(stage, way) {
      Object.assign(this, { stage, way, token: "", row: null, shots: [], shot: 0 });
      this.viewer = stage.live.viewer = Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
      this.pane = stage.find(".mq-view");
      this.canvas = this.pane.querySelector("canvas");
      this.frame = stage.find("#mq-viewport");
      this.choices = this.pane.querySelector(".mq-halves");
      this.shotRow = this.pane.querySelector(".mq-shots");
      this.choices.addEventListener("click", (event) => { const half = event.target.closest("[data-half]"); if (half) this.choose(half.dataset.half); });
      maquette.steer(this.canvas, stage.live);
      this.live = new maquette.Live({ status: () => {}, picture: (...parts) => this.picture(...parts), connection: () => {} });
      this.live.look = (camera) => this.turned(camera);
      stage.live.followers.add(this.live);
      this.watching = new ResizeObserver(() => maquette.fit(this.canvas, this.live));
      this.watching.observe(this.canvas);
      this.wanted = new URL(window.location.href).searchParams.get(IN_ADDRESS) || "";
      document.addEventListener("mq-status", (event) => this.offer(event.detail));
      this.offer({});
      this.show(this.first);
    }

    open(token) {
      Object.assign(this, { token, row: null, shots: [], shot: 0 });
      this.canvas.getContext("2d").clearRect(0, 0, this.canvas.width, this.canvas.height);
      this.offer({});
      this.show(this.half);
    }

    get first() { return this.way === "none" || this.way === "shared" ? "behind" : "walk"; }
    button(half) { return this.choices.querySelector(`[data-half="${half}"]`); }
    offered(half) { return Boolean(this.button(half)) && !this.button(half).hidden; }

    /* Which halves there are: a picture and a reference only where the run has one, walking only where the browser can draw. */
    offer({ reference, pictures, moments = this.stage.film?.moments.length }) {
      this.button("before").hidden = !(moments > 1);
      this.button("reference").hidden = !reference;
      this.button("picture").hidden = !pictures;
      this.button("walk").hidden = this.way === "none";
      if (!this.offered(this.half)) this.show(this.first);
      if (this.wanted && this.half !== this.wanted && this.offered(this.wanted)) this.show(this.wanted);
    }

    /* By hand: kept in the address, and taken up again by the next run that has it. */
    choose(half) {
      this.wanted = half;
      maquette.setAddress(IN_ADDRESS, half === this.first ? "" : half);
      this.show(half);
    }

    show(half) {
      this.half = this.pane.dataset.half = half;
      for (const button of this.choices.children) button.setAttribute("aria-pressed", String(button.dataset.half === half));
      const way = this.way === "splats" ? "splats" : "pictures", walks = half === "walk" && this.token;
      const walked = walks ? maquette.url(`/viewport/client/#${this.token}/${way}/${this.viewer}`) : "about:blank";
      if (this.walked !== walked) this.frame.src = this.walked = walked;
      this.shotRow.hidden = half !== "picture";
      if (half === "before" && this.token) this.readMoment();
      this.stage.film?.drawBar();
      if (half === "behind" && this.token) { this.turned(this.stage.live.camera); this.live.open(this.token); } else this.live.close();
      if (half === "reference" && this.token) this.readReference();
      if (half === "picture" && this.token) this.readPictures();
    }

    turned(camera) {
      const { azimuth, elevation } = this.stage.live.camera;
      if (["reference", "before"].includes(this.half) && this.row) fromRow(this.canvas, this.row, azimuth);
      if (this.half === "picture") this.markShot(azimuth, elevation);
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

    async readReference() {
      this.row = null;
      const { up, turn } = maquette.reference, of = maquette.reference.visible();
      if (!of) return;
      const row = await loaded(maquette.url(`/reference/sides?${new URLSearchParams({ of, up, turn })}`));
      if (this.half === "reference") { this.row = row; this.turned({}); }
    }

    /* The shape as it was: at the moment that was chosen in the filmstrip, or at the first. */
    async readMoment() {
      const { film } = this.stage, moment = film.moment || film.moments[0];
      if (!moment) return;
      if (!film.moment) { film.chosen = moment.total_step; film.draw(); }
      const row = await loaded(film.picture(moment));
      if (this.half === "before") { this.row = row; this.turned({}); this.pane.dataset.shown = `step ${moment.total_step}`; }
    }

    /* The run's own pictures, as it sees them; the first one's camera is taken at once. */
    async readPictures() {
      const { token } = this;
      if (!this.shots.length) {
        let told;
        try { told = await (await fetch(maquette.url(`/given/${token}`))).json(); } catch { return; }
        if (token !== this.token || !Array.isArray(told)) return;
        this.shots = await Promise.all(told.map(async (shot) => ({ ...shot, image: await loaded(shot.frame) })));
      }
      if (this.half !== "picture" || token !== this.token) return;
      this.shotRow.replaceChildren(...this.shots.map((shot, i) => {
        const button = Object.assign(make("button", "", maquette.sideName(shot.azimuth)), { type: "button", title: "Turn the live picture to this one's camera" });
        button.addEventListener("click", () => this.lookFrom(i));
        return button;
      }));
      this.lookFrom(Math.min(this.shot, this.shots.length - 1));
    }

    lookFrom(i) {
      const { image, azimuth, elevation, distance } = this.shots[i], pen = this.canvas.getContext("2d");
      this.shot = i;
      Object.assign(this.canvas, { width: image.naturalWidth, height: image.naturalHeight });
      pen.drawImage(image, 0, 0);
      this.pane.dataset.shown = "picture";
      this.stage.live.look({ azimuth, elevation, distance });
    }

    /* Whether the live picture still stands where the shown one was taken from. */
    markShot(azimuth, elevation) {
      for (const [i, button] of [...this.shotRow.children].entries()) {
        const shot = this.shots[i], there = apart(azimuth, shot.azimuth) < NEAR_DEG && Math.abs(elevation - shot.elevation) < NEAR_DEG;
        button.setAttribute("aria-pressed", String(i === this.shot && there));
        button.toggleAttribute("data-shown", i === this.shot);
      }
    }

    close() { this.live.close(); this.frame.src = this.walked = "about:blank"; }
  }

  Object.assign(maquette, { Beside });
})();
