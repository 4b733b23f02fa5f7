"""The same work on several stretches of a sequence at a time, in processes of their own.

For work that is pure and takes seconds: a child is a copy of this process (fork), so nothing is sent to it, and it answers with records.
Whatever goes wrong in a child is not reported by it: its stretch is worked again here, where the fault is seen as it is.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import pairwise
from typing import Generic, TypeVar

from driftflow.model.record import decode_binary, encode_binary

T = TypeVar("T")
R = TypeVar("R")

WORTH_A_PROCESS = 1_000
"""Items below which a second process costs more than it saves: it is a hundredth of a second."""
PROCESSES_MAX = 8


def spread(work: Callable[[Sequence[T]], R], items: Sequence[T], answer: type[R]) -> list[R]:
    """`work` of consecutive stretches of the items, in order. An answer is what `decode_binary` makes of it again."""
    count = min(_processors(), PROCESSES_MAX, len(items) // WORTH_A_PROCESS + 1)
    if count < 2:
        return [work(items)]
    cuts = [len(items) * number // count for number in range(count + 1)]
    stretches = [items[start:end] for start, end in pairwise(cuts)]
    children = [_Child(partial(work, stretch)) for stretch in stretches[1:]]
    try:
        first = work(stretches[0])
        return [first, *(child.answer(answer) for child in children)]
    finally:
        for child in children:
            child.end()


def _processors() -> int:
    """How many may be used; one where a process cannot be copied."""
    if not hasattr(os, "fork") or sys.platform == "darwin":  # its system libraries do not survive it
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Child(Generic[R]):
    def __init__(self, again: Callable[[], R]) -> None:
        self._again = again
        self._reads, writes = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self._process = os.fork()
        if self._process == 0:
            _answer(self._again, writes)
        os.close(writes)

    def answer(self, kind: type[R]) -> R:
        with os.fdopen(self._reads, "rb", closefd=False) as stream:
            data = stream.read()
        status = self._wait()
        if status != 0:
            return self._again()
        return decode_binary(data, kind)

    def _wait(self) -> int:
        process, self._process = self._process, 0
        return os.waitpid(process, 0)[1]

    def end(self) -> None:
        """Nobody wants the answer any more, or has it."""
        os.close(self._reads)
        if self._process:
            with suppress(ProcessLookupError):
                os.kill(self._process, 9)
            self._wait()


def _answer(work: Callable[[], object], writes: int) -> None:
    """In the child: the answer, and nothing else of what this process would do at its end."""
    status = 1
    try:
        with os.fdopen(writes, "wb") as stream:
            stream.write(encode_binary(work()))
        status = 0
    finally:
        os._exit(status)
