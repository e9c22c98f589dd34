/* The options of an export: those that the chosen format has. What is as usual is not sent. */
(() => {
  "use strict";
  const make = (tag, look, text) => Object.assign(document.createElement(tag), { className: look || "", textContent: text || "" });
  const numbered = (value) => (value === "" || !Number.isFinite(Number(value)) ? null : Number(value));

  /* name, title, how it is drawn, what it offers, help */
  const PLAIN = [
    ["size_m", "Size", "number", { min: 0, max: 1000, step: "any", placeholder: "as is", unit: "m" }, "The longest side, in metres"],
    ["up", "Up axis", "choice", [["", "Usual"], ["y", "+y"], ["z", "+z"]], "Which axis of the file points up"],
    ["origin", "Origin", "choice", [["base", "Under it"], ["centre", "Middle"]], "Where the file's zero is: on the ground under the object, or in the middle of the space"],
    ["faces", "Faces", "number", { min: 100, max: 500000, step: 1, value: 20000 }, "At most so many triangles"],
    ["texture_size", "Texture", "choice", [[512, "512"], [1024, "1024"], [2048, "2048"], [4096, "4096"]], "Texels a side", 1024],
    ["layer", "Shows", "choice", [["colour", "Colour"], ["depth", "Depth"], ["normal", "Normals"], ["alpha", "Alpha"]], "What the pictures show"],
    ["frames", "Pictures", "number", { min: 1, max: 2000, step: 1, value: 72 }, "How many pictures"],
    ["fps", "A second", "number", { min: 1, max: 120, step: 1, value: 24 }, "Pictures a second"],
    ["frame_size", "Side", "number", { min: 16, max: 2048, step: 1, value: 320, unit: "px" }, "Pixels a side"],
  ];
  const LAMP = [["strength", "Lamp", 0, 1, 0.05, 0], ["azimuth_deg", "Lamp round", -180, 180, 5, 45], ["elevation_deg", "Lamp up", -90, 90, 5, 50]];

  class ExportOptions {
    constructor(live, changed) {
      Object.assign(this, { live, changed, values: {}, lamp: {}, background: "" });
      this.root = make("div", "mq-export-options");
      this.path = new maquette.CameraPath(live, changed, () => (this.values.frames ?? 72) / (this.values.fps ?? 24));
      this.rows = new Map(PLAIN.map(([name, ...how]) => [name, this.row(name, ...how)]));
      this.rows.set("background", this.ground());
      this.rows.set("lamp", this.lamps());
      this.rows.set("path", this.labelled("Camera", this.path.root, "Where the film looks from"));
      this.root.append(...this.rows.values());
    }

    /* Only what the format has is in sight, and only that is sent. */
    show(format) {
      this.format = format;
      for (const [name, row] of this.rows) row.hidden = !format.options.includes(name);
      const usual = this.rows.get("up").querySelector("button");
      if (usual) usual.textContent = format.up ? `Usual (+${format.up})` : "Usual";
    }

    get value() {
      const own = this.format?.options ?? [], chosen = Object.fromEntries(Object.entries(this.values).filter(([name, value]) => own.includes(name) && value !== null));
      if (own.includes("path") && this.path.value) chosen.path = this.path.value;
      if (own.includes("background") && this.background) chosen.background = this.background;
      if (own.includes("lamp") && this.lamp.strength) chosen.lamp = this.lamp;
      return chosen;
    }

    labelled(title, control, help) {
      const row = make("div", "mq-export-row"), name = Object.assign(make("span", "", title), { title: help });
      row.append(name, control);
      return row;
    }

    row(name, title, kind, offer, help, usual) { return this.labelled(title, kind === "number" ? this.number(name, title, offer, help) : this.choice(name, title, offer, usual), help); }

    number(name, title, { unit, ...limits }, help) {
      const box = make("label", "mq-export-number"), input = Object.assign(make("input"), { type: "number", title: help, ...limits });
      input.setAttribute("aria-label", title);
      input.addEventListener("input", () => { this.values[name] = numbered(input.value); this.changed(); });
      box.append(input, make("em", "", unit || ""));
      return box;
    }

    choice(name, title, offers, usual = offers[0][0]) {
      const group = make("div", "mq-export-choice");
      group.setAttribute("role", "group");
      group.setAttribute("aria-label", title);
      group.append(...offers.map(([value, text]) => {
        const button = Object.assign(make("button", "", text), { type: "button" });
        button.setAttribute("aria-pressed", String(value === usual));
        button.addEventListener("click", () => {
          for (const each of group.children) each.setAttribute("aria-pressed", String(each === button));
          this.values[name] = value;
          this.changed();
        });
        return button;
      }));
      return group;
    }

    ground() {
      const box = make("div", "mq-export-ground"), colour = Object.assign(make("input"), { type: "color", value: "#f4f4f2" }), none = Object.assign(make("button", "mq-export-quiet", "as usual"), { type: "button", hidden: true });
      colour.setAttribute("aria-label", "Background");
      colour.addEventListener("input", () => { this.background = colour.value; none.hidden = false; this.changed(); });
      none.addEventListener("click", () => { this.background = ""; none.hidden = true; this.changed(); });
      box.append(colour, none);
      return this.labelled("Ground", box, "The colour behind the object");
    }

    lamps() {
      const box = make("div", "mq-export-lamp");
      box.append(...LAMP.map(([name, title, min, max, step, value]) => {
        const input = Object.assign(make("input"), { type: "range", min, max, step, value, title });
        input.setAttribute("aria-label", title);
        input.addEventListener("input", () => { this.lamp[name] = Number(input.value); box.toggleAttribute("data-lit", Boolean(this.lamp.strength)); this.changed(); });
        return input;
      }));
      return this.labelled("Lamp", box, "How strong the lamp is; then from which side, and from how high");
    }
  }

  Object.assign(maquette, { ExportOptions });
})();
