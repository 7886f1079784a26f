// The timeline of the inspector: of a list that may have 100,000 rows only those in view are in the document, fetched by range when they
// come near it. Whatever is shown is text.

const HEIGHT = 26; // px of a row
const PORTION = 100; // rows in one range
const AROUND = 12; // rows above and below what is in view

const { h } = Vue;
const UNHEARD = { "aria-hidden": "true" };

export default {
  // Without a template, which the browser would have to compile while the page opens.
  render() {
    return h("div", { class: "hr-lanes" }, [this.tools(), this.list(), this.blocks.length ? this.closest() : null]);
  },
  props: { own: String, words: Object, start: Object },
  emits: ["range", "pick", "find"],
  data() {
    return { ...this.start, shown: [], picked: null, blocks: [], text: "", lane: "", hex: false, copied: null };
  },
  watch: {
    start(told) {
      Object.assign(this, told);
      this.portions.clear();
      this.asked.clear();
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
    tools() {
      const { words, total } = this;
      const search = (event) => ((this.text = event.target.value), this.find());
      const show = (event) => ((this.lane = event.target.value), this.find());
      const count = total && total.toLocaleString(); // none is not worth loading what knows how numbers are written
      return h("div", { class: "hr-lanes-tools" }, [
        h("input", { type: "search", class: "hr-lanes-search", "aria-label": words.search, placeholder: words.search, onInput: search }),
        h("select", { class: "hr-lanes-kind", "aria-label": words.show, onChange: show },
          words.lanes.map(([value, name]) => h("option", { value }, name))),
        h("span", { class: "hr-lanes-count", role: "status" }, words.count.replace("{n}", count)),
      ]);
    },
    list() {
      const { words, readers } = this;
      const active = this.picked === null ? null : this.own + this.picked;
      const names = readers.length ? readers.map((name) => h("span", `→ ${name}`)) : [h("span", words.nobody)];
      return h(
        "div",
        {
          class: "hr-lanes-scroll", ref: "scroll", tabindex: 0, role: "listbox", "aria-label": words.timeline, "aria-activedescendant": active,
          style: { "--readers": Math.max(1, readers.length) }, onScrollPassive: this.look, onKeydown: this.keys,
        },
        [
          h("div", { class: "hr-lanes-head", ...UNHEARD }, [words.time, words.upstream, words.events].map((word) => h("span", word)).concat(names)),
          h("div", { class: "hr-lanes-all", role: "presentation", style: { height: `${this.total * HEIGHT}px` } }, this.shown.map(this.row)),
        ],
      );
    },
    row({ at, told }) {
      const all = {
        key: at, class: "hr-lanes-row", role: "option", id: this.own + at, "aria-selected": at === this.picked, "aria-setsize": this.total,
        "aria-posinset": at + 1, style: { top: `${at * HEIGHT}px` }, onClick: () => this.pick(at),
      };
      return h("div", all, told && [
        h("span", { class: "hr-lanes-time" }, [`${told.at} `, h("small", told.gap)]),
        h("span", [
          ...told.notes.map((note) => h("b", { class: "hr-lanes-note" }, `${note} `)),
          told.came ? h("small", `${told.came} `) : null,
          h("code", told.up),
        ]),
        h("span", told.events),
        ...told.writes.map((written) => h("span", h("code", written))),
      ]);
    },
    closest() {
      const { words, hex } = this;
      const form = (on, word) => h("button", { type: "button", "aria-pressed": hex === on, onClick: () => (this.hex = on) }, word);
      const close = () => ((this.blocks = []), this.$refs.scroll.focus());
      return h("section", { class: "hr-closer", "aria-label": words.closer }, [
        h("div", { class: "hr-closer-tools" }, [
          h("div", { class: "hr-closer-form", role: "group", "aria-label": words.form }, [form(false, words.text), form(true, words.hex)]),
          h("button", { type: "button", class: "hr-closer-close", "aria-label": words.close, onClick: close }, "×"),
        ]),
        h("div", { class: "hr-closer-lanes" }, words.closerLanes.map(([lane, name]) =>
          h("div", { class: "hr-closer-lane" }, [h("h2", name), ...this.blocks.filter((each) => each.lane === lane).map(this.block)]))),
      ]);
    },
    block(block, key) {
      const copy = { type: "button", class: "hr-act", "aria-label": this.words.copy, title: this.words.copy, onClick: () => this.copy(block) };
      return h("article", { key }, [
        h("header", [h("span", block.title), h("button", copy, h("i", UNHEARD, this.copied === block ? "check" : "content_copy"))]),
        h("pre", { tabindex: 0 }, this.hex && block.hex ? block.hex : block.text),
        block.more ? h("p", block.more) : null,
      ]);
    },
    // There are more rows; those from `since` on are others than before, and all of them in another version.
    told({ total, since, version, readers }) {
      const scroll = this.$refs.scroll;
      const following = scroll.scrollTop > 0 && scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 2 * HEIGHT;
      if (version !== this.version) {
        since = 0;
        this.picked = null;
        this.blocks = [];
        this.shown = [];
        this.asked.clear(); // what was asked for of another version is not answered; of this one it is answered after this was told
      }
      for (const portion of this.portions.keys()) if ((portion + 1) * PORTION > since) this.portions.delete(portion);
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
