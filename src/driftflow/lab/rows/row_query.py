"""The rows of one table as a query: candidates, held against the table's CHECKs and its unique keys."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from driftflow.dialects.base import Dialect
from driftflow.lab.rows.checks import conditions_of
from driftflow.lab.rows.spelling import Spelling
from driftflow.model.catalog import Catalog, Index, PrimaryKey, Table, Unique


@dataclass(frozen=True, kw_only=True)
class UniqueKey:
    """`parts` are expressions over the columns. NULLs in `columns` are never alike, unless `nulls_alike`."""

    columns: tuple[str, ...]
    parts: tuple[str, ...]
    where: str = ""
    nulls_alike: bool = False


def unique_keys(table: Table, dialect: Dialect) -> tuple[UniqueKey, ...]:
    """Every one, primary and expression keys too."""
    found: list[UniqueKey] = []
    for one in table.constraints:
        if isinstance(one, PrimaryKey | Unique):
            alike = isinstance(one, Unique) and one.nulls_not_distinct
            found.append(UniqueKey(columns=one.columns, parts=tuple(map(dialect.quote, one.columns)), nulls_alike=alike))
    found += [_of_index(index, dialect) for index in table.indexes if index.unique and not index.constraint]
    return tuple(found)


def _of_index(index: Index, dialect: Dialect) -> UniqueKey:
    parts = tuple(dialect.quote(part.column) if part.column else f"({part.expression})" for part in index.parts)
    return UniqueKey(columns=index.columns, parts=parts, where=index.predicate, nulls_alike=index.nulls_not_distinct)


@dataclass(frozen=True, kw_only=True)
class RowQuery:
    """`values` are expressions over `s.n` and the joined parents."""

    table: Table
    values: Mapping[str, str]
    joins: Sequence[str]
    catalog: Catalog
    dialect: Dialect
    spelling: Spelling
    unnumbered: frozenset[str] = frozenset()
    """Columns of which every value differs from every other by itself."""

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.table.columns if column.name in self.values)

    @property
    def listed(self) -> str:
        return ", ".join(map(self.dialect.quote, self.columns))

    def without(self, columns: Collection[str]) -> RowQuery:
        """The same rows, these columns left to the server."""
        return replace(self, values={name: value for name, value in self.values.items() if name not in columns})

    def sql(self, *, tries: int, rows: int, beyond: int = 0, listed: str = "") -> str:
        """Up to `rows` rows of what `tries` candidates give, the first `beyond` candidates left out; always the same ones in the same order."""
        numbered, kept = self._keys()
        if beyond:
            kept = f"{kept} AND driftflow_n > {beyond}" if kept else f" WHERE driftflow_n > {beyond}"
        candidates = f"SELECT * FROM ({self._candidates(tries)}) AS c{self._where()}"
        return (
            f"SELECT {listed or self.listed} FROM (SELECT d.*{numbered} FROM ({candidates}) AS d) AS e"
            f"{kept} ORDER BY driftflow_n LIMIT {rows}"
        )

    def _candidates(self, tries: int) -> str:
        selected = ", ".join(f"{self.values[name]} AS {self.dialect.quote(name)}" for name in self.columns)
        return f"SELECT s.n AS driftflow_n, {selected} FROM {self.spelling.series(tries)} {' '.join(self.joins)}"

    def _where(self) -> str:
        absent = {column.name for column in self.table.columns} - {*self.columns}
        texts = conditions_of(self.table, self.catalog, without=absent)
        return " WHERE " + " AND ".join(f"(({text}) OR ({text}) IS NULL)" for text in texts) if texts else ""

    def _keys(self) -> tuple[str, str]:
        """Numbers within what would be alike, and the condition that only the first of them stays."""
        numbered, kept = "", []
        for number, key in enumerate(unique_keys(self.table, self.dialect)):
            if not {*key.columns} <= {*self.columns} or self.unnumbered & {*key.columns}:
                continue
            apart = f", CASE WHEN {key.where} THEN 0 ELSE driftflow_n END" if key.where else ""
            numbered += (
                f", row_number() OVER (PARTITION BY {', '.join(key.parts)}{apart} ORDER BY driftflow_n) AS driftflow_u{number}"
            )
            nulls = [] if key.nulls_alike else [f"{self.dialect.quote(name)} IS NULL" for name in key.columns]
            kept.append("(" + " OR ".join([f"driftflow_u{number} = 1", *nulls]) + ")")
        return numbered, " WHERE " + " AND ".join(kept) if kept else ""
