"""The walk: what is in which transaction, what an operation finds, and how the release ends."""

from __future__ import annotations

from driftflow.config import Policy
from driftflow.dialects.registry import dialect_named
from driftflow.dialects.situation import Situation
from driftflow.dialects.source_text import SourceText
from driftflow.dialects.walk import situations
from driftflow.model.catalog import Catalog, Table
from driftflow.model.migration import Migration, TransactionMode
from driftflow.model.names import Name
from driftflow.model.operations import AddColumn, CreateIndex, TransactionControl
from driftflow.model.record import replace

POSTGRESQL = dialect_named("postgresql")
EMPTY = Catalog(vendor="postgresql", search_path=("public",), schemas=("public",))
UNKNOWN = Catalog(vendor="postgresql", search_path=("public",), schemas=("public",), complete=False)


def walk(*files: str, catalog: Catalog = EMPTY, transaction: TransactionMode = "single") -> list[Situation]:
    migrations = [
        Migration(
            id=str(number),
            source="plain",
            path=f"{number}.sql",
            dialect="postgresql",
            statements=tuple(POSTGRESQL.parse(one) for one in POSTGRESQL.split(SourceText(text=sql))),
            checksum="",
            sha256="",
            transaction=transaction,
        )
        for number, sql in enumerate(files)
    ]
    return list(situations(migrations, catalog=catalog, dialect=POSTGRESQL, policy=Policy()))


def test_a_file_is_one_transaction() -> None:
    first, second = walk("CREATE TABLE t (id int); CREATE INDEX i ON t (id);")
    assert first.in_transaction
    assert second.in_transaction
    assert first.transaction == second.transaction
    assert second.earlier == (first.operation,)
    assert second.before == [first]


def test_nothing_pending_is_no_walk() -> None:
    assert walk() == []


def test_without_a_transaction_each_statement_stands_alone() -> None:
    first, second = walk("CREATE TABLE t (id int); CREATE INDEX i ON t (id);", transaction="none")
    assert not first.in_transaction
    assert first.transaction != second.transaction
    assert second.earlier == ()


def test_one_string_of_several_statements_is_an_implicit_transaction() -> None:
    assert all(at.in_transaction for at in walk("CREATE TABLE t (id int); CREATE TABLE u (id int);", transaction="implicit"))
    (alone,) = walk("CREATE TABLE t (id int);", transaction="implicit")
    assert not alone.in_transaction


def test_begin_and_commit_of_the_file_decide() -> None:
    found = walk(
        "CREATE TABLE t (id int); BEGIN; CREATE TABLE u (id int); COMMIT; CREATE TABLE v (id int);", transaction="file_decides"
    )
    inside = {at.operation.table.name.name: at.in_transaction for at in found if not isinstance(at.operation, TransactionControl)}  # type: ignore[union-attr]
    assert inside == {"t": False, "u": True, "v": False}


def test_commit_ends_the_transaction_of_the_tool() -> None:
    found = walk("CREATE TABLE t (id int); COMMIT; CREATE TABLE u (id int);")
    assert [at.in_transaction for at in found] == [True, True, False]


def test_rollback_takes_back_what_the_catalog_learned() -> None:
    found = walk("BEGIN; CREATE TABLE t (id int); ROLLBACK; CREATE TABLE u (id int);", transaction="none")
    assert found[-1].catalog.tables == {}


def test_rollback_to_a_savepoint() -> None:
    found = walk(
        "CREATE TABLE t (id int); SAVEPOINT s; CREATE TABLE u (id int); ROLLBACK TO SAVEPOINT s; CREATE TABLE v (id int);"
    )
    assert sorted(found[-1].catalog.tables) == ["public.t"]


def test_tables_of_the_release_are_new_across_files() -> None:
    *_, index = walk("CREATE TABLE t (id int);", "CREATE INDEX i ON t (id);")
    assert isinstance(index.operation, CreateIndex)
    table = index.table(index.operation.index.table)
    assert table is not None
    assert table.new
    assert index.rows(table.name) == 0


def test_a_conflict_says_why_and_leaves_the_catalog() -> None:
    first, second, third = walk("CREATE TABLE t (id int); ALTER TABLE t ADD COLUMN id text; ALTER TABLE t ADD COLUMN note text;")
    assert first.conflict == ""
    assert "id" in second.conflict
    assert third.conflict == ""
    assert third.catalog == second.catalog


def test_what_nobody_knows_is_no_conflict() -> None:
    (unknown,) = walk("ALTER TABLE somewhere ADD COLUMN x int;", catalog=UNKNOWN)
    assert unknown.conflict == ""
    *_, twice = walk("CREATE TABLE t (id int); ALTER TABLE t ADD COLUMN id int;", catalog=UNKNOWN)
    assert twice.conflict or any(condition.certain for condition in twice.effects.fails_if)


def test_each_situation_knows_the_end_of_its_transaction_and_of_the_release() -> None:
    first, second = walk("CREATE TABLE t (id int);", "ALTER TABLE t ADD COLUMN x int;")
    assert isinstance(second.operation, AddColumn)
    assert first.committed is not None
    assert first.final is not None
    assert first.committed.tables["public.t"].column("x") is None
    assert first.final.tables["public.t"].column("x") is not None


def test_settings_follow_the_migration() -> None:
    found = walk("SET LOCAL timezone = 'UTC'; CREATE TABLE t (id int);", "CREATE TABLE u (id int);")
    assert found[1].catalog.settings["timezone"].strip("'") == "UTC"
    assert "timezone" not in found[2].catalog.settings


def test_search_path_decides_where_tables_go() -> None:
    catalog = Catalog(vendor="postgresql", search_path=("public",), schemas=("public", "audit"))
    *_, made = walk("SET search_path = audit; CREATE TABLE t (id int);", catalog=catalog)
    assert made.operation.table.name.text == "audit.t"  # type: ignore[union-attr]


def test_a_copy_before_another_catalog_asks_that_one() -> None:
    (at,) = walk("DROP TABLE a;")
    table = Table(name=Name(schema="public", name="a"))
    assert at.table(table.name) is None
    assert replace(at, catalog=at.catalog.with_table(table)).table(table.name) == table
    assert at.table(table.name) is None
