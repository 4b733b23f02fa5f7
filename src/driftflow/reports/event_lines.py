"""Events as JSON lines: one event a line, flushed at once, for whatever reads along."""

from __future__ import annotations

from typing import TextIO

from driftflow.model.event import AnyEvent
from driftflow.model.record import encode


class EventLines:
    """Writes every event. A stream that breaks is told once and left alone: a run does not fail for its log."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.broken = ""

    def __call__(self, event: AnyEvent) -> None:
        if self.broken:
            return
        try:
            self._stream.write(encode(event).decode() + "\n")
            self._stream.flush()
        except (OSError, ValueError) as fault:
            self.broken = str(fault)

    def problems(self) -> tuple[str, ...]:
        return (f"the events could not be written: {self.broken}",) if self.broken else ()
