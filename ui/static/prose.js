// The text of one message: draws the blocks that Python rendered, and applies its patches. It makes no HTML: what it draws comes from
// ui/markdown, and from nowhere else.

const HEARD = 3; // blocks that wait to be read out
const SAID = 1000; // characters of one
const FRESH = 24; // blocks at the end of a growing text, which may be seen
const SETTLED = 1000; // ms after its end

// The one way for markup past the cleaner of trusted.js, which would take the links' targets: it has been through ui/markdown.
const RENDERED = window.trustedTypes?.createPolicy("prose", { createHTML: (html) => html }) ?? { createHTML: (html) => html };

export default {
  template: '<div class="hr-prose" @click="onClick"></div>',
  props: { blocks: Array, count: Number },
  emits: ["shown"],
  mounted() {
    followThread(this.$el.closest(".hr-scroll"));
    ear();
    setTimeout(listen); // the socket is made once everything is mounted
    this.draw(0);
  },
  watch: {
    blocks() {
      this.draw(0);
      this.$emit("shown", this.count);
    },
  },
  methods: {
    // Patch number `n`. One that comes twice (after a reconnect) is not applied again; one that is missing is told by -1.
    // The list and its number are changed in place: they are the page's state, from which a later mount draws.
    // `wish` 0: nothing more; 1: an answer; 2: an answer, and this is the end.
    patch(n, first, changes, wish) {
      const seen = this.blocks.count ?? this.count;
      if (n === seen + 1) {
        const next = changes.map(([keep, suffix], i) => (this.blocks[first + i] ?? "").slice(0, keep) + suffix);
        this.blocks.splice(first, this.blocks.length, ...next);
        this.blocks.count = n;
        this.draw(first, true);
        announce(this.$el, wish === 2);
        if (wish === 2) setTimeout(() => this.age(0), SETTLED);
      }
      if (wish || n > seen + 1) this.$emit("shown", n > seen + 1 ? -1 : n);
    },
    draw(first, fresh = false) {
      while (this.$el.children.length > this.blocks.length) this.$el.lastChild.remove();
      for (const html of this.blocks.slice(first)) {
        const block = this.$el.children[first++] ?? this.$el.appendChild(document.createElement("div"));
        if (fresh) block.classList.add("hr-fresh");
        if (block.html !== html) fill(block, html);
      }
      if (fresh) this.age(FRESH);
    },
    // What is seen while it grows is laid out at once; what may be skipped is laid out twice, once to learn that it is seen.
    age(left) {
      const fresh = this.$el.getElementsByClassName("hr-fresh");
      while (fresh.length > left) fresh[0].classList.remove("hr-fresh");
    },
    pin() {
      Object.assign(this.$el.closest(".hr-scroll"), { scrollTop: 1e9 }).dataset.pinned = true;
    },
    async onClick(event) {
      const draw = event.target.closest(".hr-draw");
      if (draw) return toggleDiagram(draw);
      const button = event.target.closest(".hr-copy");
      if (!button) return;
      await copyText(button.closest(".hr-code").querySelector("code").textContent);
      button.textContent = spoken('Copied');
      setTimeout(() => (button.textContent = spoken('Copy')), 1500);
    },
  },
};

// Patches come as messages of their own, numbered with all others, so that a reconnect repeats none. In a slow browser the update that
// makes their element may still stand in NiceGUI's queue: they wait for it.
const waiting = [];
const ENOUGH = 5000; // ms, after which the element is gone rather than late

function listen() {
  if (window.socket.listeners("prose").length) return;
  window.socket.on("prose", ({ patch: [id, ...patch], _id }) => {
    if (_id < window.nextMessageId) return;
    window.nextMessageId = _id + 1;
    waiting.push({ id, patch, until: performance.now() + ENOUGH });
    if (waiting.length === 1) apply();
  });
}

function apply() {
  for (; waiting.length; waiting.shift()) {
    const text = getElement(waiting[0].id);
    if (!text && performance.now() < waiting[0].until) return setTimeout(apply, 20);
    text?.patch(...waiting[0].patch);
  }
}

// What is on the page already stays the element it was: a list of a thousand items grows by one, a selection and a sideways
// scroll stay, a button can be pressed. Only what differs is laid out again.
function fill(block, html) {
  const fresh = document.createElement("template");
  fresh.innerHTML = RENDERED.createHTML(html);
  if (window.TEXTS?.Copy) fresh.content.querySelectorAll(".hr-copy, .hr-draw").forEach(translate);
  morph(block, fresh.content);
  block.html = html;
}

// What ui/markdown renders is the same for all readers.
function translate(button) {
  if (button.className === "hr-draw") return (button.textContent = spoken("Show diagram"));
  button.textContent = spoken('Copy');
  button.setAttribute("aria-label", spoken('Copy code'));
}

function morph(was, now) {
  const fresh = [...now.childNodes];
  while (was.childNodes.length > fresh.length) was.lastChild.remove();
  let old = was.firstChild;
  for (const node of fresh) {
    const next = old?.nextSibling;
    if (!old) was.appendChild(node);
    else if (!old.isEqualNode(node)) {
      if (node.nodeType === Node.TEXT_NODE && old.nodeType === Node.TEXT_NODE) retell(old, node.data);
      else if (alike(old, node)) morph(old, node);
      else old.replaceWith(node);
    }
    old = next;
  }
}

// The same element with other content; a Copy button that says "Copied" is left alone.
function alike(old, node) {
  if (old.nodeName !== node.nodeName || old.attributes?.length !== node.attributes?.length) return false;
  return [...(node.attributes ?? [])].every(({ name, value }) => old.getAttribute(name) === value);
}

function retell(text, data) {
  if (["hr-copy", "hr-draw"].includes(text.parentNode.className)) return;
  if (data.startsWith(text.data)) text.appendData(data.slice(text.length));
  else text.data = data;
}

// Assistive technology hears a block once it is finished: when another has begun behind it, or the text has ended. Thoughts are
// not read out. What has been said is taken away again, so that nobody comes upon it.
function announce(root, ended) {
  const blocks = root.children, end = blocks.length - !ended;
  if (end <= (root.heard ?? 0)) return;
  const words = [...blocks].slice(Math.max(root.heard ?? 0, end - HEARD), Math.max(end, 0)).map(said);
  root.heard = Math.max(root.heard ?? 0, end);
  if (root.closest(".hr-thought")) return;
  const live = ear();
  live.append(...words.map((text) => Object.assign(document.createElement("p"), { textContent: text })));
  while (live.children.length > HEARD) live.firstChild.remove();
}

// One for the page, there before it is needed: a region that comes with its words is often not heard.
function ear() {
  const made = document.querySelector(".hr-live");
  return made ?? document.body.appendChild(Object.assign(document.createElement("div"), { className: "hr-live hr-unseen", ariaLive: "polite" }));
}

function said(block) {
  const head = block.querySelector(":scope > .hr-code > .hr-code-head > span"), rows = block.querySelectorAll(":scope > .hr-table tr").length;
  if (head) return `Code ${head.textContent}, ${block.querySelector("code").textContent.split("\n").length - 1} lines`;
  return rows ? `Table, ${rows} rows` : block.textContent.slice(0, SAID);
}
