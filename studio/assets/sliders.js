/* Sliders: where the usual value lies, help that is read out and that a tap opens, and the button that takes a live change back. */
(() => {
  "use strict";
  const USUAL = /Usual here: (\d+(?:\.\d+)?)/;
  let numbers = 0;

  /* The usual value, which the help names, as a mark on the track. */
  const mark = (knob) => {
    const track = knob.querySelector('input[type="range"]'), told = knob.querySelector(".info-text")?.textContent.match(USUAL);
    if (!track) return;
    const share = told ? (Number(told[1]) - track.min) / (track.max - track.min) : -1;
    let tick = knob.querySelector(".mq-usual");
    if (!(share >= 0 && share <= 1)) { tick?.remove(); return; }
    if (!tick) {
      tick = document.createElement("i");
      tick.className = "mq-usual";
      track.after(tick);
    }
    tick.style.setProperty("--share", share);
    tick.title = `Usual here: ${told[1]}`;
  };

  /* The help belongs to its control for who cannot see it, and opens by a tap on the name for who has no pointer. */
  const describe = (knob) => {
    const help = knob.querySelector(".info-text");
    if (!help) return;
    help.id ||= `mq-help-${++numbers}`;
    for (const input of knob.querySelectorAll("input, textarea, select, [role=listbox]")) {
      if (input.getAttribute("aria-describedby") !== help.id) input.setAttribute("aria-describedby", help.id);
    }
  };

  const attend = () => { for (const knob of document.querySelectorAll("#mq-panel .mq-knob")) { describe(knob); mark(knob); } };

  let due = 0;
  const soon = () => { if (!due) due = requestAnimationFrame(() => { due = 0; attend(); }); };

  maquette.mountPanel = (panel) => {
    attend();
    new MutationObserver(soon).observe(panel, { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ["max", "min"] });
    panel.addEventListener("click", (event) => {
      const name = event.target.closest('[data-testid="block-info"].has-info'), shown = panel.querySelector(".mq-knob[data-help]");
      const knob = name?.closest(".mq-knob");
      shown?.removeAttribute("data-help");
      if (knob && knob !== shown) knob.setAttribute("data-help", "");
    });
  };

  /* On a phone the live settings come up from below, so that the picture stays in sight. */
  maquette.mountSheet = (element) => {
    const button = element.querySelector("button");
    const show = (on) => {
      document.body.toggleAttribute("data-sheet", on);
      button.setAttribute("aria-pressed", String(on));
      button.textContent = on ? "Close" : "Steer";
      if (on) window.scrollTo({ top: 0 });
    };
    button.addEventListener("click", () => show(!document.body.hasAttribute("data-sheet")));
    document.addEventListener("keydown", (event) => { if (event.key === "Escape") show(false); });
  };

  maquette.mountUndo = (element) => {
    const button = element.querySelector(".mq-undo-live");
    button.addEventListener("click", () => document.querySelector("#mq-undo-live").click());
    const show = (words) => {
      button.hidden = !words;
      if (button.textContent !== words) Object.assign(button, { textContent: words ? "Undo" : "", title: words });
      button.setAttribute("aria-label", words ? `Undo: ${words}` : "Undo");
    };
    document.addEventListener("mq-status", (event) => show(event.detail.undo));
    document.addEventListener("mq-open", () => show(""));
    maquette.mountChanges(element);
    maquette.mountPanel(element.closest("#mq-panel"));
  };
})();
