"""One line of a terminal that says what takes long: it comes after two seconds, is written over, and is gone at the end."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from driftflow.cli.output import Output, is_terminal

QUIET_SECONDS = 2.0
WIDTH = 78


@contextmanager
def progress(out: Output) -> Iterator[Callable[[str], None]]:
    """What to call with each thing that begins. Nothing is written where nobody looks."""
    begun, shown = time.monotonic(), False

    def tell(text: str) -> None:
        nonlocal shown
        seconds = time.monotonic() - begun
        if not out.quiet and is_terminal(sys.stderr) and seconds >= QUIET_SECONDS:
            shown = True
            print(f"\r{f'{seconds:3.0f} s  {text}'[:WIDTH]:<{WIDTH}}", end="", file=sys.stderr, flush=True)

    try:
        yield tell
    finally:
        if shown:
            print(f"\r{'':<{WIDTH}}\r", end="", file=sys.stderr, flush=True)
