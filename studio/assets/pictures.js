/* The card of pictures. Its value lists them as a run's settings do, PATH@AZIMUTH*WEIGHT#DIGEST with ; between; a hidden neighbour holds their crops. */
(() => {
  "use strict";
  const { make, CropSquare, Dial, Camera, MaskBrush, turned, side } = maquette.pictureTools;
  const LISTED = /^(.+?)(?:@([-+]?[\d.]+))?(?:\*([\d.]+))?(?:#([0-9a-f]{16}))?$/, AUTO = "auto";
  const ICONS = {
    add: '<path d="M10 4v12M4 10h12"/>',
    picture: '<rect x="2.500" y="3.500" width="15" height="13" rx="2"/><circle cx="7" cy="8" r="1.400"/><path d="M3 14.500l4.500-4 3 2.500 3-3.500 4 4.500"/>',
    paste: '<path d="M7 4H5.500A1.500 1.500 0 0 0 4 5.500v10A1.500 1.500 0 0 0 5.500 17h9a1.500 1.500 0 0 0 1.500-1.500v-10A1.500 1.500 0 0 0 14.500 4H13"/><rect x="7" y="2.500" width="6" height="3" rx="1"/>',
    camera: '<path d="M3 6.500h3L7.500 4h5L14 6.500h3v9.500H3z"/><circle cx="10" cy="11" r="3"/>',
  };
  const button = (look, inside, act) => {
    const made = Object.assign(make("button", look), { type: "button", innerHTML: inside });
    made.addEventListener("click", act);
    return made;
  };
  const icon = (name) => `<svg viewBox="0 0 20 20" aria-hidden="true">${ICONS[name]}</svg>`;
  const nameOf = (path) => path.split(/[\\/]/).pop();

  class Pictures {
    constructor(root, props, trigger, upload) {
      Object.assign(this, { root, props, trigger, upload, list: [], chosen: 0, fill: 0.8, way: AUTO, written: "", writtenCrops: "", crops: null });
      this.input = Object.assign(make("input"), { type: "file", accept: props.endings.join(","), multiple: true, hidden: true });
      this.input.addEventListener("change", () => { this.take([...this.input.files]); this.input.value = ""; });
      this.camera = new Camera((file) => this.take([file]), (text) => this.tell(text));
      this.told = make("p", "mq-pic-told");
      this.told.setAttribute("role", "status");
      this.build();
      root.replaceChildren(this.zone, this.camera.root, this.row, this.editor, this.ways, this.told, this.samples, this.input);
      this.listen();
      this.tell("");
      this.draw();
    }

    build() {
      const how = window.matchMedia("(pointer: coarse)").matches ? ["Choose pictures of one object", "from this device"] : ["Drop pictures of one object", "or click to choose them"];
      this.zone = button("mq-pic-zone", `${icon("picture")}<b>${how[0]}</b><span>${how[1]}</span>`, () => this.input.click());
      this.row = make("div", "mq-pic-row");
      this.row.setAttribute("role", "group");
      this.row.setAttribute("aria-label", "Pictures");
      this.ways = make("div", "mq-pic-ways");
      this.ways.append(
        button("mq-pic-button", `${icon("camera")}Camera`, () => { this.tell(""); this.camera.open(); }),
        button("mq-pic-button", `${icon("paste")}Paste`, () => this.paste()),
        make("small", "", "One is enough; more views make it truer."));
      this.samples = make("div", "mq-pic-samples");
      this.samples.append(make("span", "", "No picture at hand? Try one:"), ...this.props.samples.map((sample) => {
        const tile = button("mq-checked", `<img alt="" src="${maquette.url(`/pictures/samples/${sample.file}`)}">`, () => this.takeSample(sample));
        Object.assign(tile, { title: sample.title }).setAttribute("aria-label", `Try ${sample.title.toLowerCase()}`);
        return tile;
      }));
      this.buildEditor();
    }

    buildEditor() {
      this.square = new CropSquare((square, done) => this.crop(square, done));
      this.dial = new Dial((degrees, done) => this.turn(degrees, done));
      this.frame = Object.assign(make("canvas", "mq-checked"), { width: 192, height: 192 });
      this.frame.setAttribute("role", "img");
      this.frame.setAttribute("aria-label", "What the engine will see");
      this.reset = button("mq-pic-link", "Follow the object", () => this.set({ crop: AUTO }, true));
      this.notes = make("p", "mq-pic-notes");
      this.brush = new MaskBrush((blob) => this.recut(blob), () => this.draw());
      this.outline = button("mq-pic-link", "Correct the outline", () => this.openBrush(this.present));
      this.automatic = button("mq-pic-link", "Back to the automatic outline", () => this.uncut());
      this.sides = make("div", "mq-pic-sides");
      this.sides.append(...[0, 90, 180, -90].map((degrees) => Object.assign(button("", side(degrees), () => this.turn(degrees, true)), { title: `Seen from ${degrees}°` })));
      [...this.sides.children].forEach((each, i) => { each.dataset.degrees = [0, 90, 180, -90][i]; });
      this.degrees = this.number("Degrees round the object", -360, 360, 5, (value) => this.turn(value, true));
      this.weight = this.number("Weight: how much this picture counts", 0.1, this.props.most_weight, 0.1, (value) => this.set({ weight: value }));
      const [look, seen, aim, place, counts] = ["mq-pic-look", "mq-pic-seen", "mq-pic-aim", "mq-pic-place", "mq-pic-weight"].map((name) => make("div", name));
      seen.append(this.frame, make("small", "", "What the engine sees"), this.reset);
      look.append(this.square.root, seen);
      counts.append(make("span", "", "Weight"), this.weight);
      place.append(make("span", "", "Seen from"), this.sides, this.degrees, make("span", "", "°"));
      aim.append(this.dial.root, place, counts);
      this.editor = make("div", "mq-pic-editor");
      const outlines = make("div", "mq-pic-outlines");
      outlines.append(this.outline, this.automatic);
      this.editor.append(this.brush.root, look, this.notes, outlines, aim);
      this.fault = make("p", "mq-pic-fault");
      this.fault.setAttribute("role", "alert");
      this.editor.prepend(this.fault);
    }

    number(name, min, max, step, act) {
      const input = Object.assign(make("input"), { type: "number", min, max, step, title: name });
      input.setAttribute("aria-label", name);
      input.addEventListener("change", () => {
        const value = Number(input.value);
        if (input.value && Number.isFinite(value)) act(Math.min(max, Math.max(min, value))); else this.draw();
      });
      return input;
    }

    listen() {
      const { root } = this, over = (event, on) => { event.preventDefault(); root.toggleAttribute("data-over", on); };
      root.addEventListener("dragover", (event) => over(event, true));
      root.addEventListener("dragleave", (event) => { if (!root.contains(event.relatedTarget)) over(event, false); });
      root.addEventListener("drop", (event) => { over(event, false); this.take([...event.dataTransfer.files]); });
      document.addEventListener("paste", (event) => {
        const files = [...(event.clipboardData?.files || [])].filter((file) => file.type.startsWith("image/"));
        if (!files.length || !root.offsetParent) return;
        event.preventDefault();
        this.take(files);
      });
      new MutationObserver(() => { if (!root.offsetParent) this.camera.close(); }).observe(document.querySelector("#mq-panel"), { attributeFilter: ["data-tab"] });
    }

    async paste() {
      this.tell("");
      try {
        const found = [];
        for (const item of await navigator.clipboard.read()) {
          const type = item.types.find((each) => each.startsWith("image/"));
          if (type) found.push(new File([await item.getType(type)], `pasted.${type.split("/")[1]}`, { type }));
        }
        if (found.length) this.take(found); else this.tell("There is no picture on the clipboard. Copy one, then paste it here.");
      } catch { this.tell("The browser keeps its clipboard to itself here: press Ctrl+V (or ⌘V) instead."); }
    }

    async takeSample(sample) {
      try {
        const blob = await (await fetch(maquette.url(`/pictures/samples/${sample.file}`))).blob();
        await this.take([new File([blob], sample.file, { type: "image/png" })], sample.azimuth);
      } catch { this.tell("The picture could not be loaded. Check the connection."); }
    }

    async take(files, azimuth = 0) {
      const { most, largest } = this.props, room = most - this.list.length;
      this.tell(files.length > room ? `At most ${most} pictures; ${files.length - room} left out.` : "");
      const taken = files.slice(0, room).map((file) => ({ file, path: "", azimuth, weight: 1, digest: "", crop: AUTO, name: file.name, look: null,
        problem: file.size > largest ? `${file.name} is ${Math.round(file.size / 1e6)} MB; pictures may have at most ${Math.round(largest / 1e6)} MB. Save it smaller.` : "" }));
      if (!taken.length) return;
      this.chosen = this.list.length;
      this.list.push(...taken);
      this.draw();
      await Promise.all(taken.map(async (picture) => {
        if (picture.problem) return;
        try { picture.path = (await this.upload(picture.file)).path; } catch (error) { picture.problem = `The upload failed: ${error.message || error}`; }
        this.write();
        this.draw();
        if (picture.path) await this.look(picture);
      }));
    }

    /* Ask what the engine makes of a picture; only the newest question counts. */
    async look(picture) {
      const asked = picture.asked = (picture.asked || 0) + 1;
      const query = new URLSearchParams({ picture: `${picture.path}@0${picture.digest && `#${picture.digest}`}`, crop: picture.crop, fill: this.fill, way: this.way });
      let told;
      try { told = await (await fetch(maquette.url(`/pictures/look?${query}`))).json(); } catch { told = null; }
      if (asked !== picture.asked || !this.list.includes(picture)) return;
      picture.problem = told && told.problem ? `${told.problem} ${told.remedy}`.trim() : "";
      picture.look = told && !told.problem ? told : picture.look;
      if (!told) this.tell("The preview could not be loaded. Check the connection.");
      this.write();
      this.draw();
      if (picture.look?.doubtful && !picture.problem && !picture.checked && picture === this.present) { picture.checked = true; await this.openBrush(picture); }
    }

    /* Show how a picture was cut out, and a brush to correct it. */
    async openBrush(picture) {
      const query = new URLSearchParams({ picture: `${picture.path}@0${picture.digest && `#${picture.digest}`}`, way: this.way });
      let told;
      try { told = await (await fetch(maquette.url(`/pictures/outline?${query}`))).json(); } catch { told = null; }
      if (picture !== this.present) return;
      if (!told || told.problem) { this.tell(told ? `${told.problem} ${told.remedy}` : "The outline could not be loaded. Check the connection."); return; }
      await this.brush.open(told.original, told.cut);
      this.draw();
    }

    /* A picture that was corrected takes the place of the one it was made from, which is remembered. */
    async recut(blob) {
      const picture = this.present, before = picture.before || { path: picture.path, digest: picture.digest };
      picture.look = null;
      this.draw();
      const file = new File([blob], `${picture.name.replace(/\.[^.]*$/, "").slice(0, 60)}-cut.png`, { type: "image/png" });
      try {
        Object.assign(picture, { path: (await this.upload(file)).path, digest: "", before });
      } catch (error) { this.tell(`The upload failed: ${error.message || error}`); }
      this.write();
      this.draw();
      await this.look(picture);
    }

    uncut() {
      const picture = this.present;
      Object.assign(picture, picture.before, { before: null, look: null, checked: true });
      this.write();
      this.draw();
      this.look(picture);
    }

    frameBy(fill, way) {
      if (fill === this.fill && way === this.way) return;
      Object.assign(this, { fill, way });
      for (const picture of this.list) if (picture.path) this.look(picture);
    }

    get present() { return this.list[this.chosen]; }
    crop(square, done) {
      const crop = square.map((share) => String(Math.round(share * 1e4) / 1e4)).join(" ");
      if (done) { this.set({ crop }, true); return; }
      this.reset.hidden = false;
      this.sketch(square);
    }

    turn(degrees, done) { if (done) this.set({ azimuth: turned(degrees) }); else this.degrees.value = turned(degrees); }

    set(change, looked = false) {
      if (!this.present) return;
      Object.assign(this.present, change);
      this.write();
      if (looked) this.look(this.present);
      this.draw();
    }

    remove(picture) {
      this.list = this.list.filter((each) => each !== picture);
      this.chosen = Math.min(this.chosen, Math.max(0, this.list.length - 1));
      this.write();
      this.draw();
      (this.row.querySelectorAll(".mq-pic-tile > button")[2 * this.chosen] || this.zone).focus();
    }

    /* Pictures that the engine refuses stay in sight and out of the settings. */
    write() {
      const good = this.list.filter((picture) => picture.path && !picture.problem);
      const listed = good.map(({ path, azimuth, weight, digest }) => `${path}@${azimuth}${weight === 1 ? "" : `*${weight}`}${digest && `#${digest}`}`).join(";");
      const crops = good.some(({ crop }) => crop !== AUTO) ? good.map(({ crop }) => crop).join(";") : "";
      const [images, squares] = [this.written !== listed, this.writtenCrops !== crops];
      Object.assign(this, { written: listed, writtenCrops: crops });
      this.writing = true;  // both values belong together: nobody reads between them
      if (images) this.props.value = listed;
      if (squares && this.crops) this.crops.props.value = crops;
      this.writing = false;
      if (images) this.trigger("input");
      if (squares && this.crops) this.crops.trigger("input");
    }

    /* A value that comes from elsewhere: an earlier run, another tab, a preset. */
    read() {
      const listed = this.props.value || "", crops = (this.crops && this.crops.props.value) || "";
      if (this.writing || (listed === this.written && crops === this.writtenCrops)) return;
      Object.assign(this, { written: listed, writtenCrops: crops });
      const parts = listed.split(";").map((part) => part.trim().match(LISTED)).filter(Boolean), squares = crops.split(";").map((part) => part.trim() || AUTO);
      this.list = parts.map(([, path, azimuth, weight, digest], i) => {
        const crop = squares.length === parts.length ? squares[i] : squares.length === 1 ? squares[0] : AUTO;
        const known = this.list.find((each) => each.path === path);
        return { ...(known || { path, name: nameOf(path), look: null, problem: "" }), azimuth: Number(azimuth || 0), weight: Number(weight || 1), digest: digest || "", crop, asked: 0 };
      });
      this.chosen = Math.min(this.chosen, Math.max(0, this.list.length - 1));
      this.tell("");
      this.draw();
      for (const picture of this.list) this.look(picture);
    }

    tell(text) { this.told.textContent = text; this.told.hidden = !text; }

    draw() {
      const { list, root, present } = this, some = list.length > 0;
      Object.assign(root.dataset, { count: list.length, ready: list.filter(({ look, problem }) => look && !problem).length });
      this.zone.hidden = some;
      this.samples.hidden = some;
      this.row.hidden = !some;
      this.editor.hidden = !some;
      this.row.replaceChildren(...list.map((picture, i) => this.tile(picture, i)), ...(list.length < this.props.most ? [this.more()] : []));
      if (some) this.drawEditor(present);
    }

    more() {
      const add = button("mq-pic-more", icon("add"), () => this.input.click());
      Object.assign(add, { title: "Add another view of the same object" }).setAttribute("aria-label", "Add pictures");
      return add;
    }

    tile(picture, i) {
      const tile = make("div", "mq-pic-tile"), state = picture.problem ? "refused" : picture.look ? "ready" : "looking";
      const pick = button("mq-checked", "", () => { this.chosen = i; this.draw(); this.row.querySelectorAll(".mq-pic-tile > button")[i * 2]?.focus(); });
      pick.setAttribute("aria-pressed", String(i === this.chosen));
      pick.setAttribute("aria-label", `${picture.name}, ${state === "refused" ? "cannot be used" : `seen from ${side(picture.azimuth).toLowerCase()}`}`);
      pick.title = picture.name;
      tile.dataset.state = state;
      if (state === "ready") pick.append(Object.assign(make("img"), { src: picture.look.frame, alt: "" }));
      else pick.append(make("i", "", state === "refused" ? "!" : ""));
      pick.append(make("span", "", state === "refused" ? "not used" : side(picture.azimuth)));
      const drop = button("mq-pic-drop", "×", () => this.remove(picture));
      drop.setAttribute("aria-label", `Remove ${picture.name}`);
      drop.title = "Remove";
      tile.append(pick, drop);
      return tile;
    }

    drawEditor(picture) {
      const { look, problem, azimuth, weight, crop } = picture;
      this.editor.dataset.state = problem ? "refused" : look ? "ready" : "looking";
      this.fault.textContent = problem;
      this.dial.show(azimuth);
      this.degrees.value = azimuth;
      this.weight.value = weight;
      this.weight.parentElement.hidden = this.list.length < 2;
      for (const each of this.sides.children) each.setAttribute("aria-pressed", String(Number(each.dataset.degrees) === azimuth || (azimuth === -180 && each.dataset.degrees === "180")));
      if (picture !== this.brushed) { this.brushed = picture; this.brush.root.hidden = true; }
      this.editor.toggleAttribute("data-brush", !this.brush.root.hidden);
      this.outline.hidden = !look || !this.brush.root.hidden;
      this.automatic.hidden = !picture.before || !this.brush.root.hidden;
      this.reset.hidden = crop === AUTO;
      this.notes.textContent = look ? look.notes.join(" ") : "";
      if (!look || problem) return;
      const parts = crop.split(" ").map(Number), square = parts.length === 3 ? parts : look.square;
      this.square.show(look, square);
      this.paint(look.frame, (pen, drawn) => pen.drawImage(drawn, 0, 0, 192, 192));
    }

    /* While the square is dragged: the same frame, scaled by the browser. */
    sketch([x, y, extent]) {
      const { width, height, whole } = this.present.look, longer = Math.max(width, height), pixels = 192 / extent;
      this.paint(whole, (pen, drawn) => pen.drawImage(drawn, 96 - x * pixels * width / longer, 96 - y * pixels * height / longer, pixels * width / longer, pixels * height / longer));
    }

    paint(source, draw) {
      const drawn = new Image(), pen = this.frame.getContext("2d"), asked = this.painted = (this.painted || 0) + 1;
      drawn.onload = () => { if (asked === this.painted) { pen.clearRect(0, 0, 192, 192); draw(pen, drawn); } };
      drawn.src = source;
    }
  }

  let card = null, crops = null;
  const join = () => { if (card && crops) { card.crops = crops; card.read(); } };
  maquette.mountPictures = (element, props, trigger, watch, upload) => {
    card = new Pictures(element.querySelector(".mq-pictures"), props, trigger, upload);
    watch("value", () => card.read());
    join();
  };
  maquette.mountPictureCrops = (props, trigger, watch) => {
    crops = { props, trigger };
    watch("value", () => card && card.read());
    join();
  };
  maquette.takePictures = (files) => card && card.take(files);
  maquette.framePictures = (fill, way) => card && card.frameBy(fill, way);
})();
