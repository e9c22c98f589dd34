/* The filmstrip: moments of the run in small pictures that turn with the live one. A click shows one beside it; from those that were
   kept whole the run can go back, or a new one branch off. */
(() => {
  "use strict";
  const VIEWS = 8, EVERY_MS = 1500, ENDED = ["done", "failed", "stopped"];
  const make = (tag, look, text) => Object.assign(document.createElement(tag), { className: look || "", textContent: text || "" });

  class Film {
    constructor(stage) {
      Object.assign(this, { stage, token: "", moments: [], changes: [], shown: "", chosen: null, readAt: 0, state: "" });
      this.root = stage.find(".mq-film");
      this.bar = stage.find(".mq-moment");
      stage.live.followers.add({ look: () => this.turn() });
      document.addEventListener("mq-open", (event) => this.open(event.detail));
      document.addEventListener("mq-status", (event) => this.status(event.detail));
      this.bar.querySelector('[data-act="rewind"]').addEventListener("click", () => this.rewind());
      this.bar.querySelector('[data-act="fork"]').addEventListener("click", () => { maquette.moment = this.chosen; document.querySelector("#mq-fork").click(); });
      this.root.addEventListener("keydown", (event) => {
        const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key], next = step && event.target[step < 0 ? "previousElementSibling" : "nextElementSibling"];
        if (next) { event.preventDefault(); next.focus(); }
      });
    }

    open(token) { Object.assign(this, { token, moments: [], changes: [], shown: "", chosen: null, readAt: 0, state: "" }); this.draw(); }

    /* New moments come while the run goes; what is shown is read again at most every so often, and once it has ended. */
    status(status) {
      const changed = status.state !== this.state, due = performance.now() - this.readAt > EVERY_MS;
      this.state = status.state;
      const steered = status.revision_applied !== this.applied;
      this.applied = status.revision_applied;
      if (changed || steered || (due && status.state === "running")) this.read();
      if (changed && ENDED.includes(status.state)) setTimeout(() => this.read(), EVERY_MS);
    }

    async read() {
      const { token } = this;
      if (!token) return;
      this.readAt = performance.now();
      let told;
      try { const answer = await fetch(maquette.url(`/timeline/${token}`)); told = answer.ok ? await answer.json() : null; } catch { told = null; }
      if (!told || token !== this.token) return;
      Object.assign(this, told);
      document.dispatchEvent(new CustomEvent("mq-changes", { detail: { token, changes: told.changes } }));
      this.draw();
    }

    picture(moment) { return maquette.url(`/timeline/${this.token}/${moment.total_step}`); }
    get moment() { return this.moments.find((each) => each.total_step === this.chosen) || null; }

    draw() {
      const key = JSON.stringify([this.token, this.moments, this.changes, this.chosen]);
      if (key === this.shown) return;
      this.shown = key;
      this.root.hidden = this.moments.length < 2;
      this.stage.root.dataset.moments = this.moments.length;
      const had = this.root.contains(document.activeElement) ? document.activeElement.dataset.step : null;
      this.root.replaceChildren(...this.moments.map((moment, i) => this.frame(moment, i)));
      if (had) this.root.querySelector(`[data-step="${had}"]`)?.focus();
      this.turn();
      this.stage.beside?.offer({ ...(this.stage.lastStatus || {}), moments: this.moments.length });
      this.drawBar();
    }

    frame(moment, i) {
      const button = Object.assign(make("button"), { type: "button" }), before = i ? this.moments[i - 1].total_step : 0;
      const changes = this.changes.filter((change) => change.total_step > before && change.total_step <= moment.total_step);
      button.style.backgroundImage = `url("${this.picture(moment)}")`;
      button.dataset.step = moment.total_step;
      button.toggleAttribute("data-full", moment.full);
      button.toggleAttribute("data-changed", changes.length > 0);
      button.title = [`Step ${moment.total_step}${moment.full ? ", kept whole" : ""}`, ...changes.map((change) => `${change.words} (from step ${change.total_step})`)].join("\n");
      button.setAttribute("aria-label", button.title);
      button.setAttribute("aria-pressed", String(moment.total_step === this.chosen));
      button.addEventListener("click", () => this.choose(moment.total_step));
      return button;
    }

    /* The view nearest to the live camera's. */
    turn() {
      const view = ((Math.round(this.stage.live.camera.azimuth * VIEWS / 360) % VIEWS) + VIEWS) % VIEWS;
      if (view === this.view && this.root.dataset.view) return;
      this.view = view;
      this.root.dataset.view = view;
      this.root.style.setProperty("--view", `${view * 100 / (VIEWS - 1)}%`);
    }

    choose(step) {
      this.chosen = step;
      fetch(this.picture({ total_step: step }), { method: "PUT" }).catch(() => {});  // so that it is not thinned out meanwhile
      this.draw();
      this.stage.beside.choose("before");
    }

    drawBar() {
      const { moment } = this, ended = ENDED.includes(this.state);
      this.bar.hidden = !moment || this.stage.beside?.half !== "before";
      if (!moment) return;
      this.bar.querySelector("span").textContent = `Step ${moment.total_step}${moment.full ? "" : ", a picture only"}`;
      this.bar.querySelector('[data-act="rewind"]').hidden = !moment.full || ended;
      this.bar.querySelector('[data-act="fork"]').hidden = !moment.full;
    }

    async rewind() {
      const step = this.chosen;
      let trouble = "";
      try {
        const answer = await fetch(maquette.url(`/timeline/${this.token}/${step}`), { method: "POST" });
        if (!answer.ok) trouble = (await answer.json()).title;
      } catch { trouble = "The studio does not answer."; }
      if (trouble) { this.bar.querySelector("span").textContent = trouble; return; }
      maquette.picked = this.token;
      document.querySelector("#mq-pick").click();  // the controls show the settings of then
      setTimeout(() => this.read(), 600);
    }
  }

  maquette.Film = Film;

  document.addEventListener("mq-status", ({ detail }) => {
    const button = document.querySelector(".mq-further");
    if (button) button.hidden = !(detail.state === "done" && detail.scene === "splats" && detail.files.some((file) => file.kind === "PLY"));
  });
  /* Whatever has ended with a shape can be exported. */
  document.addEventListener("mq-status", ({ detail }) => {
    const button = document.querySelector(".mq-export-open");
    if (button) button.hidden = !(ENDED.includes(detail.state) && detail.files.some((file) => ["PLY", "GLB"].includes(file.kind)));
  });
  maquette.openExport = async () => {
    try { await maquette.later("export"); } catch (error) { document.querySelector(".mq-export-open").textContent = error.message; return; }
    maquette.exportSheet().toggle();
  };
  document.addEventListener("click", (event) => { if (event.target.closest?.(".mq-export-open")) maquette.openExport(); });
  document.addEventListener("mq-open", (event) => { if (!event.detail) document.querySelector(".mq-export-open").hidden = true; });
  document.addEventListener("click", (event) => { if (event.target.closest?.(".mq-further")) document.querySelector("#mq-further").click(); });
})();
