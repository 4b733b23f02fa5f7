"""Which sequences a table owns, in a catalog that is changed step by step and in every version that it was."""

from __future__ import annotations

from driftflow.model.catalog import Catalog, Sequence, Table
from driftflow.model.names import Name
from driftflow.model.operations import AlterSequence, DropTable, RenameTable

TABLE, OTHER = Name(schema="public", name="a"), Name(schema="public", name="ab")


def sequence(name: str, owned_by: str = "") -> Sequence:
    return Sequence(name=Name(schema="public", name=name), owned_by=owned_by)


def catalog(*sequences: Sequence) -> Catalog:
    return Catalog(
        vendor="postgresql",
        tables={one.text: Table(name=one) for one in (TABLE, OTHER)},
        sequences={one.name.text: one for one in sequences},
    )


def owned(at: Catalog, table: Name) -> list[str]:
    return [one.name.name for one in at.sequences_of(table)]


def test_a_table_owns_what_belongs_to_its_columns_alone() -> None:
    known = catalog(
        sequence("free"), sequence("one", "public.a.id"), sequence("two", "public.ab.id"), sequence("dotted", "public.a.x.y")
    )
    for at in (known, known.in_versions()):
        assert owned(at, TABLE) == ["one", "dotted"]
        assert owned(at, OTHER) == ["two"]


def test_every_version_knows_its_own_owners() -> None:
    begin = catalog(sequence("one", "public.a.id"), sequence("two")).in_versions()
    taken = begin.after(AlterSequence(name=Name(schema="public", name="two"), owned_by="public.a.more"))
    renamed = taken.after(RenameTable(name=TABLE, to="c"))
    dropped = renamed.after(DropTable(name=Name(schema="public", name="c")))
    for _ in range(2):  # there and back again: reading moves what the versions share
        assert owned(begin, TABLE) == ["one"]
        assert owned(dropped, Name(schema="public", name="c")) == []
        assert sorted(dropped.sequences) == []
        assert owned(renamed, Name(schema="public", name="c")) == ["one", "two"]
        assert owned(renamed, TABLE) == []
        assert owned(taken, TABLE) == ["one", "two"]
