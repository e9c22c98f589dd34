/* The live changes of the run that is shown, each with its step; one click takes one back. Those of a recipe, which the next
   Generate makes again, stand here, too, until they are left away. */
(() => {
  "use strict";
  const make = (tag, look, text) => Object.assign(document.createElement(tag), { className: look || "", textContent: text || "" });
  const counted = (count) => (count === 1 ? "1 live change" : `${count} live changes`);

  class Changes {
    constructor(heading) {
      Object.assign(this, { token: "", list: [], shown: "" });
      this.root = Object.assign(make("details", "mq-moves"), { hidden: true });
      this.sum = make("summary");
      this.rows = make("ol");
      this.root.append(this.sum, this.rows);
      heading.append(this.root);
      document.addEventListener("mq-changes", ({ detail }) => { Object.assign(this, { token: detail.token, list: detail.changes }); this.draw(); });
      document.addEventListener("mq-open", () => { Object.assign(this, { token: "", list: [] }); this.draw(); });
      const box = document.querySelector("#mq-schedule");
      if (box) new MutationObserver(() => this.draw()).observe(box, { subtree: true, childList: true, attributes: true });
      setInterval(() => this.draw(), 1000);  // a value that a script sets makes no event
    }

    /* Rows of [step, values by name], to be made again. */
    get due() {
      const text = document.querySelector("#mq-schedule :is(textarea, input)")?.value;
      try { return text ? JSON.parse(text) : []; } catch { return []; }
    }

    draw() {
      const { due } = this, key = JSON.stringify([this.token, this.list, due]);
      if (key === this.shown) return;
      this.shown = key;
      this.root.hidden = !this.list.length && !due.length;
      this.root.dataset.count = this.list.length;
      this.root.dataset.due = due.length;
      this.sum.textContent = due.length ? `${counted(due.length)} to be made again by Generate` : counted(this.list.length);
      this.rows.replaceChildren(...(due.length ? [...due.map((row) => this.coming(row)), this.leave()] : [...this.list.entries()].reverse().map(([number, change]) => this.row(number, change))));
    }

    row(number, change) {
      const row = make("li"), words = make("span", "", change.words);
      row.append(make("b", "", `step ${change.total_step}`), words);
      if (!change.undo) return row;
      const button = Object.assign(make("button", "", "Undo"), { type: "button", title: `Back to ${change.before}` });
      button.setAttribute("aria-label", button.title);
      button.addEventListener("click", () => this.takeBack(number, change, words));
      row.append(button);
      return row;
    }

    coming([step, values]) {
      const row = make("li");
      row.toggleAttribute("data-due", true);
      row.append(make("b", "", `step ${step}`), make("span", "", Object.entries(values).map(([name, value]) => `${name.replaceAll("_", " ")} ${value}`).join(", ")));
      return row;
    }

    leave() {
      const row = make("li"), button = Object.assign(make("button", "", "Leave them away"), { type: "button" });
      button.addEventListener("click", () => {
        const box = document.querySelector("#mq-schedule :is(textarea, input)");
        box.value = "";
        box.dispatchEvent(new Event("input", { bubbles: true }));
        this.draw();
      });
      row.append(make("b"), make("span"), button);
      return row;
    }

    async takeBack(number, change, words) {
      let trouble = "";
      try {
        const answer = await fetch(maquette.url(`/timeline/${this.token}/${change.total_step}/${number}`), { method: "DELETE" });
        if (!answer.ok) trouble = (await answer.json()).title;
      } catch { trouble = "The studio does not answer."; }
      if (trouble) { words.textContent = trouble; return; }
      maquette.picked = this.token;
      document.querySelector("#mq-pick").click();  // the controls show what is in force
      setTimeout(() => maquette.stage.film.read(), 500);
    }
  }

  maquette.mountChanges = (heading) => new Changes(heading);
})();
