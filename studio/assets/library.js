/* The library: everything this browser has made, large, by name; found by words, starred, tagged, thrown away and taken back. */
(() => {
  "use strict";
  const IN_ADDRESS = "library", TYPED_MS = 180, WHEN = { dateStyle: "medium", timeStyle: "short" };
  const make = (tag, look, text) => Object.assign(document.createElement(tag), { className: look || "", textContent: text || "" });
  const press = (look, text, act, label = "") => {
    const button = Object.assign(make("button", look, text), { type: "button" });
    if (label) { button.title = label; button.setAttribute("aria-label", label); }
    button.addEventListener("click", act);
    return button;
  };
  const size = (bytes) => bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.ceil(bytes / 1e3)} kB`;
  const asked = async (path, options = {}) => {
    const answer = await fetch(maquette.url(path), { ...options, headers: { "x-maquette-owner": maquette.owner(), "Content-Type": "application/json" } });
    const told = answer.status === 204 ? {} : await answer.json();
    if (!answer.ok) throw new Error([told.title, told.remedy].filter(Boolean).join(" "));
    return told;
  };

  class Library {
    constructor(stage) {
      Object.assign(this, { stage, runs: [], count: 0, which: "", words: "", asked: 0 });
      this.root = Object.assign(make("section", "mq-library"), { hidden: true });
      this.root.setAttribute("aria-label", "Library");
      this.search = Object.assign(make("input"), { type: "search", placeholder: "Search names, words, tags, notes", maxLength: 400 });
      this.search.setAttribute("aria-label", "Search the library");
      this.kinds = make("div", "mq-halves mq-lib-kinds");
      this.kinds.setAttribute("role", "group");
      this.kinds.append(...[["", "All"], ["starred", "Starred"], ["trashed", "Trash"]].map(([which, text]) => { const button = press("", text, () => this.choose(which)); button.dataset.which = which; return button; }));
      this.use = press("mq-lib-use", "", () => this.showRoom());
      this.room = Object.assign(make("div", "mq-lib-room"), { hidden: true });
      this.empty = press("mq-lib-quiet", "Empty the trash", () => this.emptyTrash());
      this.told = make("p", "mq-lib-told");
      this.told.setAttribute("role", "status");
      this.grid = make("div", "mq-lib-grid");
      this.more = press("mq-lib-quiet mq-lib-more", "Show more", () => this.load(this.runs.length));
      const head = make("div", "mq-lib-head");
      head.append(make("h2", "", "Library"), this.search, this.kinds, this.use, this.empty, press("mq-lib-close", "×", () => this.close(), "Close the library"));
      this.root.append(head, this.room, this.told, this.grid, this.more);
      stage.root.append(this.root);
      this.search.addEventListener("input", () => { clearTimeout(this.typing); this.typing = setTimeout(() => { this.words = this.search.value; this.load(); }, TYPED_MS); });
      this.root.addEventListener("keydown", (event) => { if (event.key === "Escape" && !event.target.closest(".mq-lib-edit")) this.close(); });
      document.addEventListener("mq-open", ({ detail }) => { if (detail && !this.root.hidden) this.close(); });  // not when a run is gone
    }

    open() {
      this.root.hidden = false;
      this.stage.root.dataset.library = "open";
      maquette.setAddress(IN_ADDRESS, "1");
      this.search.focus();
      this.load();
    }
    close() {
      this.root.hidden = true;
      delete this.stage.root.dataset.library;
      maquette.setAddress(IN_ADDRESS, "");
      document.querySelector('[data-act="library"]')?.focus();
    }
    toggle() { if (this.root.hidden) this.open(); else this.close(); }
    choose(which) { this.which = which; this.load(); }
    tell(text) { this.told.textContent = text; this.told.hidden = !text; }

    /* From the run number `first` on; only the newest question counts. */
    async load(first = 0) {
      const number = ++this.asked, query = new URLSearchParams({ words: this.words, first, ...(this.which && { [this.which]: "1" }) });
      let told;
      try { told = await asked(`/library?${query}`); } catch (error) { this.tell(error.message); return; }
      if (number !== this.asked) return;
      this.runs = first ? [...this.runs, ...told.runs] : told.runs;
      this.count = told.count;
      for (const button of this.kinds.children) button.setAttribute("aria-pressed", String(button.dataset.which === this.which));
      this.kinds.lastChild.textContent = told.trashed ? `Trash (${told.trashed})` : "Trash";
      this.use.textContent = `${size(told.bytes)} of ${size(told.most_bytes)}`;
      this.use.title = "What your runs and the trash take on disk, and what they may take. Click to see what would go first.";
      this.use.toggleAttribute("data-full", told.bytes > 0.8 * told.most_bytes);
      this.empty.hidden = this.which !== "trashed" || !told.trashed;
      const nothing = this.words ? "Nothing is called that." : { starred: "Nothing has a star yet.", trashed: "The trash is empty." }[this.which] || "What you make is kept here.";
      this.tell(this.runs.length ? "" : nothing);
      this.draw();
    }

    /* What would go first to make room; nothing goes by itself. */
    async showRoom() {
      if (!this.room.hidden) { this.room.hidden = true; return; }
      let told;
      try { told = await asked("/library/room"); } catch (error) { this.tell(error.message); return; }
      const list = make("ul"), runs = told.runs.filter((run) => !run.trashed), acts = make("div");
      list.append(...told.runs.map((run) => make("li", "", `${run.title} · ${size(run.bytes)}${run.trashed ? " · in the trash" : ""}`)));
      if (runs.length) acts.append(press("mq-lib-quiet", `Put ${runs.length === 1 ? "it" : `these ${runs.length}`} into the trash`, () => this.act(async () => { for (const run of runs) await asked(`/runs/${run.token}`, { method: "PATCH", body: '{"trashed": true}' }); this.room.hidden = true; }, "They are in the trash; they can be put back, and take no room once it is emptied.")));
      this.room.replaceChildren(make("b", "", told.runs.length ? `What would go first, to free ${size(told.bytes)}: the trash, then what is oldest and has no star` : "There is nothing that could go."), list, acts);
      this.room.hidden = false;
    }

    draw() {
      this.grid.replaceChildren(...this.runs.map((run) => this.card(run)));
      Object.assign(this.root.dataset, { count: this.count, shown: this.runs.length });
      this.more.hidden = this.runs.length >= this.count;
    }

    card(run) {
      const card = make("article", "mq-lib-card"), picture = Object.assign(make("img"), { alt: "", loading: "lazy" }), trashed = run.trashed > 0;
      Object.assign(card.dataset, { token: run.token, state: run.state });
      picture.addEventListener("error", () => { picture.hidden = true; });
      picture.src = maquette.url(`/thumb/${run.token}?step=${run.step}`);
      const show = press("mq-lib-show", "", () => { if (trashed) return; maquette.picked = run.token; document.querySelector("#mq-pick").click(); }, trashed ? `${run.title}, in the trash` : `Open ${run.title}`);
      show.append(picture);
      show.disabled = trashed;
      const star = press("mq-lib-star", run.starred ? "★" : "☆", () => this.change(run, { starred: !run.starred }), run.starred ? "Take the star away" : "Give it a star");
      star.setAttribute("aria-pressed", String(run.starred));
      const name = Object.assign(make("input", "mq-lib-name"), { value: run.title, maxLength: 120, spellcheck: false, disabled: trashed });
      name.setAttribute("aria-label", "Name");
      name.addEventListener("keydown", (event) => {
        if (event.key === "Enter") name.blur();
        if (event.key === "Escape") { event.stopPropagation(); name.value = run.title; name.blur(); }
      });
      name.addEventListener("change", () => this.change(run, { name: name.value }));
      const state = run.state === "queued" && run.queue_position ? `number ${run.queue_position} in line` : run.state === "done" ? "" : run.state, left = run.eta_seconds ? `about ${Math.ceil(run.eta_seconds / 60)} min left` : "";
      const facts = make("small", "", [new Date(run.created * 1000).toLocaleString([], WHEN), state, left, run.bytes ? size(run.bytes) : ""].filter(Boolean).join(" · "));
      const tags = make("div", "mq-lib-tags");
      tags.append(...run.tags.map((tag) => press("", `#${tag}`, () => { this.search.value = this.words = tag; this.load(); }, `Find ${tag}`)));
      card.append(show, ...(trashed ? [] : [star]), name, facts, tags, this.acts(run, card));
      return card;
    }

    acts(run, card) {
      const row = make("div", "mq-lib-acts");
      if (run.trashed > 0) row.append(press("mq-lib-quiet", "Put back", () => this.change(run, { trashed: false }, `${run.title} is back.`)), this.forEver(run));
      else row.append(press("mq-lib-quiet", "Tags and notes", () => this.edit(run, card)), ...this.moves(run), press("mq-lib-quiet", "Compare", () => this.compare(run), `Show ${run.title} beside the run on stage`), press("mq-lib-quiet", "Folder", () => this.folder(run), "Open its folder, on the studio's own machine"), ...(["done", "failed", "stopped"].includes(run.state)
        ? [press("mq-lib-quiet", "Trash", () => this.change(run, { trashed: true }, `${run.title} is in the trash; it can be put back.`), `Put ${run.title} into the trash`)] : []));
      return row;
    }

    /* One's own runs that wait change places. */
    moves(run) {
      if (run.state !== "queued" || !run.queue_position) return [];
      return [["Sooner", -1], ["Later", 1]].map(([text, step]) => press("mq-lib-quiet", text, () => this.change(run, { place: run.place + step }), `${text} in the line`));
    }

    /* A and B: the run on stage and this one, turned together. */
    compare(run) {
      const token = maquette.tokenInAddress();
      if (!token || token === run.token) { this.tell("Open one run first; then compare another one with it."); return; }
      this.close();
      maquette.compare(run.token);
    }

    async folder(run) {
      try {
        const told = await asked(`/runs/${run.token}/folder`, { method: "POST" });
        this.tell(told.opened ? `Opened ${told.path}` : `It lies in ${told.path}`);
      } catch (error) { this.tell(error.message); }
    }

    /* The first click asks. */
    forEver(run) {
      const button = press("mq-lib-quiet", "Delete", () => {
        if (!button.hasAttribute("data-sure")) { button.toggleAttribute("data-sure", true); button.textContent = "For ever?"; return; }
        this.act(() => asked(`/runs/${run.token}`, { method: "DELETE" }), `${run.title} is deleted.`);
      });
      button.addEventListener("blur", () => { button.removeAttribute("data-sure"); button.textContent = "Delete"; });
      return button;
    }

    emptyTrash() {
      if (!this.empty.hasAttribute("data-sure")) { this.empty.toggleAttribute("data-sure", true); this.empty.textContent = "Delete all of it for ever?"; this.empty.addEventListener("blur", () => { this.empty.removeAttribute("data-sure"); this.empty.textContent = "Empty the trash"; }, { once: true }); return; }
      this.act(() => asked("/library/trash", { method: "DELETE" }), "The trash is empty.");
    }

    edit(run, card) {
      const box = make("form", "mq-lib-edit"), tags = Object.assign(make("input"), { value: run.tags.join(", "), placeholder: "Tags, with commas" }), notes = Object.assign(make("textarea"), { value: run.notes, rows: 3, maxLength: 4000, placeholder: "Notes" });
      tags.setAttribute("aria-label", "Tags, with commas between them");
      notes.setAttribute("aria-label", "Notes");
      const row = make("div", "mq-lib-acts");
      row.append(Object.assign(make("button", "mq-lib-quiet", "Save"), { type: "submit" }), press("mq-lib-quiet", "Cancel", () => this.draw()));
      box.append(tags, notes, row);
      box.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); this.draw(); } });
      box.addEventListener("submit", (event) => { event.preventDefault(); this.change(run, { tags: tags.value.split(",").map((tag) => tag.trim()).filter(Boolean), notes: notes.value }); });
      card.querySelector(":scope > .mq-lib-acts").replaceWith(box);
      tags.focus();
    }

    change(run, values, said = "") {
      if (values.trashed && run.token === maquette.tokenInAddress()) this.stage.film.open("");
      return this.act(() => asked(`/runs/${run.token}`, { method: "PATCH", body: JSON.stringify(values) }), said);
    }

    async act(work, said) {
      let trouble = "";
      // a search that is typed and not yet asked goes along; later it would take what is said away
      clearTimeout(this.typing);
      this.words = this.search.value;
      try { await work(); } catch (error) { trouble = error.message; }
      await this.load();
      if (trouble || said) this.tell(trouble || said);
      maquette.refreshRuns();
      if (!trouble && this.gone(said)) { maquette.picked = ""; document.querySelector("#mq-pick").click(); }
    }

    /* Whether the run on stage has just been thrown away. */
    gone() { const token = maquette.tokenInAddress(); return this.which !== "trashed" && token && !this.words && this.runs.length === this.count && !this.runs.some((run) => run.token === token) && this.own.has(token); }
    get own() { return new Set([...document.querySelectorAll(".mq-runs button")].map((button) => button.dataset.token)); }
  }

  maquette.openLibrary = () => { maquette.library = maquette.library || new Library(maquette.stage); maquette.library.toggle(); };
})();
