// The row under a message: which of its siblings it is, its buttons, and its figures. One element for all, as a page has hundreds of rows.

const CHECKED = 1500; // ms that a copy's check stays

export default {
  // Without a template, which the browser would have to compile while a message waits to be seen.
  render() {
    return Vue.h("div", { class: "hr-actions" }, this.ready ? this.row() : []);
  },
  props: { actions: Array, at: Number, of: Number, words: Object, figures: String },
  emits: ["press", "step"],
  data: () => ({ checked: "", ready: false }),
  created() {
    this.ids = {}; // two presses of one button name the same message, so it is made once
  },
  mounted() {
    setTimeout(() => (this.ready = true)); // the message first
  },
  methods: {
    row() {
      const button = (icon, label, more) =>
        Vue.h("button", { type: "button", class: "hr-act", "aria-label": label, title: label, ...more }, Vue.h("i", { "aria-hidden": "true" }, icon));
      const step = (icon, label, by, end) => button(icon, label, { disabled: this.at === end, onClick: () => this.$emit("step", by) });
      const turns = [step("chevron_left", this.words.previous, -1, 1), Vue.h("span", `${this.at}/${this.of}`), step("chevron_right", this.words.next, 1, this.of)];
      const buttons = this.actions.map(({ name, icon, label, title = label }) =>
        button(name === this.checked ? "check" : icon, label, { key: name, title, "data-action": name, onClick: (event) => this.press(name, event) })
      );
      const figures = (this.figures ?? "").split(/(?<= ·) /).flatMap((each) => [Vue.h("span", each), " "]); // none is broken
      return [this.of > 1 ? Vue.h("div", { class: "hr-switch" }, turns) : null, ...buttons, Vue.h("span", { class: "hr-figures" }, figures)];
    },
    press(name, event) {
      const message = this.$el.closest(".hr-msg");
      if (name === "copy") this.copy(event.shiftKey ? plainText(message) : new Promise((given) => (this.given = given)));
      if (name !== "copy" || !event.shiftKey) this.$emit("press", { name, id: (this.ids[name] ??= newId()), selected: name === "quote" ? selectedIn(message).slice(0, 100_000) : "" });
    },
    give(text) {
      this.given?.(text);
    },
    async copy(text) {
      await copyText(text);
      this.checked = "copy";
      setTimeout(() => (this.checked = ""), CHECKED);
    },
  },
};
