// Where a person writes: what its keys do, and what is kept of a draft. What was written stays until the server has taken it, and its id
// stays with it, over a reload and a lost server, too: sent again it is the same message. Every conversation has its own draft (drafts.js).

const composer = {
  box: () => document.querySelector(".hr-composer .hr-input"),
  attach: () => getElement(Number(document.querySelector(".hr-composer .hr-attach")?.id.slice(1))),

  sent: "", // what was sent last
  next: null, // emit, if what is in the box is to be sent as soon as that was taken

  // Enter sends, Shift+Enter breaks the line, and Enter that ends an IME composition (keyCode 229 in Safari) does neither.
  keydown(event, emit) {
    if (event.isComposing || event.keyCode === 229) return;
    const plain = !event.shiftKey && !event.ctrlKey && !event.altKey && !event.metaKey;
    if (event.key === "ArrowUp" && plain && !event.target.value) {
      const last = [...document.querySelectorAll(".hr-queued-edit, .hr-user [data-action=\"edit\"]")].pop();
      if (last) event.preventDefault();
      last?.click();
    } else if (sends(event)) {
      event.preventDefault();
      composer.send(emit);
    }
  },
  send(emit) {
    const box = composer.box(), attach = composer.attach(), text = box.value;
    composer.next = box.dataset.sent !== undefined && text !== composer.sent ? emit : null;
    if (box.dataset.sent !== undefined || (window.did_handshake && !window.socket.connected)) return;
    if (attach?.busy()) {
      attach.then(() => composer.send(emit)); // as soon as the files are there
      return;
    }
    const files = attach?.files() ?? [];
    if (!text.trim() && !files.length) return;
    if (text.length > Number(box.dataset.most)) {
      emit({ long: text.length });
      return;
    }
    const key = "sent " + location.pathname, sent = JSON.parse(sessionStorage.getItem(key));
    const same = sent?.text === text && JSON.stringify(sent.files ?? []) === JSON.stringify(files);
    const id = same ? sent.id : newId();
    sessionStorage.setItem(key, JSON.stringify({ text, files, id }));
    drafts.keep(location.pathname, text, { text, files, id });
    composer.sent = text;
    box.dataset.sent = location.pathname;
    clearTimeout(composer.waiting);
    composer.waiting = setTimeout(() => delete box.dataset.sent, 5000);
    emit({ text, files, id });
  },
  press() {
    composer.box().dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", ctrlKey: true, cancelable: true }));
    composer.box().focus();
  },
  input() {
    const box = composer.box();
    if (!CSS.supports("field-sizing", "content")) { // else the stylesheet lets it grow, without a layout in between
      box.style.height = "auto";
      box.style.height = box.scrollHeight + "px";
    }
    drafts.keep(location.pathname, box.value);
    composer.weigh();
  },
  restore() {
    const box = composer.box(), path = location.pathname, draft = drafts.own(path);
    box?.addEventListener("weighed", composer.weigh);
    drafts.tidy();
    if (!box || box.value) return;
    if (draft) composer.put(draft);
    else if (draft === null)
      drafts.left(path, ({ text, sent }) => {
        if (box.value || location.pathname !== path) return;
        if (sent) sessionStorage.setItem("sent " + path, JSON.stringify(sent));
        composer.put(text);
        composer.known(composer.ids);
      });
  },
  left() {
    composer.next = null;
    delete composer.box().dataset.sent;
  },
  // What was written meanwhile stays, and is sent if that was wanted.
  taken() {
    const box = composer.box(), path = box.dataset.sent ?? location.pathname, { sent, next } = composer, text = box.value;
    sessionStorage.removeItem("sent " + path);
    drafts.forget(path);
    delete box.dataset.sent;
    composer.sent = ""; // a message that was sent twice, as nobody answered for long, is taken twice, too
    composer.attach()?.taken(path);
    composer.put(text.startsWith(sent) ? text.slice(sent.length).trimStart() : text);
    if (next) composer.send(next);
  },
  // These messages were taken: one of them that is still in the box was sent when its server was lost.
  ids: [],
  known(ids) {
    composer.ids = ids;
    const key = "sent " + location.pathname, sent = JSON.parse(sessionStorage.getItem(key));
    if (!sent || !ids.includes(sent.id)) return;
    sessionStorage.removeItem(key);
    if (composer.box().value === sent.text) {
      composer.attach()?.taken(location.pathname);
      composer.put("");
    }
  },
  put(text) {
    composer.box().value = text;
    composer.box().dispatchEvent(new Event("input"));
  },
  // A message that waited comes back, ahead of what is being written.
  bring(text, files) {
    const box = composer.box();
    composer.put([text, box.value].filter((each) => each.trim()).join("\n\n"));
    composer.attach()?.put(files);
    box.focus();
  },

  // The ring: what the server told of the conversation, and about a token for four characters of what is written here.
  weigh() {
    const gauge = document.querySelector(".hr-gauge"), note = document.querySelector(".hr-gauge-note"), dock = document.querySelector(".hr-composer");
    const limit = Number(gauge?.dataset.limit);
    if (!gauge || !limit) return;
    const written = composer.box().value.length + Number(dock.dataset.files ?? 0);
    const used = Number(gauge.dataset.used) + Math.ceil(written / 4), part = used / limit;
    const number = (value) => value.toLocaleString(document.documentElement.lang || "en");
    const about = used < 100 ? used : Number(used.toPrecision(2));
    const told = gauge.dataset.words.replace("{used}", number(about)).replace("{limit}", number(limit));
    gauge.style.setProperty("--part", Math.min(part, 1));
    gauge.dataset.near = part > 1 ? "over" : part > 0.85 ? "near" : "";
    gauge.title = told;
    gauge.setAttribute("aria-valuetext", told);
    gauge.setAttribute("aria-valuenow", Math.min(100, Math.round(part * 100)));
    const warning = part > 1 ? gauge.dataset.over : part > 0.85 ? gauge.dataset.close : "";
    if (note.textContent !== warning) note.textContent = warning;
  },
};
