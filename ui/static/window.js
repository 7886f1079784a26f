// What concerns the whole window: its keys, its connection, a server that has changed. Loaded before the page; makes no HTML.

// A text in the language of the page (ui/language.py).
function spoken(text) {
  return window.TEXTS?.[text] ?? text;
}

// Of a message; crypto.randomUUID is for https alone.
function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Each script that the server sends is a task of its own, in their order: what came meanwhile would else be done in one with it, and a slow
// browser could not answer its user in between. A message to oneself waits for nothing, as a timer would.
document.addEventListener("DOMContentLoaded", () => {
  const run = window.runJavascript;
  window.runJavascript = async (...script) => {
    const { port1, port2 } = new MessageChannel();
    await new Promise((next) => ((port1.onmessage = next), port2.postMessage(0)));
    port1.close();
    run(...script);
  };
});

// On a phone the sidebar lies over the page, which cannot be reached meanwhile.
function toggleSidebar() {
  const app = document.querySelector(".hr-app");
  if (!app) return;
  const over = app.classList.toggle("hr-side-toggled") && innerWidth < 768;
  document.querySelector(".hr-main").inert = over;
  document.querySelector(over ? ".hr-side .hr-icon" : ".hr-composer .hr-input")?.focus();
}

// How the page is liked (services/wishes.py): the stylesheet goes by these, and the composer.
function wear(wishes) {
  const { language = wishes.language } = document.documentElement.dataset; // in which the page was written
  document.querySelector(".hr-translated")?.toggleAttribute("hidden", language === wishes.language);
  Object.assign(document.documentElement.dataset, wishes, { language });
  window.Quasar?.Dark.set(wishes.look === "system" ? "auto" : wishes.look === "dark");
}

// What is drawn anew takes the focus along: it goes back to what has the same name in the same place.
let named = "";
document.addEventListener("focusin", (e) => (named = e.target.ariaLabel ?? ""));

function refocus(place, name = named) {
  const now = document.activeElement; // Quasar gives a button's focus to a piece of it that no key presses
  if (now !== document.body && now?.checkVisibility() && !now.matches(".q-focus-helper")) return;
  [...document.querySelectorAll(`${place} [aria-label]`)].find((one) => one.ariaLabel === name)?.focus();
}

// An address of this server; `apart`: in a tab of its own.
function goTo(address, apart) {
  const whole = (window.path_prefix ?? "") + address;
  apart ? window.open(whole, "_blank", "noopener") : location.assign(whole);
}

// The chat that is shown, if nothing was said in it yet. The browser goes by itself: who types on at once does not write in the old one.
function newChat(event) {
  const apart = event?.ctrlKey || event?.metaKey, box = document.querySelector(".hr-composer .hr-input");
  const empty = box && box.dataset.sent === undefined && location.pathname === (window.path_prefix ?? "") + "/";
  if (!empty || apart) return goTo(document.querySelector(".hr-new")?.dataset.to ?? "/", apart);
  if (document.querySelector(".hr-main").inert) toggleSidebar();
  box.focus();
}

// From the settings to where one came from.
function goBack() {
  document.referrer.startsWith(location.origin) && history.length > 1 && !location.hash ? history.back() : goTo("/");
}

// A key that sends what is written, here as in the composer: Enter, or only Ctrl+Enter where Enter breaks the line.
function sends(e) {
  return e.key === "Enter" && !e.shiftKey && (e.ctrlKey || e.metaKey || document.documentElement.dataset.enter !== "breaks");
}

const MAC = /Mac|iP(hone|ad)/.test(navigator.platform);

function showKeys() {
  const dialog = document.querySelector("dialog.hr-keys");
  if (!dialog || dialog.open) return dialog?.close();
  if (MAC) for (const key of dialog.querySelectorAll("kbd[data-ctrl]")) key.textContent = "⌘";
  dialog.showModal();
}

// Keys that work wherever the focus is. None that a browser needs is taken.
document.addEventListener("keydown", (e) => {
  if (e.isComposing || e.keyCode === 229 || e.defaultPrevented || document.querySelector(".q-menu")) return;
  const ctrl = e.ctrlKey || e.metaKey, key = e.key.toLowerCase();
  const one = (name) => document.querySelector(name);
  const press = (button) => { e.preventDefault(); button?.click(); };
  if (ctrl && (key === "/" || key === "?")) { e.preventDefault(); showKeys(); return; }
  if (one("dialog[open], .q-dialog")) return;
  const box = one(".hr-composer .hr-input");
  if (key === "escape" && e.shiftKey) { e.preventDefault(); box?.focus(); }
  else if (key === "escape" && one(".hr-main")?.inert) toggleSidebar();
  else if (key === "escape" && one(".hr-composer.hr-running")) press(one(".hr-stop"));
  else if (ctrl && e.shiftKey && key === "o") { e.preventDefault(); newChat(); }
  else if (ctrl && !e.shiftKey && key === "k") press(one(".hr-search"));
  else if (ctrl && !e.shiftKey && !e.altKey && key === "b") { e.preventDefault(); toggleSidebar(); }
});

// The connection. After a server that restarted, the page is one that it does not know: it is loaded anew, unless something that was
// typed would be lost by that; the draft of a message is not (composer.py). Where that did not help, as in a browser so slow that the
// server forgets a page before it is there, it is tried again, but not at once. The framework would reload whatever was typed, and
// when a server answers too late, too, which ends at the browser's own page of errors.
const SETTLED = 10_000; // ms; a page that was loaded anew by itself has to be connected for this long before it may be so at once
const AGAIN = 30_000; // ms until it is tried again

function typed() {
  const boxes = document.querySelectorAll("textarea, input:not([type=hidden], [type=search], [type=checkbox], [type=radio], [type=file])");
  return [...boxes].some((box) => !box.matches(".hr-composer .hr-input") && box.checkVisibility() && box.value !== box.defaultValue);
}

function outdated() {
  if (typed() || sessionStorage.getItem("reloaded")) {
    document.getElementById("popup").ariaHidden = true;
    document.querySelector(".hr-outdated:not(.hr-translated)")?.removeAttribute("hidden");
    setTimeout(loadAgain, AGAIN);
    return;
  }
  sessionStorage.setItem("reloaded", "yes");
  location.reload();
}

async function loadAgain() {
  const there = !typed() && (await fetch("/api/version", { method: "HEAD" }).catch(() => null));
  there ? location.reload() : setTimeout(loadAgain, AGAIN);
}

// A socket is refused without a word why. The draft of a message is kept by the browser meanwhile.
async function leaveIfLoggedOut() {
  const answer = await fetch("/api/version", { method: "HEAD" }).catch(() => null);
  if (answer?.status === 401) location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}

// The framework's socket waits longer and longer between two attempts. The browser knows better when there is a network again.
function connectNow() {
  const socket = window.socket;
  if (!socket || socket.connected || document.hidden || !navigator.onLine || !document.querySelector(".hr-outdated:not(.hr-translated)[hidden]")) return;
  socket.io.opts.query.next_message_id = window.nextMessageId;
  socket.disconnect().connect();
}

addEventListener("online", connectNow);
document.addEventListener("visibilitychange", connectNow);

document.addEventListener("DOMContentLoaded", () => {
  const waiting = setInterval(() => {
    if (!window.socket) return;
    clearInterval(waiting);
    let settling;
    const settle = () => (settling = setTimeout(() => sessionStorage.removeItem("reloaded"), SETTLED));
    socket.on("connect", settle).on("disconnect", (reason) => {
      clearTimeout(settling);
      if (reason === "io server disconnect") leaveIfLoggedOut().then(() => socket.connect()); // which it does not by itself then
    });
    if (socket.connected) settle();
    socket.off("connect_error").on("connect_error", (error) => {
      if (error.message === "Implicit handshake failed") outdated();
      else if (error.message === "timeout") socket.io.opts.transports = ["polling", "websocket"]; // a proxy may swallow websockets
      else leaveIfLoggedOut();
    });
  }, 50);
});
