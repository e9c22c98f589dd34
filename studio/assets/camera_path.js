/* A camera path: views that were taken from the live picture, in order, which a film runs through. The picture runs along it as
   engine/assets/export/camera_path.py will: cubics that never overshoot (PCHIP, Fritsch and Carlson 1980). */
(() => {
  "use strict";
  const NAMES = ["azimuth", "elevation", "distance"], MOST = 200;
  const make = (tag, look, text) => Object.assign(document.createElement(tag), { className: look || "", textContent: text || "" });
  const press = (look, text, label, act) => {
    const button = Object.assign(make("button", look, text), { type: "button", title: label });
    button.setAttribute("aria-label", label);
    button.addEventListener("click", act);
    return button;
  };

  /* Slopes at evenly spaced values: the harmonic mean of the two secants, none at a turning point; three-point formulas at the ends. */
  const slopes = (values) => {
    const secants = values.slice(1).map((value, i) => value - values[i]), last = secants.length - 1;
    const end = (near, far) => {
      const slope = (3 * near - far) / 2;
      if (Math.sign(slope) !== Math.sign(near)) return 0;
      return Math.sign(near) !== Math.sign(far) && Math.abs(slope) > 3 * Math.abs(near) ? 3 * near : slope;
    };
    if (secants.length === 1) return [secants[0], secants[0]];
    const inner = secants.slice(1).map((next, i) => (secants[i] * next > 0 ? 2 * secants[i] * next / (secants[i] + next) : 0));
    return [end(secants[0], secants[1]), ...inner, end(secants[last], secants[last - 1])];
  };

  /* The value at `place`, a number of keyframes from the first. */
  const along = (values, place) => {
    const i = Math.min(Math.floor(place), values.length - 2), t = place - i, m = slopes(values);
    return (1 + 2 * t) * (1 - t) ** 2 * values[i] + t * (1 - t) ** 2 * m[i] + t * t * (3 - 2 * t) * values[i + 1] + t * t * (t - 1) * m[i + 1];
  };

  class CameraPath {
    constructor(live, changed, seconds) {
      Object.assign(this, { live, changed, seconds, views: [], roots: [] });
      this.root = this.mount();
    }

    /* One more place that shows the path, and in which it can be changed. */
    mount() {
      const root = make("div", "mq-path");
      root.setAttribute("role", "group");
      root.setAttribute("aria-label", "Camera path");
      this.roots.push(root);
      this.draw();
      return root;
    }

    /* As an export wants it; "" for one even turn. */
    get value() {
      if (this.views.length < 2) return "";
      return JSON.stringify(this.views.map(({ azimuth, elevation, distance }) => ({ azimuth_deg: azimuth, elevation_deg: elevation, distance })));
    }

    add() {
      if (this.views.length >= MOST) return;
      const { azimuth, elevation, distance } = this.live.camera;
      this.views.push({ azimuth, elevation, distance });
      this.draw();
      this.changed();
    }

    draw() { for (const root of this.roots) root.replaceChildren(...this.parts()); }

    parts() {
      const chips = this.views.map((view, i) => {
        const chip = make("span", "mq-path-view");
        chip.append(
          press("", `${i + 1}`, `Look from view ${i + 1}: ${Math.round(view.azimuth)}° round, ${Math.round(view.elevation)}° up`, () => this.live.look(view)),
          press("mq-path-drop", "×", `Take view ${i + 1} out of the path`, () => { this.views.splice(i, 1); this.draw(); this.changed(); }));
        return chip;
      });
      const told = make("small", "", ["One even turn, until two views are added.", "One more view makes a path.", ""][Math.min(this.views.length, 2)]);
      const play = press("mq-export-quiet", this.playing ? "Stop" : "Play", "Run the live picture along the path", () => (this.playing ? this.stop() : this.play()));
      play.hidden = this.views.length < 2;
      const clear = press("mq-export-quiet", "Clear", "Take all views out of the path", () => { this.stop(); this.views = []; this.draw(); this.changed(); });
      clear.hidden = !this.views.length;
      return [...chips, press("mq-export-quiet", "Add this view", "Add where the live picture is looked at from now", () => this.add()), play, clear, told];
    }

    play() {
      const began = performance.now();
      this.playing = true;
      this.draw();
      const step = (now) => {
        if (!this.playing) return;
        const share = Math.min(1, (now - began) / 1000 / this.seconds()), place = share * (this.views.length - 1);
        this.live.look(Object.fromEntries(NAMES.map((name) => [name, along(this.views.map((view) => view[name]), place)])));
        if (share < 1) requestAnimationFrame(step); else this.stop();
      };
      requestAnimationFrame(step);
    }

    stop() { this.playing = false; this.draw(); }
  }

  Object.assign(maquette, { CameraPath, alongPath: along });
})();
