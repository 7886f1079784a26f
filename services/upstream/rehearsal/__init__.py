"""The model server that is not there: what answers before any model server is found, shows what the page can do, and steps for tests.

It speaks the dialects of all vendors as their own servers do, in real bytes, and needs no network, key, GPU or socket. The
same request gets the same bytes.

    server.py       requests in, HTTP answers out: Rehearsal
    tellers/        a script told in a dialect, streamed or whole: one file per dialect
    limits.py       max_tokens and stop strings
    clock.py        when tokens are due; Stepped, the clock of the tests
    script.py       what a model is given (Question) and gives back (Script; Fault; or an Answer in bytes of its own)
    pieces.py       text to tokens
    repertoire.py   all models there are, the recordings among them
    scripted.py     the model that says what a file of [[reply]] tables says
    replay.py       recordings as models; heard.py is what they mean, player.py the hand on the clock

A model is one file with a function `play(question)` and one line in MODELS:

    guide.py        answers about Headrace, from the texts in guide/
    echo.py         says the last message back
    longform.py     as many tokens as asked at the pace asked, in every kind of Markdown; prose.py and blocks.py are its pen
    thinker.py      reasons first, then answers
    scenes.py       plays what its message names: tool calls, errors, refusals, cuts
"""

from services.upstream.rehearsal import echo, guide, longform, scenes, thinker
from services.upstream.rehearsal.script import Model

MODELS: dict[str, Model] = {
    "guide": guide.play,
    "echo": echo.play,
    "longform": longform.play,
    "thinker": thinker.play,
    "scenes": scenes.play,
}
