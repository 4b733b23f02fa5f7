"""SQLite: where the rows of one table are while a migration makes it anew: copied into another table, under another name, and at last under its own again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from driftflow.dialects.situation import Situation
from driftflow.dialects.sqlite.copied import copied_values
from driftflow.model.catalog import Table
from driftflow.model.names import Name
from driftflow.model.operations import CreateIndex, CreateTable, DropTable, Insert, RenameTable


class RowFlow:
    """Where the rows of one table are, statement by statement."""

    def __init__(self) -> None:
        self.old: Table | None = None
        self.made = dict[Name, Mapping[str, str] | None]()
        """Tables of the flow that are there, and what each of their columns has of an old row; None as long as they are empty."""
        self.away: Name | None = None
        """What the old table itself is called; None once it is dropped."""
        self.members = list[int]()
        self.failed = False

    @property
    def finished(self) -> bool:
        """The rows are under the old name again, in another table, and nothing else is left of the way there."""
        old = self.old
        return old is not None and self.away is None and list(self.made) == [old.name] and self.made[old.name] is not None

    def takes(self, group: Sequence[Situation]) -> bool:
        """Whether the statement is one of the flow's. `failed` where it does something else to one of its tables."""
        at = group[0]
        match at.operation:
            case CreateTable(table=table, if_not_exists=False, like=()) if not self.made or self._is_old_name(table.name):
                if at.catalog.table(table.name) is not None:
                    self.failed = True
                    return False
                self.made[table.name] = None
                return True
            case Insert(table=copy, reads=(source,), on_conflict="") as insert if copy in self.made:
                return self._copied(insert, source, at)
            case DropTable(name=name) if name in self.made or name == self.away:
                self.made.pop(name, None)
                self.away = None if name == self.away else self.away
                return True
            case RenameTable(name=name, renamed=renamed) if name in self.made:
                self.made[renamed] = self.made.pop(name)
                return True
            case RenameTable(name=name, renamed=renamed) if not self.made and self.old is None:
                return self._put_aside(name, renamed, at)
            case CreateIndex(index=index):
                return index.table in self.made
            case _:
                return False

    def _is_old_name(self, name: Name) -> bool:
        return self.old is not None and name == self.old.name

    def _copied(self, insert: Insert, source: Name, at: Situation) -> bool:
        new, from_table = at.catalog.table(insert.table), at.catalog.table(source)
        if new is None or from_table is None or self.made[insert.table] is not None:
            self.failed = True
            return False
        values = copied_values(
            insert.sql,
            columns=[one.name for one in new.columns if one.generated is None],
            source=[one.name for one in from_table.columns],
        )
        if values is not None and source in self.made:
            values = _after(values, self.made[source], at)
        elif self.old is None and not from_table.new:
            self.old, self.away = from_table, source
        elif source != self.away:
            values = None
        self.failed = values is None
        self.made[insert.table] = values
        return values is not None

    def _put_aside(self, name: Name, renamed: Name, at: Situation) -> bool:
        """The old table first takes another name. What refers to it follows there, and would not come back."""
        old = at.catalog.table(name)
        followed = at.catalog.dependents(name) or any(holder.name != name for holder, _ in at.catalog.referencing(name))
        if old is None or old.new or followed:
            self.failed = True
            return False
        self.old, self.away = old, renamed
        return True


def _after(values: Mapping[str, str], before: Mapping[str, str] | None, at: Situation) -> dict[str, str] | None:
    """The values of a second copy, said of the rows that the first one was made from."""
    if before is None:
        return None
    quote = at.dialect.quote
    bare = {quote(column): value for column, value in before.items()}
    same = all(quote(column) == value for column, value in before.items())
    found = {column: bare.get(value, value if same else "") for column, value in values.items()}
    return found if all(found.values()) else None
