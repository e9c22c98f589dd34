/* What an edit shows in its card: pictures while it works; then the mesh before and after, from one camera, which is that of the
   live picture; and for a change that runs on the stage, the scene before beside it. */
(() => {
  "use strict";
  const { View, Painter } = maquette.solid, WAYS = { Paint: "paint", "Change a part": "part", Restyle: "restyle", Energy: "energy" };
  const make = (tag, look, text) => Object.assign(document.createElement(tag), { className: look || "", textContent: text || "" });
  const button = (title, text, act) => { const made = Object.assign(make("button", "", text), { type: "button", title }); made.addEventListener("click", act); return made; };

  class EditView {
    constructor(root) {
      Object.assign(this, { root, view: new View(35, 18, 3.05, [0, 0, 0]), painter: new Painter(), meshes: {}, side: "after", own: { azimuth: 35, elevation: 18, distance: 3.05 } });
      this.canvas = make("canvas");
      this.canvas.tabIndex = 0;
      this.canvas.setAttribute("aria-label", "The edited mesh. Drag to turn it.");
      this.bar = make("div", "mq-edit-bar");
      this.image = make("img");
      this.image.alt = "What is painted now, from all round";
      root.replaceChildren(this.image, this.canvas, this.bar);
      maquette.steer(this.canvas, this);
      new ResizeObserver(() => this.paint()).observe(this.canvas);
    }

    /* The live picture's camera, where there is a live picture: turning one turns the other. */
    get linked() { return maquette.stage?.root.dataset.picture === "shown" ? maquette.stage.live : null; }
    get camera() { return this.linked ? this.linked.camera : this.own; }
    look(camera) { if (this.linked) this.linked.look(camera); else { Object.assign(this.own, camera); this.paint(); } }

    show(told) {
      this.told = told;
      this.root.dataset.kind = told.kind || "";
      this.bar.replaceChildren();
      if (told.kind === "working") this.image.src = told.picture;
      if (told.kind === "mesh") this.showMesh(told);
      if (told.kind === "run") this.showRun(told);
    }

    async showMesh({ before, after }) {
      this.sides = Object.entries({ before: "Before", after: "After" }).map(([side, text]) => Object.assign(button(`The mesh ${side} the edit`, text, () => this.turnTo(side)), { side }));
      const keep = button("Edit the new one next", "Go on from this", () => document.querySelector("#mq-edit-accept").click());
      const undo = button("Leave it as it was", "Undo", () => document.querySelector("#mq-edit-undo").click());
      this.bar.append(...this.sides, keep, undo);
      this.follow();
      const [old, changed] = await Promise.all([before, after].map((of) => this.mesh(of)));
      this.meshes = { before: old, after: changed };
      this.turnTo("after");
    }

    async mesh(of) {
      const answer = await fetch(maquette.url(`/reference/ghost?${new URLSearchParams({ of, up: "auto" })}`));
      return answer.ok ? maquette.ghostMesh.posed(maquette.ghostMesh.read(await answer.arrayBuffer()), 0) : null;
    }

    turnTo(side) {
      this.side = side;
      for (const each of this.sides) each.setAttribute("aria-pressed", String(each.side === side));
      this.paint();
    }

    /* The scene as it was, beside the one that changes; undo goes back to it. */
    showRun({ before }) {
      if (!before) return;
      const beside = button("The scene before, from the same camera", "Before beside", () => {
        if (maquette.comparison) maquette.endComparison(); else maquette.compare(before);
        beside.setAttribute("aria-pressed", String(Boolean(maquette.comparison)));
      });
      const undo = button("Show the scene before; this one stays in the library", "Undo", () => { maquette.endComparison(); maquette.picked = before; document.querySelector("#mq-pick").click(); this.show({}); });
      this.bar.append(beside, undo);
    }

    follow() {
      if (this.told.kind !== "mesh") return;
      const { azimuth, elevation, distance } = this.camera, key = [azimuth, elevation, distance, this.side].join();
      if (key !== this.seen) { this.seen = key; this.paint(); }
      requestAnimationFrame(() => this.follow());
    }

    paint() {
      const { canvas, view, painter } = this, mesh = this.meshes[this.side], width = canvas.clientWidth, height = canvas.clientHeight;
      if (!mesh || !width) return;
      Object.assign(canvas, { width, height });
      Object.assign(view, this.camera);
      view.fit(width, height);
      painter.begin(view, width, height);
      painter.draw(mesh, null, 1, true);
      canvas.getContext("2d").drawImage(painter.end(), 0, 0, width, height);
      this.root.dataset.pixels = painter.ids.reduce((sum, id) => sum + (id === 1), 0);
    }
  }

  maquette.mountEditView = (element, props, trigger, watch) => {
    const view = maquette.editView = new EditView(element.querySelector(".mq-edit-view"));
    const show = () => { let told = {}; try { told = JSON.parse(props.value || "{}"); } catch { /* nothing to show */ } view.show(told); };
    watch("value", show);
    show();
  };

  maquette.mountEditExamples = (element, props, trigger) => {
    const root = element.querySelector(".mq-edit-examples");
    root.replaceChildren(...props.examples.map(({ key, title, sentence }) => button(sentence, title, () => { props.value = `${key} ${Date.now()}`; trigger("input"); })));
  };

  /* Which way is chosen, for style sheets and for the box over the picture. */
  maquette.editWay = (way) => { document.body.dataset.edit = WAYS[way] || "paint"; };
  document.body && (document.body.dataset.edit = "paint");
})();
