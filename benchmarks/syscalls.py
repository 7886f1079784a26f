"""What becomes of Headrace when the n-th call of the system fails, for each n: strace makes it fail, in a real process.

    uv run python -m benchmarks.syscalls [--calls 200] [--every 1]

The disk is full (pwrite64: ENOSPC), reports an error (pwrite64, fdatasync: EIO), for one call and from one call on. Each time the
start says a sentence and exit code 2, or the process serves: every reply has an end, and the next start, without strace, tells the same.
"""

import argparse
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import httpx

from tests.serving import ROOT, served

FAULTS = (
    "pwrite64:error=ENOSPC:when={n}",
    "pwrite64:error=ENOSPC:when={n}+",
    "pwrite64:error=EIO:when={n}",
    "fdatasync:error=EIO:when={n}+",
)
SETTINGS = '[rehearsal]\nspeed = 1000.0\n[storage]\nsynchronous = "full"\n[log]\nlevel = "warning"\n'
QUESTION = {"messages": [{"role": "user", "content": "20 tokens fast"}], "on_disconnect": "keep"}


def tried(folder: Path, fault: str) -> str:
    """How it went, in a word. Raises AssertionError when it went as it must not."""
    (folder / "settings.toml").write_text(SETTINGS)
    call = fault.partition(":")[0]
    strace = ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "--seccomp-bpf", "-e", f"trace={call}", "-e", f"inject={fault}"]
    command = [*strace, sys.executable, str(ROOT / "main.py"), "--server.port", "0"]
    env = {"HEADRACE_SETTINGS": str(folder / "settings.toml"), "PATH": "/usr/bin:/bin"}
    with (folder / "log").open("w+") as log:
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=log, text=True)
        assert process.stdout
        try:
            address = re.search(r"http://\S+", process.stdout.readline())
            if address is None:
                assert process.wait(20) == 2, f"{fault}: exit code {process.returncode}: {(folder / 'log').read_text()[-500:]}"
                assert "Traceback" not in (folder / "log").read_text()
                return "did not start"
            said = [ask(address.group()) for _ in range(3)]
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0, f"{fault}: exit code {process.returncode}"
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
    with served(folder, SETTINGS) as again:
        for id, stream in said:
            if id and b'"code":"storage"' not in stream:
                replayed = httpx.get(f"{again.url}/chat/{id}?after=0", trust_env=False).content
                assert replayed == stream, f"{fault}: {len(replayed)} of {len(stream)} bytes after the restart"
    ends = Counter("refused" if not id else "stopped" if b'"code":"storage"' in stream else "whole" for id, stream in said)
    return "all whole" if ends["whole"] == 3 else "some told it"


def ask(url: str) -> tuple[str, bytes]:
    """Name and stream of a reply; without a name, it was refused with a sentence."""
    answered = httpx.post(f"{url}/chat?model=rehearsal/longform", json=QUESTION, trust_env=False, timeout=20)
    if answered.status_code == 503:
        assert answered.json()["error"]["code"] == "storage"
        return "", b""
    assert answered.status_code == 200, answered.text
    ends = answered.content.count(b"event: end\n") + answered.content.count(b"event: failed\n")
    assert ends == 1, f"{ends} ends"
    return answered.headers["headrace-generation"], b"".join(
        frame + b"\n\n" for frame in answered.content.split(b"\n\n") if frame and not frame.startswith(b":")
    )


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--calls", type=int, default=200, help="the last n")
    asked.add_argument("--every", type=int, default=1, help="from one n to the next")
    wishes = asked.parse_args()
    if not shutil.which("strace"):
        raise SystemExit("strace is not here: apt-get install strace")
    told: Counter[str] = Counter()
    wrong = []
    faults = [fault.format(n=n) for n in range(1, wishes.calls + 1, wishes.every) for fault in FAULTS]
    for fault in faults:
        with tempfile.TemporaryDirectory() as folder:
            try:
                told[tried(Path(folder), fault)] += 1
            except (AssertionError, httpx.HTTPError, subprocess.TimeoutExpired) as exc:
                wrong.append(f"{fault}: {type(exc).__name__} {exc}"[:300])
    for each in wrong:
        print(each)
    print({"tried": len(faults), **told, "went wrong": len(wrong)})
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
