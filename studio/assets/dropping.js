/* Anything may be dropped anywhere: a recipe, or a file that was exported here, brings back how it was made; a picture goes to
   Image to 3D; of a model it is asked what it is for. Places that take files themselves come first. */
(() => {
  "use strict";
  const MARK = "maquette_recipe", LOOK_BYTES = 1 << 20;
  const RECIPES = /\.(toml|mp4|webm|html|usdz)$/i, PICTURES = /\.(png|jpe?g|webp|gif|bmp|tiff?|avif|heic)$/i, PACKED = /\.(3mf|zip)$/i;
  const MODELS = /\.(glb|gltf|obj|ply|stl|off|dae|3mf|zip|splat|spz|sog|ksplat|blocks|json)$/i;
  const make = (tag, look, text) => Object.assign(document.createElement(tag), { className: look || "", textContent: text || "" });
  const endsIn = (pattern) => (file) => pattern.test(file.name);

  /* Whether a recipe of ours stands at the beginning or at the end of a file; what is packed does not show it. */
  const marked = async (file) => {
    const ends = [file.slice(0, LOOK_BYTES), file.slice(Math.max(0, file.size - LOOK_BYTES))];
    const texts = await Promise.all(ends.map(async (part) => new TextDecoder("latin1").decode(await part.arrayBuffer())));
    return texts.some((text) => text.includes(MARK));
  };

  const give = (input, files) => {
    const data = new DataTransfer();
    for (const file of files) data.items.add(file);
    input.files = data.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const openTab = (key) => document.querySelector(`.mq-tabs [data-tab="${key}"]`)?.click();

  const ways = {
    restore: (files) => give(document.querySelector("#mq-restore").parentElement.querySelector('input[type="file"]'), files.slice(0, 1)),
    image: (files) => { openTab("image"); maquette.takePictures(files); },
    reference: ([file]) => { openTab("reference"); maquette.takeReference(file); },
    edit: ([file]) => {
      openTab("edit");
      give(document.querySelector('#mq-edit .mq-file input[type="file"]'), [file]);
      document.querySelector("#mq-edit")?.scrollIntoView({ block: "nearest" });
    },
  };

  class Dropping {
    constructor() {
      this.veil = Object.assign(make("div", "mq-drop-veil"), { hidden: true });
      this.veil.append(make("b", "", "Drop it here"), make("span", "", "A picture, a 3D model, a recipe, or any file that was exported here"));
      this.card = Object.assign(make("div", "mq-drop-card"), { hidden: true });
      this.card.setAttribute("role", "dialog");
      document.body.append(this.veil, this.card);
      document.addEventListener("dragover", (event) => this.over(event));
      document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) this.veil.hidden = true; });
      document.addEventListener("drop", (event) => this.drop(event));
      document.addEventListener("keydown", (event) => { if (event.key === "Escape") this.card.hidden = true; });
    }

    over(event) {
      const own = event.defaultPrevented, files = event.dataTransfer?.types.includes("Files");
      this.veil.hidden = own || !files;
      if (files && !own) event.preventDefault();
    }

    drop(event) {
      this.veil.hidden = true;
      if (event.defaultPrevented || !event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      this.take([...event.dataTransfer.files]);
    }

    async take(files) {
      const [file] = files;
      this.card.hidden = true;
      if (!file) return;
      if (files.every(endsIn(PICTURES)) && !(files.length === 1 && await marked(file))) { this.use("image", files); return; }
      if (RECIPES.test(file.name) || await marked(file)) { this.use("restore", files); return; }
      if (MODELS.test(file.name)) { this.ask(file); return; }
      this.say(`${file.name} is no picture, 3D model or recipe that can be used here.`);
    }

    use(way, files) { this.card.hidden = true; document.body.dataset.dropped = way; ways[way](files); }

    ask(file) {
      const choices = [["reference", "Be guided by it"], ["edit", "Edit it"]], row = make("div");
      if (PACKED.test(file.name)) choices.push(["restore", "Restore its settings"]);
      row.append(...choices.map(([way, text]) => {
        const button = Object.assign(make("button", "", text), { type: "button" });
        button.dataset.way = way;
        button.addEventListener("click", () => this.use(way, [file]));
        return button;
      }));
      this.show(make("p", "", `What is ${file.name} for?`), row);
      row.firstChild.focus();
    }

    say(text) { this.show(make("p", "", text)); }

    show(...parts) {
      const close = Object.assign(make("button", "mq-lib-close", "×"), { type: "button", title: "Close" });
      close.setAttribute("aria-label", "Close");
      close.addEventListener("click", () => { this.card.hidden = true; });
      this.card.replaceChildren(close, ...parts);
      this.card.hidden = false;
    }
  }

  maquette.mountDropping = () => { maquette.dropping = maquette.dropping || new Dropping(); };
})();
