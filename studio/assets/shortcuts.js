/* Keys that do what buttons do, while nothing is typed into; ? lists them. */
(() => {
  "use strict";
  const make = (tag, look, text) => Object.assign(document.createElement(tag), { className: look || "", textContent: text || "" });
  const stage = () => maquette.stage, clicks = (selector) => () => { const button = document.querySelector(selector); if (button && button.offsetParent !== null && !button.disabled) button.click(); };
  const toMoment = (step) => () => {
    const { film } = stage(), now = film.moments.findIndex((moment) => moment.total_step === film.chosen);
    const next = film.moments[now < 0 ? (step < 0 ? film.moments.length - 1 : 0) : now + step];
    if (next) film.choose(next.total_step);
  };
  const pauseOrResume = () => { const { run } = document.body.dataset; document.querySelector(run === "running" ? "#mq-pause" : "#mq-resume")?.click(); };

  const KEYS = [
    ["f", "Front view", () => stage().live.look({ azimuth: 0, elevation: 12, distance: 3.05 })],
    ["b", "Back view", () => stage().live.look({ azimuth: 180, elevation: 12, distance: 3.05 })],
    ["t", "Turn by itself, or stop", () => stage().turntable()],
    ["p", "Pause, or go on", pauseOrResume],
    ["z", "Take back the newest live change", clicks(".mq-undo-live")],
    ["[", "The moment before, in the filmstrip", toMoment(-1)],
    ["]", "The moment after", toMoment(1)],
    ["d", "Details: loss, speed, what the prior sees", () => stage().details(!stage().root.hasAttribute("data-details"))],
    ["e", "Export", clicks(".mq-export-open")],
    ["l", "Library", clicks('[data-act="library"]')],
    ["/", "Write a prompt", () => document.querySelector("#mq-prompt textarea")?.focus()],
    ["?", "This list", () => list()],
  ];
  const ALWAYS = [["Enter", "Generate, from the prompt"], ["← → ↑ ↓", "Turn the picture that has the focus"], ["+ −", "Come closer, go away"], ["Esc", "Close what is open"]];

  let sheet = null;
  const list = () => {
    if (sheet) { close(); return; }
    sheet = make("div", "mq-keys");
    sheet.setAttribute("role", "dialog");
    sheet.setAttribute("aria-label", "Keyboard shortcuts");
    const rows = make("dl");
    for (const [key, text] of [...KEYS, ...ALWAYS]) rows.append(make("dt", "", key), make("dd", "", text));
    const shut = Object.assign(make("button", "mq-lib-close", "×"), { type: "button", title: "Close" });
    shut.setAttribute("aria-label", "Close");
    shut.addEventListener("click", close);
    sheet.append(make("h2", "", "Keys"), shut, rows);
    document.body.append(sheet);
    shut.focus();
  };
  const close = () => { sheet?.remove(); sheet = null; };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.target.closest?.("input, textarea, select, [contenteditable], [role=listbox], .mq-blocks")) return;
    const found = KEYS.find(([key]) => key === event.key);
    if (!found || !maquette.stage) return;
    event.preventDefault();
    found[2]();
  });
})();
