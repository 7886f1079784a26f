// Inside of a frame without an origin, which may load nothing but its own folder: draws the diagrams that it is sent, or says why not.
import { mermaid } from "./mermaid/index.js";

addEventListener("message", async ({ source, data }) => {
  if (source !== parent) return;
  document.documentElement.style.colorScheme = data.dark ? "dark" : "light";
  mermaid.initialize({ startOnLoad: false, securityLevel: "strict", theme: data.dark ? "dark" : "neutral", maxEdges: 500 });
  try {
    const { svg } = await mermaid.render("diagram", data.text);
    document.body.innerHTML = svg;
    const { width, height } = document.querySelector("svg").viewBox.baseVal;
    parent.postMessage({ width, height }, "*");
  } catch (error) {
    parent.postMessage({ problem: String(error?.message ?? error).slice(0, 300) }, "*");
  }
});
parent.postMessage({ ready: true }, "*");
