/* The reference card: where a 3D reference comes from, and what the chosen one looks like. The value is the setting "reference":
   auto, auto:K, shelf:ID, run:TOKEN or the path of an upload. Another source is added by maquette.referenceSource, see below. */
(() => {
  "use strict";
  const AUTO = "auto", TYPING_MS = 280, POSE_MS = 350, MOST_FOUND = 9;
  const SIDES = [0, 90, 180, 270].map((azimuth) => [maquette.sideName(azimuth), azimuth]);
  const DRAWS = [["auto", "Best match"], ["auto:3", "One of 3"], ["auto:5", "One of 5"]];
  const make = (tag, look, text) => Object.assign(document.createElement(tag), { className: look || "", textContent: text || "" });
  const button = (look, text) => Object.assign(make("button", look, text), { type: "button" });
  const percent = (share) => `${Math.round(100 * share)}%`;
  const address = (path, asked) => maquette.url(`/reference/${path}?${new URLSearchParams(asked)}`);
  const isAuto = (value) => value === AUTO || value.startsWith("auto:");
  const creditOf = (thing) => [thing.licence, thing.source].filter(Boolean).join(" · ");

  /* A source has a key, a title, owns(value) for the values that it gives, and mount(pane, card), which fills its part of the
     card and returns an object whose draw() is called after every change. It gives a value by card.choose(value). */
  const sources = [];
  maquette.referenceSource = (source) => sources.push(source);

  const answer = async (asked) => {
    const response = await asked, told = await response.json();
    if (!response.ok) throw Object.assign(new Error(told.title), { remedy: told.remedy || "" });
    return told;
  };

  /* Pictures from all round in one row, looked at from one side; dragging turns it. */
  class Turntable {
    constructor() {
      this.canvas = Object.assign(make("canvas", "mq-ref-table"), { tabIndex: 0 });
      this.canvas.setAttribute("role", "img");
      this.strip = make("div", "mq-ref-sides");
      this.sides = SIDES.map(([name, azimuth]) => {
        const side = button(), canvas = make("canvas");
        side.append(canvas, make("span", "", name));
        side.addEventListener("click", () => this.look(azimuth));
        return { side, canvas, azimuth };
      });
      this.strip.append(...this.sides.map(({ side }) => side));
      Object.assign(this, { azimuth: 35, turn: 0, row: null });
      this.listen();
    }

    listen() {
      let from = null;
      this.canvas.addEventListener("pointerdown", (event) => { from = [event.clientX, this.azimuth]; this.canvas.setPointerCapture(event.pointerId); });
      this.canvas.addEventListener("pointermove", (event) => { if (from) this.look(from[1] - 0.7 * (event.clientX - from[0])); });
      for (const name of ["pointerup", "pointercancel"]) this.canvas.addEventListener(name, () => { from = null; });
      this.canvas.addEventListener("keydown", (event) => {
        const step = { ArrowLeft: 15, ArrowRight: -15 }[event.key];
        if (step) { event.preventDefault(); this.look(this.azimuth + step); }
      });
    }

    look(azimuth) { this.azimuth = ((azimuth % 360) + 360) % 360; this.draw(); }

    /* turn: how far the object is turned beyond what the row shows. */
    show(row, turn) { Object.assign(this, { row, turn }); this.draw(); }

    draw() {
      this.paint(this.canvas, this.azimuth);
      for (const { side, canvas, azimuth } of this.sides) {
        this.paint(canvas, azimuth);
        const apart = Math.abs(((this.azimuth - azimuth + 540) % 360) - 180);
        side.setAttribute("aria-pressed", String(apart < 20));
      }
    }

    paint(canvas, azimuth) {
      const { row } = this, pen = canvas.getContext("2d");
      if (!row) { canvas.width = canvas.height = 1; return; }
      const size = row.naturalHeight, count = Math.round(row.naturalWidth / size);
      const frame = ((Math.round(((azimuth - this.turn) * count) / 360) % count) + count) % count;
      if (canvas.width !== size) canvas.width = canvas.height = size;
      pen.clearRect(0, 0, size, size);
      pen.drawImage(row, frame * size, 0, size, size, 0, 0, size, size);
    }
  }

  class ReferenceCard {
    constructor(root, props, trigger, upload) {
      Object.assign(this, { root, props, trigger, upload, query: { words: "", images: "", framing: {} }, best: [], asked: false, stale: true, up: AUTO, turn: 0, shown: "", serial: 0 });
      this.host = root.closest("#mq-reference-card") || root;
      this.tabs = make("div", "mq-ref-tabs");
      this.tabs.setAttribute("role", "tablist");
      this.tabs.setAttribute("aria-label", "Where the reference comes from");
      this.panes = sources.map((source) => this.pane(source));
      this.build();
      root.replaceChildren(this.tabs, ...this.panes.map(({ pane }) => pane), this.chosen);
      this.open(this.sourceOf(this.value));
      new IntersectionObserver(([seen]) => { this.inSight = seen.isIntersecting; if (this.inSight) this.wake(); }).observe(root);
      this.draw();
    }

    get value() { return this.props.value || AUTO; }  // this tab always has a reference; without one there are the other tabs

    pane(source) {
      const pane = make("div", "mq-ref-pane"), tab = button("", source.title);
      tab.setAttribute("role", "tab");
      pane.setAttribute("role", "tabpanel");
      pane.setAttribute("aria-label", source.title);
      tab.addEventListener("click", () => this.open(source));
      tab.dataset.source = source.key;
      this.tabs.append(tab);
      return { source, pane, tab, part: source.mount(pane, this) };
    }

    build() {
      this.chosen = make("div", "mq-ref-chosen");
      this.table = new Turntable();
      this.name = make("b");
      this.near = make("em");
      this.credit = make("small");
      this.notes = make("div", "mq-ref-notes");
      this.took = make("p", "mq-ref-took");
      const stand = make("div", "mq-ref-stand"), words = make("div", "mq-ref-words"), head = make("div");
      head.append(this.name, this.near);
      words.append(head, this.credit);
      stand.append(this.table.canvas, this.table.strip);
      this.chosen.append(stand, words, this.notes, this.took);
    }

    /* The last one that says so: sources that were added know their own values better. */
    sourceOf(value) { return [...sources].reverse().find((source) => source.owns(value)) || sources[0]; }

    open(source) {
      this.host.dataset.source = source.key;
      for (const { source: each, pane, tab } of this.panes) {
        pane.hidden = each !== source;
        tab.setAttribute("aria-selected", String(each === source));
        tab.tabIndex = each === source ? 0 : -1;
      }
      this.panes.find(({ source: each }) => each === source).part.opened?.();
    }

    /* Chosen by hand. */
    choose(value) {
      if (value === this.props.value) return;
      this.props.value = value;
      this.took.textContent = "";
      this.draw();
      this.trigger("input");
    }

    /* Set by the page: another run is shown, or a preset's example. */
    given() {
      if (!this.props.value) { this.choose(AUTO); }
      this.open(this.sourceOf(this.value));
      this.draw();
    }

    /* What the run would be asked for has changed. */
    ask(words, images, framing) {
      const given = Object.entries(framing).filter(([, value]) => value !== null && value !== undefined);
      this.query = { words: words || "", images: images || "", framing: Object.fromEntries(given) };
      this.stale = true;
      clearTimeout(this.typing);
      this.typing = setTimeout(() => this.wake(), TYPING_MS);
    }

    wake() { if (this.inSight && this.stale) { this.stale = false; this.look(); } }

    async matches(asked) {
      return answer(fetch(maquette.url("/reference/matches"), { method: "POST", body: JSON.stringify(asked) }));
    }

    async look() {
      const serial = ++this.serial;
      this.root.toggleAttribute("data-busy", true);
      try {
        const told = await this.matches(this.query);
        if (serial !== this.serial) return;
        Object.assign(this, { best: told.matches, asked: told.asked, unreadable: told.unreadable, trouble: "" });
      } catch (error) {
        if (serial !== this.serial) return;
        Object.assign(this, { best: [], asked: false, trouble: `${error.message} ${error.remedy || ""}` });
      }
      this.root.toggleAttribute("data-busy", false);
      this.draw();
    }

    draw() {
      for (const { part } of this.panes) part.draw();
      this.preview();
      this.announce();
    }

    /* What can be seen of the value: of a draw among the best, the best. */
    visible() { return isAuto(this.value) ? (this.asked && this.best[0] ? this.best[0].reference : "") : this.value; }

    pose(up, turn) {
      Object.assign(this, { up: up || AUTO, turn: Number(turn) || 0 });
      this.announce();
      if (this.row) this.table.show(this.row, this.turn - this.rowTurn);
      clearTimeout(this.posing);
      this.posing = setTimeout(() => this.preview(), POSE_MS);
    }

    /* For the ghost in the live picture. */
    announce() { document.dispatchEvent(new CustomEvent("mq-reference", { detail: { of: this.visible(), up: this.up, turn: this.turn } })); }

    async preview() {
      const of = this.visible(), key = `${of} ${this.up} ${this.turn}`;
      this.chosen.toggleAttribute("data-empty", !of);
      if (!of) { this.empty(); return; }
      this.head(of);
      if (this.shown === key || !this.inSight) return;
      const same = this.shown.startsWith(`${of} `);
      this.shown = key;
      if (!same) this.chosen.toggleAttribute("data-reading", true);
      try {
        const asked = { of, up: this.up, turn: this.turn };
        const facts = await answer(fetch(address("facts", asked)));
        const row = await picture(address("sides", asked));
        if (this.shown !== key) return;
        Object.assign(this, { row, rowTurn: this.turn, facts });
        this.tell(facts);
      } catch (error) {
        if (this.shown !== key) return;
        this.row = null;
        this.complain(error);
      }
      this.chosen.toggleAttribute("data-reading", false);
      this.table.show(this.row, 0);
      this.chosen.dataset.shown = key;
    }

    head(of) {
      const match = this.best.find(({ reference }) => reference === of);
      this.near.textContent = isAuto(this.value) ? "best match" : "chosen by you";
      if (match) { this.name.textContent = match.caption; this.credit.textContent = creditOf(match); }
    }

    tell(facts) {
      this.name.textContent = facts.caption;
      this.credit.textContent = creditOf(facts);
      this.table.canvas.setAttribute("aria-label", `${facts.caption}, from all round: drag, or press the arrow keys`);
      this.notes.replaceChildren(...facts.notes.map((note) => make("p", "", note)));
      this.notes.removeAttribute("data-bad");
    }

    complain(error) {
      this.name.textContent = "This cannot be used";
      this.credit.textContent = this.near.textContent = "";
      this.notes.replaceChildren(make("p", "", error.message), make("p", "", error.remedy || ""));
      this.notes.setAttribute("data-bad", "");
    }

    empty() {
      this.shown = "";
      this.row = null;
      this.table.show(null, 0);
      const nothing = this.asked ? "Nothing on the shelf is like this" : "No words and no picture yet";
      this.name.textContent = this.trouble ? "The shelf cannot be searched" : nothing;
      this.near.textContent = "";
      this.credit.textContent = this.trouble || (this.asked ? "Choose a reference by hand." : "Describe the object, add a picture of it, or choose a reference by hand.");
      this.notes.replaceChildren();
    }

    /* A run was begun: what did it take? */
    async taken(token) {
      this.took.textContent = "";
      if (!token || !isAuto(this.value)) return;
      try {
        const origin = await answer(fetch(address("taken", { token })));
        if (origin) this.took.textContent = `The last run took: ${origin.caption} (${origin.licence}).`;
      } catch { /* another run is shown by now */ }
    }
  }

  const picture = (src) => new Promise((done, failed) => {
    const image = new Image();
    image.onload = () => done(image);
    image.onerror = () => failed(Object.assign(new Error("Its pictures did not arrive."), { remedy: "Choose it again." }));
    image.src = src;
  });

  /* Things to choose from: a picture, how similar, what it is, and its licence and source. */
  const grid = (things, card, rings) => things.map((thing) => {
    const item = button("mq-ref-item"), seen = Object.assign(new Image(), { alt: "", loading: "lazy", src: thing.picture || address("picture", { of: thing.reference }) });
    item.append(seen, make("span", "", thing.caption), make("small", "", creditOf(thing)));
    if (thing.similarity !== null && thing.similarity !== undefined) item.append(make("em", "", percent(thing.similarity)));
    item.title = [thing.caption, creditOf(thing)].filter(Boolean).join("\n");
    item.dataset.reference = thing.reference;
    item.setAttribute("aria-pressed", String(card.value === thing.reference));
    item.toggleAttribute("data-ring", rings.includes(thing.reference));
    item.addEventListener("click", () => card.choose(thing.reference));
    return item;
  });

  maquette.referenceSource({
    key: "shelf", title: "Retrieved",
    owns: (value) => isAuto(value) || value.startsWith("shelf:"),
    mount(pane, card) {
      const search = Object.assign(make("input", "mq-ref-search"), { type: "search", placeholder: "Search the shelf in other words", maxLength: 200 });
      search.setAttribute("aria-label", search.placeholder);
      const list = make("div", "mq-ref-grid"), draws = make("div", "mq-ref-draws"), note = make("p", "mq-ref-note");
      let found = null, typing = 0, serial = 0;
      draws.setAttribute("role", "group");
      draws.setAttribute("aria-label", "Which match is taken");
      draws.append(...DRAWS.map(([value, title]) => {
        const draw = button("", title);
        draw.dataset.value = value;
        draw.title = value === AUTO ? "Take what is most alike, whatever the words or the picture become." : `Draw one of the ${value.slice(5)} best, decided by the seed: other seeds, other references.`;
        draw.addEventListener("click", () => { search.value = ""; found = null; card.choose(value); part.draw(); });
        return draw;
      }));
      search.addEventListener("input", () => {
        clearTimeout(typing);
        typing = setTimeout(async () => {
          const mine = ++serial;
          try { found = search.value.trim() ? (await card.matches({ search: search.value, count: MOST_FOUND })).matches : null; } catch { found = []; }
          if (mine === serial) part.draw();
        }, TYPING_MS);
      });
      pane.append(draws, list, note, search);
      let drawn = "";
      const part = {
        draw() {
          const count = card.value === AUTO ? 1 : Number(card.value.slice(5)) || 0;
          const rings = isAuto(card.value) && card.asked && !found ? card.best.slice(0, count).map(({ reference }) => reference) : [];
          const things = found || card.best, key = JSON.stringify([things, rings, card.value]);
          for (const draw of draws.children) draw.setAttribute("aria-pressed", String(draw.dataset.value === card.value));
          if (key !== drawn) list.replaceChildren(...grid(things, card, rings));
          drawn = key;
          const lost = card.unreadable ? `${card.unreadable} files in the folder cannot be read.` : "";
          note.textContent = [found && !found.length ? "Nothing on the shelf is like this." : "", lost].filter(Boolean).join(" ");
        },
      };
      return part;
    },
  });

  maquette.referenceSource({
    key: "results", title: "My results",
    owns: (value) => value.startsWith("run:"),
    mount(pane, card) {
      const list = make("div", "mq-ref-grid"), note = make("p", "mq-ref-note");
      let runs = [];
      pane.append(list, note);
      const part = {
        async opened() {
          try {
            const all = await answer(fetch(maquette.url("/runs"), { headers: { "x-maquette-owner": maquette.owner() } }));
            runs = all.filter(({ state }) => ["done", "stopped"].includes(state)).slice(0, 30);
          } catch { return; }
          part.draw();
        },
        draw() {
          const things = runs.map((run) => ({ reference: `run:${run.token}`, caption: run.title, licence: "", source: "", similarity: null, picture: maquette.url(`/thumb/${run.token}?step=${run.step}`) }));
          list.replaceChildren(...grid(things, card, []));
          note.textContent = runs.length ? "" : "Finished results of this browser appear here.";
        },
      };
      return part;
    },
  });

  maquette.referenceSource({
    key: "upload", title: "Upload",
    owns: (value) => !isAuto(value) && !/^(shelf|run):/.test(value),
    mount(pane, card) {
      const { endings } = card.props, input = Object.assign(make("input"), { type: "file", accept: endings.join(","), hidden: true });
      const drop = button("mq-ref-drop"), list = make("div", "mq-ref-grid"), note = make("div", "mq-ref-notes");
      const ask = make("b"), hint = make("span", "", `${endings.map((ending) => ending.slice(1)).join(", ")}. It is mended, centred and put upright.`);
      const taken = [];
      drop.append(ask, hint);
      pane.append(drop, input, note, list);
      const rest = () => { ask.textContent = "Choose a 3D model, or drop one here"; pane.removeAttribute("data-busy"); };
      const refuse = (what, remedy) => { note.replaceChildren(make("p", "", what), make("p", "", remedy || "")); note.setAttribute("data-bad", ""); };
      const take = async (file) => {
        input.value = "";
        if (!file) return;
        note.replaceChildren();
        if (!endings.some((ending) => file.name.toLowerCase().endsWith(ending))) { refuse(`${file.name} is none of ${endings.join(", ")}.`, "Save it as GLB in a 3D editor."); return; }
        pane.toggleAttribute("data-busy", true);
        try {
          ask.textContent = `Uploading ${file.name}`;
          const reference = (await card.upload(file)).path;
          ask.textContent = `Reading ${file.name}`;
          const facts = await answer(fetch(address("facts", { of: reference })));
          if (!taken.some((thing) => thing.reference === reference)) taken.unshift({ reference, caption: facts.caption, licence: facts.licence, source: "", similarity: null });
          card.choose(reference);
        } catch (error) { refuse(error.message || String(error), error.remedy || "Try it again."); }
        rest();
        part.draw();
      };
      maquette.takeReference = (file) => { card.open(card.sourceOf(file.name)); take(file); };
      drop.addEventListener("click", () => input.click());
      input.addEventListener("change", () => take(input.files[0]));
      for (const name of ["dragover", "dragleave", "drop"]) pane.addEventListener(name, (event) => { event.preventDefault(); pane.toggleAttribute("data-over", name === "dragover"); });
      pane.addEventListener("drop", (event) => take(event.dataTransfer.files[0]));
      rest();
      const part = { draw: () => list.replaceChildren(...grid(taken, card, [])) };
      return part;
    },
  });

  maquette.mountReference = (element, props, trigger, watch, upload) => {
    const card = new ReferenceCard(element.querySelector(".mq-ref"), props, trigger, upload);
    maquette.reference = card;
    watch("value", () => card.given());
  };
})();
/* Examples to begin with, while there is nothing else. */
(() => {
  "use strict";
  maquette.mountReferenceExamples = (element, props, trigger) => {
    const row = element.querySelector(".mq-ref-examples");
    row.replaceChildren(Object.assign(document.createElement("span"), { textContent: "Try one:" }), ...props.examples.map((example) => {
      const chip = Object.assign(document.createElement("button"), { type: "button", className: "mq-chip", textContent: example.title, title: example.prompt });
      chip.dataset.preset = example.preset;
      chip.addEventListener("click", () => { props.value = example.preset; trigger("input"); });
      return chip;
    }));
  };
})();
