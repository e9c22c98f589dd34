/* Tools of the picture card: a square to drag over a picture, a dial for where the camera stood, and a camera to take one with. */
(() => {
  "use strict";
  const make = (tag, look, text) => Object.assign(document.createElement(tag), { className: look || "", textContent: text || "" });
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
  const tools = maquette.pictureTools = { make };
  const CORNERS = [[-1, -1], [1, -1], [-1, 1], [1, 1]];
  const LEAST = 0.05, ROOM = 1.16;  // of the picture's longer side: the smallest square, and what is at least in sight

  /* Follow one pointer from press to release; `moved` is told how far it came, in pixels, since the press. */
  const follow = (element, begin) => element.addEventListener("pointerdown", (press) => {
    const moved = begin(press);
    if (!moved) return;
    press.preventDefault();
    element.setPointerCapture(press.pointerId);
    const move = (event) => moved(event.clientX - press.clientX, event.clientY - press.clientY, event, false);
    const done = (event) => {
      for (const [name, act] of [["pointermove", move], ["pointerup", done], ["pointercancel", done]]) element.removeEventListener(name, act);
      moved(event.clientX - press.clientX, event.clientY - press.clientY, event, true);
    };
    for (const [name, act] of [["pointermove", move], ["pointerup", done], ["pointercancel", done]]) element.addEventListener(name, act);
  });

  /* `square` is [centre x, centre y, side] in shares of the picture's width, height and longer side. `changed(square, done)`. */
  tools.CropSquare = class {
    constructor(changed) {
      Object.assign(this, { changed, square: [0.5, 0.5, 1], width: 1, height: 1, room: ROOM });
      this.root = make("div", "mq-crop mq-checked");
      this.picture = Object.assign(make("img"), { alt: "The picture, cut out", draggable: false });
      this.box = Object.assign(make("div", "mq-crop-box"), { tabIndex: 0 });
      this.box.setAttribute("role", "group");
      this.box.setAttribute("aria-label", "Crop. Arrow keys move it, plus and minus resize it.");
      this.box.append(...CORNERS.map(([x, y]) => Object.assign(make("i"), { title: "Drag to resize" })));
      this.root.append(this.picture, this.box);
      follow(this.box, (press) => this.begin(press));
      this.box.addEventListener("keydown", (event) => this.key(event));
    }

    show(look, square) {
      Object.assign(this, { width: look.width, height: look.height, square: [...square] });
      if (this.picture.src !== look.whole) this.picture.src = look.whole;
      const [x, y, side] = square, reach = Math.max(Math.abs(x - 0.5) * this.width, Math.abs(y - 0.5) * this.height) / this.longer + side / 2;
      this.room = Math.max(ROOM, 2.1 * reach);
      this.place();
    }

    get longer() { return Math.max(this.width, this.height); }

    /* Shares of the field: the picture stands in its middle with some room around it. */
    place() {
      const { room } = this, [w, h] = [this.width / this.longer / room, this.height / this.longer / room], [x, y, side] = this.square, share = (value) => `${100 * value}%`;
      Object.assign(this.picture.style, { left: share((1 - w) / 2), top: share((1 - h) / 2), width: share(w), height: share(h) });
      const size = side / room;
      Object.assign(this.box.style, { left: share((1 - w) / 2 + x * w - size / 2), top: share((1 - h) / 2 + y * h - size / 2), width: share(size), height: share(size) });
    }

    begin(press) {
      const [x, y, side] = this.square, pixels = this.root.clientWidth / this.room, corner = CORNERS[[...this.box.children].indexOf(press.target)];
      const sx = pixels * this.width / this.longer, sy = pixels * this.height / this.longer;
      if (!corner) return (dx, dy, event, done) => this.set([x + dx / sx, y + dy / sy, side], done);
      return (dx, dy, event, done) => {
        const grown = Math.max(corner[0] * dx, corner[1] * dy) / pixels, wanted = clamp(side + grown, LEAST, 2), shift = (wanted - side) / 2 * pixels;
        this.set([x + corner[0] * shift / sx, y + corner[1] * shift / sy, wanted], done);
      };
    }

    key(event) {
      const step = event.shiftKey ? 0.05 : 0.01, [x, y, side] = this.square;
      const moves = { ArrowLeft: [x - step, y, side], ArrowRight: [x + step, y, side], ArrowUp: [x, y - step, side], ArrowDown: [x, y + step, side],
        "+": [x, y, side + 2 * step], "=": [x, y, side + 2 * step], "-": [x, y, side - 2 * step] };
      if (!moves[event.key]) return;
      event.preventDefault();
      this.set(moves[event.key], true);
    }

    set([x, y, side], done) {
      this.square = [clamp(x, 0, 1), clamp(y, 0, 1), clamp(side, LEAST, 2)];
      this.place();
      this.changed(this.square, done);
    }
  };

  /* The object from above, its front below; the dot is the camera. `changed(degrees, done)`. */
  tools.Dial = class {
    constructor(changed) {
      this.changed = changed;
      this.root = Object.assign(make("div", "mq-dial"), { tabIndex: 0, title: "Where the camera stood, from above. Drag it round the object." });
      this.root.innerHTML = '<svg viewBox="-50 -50 100 100" aria-hidden="true"><circle class="mq-dial-ring" r="38"/><path class="mq-dial-thing" d="M-13-11h26v18l-13 9-13-9z"/><g><path class="mq-dial-sight" d="M0 38L-13 8h26z"/><circle class="mq-dial-eye" cy="38" r="8"/></g></svg>';
      this.root.setAttribute("role", "slider");
      for (const [name, value] of [["aria-label", "Camera azimuth in degrees, 0 in front"], ["aria-valuemin", -180], ["aria-valuemax", 180]]) this.root.setAttribute(name, value);
      follow(this.root, (press) => (dx, dy, event, done) => this.aim(event, done));
      this.root.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 5, ArrowUp: 5, ArrowLeft: -5, ArrowDown: -5, PageUp: 45, PageDown: -45 }[event.key];
        if (step) { event.preventDefault(); this.set(this.degrees + step, true); }
      });
    }

    aim(event, done) {
      const at = this.root.getBoundingClientRect();
      const degrees = Math.atan2(event.clientX - at.left - at.width / 2, event.clientY - at.top - at.height / 2) * 180 / Math.PI;
      this.set(Math.round(degrees / 5) * 5, done);
    }

    set(degrees, done) { this.show(degrees); this.changed(this.degrees, done); }

    show(degrees) {
      this.degrees = tools.turned(degrees);
      this.root.querySelector("g").setAttribute("transform", `rotate(${-this.degrees})`);
      this.root.setAttribute("aria-valuenow", this.degrees);
      this.root.setAttribute("aria-valuetext", tools.side(this.degrees));
    }
  };

  /* Degrees in -180..180. */
  tools.turned = (degrees) => { const turn = ((degrees % 360) + 360) % 360; return Math.round(10 * (turn > 180 ? turn - 360 : turn)) / 10; };
  tools.side = (degrees) => maquette.sideName(degrees);

  const REFUSED = { NotAllowedError: "The browser was not allowed to use the camera. Allow it beside the address, then try again.",
    NotFoundError: "This device has no camera. Drop or choose a picture instead.", NotReadableError: "Another program is using the camera. Close it, then try again." };

  /* A moving picture and a button that takes a still. `taken(file)`; `told(sentence)` says why there is none. */
  tools.Camera = class {
    constructor(taken, told) {
      Object.assign(this, { taken, told, stream: null, count: 0 });
      this.root = Object.assign(make("div", "mq-camera"), { hidden: true });
      this.video = Object.assign(make("video"), { autoplay: true, muted: true, playsInline: true });
      this.still = Object.assign(make("button", "mq-pic-button mq-camera-still", "Take picture"), { type: "button" });
      const close = Object.assign(make("button", "mq-pic-button", "Close camera"), { type: "button" }), row = make("div", "mq-camera-acts");
      row.append(this.still, close);
      this.root.append(this.video, row);
      this.still.addEventListener("click", () => this.take());
      close.addEventListener("click", () => this.close());
    }

    async open() {
      if (!navigator.mediaDevices?.getUserMedia) { this.told("A camera needs this page at localhost or over https."); return; }
      try {
        this.stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
      } catch (error) { this.told(REFUSED[error.name] || `The camera cannot be used: ${error.message || error.name}`); return; }
      this.video.srcObject = this.stream;
      this.root.hidden = false;
      this.root.scrollIntoView({ block: "nearest" });
      this.still.focus();
    }

    take() {
      const { videoWidth: width, videoHeight: height } = this.video;
      if (!width) return;
      const canvas = Object.assign(document.createElement("canvas"), { width, height });
      canvas.getContext("2d").drawImage(this.video, 0, 0);
      canvas.toBlob((blob) => this.taken(new File([blob], `camera-${++this.count}.jpg`, { type: "image/jpeg" })), "image/jpeg", 0.93);
      this.close();
    }

    close() {
      for (const track of this.stream ? this.stream.getTracks() : []) track.stop();
      this.stream = this.video.srcObject = null;
      this.root.hidden = true;
    }
  };
})();
