// Before anything else on a page: text that becomes markup without a policy of its own is cleaned first. No element, no attribute of it
// that could run or load something is left, whoever assigned it. What the server sends to be evaluated comes from our own code only.

const ALLOWED = { ADD_ATTR: ["foo"] }; // by which Vue's compiler reads entities: <div foo="&lt;">

window.trustedTypes?.createPolicy("default", {
  createHTML: (text) => window.purify.sanitize(text, ALLOWED),
  createScript: (text) => text,
  createScriptURL: (url) => (new URL(url, document.baseURI).origin === location.origin ? url : null),
});
