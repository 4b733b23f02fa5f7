"""Predicted effects against SQLite itself, for statements made by chance: on Python's library and on the newest.

Compared: refused or not, whether it runs in a transaction, and for ALTER TABLE whether the rows are written anew (the file's pages tell).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlite_statements import SETUP, statements
from test_sqlite_effects import Library, Newest, Standard, predicted

from driftflow.engine.ports import DatabaseFault
from driftflow.errors import ParseError
from driftflow.model.catalog import Catalog
from driftflow.model.effects import Effects

SEED, COUNT = 7, 150
MORE_SEED, MORE = 11, 500
PAGE = 4096
REWRITTEN_MIN = 5
"""Pages: every table of the setup that has rows has more of them, and a change of the schema alone writes fewer."""

LIBRARIES: dict[str, type[Library]] = {"standard": Standard, "newest": Newest}


@pytest.fixture(params=LIBRARIES)
def kind(request: pytest.FixtureRequest) -> str:
    if request.param == "newest":
        pytest.importorskip("apsw", reason="the newest SQLite comes with apsw: pip install apsw")
    return str(request.param)


def opened(kind: str, file: Path) -> Library:
    return LIBRARIES[kind](str(file))


def differences(kind: str, folder: Path, wanted: Sequence[str]) -> list[str]:
    """What was predicted otherwise than the library does it, as text."""
    pristine = folder / "pristine.db"
    library = opened(kind, pristine)
    library.run(SETUP)
    library.raw.close()  # type: ignore[attr-defined] # of the driver, and no part of the port
    return [f"{sql}\n    {told}" for sql in wanted if (told := difference(kind, pristine, folder / "tried.db", sql))]


def difference(kind: str, pristine: Path, file: Path, sql: str) -> str:
    shutil.copyfile(pristine, file)
    library = opened(kind, file)
    try:
        catalog = library.catalog()
        foreseen = said(sql, catalog)
        if isinstance(foreseen, str):
            return "" if refusal(library, sql) else f"the library accepts it; predicted: {foreseen}"
        certain = [one.summary for one in foreseen.fails_if if one.certain]
        offending = [] if certain else [one.summary for one in foreseen.fails_if if offends(library, one.probe)]
        transactional = foreseen.transactional
        outside = "" if transactional else refusal(library, sql, transaction=True)
        error = refusal(library, sql, transaction=transactional)
    finally:
        library.raw.close()  # type: ignore[attr-defined] # of the driver, and no part of the port
    if error:
        vague = [one.summary for one in foreseen.fails_if if not one.certain and not one.probe]
        return "" if certain or offending or vague else f"the library refuses: {error}"
    if certain or offending:
        return f"the library accepts it; predicted: {'; '.join([*certain, *offending])}"
    if not transactional and not outside:
        return "it runs in a transaction"
    if sql.startswith("ALTER") and bool(foreseen.rewrites) != (changed(pristine, file) >= REWRITTEN_MIN):
        return f"rewrites {[name.name for name in foreseen.rewrites]}, pages changed {changed(pristine, file)}"
    return ""


def offends(library: Library, probe: str) -> bool:
    return bool(probe) and bool(library.query(probe)[0][0])


def said(sql: str, catalog: Catalog) -> Effects | str:
    try:
        return predicted(sql, catalog)
    except ParseError as error:
        return str(error)


def refusal(library: Library, sql: str, *, transaction: bool = True) -> str:
    """The library's refusal; empty where it did what was asked."""
    try:
        if transaction:
            library.query("BEGIN")
        library.query(sql)
        if transaction:
            library.query("COMMIT")
    except DatabaseFault as fault:
        if transaction:
            library.query("ROLLBACK")
        return str(fault.message)
    return ""


def changed(before: Path, after: Path) -> int:
    """Pages that were there before and hold something else now."""
    old, new = before.read_bytes(), after.read_bytes()
    return sum(old[at : at + PAGE] != new[at : at + PAGE] for at in range(0, len(old), PAGE))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path


def test_statements_made_by_chance_are_predicted_as_the_library_does_them(kind: str, folder: Path) -> None:
    assert differences(kind, folder, statements(SEED, COUNT)) == []


def test_a_column_that_is_written_must_be_there(kind: str, folder: Path) -> None:
    written = ("v = 'y'", "nope = 1", "V = 'y'", "rowid = 90001", "_ROWID_ = 90001", "(v, n) = ('y', 7)", "(v, nope) = (1, 2)")
    wanted = [f"UPDATE p SET {one} WHERE id = 1" for one in written]
    wanted += [f"INSERT INTO p ({one}) VALUES (90001)" for one in ("id", "oid", "nope", "ID")]
    wanted += ["INSERT INTO w (rowid) VALUES (1)", "UPDATE w SET oid = 1", "UPDATE nowhere SET i = 2", "DELETE FROM nowhere"]
    assert differences(kind, folder, wanted) == []


def test_a_view_over_a_view_holds_a_column_to_its_name(folder: Path, kind: str) -> None:
    library = opened(kind, folder / "views.db")
    library.run(
        "CREATE TABLE t (a INT, b INT, c INT); CREATE VIEW near AS SELECT a, b AS shown FROM t; CREATE VIEW far AS SELECT a, shown FROM near"
    )
    try:
        foreseen = {one: said(f"ALTER TABLE t RENAME COLUMN {one} TO z", library.catalog()) for one in "abc"}
        refused = {one for one in "abc" if refusal(library, f"ALTER TABLE t RENAME COLUMN {one} TO z{one}")}
    finally:
        library.raw.close()  # type: ignore[attr-defined] # of the driver, and no part of the port
    assert refused == {"a"}
    assert {one for one, effects in foreseen.items() if isinstance(effects, Effects) and effects.fails_if} == {"a"}


@pytest.mark.slow
def test_many_statements_made_by_chance_are_predicted_as_the_library_does_them(kind: str, folder: Path) -> None:
    assert differences(kind, folder, statements(MORE_SEED, MORE)) == []
