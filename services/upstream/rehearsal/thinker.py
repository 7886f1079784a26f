"""The model that reasons first, and then answers. It knows nothing, and says so."""

from itertools import chain

from services.upstream.rehearsal.script import Question, Script, say, think

QUOTED = 60  # characters of the question that are repeated

OPENINGS = (
    "Let me look at this first.",
    "One step after the other.",
    "What is being asked here?",
)
DOUBTS = (
    "I could make something up that sounds right, but a rehearsal model has read nothing, so it would be worth nothing.",
    "A language model would now search what it has learned; I have learned nothing, so I had better not pretend.",
    "There are several ways to answer, and honesty is the shortest: I have no knowledge to draw on.",
)
PLANS = (
    "So the plan is: say what I am, say what this was good for, and be brief.",
    "So I will keep it short: what I am, and what could be seen here.",
    "That settles it. A short and honest answer, and a pointer to something more useful.",
)
ANSWERS = (
    "I thought about it, which was the point: I am the rehearsal model that shows how **reasoning** looks before an answer. "
    "For a real answer, choose a language model; `guide` tells how to connect one.",
    "What you saw above was **reasoning**, and this is the answer after it. I know nothing myself: I am here so that both can "
    "be looked at and tested. Ask `guide` how to connect a model that does.",
)


def play(question: Question) -> Script:
    random = question.random
    thoughts = " ".join([random.choice(OPENINGS), _measured(question.text), random.choice(DOUBTS), random.choice(PLANS)])
    return Script(chain(think(thoughts), say(random.choice(ANSWERS))), pause=12)


def _measured(text: str) -> str:
    line = " ".join(text.split())
    if not line:
        return "The message is empty, which leaves room for anything and a reason for nothing."
    quoted = line if len(line) <= QUOTED else f"{line[:QUOTED]}…"
    kind = "a question" if line.endswith("?") else "not put as a question, but it wants an answer"
    return f"The message says “{quoted}”. It is {kind}."
