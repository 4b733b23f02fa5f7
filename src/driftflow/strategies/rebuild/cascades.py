"""Rows of MySQL and MariaDB that foreign keys change by themselves (CASCADE, SET NULL): which tables that begins at, and triggers there that note them.

No trigger sees what a key changes (measured: MariaDB 10.11 and 11.8, MySQL 9.7; so do the triggers of a table in the middle of a chain). But the row of the
referenced table that is deleted, or gets another key, is somebody's statement, and a BEFORE trigger sees that one: the server holds that row already, so no new
child can come to it, and the trigger locks the children which the key is about to change and notes their keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Literal

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Catalog, ForeignKey, Table, Trigger
from driftflow.model.names import Name
from driftflow.model.record import Record, digest, replace
from driftflow.strategies.fitted import fit
from driftflow.strategies.rebuild.paired import Texts, naming

Event = Literal["DELETE", "UPDATE"]
LEAVES = ("NO ACTION", "RESTRICT")
EVENTS: tuple[Event, ...] = ("DELETE", "UPDATE")


class Cascade(Record, frozen=True, kw_only=True):
    """A row of `ancestor` is deleted, or changes what others reference (`event`), and so rows of the table change."""

    event: Event
    links: tuple[tuple[Table, ForeignKey], ...]
    """From the table upwards: who holds the key, and the key; the last one points at the ancestor."""
    ancestor: Table

    @property
    def names(self) -> tuple[str, ...]:
        return (self.event, *(key.name for _, key in self.links), self.ancestor.name.name)


def changes_rows(key: ForeignKey) -> bool:
    """Whether the key changes rows of the table that has it, instead of refusing."""
    return not {key.on_delete, key.on_update} <= set(LEAVES)


def cascading(table: Table) -> tuple[ForeignKey, ...]:
    return tuple(key for key in table.foreign_keys if changes_rows(key))


def cascades(table: Table, catalog: Catalog) -> list[Cascade]:
    """Every way in which keys change rows of the table. Raises ValueError, with the reason as a sentence, where triggers cannot note them all."""
    found: list[Cascade] = []
    work: list[tuple[Event, tuple[tuple[Table, ForeignKey], ...]]] = [
        (event, ((table, key),))
        for key in cascading(table)
        for event in EVENTS
        if (key.on_delete if event == "DELETE" else key.on_update) not in LEAVES
    ]
    while work:
        event, links = work.pop(0)
        holder, key = links[-1]
        ancestor = catalog.table(key.referenced)
        if ancestor is None or ancestor.partial:
            raise ValueError(f"{key.name} changes rows of {holder.name.name}, and {key.referenced.name} is not known")
        if any(ancestor.name == one.name for one, _ in links):
            raise ValueError(
                f"{key.name} of {holder.name.name} changes rows in a circle, and a trigger locks no row of the table that it is called for (1442)"
            )
        found.append(Cascade(event=event, links=links, ancestor=ancestor))
        work += [
            (begun, (*links, (ancestor, above))) for above in ancestor.foreign_keys for begun in _begun_by(above, event, key)
        ]
    return found


def _begun_by(above: ForeignKey, event: str, key: ForeignKey) -> list[Event]:
    """What must happen to the table that `above` points at for `event` to happen to the rows that `key` references."""
    if event == "DELETE":
        return ["DELETE"] if above.on_delete == "CASCADE" else []
    if not set(above.columns) & set(key.referenced_columns):
        return []
    begun: list[Event] = []
    if above.on_delete not in (*LEAVES, "CASCADE"):
        begun.append("DELETE")
    if above.on_update not in LEAVES:
        begun.append("UPDATE")
    return begun


def moved_keys(found: Sequence[Cascade], key: Sequence[str]) -> list[str]:
    """Columns of a walked key that follow a parent's: a row of the copy that is not up to date would move to a key that nobody has noted."""
    return [column for one in found for column in one.links[0][1].columns if one.event == "UPDATE" and column in key]


def ancestors(found: Sequence[Cascade]) -> list[Table]:
    """The tables that get triggers, each once."""
    by_name = {one.ancestor.name.text: one.ancestor for one in found}
    return [by_name[name] for name in sorted(by_name)]


def noting(
    found: Sequence[Cascade],
    texts: Texts,
    at: Situation,
    *,
    later: Sequence[Name],
    placed: Mapping[Name, Name] | None = None,
    through: Mapping[Name, Texts] | None = None,
) -> Iterator[Trigger]:
    """The triggers that note, in the log of the pair, the keys of rows of its source. They name the source, which must have these columns also when another
    form has its name. `later` is what triggers write that take their place. `placed`: where a trigger stands that does not stand on the ancestor itself.
    `through`: tables in the middle of a chain that have copies, which the keys change in the same statement; then only those rows are noted that hang on one which its
    copy does not hold as it is: its key is in that pair's own log."""
    for ancestor in ancestors(found):
        for event in EVENTS:
            begun = [one for one in found if one.ancestor.name == ancestor.name and one.event == event]
            if begun:
                body = " ".join(f"{_Noted(one, texts, at, through or {}).block()};" for one in begun)
                yield Trigger(
                    name=trigger_name(ancestor.name, event, texts, "loose_" if through else ""),
                    table=(placed or {}).get(ancestor.name, ancestor.name),
                    timing="BEFORE",
                    events=(event,),
                    definition=f"BEFORE {event} {naming(later, f'BEGIN {body} END', at)}",
                )


def trigger_name(ancestor: Name, event: str, texts: Texts, kind: str = "") -> str:
    return fit(f"zzz_driftflow_{kind}{event.lower()}_{digest([ancestor.text])[:4]}_{texts.pair.tag}", bytes_max=60)


def left_behind(cascade: Cascade, texts: Texts, at: Situation, copies: Mapping[Name, Name]) -> str:
    """A statement for a trigger of the ancestor, which has written its copy: rows of the copy below that still hang on the old row are noted. There are
    none but where the copy above did not have that row, or rejects the new one: then the cascade that the table has seen has no twin."""
    links = tuple((replace(holder, name=copies[holder.name]), key) for holder, key in cascade.links)
    return _Noted(replace(cascade, links=links), texts, at, {}).block()


class _Noted:
    """What one cascade is about to change."""

    def __init__(self, cascade: Cascade, texts: Texts, at: Situation, through: Mapping[Name, Texts]) -> None:
        self.cascade, self.texts, self.at, self.through = cascade, texts, at, through

    def block(self) -> str:
        """Row by row: an INSERT ... SELECT would hold the log's AUTO-INC lock until the statement ends, and wait for a row whose writer waits for that lock
        (measured on MariaDB 10.11, which lets the writer fail with 1467).

        Rows are locked only where there are any: a statement that reads the table too, as one that deletes what has no rows there, is refused that (1442,
        measured on MariaDB 10.11 and MySQL 9.7). First they are looked for without a lock, since one that is shared would be in the way of its own next."""
        texts = self.texts
        keys = [ours for ours, _ in texts.pair.key]
        types = [texts.key_type(one) for one in keys]
        held = [f"driftflow_v{number}" for number in range(1, len(keys) + 1)]
        exists = f"EXISTS ({self._select(['1'], lock='')})"
        shared = f"EXISTS ({self._select(['1'], lock=' LOCK IN SHARE MODE')})"
        declared = " ".join(f"DECLARE {name} {type};" for name, type in zip(held, types, strict=True))
        block = (
            f"BEGIN {declared} DECLARE driftflow_ends int DEFAULT 0; DECLARE driftflow_any int DEFAULT 0; "
            f"DECLARE driftflow_rows CURSOR FOR {self._select([self._column(self.cascade.links[0][0], one) for one in keys])}; "
            "DECLARE CONTINUE HANDLER FOR NOT FOUND SET driftflow_ends = 1; "
            f"{self._middle_held()}"
            f"SET driftflow_any = {exists}; IF driftflow_any = 0 THEN SET driftflow_any = {shared}; END IF; "
            "IF driftflow_any = 1 THEN OPEN driftflow_rows; "
            f"driftflow_each: LOOP FETCH driftflow_rows INTO {', '.join(held)}; "
            "IF driftflow_ends = 1 THEN LEAVE driftflow_each; END IF; "
            f"INSERT INTO {texts.log} ({texts.log_columns}) VALUES ({', '.join(held)}); END LOOP; CLOSE driftflow_rows; END IF; END"
        )
        return block if self.cascade.event == "DELETE" else f"IF {self._changes()} THEN {block}; END IF"

    def _middle_held(self) -> str:
        """Rows in the middle are about to change too, and are locked for that first: the server waits there for who has written a row that hangs on one, and
        a gap that is locked below by then would be in that one's way (1213)."""
        links = self.cascade.links[1:]
        if not links:
            return ""
        some = self._select(["1"], lock="", links=links)
        return f"IF EXISTS ({some}) THEN SET driftflow_any = ({self._select(['COUNT(*)'], links=links)}); END IF; "

    def _select(self, values: list[str], *, lock: str = " FOR UPDATE", links: tuple[tuple[Table, ForeignKey], ...] = ()) -> str:
        """From the ancestor downwards, in the order in which the server goes: a row of ours is never locked before the one that it hangs on."""
        downwards = list(reversed(links or self.cascade.links))
        quoted = self.at.dialect.quote_name
        _, first = downwards[0]
        source = quoted(downwards[0][0].name)
        for (upper, _), (lower, key) in pairwise(downwards):
            on = " AND ".join(
                f"{self._column(lower, mine)} = {self._column(upper, theirs)}"
                for mine, theirs in zip(key.columns, key.referenced_columns, strict=True)
            )
            source = f"{source} STRAIGHT_JOIN {quoted(lower.name)} ON {on}"
        where = " AND ".join(
            f"{self._column(downwards[0][0], mine)} = OLD.{self.at.dialect.quote(theirs)}"
            for mine, theirs in zip(first.columns, first.referenced_columns, strict=True)
        )
        rejected = [
            self._rejected(table, self.through[table.name]) for table, _ in self.cascade.links[1:] if table.name in self.through
        ]
        loose = f" AND ({' OR '.join(rejected)})" if rejected else ""
        return f"SELECT {', '.join(values)} FROM {source} WHERE {where}{loose}{lock}"

    def _rejected(self, table: Table, texts: Texts) -> str:
        """Whether the key of a row in the middle was noted. Read without a lock: whoever notes one would wait for this statement."""
        same = " AND ".join(
            f"{texts.log}.{noted} = {self._column(table, ours)}"
            for noted, (ours, _) in zip(texts.log_columns.split(", "), texts.pair.key, strict=True)
        )
        return f"EXISTS (SELECT 1 FROM {texts.log} WHERE {same})"

    def _column(self, table: Table, column: str) -> str:
        return f"{self.at.dialect.quote_name(table.name)}.{self.at.dialect.quote(column)}"

    def _changes(self) -> str:
        """To the letter: another case is the same key to some collations, and follows all the same."""
        _, key = self.cascade.links[-1]
        parts = []
        for name in key.referenced_columns:
            old, new = f"OLD.{self.at.dialect.quote(name)}", f"NEW.{self.at.dialect.quote(name)}"
            column = self.cascade.ancestor.column(name)
            parts.append(
                self.at.dialect.differs(old, new) if column is None else self.at.dialect.differs_exactly(old, new, column)
            )
        return " OR ".join(parts)
