// What is written and not sent, by page: it outlives the tab and the browser. The tab's own copy comes first; another tab is given what
// was left behind, unless a tab that is open still shows it. A plain script, for composer.js.

const DRAFT = "headrace.draft ", DRAFTS = 50, KEPT = 30 * 24 * 3600e3; // so many at most, for so many milliseconds
const ANSWER = 150; // ms in which an open tab says that a draft is its own, where there are no locks: on addresses that are not secure

const drafts = {
  locks: navigator.locks, // a draft that a tab shows is locked by it, however busy or asleep that tab is
  shown: {}, // what unlocks those of this one
  tabs: "BroadcastChannel" in window ? new BroadcastChannel("headrace.drafts") : null,

  // `sent` is the message that it was sent as, as long as nobody said that it was taken.
  keep(path, text, sent) {
    sessionStorage.setItem("draft " + path, text);
    try {
      if (text) localStorage.setItem(DRAFT + path, JSON.stringify({ text, sent, at: Date.now() }));
      else localStorage.removeItem(DRAFT + path);
    } catch {} // full, or a browser that keeps nothing
    if (text) drafts.lock(path);
    else drafts.unlock(path);
  },
  lock(path) {
    if (!drafts.locks || drafts.shown[path]) return;
    const shown = new Promise((unlock) => (drafts.shown[path] = unlock));
    drafts.locks.request(DRAFT + path, { mode: "shared" }, () => shown).catch(() => {});
  },
  unlock(path) {
    drafts.shown[path]?.();
    delete drafts.shown[path];
  },
  forget(path) {
    drafts.unlock(path);
    sessionStorage.removeItem("draft " + path);
    localStorage.removeItem(DRAFT + path);
  },
  // Who logs out leaves nothing behind for who comes next, in no tab.
  forgetAll() {
    drafts.tabs?.postMessage({ out: true });
    Object.keys(localStorage).filter((key) => key.startsWith(DRAFT)).forEach((key) => localStorage.removeItem(key));
    sessionStorage.clear();
  },
  own: (path) => sessionStorage.getItem("draft " + path),

  // Calls `found` with a draft that no tab shows any more, if there is one.
  left(path, found) {
    const kept = drafts.read(DRAFT + path);
    if (!kept?.text) return;
    if (drafts.locks) {
      drafts.locks.query().then(({ held }) => held.some(({ name }) => name === DRAFT + path) || found(kept), () => found(kept));
      return;
    }
    const giveUp = () => clearTimeout(alone);
    const alone = setTimeout(() => found(kept), drafts.tabs ? ANSWER : 0);
    drafts.tabs?.addEventListener("message", (event) => event.data.mine === path && giveUp());
    drafts.tabs?.postMessage({ whose: path });
  },
  read(key) {
    try {
      const kept = JSON.parse(localStorage.getItem(key));
      return typeof kept?.text === "string" && kept.at > Date.now() - KEPT ? kept : null;
    } catch {
      return null;
    }
  },
  tidy() {
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(DRAFT));
    const at = Object.fromEntries(keys.map((key) => [key, drafts.read(key)?.at ?? 0]));
    keys.sort((one, other) => at[other] - at[one]);
    keys.filter((key, place) => place >= DRAFTS || !at[key]).forEach((key) => localStorage.removeItem(key));
  },
};

drafts.tabs?.addEventListener("message", (event) => {
  if (event.data.out) sessionStorage.clear();
  if (event.data.whose === location.pathname && composer.box()?.value) drafts.tabs.postMessage({ mine: location.pathname });
});
