/* The live stream: one WebSocket to /live/{token}. Pictures come in, acknowledgements and the camera go out. */
(() => {
  "use strict";
  const HEADER_BYTES = 16, UNKNOWN_RUN = 4404, LONGEST_WAIT_MS = 8000, LARGEST_SIDE = 512;

  class Live {
    /* `on` has status(object), picture(kind, bitmap, header), connection(word). */
    constructor(on) {
      this.on = on;
      this.token = "";
      this.camera = { azimuth: 35, elevation: 18, distance: 3.05 };
      this.size = null;
      this.waitMs = 500;
      this.cameraDue = false;
      this.layer = "colour";
      this.crop = [];  // the box that the 3D viewport shows with grips, and who takes it when it was dragged there
      this.cropTaken = () => {};
      this.viewer = "";  // the name by which this camera is linked with that of the 3D viewport
      this.followers = new Set();  // others whose look(camera) goes along
    }

    open(token) {
      if (token === this.token && this.socket && this.socket.readyState <= WebSocket.OPEN) return;
      this.close();
      this.token = token;
      if (token) this.connect();
    }

    close() {
      clearTimeout(this.retry);
      this.token = "";
      if (this.socket) { this.socket.onclose = null; this.socket.close(); this.socket = null; }
    }

    connect() {
      this.on.connection("connecting");
      const socket = this.socket = new WebSocket(maquette.socketUrl(`/live/${this.token}`));
      socket.binaryType = "arraybuffer";
      socket.onopen = () => { this.waitMs = 500; this.on.connection("open"); this.send({ viewer: this.viewer, layer: this.layer }); if (this.crop.length) this.setCrop(this.crop); this.sendSize(); this.sendCamera(); };
      socket.onmessage = (event) => typeof event.data === "string" ? this.hear(JSON.parse(event.data)) : this.draw(socket, event.data);
      socket.onclose = (event) => {
        this.on.connection(event.code === UNKNOWN_RUN ? "unknown" : "lost");
        if (event.code === UNKNOWN_RUN) return;
        this.retry = setTimeout(() => this.connect(), this.waitMs);
        this.waitMs = Math.min(this.waitMs * 2, LONGEST_WAIT_MS);
      };
    }

    /* The run's status, or where in the viewport of this page the camera was turned to, or the box was dragged to. */
    hear(message) {
      if (message.crop) { this.crop = message.crop; this.cropTaken(message.crop); return; }
      if (!message.turned) { this.on.status(message); return; }
      const [azimuth, elevation, distance] = message.turned;
      Object.assign(this.camera, { azimuth, elevation, distance });
      for (const follower of this.followers) follower.look(this.camera);
    }

    async draw(socket, data) {
      const [kind, serial, step, revision] = new Uint32Array(data, 0, 4);
      try {
        const bitmap = await createImageBitmap(new Blob([new Uint8Array(data, HEADER_BYTES)], { type: "image/jpeg" }));
        if (socket === this.socket) this.on.picture(kind, bitmap, { serial, step, revision });
        bitmap.close();
      } finally {
        this.send({ ack: serial });
      }
    }

    send(message) {
      if (this.socket && this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
    }

    setLayer(layer) { this.layer = layer; this.send({ layer }); }

    setCrop(box, taken = this.cropTaken) { Object.assign(this, { crop: box, cropTaken: taken }); this.send({ crop: box }); }

    /* At most one camera message for each animation frame. */
    look(camera) {
      Object.assign(this.camera, camera);
      for (const follower of this.followers) follower.look(camera);
      if (this.cameraDue) return;
      this.cameraDue = true;
      requestAnimationFrame(() => { this.cameraDue = false; this.sendCamera(); });
    }

    sendCamera() { this.send({ camera: [this.camera.azimuth, this.camera.elevation, this.camera.distance] }); }

    resize(width, height) { this.size = [width, height]; this.sendSize(); }

    sendSize() { if (this.size) this.send({ size: this.size }); }
  }

  /* Drag, wheel, pinch and arrow keys on `canvas` turn `live.camera`. */
  const steer = (canvas, live) => {
    const touches = new Map();
    let spread = 0;
    const turn = (x, y) => live.look({
      azimuth: live.camera.azimuth - x * 0.45, elevation: Math.min(85, Math.max(-85, live.camera.elevation + y * 0.35)) });
    const zoom = (factor) => live.look({ distance: Math.min(8, Math.max(1.6, live.camera.distance * factor)) });
    canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); touches.set(event.pointerId, event); spread = 0; });
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => { touches.delete(event.pointerId); spread = 0; });
    canvas.addEventListener("pointermove", (event) => {
      const before = touches.get(event.pointerId);
      if (!before) return;
      touches.set(event.pointerId, event);
      if (touches.size === 1) { turn(event.clientX - before.clientX, event.clientY - before.clientY); return; }
      const [a, b] = [...touches.values()], now = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
      if (spread) zoom(spread / now);
      spread = now;
    });
    canvas.addEventListener("wheel", (event) => { event.preventDefault(); zoom(Math.exp(event.deltaY * 0.001)); }, { passive: false });
    canvas.addEventListener("keydown", (event) => {
      const moves = { ArrowLeft: [-20, 0], ArrowRight: [20, 0], ArrowUp: [0, 15], ArrowDown: [0, -15] };
      if (event.key in moves) { event.preventDefault(); turn(...moves[event.key]); }
      if (event.key === "+" || event.key === "-") zoom(event.key === "+" ? 0.9 : 1.1);
    });
  };

  /* Pictures as large as `canvas` is on the screen, within reason. */
  const fit = (canvas, live) => {
    const ratio = Math.min(LARGEST_SIDE / Math.max(canvas.clientWidth, canvas.clientHeight, 1), window.devicePixelRatio || 1);
    if (canvas.clientWidth) live.resize(Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio));
  };

  maquette.Live = Live;
  maquette.fit = fit;
  maquette.steer = steer;
})();
