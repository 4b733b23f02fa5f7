"""goose's own splitter, line by line: what goose would send, as places in the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from driftflow.errors import SourceError
from driftflow.model.record import LocalState, LocalValue, field
from driftflow.readers.files import SourceFile

Way = Literal["up", "down"]
_KNOWN = ("UP", "DOWN", "STATEMENTBEGIN", "STATEMENTEND", "NO TRANSACTION", "ENVSUB ON", "ENVSUB OFF")


class Chunk(LocalValue, frozen=True):
    """What goose sends at once: `text[start:end]`. `block` when StatementBegin and StatementEnd stand around it."""

    start: int
    end: int
    block: bool
    end_line: int


class Parsed(LocalState):
    """A file as goose sees it."""

    up: list[Chunk] = field(default_factory=list)
    down: list[Chunk] = field(default_factory=list)
    transaction: bool = True
    substituted: list[tuple[int, int]] = field(default_factory=list)
    """Stretches where ENVSUB is on."""


class _State(LocalState):
    way: Way | None = None
    start: int | None = None
    """Where the piece that is being read begins."""
    block: bool = False
    envsub: int | None = None


def parse(file: SourceFile) -> Parsed:
    """The pieces for both directions. Raises SourceError (DF-E231) where goose refuses the file."""
    parsed, state = Parsed(), _State()
    for number, start, line in _lines(file.text):
        words = _words(line, file, start)
        if words:
            _annotate(words, file, state, parsed, at=start, line_number=number)
        elif state.way is None:
            if line.strip() and not line.lstrip().startswith("--"):
                raise _fault(file, start, "goose: must start with '-- +goose Up' annotation")
        else:
            _take(line, state, parsed, start=start, line_number=number)
    _finish(file, state, parsed)
    return parsed


def ends_statement(line: str) -> bool:
    """Whether goose ends a statement here: the last word before a comment ends with a semicolon."""
    last = ""
    for word in line.split():
        if word.startswith("--"):
            break
        last = word
    return last.endswith(";")


def _lines(text: str) -> Iterator[tuple[int, int, str]]:
    at = 0
    for number, line in enumerate(text.split("\n"), start=1):
        yield number, at, line.removesuffix("\r")
        at += len(line) + 1


def _words(line: str, file: SourceFile, at: int) -> str:
    """`UP`, `STATEMENTBEGIN`, ...; empty for any other line. Every comment that contains `+goose` must be an annotation."""
    if not line.strip().startswith("--") or "+goose" not in line:
        return ""
    if line[0] in " \t":
        raise _fault(file, at, "goose: the annotation contains leading whitespace")
    words = line.replace("--", "").replace("+goose", "", 1).strip().upper()
    if words not in _KNOWN:
        raise _fault(file, at, f"goose: {words!r} is not supported")
    return words


def _annotate(words: str, file: SourceFile, state: _State, parsed: Parsed, *, at: int, line_number: int) -> None:
    match words:
        case "UP":
            if state.way is not None:
                raise _fault(file, at, "goose: duplicate '-- +goose Up' annotations")
            state.way = "up"
        case "DOWN":
            if state.way != "up" or state.block:
                raise _fault(file, at, "goose: '-- +goose Down' must come once, after '-- +goose Up' and outside a statement")
            _refuse_unfinished(file, state, at)
            state.way = "down"
        case "STATEMENTBEGIN":
            if state.way is None or state.block:
                raise _fault(
                    file, at, "goose: '-- +goose StatementBegin' must be defined after '-- +goose Up' or '-- +goose Down'"
                )
            state.block = True
        case "STATEMENTEND":
            if not state.block:
                raise _fault(file, at, "goose: '-- +goose StatementEnd' must be defined after '-- +goose StatementBegin'")
            _close(state, parsed, end=at, line_number=line_number)
            state.block = False
        case "NO TRANSACTION":
            parsed.transaction = False
        case "ENVSUB ON":
            state.envsub = at if state.envsub is None else state.envsub
        case "ENVSUB OFF":
            if state.envsub is not None:
                parsed.substituted.append((state.envsub, at))
            state.envsub = None


def _take(line: str, state: _State, parsed: Parsed, *, start: int, line_number: int) -> None:
    if state.start is None:
        if not line.strip() or line.lstrip().startswith("--"):
            return
        state.start = start
    if not state.block and ends_statement(line):
        _close(state, parsed, end=start + len(line), line_number=line_number)


def _close(state: _State, parsed: Parsed, *, end: int, line_number: int) -> None:
    if state.start is not None and state.way is not None:
        chunks = parsed.up if state.way == "up" else parsed.down
        chunks.append(Chunk(start=state.start, end=end, block=state.block, end_line=line_number))
    state.start = None


def _finish(file: SourceFile, state: _State, parsed: Parsed) -> None:
    if state.way is None:
        raise _fault(file, 0, "goose: failed to parse migration: must start with '-- +goose Up' annotation")
    if state.block:
        raise _fault(file, len(file.text), "goose: missing '-- +goose StatementEnd' annotation")
    _refuse_unfinished(file, state, len(file.text))
    if state.envsub is not None:
        parsed.substituted.append((state.envsub, len(file.text)))


def _refuse_unfinished(file: SourceFile, state: _State, at: int) -> None:
    if state.start is not None:
        raise _fault(file, state.start, "goose: unexpected unfinished SQL query: missing semicolon?")


def _fault(file: SourceFile, at: int, why: str) -> SourceError:
    return SourceError(
        "DF-E231",
        "the annotations of the file are not as goose wants them",
        where=file.where(at),
        why=why,
        hint="see '-- +goose Up', 'Down', 'StatementBegin', 'StatementEnd', 'NO TRANSACTION', each at the start of its line",
    )
