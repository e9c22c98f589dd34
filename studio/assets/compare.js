/* Two runs side by side, one with and one without the reference: turning one turns the other. */
(() => {
  "use strict";
  const FRAME = 0;
  const WAITING = { queued: "In line", opening: "Opening", paused: "Paused", interrupted: "Interrupted", failed: "Failed", stopped: "Stopped" };
  const STAGES = { draft: "Sampling the draft", fit: "Fitting the shape", refine: "Refining", sharpen: "Sharpening" };
  const make = (tag, look, text) => Object.assign(document.createElement(tag), { className: look || "", textContent: text || "" });
  const likeness = (status) => (status.reference && status.reference.similarity !== null ? `${status.reference.similarity.toFixed(2)} alike` : "");

  class Comparison {
    constructor(stage, token) {
      Object.assign(this, { stage, token, frames: 0 });
      this.pane = make("figure", "mq-pane mq-twin");
      this.canvas = Object.assign(make("canvas"), { tabIndex: 0 });
      this.canvas.setAttribute("aria-label", "The other run's picture. Turning it turns both.");
      this.wait = make("div", "mq-wait");
      this.wait.append(make("i"), make("b"), make("span"));
      this.back = Object.assign(make("button", "mq-twin-back", "End the comparison"), { type: "button" });
      this.labels = [make("div", "mq-side"), make("div", "mq-side")];
      this.pane.append(this.canvas, this.labels[1], this.wait, this.back);
      stage.find(".mq-panes").append(this.pane);
      stage.find(".mq-live").append(this.labels[0]);
      this.back.addEventListener("click", () => maquette.endComparison());
      this.link();
      this.status({ state: "opening", stage: "", reference: null });
      this.own = (event) => this.label(0, event.detail);
      document.addEventListener("mq-status", this.own);
      Object.assign(stage.root.dataset, { compare: token, twinFrames: 0, twinState: "opening" });
      if (stage.lastStatus) this.label(0, stage.lastStatus);
    }

    /* Both pictures follow the camera of the stage. */
    link() {
      this.live = new maquette.Live({ status: (status) => this.status(status), picture: (...parts) => this.picture(...parts), connection: () => {} });
      Object.assign(this.live.camera, this.stage.live.camera);
      this.stage.live.followers.add(this.live);
      maquette.steer(this.canvas, this.stage.live);
      this.watching = new ResizeObserver(() => maquette.fit(this.canvas, this.live));
      this.watching.observe(this.canvas);
      this.live.open(this.token);
    }

    picture(kind, bitmap, { step }) {
      if (kind !== FRAME) return;
      if (this.canvas.width !== bitmap.width || this.canvas.height !== bitmap.height) Object.assign(this.canvas, { width: bitmap.width, height: bitmap.height });
      this.canvas.getContext("2d").drawImage(bitmap, 0, 0);
      Object.assign(this.stage.root.dataset, { twinFrames: ++this.frames, twinStep: step });
      this.wait.hidden = true;
    }

    status(status) {
      this.stage.root.dataset.twinState = status.state;
      this.label(1, status);
      const place = status.state === "queued" ? `, number ${Math.max(1, status.queue_position)}` : "";
      this.wait.querySelector("b").textContent = (WAITING[status.state] || STAGES[status.stage] || "Getting ready") + place;
      this.wait.querySelector("span").textContent = status.error ? status.error.join(" ") : status.state === "queued" ? "The same settings and seed. It runs when its turn comes." : "";
    }

    /* Which of the two this is, how far it is, and how like the reference. */
    label(which, status) {
      if (!status.reference) { this.labels[which].replaceChildren(make("b", "", status.title || ""), make("span", "", status.state && status.state !== "done" ? WAITING[status.state] || status.state : "")); return; }
      const over = status.state === "done", going = status.steps ? `${STAGES[status.stage] || status.state} ${status.step}/${status.steps}` : "";
      const parts = [over ? "" : WAITING[status.state] || going, likeness(status)].filter(Boolean);
      this.labels[which].replaceChildren(make("b", "", status.reference.ignored ? "Without the reference" : "With the reference"), make("span", "", parts.join(" · ")));
    }

    end() {
      this.stage.live.followers.delete(this.live);
      this.live.close();
      this.watching.disconnect();
      document.removeEventListener("mq-status", this.own);
      for (const part of [this.pane, ...this.labels]) part.remove();
      for (const name of ["compare", "twinFrames", "twinState", "twinStep"]) delete this.stage.root.dataset[name];
    }
  }

  const tell = () => document.dispatchEvent(new CustomEvent("mq-comparison"));

  /* Show the run `token` beside the one on stage; "" changes nothing. */
  maquette.compare = (token) => {
    if (!token) return;
    maquette.endComparison();
    maquette.comparison = new Comparison(maquette.stage, token);
    maquette.setAddress("beside", token);
    maquette.stage.showViewport("");
    maquette.refreshRuns();
    tell();
    if (window.matchMedia("(max-width: 900px)").matches) window.scrollTo({ top: 0 });
  };
  maquette.endComparison = () => {
    if (!maquette.comparison) return;
    maquette.comparison.end();
    maquette.comparison = null;
    maquette.setAddress("beside", "");
    maquette.stage.showViewport(maquette.stage.root.dataset.token);
    tell();
  };
  document.addEventListener("mq-open", () => maquette.endComparison());
})();
