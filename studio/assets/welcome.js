/* Three short steps on the real page, the first time that somebody comes; they can be skipped, and never come again. */
(() => {
  "use strict";
  const KEPT = "welcomed";
  const STEPS = [
    ["#mq-words-card", "Say what to make", "One object, in your own words: then press Generate. A picture or a 3D model does, too: drop it anywhere on the page."],
    ["#mq-live", "Steer while it takes shape", "A first shape stands here within seconds. These sliders act on it at once, and each change can be taken back."],
    ["#mq-stage-host", "Turn it, keep it, go on", "Drag the picture to turn it. The filmstrip below goes back and branches; everything is kept in the library; Export writes it for Blender, printers and the web."],
  ];
  const make = (tag, look, text) => Object.assign(document.createElement(tag), { className: look || "", textContent: text || "" });
  const press = (look, text, act) => { const button = Object.assign(make("button", look, text), { type: "button" }); button.addEventListener("click", act); return button; };

  class Welcome {
    constructor() {
      this.at = 0;
      this.root = make("aside", "mq-welcome");
      this.root.setAttribute("aria-label", "First steps");
      document.body.append(this.root);
      document.addEventListener("mq-open", (event) => { if (event.detail) this.end(); });
      document.addEventListener("click", (event) => { if (event.target.closest?.('[data-act="library"], #mq-generate, #mq-four')) this.end(); });
      document.addEventListener("keydown", (event) => { if (event.key === "Escape") this.end(); });
      this.draw();
    }

    draw() {
      const [place, title, words] = STEPS[this.at], last = this.at === STEPS.length - 1, acts = make("div");
      this.mark(place);
      acts.append(make("small", "", `${this.at + 1} of ${STEPS.length}`), press("", last ? "Begin" : "Next", () => { if (last) this.end(); else { this.at += 1; this.draw(); } }));
      if (!last) acts.prepend(press("mq-welcome-skip", "Skip", () => this.end()));
      this.root.dataset.step = this.at + 1;
      this.root.replaceChildren(make("b", "", title), make("p", "", words), acts);
    }

    mark(place) {
      for (const marked of document.querySelectorAll("[data-welcome]")) marked.removeAttribute("data-welcome");
      if (place) document.querySelector(place)?.setAttribute("data-welcome", "");
    }

    end() { this.mark(""); this.root.remove(); maquette.keep(KEPT, "yes"); }
  }

  /* It may have come late: who has begun meanwhile needs it no more. */
  maquette.welcome = () => {
    const begun = maquette.tokenInAddress() || document.querySelector(".mq-library:not([hidden]), .mq-drafts:not([hidden])");
    if (begun) maquette.keep(KEPT, "yes"); else if (!maquette.kept(KEPT)) new Welcome();
  };
})();
