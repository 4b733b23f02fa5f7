"""Which rows share a key: a table's rows seen through a unique index that is to come, as SQL that every server understands."""

from __future__ import annotations

from collections.abc import Iterable

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Index, IndexPart, Table
from driftflow.strategies.cleansing.archiving import listed, null_safe
from driftflow.strategies.columns.filling import ROWID

TRUE = "1 = 1"


class Matching:
    """The index's keys are called e1, e2, ...; the row's own key p1, p2, ...; what it is ranked by, b."""

    def __init__(
        self, at: Situation, table: Table, index: Index, key: tuple[str, ...], *, by: str = "", last: bool = False
    ) -> None:
        self.at, self.table, self.index, self.key = at, table, index, key
        self.by, self.last = by, last
        self.target = at.dialect.quote_name(table.name)

    @property
    def marks(self) -> tuple[str, ...]:
        return tuple(f"p{number}" for number in range(1, len(self.key) + 1))

    @property
    def elements(self) -> tuple[str, ...]:
        return tuple(f"e{number}" for number in range(1, len(self.index.parts) + 1))

    def expressions(self) -> tuple[str, ...]:
        """The index's keys over the table's own columns, without collation: a comparison says that."""
        quote = self.at.dialect.quote
        return tuple(quote(part.column) if part.column else f"({part.expression})" for part in self.index.parts)

    def conditions(self) -> tuple[str, ...]:
        """Which rows can collide at all: those of the index's WHERE, and with a value in every key unless NULLs collide too."""
        present = () if self.index.nulls_not_distinct else tuple(f"{one} IS NOT NULL" for one in self.expressions())
        return (*((f"({self.index.predicate})",) if self.index.predicate else ()), *present)

    def rows(self, alias: str, *, only: Iterable[str] = ()) -> str:
        """The table's rows that can collide, as a relation called `alias`."""
        keys = [f"{listed(self.at, (name,))} AS {mark}" for name, mark in zip(self.key, self.marks, strict=True)]
        values = [f"{text} AS {mark}" for text, mark in zip(self.expressions(), self.elements, strict=True)]
        ranked = [f"{self.at.dialect.quote(self.by)} AS b"] if self.by else []
        where = " AND ".join((*self.conditions(), *only)) or TRUE
        return f"(SELECT {', '.join((*keys, *values, *ranked))} FROM {self.target} WHERE {where}) AS {alias}"

    def same(self, left: str, right: str) -> str:
        """Whether two of these rows collide."""
        return " AND ".join(self._equal(f"{left}.{mark}", f"{right}.{mark}", number) for number, mark in enumerate(self.elements))

    def _equal(self, left: str, right: str, number: int) -> str:
        collation = self.index.parts[number].collation or self._collation_of(number)
        compared = f"{left} COLLATE {collation}" if collation else left
        return null_safe(self.at, compared, right) if self.index.nulls_not_distinct else f"{compared} = {right}"

    def _collation_of(self, number: int) -> str:
        """A column's own collation is lost on its way through a subquery on some servers, so it is said again; elsewhere saying it would cost the index."""
        if self.at.can(Capability.JOINED_UPDATE):
            return ""
        column = self.table.column(self.index.parts[number].column)
        return column.collation if column is not None else ""

    def other(self, left: str, right: str) -> str:
        """Whether they are two rows."""
        return f"NOT ({self.is_row(left, right)})"

    def is_row(self, left: str, right: str) -> str:
        return " AND ".join(f"{left}.{mark} = {right}.{mark}" for mark in self.marks)

    def order(self, alias: str) -> str:
        """The one that stays comes first. A row without a rank is never preferred to one that has it."""
        direction = " DESC" if self.last else ""
        ranks = [f"CASE WHEN {alias}.b IS NULL THEN 1 ELSE 0 END", f"{alias}.b{direction}"] if self.by else []
        return ", ".join([*ranks, *(f"{alias}.{mark}{direction}" for mark in self.marks)])

    def order_parts(self) -> tuple[IndexPart, ...]:
        """The same behind the keys of an index: the first of many equal rows is read, and they are not all sorted for each one of them."""
        held = {part.column for part in self.index.parts if part.column}
        ranks: tuple[IndexPart, ...] = ()
        if self.by:
            none = f"CASE WHEN {self.at.dialect.quote(self.by)} IS NULL THEN 1 ELSE 0 END"
            ranks = (IndexPart(expression=none), IndexPart(column=self.by, descending=self.last))
        marks = (IndexPart(column=name, descending=self.last) for name in self.key if name != ROWID and name not in held)
        return (*ranks, *marks)

    def grouped(self) -> str:
        """The keys for GROUP BY and PARTITION BY, under the collation by which they collide."""
        collations = [part.collation for part in self.index.parts]
        return ", ".join(
            f"{text} COLLATE {collation}" if collation else text
            for text, collation in zip(self.expressions(), collations, strict=True)
        )

    def groups(self) -> str:
        """A SELECT with one row per key that occurs more than once."""
        where = " AND ".join(self.conditions()) or TRUE
        return f"SELECT 1 FROM {self.target} WHERE {where} GROUP BY {self.grouped()} HAVING count(*) > 1"

    def repeated_keys(self, most: int = 10) -> str:
        """A SELECT with the keys of a few rows that are not alone."""
        where = " AND ".join(self.conditions()) or TRUE
        marks = ", ".join(f"{listed(self.at, (name,))} AS {mark}" for name, mark in zip(self.key, self.marks, strict=True))
        counted = f"SELECT {marks}, count(*) OVER (PARTITION BY {self.grouped()}) AS n FROM {self.target} WHERE {where}"
        return f"SELECT {', '.join(self.marks)} FROM ({counted}) AS counted WHERE n > 1 ORDER BY {', '.join(self.marks)} LIMIT {most}"
