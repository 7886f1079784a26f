"""A model's text, and only here, becomes HTML. Pure: no NiceGUI, no I/O, no clock but the highlighter's budget.

    Blocks      text in pieces -> a list of HTML strings, one per top-level block, and patches that lead from one list to the next
    parser.py   what Markdown means here, and what each token looks like
    links.py    where a link may lead, bare URLs, images as chips
    code.py     a fence: its box and its colours
    math.py     formulas: where they are, and MathML made of them

Rule 1: the text is hostile. What reaches the page is built from our own tags and attributes; of the text there is only
        escaped text, checked http(s) and mailto addresses, the language of a fence, and MathML from an allow-list.
Rule 2: nothing here raises because of a text. What cannot be rendered is shown as plain text.
"""

from ui.markdown.blocks import Blocks, Patch

__all__ = ["Blocks", "Patch"]
