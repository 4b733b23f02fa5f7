"""A pseudo-terminal that runs one command, as a person would see it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

CONTROLLING = (
    "import fcntl, os, signal, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    # Whoever starts the tests in the background of a shell ignores Ctrl-C, and children inherit that.
    " signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
)
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[()][A-Z0-9]|\r")


class Terminal:
    """Runs `driftflow WORDS…` with a terminal on all three ends. Ends the child when the body of its `with` ends, whatever happens."""

    def __init__(self, words: Sequence[str], *, folder: Path, environ: Mapping[str, str] = {}) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 180, 0, 0))
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("DRIFTFLOW_") and name not in {"CI", "NO_COLOR"}
        }
        self._child = subprocess.Popen(
            [sys.executable, "-c", CONTROLLING, "-m", "driftflow", *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            env={**kept, "TERM": "xterm", **environ},
            start_new_session=True,
        )
        os.close(theirs)
        self._raw = ""

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._child.poll() is None:
            self._child.kill()
        self._child.wait(timeout=10)
        os.close(self._ours)

    @property
    def text(self) -> str:
        """What was printed, without colours and cursor movements."""
        return ESCAPES.sub("", self._raw)

    def wait_for(self, pattern: str, *, seconds: float = 60) -> re.Match[str]:
        """Reads until the pattern is there. Fails with what was printed instead."""
        until = time.monotonic() + seconds
        while not (found := re.search(pattern, self.text)):
            assert time.monotonic() < until, f"{pattern!r} did not come within {seconds} s:\n{self.text[-4000:]}"
            assert self._read(), f"the command ended without {pattern!r}:\n{self.text[-4000:]}"
        return found

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def interrupt(self) -> None:
        """Ctrl-C, as the terminal sends it to whatever is in the foreground."""
        self.type("\x03")

    def end(self, *, seconds: float = 60, insisting: bool = False) -> int:
        """The exit code, everything read.

        `insisting` presses Ctrl-C again every five seconds, as a person would: one that comes in the moment before Python begins to wait for a
        line is only noticed with the next key.
        """
        until, patience = time.monotonic() + seconds, time.monotonic() + 5
        while self._read():
            if insisting and time.monotonic() > patience:
                self.interrupt()
                patience += 5
            assert time.monotonic() < until, f"the command did not end within {seconds} s:\n{self.text[-4000:]}"
        return self._child.wait(timeout=10)

    def _read(self) -> bool:
        """False at the end of the output. A pseudo-terminal says EIO when the other side is gone."""
        poll = select.poll()
        poll.register(self._ours, select.POLLIN | select.POLLHUP)
        ready = poll.poll(200)
        if not ready:
            return True
        try:
            data = os.read(self._ours, 65536)
        except OSError:
            return False
        self._raw += data.decode(errors="replace")
        return bool(data)


def run(words: Sequence[str], *, folder: Path, environ: Mapping[str, str] = {}, seconds: float = 60) -> tuple[int, str]:
    """One command from start to end."""
    with Terminal(words, folder=folder, environ=environ) as terminal:
        code = terminal.end(seconds=seconds)
        return code, terminal.text
