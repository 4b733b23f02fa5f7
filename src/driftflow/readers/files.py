"""Reading migration files: bytes kept exactly, every fault with its place, all faults of a folder told at once."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Self

from driftflow.dialects.excerpt import excerpt, excerpt_at
from driftflow.dialects.source_text import SourceText, Substitution
from driftflow.errors import SourceError, printable
from driftflow.model.migration import Migration
from driftflow.model.record import LocalState, LocalValue, field

BOM = "\ufeff"
SIZE_MAX = 64 * 1024 * 1024
"""A larger file is a dump, not a migration; reading it would only exhaust the memory."""


class SourceFile(LocalValue, frozen=True, kw_only=True, eq=False):
    """One file: its bytes, its text (UTF-8, a byte order mark still in front), and the name to show."""

    shown: str
    data: bytes
    text: str
    line_starts: list[int] = field(default_factory=list)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def start(self) -> int:
        """Where the text begins behind a byte order mark."""
        return 1 if self.text.startswith(BOM) else 0

    def piece(self, start: int | None = None, end: int | None = None) -> SourceText:
        """`text[start:end]`, still knowing its place in the file. Without arguments everything but a byte order mark."""
        begin = self.start if start is None else start
        stop = len(self.text) if end is None else end
        if begin == 0:
            return SourceText(text=self.text[:stop], file=self.shown, original=self.text, line_starts=self.line_starts)
        # What stands before the piece counts as replaced by nothing: positions come out right even in the middle of a line.
        gone = Substitution(start=0, end=begin, text_start=0, text_end=0)
        return SourceText(
            text=self.text[begin:stop],
            file=self.shown,
            original=self.text,
            substitutions=(gone,),
            line_starts=self.line_starts,
        )

    def where(self, offset: int) -> str:
        """Position and excerpt for an offset in `text`."""
        return excerpt_at(SourceText(text=self.text, file=self.shown), offset)


class ReadInPart(ExceptionGroup[SourceError]):
    """What is wrong in a folder, and the migrations that could be read beside it."""

    faults: tuple[SourceError, ...]
    read: tuple[Migration, ...]

    def __new__(cls, folder: str, faults: Sequence[SourceError], read: tuple[Migration, ...]) -> Self:
        group = super().__new__(cls, f"{len(faults)} faults in {folder}", faults)
        group.faults, group.read = tuple(faults), read
        return group

    def __init__(self, folder: str, faults: Sequence[SourceError], read: tuple[Migration, ...]) -> None:
        super().__init__(folder, faults)


class Faults(LocalState):
    """Collects what is wrong in a folder, so that a person sees all of it in one go."""

    found: list[SourceError] = field(default_factory=list)

    @contextmanager
    def collect(self) -> Iterator[None]:
        """Keep a SourceError (or a group of them, or what the operating system refuses) and go on after the block."""
        try:
            yield
        except SourceError as fault:
            self.found.append(fault)
        except OSError as fault:
            self.found.append(unreadable(str(fault.filename or "."), fault))
        except ExceptionGroup as group:
            ours, others = group.split(SourceError)
            if others is not None:
                raise
            self.found.extend(_leaves(ours))

    def settle(self, folder: str, read: Sequence[Migration] = ()) -> None:
        """Raise the one fault as it is, several as one group, none not at all. What was `read` all the same goes along (ReadInPart)."""
        if self.found and read:
            raise ReadInPart(folder, self.found, tuple(read))
        if len(self.found) == 1:
            raise self.found[0]
        if self.found:
            raise ExceptionGroup(f"{len(self.found)} faults in {folder}", self.found)


def _leaves(group: ExceptionGroup[SourceError] | None) -> Iterator[SourceError]:
    for fault in group.exceptions if group is not None else ():
        if isinstance(fault, ExceptionGroup):
            yield from _leaves(fault)
        else:
            yield fault


def shown_path(base: str, relative: str | PurePosixPath) -> str:
    """The path to show: the source's configured path, joined with what is below it."""
    if base in {"", "."}:
        return printable(str(relative))
    return printable(str(PurePosixPath(base.replace(os.sep, "/")) / relative))


def bytes_of(path: Path, shown: str, *, most: int = SIZE_MAX) -> bytes:
    """What is in the file. Raises SourceError (DF-E222): unreadable, more than `most` bytes, or nothing that ends, such as a pipe or a device."""
    try:
        found = path.stat()
        mode = found.st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise SourceError(
                "DF-E222",
                "a migration cannot be read",
                where=shown,
                why="it is a pipe, a socket or a device, and no file",
                hint=f"ls -l {shown}",
            )
        with path.open("rb") as stream:
            data = stream.read(min(found.st_size, most) + 1)
            if len(data) > found.st_size:  # files whose size is not known before, as in /proc
                data += stream.read(most + 1 - len(data))
    except OSError as fault:
        raise unreadable(shown, fault) from fault
    if len(data) > most:
        raise SourceError(
            "DF-E222",
            "the file is too large for a migration",
            where=shown,
            why=f"more than {most} bytes",
            hint="load a dump with the database's own program; then: driftflow sources",
        )
    return data


def read_file(path: Path, shown: str, *, bom: str = "") -> SourceFile:
    """The file, or SourceError: unreadable (DF-E222), not UTF-8 (DF-E223), a NUL inside (DF-E224).

    `bom` says why a byte order mark is refused; empty where the tool accepts one.
    """
    data = bytes_of(path, shown)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise _not_utf8(data, shown, fault) from fault
    file = SourceFile(shown=shown, data=data, text=text)
    if (at := text.find("\0")) >= 0:
        raise SourceError(
            "DF-E224",
            "the file has a NUL character in it",
            where=file.where(at),
            why="servers and parsers end the text there, so the rest would be skipped silently",
            hint="save the file as UTF-8 text (UTF-16 looks like this), or remove the character",
        )
    if bom and file.start:
        raise SourceError(
            "DF-E225",
            "the file starts with a byte order mark",
            where=f"{shown}:1:1",
            why=bom,
            hint="save it as UTF-8 without a byte order mark",
        )
    return file


def unreadable(shown: str, fault: OSError) -> SourceError:
    """The one error for what the operating system refuses, a loop of symbolic links included."""
    return SourceError(
        "DF-E222", "a migration cannot be read", where=shown, why=fault.strerror or str(fault), hint=f"ls -l {shown}"
    )


def _not_utf8(data: bytes, shown: str, fault: UnicodeDecodeError) -> SourceError:
    before = data[: fault.start].decode("utf-8")
    line = before.count("\n") + 1
    column = len(before) - (before.rfind("\n") + 1) + 1
    source_line = data.split(b"\n")[line - 1].decode("utf-8", errors="replace")
    return SourceError(
        "DF-E223",
        "the file is not UTF-8",
        where=excerpt(file=shown, line=line, column=column, source_line=source_line),
        why=f"byte 0x{data[fault.start]:02x} cannot stand there",
        hint=f"iconv -f LATIN1 -t UTF-8 {shown} (with the encoding that it really has)",
    )


class Listing(LocalValue, frozen=True):
    """What is in a folder, without hidden entries: the names in order, and which of them are no plain files (folders, links)."""

    names: list[str]
    others: list[str]

    @classmethod
    def of(cls, folder: Path) -> Listing:
        """Read once, without a question to the system about each file of a folder that has ten thousand of them. Raises OSError."""
        with os.scandir(folder) as entries:
            shown = [entry for entry in entries if entry.name[0] != "."]
        names = [entry.name for entry in shown]
        names.sort()
        return cls(names, [entry.name for entry in shown if not entry.is_file(follow_symlinks=False)])


def list_folder(folder: Path, shown: str, *, ending: str = "") -> list[Path]:
    """What is in the folder, by name, without hidden entries; only names with this `ending`. Raises SourceError (DF-E220) when it is not a
    folder that can be read."""
    return [folder / name for name in _listed(folder, shown).names if name.endswith(ending)]


def list_files(folder: Path, shown: str, *, ending: str) -> list[Path]:
    """Those of them that are no folders."""
    listed = _listed(folder, shown)
    others = frozenset(listed.others)
    paths = [folder / name for name in listed.names if name.endswith(ending)]
    return [path for path in paths if path.name not in others or not path.is_dir()]


def _listed(folder: Path, shown: str) -> Listing:
    try:
        return Listing.of(folder)
    except OSError as fault:
        raise SourceError(
            "DF-E220",
            "the migrations folder cannot be read",
            where=shown or str(folder),
            why=fault.strerror or str(fault),
            hint="set path in [sources.NAME] of driftflow.toml, or run driftflow init",
        ) from fault


def walk_files(folder: Path, shown: str, *, seen: tuple[Path, ...] = ()) -> Iterator[tuple[Path, str]]:
    """Every file below the folder with its path relative to it (with `/`), by name. A loop of symbolic links is a SourceError."""
    entries = list_folder(folder, shown)
    try:
        real = folder.resolve(strict=True)
    except (OSError, RuntimeError) as fault:
        raise unreadable(shown, fault if isinstance(fault, OSError) else OSError(str(fault))) from fault
    if real in seen:
        raise SourceError(
            "DF-E222",
            "the folder contains itself",
            where=shown,
            why="a symbolic link leads back to a folder above it",
            hint=f"find {shown} -type l",
        )
    for entry in entries:
        if entry.is_dir():
            for path, relative in walk_files(entry, f"{shown}/{entry.name}", seen=(*seen, real)):
                yield path, f"{entry.name}/{relative}"
        else:
            yield entry, entry.name


def first_folder(folder: Path, places: Sequence[str]) -> list[Path]:
    """The folder itself, then those well-known places below it that exist."""
    return [folder, *(folder / place for place in places if (folder / place).is_dir())]
