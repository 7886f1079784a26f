// The model picker: a button that opens a list to search in. It knows what Python gave it, and tells what was picked.
// All of it is text to Vue: names of models and the words of servers are never HTML.

const MOST = 4; // models side by side
let pickers = 0;

export default {
  template: `
<div class="hr-picker">
  <button ref="button" type="button" class="hr-model" role="combobox" aria-haspopup="dialog" :aria-expanded="open" :aria-controls="id"
      :aria-label="words.model" :title="title" @click="show('')" @keydown="onButton">
    <span v-if="warned" class="hr-picker-dot"></span><span class="hr-model-name">{{ text }}</span>
    <span v-if="detail" class="hr-model-detail">{{ detail }}</span><i class="q-icon material-icons" aria-hidden="true">expand_more</i>
  </button>
  <dialog ref="dialog" :id="id" class="hr-picker-box" :aria-label="words.models" @cancel.prevent="leave(false)" @click.self="outside" @keydown="onKey">
    <template v-if="open">
      <input ref="query" class="hr-picker-query" type="text" role="combobox" aria-autocomplete="list" aria-expanded="true" :aria-controls="id + '-list'"
        :aria-activedescendant="flat[active] ? id + '-' + active : null" :aria-label="words.search" :placeholder="asking ? words.instead : words.search" v-model="query"
        autocomplete="off" autocapitalize="off" spellcheck="false" enterkeyhint="go">
      <div ref="list" :id="id + '-list'" class="hr-picker-list" role="listbox" :aria-label="words.models" :aria-multiselectable="several"
        @pointerdown="press" @click="release">
        <div v-for="group in shown" :key="group.key" role="group" :aria-label="[group.name, group.state, group.sentence].filter(Boolean).join(', ')">
          <div class="hr-picker-group" aria-hidden="true">{{ group.name }}<span v-if="group.state" :class="{ 'hr-picker-bad': group.bad }">{{ group.state }}</span></div>
          <div v-if="group.sentence" class="hr-picker-sentence" aria-hidden="true">{{ group.sentence }}</div>
          <div v-for="option in group.options" :key="option.value" :id="id + '-' + option.at" class="hr-picker-option" role="option"
              :class="{ 'hr-picker-active': option.at === active }" :aria-selected="chosenNow(option)"
              @pointermove="active = option.at">
            <i class="q-icon material-icons hr-picker-check" aria-hidden="true">{{ chosenNow(option) ? 'check' : '' }}</i>
            <span class="hr-picker-name">{{ option.label }}</span><span class="hr-unseen">{{ option.unseen }}</span><span class="hr-picker-note">{{ option.note }}</span>
            <i v-for="can in option.can" class="q-icon material-icons hr-picker-can" aria-hidden="true" :title="words[can]">{{ icons[can] }}</i>
            <i v-if="option.compare && !asking" class="q-icon material-icons hr-picker-add" aria-hidden="true" :title="words.compare" @click.stop="add(option)">add</i>
          </div>
        </div>
      </div>
      <div class="hr-picker-status" role="status">{{ status }}</div>
      <div v-if="!asking" class="hr-picker-foot">
        <button type="button" :disabled="looking" @click="look">{{ words.look }}</button>
        <button type="button" :aria-pressed="several" @click="toggle">{{ words.compare }}</button>
        <button v-if="several" type="button" class="hr-picker-done" @click="leave(true)">{{ words.done }}</button>
        <button v-else-if="standard !== chosen" type="button" @click="$emit('standard', chosen)">{{ words.standard }}</button>
        <button v-else-if="liked" type="button" @click="$emit('standard', '')">{{ words.unset }}</button>
      </div>
    </template>
  </dialog>
</div>`,
  props: { text: String, detail: String, title: String, warned: Boolean, chosen: String, standard: String, liked: Boolean, compared: Array, words: Object },
  emits: ["asked", "open", "pick", "compare", "look", "standard"],
  data: () => ({
    id: `hr-picker-${++pickers}`,
    icons: { vision: "image", tools: "build", reasoning: "lightbulb" },
    open: false, query: "", active: 0, groups: [], several: false, asking: false, marks: [], looking: false,
  }),
  computed: {
    shown() {
      const wanted = this.query.toLowerCase().split(/\s+/).filter(Boolean);
      let at = 0;
      const groups = [];
      for (const group of this.groups) {
        const options = group.options.filter(
          (option) => (!(this.several || this.asking) || option.compare) && wanted.every((word) => option.found.includes(word))
        );
        if (!options.length && (wanted.length || !group.sentence)) continue;
        groups.push({ ...group, options: options.map((option) => ({ ...option, at: at++ })) });
      }
      return groups;
    },
    flat() {
      return this.shown.flatMap((group) => group.options);
    },
    status() {
      if (this.several) return this.words.marked.replace("{n}", this.marks.length).replace("{most}", MOST);
      return this.flat.length ? "" : this.query ? this.words.nothing : "";
    },
  },
  watch: {
    query() {
      this.active = 0;
      if (this.$refs.list) this.$refs.list.scrollTop = 0;
    },
  },
  methods: {
    // From Python: the groups of what can be picked.
    fill(groups) {
      const before = this.flat[this.active]?.value;
      const first = !this.groups.length;
      this.groups = groups;
      this.looking = false;
      if (first) this.goToChosen();
      else this.active = Math.max(0, this.flat.findIndex((option) => option.value === before));
    },
    ask() {
      this.asking = true;
      this.show("");
    },
    show(query) {
      if (this.open) return;
      this.open = true;
      this.query = query;
      this.several = !this.asking && this.compared.length > 1;
      this.marks = this.several ? [...this.compared] : [];
      this.$refs.dialog.showModal();
      this.place();
      addEventListener("resize", this.place);
      this.$emit("open");
      this.$nextTick(() => {
        this.$refs.query?.focus();
        if (!query) this.goToChosen();
      });
    },
    goToChosen() {
      this.active = Math.max(0, this.flat.findIndex((option) => option.value === this.chosen));
      this.$nextTick(this.see);
    },
    place() {
      const box = this.$refs.dialog, button = this.$refs.button.getBoundingClientRect();
      const below = innerHeight - button.bottom - 16, above = button.top - 16;
      box.classList.toggle("hr-sheet", innerWidth < 600);
      box.removeAttribute("style");
      if (innerWidth < 600) return;
      const under = below >= 420 || below > above;
      box.style.left = `${Math.max(8, Math.min(button.left - 8, innerWidth - 428))}px`;
      box.style[under ? "top" : "bottom"] = `${under ? button.bottom + 6 : innerHeight - button.top + 6}px`;
      box.style.maxHeight = `${Math.min(520, under ? below : above)}px`;
    },
    leave(take) {
      if (!this.open) return;
      if (take && this.several) this.$emit("compare", this.marks);
      this.open = false;
      removeEventListener("resize", this.place);
      this.$refs.dialog.close();
      if (this.asking) this.$emit("asked", "");
      else this.$refs.button.focus();
      this.asking = false;
    },
    outside(e) {
      const { left, right, top, bottom } = this.$refs.dialog.getBoundingClientRect();
      if (e.clientX < left || e.clientX > right || e.clientY < top || e.clientY > bottom) this.leave(true);
    },
    onButton(e) {
      if (e.ctrlKey || e.metaKey || e.altKey) return;
      const letter = e.key.length === 1 && e.key !== " ";
      if (!letter && !["ArrowDown", "ArrowUp"].includes(e.key)) return;
      e.preventDefault();
      this.show(letter ? e.key : "");
    },
    onKey(e) {
      if (e.key === "Escape") {
        e.preventDefault();
        e.stopPropagation();
        return this.leave(false);
      }
      if (e.target !== this.$refs.query || e.isComposing) return;
      const last = this.flat.length - 1;
      const to = { ArrowDown: this.active + 1, ArrowUp: this.active - 1, Home: 0, End: last, PageDown: this.active + 8, PageUp: this.active - 8 }[e.key];
      if (to !== undefined) {
        e.preventDefault();
        this.active = Math.max(0, Math.min(last, to));
        this.$nextTick(this.see);
      } else if (e.key === "Enter") {
        e.preventDefault();
        if (this.flat[this.active]) e.shiftKey && !this.several && !this.asking ? this.add(this.flat[this.active]) : this.pick(this.flat[this.active]);
      }
    },
    see() {
      document.getElementById(`${this.id}-${this.active}`)?.scrollIntoView({ block: "nearest" });
    },
    under(e) {
      const id = e.target.closest("[role=option]")?.id;
      return this.flat.find((option) => `${this.id}-${option.at}` === id);
    },
    press(e) {
      this.pressed = { option: this.under(e), x: e.clientX, y: e.clientY };
    },
    // Picks what was there when the button went down: a list that grew since has moved it away.
    release(e) {
      const pressed = this.pressed;
      this.pressed = null;
      const still = pressed && Math.hypot(e.clientX - pressed.x, e.clientY - pressed.y) < 10;
      const option = still ? pressed.option : this.under(e);
      if (option) this.pick(option);
    },
    chosenNow(option) {
      return this.several ? this.marks.includes(option.value) : option.value === this.chosen;
    },
    pick(option) {
      if (this.several) return this.mark(option.value);
      this.$emit(this.asking ? "asked" : "pick", option.value);
      this.leave(false);
    },
    mark(value) {
      if (this.marks.includes(value)) this.marks = this.marks.filter((each) => each !== value);
      else if (this.marks.length < MOST) this.marks = [...this.marks, value];
    },
    add(option) {
      if (!option.compare) return;
      if (!this.several) this.toggle();
      if (!this.marks.includes(option.value)) this.mark(option.value);
    },
    toggle() {
      this.several = !this.several;
      const model = this.groups.flatMap((group) => group.options).find((option) => option.value === this.chosen && option.compare);
      this.marks = this.several && model ? [model.value] : [];
      if (!this.several && this.compared.length) this.$emit("compare", []);
      this.active = 0;
      this.$refs.query?.focus();
    },
    look() {
      this.looking = true;
      this.$emit("look");
    },
  },
};
