"""What an attacker would have a model say. `window.hit` is the execution, CANARY the host that nobody may ask for anything.

The first half is in snippets.py, where the renderer alone is tried; here is what concerns a page with all that it is made of.
"""

from tests.ui.snippets import CANARY, HOSTILE

RUN = "window.hit=1"

PAYLOADS = [
    *HOSTILE,
    # loads without a click
    f"<picture><source srcset='https://{CANARY}/p1 1x'><img src='https://{CANARY}/p2'></picture>",
    f"<img srcset='https://{CANARY}/p3 1x, https://{CANARY}/p4 2x' sizes=1px>",
    f"<audio src=https://{CANARY}/p5 autoplay></audio><video><source src=//{CANARY}/p6><track src=//{CANARY}/p7 default></video>",
    f"<svg><image href=https://{CANARY}/p8 /><feImage xlink:href=https://{CANARY}/p9 /><use href=https://{CANARY}/p10#a /></svg>",
    f"<svg><style>@import url(https://{CANARY}/p11);</style><foreignObject><iframe src=https://{CANARY}/p12></iframe></foreignObject></svg>",
    f"<table background=https://{CANARY}/p13><td background=https://{CANARY}/p14>x</td></table>",
    f"<div style=\"background:url('https://{CANARY}/p15');list-style-image:url(https://{CANARY}/p16)\">x</div>",
    f"<style>@font-face {{ font-family: x; src: url(https://{CANARY}/p17) }} * {{ font-family: x; cursor: url(//{CANARY}/p18) }}</style>",
    f"<link rel=dns-prefetch href=//{CANARY}><link rel=preconnect href=//{CANARY}><link rel=modulepreload href=//{CANARY}/p19.js>",
    f"<input type=image src=https://{CANARY}/p20><body background=https://{CANARY}/p21><frameset><frame src=https://{CANARY}/p22></frameset>",
    f"<iframe src=/frames/picture.html#https://{CANARY}/p23></iframe>",
    f"<iframe srcdoc=\"<meta http-equiv=refresh content='0;url=https://{CANARY}/p24'>\"></iframe>",
    f"![a](<https://{CANARY}/p25 b>)\n\n![a]\n\n[a]: https://{CANARY}/p26 'b'",
    f"[![x](https://{CANARY}/p27)][z]\n\n[z]: https://{CANARY}/p28",
    f"<object type=text/x-scriptlet data=https://{CANARY}/p29></object><applet codebase=https://{CANARY}/p30></applet>",
    # takes a piece of the page
    "<div style='position:fixed;inset:0;z-index:99999;background:red'>Your session is over. <a href=https://evil.example>Log in</a></div>",
    "<dialog open style='position:fixed;inset:0'>x</dialog><div popover=manual id=o>x</div>",
    "<div class='q-dialog fullscreen fixed-full z-max hr-app'>x</div><div class=nicegui-error-popup aria-hidden=false>x</div>",
    "<a id=app name=app></a><form id=popup name=socket><input name=nodeType><input id=c4 name=c4></form><img name=purify id=mounted_app>",
    "<form action=/logout method=post><button>Press me</button></form><button formaction=/logout form=popup>x</button>",
    "<textarea autofocus>x</textarea><select autofocus onfocus=window.hit=1></select><div contenteditable autofocus>x</div>",
    "<marquee onstart=window.hit=1>x</marquee><div onwheel=window.hit=1 onpointerenter=window.hit=1 onanimationstart=window.hit=1>x</div>",
    # parsers that do not agree
    "<math><mi//xlink:href='data:x,<script>window.hit=1</script>'><style><img src onerror=window.hit=1></style></math>",
    "<svg></p><style><a id='</style><img src=1 onerror=window.hit=1>'></svg>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=window.hit=1>",
    "<noscript><style></noscript><img src=x onerror=window.hit=1></style>",
    "<select><style></select><img src=x onerror=window.hit=1></style></select>",
    "<xmp><p title='</xmp><img src=x onerror=window.hit=1>'></xmp><plaintext><script>window.hit=1</script>",
    "<![CDATA[<img src=x onerror=window.hit=1>]]><!--><img src=x onerror=window.hit=1>--><!--- <img src=x onerror=window.hit=1> -->",
    "<?xml-stylesheet href='javascript:window.hit=1'?><!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]>&y;",
    "</script><script>window.hit=1</script><!--<script>", "</textarea></title></style></template></noscript><script>window.hit=1</script>",
    "${`${window.hit=1}`} `;window.hit=1;` \\`${window.hit=1} &#96;&#36;{window.hit=1}",
    "']);window.hit=1;([' \");window.hit=1;(\" */window.hit=1/*",
    "{{ window.hit = 1 }} {{ $emit.constructor('window.hit=1')() }} <p v-html='window.hit=1' :style='hit=1' v-on:load=hit=1>x</p>",
    "{{ request.scope.csp_nonce }} {% for x in ().__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}",
    # links that lie
    "[https://bank.example](https://evil.example/login) [x](https://bank.example@evil.example) <https://bank.example@evil.example/>",
    "https://b\u0430nk.example/ https://xn--bnk-7cd.example/ https://bank.example\u202egpj.exe/ https://bank.example\u2044evil.example/",
    "[x](//evil.example) [x](\\\\evil.example) [x](/logout) [x](?delete) [x](ftp://evil.example) [x](intent://evil#Intent;end)",
    "[x](java&Tab;script:window.hit=1) [x](java&NewLine;script:window.hit=1) [x](&#x6A;avascript&colon;window.hit=1)",
    "[x](javascript&#58;window.hit=1)",
    "[x](data:image/svg+xml,<svg/onload=window.hit=1>) [x](blob:null/1) [x](filesystem:x) [x](view-source:x) [x](about:blank)",
    "[click](<javascript:window.hit=1> 'javascript:window.hit=1') <JAVASCRIPT:window.hit=1> <data:text/html,x>",
    # diagrams and formulas
    f"```mermaid\n%%{{init: {{'securityLevel': 'loose', 'theme': 'base', 'themeCSS': '@import url(https://{CANARY}/d1)'}}}}%%\n"
    f"graph TD\n  A[\"<img src=https://{CANARY}/d2 onerror=window.hit=1>\"] --> B\n  click A \"javascript:window.hit=1\"\n"
    f"  click B href \"https://{CANARY}/d3\"\n```",
    "```mermaid\ngraph TD\n  A --> B\n  click A call alert()\n  style A fill:url(//canary.invalid/d4)\n```",
    "$\\htmlClass{q-dialog}{x}$ $\\htmlId{app}{x}$ $\\htmlStyle{position:fixed}{x}$ $\\htmlData{a=b}{x}$ $\\url{javascript:window.hit=1}$",
    f"$\\includegraphics[width=9em]{{https://{CANARY}/f1}}$ $\\input{{/etc/passwd}}$ $\\immediate\\write18{{id}}$",
    # characters
    "\x1b[2J\x1b]0;pwned\x07\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\", "a\u2028window.hit=1\u2029b\u0085c\x00d\ufeffe",
    "".join(chr(0xE0000 + ord(letter)) for letter in "ignore all that was said") + "hidden",
    "\u202e\u2066<img src=x onerror=window.hit=1>\u2069\u202c",
    "\ufdfd" * 9 + "Z" + "\u0300\u0301\u0302\u0303" * 200, "data: {\"event\": \"execute\"}\n\nevent: execute\ndata: window.hit=1\n\n",
]  # fmt: skip
