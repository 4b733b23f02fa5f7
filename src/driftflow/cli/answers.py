"""Answers of `lint` that are known already: the same command line over the same files says the same again, without reading them.

What decides about an answer is looked at each time: the words and the environment, driftflow's own files and what else is installed, the
configuration, and for every file below the folders that were read its name, size, inode and times (as git tells whether a file has changed).
Only answers that took a while are kept, and the last few of them. Nothing but the standard library is imported here, and of it only what every lint needs:
this comes before everything.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

from driftflow.config_file import find_file

WORTH_KEEPING_SECONDS = 1.0
KEPT_MAX = 8
BYTES_MAX = 256 * 1024 * 1024
SETTLED_NS = 2_000_000_000
"""A file that changed this shortly before may change again without another time stamp: such an answer is not kept."""
ABANDONED_SECONDS = 600
"""A text without a head may be another process's, which has not finished."""
_ENVIRONMENT = ("NO_COLOR", "FORCE_COLOR", "TERM", "COLUMNS", "LANG", "LC_ALL", "LC_CTYPE", "PYTHONIOENCODING", "PYTHONUTF8")


asked: Sequence[str] | None = None
"""The command line, where it is that of this process."""


class Unknowable(Exception):
    """What decides about the answer cannot be told by looking at files."""


def known(words: Sequence[str]) -> int | None:
    """Write the answer and return its exit code; None where there is none, or no longer."""
    if list(words[:1]) != ["lint"] or "--no-cache" in words or not _wanted() or not _folder().is_dir():
        return None
    answer = None
    with suppress(OSError, ValueError, KeyError, Unknowable):
        answer = _find(words)
    if answer is None:
        return None
    head, stream = answer
    with stream:  # nothing is read anew from here on: a part of the answer may be out
        _copy(stream, head["bytes"])
    print(head["notes"], end="", file=sys.stderr, flush=True)
    code: int = head["code"]
    return code


def _find(words: Sequence[str]) -> tuple[dict[str, Any], IO[bytes]] | None:
    """The head of the answer and its text, where it still holds."""
    import json

    kept = _folder() / f"{key(words)}.json"
    head: dict[str, Any] = json.loads(kept.read_bytes())
    if head["config"] != _config(words) or head["files"] != _signature(head["trees"], head["named"]):
        return None
    text = kept.parent / head["text"]
    if text.stat().st_size != head["bytes"]:
        return None
    for file in (kept, text):
        os.utime(file)  # asked for last, and so the last to go
    return head, text.open("rb")


class Recording:
    """An answer as it is given, to be kept when all of it is out. It goes to a file at once: it may have many megabytes."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words
        self._begun = time.monotonic()
        self._clock_ns = time.time_ns()
        self._notes: list[str] = []
        self._name = _folder() / f"{os.getpid()}-{self._clock_ns}.text"
        self._text: IO[bytes] | None = None
        self._undecided = True

    def wrote(self, text: str) -> None:
        """The first piece decides: of an answer that is not kept from its beginning nothing is."""
        try:
            if self._undecided:
                self._undecided = False
                if time.monotonic() - self._begun >= WORTH_KEEPING_SECONDS and _wanted():
                    self._name.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                    self._text = _created(self._name)
            if self._text is not None:
                self._text.write(text.encode(errors="backslashreplace"))
        except OSError:
            self.drop()

    def noted(self, text: str) -> None:
        self._notes.append(text)

    def keep(self, code: int, *, trees: Iterable[Path], named: Iterable[Path] = ()) -> None:
        """`trees` are the folders of which any file may have counted, `named` the single files. Where it cannot be kept, nothing happens."""
        if self._text is None:
            return
        with suppress(OSError, Unknowable):
            self._text.close()
            roots, single = sorted(map(str, trees)), sorted(map(str, named))
            head = {
                "config": _config(self._words),
                "files": _signature(roots, single, before_ns=self._clock_ns - SETTLED_NS),
                "trees": roots,
                "named": single,
                "text": self._name.name,
                "bytes": self._name.stat().st_size,
                "notes": "".join(self._notes),
                "code": code,
            }
            import json

            beside = self._name.with_suffix(".part")
            with _created(beside) as stream:
                stream.write(json.dumps(head).encode())
            beside.replace(self._name.parent / f"{key(self._words)}.json")
            self._text = None
            _make_room(self._name.parent)
        self.drop()

    def drop(self) -> None:
        """Forget it."""
        text, self._text = self._text, None
        if text is not None:
            with suppress(OSError):
                text.close()
            self._name.unlink(missing_ok=True)


def _created(name: Path) -> IO[bytes]:
    """A new file, for its owner alone."""
    return os.fdopen(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def key(words: Sequence[str]) -> str:
    """What names the answer: everything that decides about it but the files that were read."""
    stream = sys.stdout.isatty()
    columns = 0
    if stream:
        import shutil

        columns = shutil.get_terminal_size().columns
    said = (
        [str(word) for word in words],
        str(Path.cwd()),
        sorted((name, value) for name, value in os.environ.items() if name.startswith("DRIFTFLOW_") or name in _ENVIRONMENT),
        (stream, sys.stdout.encoding, columns),
        datetime.now(UTC).date().isoformat(),
        sys.version,
        _program(),
    )
    return hashlib.sha256(repr(said).encode(errors="surrogateescape")).hexdigest()


def _program() -> str:
    """Our own files, and the names (with versions) of what is installed."""
    found = hashlib.sha256()
    for line in _entries(str(Path(__file__).parents[1])):
        found.update(line)
    for place in sys.path:
        with suppress(OSError), os.scandir(place) as entries:
            for name in sorted(entry.name for entry in entries if entry.name.endswith((".dist-info", ".egg-info"))):
                found.update(name.encode(errors="surrogateescape"))
    return found.hexdigest()


def _config(words: Sequence[str]) -> list[str]:
    """The configuration file with what tells that it changed; where there is none, that there is none."""
    given = [after for word, after in pairwise(words) if word == "--config"]
    given += [word.partition("=")[2] for word in words if word.startswith("--config=")]
    found = Path(given[-1]) if given else find_file(Path.cwd())
    return [str(found), _stamp(found.stat())] if found is not None else []


def _signature(trees: Sequence[str], named: Sequence[str], *, before_ns: int | None = None) -> str:
    """Of every file below the trees, and the single ones. Raises Unknowable where one is newer than `before_ns`."""
    found = hashlib.sha256()
    for tree in trees:
        found.update(f"{tree}\0".encode(errors="surrogateescape"))
        for line in _entries(tree, before_ns=before_ns):
            found.update(line)
    for name in named:
        found.update(f"{name}\0{_stamp(Path(name).stat(), before_ns)}\0".encode(errors="surrogateescape"))
    return found.hexdigest()


def _entries(folder: str, *, before_ns: int | None = None) -> Iterator[bytes]:
    """A line for every file below the folder, in order; of Python's own compiled files none."""
    inner: list[str] = []
    lines: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                if entry.is_symlink():
                    raise Unknowable
                if entry.name != "__pycache__":
                    inner.append(entry.path)
            else:
                lines.append(f"{entry.name}\0{_stamp(entry.stat(), before_ns)}\n")
    lines.sort()
    yield f"{folder}\0{''.join(lines)}\0".encode(errors="surrogateescape")
    for one in sorted(inner):
        yield from _entries(one, before_ns=before_ns)


def _stamp(found: os.stat_result, before_ns: int | None = None) -> str:
    if before_ns is not None and max(found.st_mtime_ns, found.st_ctime_ns) > before_ns:
        raise Unknowable
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}"


def _wanted() -> bool:
    return os.environ.get("DRIFTFLOW_CACHE", "") != "off"


def _folder() -> Path:
    """`$DRIFTFLOW_CACHE`, else the user's folder for such things."""
    given = os.environ.get("DRIFTFLOW_CACHE")
    base = Path(given) if given else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "driftflow"
    return base / "lint"


def _make_room(folder: Path) -> None:
    """The answers that were asked for last stay."""
    import json

    room = BYTES_MAX
    kept: set[str] = set()
    files = sorted(((one.stat().st_mtime, one) for one in folder.iterdir()), reverse=True)
    for number, head in enumerate(one for _, one in files if one.suffix == ".json"):
        said = json.loads(head.read_bytes())
        room -= said["bytes"]
        if room < 0 or number >= KEPT_MAX:
            head.unlink(missing_ok=True)
        else:
            kept.add(said["text"])
    for moment, text in files:
        if text.suffix != ".json" and text.name not in kept and moment < time.time() - ABANDONED_SECONDS:
            text.unlink(missing_ok=True)


def _copy(stream: IO[bytes], count: int) -> None:
    """The file to standard output; by the system itself where it can."""
    sys.stdout.flush()
    sent = 0
    try:
        while sent < count and (more := os.sendfile(sys.stdout.fileno(), stream.fileno(), sent, count - sent)):
            sent += more
    except BrokenPipeError:
        return
    except (OSError, AttributeError):
        stream.seek(sent)
        sys.stdout.write(stream.read().decode())
        sys.stdout.flush()
