"""`NAME.driftflow.toml` beside a migration: what its directives would say, for teams whose tool writes the SQL anew or allows no comments in it.

    [[statement]]
    on = { operation = "add-column", table = "orders", column = "tenant_id" }
    backfill = { column = "tenant_id", set = "(SELECT u.tenant_id FROM users u WHERE u.id = orders.user_id)" }

An entry becomes the directives that stand above the statement that it names (`bound_requests`), with their place in this file. docs/directives.md
describes the form.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path, PurePosixPath
from typing import Any

from driftflow.config import nearest
from driftflow.dialects.directives import FILE_VERB
from driftflow.errors import SourceError
from driftflow.model.migration import Directive, Migration
from driftflow.model.names import Span
from driftflow.model.record import Record
from driftflow.patterns import lazy_regex
from driftflow.readers.files import Faults, list_folder, read_file
from driftflow.readers.toml_places import Places

SUFFIX = ".driftflow.toml"
BYTES_MAX = 1024 * 1024
TABLES = ("file", "statement")
ON = ("number", "operation", "table", "column", "constraint", "index", "name")
"""What an entry may say of the statement that it is about."""
FILE_KEYS = ("ignore", "transaction")
WORDS: Mapping[str, str] = {"ignore": "codes"}
"""What the words of a directive that are no options are called in a table; `words` where nothing is said here."""
_WHERE_IN = lazy_regex(r"\(at (?:line (\d+), column (\d+)|end of document)\)")
_HINT = "the form is described in docs/directives.md"


class Entry(Record, frozen=True, kw_only=True):
    """One `[[statement]]`: which statement it is about, and what it says of it."""

    on: Mapping[str, str]
    directives: tuple[Directive, ...]
    span: Span


class Requests(Record, frozen=True, kw_only=True):
    """One file of requests."""

    path: str
    """As it is shown: relative to the project, beside the migration's."""
    sha256: str
    entries: tuple[Entry, ...] = ()
    directives: tuple[Directive, ...] = ()
    """Those of `[file]`."""

    @property
    def transaction(self) -> tuple[str, Span] | None:
        """The mode that `[file] transaction` gives, and where."""
        return next(((one.options["transaction"], one.span) for one in self.directives if "transaction" in one.options), None)


def requests_path(migration_path: str) -> str:
    """Where the requests of a migration stand: `db/12_x.up.sql` has them in `db/12_x.driftflow.toml`."""
    path = PurePosixPath(migration_path)
    stem = path.name.removesuffix(".sql")
    return (path.parent / f"{stem.removesuffix('.up')}{SUFFIX}").as_posix()


def requests_of(migrations: Sequence[Migration], *, folder: Path, shown: str, root: Path, faults: Faults) -> dict[str, Requests]:
    """The requests beside these migrations, by the migration's path. What is wrong with a file goes to `faults`.

    A file of requests in one of the migrations' folders that is beside no migration is a fault too (DF-E751), unless migrations of the
    source could not be read, or one file was asked for instead of a folder.
    """
    parents = [PurePosixPath(path).parent for path in {one.path.rpartition("/")[0]: one.path for one in migrations}.values()]
    folders = {str(parent): root / parent for parent in parents}
    expected: dict[str, str] = {}  # made where a folder has such a file at all
    complete = folder.is_dir() and not faults.found
    if complete:
        folders.setdefault(str(PurePosixPath(shown)), folder)
    found: dict[str, Requests] = {}
    for name, place in sorted(folders.items()):
        for path in _files_of_requests(place, name, migrations if folder.is_file() else ()):
            expected = expected or {requests_path(one.path): one.path for one in migrations}
            relative = (PurePosixPath(name) / path.name).as_posix()
            with faults.collect():
                if relative in expected:
                    found[expected[relative]] = read_requests(path, relative)
                elif complete:
                    raise _beside_nothing(relative, expected)
    return found


def _files_of_requests(place: Path, shown: str, alone: Sequence[Migration]) -> list[Path]:
    """Those in the folder; of migrations that were asked for `alone` only theirs, without a look at ten thousand neighbours."""
    if not place.is_dir():
        return []
    if alone:
        wanted = dict.fromkeys(place / PurePosixPath(requests_path(one.path)).name for one in alone)
        return [path for path in wanted if os.path.lexists(path)]
    return list_folder(place, shown, ending=SUFFIX)


def read_requests(path: Path, shown: str) -> Requests:
    """The file. Raises SourceError (DF-E750 where it is no TOML, DF-E752 for a key or a value that it has not, DF-E222 to DF-E224 as of any source)."""
    file = read_file(path, shown)
    if len(file.data) > BYTES_MAX:
        raise _unreadable(shown, f"it is larger than {BYTES_MAX:,} bytes")
    text = file.piece().text
    import tomllib

    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as fault:
        place = _WHERE_IN.search(str(fault))
        where = Places(text, shown).excerpt(int(place[1]), int(place[2])) if place and place[1] else shown
        raise _unreadable(where, "it nests too deep" if isinstance(fault, RecursionError) else str(fault)) from fault
    return _Reading(Places(text, shown)).requests(document, sha256=hashlib.sha256(file.data).hexdigest())


class _Reading:
    """One reading of a file whose TOML is valid."""

    def __init__(self, places: Places) -> None:
        self.places = places

    def requests(self, document: Mapping[str, Any], *, sha256: str) -> Requests:
        self._known(document, TABLES, ())
        entries = document.get("statement", [])
        if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
            raise self._wrong(("statement",), "`statement` is no list of tables", "write [[statement]] above each entry")
        file = document.get("file", {})
        if not isinstance(file, dict):
            raise self._wrong(("file",), "`file` is no table", "write [file] on a line of its own")
        return Requests(
            path=self.places.file,
            sha256=sha256,
            entries=tuple(self._entry(one, index) for index, one in enumerate(entries)),
            directives=tuple(self._of_file(file)),
        )

    def _entry(self, entry: Mapping[str, Any], index: int) -> Entry:
        at = ("statement", index)
        on = entry.get("on")
        if not isinstance(on, dict) or not on:
            raise self._wrong(
                (*at, "on"), "an entry does not say which statement it is about", 'on = { number = 2 }, or on = { operation = "drop-column", ... }'
            )  # fmt: skip
        self._known(on, ON, (*at, "on"))
        verbs = [key for key in entry if key != "on"]
        if not verbs:
            raise self._wrong(at, "an entry asks for nothing", "write a directive below it, or remove it")
        return Entry(
            on={key: self._reference(key, value, (*at, "on", key)) for key, value in on.items()},
            directives=tuple(one for verb in verbs for one in self._directives(verb, entry[verb], (*at, verb))),
            span=self.places.span(at),
        )

    def _reference(self, key: str, value: Any, at: tuple[str | int, ...]) -> str:
        if key == "number":
            if isinstance(value, int) and not isinstance(value, bool) and value > 0:
                return str(value)
            raise self._wrong(at, "`number` is no number of a statement", "the first statement of the file is number = 1")
        if isinstance(value, str) and value:
            return value
        raise self._wrong(at, f"`{key}` is no name", f'{key} = "name"')

    def _of_file(self, table: Mapping[str, Any]) -> Iterator[Directive]:
        self._known(table, FILE_KEYS, ("file",))
        for key, value in table.items():
            at = ("file", key)
            if key == "transaction":
                options = {key: self._text(value, at)}
                yield Directive(verb=FILE_VERB, options=options, span=self.places.span(at))
                continue
            for one in self._directives(key, value, at):
                yield Directive(verb=FILE_VERB, arguments=(key, *one.arguments), options=one.options, span=one.span)

    def _directives(self, verb: str, value: Any, at: tuple[str | int, ...]) -> Iterator[Directive]:
        """`true` is the verb alone; text or a list of texts are its words; a table holds its options; a list of tables says it several times."""
        if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
            for index, one in enumerate(value):
                yield self._directive(verb, one, (*at, index))
        elif isinstance(value, dict):
            yield self._directive(verb, value, at)
        elif value is True:
            yield Directive(verb=verb, span=self.places.span(at))
        elif isinstance(value, str | list) and value:
            yield Directive(verb=verb, arguments=self._words(value, at), span=self.places.span(at))
        else:
            raise self._wrong(at, f"`{verb}` has a value that cannot be", f'{verb} = true, or {verb} = {{ option = "value" }}')

    def _directive(self, verb: str, table: Mapping[str, Any], at: tuple[str | int, ...]) -> Directive:
        key = WORDS.get(verb, "words")
        return Directive(
            verb=verb,
            options={option: self._text(value, (*at, option)) for option, value in table.items() if option != key},
            arguments=self._words(table[key], (*at, key)) if key in table else (),
            span=self.places.span(at),
        )

    def _words(self, value: Any, at: tuple[str | int, ...]) -> tuple[str, ...]:
        words = value if isinstance(value, list) else [value]
        if all(isinstance(word, str) and word for word in words):
            return tuple(words)
        raise self._wrong(at, f"`{at[-1]}` is neither text nor a list of texts", f'{at[-1]} = ["one", "two"]')

    def _text(self, value: Any, at: tuple[str | int, ...]) -> str:
        """An option's value as a comment would spell it."""
        match value:
            case bool():
                return "true" if value else "false"
            case str() | int() | float():
                return str(value)
            case datetime() | date() | time():
                return value.isoformat()
            case list() if value and all(isinstance(one, str) for one in value):
                return ",".join(value)
        raise self._wrong(at, f"`{at[-1]}` has a value that cannot be", f'{at[-1]} = "text"')

    def _known(self, table: Mapping[str, Any], known: Sequence[str], at: tuple[str | int, ...]) -> None:
        for key in table:
            if key not in known:
                near = nearest(key, known)
                raise SourceError(
                    "DF-E752",
                    f"a file of requests has no key `{'.'.join((*(str(one) for one in at if isinstance(one, str)), key))}`",
                    where=self.places.where((*at, key)),
                    why=f"known here: {', '.join(known)}",
                    hint=f"did you mean {near}?" if near else _HINT,
                )

    def _wrong(self, at: tuple[str | int, ...], summary: str, hint: str) -> SourceError:
        return SourceError("DF-E752", summary, where=self.places.where(at), hint=hint)


def _unreadable(where: str, why: str) -> SourceError:
    return SourceError("DF-E750", "a file of requests cannot be read", where=where, why=why, hint=_HINT)


def _beside_nothing(shown: str, expected: Mapping[str, str]) -> SourceError:
    near = nearest(shown, sorted(expected))
    return SourceError(
        "DF-E751",
        "a file of requests stands beside no migration",
        where=shown,
        why="it is called like its migration, with .driftflow.toml in the place of .sql",
        hint=f"rename it to {near}?" if near else "rename it, or remove it",
    )
