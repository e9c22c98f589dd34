/* The stage: draws what the live stream brings, and keeps the run's state in data-* attributes. */
(() => {
  "use strict";
  const FRAME = 0, STRIP = 1, PICTURES = 2, VIEWS = 8, TURN_DEG_PER_SECOND = 24;
  const STAGES = ["draft", "fit", "refine", "sharpen"];
  const NOISE_WORDS = [[0.7, "the overall form"], [0.4, "parts and proportions"], [0.15, "surfaces and edges"], [0, "the finest detail"]];

  const size = (bytes) => bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;

  /* Without a GPU, drawing splats in the browser would take the cores that the engine needs: "shared" does without at first, and
     "none" altogether. ?viewport=splats or ?viewport=pictures in the page's address decides otherwise. */
  const wayOfViewport = () => {
    const asked = new URL(window.location.href).searchParams.get("viewport");
    if (asked === "splats" || asked === "pictures") return asked;
    const gl = document.createElement("canvas").getContext("webgl2"), names = gl && gl.getExtension("WEBGL_debug_renderer_info");
    const renderer = gl ? String(gl.getParameter(names ? names.UNMASKED_RENDERER_WEBGL : gl.RENDERER)) : "none";
    if (gl) gl.getExtension("WEBGL_lose_context")?.loseContext();
    if (renderer === "none") return "none";
    return /swiftshader|llvmpipe|software|basic render/i.test(renderer) ? "shared" : "splats";
  };

  /* What a prior decides at a noise level (t / T), for a person. */
  const noiseWords = (noise) => NOISE_WORDS.find(([above]) => noise >= above)[1];

  /* Square pictures of one row of a sheet, as a square of their own. */
  const mosaic = (canvas, sheet, views, row, gapShare) => {
    const columns = Math.ceil(Math.sqrt(views)), rows = Math.ceil(views / columns), side = sheet.width / views, gap = side * gapShare;
    Object.assign(canvas, { width: columns * side + (columns + 1) * gap, height: rows * side + (rows + 1) * gap });
    const context = canvas.getContext("2d"), at = (place) => place * (side + gap) + gap;
    for (let i = 0; i < views; i++) context.drawImage(sheet, i * side, row * side, side, side, at(i % columns), at(Math.floor(i / columns)), side, side);
  };

  class Stage {
    constructor(host) {
      this.root = host.querySelector("#mq-stage");
      this.find = (selector) => this.root.querySelector(selector);
      this.canvas = this.find("#mq-canvas");
      this.frames = 0;
      this.line = new maquette.StatusLine(this.root);
      this.way = this.root.dataset.way = wayOfViewport();
      this.live = new maquette.Live({
        status: (status) => this.status(status), picture: (...parts) => this.picture(...parts), connection: (word) => this.connection(word) });
      this.film = new maquette.Film(this);
      this.beside = new maquette.Beside(this, this.way);
      this.tools = new maquette.ViewTools(this);
      this.makeStrip();
      this.listen();
      this.details(maquette.kept("details") === "open");
    }

    listen() {
      maquette.steer(this.canvas, this.live);
      maquette.mountPrompts(this.find(".mq-tiles"));
      const acts = { turntable: () => this.turntable(), front: () => this.live.look({ azimuth: 0, elevation: 12, distance: 3.05 }), picture: () => this.savePicture() };
      for (const button of this.root.querySelectorAll("[data-act]")) button.addEventListener("click", acts[button.dataset.act]);
      for (const button of this.root.querySelectorAll("[data-show]")) button.addEventListener("click", () => this.showPane(button.dataset.show));
      this.find(".mq-layer").addEventListener("change", ({ target }) => { this.root.dataset.layer = target.value; for (const live of [this.live, this.beside.live]) live.setLayer(target.value); });
      this.find(".mq-details").addEventListener("click", () => this.details(!this.root.hasAttribute("data-details")));
      new ResizeObserver(() => maquette.fit(this.canvas, this.live)).observe(this.canvas);
      document.addEventListener("visibilitychange", () => { if (!document.hidden) maquette.refreshRuns(); });
    }

    /* Loss, speed and what the prior sees; without them the object has the room. */
    details(open) {
      const button = this.find(".mq-details"), round = this.find(".mq-round");
      this.root.toggleAttribute("data-details", open);
      button.setAttribute("aria-expanded", String(open));
      if (open) this.find(".mq-below").prepend(round); else this.find(".mq-strip").append(round);
      maquette.keep("details", open ? "open" : "");
    }

    /* Watch the run `token`; "" for none. */
    open(token) {
      if (token === this.root.dataset.token && token) { this.live.open(token); return; }
      this.frames = 0;
      this.lastState = "";
      this.thumbed = false;
      Object.assign(this.root.dataset, { token, state: token ? "opening" : "empty", picture: "none", frames: 0, step: 0 });
      this.canvas.getContext("2d").clearRect(0, 0, this.canvas.width, this.canvas.height);
      this.round(null, 0);
      this.prior(null, { serial: 0 });
      this.waiting("Opening the run", "");
      if (token && window.matchMedia("(max-width: 900px)").matches) window.scrollTo({ top: 0 });  // a phone shows one thing at a time
      this.live.open(token);
      this.lastStatus = null;
      this.showViewport(token);
      document.dispatchEvent(new CustomEvent("mq-open", { detail: token }));
    }

    showViewport(token) { if (token) this.beside.open(token); else this.beside.close(); }

    connection(word) {
      this.root.dataset.connection = word;
      if (word === "unknown") { this.open(""); maquette.attach(""); }
      if (word === "lost") this.line.lose();
    }

    picture(kind, bitmap, header) {
      if (kind !== FRAME) {
        if (kind === STRIP) this.round(bitmap, header.serial); else this.prior(bitmap, header);
        if (kind === PICTURES && this.root.dataset.priorRows === "1" && this.root.dataset.picture !== "shown") this.showDraft(bitmap, header.serial);
        return;
      }
      if (this.canvas.width !== bitmap.width || this.canvas.height !== bitmap.height) Object.assign(this.canvas, { width: bitmap.width, height: bitmap.height });
      this.canvas.getContext("2d").drawImage(bitmap, 0, 0);
      Object.assign(this.root.dataset, { picture: "shown", frames: ++this.frames, frameStep: header.step, frameRevision: header.revision });
    }

    /* While there is no shape yet: the prior's views, large, as they come out of the noise. */
    showDraft(bitmap, views) {
      mosaic(this.canvas, bitmap, views, 0, 1 / 8);
      this.root.dataset.picture = "draft";
    }

    status(status) {
      const { root } = this;
      this.lastStatus = status;
      document.dispatchEvent(new CustomEvent("mq-status", { detail: status }));
      Object.assign(root.dataset, { state: status.state, stage: status.stage, step: status.total_step, scene: status.scene, revision: status.revision,
        revisionApplied: status.revision_applied, appliedAtStep: status.applied_at_step, queuePosition: status.queue_position });
      document.body.dataset.run = status.state;
      document.title = `${status.state === "running" ? "▸ " : ""}${status.title} · Maquette`;
      this.line.show(status);
      this.rail(status);
      this.plot(status);
      this.readOuts(status.read_outs);
      this.files(status);
      if (status.state === "queued") this.waiting(status.queue_position > 1 ? `Number ${status.queue_position} in line` : "Next in line", "The run starts by itself, and goes on if you close this page.");
      else this.waiting(maquette.STAGE_WORDS[status.stage] || "Getting ready", "The first picture comes in a moment.");
      if (status.error) { this.find(".mq-stop h2").textContent = status.error[0]; this.find(".mq-stop p").textContent = status.error[1]; }
      if (status.state !== this.lastState) { this.lastState = status.state; maquette.refreshRuns(); }
    }

    rail(status) {
      const at = STAGES.indexOf(status.stage), over = status.state === "done" || status.stage === "finish";
      for (const [place, item] of [...this.root.querySelectorAll(".mq-rail li")].entries()) {
        const share = over || place < at ? 1 : place > at || !status.steps ? 0 : status.step / status.steps;
        item.hidden = status.stages && !status.stages.includes(item.dataset.stage);
        item.querySelector("i").style.transform = `scaleX(${share})`;
        item.title = `${item.querySelector("b").textContent}: ${Math.round(share * 100)} %`;
      }
    }

    /* The present stage only, logarithmic where it can be: losses differ by magnitudes. */
    plot(status) {
      const within = status.losses.filter(([step]) => step > status.total_step - status.step), losses = within.length > 1 ? within : status.losses;
      const curve = this.find(".mq-curve"), fill = this.find(".mq-fill"), label = this.find(".mq-numbers output");
      this.root.dataset.points = losses.length;
      if (losses.length < 2) { curve.removeAttribute("d"); fill.removeAttribute("d"); label.textContent = ""; return; }
      const scale = losses.every(([, loss]) => loss > 0) ? Math.log : (loss) => loss;
      const heights = losses.map(([, loss]) => scale(loss)), low = Math.min(...heights), high = Math.max(...heights);
      const first = losses[0][0], last = losses[losses.length - 1][0];
      const points = losses.map(([step], i) => `${((step - first) / (last - first || 1) * 300).toFixed(1)} ${(76 - (heights[i] - low) / (high - low || 1) * 72).toFixed(1)}`);
      curve.setAttribute("d", `M${points.join("L")}`);
      fill.setAttribute("d", `M${points.join("L")}L300 80L0 80Z`);
      label.textContent = losses[losses.length - 1][1].toPrecision(3);
    }

    /* Gauges with a sentence each; rebuilt only when their number changes, so that a bar moves instead of jumping. */
    readOuts(found) {
      const host = this.find(".mq-readouts"), shown = [...host.children].map((gauge) => gauge.dataset.name).join();
      if (shown !== found.map((each) => each.name).join()) host.replaceChildren(...found.map((each) => {
        const gauge = document.createElement("div");
        gauge.dataset.name = each.name;
        gauge.innerHTML = "<h3><span></span><output></output></h3><i><b></b></i><p></p>";
        return gauge;
      }));
      for (const [i, each] of found.entries()) {
        const gauge = host.children[i], write = (part, text) => { gauge.querySelector(part).textContent = text; };
        write("h3 span", each.title);
        write("output", `${Math.round(100 * each.share)} %`);
        write("p", each.words);
        gauge.querySelector("b").style.transform = `scaleX(${each.share})`;
        gauge.toggleAttribute("data-warning", each.warning);
        gauge.dataset.share = each.share;
      }
    }

    files(status) {
      const key = JSON.stringify(status.files) + status.state;
      if (key === this.filesShown) return;
      this.filesShown = key;
      const links = status.files.map((file) => {
        const link = document.createElement("a");
        link.href = maquette.url(`/files/${status.token}/${encodeURIComponent(file.name)}`);
        link.download = "";
        link.append(file.title, Object.assign(document.createElement("small"), { textContent: `${file.kind} ${size(file.bytes)}` }));
        return link;
      });
      const empty = Object.assign(document.createElement("em"), { textContent: "Splats, mesh, turntable and recipe, when the run ends." });
      this.find(".mq-files > div").replaceChildren(...(links.length ? links : [empty]));
    }

    waiting(title, sentence) { this.find(".mq-wait b").textContent = title; this.find(".mq-wait span").textContent = sentence; }

    makeStrip() {
      this.find(".mq-frames").replaceChildren(...Array.from({ length: VIEWS }, (_, i) => {
        const button = document.createElement("button"), azimuth = i * 360 / VIEWS;
        button.type = "button";
        button.title = azimuth % 90 ? `Look from ${azimuth}°` : `Look from ${azimuth}°: ${maquette.sideName(azimuth).toLowerCase()}`;
        button.append(document.createElement("canvas"), Object.assign(document.createElement("span"), { textContent: `${azimuth}°` }));
        button.addEventListener("click", () => this.live.look({ azimuth, elevation: 15 }));
        return button;
      }));
    }

    /* The object from all sides; a null bitmap clears them. */
    round(bitmap, views) {
      for (const [i, button] of [...this.find(".mq-frames").children].entries()) {
        const tile = button.querySelector("canvas"), side = bitmap ? bitmap.height : 1;
        Object.assign(tile, { width: side, height: side });
        button.toggleAttribute("data-on", i < views);
        if (i < views) tile.getContext("2d").drawImage(bitmap, i * side, 0, side, side, 0, 0, side, side);
      }
      this.root.dataset.strip = views;
      if (bitmap && !this.thumbed) { this.thumbed = true; maquette.refreshRuns(); }
    }

    /* This step's renders beside what the prior makes of them. One row of pictures: there is no render yet. */
    prior(bitmap, { serial: views, step, revision: noise }) {
      const rows = bitmap ? Math.round(bitmap.height * views / bitmap.width) : 0;
      for (const [row, name] of [[rows - 2, "renders"], [rows - 1, "denoised"]]) {
        const canvas = this.find(`[data-prior="${name}"]`);
        canvas.parentElement.toggleAttribute("data-on", row >= 0);
        if (row >= 0) mosaic(canvas, bitmap, views, row, 0); else Object.assign(canvas, { width: 1, height: 1 });
      }
      Object.assign(this.root.dataset, { prior: views, priorRows: rows, priorStep: step || 0, noise: noise || 0 });
      this.find(".mq-prior output").textContent = rows === 2 ? `${Math.round(noise / 10)} % noise: ${noiseWords(noise / 1000)}` : "";
    }

    showPane(name) {
      this.root.dataset.pane = name;
      for (const button of this.root.querySelectorAll("[data-show]")) button.setAttribute("aria-selected", String(button.dataset.show === name));
    }

    turntable() {
      const button = this.find('[data-act="turntable"]');
      this.turning = !this.turning;
      button.setAttribute("aria-pressed", String(this.turning));
      let before = performance.now();
      const turn = (now) => {
        if (!this.turning) return;
        this.live.look({ azimuth: this.live.camera.azimuth + (now - before) / 1000 * TURN_DEG_PER_SECOND });
        before = now;
        requestAnimationFrame(turn);
      };
      requestAnimationFrame(turn);
    }

    savePicture() {
      const link = document.createElement("a");
      link.href = this.canvas.toDataURL("image/png");
      link.download = "maquette.png";
      link.click();
    }
  }

  maquette.mountStage = (element) => { maquette.stage = new Stage(element); maquette.refreshRuns(); maquette.mountDropping(); };
})();
