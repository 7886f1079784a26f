// The list of conversations: draws the lines that Python sends, and anew only those that changed. What is done to one is told to Python.
// A line is [title, pinned, folder, archived, answering, unseen]; a section [key, ids, how many there are in all].

const OPEN = "headrace.open"; // the folders that are open, in this browser

export default {
  template: `
    <div class="hr-chats" @dragenter="aim" @dragover="aim" @dragleave="miss" @drop="drop" @dragend="held = over = null">
      <section v-for="[key, ids, count] in sections" :key="key" :data-place="place(key)" :class="{ 'hr-over': over === place(key) }">
        <h2 class="hr-day" :class="{ 'hr-folder': key[0] === '/' }" :data-folder="key[0] === '/' ? key.slice(1) : null">
          <template v-if="key[0] !== '/' && key !== 'archived'">{{ words[key] }}</template>
          <input v-else-if="renaming === key" class="hr-rename" :aria-label="words['Folder name']" maxlength="60" :value="key.slice(1)"
            @keydown.enter.prevent="rename($event)" @keydown.esc.stop.prevent="leave(key)" @blur="rename($event)">
          <button v-else class="hr-fold" :aria-expanded="isOpen(key)" @click="fold(key)">
            <q-icon :name="isOpen(key) ? 'expand_more' : 'chevron_right'"></q-icon>
            <span class="hr-chat-title" :title="key[0] === '/' ? key.slice(1) : null">{{ key[0] === '/' ? key.slice(1) : words[key] }}</span>
            <span class="hr-count">{{ count }}</span>
          </button>
          <button v-if="key[0] === '/' && renaming !== key" class="hr-icon hr-chat-more" :title="words['Rename folder']"
            :aria-label="words['Rename folder'] + ': ' + key.slice(1)" @click="begin(key)"><q-icon name="edit"></q-icon></button>
        </h2>
        <ul v-if="isOpen(key)">
          <li v-for="id in ids" :key="id" class="hr-chat-line" :class="{ 'hr-held': held === id }" :data-conversation="id">
            <input v-if="renaming === id" class="hr-rename" :aria-label="words.Title" maxlength="200" :value="lines[id][0]"
              @keydown.enter.prevent="rename($event)" @keydown.esc.stop.prevent="leave(id)" @blur="rename($event)">
            <template v-else>
              <a class="hr-chat" :href="prefix + '/c/' + id" :title="lines[id][0]" :aria-current="id === current ? 'page' : null" @dragstart="held = id">
                <q-icon v-if="lines[id][1]" name="push_pin" class="hr-pin" role="img" :aria-label="words.pinned"></q-icon>
                <span class="hr-chat-title">{{ lines[id][0] }}</span>
                <span v-if="lines[id][4]" class="hr-spinner" role="img" :aria-label="words.answering"></span>
                <span v-else-if="lines[id][5]" class="hr-dot" role="img" :aria-label="words.unseen"></span>
              </a>
              <button class="hr-icon hr-chat-more" aria-haspopup="menu" :aria-expanded="menu?.id === id"
                :aria-label="words.Options.replace('{title}', () => lines[id][0])" @click="choose($event, id)"><q-icon name="more_horiz"></q-icon></button>
            </template>
          </li>
        </ul>
      </section>
      <button v-if="rest" ref="rest" class="hr-rest" @click="$emit('more')">{{ words.more }}</button>
      <div v-if="menu" ref="menu" class="hr-pop" role="menu" :aria-label="lines[menu.id]?.[0]" tabindex="-1" @keydown="keys" @focusout="lost">
        <form v-if="menu.level === 'new'" @submit.prevent="put('move', $event.target.elements[0].value)">
          <input class="hr-rename" :aria-label="words['Folder name']" :placeholder="words['Folder name']" maxlength="60" required>
        </form>
        <template v-else>
          <button v-for="item in items" :key="item.label" role="menuitem" tabindex="-1" :class="{ 'hr-delete': item.bad }"
            :aria-haspopup="item.level ? 'menu' : null" @click="pick(item)">
            <q-icon :name="item.icon"></q-icon><span class="hr-chat-title">{{ item.label }}</span>
          </button>
        </template>
      </div>
    </div>`,
  props: { start: Object, words: Object },
  emits: ["act", "more", "fold"],
  data() {
    const { lines } = this.start;
    return { ...this.start, lines: { ...lines }, unfolded: remembered(), menu: null, renaming: null, held: null, over: null, prefix: window.path_prefix ?? "" };
  },
  watch: {
    start(told) {
      Object.assign(this, told, { lines: { ...told.lines } });
    },
  },
  mounted() {
    this.away = (event) => this.menu && !this.$refs.menu?.contains(event.target) && this.close(false);
    addEventListener("pointerdown", this.away, true);
    this.nearing = new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && this.$emit("more"), { rootMargin: "400px" });
    this.look();
    if (this.unfolded.length) this.$emit("fold", this.unfolded);
    this.$nextTick(() => this.$el.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" }));
  },
  updated() {
    this.look();
  },
  unmounted() {
    removeEventListener("pointerdown", this.away, true);
    this.nearing.disconnect();
  },
  computed: {
    items() {
      const w = this.words;
      const [, pinned, folder, archived] = this.lines[this.menu.id] ?? [];
      if (this.menu.level === "export")
        return ["Markdown", "JSON", "HTML"].map((label) => ({ icon: "download", label, what: "export", value: label }));
      if (this.menu.level === "folder") {
        const names = this.sections.filter(([key]) => key[0] === "/" && key.slice(1) !== folder).map(([key]) => key.slice(1));
        const items = names.map((label) => ({ icon: "folder", label, what: "move", value: label }));
        if (folder) items.push({ icon: "folder_off", label: w["No folder"], what: "move", value: "" });
        return [...items, { icon: "create_new_folder", label: w["New folder"], level: "new" }];
      }
      return [
        { icon: "edit", label: w.Rename, what: "rename" },
        { icon: "push_pin", label: pinned ? w.Unpin : w.Pin, what: "pin", value: !pinned },
        { icon: "folder", label: w["Move to folder"], level: "folder" },
        { icon: archived ? "unarchive" : "archive", label: archived ? w.Unarchive : w.Archive, what: "archive", value: !archived },
        { icon: "download", label: w.Export, level: "export" },
        { icon: "delete", label: w.Delete, what: "delete", bad: true },
      ];
    },
  },
  methods: {
    // Values, not differences: what comes twice changes nothing.
    change(told) {
      Object.assign(this.lines, told.lines);
      if (told.sections) this.sections = told.sections;
      for (const id of told.gone) {
        if (this.menu?.id === id) this.close(false);
        if (this.$el.querySelector(`[data-conversation="${id}"]`)?.contains(document.activeElement)) this.next(id)?.focus();
        delete this.lines[id];
      }
      this.current = told.current;
      this.rest = told.rest;
    },
    look() {
      this.nearing.disconnect();
      if (this.$refs.rest) this.nearing.observe(this.$refs.rest);
    },
    isOpen(key) {
      return (key[0] !== "/" && key !== "archived") || this.unfolded.includes(key);
    },
    fold(key) {
      this.unfold(this.isOpen(key) ? this.unfolded.filter((other) => other !== key) : [...this.unfolded, key]);
    },
    unfold(keys) {
      this.unfolded = keys;
      remember(keys);
      this.$emit("fold", keys);
    },
    // A conversation that is drawn with the mouse goes where it is let go: into a folder, to the pinned, the archive, or out to the dated
    // ones, which are one place. Its menu does the same.
    place(key) {
      return key[0] === "/" || key === "pinned" || key === "archived" ? key : "dated";
    },
    aim(event) {
      const [, pinned, folder, archived] = this.lines[this.held] ?? [];
      if (pinned === undefined) return;
      const here = archived ? "archived" : pinned ? "pinned" : folder ? `/${folder}` : "dated";
      const over = event.target.closest("[data-place]")?.dataset.place ?? "dated";
      this.over = over === here ? null : over;
      if (!this.over) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "move";
    },
    miss(event) {
      if (!this.$el.contains(event.relatedTarget)) this.over = null;
    },
    drop(event) {
      if (!this.over) return;
      event.preventDefault();
      if (!this.isOpen(this.over) && this.over !== "archived") this.fold(this.over);
      this.$emit("act", { what: "place", id: this.held, value: this.over });
      this.held = this.over = null;
    },
    async choose(event, id) {
      if (this.menu?.id === id) return this.close();
      this.button = event.currentTarget;
      await this.show(id, "");
    },
    async show(id, level) {
      this.menu = { id, level };
      await this.$nextTick();
      const menu = this.$refs.menu;
      const at = this.button.getBoundingClientRect();
      const over = at.bottom + menu.offsetHeight > innerHeight - 8;
      menu.style.left = `${Math.max(8, Math.min(at.left, innerWidth - menu.offsetWidth - 8))}px`;
      menu.style.top = `${Math.max(8, over ? at.top - menu.offsetHeight - 4 : at.bottom + 4)}px`;
      (menu.querySelector("input, button") ?? menu).focus();
    },
    close(back = true) {
      this.menu = null;
      if (back && this.button?.isConnected) this.button.focus();
    },
    lost(event) {
      if (event.relatedTarget && !this.$refs.menu?.contains(event.relatedTarget)) this.close(false);
    },
    keys(event) {
      const all = [...this.$refs.menu.querySelectorAll("button")];
      const at = all.indexOf(document.activeElement);
      const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
      if (event.key === "Escape" || (event.key === "ArrowLeft" && all.length)) this.menu.level ? this.show(this.menu.id, "") : this.close();
      else if (event.key === "Tab") return this.close();
      else if (to !== undefined && all.length) all.at(to % all.length).focus();
      else return event.stopPropagation();
      event.preventDefault();
      event.stopPropagation();
    },
    pick(item) {
      const id = this.menu.id;
      if (item.level) return this.show(id, item.level);
      if (item.what === "rename") return this.begin(id);
      if (item.what === "delete") this.button = this.next(id);
      this.put(item.what, item.value);
    },
    put(what, value) {
      const id = this.menu.id;
      this.close();
      const folder = what === "move" && value && `/${value.trim()}`;
      if (folder && !this.isOpen(folder)) this.fold(folder);
      this.$emit("act", { what, id, value });
    },
    next(id) {
      const links = [...this.$el.querySelectorAll(".hr-chat")];
      const at = links.findIndex((link) => link.parentElement.dataset.conversation === id);
      return links[at + 1] ?? links[at - 1] ?? document.querySelector(".hr-new");
    },
    async begin(id) {
      this.close(false);
      this.renaming = id;
      await this.$nextTick();
      this.$el.querySelector(".hr-rename")?.select();
    },
    rename(event) {
      if (event.isComposing) return;
      const id = this.renaming;
      const title = event.target.value.trim(), folder = id?.[0] === "/";
      if (!id) return;
      this.leave(id, event.type === "keydown");
      if (!title || title === (folder ? id.slice(1) : this.lines[id][0])) return;
      const open = folder && this.isOpen(id);
      this.$emit("act", { what: folder ? "folder" : "rename", id: folder ? id.slice(1) : id, value: title });
      if (open) this.unfold([...this.unfolded.filter((key) => key !== id), `/${title}`]);
    },
    async leave(id, back = true) {
      this.renaming = null;
      await this.$nextTick();
      const place = id[0] === "/" ? `[data-folder="${CSS.escape(id.slice(1))}"]` : `[data-conversation="${id}"]`;
      if (back) this.$el.querySelector(`${place} .hr-chat-more`)?.focus();
    },
  },
};

function remembered() {
  try {
    const keys = JSON.parse(localStorage.getItem(OPEN));
    return Array.isArray(keys) ? keys.filter((key) => key !== "archived") : [];
  } catch {
    return [];
  }
}

function remember(keys) {
  try {
    localStorage.setItem(OPEN, JSON.stringify(keys));
  } catch {} // a browser that keeps nothing
}
