// The row under a message: which of its siblings it is, its buttons, and its figures. One element for all, as a page has hundreds of rows.

const CHECKED = 1500; // ms that a copy's check stays

export default {
  template: `<div class="hr-actions">
    <div v-if="of > 1" class="hr-switch">
      <button type="button" class="hr-act" :aria-label="words.previous" :title="words.previous" :disabled="at === 1" @click="$emit('step', -1)"><i aria-hidden="true">chevron_left</i></button>
      <span>{{ at }}/{{ of }}</span>
      <button type="button" class="hr-act" :aria-label="words.next" :title="words.next" :disabled="at === of" @click="$emit('step', 1)"><i aria-hidden="true">chevron_right</i></button>
    </div>
    <button v-for="action in actions" :key="action.name" type="button" class="hr-act" :data-action="action.name" :aria-label="action.label"
      :title="action.title ?? action.label" @click="press(action.name, $event)"><i aria-hidden="true">{{ action.name === checked ? "check" : action.icon }}</i></button>
    <span class="hr-figures">{{ figures }}</span>
  </div>`,
  props: { actions: Array, at: Number, of: Number, words: Object, figures: String },
  emits: ["press", "step"],
  data: () => ({ checked: "" }),
  created() {
    this.ids = {}; // two presses of one button name the same message, so it is made once
  },
  methods: {
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
