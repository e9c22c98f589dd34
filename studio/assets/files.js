/* A setting that is a file: a button that takes one, by click or by drop, and shows which it has. */
(() => {
  "use strict";
  const make = (tag, look, text) => Object.assign(document.createElement(tag), { className: look || "", textContent: text || "" });

  class FilePick {
    constructor(root, props, trigger, upload) {
      Object.assign(this, { props, trigger, upload });
      this.name = Object.assign(make("span", "mq-menu-name", props.name), { title: props.help });
      this.input = Object.assign(make("input"), { type: "file", accept: props.endings.join(","), hidden: true });
      this.button = Object.assign(make("button", "mq-file-button"), { type: "button" });
      this.drop = Object.assign(make("button", "mq-file-none", "×"), { type: "button", title: "Use no file" });
      this.drop.setAttribute("aria-label", `${props.name}: use no file`);
      this.problem = make("p", "mq-menu-about");
      this.problem.dataset.refused = "";
      root.replaceChildren(this.name, this.button, this.drop, this.input, this.problem);
      this.button.addEventListener("click", () => this.input.click());
      this.input.addEventListener("change", () => this.take(this.input.files[0]));
      this.drop.addEventListener("click", () => this.set(""));
      root.addEventListener("dragover", (event) => { event.preventDefault(); root.toggleAttribute("data-over", true); });
      root.addEventListener("dragleave", () => root.toggleAttribute("data-over", false));
      root.addEventListener("drop", (event) => { event.preventDefault(); root.toggleAttribute("data-over", false); this.take(event.dataTransfer.files[0]); });
      this.draw();
    }

    draw() {
      const { value, name, endings } = this.props, file = (value || "").split(/[\\/]/).pop();
      this.button.textContent = file || (endings.length > 8 ? "Choose a file" : `Choose a file (${endings.join(", ")})`);
      this.button.title = file;
      this.button.setAttribute("aria-label", `${name}: ${this.button.textContent}`);
      this.button.toggleAttribute("data-chosen", Boolean(file));
      this.drop.hidden = !file;
    }

    async take(file) {
      this.input.value = "";
      if (!file) return;
      const { endings } = this.props;
      if (!endings.some((ending) => file.name.toLowerCase().endsWith(ending))) { this.problem.textContent = `${file.name} is none of ${endings.join(", ")}.`; return; }
      this.problem.textContent = "";
      this.button.textContent = `Uploading ${file.name}`;
      try {
        this.set((await this.upload(file)).path);
      } catch (error) {
        this.draw();
        this.problem.textContent = `The upload failed: ${error.message || error}`;
      }
    }

    set(value) { this.props.value = value; this.draw(); this.trigger("input"); }
  }

  maquette.mountFile = (element, props, trigger, watch, upload) => {
    const pick = new FilePick(element.querySelector(".mq-file"), props, trigger, upload);
    watch("value", () => { pick.problem.textContent = ""; pick.draw(); });
  };
})();
