/* Blocks as a source in the reference card: examples to begin with, the editor in the viewport's place, and what it kept. */
(() => {
  "use strict";
  const make = (tag, look, text) => Object.assign(document.createElement(tag), { className: look || "", textContent: text || "" });
  const button = (look, text) => Object.assign(make("button", look, text), { type: "button" });
  const plain = (value) => (value || "").split("#")[0];
  const address = (path, of) => maquette.url(`/reference/${path}?${new URLSearchParams({ of })}`);
  const answer = async (asked) => {
    const response = await asked, told = await response.json();
    if (!response.ok) throw Object.assign(new Error(told.title), { remedy: told.remedy || "" });
    return told;
  };

  class Source {
    constructor(pane, card) {
      Object.assign(this, { card, kept: "", serial: 0 });
      this.editor = new maquette.Blocks((blocks) => this.keep(blocks));
      this.note = make("div", "mq-ref-notes");
      this.save = Object.assign(make("a", "", "Download GLB"), { download: "blocks.glb", hidden: true });
      const tiles = make("div", "mq-blocks-tiles"), acts = make("div", "mq-blocks-acts"), build = button("mq-blocks-build", "Build in the viewport");
      tiles.append(...Object.entries(maquette.blockExamples).map(([name, blocks]) => this.tile(name, blocks)));
      build.addEventListener("click", () => this.open());
      acts.append(build, this.save);
      pane.append(make("p", "mq-ref-note", "Stack a rough build from boxes, spheres, cylinders and cones; the run turns it into a detailed object of the same build."), tiles, acts, this.note);
      document.addEventListener("click", (event) => { if (event.target.closest("#mq-generate, .mq-runs button")) this.editor.close(); });
    }

    tile(name, blocks) {
      const tile = button(), canvas = Object.assign(make("canvas"), { width: 180, height: 160 });
      tile.append(canvas, make("span", "", name));
      tile.dataset.example = name;
      tile.addEventListener("click", () => { this.editor.replace(blocks); this.open(); });
      requestAnimationFrame(() => maquette.blockPortrait(blocks, canvas));
      return tile;
    }

    open() {
      const { root } = this.editor, panes = document.querySelector(".mq-panes");
      if (panes && root.parentElement !== panes) panes.append(root);
      this.editor.open();
    }

    say(words, bad = false) { this.editor.note.textContent = words; this.editor.note.toggleAttribute("data-bad", bad); }

    /* The server writes the file, whose path is the setting. */
    async keep(blocks) {
      const serial = ++this.serial;
      if (!blocks.length) { this.say(this.kept ? "Empty: the last build is still the reference" : ""); return; }
      try {
        const { reference } = await answer(fetch(maquette.url("/reference/blocks"), { method: "POST", body: JSON.stringify({ blocks }) }));
        if (serial !== this.serial) return;
        this.kept = reference;
        this.editor.root.dataset.kept = reference;
        this.say("Kept as the reference");
        this.card.choose(reference);
        this.draw();
      } catch (error) {
        if (serial === this.serial) this.say(`${error.message} ${error.remedy || "Not kept; it is tried again with the next change."}`, true);
      }
    }

    /* Another run was chosen: build on with its blocks. */
    async load(value) {
      this.kept = value;
      const serial = ++this.serial;
      try {
        const { blocks } = await answer(fetch(address("blocks", value)));
        if (serial === this.serial) { this.note.replaceChildren(); this.editor.show(blocks); }
      } catch (error) {
        this.note.replaceChildren(make("p", "", error.message), make("p", "", error.remedy || ""));
        this.note.setAttribute("data-bad", "");
      }
    }

    draw() {
      const { value } = this.card, mine = maquette.isBlocks(value);
      this.save.hidden = !mine;
      if (mine) this.save.href = address("blocks.glb", value);
      if (mine && value !== this.kept) this.load(value);
    }
  }

  maquette.isBlocks = (value) => plain(value).endsWith(".json");
  maquette.referenceSource({ key: "blocks", title: "Blocks", owns: maquette.isBlocks, mount: (pane, card) => new Source(pane, card) });
})();
