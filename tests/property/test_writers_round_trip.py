"""What a writer wrote reads back as the same statements, in the same order and transaction modes, between the same neighbours."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftflow.dialects.base import Dialect
from driftflow.dialects.registry import dialect_named
from driftflow.errors import SourceError
from driftflow.model.migration import Migration
from driftflow.model.record import convert
from driftflow.plugins import discover
from driftflow.readers.base import Reader, SourceOptions
from driftflow.writers.base import Part, Rewrite, Written

SAMPLES = Path(__file__).parents[1] / "golden" / "readers"
TOOLS = ("dbmate", "diesel", "drizzle", "flyway", "golang-migrate", "goose", "plain", "prisma")

# Words that tools, splitters and comments could trip over.
TRANSACTIONAL = (
    "CREATE TABLE a (id int)",
    "UPDATE a SET b = 'x;\n-- not a comment;\n''quoted'''",
    "DELETE FROM a -- the last word;",
    "INSERT INTO a VALUES ('é${kept}')",
    "ALTER TABLE a ADD COLUMN c text DEFAULT '{\"a\": 1}'",
    "SELECT 1 /* a ; b */ AS one,\n  2;\n".rstrip(";\n"),
)
BODIES = {
    "postgresql": (
        "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n  -- a note;\n  RETURN 1;\nEND;\n$$",
        "DO $do$ BEGIN PERFORM 1; END $do$",
    ),
    "sqlite": ("CREATE TRIGGER t AFTER INSERT ON a\nBEGIN\n  SELECT 1;\n  UPDATE a SET b = 2;\nEND",),
}
ALONE = {
    "postgresql": ("CREATE INDEX CONCURRENTLY i ON a (id)", "DROP INDEX CONCURRENTLY i"),
    "sqlite": ("PRAGMA foreign_keys = OFF", "PRAGMA foreign_keys = ON"),
}
INSIDE = {"postgresql": "CREATE INDEX i ON a (id)", "sqlite": "SELECT 'nothing to do'"}


def parts_for(dialect: str) -> st.SearchStrategy[Part]:
    statements = st.lists(st.sampled_from(TRANSACTIONAL + BODIES[dialect]), min_size=1, max_size=3).map(tuple)
    texts = st.sampled_from(("", "Add a column; then wait", "über\nzwei Zeilen", "x" * 300))
    together = st.builds(
        Part,
        statements=statements,
        purpose=texts,
        lost=st.lists(texts.filter(bool), max_size=1).map(tuple),
        down=st.lists(st.sampled_from(TRANSACTIONAL[:2]), max_size=2).map(tuple),
        slug=st.sampled_from(("", "prove not null", "Ärger/../x")),
    )
    apart = st.builds(
        Part,
        statements=st.just(ALONE[dialect][:1]),
        transaction=st.just(False),
        inside=st.just((INSIDE[dialect],)),
        purpose=texts,
        down=st.just(ALONE[dialect][1:]),
        down_transaction=st.just(False),
        down_inside=st.just(("SELECT 'taken back'",)),
    )
    return st.one_of(together, apart)


def reader_of(tool: str) -> Reader:
    return discover("reader").get("reader", tool).value()


def options_of(tool: str) -> SourceOptions:
    return convert({"tool": tool, "variables": {"table": "users"}}, SourceOptions)


def expected_mode(tool: str, dialect: Dialect, part: Part, migration: Migration) -> set[str]:
    """What the reader calls the mode of a file with this part."""
    if tool == "drizzle":
        return {"single"}
    if tool == "prisma":
        return {"implicit"} if dialect.name == "postgresql" else {"none"}
    if tool == "golang-migrate":
        return {"implicit"} if dialect.name == "postgresql" else {"single"}
    return {"single"} if part.transaction else {"none"}


def expected_statements(tool: str, dialect: Dialect, part: Part) -> tuple[str, ...]:
    always_inside = tool == "drizzle" or (tool == "golang-migrate" and dialect.name == "sqlite")
    return part.inside if always_inside and not part.transaction else part.statements


def expected_down(tool: str, dialect: Dialect, part: Part) -> tuple[str, ...]:
    if tool == "golang-migrate" and dialect.name == "sqlite" and not part.down_transaction:
        return part.down_inside
    return () if tool in {"drizzle", "prisma"} else part.down


def write_into(project: Path, written: Written) -> None:
    for path in written.removed:
        (project / path).unlink()
    for path, data in written.files.items():
        target = (project / path).resolve()
        assert target.is_relative_to(project.resolve())
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


@pytest.mark.parametrize("dialect_name", ["postgresql", "sqlite"])
@pytest.mark.parametrize("tool", TOOLS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_round_trip(tool: str, dialect_name: str, data: st.DataObject) -> None:
    dialect = dialect_named(dialect_name)
    parts = tuple(data.draw(st.lists(parts_for(dialect_name), min_size=1, max_size=4)))
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        shutil.copytree(SAMPLES / tool / "project", project)
        if tool == "flyway":  # settings of the original must not speak of what takes its place
            (project / "db/migration/V1__users.sql.conf").write_text("executeInTransaction=false\n")
        for file in project.rglob("*"):
            if file.name in {"migration_lock.toml", "_journal.json"}:
                file.write_text(file.read_text().replace("sqlite", dialect_name))
        before = read(project, tool, dialect)
        chosen = data.draw(
            st.sampled_from([index for index, one in enumerate(before) if not one.repeatable and has_room(before, index)])
        )
        original = before[chosen]
        writer = discover("writer").get("writer", tool).value()
        files = {path: (project / path).read_text() for path in writer.needs(original) if (project / path).is_file()}
        written = writer.write(Rewrite(migration=original, parts=parts, siblings=before, files=files), dialect)
        write_into(project, written)
        after = read(project, tool, dialect)

    assert [one.id for one in after[:chosen]] == [one.id for one in before[:chosen]]
    rest = len(before) - chosen - 1
    mine = after[chosen : len(after) - rest]
    assert [one.id for one in after[len(after) - rest :]] == [one.id for one in before[chosen + 1 :]]
    assert mine[0].id == original.id
    assert mine[0].path == original.path
    assert len(mine) == len(parts)
    for migration, part in zip(mine, parts, strict=True):
        assert tuple(bare(one.sql) for one in migration.statements) == tuple(map(bare, expected_statements(tool, dialect, part)))
        assert migration.transaction in expected_mode(tool, dialect, part, migration)
        if tool != "flyway" or original.down:
            assert tuple(bare(one.sql) for one in migration.down) == tuple(map(bare, expected_down(tool, dialect, part)))


def bare(sql: str) -> str:
    """A trailing comment belongs to no statement for some splitters; its text is no part of the promise."""
    return sql.removesuffix("-- the last word;").strip()


def read(project: Path, tool: str, dialect: Dialect) -> tuple[Migration, ...]:
    return reader_of(tool).read(project, dialect, options_of(tool))


def has_room(migrations: tuple[Migration, ...], index: int) -> bool:
    """Sequential numbers without a gap leave none; `test_no_room` is about those."""
    if index + 1 == len(migrations):
        return True
    here, there = migrations[index].id, migrations[index + 1].id
    return not (here.isdecimal() and there.isdecimal() and int(there) - int(here) < 5)


@pytest.mark.parametrize("tool", ["goose", "golang-migrate"])
def test_no_room(tool: str) -> None:
    dialect = dialect_named("sqlite")
    project = SAMPLES / tool / "project"
    before = read(project, tool, dialect)
    two = (Part(statements=("SELECT 1",)), Part(statements=("SELECT 2",)))
    writer = discover("writer").get("writer", tool).value()
    with pytest.raises(SourceError) as caught:
        writer.write(Rewrite(migration=before[0], parts=two, siblings=before), dialect)
    assert caught.value.code == "DF-E251"
    written = writer.write(Rewrite(migration=before[0], parts=two[:1], siblings=before), dialect)
    assert before[0].path in written.files
