// The search over all conversations: one input and its results, in a dialog. It asks Python a moment after the last key, and draws only
// the answer to what was asked last. A result is [address, title, when, pieces of the text found, of which every second one is marked].

const REST = 130; // ms after the last key

export default {
  template: `
    <dialog ref="dialog" class="hr-palette" :aria-label="words.name" @click.self="close" @close="closed" @keydown="keys">
      <div class="hr-palette-box">
        <div class="hr-palette-head">
          <q-icon name="search"></q-icon>
          <input ref="input" class="hr-palette-input" role="combobox" aria-expanded="true" aria-autocomplete="list" :aria-controls="list" spellcheck="false"
            autocomplete="off" maxlength="200" :aria-label="words.name" :placeholder="words.name" :aria-activedescendant="at < 0 ? null : list + at" @input="type">
          <button class="hr-icon" :aria-label="words.close" :title="words.close" @click="close"><q-icon name="close"></q-icon></button>
        </div>
        <ul ref="list" class="hr-palette-list" role="listbox" :id="list" :aria-label="words.results">
          <li v-for="([address, title, when, text], i) in shown" :key="address" class="hr-palette-line" role="option" :id="list + i" :aria-selected="i === at"
            @mousemove="at = i" @click="go($event, address)">
            <q-icon :name="address === 'new' ? 'edit_square' : text.length ? 'notes' : 'chat_bubble_outline'"></q-icon>
            <span class="hr-palette-text">
              <span class="hr-chat-title"><component v-for="(piece, j) in title" :is="j % 2 ? 'mark' : 'span'">{{ piece }}</component></span>
              <span v-if="text.length" class="hr-palette-found"><component v-for="(piece, j) in text" :is="j % 2 ? 'mark' : 'span'">{{ piece }}</component></span>
            </span>
            <span class="hr-count">{{ when }}</span>
          </li>
        </ul>
        <div class="hr-palette-none" role="status">{{ status }}</div>
      </div>
    </dialog>`,
  props: { words: Object },
  emits: ["look"],
  data() {
    return { shown: [], at: -1, asked: 0, status: "", list: `${this.$.uid}-results` };
  },
  mounted() {
    addEventListener("hr-search", this.open);
  },
  unmounted() {
    removeEventListener("hr-search", this.open);
    clearTimeout(this.timer);
  },
  methods: {
    open() {
      if (this.$refs.dialog.open) return this.close();
      this.$refs.input.value = "";
      this.$refs.dialog.showModal();
      this.look();
    },
    close() {
      this.$refs.dialog.close();
    },
    closed() {
      this.asked++; // what is still on its way is not wanted
      Object.assign(this, { shown: [], at: -1, status: "" });
    },
    type() {
      clearTimeout(this.timer);
      this.timer = setTimeout(this.look, REST);
    },
    look() {
      this.$emit("look", { number: ++this.asked, query: this.$refs.input.value });
    },
    answer(number, shown, status) {
      if (number !== this.asked) return;
      Object.assign(this, { shown, at: shown.length ? 0 : -1, status });
      this.$refs.list.scrollTop = 0;
    },
    keys(event) {
      if (event.isComposing) return;
      const to = { ArrowDown: this.at + 1, ArrowUp: this.at - 1 + this.shown.length }[event.key];
      if (to !== undefined && this.shown.length) {
        this.at = to % this.shown.length;
        this.$nextTick(() => this.$refs.list.children[this.at]?.scrollIntoView({ block: "nearest" }));
      } else if (event.key === "Enter" && event.target === this.$refs.input && this.shown[this.at]) this.go(event, this.shown[this.at][0]);
      else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") this.close();
      else return event.stopPropagation(); // the window's keys are not meant
      event.preventDefault();
      event.stopPropagation();
    },
    go(event, address) {
      const apart = event.ctrlKey || event.metaKey;
      if (!apart) this.close();
      if (address === "new") newChat(event);
      else goTo(address, apart);
    },
  },
};
