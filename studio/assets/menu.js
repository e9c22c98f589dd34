/* Menus that explain each option before it is chosen. The value is a key; the list lies above everything, beside its button. */
(() => {
  "use strict";
  const WIDEST = 620, NARROWEST = 400, GAP = 8, EDGE = 14;
  const make = (tag, look, text) => Object.assign(document.createElement(tag), { className: look || "", textContent: text || "" });
  let menus = 0;

  class Menu {
    constructor(root, props, trigger) {
      Object.assign(this, { props, trigger, typed: "", typedAt: 0 });
      const id = `mq-menu-${++menus}`;
      this.name = Object.assign(make("span", "mq-menu-name", props.name), { id: `${id}-name`, title: props.help });
      this.button = make("button", "mq-menu-button");
      this.title = Object.assign(make("b"), { id: `${id}-title` });
      this.button.append(this.title);
      this.button.insertAdjacentHTML("beforeend", '<svg viewBox="0 0 12 12" aria-hidden="true"><path d="M3 4.500l3 3 3-3"/></svg>');
      this.about = make("p", "mq-menu-about");
      this.list = make("div", "mq-menu-list");
      Object.assign(this.list, { id: `${id}-list`, popover: "auto", tabIndex: -1 });
      this.list.setAttribute("role", "listbox");
      for (const part of [this.button, this.list]) part.setAttribute("aria-labelledby", part === this.list ? this.name.id : `${this.name.id} ${this.title.id}`);
      Object.assign(this.button, { type: "button" });
      for (const [name, value] of [["aria-haspopup", "listbox"], ["aria-expanded", "false"], ["aria-controls", this.list.id]]) this.button.setAttribute(name, value);
      root.replaceChildren(this.name, this.button, this.about, this.list);
      this.listen();
      this.draw();
    }

    listen() {
      this.button.addEventListener("click", () => this.list.matches(":popover-open") ? this.list.hidePopover() : this.open());
      this.button.addEventListener("keydown", (event) => {
        if (["ArrowDown", "ArrowUp"].includes(event.key)) { event.preventDefault(); this.open(); }
      });
      this.list.addEventListener("click", (event) => { const row = event.target.closest("[data-key]"); if (row) this.choose(row); });
      this.list.addEventListener("keydown", (event) => this.key(event));
      this.list.addEventListener("beforetoggle", (event) => this.button.setAttribute("aria-expanded", String(event.newState === "open")));
      const moved = (event) => { if (this.list.matches(":popover-open") && !this.list.contains(event.target)) this.list.hidePopover(); };
      window.addEventListener("resize", moved);
      document.addEventListener("scroll", moved, true);
    }

    get rows() { return [...this.list.querySelectorAll("[data-key]")]; }

    draw() {
      const options = this.props.options || [], chosen = options.find((option) => option.key === this.props.value);
      this.title.textContent = chosen ? chosen.title : "Choose";
      this.about.textContent = chosen && this.props.about ? chosen.refusal || [chosen.sentence, chosen.note && `${chosen.note.replaceAll(" ", "\u00a0")}.`].filter(Boolean).join(" ") : "";
      this.about.toggleAttribute("data-refused", Boolean(chosen && chosen.refusal));
      this.button.dataset.value = this.props.value || "";
      const groups = [...new Set(options.map((option) => option.group))];
      this.list.replaceChildren(...groups.map((group) => this.group(group, options.filter((option) => option.group === group))));
    }

    group(name, options) {
      const group = make("div", "mq-menu-group");
      group.setAttribute("role", "group");
      if (name) { group.setAttribute("aria-label", name); group.append(make("h4", "", name)); }
      group.append(...options.map((option) => this.row(option)));
      return group;
    }

    row(option) {
      const row = make("div", "mq-menu-row"), head = make("div");
      head.append(make("b", "", option.title), make("small", "", option.note));
      row.append(head, make("p", "", option.sentence));
      if (option.refusal) row.append(make("p", "mq-menu-refusal", option.refusal));
      Object.assign(row, { tabIndex: -1 }).dataset.key = option.key;
      row.setAttribute("role", "option");
      row.setAttribute("aria-selected", String(option.key === this.props.value));
      row.setAttribute("aria-disabled", String(Boolean(option.refusal)));
      return row;
    }

    open() {
      this.list.showPopover();
      this.place();
      (this.rows.find((row) => row.getAttribute("aria-selected") === "true") || this.rows[0] || this.list).focus();
    }

    /* Beside the button where there is room, so that nothing needs scrolling; else below it or above it, as wide as the window. */
    place() {
      const at = this.button.getBoundingClientRect(), { style } = this.list, right = window.innerWidth - at.right - GAP - EDGE;
      const put = (left, width, top, height) => Object.assign(style, { left: `${left}px`, width: `${width}px`, top: `${top}px`, maxHeight: `${height}px` });
      if (right >= NARROWEST) {
        put(at.right + GAP, Math.min(WIDEST, right), EDGE, window.innerHeight - 2 * EDGE);
        style.top = `${Math.max(EDGE, Math.min(at.top - EDGE, window.innerHeight - EDGE - this.list.offsetHeight))}px`;
        return;
      }
      const below = window.innerHeight - at.bottom - GAP - EDGE, above = at.top - GAP - EDGE;
      put(EDGE, window.innerWidth - 2 * EDGE, at.bottom + GAP, Math.max(below, above));
      if (this.list.offsetHeight > below && above > below) style.top = `${at.top - GAP - this.list.offsetHeight}px`;
    }

    choose(row) {
      if (row.getAttribute("aria-disabled") === "true") return;
      this.list.hidePopover();
      this.button.focus();
      this.props.value = row.dataset.key;
      this.draw();
      this.trigger("input");
    }

    key(event) {
      const { rows } = this, at = rows.indexOf(document.activeElement);
      const moves = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 };
      if (event.key in moves) rows[Math.min(rows.length - 1, Math.max(0, moves[event.key]))]?.focus();
      else if (event.key === "Enter" || event.key === " ") { if (rows[at]) this.choose(rows[at]); }
      else if (event.key === "Tab") this.list.hidePopover();
      else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey) { this.seek(event); return; }
      else return;
      event.preventDefault();
    }

    /* Letters typed in quick succession find the option that begins with them. */
    seek(event) {
      this.typed = event.timeStamp - this.typedAt < 800 ? this.typed + event.key : event.key;
      this.typedAt = event.timeStamp;
      this.rows.find((row) => row.querySelector("b").textContent.toLowerCase().startsWith(this.typed.toLowerCase()))?.focus();
    }
  }

  maquette.mountMenu = (element, props, trigger, watch) => {
    const menu = new Menu(element.querySelector(".mq-menu"), props, trigger);
    watch(["value", "options"], () => menu.draw());
  };
})();
