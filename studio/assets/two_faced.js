/* Where the back looks like a second front, this says so while there is time, and offers what helps, each with one click. */
(() => {
  "use strict";
  const ANCHOR = 1.5, GOING = ["running", "paused"];
  const make = (tag, look, text) => Object.assign(document.createElement(tag), { className: look || "", textContent: text || "" });
  const control = (name) => document.querySelector(`#mq-${name} input`);

  /* As if by hand: what a person sets is steered, shown and undone in the same way. */
  const slide = (input, value) => {
    const range = input.closest(".mq-knob").querySelector('input[type="range"]');
    range.value = value;
    range.dispatchEvent(new Event("input", { bubbles: true }));
    range.dispatchEvent(new Event("pointerup", { bubbles: true }));
  };

  const remedies = (film) => {
    const perp = control("perp_neg"), anchor = control("anchor_weight"), back = [...film.moments].reverse().slice(1).find((moment) => moment.full);
    return [
      perp && !perp.checked && ["Perp-Neg", "Push each side off the words of the others (takes two passes more)", () => perp.click()],
      anchor && Number(anchor.value) < ANCHOR && ["Hold on to the draft", "The draft's views know where the front is", () => slide(anchor, ANCHOR)],
      back && [`Go back to step ${back.total_step}`, "Before the second face; what came after is given up", () => { film.chosen = back.total_step; film.rewind(); }],
    ].filter(Boolean);
  };

  const left = new Set();  // runs of which nobody wants to hear it any more
  document.addEventListener("mq-status", ({ detail }) => {
    const box = document.querySelector(".mq-faces"), shown = detail.two_faced && GOING.includes(detail.state) && !left.has(detail.token);
    if (!box || box.hidden === !shown) return;
    box.hidden = !shown;
    if (!shown) return;
    const leave = () => { left.add(detail.token); box.hidden = true; };
    const buttons = [...remedies(maquette.stage.film), ["It is meant so", "Do not say this of this run again", () => {}]].map(([text, help, act]) => {
      const button = Object.assign(make("button", "", text), { type: "button", title: help });
      button.addEventListener("click", () => { act(); leave(); });
      return button;
    });
    box.replaceChildren(make("p", "", "The back looks like a second front. Turn it round and look; if that is wrong, one of these helps:"), ...buttons);
  });
})();
