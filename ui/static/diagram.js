// "Show diagram" on a code block: its source is drawn in a frame that has no origin, may run nothing but /diagrams and load nothing else.

const LARGEST = 20_000; // characters
const PATIENCE = 15_000; // ms

function toggleDiagram(button) {
  const box = button.closest(".hr-code"), drawn = box.querySelector(".hr-diagram");
  drawn ? drawn.remove() : drawDiagram(box, box.querySelector("code").textContent);
  button.textContent = spoken(drawn ? "Show diagram" : "Hide diagram");
  button.setAttribute("aria-expanded", !drawn);
}

function drawDiagram(box, text) {
  const place = box.appendChild(Object.assign(document.createElement("div"), { className: "hr-diagram", role: "status" }));
  place.textContent = spoken("Drawing…");
  if (text.length > LARGEST) return fail(place, spoken("It is too large."));
  const frame = document.createElement("iframe"), dark = document.body.classList.contains("body--dark");
  const from = `${location.origin}${window.path_prefix ?? ""}/diagrams/`;
  frame.setAttribute("sandbox", "allow-scripts");
  frame.title = spoken("Diagram");
  frame.srcdoc = `<!doctype html><meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src ${from}; style-src 'unsafe-inline'; img-src data:; font-src data:">
    <style>body { margin: 0 } svg { display: block; margin: auto; max-width: 100%; height: auto }</style>
    <body><script type="module" src="${from}frame.js"></script>`;
  const told = ({ source, data }) => {
    if (source !== frame.contentWindow) return;
    if (data.ready) return source.postMessage({ text, dark }, "*");
    end();
    if (!(data.width > 0 && data.height > 0)) return fail(place, typeof data.problem === "string" ? data.problem : "");
    place.firstChild.remove();
    frame.style.height = `${Math.min(data.height * Math.min(1, place.clientWidth / data.width), 2000)}px`;
  };
  const end = () => (clearTimeout(waiting), removeEventListener("message", told));
  const waiting = setTimeout(() => (end(), fail(place, spoken("It takes too long."))), PATIENCE);
  addEventListener("message", told);
  place.append(frame);
}

function fail(place, why) {
  place.textContent = `${spoken("This diagram cannot be drawn.")} ${why}`;
}
