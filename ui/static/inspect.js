// The timeline of the inspector: of a list that may have 100,000 rows only those in view are in the document, fetched by range when they
// come near it. Whatever is shown is text.

const HEIGHT = 26; // px of a row
const PORTION = 100; // rows in one range
const AROUND = 12; // rows above and below what is in view

export default {
  template: `
    <div class="hr-lanes">
      <div class="hr-lanes-tools">
        <input type="search" class="hr-lanes-search" :aria-label="words.search" :placeholder="words.search" v-model="text" @input="find">
        <select class="hr-lanes-kind" :aria-label="words.show" v-model="lane" @change="find">
          <option v-for="[value, name] in words.lanes" :value="value">{{ name }}</option>
        </select>
        <span class="hr-lanes-count" role="status">{{ words.count.replace("{n}", total.toLocaleString()) }}</span>
      </div>
      <div class="hr-lanes-scroll" ref="scroll" tabindex="0" role="listbox" :aria-label="words.timeline"
        :aria-activedescendant="picked === null ? null : own + picked" :style="{ '--readers': Math.max(1, readers.length) }"
        @scroll.passive="look" @keydown="keys">
        <div class="hr-lanes-head" aria-hidden="true">
          <span>{{ words.time }}</span><span>{{ words.upstream }}</span><span>{{ words.events }}</span>
          <span v-for="name in readers">→ {{ name }}</span><span v-if="!readers.length">{{ words.nobody }}</span>
        </div>
        <div class="hr-lanes-all" role="presentation" :style="{ height: total * ${HEIGHT} + 'px' }">
          <div v-for="row in shown" :key="row.at" class="hr-lanes-row" role="option" :id="own + row.at" :aria-selected="row.at === picked"
            :aria-setsize="total" :aria-posinset="row.at + 1" :style="{ top: row.at * ${HEIGHT} + 'px' }" @click="pick(row.at)">
            <template v-if="row.told">
              <span class="hr-lanes-time">{{ row.told.at }} <small>{{ row.told.gap }}</small></span>
              <span><b v-for="note in row.told.notes" class="hr-lanes-note">{{ note }} </b><small v-if="row.told.came">{{ row.told.came }} </small><code>{{ row.told.up }}</code></span>
              <span>{{ row.told.events }}</span>
              <span v-for="written in row.told.writes"><code>{{ written }}</code></span>
            </template>
          </div>
        </div>
      </div>
      <section v-if="blocks.length" class="hr-closer" :aria-label="words.closer">
        <div class="hr-closer-tools">
          <div class="hr-closer-form" role="group" :aria-label="words.form">
            <button type="button" :aria-pressed="!hex" @click="hex = false">{{ words.text }}</button>
            <button type="button" :aria-pressed="hex" @click="hex = true">{{ words.hex }}</button>
          </div>
          <button type="button" class="hr-closer-close" :aria-label="words.close" @click="blocks = []; $refs.scroll.focus()">×</button>
        </div>
        <div class="hr-closer-lanes">
          <div v-for="[lane, name] in words.closerLanes" class="hr-closer-lane">
            <h2>{{ name }}</h2>
            <article v-for="(block, at) in blocks.filter((each) => each.lane === lane)" :key="at">
              <header><span>{{ block.title }}</span>
                <button type="button" class="hr-act" :aria-label="words.copy" :title="words.copy" @click="copy(block)"><i aria-hidden="true">{{ copied === block ? "check" : "content_copy" }}</i></button>
              </header>
              <pre tabindex="0">{{ hex && block.hex ? block.hex : block.text }}</pre>
              <p v-if="block.more">{{ block.more }}</p>
            </article>
          </div>
        </div>
      </section>
    </div>`,
  props: { own: String, words: Object, start: Object },
  emits: ["range", "pick", "find"],
  data() {
    return { ...this.start, shown: [], picked: null, blocks: [], text: "", lane: "", hex: false, copied: null };
  },
  watch: {
    start(told) {
      Object.assign(this, told);
      this.portions.clear();
      this.look();
    },
  },
  created() {
    this.portions = new Map(); // rows that are here, by their number's hundred; not reactive, as there may be many
    this.asked = new Set();
  },
  mounted() {
    this.seen = new ResizeObserver(() => this.look());
    this.seen.observe(this.$refs.scroll);
    this.look();
  },
  unmounted() {
    this.seen.disconnect();
  },
  methods: {
    // There are more rows; those from `since` on are others than before, and all of them in another version.
    told({ total, since, version, readers }) {
      const scroll = this.$refs.scroll;
      const following = scroll.scrollTop > 0 && scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 2 * HEIGHT;
      if (version !== this.version) {
        since = 0;
        this.picked = null;
        this.blocks = [];
        this.shown = [];
      }
      for (const portion of this.portions.keys()) if ((portion + 1) * PORTION > since) this.portions.delete(portion);
      this.asked.clear();
      Object.assign(this, { total, version, readers });
      this.$nextTick(() => {
        if (following) scroll.scrollTop = scroll.scrollHeight;
        this.look();
      });
    },
    rows({ version, from, rows }) {
      if (version !== this.version) return;
      this.portions.set(from / PORTION, rows);
      this.asked.delete(from / PORTION);
      this.look();
    },
    closer({ version, at, blocks }) {
      if (version === this.version && at === this.picked) this.blocks = blocks;
    },
    look() {
      const scroll = this.$refs.scroll;
      if (!scroll) return;
      const first = Math.max(0, Math.floor(scroll.scrollTop / HEIGHT) - AROUND);
      const end = Math.min(this.total, Math.ceil((scroll.scrollTop + scroll.clientHeight) / HEIGHT) + AROUND);
      const before = new Map(this.shown.map((row) => [row.at, row]));
      const shown = [];
      for (let at = first; at < end; at++) {
        const portion = Math.floor(at / PORTION);
        const told = this.portions.get(portion)?.[at % PORTION];
        if (!told && !this.asked.has(portion)) {
          this.asked.add(portion);
          this.$emit("range", { version: this.version, from: portion * PORTION });
        }
        shown.push({ at, told: told ?? before.get(at)?.told });
      }
      this.shown = shown;
    },
    go(at) {
      this.pick(Math.min(Math.max(at, 0), this.total - 1));
      const scroll = this.$refs.scroll, top = this.picked * HEIGHT;
      if (top < scroll.scrollTop) scroll.scrollTop = top;
      else if (top + 3 * HEIGHT > scroll.scrollTop + scroll.clientHeight) scroll.scrollTop = top + 3 * HEIGHT - scroll.clientHeight;
    },
    pick(at) {
      if (at < 0) return;
      this.picked = at;
      this.$emit("pick", { version: this.version, at });
    },
    keys(event) {
      const page = Math.floor(this.$refs.scroll.clientHeight / HEIGHT) - 2, at = this.picked ?? -1;
      const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: this.total - 1 }[event.key];
      if (to === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      this.go(to);
    },
    find() {
      clearTimeout(this.finding);
      this.finding = setTimeout(() => this.$emit("find", { text: this.text.slice(0, 200), lane: this.lane }), 200);
    },
    async copy(block) {
      await copyText(this.hex && block.hex ? block.hex : block.text);
      this.copied = block;
      setTimeout(() => (this.copied = null), 1500);
    },
  },
};
