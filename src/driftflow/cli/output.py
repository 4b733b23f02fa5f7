"""Where a command's words go: results to standard output, everything else to standard error, secrets nowhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from driftflow.cli import ReaderGone
from driftflow.config import mask
from driftflow.errors import UsageError
from driftflow.model.record import LocalState, field

if TYPE_CHECKING:
    from driftflow.cli.answers import Recording


def is_terminal(stream: TextIO) -> bool:
    return stream.isatty()


def may_ask() -> bool:
    """Whether a person is there to answer: both ends are a terminal, and nobody said CI."""
    return is_terminal(sys.stdin) and is_terminal(sys.stderr) and not os.environ.get("CI")


def color_wanted(stream: TextIO, *, disabled: bool) -> bool:
    """NO_COLOR and TERM=dumb are obeyed; a pipe gets no colours."""
    return not disabled and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and is_terminal(stream)


class Output(LocalState, kw_only=True):
    """`secrets` grows as they are learned; every word passes through `mask`."""

    format: str = "text"
    quiet: bool = False
    no_color: bool = False
    secrets: list[str] = field(default_factory=list)
    recording: Recording | None = None
    """Who else hears what is said here."""

    @property
    def json(self) -> bool:
        return self.format == "json"

    @property
    def color(self) -> bool:
        return self.format == "text" and color_wanted(sys.stdout, disabled=self.no_color)

    @property
    def width(self) -> int | None:
        """Columns of the terminal that reads the result; None for a pipe, which gets whole lines."""
        if not is_terminal(sys.stdout):
            return None
        import shutil  # which brings every kind of archive along

        return shutil.get_terminal_size().columns

    def result(self, text: str) -> None:
        """What was asked for. Raises ReaderGone when nobody reads it any more."""
        self._write((text.rstrip("\n") + "\n",))

    def _write(self, pieces: Iterable[str]) -> None:
        try:
            for piece in pieces:
                shown = mask(piece, self.secrets)
                sys.stdout.write(shown)
                if self.recording is not None:
                    self.recording.wrote(shown)
            sys.stdout.flush()
        except BrokenPipeError as fault:
            raise ReaderGone from fault

    def record(self, value: object) -> None:
        """The same as JSON. The outermost record says all its fields, the empty ones too: scripts ask for them by name."""
        from driftflow.model.record import document

        self._write(document(value))

    def note(self, text: str) -> None:
        """Beside the result: for a person, not for a pipe."""
        if not self.quiet:
            shown = mask(text, self.secrets)
            print(shown, file=sys.stderr, flush=True)
            if self.recording is not None:
                self.recording.noted(f"{shown}\n")

    def next(self, *commands: str, join: str = "or") -> None:
        """The last lines: what to type now, and what else or (`join="then"`) afterwards. A shell skips what stands behind `#`.

        In text they belong to the result; beside JSON they go to standard error."""
        if self.quiet or not commands:
            return
        wide = max(len("next"), len(join))
        lines = "\n".join(f"{'next' if index == 0 else join:>{wide}}: {command}" for index, command in enumerate(commands))
        if self.format == "text":
            self.result(f"\n{lines}")
        else:
            self.note(lines)


def write_file(path: Path, text: str, *, secrets: Sequence[str] = ()) -> None:
    """The whole file or none of it: written beside, flushed to disk, then renamed over. Raises UsageError."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("w", encoding="utf-8") as handle:
            handle.write(mask(text, secrets) if secrets else text)
            handle.flush()
            os.fsync(handle.fileno())
        beside.replace(path)
    except OSError as fault:
        beside.unlink(missing_ok=True)
        raise UsageError(
            "DF-E106", f"{path} cannot be written", why=fault.strerror or str(fault), hint="name another file with -o"
        ) from fault


def quoted(*words: str | Path) -> str:
    """Words as one would type them in a shell."""
    import shlex

    return shlex.join(str(word) for word in words)
