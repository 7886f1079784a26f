// The thread as it is read, on every page: it stays at its end while it grows, older messages come when one scrolls up to them, and its
// words can be taken along. A plain script: prose.js and actions.js, which are modules, use what it defines.

const NEAR = 600; // px above what is seen, at which older messages are asked for

// `data-pinned` on the container: it stays at its end while it grows, until the user moves up by 3 px, and again when they
// come within 40 px of the end. Only a user moves up: growth does not, and a shrinking thread ends at its end (gap 0).
function followThread(box) {
  if (!box || box.dataset.pinned) return;
  let top = 0;
  const pin = (pinned) => (box.dataset.pinned = pinned);
  const stick = () => box.dataset.pinned === "true" && (top = box.scrollTop = box.scrollHeight - box.clientHeight);
  box.addEventListener("scroll", () => {
    const gap = box.scrollHeight - box.clientHeight - box.scrollTop;
    if (box.scrollTop < top - 2.5 && gap > 2) pin(false);
    else if (box.scrollTop > top && gap <= 40) pin(true);
    if (box.scrollTop > top || gap < 1 || box.dataset.pinned === "false") top = box.scrollTop;
    if (box.dataset.pinned === "false" && box.scrollTop < NEAR) earlier(box.querySelector(".hr-earlier"));
  });
  const up = (event) => event.deltaY < 0 || (["ArrowUp", "PageUp", "Home"].includes(event.key) && !event.target.closest("textarea, input"));
  for (const kind of ["wheel", "keydown"]) box.addEventListener(kind, (event) => box.scrollTop > 0 && up(event) && pin(false), { passive: true });
  const observer = new ResizeObserver(stick);
  for (const part of [box, ...box.children]) observer.observe(part);
  const dock = document.querySelector(".hr-dock"); // above which a line may stand for a while
  if (dock) new ResizeObserver(() => document.documentElement.style.setProperty("--hr-dock", `${dock.offsetHeight}px`)).observe(dock);
  pin(true);
}

// Each page of older messages is asked for once. `data-from` says which is next.
function earlier(button) {
  if (!button || button.dataset.asked === button.dataset.from) return;
  button.dataset.asked = button.dataset.from;
  button.click();
}

// What comes above holds still what is read (overflow-anchor), but not at the very top.
function holdThread(box) {
  box.dataset.pinned = false;
  box.scrollTop = Math.max(box.scrollTop, 1);
}

// Of the answers side by side the one whose tab this is, where there is no room for all.
function showColumn(tab) {
  const tabs = [...tab.parentElement.children];
  for (const each of tabs) each.ariaPressed = each === tab;
  tab.closest(".hr-beside").dataset.shown = tabs.indexOf(tab) + 1;
}

function showMessage(node) {
  const box = document.querySelector(".hr-scroll"), message = box.querySelector(`[data-node="${CSS.escape(node)}"]`);
  if (!message) return;
  box.dataset.pinned = false;
  message.scrollIntoView({ block: "start" });
  message.classList.add("hr-found");
  setTimeout(() => message.classList.remove("hr-found"), 2500);
}

// A text, or the promise of one: Safari lets a click copy what comes later only if it is told at once. Without a secure context (plain
// http in a local network) there is only the old way.
async function copyText(text) {
  if (navigator.clipboard?.write && window.ClipboardItem && typeof text !== "string") {
    const blob = text.then((words) => new Blob([words], { type: "text/plain" }));
    return navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
  }
  text = await text;
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.body.appendChild(Object.assign(document.createElement("textarea"), { value: text }));
  area.select();
  document.execCommand("copy");
  area.remove();
}

// What a message says as one would read it aloud: no marks, no thoughts, no buttons. Laid out once more, where nothing is left undrawn.
function plainText(message) {
  const copy = document.body.appendChild(Object.assign(document.createElement("div"), { className: "hr-plain-copy" }));
  for (const text of message.querySelectorAll(".hr-bubble, .hr-body > .hr-prose")) copy.append(text.cloneNode(true), "\n\n");
  copy.querySelectorAll(".hr-code-head").forEach((head) => head.remove());
  const text = copy.innerText.trim();
  copy.remove();
  return text;
}

// What is selected inside of a message; empty if the selection is elsewhere, or reaches out of it.
function selectedIn(message) {
  const selection = getSelection();
  return selection.rangeCount && message.contains(selection.getRangeAt(0).commonAncestorContainer) ? selection.toString().trim() : "";
}

// Into the composer, after what is written there already.
function writeQuote(text) {
  const box = document.querySelector(".hr-composer .hr-input"), before = box.value.trimEnd();
  box.value = `${before}${before && "\n\n"}${text}\n\n`;
  box.dispatchEvent(new Event("input"));
  box.focus();
  box.setSelectionRange(box.value.length, box.value.length);
  box.scrollTop = box.scrollHeight;
}

// Ctrl+Shift+C copies the last reply, Ctrl+Shift+; its last code block.
document.addEventListener("keydown", (e) => {
  if (!(e.ctrlKey || e.metaKey) || !e.shiftKey || e.isComposing || e.defaultPrevented) return;
  const last = [...document.querySelectorAll('[data-role="assistant"]')].at(-1);
  const code = e.code === "Semicolon" || e.key === ";" || e.key === ":";
  const button = code ? [...(last?.querySelectorAll(".hr-copy") ?? [])].at(-1) : e.code === "KeyC" && last?.querySelector('[data-action="copy"]');
  if (!button) return;
  e.preventDefault();
  button.click();
});
