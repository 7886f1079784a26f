"""What an exported page looks like: in itself, so that nothing is loaded. Light and dark as the reader's system is."""

STYLE = """
:root {
  color-scheme: light dark; --text: #1f2328; --muted: #646b74; --line: #e4e4e2; --tint: #f1f2f3; --code: #f7f7f6; --accent: #0f766e;
  --bad: #b42318; --bad-tint: #fef3f2; --k: #86198f; --s: #166534; --n: #9a3412; --f: #1d4ed8; --t: #0f6674; --c: #646b74; --d: #b42318;
}
@media (prefers-color-scheme: dark) {
  :root {
    --text: #e7e8ea; --muted: #9aa0a8; --line: #2c2e31; --tint: #242628; --code: #111214; --accent: #2dd4bf; --bad: #fda29b;
    --bad-tint: #2a1715; --k: #d8a0f2; --s: #8fd6a3; --n: #f2b07c; --f: #8fbcf7; --t: #77d3dc; --c: #9aa0a8; --d: #fda29b;
  }
  html { background: #18191b; }
}
html { color: var(--text); font: 16px/1.65 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
body { max-width: 46rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; overflow-wrap: break-word; }
article + article { margin-top: 4rem; padding-top: 2rem; border-top: 1px solid var(--line); }
header h1 { font-size: 1.5rem; line-height: 1.3; margin: 0 0 .3rem; }
header p, .by { color: var(--muted); font-size: .85rem; margin: 0; }
h1, .plain, .question { unicode-bidi: plaintext; }
section { margin-top: 2rem; }
.by { margin-bottom: .35rem; }
.question { padding: .7rem 1.1rem; border-radius: 1rem; background: var(--tint); }
.plain { white-space: pre-wrap; }
section p { margin: 0; }
section > * + *, .prose > * + *, .prose li > * + *, .prose blockquote > * + * { margin-top: .8em; }
details { color: var(--muted); font-size: .9rem; border-left: 2px solid var(--line); padding-left: .9rem; }
summary { cursor: pointer; }
.note { color: var(--muted); font-size: .9rem; }
.bad { padding: .6rem .9rem; border-radius: .6rem; background: var(--bad-tint); color: var(--bad); font-size: .92rem; }
.prose :is(p, ul, ol, h1, h2, h3, h4, h5, h6, blockquote, pre, table) { margin-bottom: 0; }
.prose :is(p, ul, ol, blockquote, pre, table):first-child { margin-top: 0; }
.prose :is(h1, h2, h3, h4, h5, h6) { font-size: 1.05em; margin-top: 1.2em; }
.prose h1 { font-size: 1.35em; }
.prose h2 { font-size: 1.18em; }
.prose blockquote { margin-left: 0; padding-left: 1rem; border-left: 3px solid var(--line); color: var(--muted); }
.prose hr { border: 0; border-top: 1px solid var(--line); }
.prose .hr-task { list-style: none; margin-left: -1.3em; }
a { color: var(--accent); overflow-wrap: anywhere; }
code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .875rem; }
:not(pre) > code { padding: .1em .35em; border-radius: 5px; background: var(--tint); overflow-wrap: anywhere; }
pre { padding: .8rem 1rem; margin: 0; border: 1px solid var(--line); border-radius: .6rem; background: var(--code); overflow-x: auto; }
pre, code { line-height: 1.55; tab-size: 4; }
.hr-code { border: 1px solid var(--line); border-radius: .6rem; background: var(--code); overflow: clip; }
.hr-code-head { padding: .35rem 1rem 0; color: var(--muted); font-size: .75rem; min-height: .4rem; }
.hr-code pre { border: 0; padding-top: .4rem; }
.hr-copy { display: none; }
.k { color: var(--k); } .s { color: var(--s); } .n { color: var(--n); } .f { color: var(--f); } .t { color: var(--t); }
.c { color: var(--c); } .d { color: var(--d); } .i { color: var(--s); }
.hr-plain, .hr-math > .hr-tex { white-space: pre-wrap; }
.hr-table, .hr-math { overflow-x: auto; }
table { border-collapse: collapse; font-size: .94em; }
th, td { padding: .4em 1.2em .4em 0; text-align: start; vertical-align: top; border-bottom: 1px solid var(--line); }
.hr-center { text-align: center; } .hr-right { text-align: right; }
.hr-image { padding: 0 .6em; border: 1px solid var(--line); border-radius: .5rem; font-size: .875em; }
math mtd { padding: .25em .4em; border: 0; }
img { max-width: 100%; height: auto; border-radius: .6rem; }
@media print { body { max-width: none; padding: 0; } section, pre, details { break-inside: avoid-page; } }
"""
