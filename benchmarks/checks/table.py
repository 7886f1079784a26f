"""The checks: what each demands, and what runs for it. `{name}` in a command, and variables, are sizes: quick, usual, long."""

from typing import NamedTuple

Sizes = tuple[int, int, int]


class Check(NamedTuple):
    """`demands` is when it is passed. A check whose files are not all there is `not yet`: never green."""

    name: str
    demands: str
    commands: tuple[str, ...] = ()
    sizes: dict[str, Sizes] = {}  # noqa: RUF012
    times: Sizes = (1, 1, 1)  # each command


CHECKS = (
    Check(
        "crash",
        "kill -9 at 100 random moments of 20 streams, and at every statement of a start: nothing shown is lost, doubled or out of order; "
        "every reply has its end when the port answers; integrity_check ok",
        (
            "pytest -s tests/reliability/test_kill.py",
            "pytest tests/generations/test_database.py tests/store/test_migrations.py -k killed",
        ),
        {"HEADRACE_KILLS": (3, 30, 100)},
    ),
    Check(
        "owners",
        "every route as everybody, with every form of credentials, answers what the table of policies says; a route without a policy fails",
        ("pytest tests/api/test_owners.py tests/api/test_policies.py tests/ui/test_login.py",),
    ),
    Check(
        "origins",
        "a page of another origin, in a real browser, calls nothing and reads nothing; strange hosts and origins are refused",
        ("pytest tests/ui/test_attack.py tests/api/test_gate.py",),
    ),
    Check(
        "hostile output",
        "no payload in any place runs, asks the network for anything, or lies over the page",
        ("pytest tests/ui/test_corpus.py tests/ui/test_hostile.py",),
    ),
    Check(
        "honesty",
        "no broken answer is shown as a success, and each gets the code that is documented for it",
        ("pytest tests/faultmatrix/test_upstream.py tests/faults/test_readers.py tests/upstream/test_recordings.py",),
    ),
    Check(
        "fault matrix",
        "at least 85 rows of docs/faultmatrix.md are tried, the others say why not; all invariants hold",
        ("pytest tests/faultmatrix",),
    ),
    Check(
        "stop",
        "at every append of a log, and at 1,000 random moments: one end; the server's connection is closed within 500 ms (p99)",
        ("pytest tests/reliability/test_stop.py", "python -m benchmarks.stop --stops {stops} --within 500"),
        {"stops": (100, 1000, 1000)},
    ),
    Check(
        "walks",
        "2,000 random walks of 50 steps through everything people and programs do, with kills in between: no invariant breaks",
        ("pytest -s tests/reliability/test_model.py tests/reliability/test_model_edges.py",),
        {"HEADRACE_WALKS": (30, 300, 2000), "HEADRACE_STEPS": (30, 50, 50)},
    ),
    Check(
        "resume",
        "1,000 disconnects in 50 generations: every transcript is the log, byte for byte",
        ("pytest -s tests/reliability/test_resume.py",),
        {"HEADRACE_CUTS": (100, 1000, 1000)},
    ),
    Check(
        "SIGTERM",
        "50 open streams and pages, 20 times: the end within 10 s, nothing that was shown is lost",
        ("pytest -s tests/reliability/test_shutdown.py",),
        times=(1, 5, 20),
    ),
    Check(
        "retries",
        "three tries at most, none after the first word, Retry-After in every form",
        ("pytest tests/upstream/test_attempts.py tests/faults/test_readers.py -k 'attempts or ask_again'",),
    ),
    Check(
        "idempotency",
        "the same key twenty times at once, 100 rounds: one generation, one call of the model",
        ("pytest tests/api/test_keys.py -k 'twenty or same_key or gone'",),
        times=(1, 3, 10),
    ),
    Check(
        "canaries",
        "a key that is planted everywhere is in nothing that is written, shown or kept",
        ("pytest tests/test_canaries.py tests/test_logs.py",),
    ),
    Check(
        "page policy",
        "every page has its policy with a fresh nonce; what is injected does not run; nothing of ours is refused by it",
        ("pytest tests/ui/test_attack.py tests/ui/test_corpus.py tests/ui/test_chat_page.py tests/ui/test_access.py",),
    ),
    Check(
        "poison",
        "every conversation opens, whatever stands in it; no step of rendering 20 kB of anything holds the loop for more than 200 ms, "
        "nor takes a reply of 23 kB more than 1.5 s of CPU",
        (
            "pytest tests/ui/test_hostile.py tests/ui/test_prose.py tests/store/test_sqlite.py tests/talks/test_keeping.py",
            "python -m benchmarks.poison --within 200 --total 1.5",
        ),
    ),
    Check(
        "limits",
        "what is too large, too deep, too many or too slow is refused with the right status, and memory stays",
        ("pytest tests/api/test_limits.py tests/api/test_gate.py tests/attachments tests/api/test_getting.py tests/ui/test_sockets.py",),
    ),
    Check(
        "slow clients",
        "who takes nothing is dropped, can come back, and holds nobody else",
        ("pytest tests/api/test_stream.py tests/ui/test_slow.py", "python -m benchmarks.slow --readers {readers}"),
        {"readers": (20, 200, 200)},
    ),
    Check(
        "storage",
        "ENOSPC and EIO at the n-th call of the system, a lock, a file cut at 200 places: no crash, no hang, nothing lost without a word",
        (
            "pytest -s tests/generations/test_faults.py tests/generations/test_database.py tests/reliability/test_storage.py",
            "python -m benchmarks.syscalls --calls {calls} --every {every}",
        ),
        {"HEADRACE_WAL_CUTS": (20, 200, 200), "calls": (60, 100, 200), "every": (30, 5, 1)},
    ),
    Check(
        "revocation",
        "after a logout or the end of a key the page's next event is refused and its streams end",
        ("pytest tests/api/test_login.py tests/ui/test_login.py -k 'logout or revoked or end or socket'",),
        times=(1, 3, 20),
    ),
    Check(
        "codec",
        "any text in any pieces comes back as it was; no input crashes the decoder or makes an event of its own",
        ("pytest tests/wire", "uv run --with atheris python -m benchmarks.fuzz.bytes sse {seconds}"),
        {"seconds": (20, 300, 600)},
    ),
    Check(
        "API fuzz",
        "2,000 made-up requests at every route: no 5xx, no Traceback, and the process lives",
        ("uv run --with schemathesis python -m benchmarks.fuzz.api {cases}",),
        {"cases": (10, 200, 2000)},
    ),
    Check(
        "leaks",
        "20 users, drops and kills of the model server at random: memory grows by less than 1 MB an hour after 20 minutes, "
        "files and streams are as few as before, nothing runs on",
        ("python -m benchmarks.soak --minutes {minutes}",),
        {"minutes": (2, 30, 120)},
    ),
    Check(
        "sleep",
        "a frozen tab, no network, a server started anew under a page: all of the text once, the draft kept, no loop of reloads",
        ("pytest tests/ui/test_outages.py",),
        {"HEADRACE_OUTAGE": (2, 12, 300)},
        times=(1, 5, 1),
    ),
    Check(
        "login",
        "the sixth wrong try waits, cookies have their flags, nothing tells a name that exists from one that does not",
        ("pytest tests/api/test_login.py tests/api/test_oidc.py",),
    ),
    Check(
        "supply",
        "every package by its hash, no code that runs at the start of every Python, rules against markup and processes of text",
        ("pytest tests/test_supply.py tests/test_sources.py",),
    ),
)
