/* The chosen reference as a ghost over the live picture, seen from the same camera. A handle turns it, buttons choose which of
   its axes points up; both are written back into the settings. */
(() => {
  "use strict";
  const { View, Painter, about, times, cross, unit, plus } = maquette.solid;
  const UPS = ["auto", "z", "y", "-y", "x", "-x", "-z"], RING = 0.8, MARGIN_PX = 16, SNAP_DEG = 5, NEAR_DEG = 4;
  const make = (tag, look, text) => Object.assign(document.createElement(tag), { className: look || "", textContent: text || "" });
  const button = (title, text, act) => { const made = Object.assign(make("button", "", text), { type: "button", title }); made.addEventListener("click", act); return made; };
  const tidy = (degrees) => ((Math.round(degrees) + 540) % 360) - 180;

  /* The file that studio/reference_overlay.py sends. */
  const read = (buffer) => {
    const count = new DataView(buffer).getUint32(0, true), corners = new Int16Array(buffer.slice(4, 4 + 18 * count));
    return { corners: Float32Array.from(corners, (v) => v / 32767), colours: new Uint8Array(buffer, 4 + 18 * count, 3 * count) };
  };

  /* As the engine has it: turned about +z, the box in the middle, the farthest corner at distance 1. */
  const posed = ({ corners, colours }, turn) => {
    const R = about(2, turn), points = new Float32Array(corners.length), normals = new Float32Array(corners.length), low = [9, 9, 9], high = [-9, -9, -9];
    for (let i = 0; i < corners.length; i += 3) {
      const p = times(R, [corners[i], corners[i + 1], corners[i + 2]]);
      for (let k = 0; k < 3; k++) { points[i + k] = p[k]; low[k] = Math.min(low[k], p[k]); high[k] = Math.max(high[k], p[k]); }
    }
    let farthest = 1e-9;
    for (let i = 0; i < points.length; i += 3) {
      for (let k = 0; k < 3; k++) points[i + k] -= (low[k] + high[k]) / 2;
      farthest = Math.max(farthest, Math.hypot(points[i], points[i + 1], points[i + 2]));
    }
    for (let i = 0; i < points.length; i++) points[i] /= farthest;
    for (let t = 0; t < points.length; t += 9) {
      const corner = (k) => [points[t + k], points[t + k + 1], points[t + k + 2]], a = corner(0), n = unit(cross(plus(corner(3), a, -1), plus(corner(6), a, -1)));
      for (let i = 0; i < 9; i++) normals[t + i] = n[i % 3];
    }
    return { points, normals, colours, level: Math.max(-0.5, (low[2] - high[2]) / (2 * farthest)) };
  };

  class Ghost {
    constructor(figure, live) {
      Object.assign(this, { figure, live, on: false, of: "", up: "auto", turn: 0, mesh: null, painter: new Painter(), view: new View(0, 0, 3, [0, 0, 0]), seen: "", serial: 0 });
      this.canvas = make("canvas", "mq-ghost");
      this.knob = Object.assign(make("button", "mq-ghost-knob"), { type: "button", title: "Drag, or press the arrow keys, to turn the reference" });
      this.knob.setAttribute("aria-label", "Turn the reference");
      this.bar = make("div", "mq-ghost-bar");
      this.ups = UPS.map((up) => button(up === "auto" ? "Find which way is up" : `The model's ${up} axis points up`, up, () => this.write(up, this.turn)));
      this.note = make("output");
      this.bar.append(make("span", "", "Up"), ...this.ups, this.note);
      this.toggle = button("Show the reference over the picture", "", () => this.show(!this.on));
      this.toggle.dataset.act = "ghost";
      this.toggle.innerHTML = '<svg viewBox="0 0 20 20"><path d="M5 16V9a5 5 0 0 1 10 0v7l-1.700-1.500L11.700 16 10 14.500 8.300 16l-1.600-1.500zM8.300 9v.5M11.700 9v.5"/></svg>';
      figure.append(this.canvas, this.bar, this.knob);
      figure.querySelector(".mq-tools").prepend(this.toggle);
      this.drag();
      this.show(false);
    }

    take({ of, up, turn }) {
      const fetched = `${of} ${up}`;
      Object.assign(this, { of, up, turn });
      this.toggle.hidden = !of;
      for (const each of this.ups) each.setAttribute("aria-pressed", String(each.textContent === up));
      if (!of) this.show(false);
      if (this.on && fetched !== this.fetched) this.fetch(); else this.place();
    }

    show(on) {
      this.on = on;
      this.figure.toggleAttribute("data-ghost", on);
      this.toggle.setAttribute("aria-pressed", String(on));
      if (on) { if (this.fetched !== `${this.of} ${this.up}`) this.fetch(); this.follow(); }
    }

    async fetch() {
      const serial = ++this.serial, key = this.fetched = `${this.of} ${this.up}`;
      try {
        const response = await fetch(maquette.url(`/reference/ghost?${new URLSearchParams({ of: this.of, up: this.up })}`));
        if (!response.ok) { const told = await response.json(); throw new Error(`${told.title} ${told.remedy}`); }
        const raw = read(await response.arrayBuffer());
        if (serial !== this.serial) return;
        this.raw = raw;
        this.note.textContent = "";
      } catch (error) {
        if (serial !== this.serial) return;
        this.raw = null;
        this.fetched = "";
        this.note.textContent = error.message;
      }
      this.figure.dataset.ghostOf = key;
      this.place();
    }

    place() { this.mesh = this.raw ? posed(this.raw, this.turn) : null; this.seen = ""; }

    /* Once a frame while it is shown: the camera belongs to the live picture. */
    follow() {
      if (!this.on) return;
      const { azimuth, elevation, distance } = this.live.camera, key = [azimuth, elevation, distance, this.canvas.clientWidth, this.canvas.clientHeight].join();
      if (key !== this.seen) { this.seen = key; Object.assign(this.view, { azimuth, elevation, distance }); this.paint(); }
      requestAnimationFrame(() => this.follow());
    }

    paint() {
      const { canvas, view, mesh } = this, width = canvas.clientWidth, height = canvas.clientHeight, pen = canvas.getContext("2d");
      if (!width || !height) return;
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
      pen.clearRect(0, 0, width, height);
      view.fit(width, height);
      this.knob.hidden = !mesh;
      if (!mesh) return;
      this.painter.begin(view, width, height);
      this.painter.draw(mesh, null, 1, true);
      this.painter.outline(1, [29, 107, 92], 1);
      this.ring(pen);
      pen.globalAlpha = 0.5;
      pen.drawImage(this.painter.end(), 0, 0, width, height);
      pen.globalAlpha = 1;
      this.figure.dataset.ghostPixels = this.painter.ids.reduce((sum, id) => sum + (id === 1), 0);
    }

    /* Round the foot of the model, with the knob where its front is. */
    ring(pen) {
      const at = (degrees) => this.view.project([RING * Math.cos(degrees * Math.PI / 180), RING * Math.sin(degrees * Math.PI / 180), this.mesh.level]);
      pen.strokeStyle = "#1d6b5c80";
      pen.lineWidth = 1.5;
      pen.beginPath();
      for (let n = 0; n <= 360; n += NEAR_DEG) { const [x, y] = at(n); if (n) pen.lineTo(x, y); else pen.moveTo(x, y); }
      pen.stroke();
      const inside = (place, room) => Math.min(Math.max(place, MARGIN_PX), room - 2 * MARGIN_PX), [u, v] = at(this.turn), x = inside(u, this.view.width), y = inside(v, this.view.height);
      this.knob.style.transform = `translate(${x}px, ${y}px) translate(-50%, -50%)`;
    }

    drag() {
      let from = null;
      const angle = (event) => {
        const box = this.canvas.getBoundingClientRect(), ray = this.view.ray(event.clientX - box.left, event.clientY - box.top), t = (this.mesh.level - this.view.eye[2]) / ray[2], met = plus(this.view.eye, ray, t);
        return t > 0 && Math.abs(ray[2]) > 0.02 ? Math.atan2(met[1], met[0]) * 180 / Math.PI : null;
      };
      this.knob.addEventListener("pointerdown", (event) => { this.knob.setPointerCapture(event.pointerId); from = this.turn; });
      this.knob.addEventListener("pointermove", (event) => {
        const to = from === null || !this.mesh ? null : angle(event);
        if (to === null) return;
        this.turn = tidy(event.shiftKey ? to : Math.round(to / SNAP_DEG) * SNAP_DEG);
        this.place();
      });
      for (const name of ["pointerup", "pointercancel"]) this.knob.addEventListener(name, () => { if (from !== null && from !== this.turn) this.write(this.up, this.turn); from = null; });
      this.knob.addEventListener("keydown", (event) => {
        const step = { ArrowLeft: -SNAP_DEG, ArrowRight: SNAP_DEG }[event.key];
        if (step) { event.preventDefault(); this.write(this.up, tidy(this.turn + step)); }
      });
    }

    /* Into the settings, which tell the card, which tells this. */
    write(up, turn) { maquette.pose?.(up, turn); }
  }

  maquette.ghostMesh = { read, posed };
  maquette.mountPose = (props, trigger) => { maquette.pose = (up, turn) => { props.value = JSON.stringify({ up, turn }); trigger("input"); }; };
  document.addEventListener("mq-reference", ({ detail }) => {
    if (!maquette.ghost && maquette.stage) maquette.ghost = new Ghost(document.querySelector(".mq-live"), maquette.stage.live);
    maquette.ghost?.take(detail);
  });
})();
