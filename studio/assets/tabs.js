/* The bar of tabs, and sections that open and close. Everything is on the page at all times; style sheets hide what is not asked for. */
(() => {
  "use strict";

  class Tabs {
    constructor(root, props, trigger) {
      Object.assign(this, { props, trigger, list: props.tabs });
      root.setAttribute("role", "tablist");
      root.setAttribute("aria-label", "What to begin with");
      this.buttons = this.list.map(({ key, title }) => {
        const button = Object.assign(document.createElement("button"), { type: "button", textContent: title });
        button.setAttribute("role", "tab");
        button.dataset.tab = key;
        button.addEventListener("click", () => this.choose(key));
        return button;
      });
      root.replaceChildren(...this.buttons);
      root.addEventListener("keydown", (event) => this.key(event));
    }

    key(event) {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const now = this.list.findIndex(({ key }) => key === this.props.value);
      const next = (now + step + this.list.length) % this.list.length;
      this.choose(this.list[next].key);
      this.buttons[next].focus();
    }

    choose(key) {
      if (key === this.props.value) return;
      this.props.value = key;
      this.draw();
      this.trigger("input");
    }

    draw() {
      document.querySelector("#mq-panel").dataset.tab = document.body.dataset.tab = this.props.value;
      const prompt = document.querySelector("#mq-prompt textarea"), tab = this.list.find(({ key }) => key === this.props.value);
      if (prompt && tab) prompt.placeholder = tab.words;
      for (const button of this.buttons) {
        const chosen = button.dataset.tab === this.props.value;
        button.setAttribute("aria-selected", String(chosen));
        button.tabIndex = chosen ? 0 : -1;
      }
    }
  }

  maquette.mountTabs = (element, props, trigger, watch) => {
    const tabs = new Tabs(element.querySelector(".mq-tabs"), props, trigger);
    watch("value", () => tabs.draw());
    tabs.draw();
    maquette.openAskedTab = () => {
      const asked = new URL(window.location.href).searchParams.get("tab");
      if (tabs.list.some(({ key }) => key === asked)) tabs.choose(asked);
    };
  };

  maquette.mountFold = (element) => {
    const head = element.querySelector(".mq-fold-head");
    head.addEventListener("click", () => {
      const open = head.closest(".mq-fold").toggleAttribute("data-open");
      head.setAttribute("aria-expanded", String(open));
    });
  };
})();
