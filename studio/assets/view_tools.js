/* Tools of the half that is walked round in: the box that crops an export, with grips, and the camera path of films. Both are the
   export sheet's own, so that what is chosen here is what is exported; while a part is changed, the box is the part's. */
(() => {
  "use strict";

  class ViewTools {
    constructor(stage) {
      this.root = stage.find(".mq-view-tools");
      const acts = { crop: () => this.crop(), path: () => this.path() };
      for (const button of this.root.querySelectorAll("[data-tool]")) button.addEventListener("click", acts[button.dataset.tool]);
      document.addEventListener("mq-open", () => { if (this.pressed("crop")) this.press("crop", false); maquette.sheet?.trim.reset(); });
    }

    pressed(tool) { return this.root.querySelector(`[data-tool="${tool}"]`).getAttribute("aria-pressed") === "true"; }
    press(tool, on) { this.root.querySelector(`[data-tool="${tool}"]`).setAttribute("aria-pressed", String(on)); }

    async sheet() {
      try { await maquette.later("export"); } catch (error) { this.root.title = error.message; return null; }
      return maquette.exportSheet();
    }

    async crop() {
      const sheet = await this.sheet();
      if (!sheet) return;
      this.press("crop", !this.pressed("crop"));
      sheet.trim.inView(this.pressed("crop"));
    }

    async path() {
      const sheet = await this.sheet();
      if (!sheet) return;
      this.press("path", !this.pressed("path"));
      this.list ||= this.root.appendChild(sheet.options.path.mount());
      this.list.hidden = !this.pressed("path");
    }
  }

  maquette.ViewTools = ViewTools;
})();
