/* The export sheet: any finished run in any format, with a picture of what the file will hold and about how large it gets. Each
   file is opened again by the studio before it is offered; what differs is said. */
(() => {
  "use strict";
  const TYPED_MS = 160, POLL_MS = 700, KINDS = [["mesh", "Mesh"], ["texture", "Mesh with texture"], ["splats", "Splats"], ["film", "Pictures and films"]];
  const make = (tag, look, text) => Object.assign(document.createElement(tag), { className: look || "", textContent: text || "" });
  const press = (look, text, act, label = "") => {
    const button = Object.assign(make("button", look, text), { type: "button" });
    if (label) { button.title = label; button.setAttribute("aria-label", label); }
    button.addEventListener("click", act);
    return button;
  };
  const size = (bytes) => bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.max(1, Math.round(bytes / 1e3))} kB`;
  const asked = async (path, body) => {
    const how = body === undefined ? {} : { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
    let answer;
    try { answer = await fetch(maquette.url(path), how); } catch { throw new Error("The studio does not answer."); }
    if (answer.ok) return answer;
    const told = await answer.json();
    throw new Error([told.title, told.remedy].filter(Boolean).join(" "));
  };

  class ExportSheet {
    constructor(stage) {
      Object.assign(this, { stage, token: "", format: null, formats: [], number: 0, drawn: 0, dirty: false });
      this.root = Object.assign(make("section", "mq-export"), { hidden: true });
      this.root.setAttribute("aria-label", "Export");
      this.options = new maquette.ExportOptions(stage.live, () => this.changed());
      this.trim = new maquette.Trim(stage.live, () => this.changed());
      this.build();
      stage.root.append(this.root);
      stage.live.followers.add({ look: () => this.redraw() });
      this.root.addEventListener("keydown", (event) => { if (event.key === "Escape") this.close(); });
      document.addEventListener("mq-open", () => { if (!this.root.hidden) this.close(); });
    }

    build() {
      const head = make("div", "mq-export-head"), foot = make("div", "mq-export-foot");
      head.append(make("h2", "", "Export"), press("mq-lib-close", "×", () => this.close(), "Close the export sheet"));
      this.kinds = make("div", "mq-export-kinds");
      this.help = make("p", "mq-export-help");
      this.canvas = Object.assign(make("canvas", "mq-export-picture"), { tabIndex: 0 });
      this.canvas.setAttribute("aria-label", "What the file will hold. It turns with the live picture.");
      maquette.steer(this.canvas, this.stage.live);
      this.about = make("span", "mq-export-about");
      this.about.setAttribute("aria-live", "polite");
      this.go = press("mq-export-go", "Export", () => this.begin());
      this.trouble = make("p", "mq-export-trouble");
      this.trouble.setAttribute("role", "alert");
      this.made = make("div", "mq-export-made");
      foot.append(this.about, this.go);
      this.root.append(head, this.kinds, this.help, this.canvas, this.options.root, this.trim.root, this.trouble, foot, this.made);
    }

    async open() {
      this.token = this.stage.root.dataset.token;
      this.root.hidden = false;
      this.stage.root.dataset.export = "open";
      this.tell("");
      try {
        this.formats = await (await asked("/exports/formats")).json();
        await this.look();
      } catch (error) { this.tell(error.message); return; }
      this.drawFormats();
      this.choose(this.format?.key ?? "glb");
      this.root.querySelector('[aria-pressed="true"]')?.focus();
    }

    close() {
      this.root.hidden = true;
      this.options.path.stop();
      delete this.stage.root.dataset.export;
      clearTimeout(this.polling);
      document.querySelector(".mq-export-open")?.focus();
    }

    toggle() { if (this.root.hidden) this.open(); else this.close(); }
    tell(text) { this.trouble.textContent = text; this.trouble.hidden = !text; }

    drawFormats() {
      this.kinds.replaceChildren(...KINDS.map(([kind, title]) => {
        const group = make("div"), row = make("div"), buttons = this.formats.filter(({ content }) => content === kind).map((format) => {
          const button = press("", format.title.replace(/^Splats, /, ""), () => this.choose(format.key), format.available ? format.help : `Not installed: ${format.remedy}`);
          Object.assign(button.dataset, { format: format.key });
          button.toggleAttribute("data-missing", !format.available);
          return button;
        });
        group.setAttribute("role", "group");
        group.setAttribute("aria-label", title);
        row.append(...buttons);
        group.append(make("small", "", title), row);
        return group;
      }));
    }

    choose(key) {
      this.format = this.formats.find((each) => each.key === key) || this.formats[0];
      for (const button of this.kinds.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.dataset.format === this.format.key));
      this.root.dataset.format = this.format.key;
      this.help.textContent = this.format.available ? this.format.help : `${this.format.help} It needs a package that is not here; this adds it: ${this.format.remedy}`;
      this.go.disabled = !this.format.available;
      this.options.show(this.format);
      this.changed();
    }

    get wanted() { return { format: this.format.key, options: { ...this.options.value, ...(this.trimmed && { trim: this.trim.value }) } }; }
    get trimmed() { const { box, least_opacity, most_size, most_stretch } = this.trim.value; return box.length || least_opacity || most_size || most_stretch; }

    changed() { if (this.root.hidden) return; clearTimeout(this.typing); this.typing = setTimeout(() => { this.estimate(); this.redraw(); }, TYPED_MS); }

    async estimate() {
      const number = ++this.number;
      if (!this.format) return;
      try {
        const told = await (await asked(`/exports/${this.token}/estimate`, this.wanted)).json();
        if (number !== this.number) return;
        const left = this.trimmed && told.splats < told.all ? ` · ${told.splats.toLocaleString()} of ${told.all.toLocaleString()} splats` : "";
        this.about.textContent = `about ${size(told.bytes)}${left}`;
        this.about.dataset.bytes = told.bytes;
        this.tell("");
      } catch (error) { if (number === this.number) { this.about.textContent = ""; this.tell(error.message); } }
    }

    /* One picture is asked for at a time; the newest wish follows it. */
    async redraw() {
      if (this.root.hidden || !this.format) return;
      if (this.drawing) { this.dirty = true; return; }
      this.drawing = true;
      const { azimuth, elevation, distance } = this.stage.live.camera, side = Math.min(512, Math.round(this.canvas.clientWidth * 0.8) || 320);
      this.canvas.toggleAttribute("data-busy", true);
      try {
        const answer = await asked(`/exports/${this.token}/picture`, { ...this.wanted, camera: [azimuth, elevation, distance], size: [side, Math.round(side * 0.62)] });
        const bitmap = await createImageBitmap(await answer.blob());
        Object.assign(this.canvas, { width: bitmap.width, height: bitmap.height });
        this.canvas.getContext("2d").drawImage(bitmap, 0, 0);
        bitmap.close();
        this.canvas.dataset.drawn = ++this.drawn;
      } catch (error) { this.tell(error.message); }
      this.canvas.removeAttribute("data-busy");
      this.drawing = false;
      if (this.dirty) { this.dirty = false; this.redraw(); }
    }

    async begin() {
      this.tell("");
      try { await asked(`/exports/${this.token}`, this.wanted); } catch (error) { this.tell(error.message); return; }
      this.look();
    }

    /* What is there and what is being made; asked again while something is. */
    async look() {
      clearTimeout(this.polling);
      let told;
      const { token } = this;
      try { told = await (await asked(`/exports/${token}`)).json(); } catch (error) { this.tell(error.message); return; }
      if (token !== this.token) return;
      if (JSON.stringify(told.histograms) !== this.shownHistograms) { this.shownHistograms = JSON.stringify(told.histograms); this.trim.tell(told.histograms); }
      this.made.replaceChildren(...told.exports.reverse().map((each) => this.item(each)));
      this.root.dataset.made = told.exports.filter(({ state }) => state === "done").length;
      if (!this.root.hidden && told.exports.some(({ state }) => ["waiting", "writing"].includes(state))) this.polling = setTimeout(() => this.look(), POLL_MS);
    }

    item(each) {
      const item = make("article"), words = make("div"), going = { waiting: "waits", writing: "is being written and opened again" }[each.state];
      Object.assign(item.dataset, { format: each.key, state: each.state });
      if (each.picture) item.append(Object.assign(make("img"), { alt: "The viewport, and what was read from the file again", src: maquette.url(`/exports/${this.token}/${each.key}/picture?at=${each.bytes}`) }));
      words.append(make("b", "", each.title));
      if (going) words.append(make("span", "", going));
      if (each.error) words.append(Object.assign(make("span", "mq-export-trouble", each.error.join(" "))));
      if (each.state === "done") {
        const link = Object.assign(make("a", "", `Download, ${size(each.bytes)}`), { href: maquette.url(`/exports/${this.token}/${each.key}/file`), download: "" });
        words.append(link, ...(each.notes.length ? each.notes : ["Opened again: nothing differs from the viewport."]).map((note) => make("small", "", note)));
      }
      item.append(words);
      return item;
    }
  }

  maquette.exportSheet = () => maquette.sheet ||= new ExportSheet(maquette.stage);
})();
