/* Four drafts side by side, as they take shape: one is chosen and goes on, with all that it has learned; the others go to the trash. */
(() => {
  "use strict";
  const IN_ADDRESS = "drafts", EVERY_MS = 900, STATES = { queued: "In line", running: "Taking shape", paused: "Ready", interrupted: "Interrupted", done: "Done", failed: "Failed", stopped: "Stopped" };
  const make = (tag, look, text) => Object.assign(document.createElement(tag), { className: look || "", textContent: text || "" });
  const headers = () => ({ "x-maquette-owner": maquette.owner(), "Content-Type": "application/json" });

  class Drafts {
    constructor(stage) {
      Object.assign(this, { stage, tokens: [] });
      this.root = Object.assign(make("section", "mq-drafts"), { hidden: true });
      this.root.setAttribute("aria-label", "Drafts to choose from");
      this.grid = make("div", "mq-drafts-grid");
      this.told = make("p");
      this.told.setAttribute("role", "status");
      const head = make("div", "mq-drafts-head"), none = Object.assign(make("button", "mq-lib-quiet", "Keep none"), { type: "button", title: "All of them go to the trash" });
      none.addEventListener("click", () => this.choose(""));
      head.append(make("h2", "", "Choose a draft"), this.told, none);
      this.root.append(head, this.grid);
      stage.root.append(this.root);
    }

    show(tokens) {
      this.tokens = tokens;
      maquette.setAddress(IN_ADDRESS, tokens.join("."));
      this.root.hidden = false;
      this.stage.root.dataset.drafts = "open";
      this.cards = new Map(tokens.map((token, i) => [token, this.card(token, i)]));
      this.grid.replaceChildren(...this.cards.values());
      this.tell("They are made one after the other; choose as soon as one is ready.");
      clearInterval(this.timer);
      this.timer = setInterval(() => this.look(), EVERY_MS);
      this.look();
      this.grid.firstChild?.focus();
      if (window.matchMedia("(max-width: 900px)").matches) window.scrollTo({ top: 0 });
    }

    close() {
      clearInterval(this.timer);
      this.root.hidden = true;
      delete this.stage.root.dataset.drafts;
      maquette.setAddress(IN_ADDRESS, "");
    }

    tell(text) { this.told.textContent = text; }

    card(token, i) {
      const card = Object.assign(make("button"), { type: "button", disabled: true }), picture = Object.assign(make("img"), { alt: "" });
      picture.addEventListener("error", () => { picture.style.visibility = "hidden"; });
      picture.addEventListener("load", () => { picture.style.visibility = ""; });
      card.dataset.token = token;
      card.append(picture, make("span", "", `Draft ${i + 1}`));
      card.addEventListener("click", () => this.choose(token));
      return card;
    }

    async look() {
      let runs;
      try { runs = await (await fetch(maquette.url("/runs"), { headers: headers() })).json(); } catch { return; }
      for (const [i, [token, card]] of [...this.cards].entries()) {
        const run = runs.find((each) => each.token === token), state = run?.state ?? "gone";
        if (state === "running" || (state !== card.dataset.state && state !== "queued")) card.querySelector("img").src = maquette.url(`/thumb/${token}?at=${Date.now()}`);
        Object.assign(card.dataset, { state });
        card.disabled = !["paused", "done", "interrupted"].includes(state);
        card.querySelector("span").textContent = `Draft ${i + 1}: ${STATES[state] || "in the trash"}`;
      }
      if (![...this.cards.values()].some((card) => ["queued", "running"].includes(card.dataset.state))) { this.tell("Which one shall go on?"); clearInterval(this.timer); }
    }

    async choose(token) {
      clearInterval(this.timer);
      const others = this.tokens.filter((each) => each !== token);
      let trouble = "";
      try {
        const answer = await fetch(maquette.url("/drafts"), { method: "POST", headers: headers(), body: JSON.stringify({ keep: token, others }) });
        if (!answer.ok) trouble = (await answer.json()).title;
      } catch { trouble = "The studio does not answer."; }
      if (trouble) { this.tell(trouble); return; }
      this.close();
      maquette.picked = token;
      document.querySelector("#mq-pick").click();
      maquette.refreshRuns();
    }
  }

  maquette.showDrafts = (tokens) => {
    const named = tokens.split(/[ .]/).filter((token) => /^[\w-]{1,64}$/.test(token));
    if (!named.length) return;
    maquette.drafts = maquette.drafts || new Drafts(maquette.stage);
    maquette.drafts.show(named);
    maquette.refreshRuns();
  };
})();
