// The files of a message that is being written: taken from a paste, a drop or the file dialog, made smaller, sent to the server, shown as
// chips. It makes no HTML: names are text. What is here outlives a reload, in the storage of the tab.

const RASTER = ["image/png", "image/jpeg", "image/webp"];

export default {
  template: `
    <div class="hr-attach" @click.stop>
      <input ref="input" type="file" multiple hidden tabindex="-1" aria-hidden="true" @change="picked" />
      <ul v-if="items.length" class="hr-chosen" :aria-label="words.list">
        <li v-for="item in items" :key="item.key" class="hr-attachment" :class="{'hr-file-image': item.image, 'hr-file-busy': !item.file}"
            :data-state="item.file ? 'here' : 'coming'">
          <img v-if="item.image" :src="item.file ? '/attachments/' + item.file.hash : item.image" alt="" />
          <span v-else class="hr-file-kind" aria-hidden="true">{{ item.kind }}</span>
          <span class="hr-file-about" :class="{'hr-unseen': item.image}">
            <span class="hr-file-name" :title="item.name">{{ item.name }}</span>
            <span class="hr-file-note">{{ note(item) }}</span>
          </span>
          <button v-if="item.text !== undefined && item.file" type="button" class="hr-file-back" :title="words.undo" @click="asText(item)">{{ words.asText }}</button>
          <button type="button" class="hr-file-remove" :aria-label="words.remove.replace('{name}', item.name)"
                  :title="words.remove.replace('{name}', item.name)" @click="remove(item)">×</button>
          <span v-if="!item.file" class="hr-file-bar" :style="{ '--part': item.part }" aria-hidden="true"></span>
        </li>
      </ul>
      <span class="hr-unseen" role="status">{{ said }}</span>
    </div>`,
  props: { limits: Object, words: Object },
  emits: ["refused"],
  data: () => ({ items: [], said: "" }),
  mounted() {
    this.turned = null; // a paste that became a file just now: Ctrl+Z makes it text again
    this.box = this.$el.closest(".hr-composer").querySelector("textarea");
    this.main = this.$el.closest(".hr-main");
    this.path = location.pathname;
    Quasar.LoadingBar?.setDefaults({ hijackFilter: () => false }); // no bar across the window for an upload: its chip has one
    this.listeners = [
      [this.box, "paste", this.paste],
      [this.box, "input", () => (this.turned = null)],
      [this.box, "keydown", this.undo],
      [this.main, "dragenter", this.over],
      [this.main, "dragover", this.over],
      [this.main, "dragleave", this.out],
      [this.main, "drop", this.drop],
    ];
    for (const [on, name, heard] of this.listeners) on.addEventListener(name, heard);
    for (const file of JSON.parse(sessionStorage.getItem("files " + this.path)) ?? []) this.items.push(known(file));
    this.tell();
  },
  unmounted() {
    for (const [on, name, heard] of this.listeners) on.removeEventListener(name, heard);
  },
  methods: {
    pick() {
      this.$refs.input.click();
    },
    picked(event) {
      this.take([...event.target.files]);
      event.target.value = "";
      this.box.focus();
    },
    paste(event) {
      const files = [...(event.clipboardData?.files ?? [])];
      const text = event.clipboardData?.getData("text/plain") ?? "";
      if (files.length && !text) {
        event.preventDefault();
        this.take(files);
      } else if (text.length > this.limits.paste && !this.full(1)) {
        event.preventDefault();
        this.take([new File([text], this.words.pasted, { type: "text/plain" })], text);
      }
    },
    undo(event) {
      const item = this.items.find((each) => each.key === this.turned);
      if (!item || event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey) || event.shiftKey) return;
      event.preventDefault();
      this.asText(item);
    },
    over(event) {
      if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      this.main.dataset.dropping = this.words.drop;
    },
    out(event) {
      if (!event.relatedTarget || !this.main.contains(event.relatedTarget)) delete this.main.dataset.dropping;
    },
    drop(event) {
      if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return;
      event.preventDefault();
      delete this.main.dataset.dropping;
      this.take([...event.dataTransfer.files]);
      this.box.focus();
    },

    // `text`: what was pasted, which may be put into the box instead.
    async take(files, text) {
      for (const file of files) {
        if (this.full(0)) {
          this.refuse(this.words.many);
          return;
        }
        await this.add(file, text);
      }
    },
    full(more) {
      return this.items.length + more > this.limits.files - 1 + more;
    },
    async add(file, text) {
      const item = { key: newId(), name: file.name || "file", size: file.size, part: 0, kind: ending(file.name), text };
      if (RASTER.includes(file.type) || file.type === "image/gif") item.image = URL.createObjectURL(file);
      this.items.push(item);
      if (text !== undefined) this.turned = item.key;
      this.tell();
      const kept = this.items.find((each) => each.key === item.key); // the one that is watched
      const body = await smaller(file, this.limits.side);
      if (body.size > this.limits.bytes) {
        this.giveUp(kept, this.words.large.replace("{name}", kept.name).replace("{limit}", sized(this.limits.bytes)));
        return;
      }
      if (this.items.includes(kept)) this.send(kept, body);
    },
    send(item, body) {
      const request = (item.request = new XMLHttpRequest());
      request.open("POST", "/attachments?name=" + encodeURIComponent(item.name));
      request.setRequestHeader("Accept", "application/x-ndjson");
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.upload.onprogress = (event) => (item.part = event.lengthComputable ? (0.9 * event.loaded) / event.total : 0);
      request.onprogress = () => {
        const { read, pages } = last(request.responseText);
        if (pages) Object.assign(item, { read, pages });
      };
      request.onerror = () => this.giveUp(item, this.words.lost.replace("{name}", item.name));
      request.onload = () => {
        const told = last(request.responseText);
        if (told.hash) this.here(item, told);
        else this.giveUp(item, told.error?.message ?? this.words.lost.replace("{name}", item.name));
      };
      request.send(body);
    },
    here(item, file) {
      if (this.items.some((each) => each.file?.hash === file.hash)) {
        this.forget(item); // twice the same
        return;
      }
      if (item.image && !file.media.startsWith("image/")) {
        URL.revokeObjectURL(item.image);
        delete item.image;
      }
      if (!item.image && file.media.startsWith("image/")) item.image = "/attachments/" + file.hash;
      item.file = file;
      delete item.request;
      this.keep();
      this.settle();
      this.said = `${item.name}: ${this.note(item)}${this.turned === item.key ? `. ${this.words.undo}` : ""}`;
    },
    giveUp(item, sentence) {
      if (!this.items.includes(item)) return;
      if (item.text !== undefined) insert(this.box, item.text); // a pasted text is never lost
      this.wish = null;
      this.forget(item);
      this.refuse(sentence);
    },
    refuse(sentence) {
      this.$emit("refused", sentence);
    },
    remove(item) {
      const at = this.items.indexOf(item);
      this.forget(item);
      this.$nextTick(() => (this.$el.querySelectorAll(".hr-file-remove")[Math.max(at - 1, 0)] ?? this.box).focus());
    },
    asText(item) {
      insert(this.box, item.text);
      this.forget(item);
      this.box.focus();
    },
    forget(item) {
      item.request?.abort();
      if (item.image?.startsWith("blob:")) URL.revokeObjectURL(item.image);
      this.items = this.items.filter((each) => each.key !== item.key);
      this.keep();
    },
    note(item) {
      if (!item.file) return item.pages ? this.words.reading.replace("{read}", item.read).replace("{pages}", item.pages) : this.words.sending;
      const { size, pages, note } = item.file;
      const about = [sized(size)];
      if (pages) about.push(this.words.pages.replace("{pages}", pages));
      if (note) about.push(this.words.latin);
      return about.join(" · ");
    },

    // For the composer: what may be sent, whether something is still on its way, and what becomes of it.
    files() {
      return this.items.filter((item) => item.file).map((item) => ({ hash: item.file.hash, name: item.name }));
    },
    busy() {
      return this.items.some((item) => !item.file);
    },
    then(wish) {
      this.wish = wish;
    },
    settle() {
      if (this.busy() || !this.wish) return;
      const wish = this.wish;
      this.wish = null;
      wish();
    },
    taken(path) {
      sessionStorage.removeItem("files " + path);
      for (const item of [...this.items]) this.forget(item);
    },
    put(files) {
      for (const file of files) if (!this.items.some((item) => item.file?.hash === file.hash)) this.items.push(known(file));
      this.keep();
    },
    keep() {
      const files = this.items.filter((item) => item.file).map((item) => ({ ...item.file, name: item.name }));
      if (files.length) sessionStorage.setItem("files " + location.pathname, JSON.stringify(files));
      else sessionStorage.removeItem("files " + location.pathname);
      this.tell();
    },
    tell() {
      const dock = this.$el.closest(".hr-composer");
      dock.dataset.attached = this.items.length > 0;
      const characters = this.items.reduce((sum, item) => sum + Math.min(item.file?.characters ?? 0, this.limits.characters), 0);
      dock.dataset.files = characters;
      this.box.dispatchEvent(new Event("weighed"));
    },
  },
};

function known(file) {
  const item = { key: newId(), name: file.name, size: file.size, part: 1, kind: ending(file.name), file };
  if (file.media?.startsWith("image/")) item.image = "/attachments/" + file.hash;
  return item;
}

// A still picture that is larger than models look at anyway. What the browser cannot read goes as it is: the server says what it is.
async function smaller(file, side) {
  if (!RASTER.includes(file.type)) return file;
  try {
    const picture = await createImageBitmap(file);
    const scale = side / Math.max(picture.width, picture.height);
    if (scale >= 1) return file;
    const canvas = Object.assign(document.createElement("canvas"), {
      width: Math.max(1, Math.round(picture.width * scale)),
      height: Math.max(1, Math.round(picture.height * scale)),
    });
    const pen = canvas.getContext("2d");
    pen.imageSmoothingQuality = "high";
    pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    const made = await new Promise((done) => canvas.toBlob(done, file.type, 0.9));
    return made ?? file;
  } catch {
    return file;
  }
}

function last(lines) {
  try {
    return JSON.parse(lines.trim().split("\n").pop());
  } catch {
    return {};
  }
}

// As if it were typed: what was there stays, and can be brought back with Ctrl+Z where the browser allows it.
function insert(box, text) {
  box.focus();
  if (!document.execCommand("insertText", false, text)) {
    box.setRangeText(text, box.selectionStart, box.selectionEnd, "end");
    box.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

function ending(name) {
  const found = /\.([A-Za-z0-9]{1,4})$/.exec(name ?? "");
  return found ? found[1].toUpperCase() : "TXT";
}

function sized(bytes) {
  const lang = document.documentElement.lang || "en";
  if (bytes < 1000) return `${bytes} B`;
  const [value, unit] = bytes < 1e6 ? [bytes / 1e3, "kB"] : [bytes / 1e6, "MB"];
  return `${value.toLocaleString(lang, { maximumFractionDigits: value < 10 ? 1 : 0 })} ${unit}`;
}
