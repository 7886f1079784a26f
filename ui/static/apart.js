// What is shown in a frame that has no origin (ui/frames.py): a diagram that was written, and a picture that lies elsewhere. Both only
// when somebody presses for it; what shall be shown is sent to the frame, so that no markup alone can make one of them load anything.

const LARGEST = 20_000; // characters
const PATIENCE = 15_000; // ms

// "Show diagram" on a code block.
function toggleDiagram(button) {
  const box = button.closest(".hr-code"), drawn = box.querySelector(".hr-diagram");
  drawn ? drawn.remove() : drawDiagram(box, box.querySelector("code").textContent);
  button.textContent = spoken(drawn ? "Show diagram" : "Hide diagram");
  button.setAttribute("aria-expanded", !drawn);
}

function drawDiagram(box, text) {
  const place = box.appendChild(Object.assign(document.createElement("div"), { className: "hr-diagram", role: "status" }));
  place.textContent = spoken("Drawing…");
  const sorry = (why) => (place.textContent = `${spoken("This diagram cannot be drawn.")} ${why}`);
  if (text.length > LARGEST) return sorry(spoken("It is too large."));
  showApart(place, "diagram", spoken("Diagram"), { text }, sorry);
}

// "Show the image from ...": the button says from where, and what to say where it does not come.
function showPicture(button) {
  const { url, name, sorry } = button.dataset, place = button.parentElement;
  const shown = place.appendChild(Object.assign(document.createElement("div"), { className: "hr-apart", role: "status" }));
  button.hidden = true;
  showApart(shown, "picture", name, { url, alt: name }, () => ((shown.textContent = sorry), (button.hidden = false)));
}

function showApart(place, kind, title, message, sorry) {
  const frame = Object.assign(document.createElement("iframe"), { title }), dark = document.body.classList.contains("body--dark");
  frame.setAttribute("sandbox", "allow-scripts");
  frame.src = `${window.path_prefix ?? ""}/frames/${kind}.html`;
  const told = ({ source, data }) => {
    if (source !== frame.contentWindow) return;
    if (data.ready) return source.postMessage({ ...message, dark }, "*");
    end();
    if (!(data.width > 0 && data.height > 0)) return sorry(typeof data.problem === "string" ? data.problem : "");
    if (place.firstChild !== frame) place.firstChild.remove();
    if (kind === "picture") frame.style.width = `${data.width}px`;
    frame.style.height = `${Math.min(data.height * Math.min(1, place.clientWidth / data.width), 2000)}px`;
  };
  const end = () => (clearTimeout(waiting), removeEventListener("message", told));
  const waiting = setTimeout(() => (end(), sorry(spoken("It takes too long."))), PATIENCE);
  addEventListener("message", told);
  place.append(frame);
}
