/* What belongs to the whole page: addresses, who this browser is, the theme, the prompts to click, recent runs. */
(() => {
  "use strict";
  const maquette = window.maquette = { picked: "" };
  const inStorage = (act) => { try { return act(window.localStorage); } catch { return null; } };  // blocked in third-party iframes

  /* Small choices that this browser keeps, where it may; "" forgets one. */
  maquette.kept = (name) => inStorage((storage) => storage.getItem(`maquette-${name}`)) || "";
  maquette.keep = (name, value) => inStorage((storage) => (value ? storage.setItem(`maquette-${name}`, value) : storage.removeItem(`maquette-${name}`), true)) === true;

  maquette.url = (path) => {
    const root = (window.gradio_config && window.gradio_config.root) || document.baseURI.split("?")[0];
    return root.replace(/\/$/, "") + path;
  };
  maquette.socketUrl = (path) => maquette.url(path).replace(/^http/, "ws");

  /* Scripts and styles that are only fetched when they are needed. */
  const coming = {};
  maquette.later = (group) => coming[group] ||= new Promise((done, failed) => {
    const script = document.createElement("script");
    document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: maquette.url(`/later/${group}.css`) }));
    Object.assign(script, { src: maquette.url(`/later/${group}.js`), onload: done, onerror: () => { delete coming[group]; script.remove(); failed(new Error("The studio does not answer.")); } });
    document.head.append(script);
  });

  const address = () => new URL(window.location.href);
  const setAddress = (name, value) => {
    const url = address();
    if (url.searchParams.get(name) === value) return;
    if (value) url.searchParams.set(name, value); else url.searchParams.delete(name);
    window.history.replaceState(null, "", url);
  };
  const inAddress = (name) => address().searchParams.get(name) || "";
  maquette.tokenInAddress = () => inAddress("job");
  maquette.setAddress = setAddress;

  const randomName = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
  maquette.owner = () => {
    const asked = address().searchParams.get("owner");
    const known = inStorage((storage) => storage.getItem("maquette-owner")) || asked || randomName();
    inStorage((storage) => storage.setItem("maquette-owner", known));
    if (inStorage((storage) => storage.getItem("maquette-owner")) !== known) setAddress("owner", known);
    return known;
  };

  /* Who has never been here, and can be remembered, is shown round; not where the address asks for something. */
  const greet = () => {
    if (maquette.kept("welcomed") || libraryAsked || draftsAsked || !maquette.keep("welcomed", "")) return;
    maquette.later("welcome").then(() => maquette.welcome(), () => {});
  };

  /* Show a run: "" for none, as when the page has just been opened. */
  let libraryAsked = inAddress("library"), draftsAsked = inAddress("drafts");
  let beside = inAddress("beside");  // the run that was compared with it, when the page was left
  maquette.attach = (token) => {
    setAddress("job", token);
    if (!token) { delete document.body.dataset.run; maquette.openAskedTab(); greet(); }
    maquette.stage.open(token);
    maquette.refreshRuns();
    if (draftsAsked) { const tokens = draftsAsked; draftsAsked = ""; maquette.showDrafts(tokens); }
    if (libraryAsked) { libraryAsked = ""; maquette.openLibrary(); }
    if (!token) return;
    maquette.compare(beside);
    beside = "";
  };

  /* What a view from this azimuth shows, in a word, as engine.core.camera.side_name has it: the object's own left and right. */
  maquette.sideName = (degrees) => {
    const turned = Math.round(10 * (((degrees % 360) + 360) % 360)) / 10 % 360;
    return window.maquetteSides[turned] || `${degrees}°`;
  };

  const setTheme = (dark) => document.body.classList.toggle("dark", dark);
  maquette.mountHeader = (element) => {
    const kept = inStorage((storage) => storage.getItem("maquette-theme"));
    if (kept && !address().searchParams.has("__theme")) setTheme(kept === "dark");
    element.addEventListener("click", async (event) => {
      const button = event.target.closest("[data-act]");
      if (!button) return;
      if (button.dataset.act === "library") maquette.openLibrary();
      else if (button.dataset.act === "theme") {
        const dark = !document.body.classList.contains("dark");
        setTheme(dark);
        inStorage((storage) => storage.setItem("maquette-theme", dark ? "dark" : "light"));
      } else {
        const link = address();
        link.searchParams.delete("owner");  // the link shows one run, not the list of them
        const label = button.querySelector("span"), before = label.textContent;
        try { await navigator.clipboard.writeText(link.href); label.textContent = "Copied"; } catch { window.prompt("The link of this run", link.href); }
        setTimeout(() => { label.textContent = before; }, 1600);
      }
    });
  };

  /* A click on an example writes its prompt as if it had been typed. */
  const writePrompt = (text) => {
    const box = document.querySelector("#mq-prompt textarea");
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(box, text);
    box.dispatchEvent(new Event("input", { bubbles: true }));
    box.focus();
  };
  /* Enter generates; Shift+Enter begins a new line, and a word that is being composed is left alone. */
  document.addEventListener("keydown", (event) => {
    if (!event.target.matches?.("#mq-prompt textarea, #mq-negative textarea")) return;
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;  // Gradio has it the other way round
    event.preventDefault();
    event.stopPropagation();
    setTimeout(() => document.querySelector("#mq-generate").click());  // after what was typed last has arrived
  }, true);

  document.addEventListener("keypress", (event) => {
    if (event.key === "Enter" && event.shiftKey && event.target.matches?.("#mq-prompt textarea, #mq-negative textarea")) event.stopPropagation();
  }, true);

  maquette.mountPrompts = (element) => element.addEventListener("click", (event) => {
    const button = event.target.closest("[data-prompt]");
    if (button) writePrompt(button.dataset.prompt);
  });

  /* Recent runs of this browser. */
  maquette.refreshRuns = async () => {
    const list = document.querySelector(".mq-runs > div");
    if (!list) return;
    let runs;
    try {
      runs = await (await fetch(maquette.url("/runs"), { headers: { "x-maquette-owner": maquette.owner() } })).json();
    } catch { return; }  // offline for a moment: keep what is shown
    list.replaceChildren(...(runs.length ? runs.map(runButton) : [note("Your runs appear here.")]));
    list.dataset.count = runs.length;
    offerTrash(runs.find(({ token }) => token === maquette.tokenInAddress()));
  };

  /* An ended run of this browser can be put into the trash; the library gives it back. */
  const offerTrash = (run) => {
    const button = document.querySelector(".mq-delete");
    button.dataset.token = run?.token ?? "";
    button.textContent = "Put into the trash";
    button.hidden = !["done", "failed", "stopped"].includes(run?.state);
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.(".mq-delete");
    if (!button) return;
    maquette.stage.film.open("");  // nothing is asked of it any more
    let answer;
    try {
      answer = await fetch(maquette.url(`/runs/${button.dataset.token}`), { method: "PATCH", body: '{"trashed": true}', headers: { "x-maquette-owner": maquette.owner() } });
    } catch { button.textContent = "The studio does not answer."; return; }
    if (!answer.ok) { button.textContent = (await answer.json()).title; return; }
    if (maquette.library && !maquette.library.root.hidden) maquette.library.load();
    maquette.picked = "";
    document.querySelector("#mq-pick").click();
  });
  const note = (text) => Object.assign(document.createElement("em"), { textContent: text });
  const runButton = (run) => {
    const button = document.createElement("button"), picture = document.createElement("img");
    const place = run.state === "queued" ? `, number ${run.queue_position} in line` : "";
    button.type = "button";
    button.title = `${run.title} (${run.state}${place})`;
    button.setAttribute("aria-label", button.title);
    button.setAttribute("aria-current", String(run.token === maquette.tokenInAddress()));
    Object.assign(button.dataset, { state: run.state, token: run.token });
    picture.alt = "";
    picture.addEventListener("error", () => { picture.hidden = true; });
    picture.src = maquette.url(`/thumb/${run.token}?step=${run.step}`);
    const frame = document.createElement("i");
    frame.append(picture);
    button.append(frame, Object.assign(document.createElement("span"), { textContent: run.title }));
    button.addEventListener("click", () => { maquette.picked = run.token; document.querySelector("#mq-pick").click(); });
    return button;
  };
})();
