"""Foreign keys between tables of MySQL and MariaDB that are rebuilt together, which change rows by themselves (CASCADE, SET NULL).

A foreign key changes rows also where a trigger wrote what it points at, and with `foreign_key_checks=0` it changes none (measured on MariaDB 10.11 and MySQL
9.7). So when triggers write the copy of the table above, and its last noted rows are there, the copy of the table below gets the same key to that copy: what
the server changes in the table by the table's key, it changes in the copy by the copy's, in the same statement, for the trigger behind the statement writes the copy above.
Before that the rows are noted by triggers on the table above, as for a table that is rebuilt alone (`rebuild_cascades`).

Where the copy above has rejected a row there is no twin of what follows it. Then the trigger that writes that copy notes what is left below, and a row that hangs on one which
is rejected is noted instead of refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from driftflow.model.catalog import ForeignKey
from driftflow.model.names import Name
from driftflow.model.record import replace
from driftflow.strategies.rebuild.cascades import cascading, left_behind
from driftflow.strategies.rebuild.paired import Pair, unique_columns

if TYPE_CHECKING:
    from driftflow.strategies.rebuild.paired_steps import PairedSteps
    from driftflow.strategies.rebuild.rebuild_online import Rebuild

Which = Literal["new", "old"]


def tied(rebuild: Rebuild, pair: Pair, which: Which) -> Pair:
    """The pair of a rebuild, knowing what its rows take along on the copies (`which` forms), and what they hang on."""
    copies = rebuild.forms_of(which)
    below = [
        (one, cascade)
        for one in rebuild.together
        for cascade in one.cascading.found
        if cascade.ancestor.name == rebuild.before.name
    ]
    orphaned = tuple(_orphaned(rebuild, key, copies) for key in cascading(rebuild.before) if key.referenced in copies)
    if not below and not orphaned:
        return pair
    within = [(one, cascade) for one, cascade in below if all(holder.name in copies for holder, _ in cascade.links)]
    more = [name for one, _ in below for name in _written(one, which)]
    pointed_at = tuple(dict.fromkeys(key.referenced_columns for _, key in rebuild.at.catalog.referencing(rebuild.before.name)))
    return replace(
        pair,
        cascading=True,
        pointed_at=pointed_at if below and unique_columns(pair.source) == unique_columns(pair.copy) else (),
        followed=tuple(
            (cascade.event, left_behind(cascade, _steps(one, which).texts, rebuild.at, copies)) for one, cascade in within
        ),
        orphaned=orphaned,
        written=tuple(dict.fromkeys((*pair.written, *more))),
    )


def _steps(rebuild: Rebuild, which: Which) -> PairedSteps:
    return rebuild.forth if which == "new" else rebuild.home


def _written(rebuild: Rebuild, which: Which) -> tuple[Name, ...]:
    """What triggers on a table above write for this one."""
    forth, home = rebuild.forth.pair, rebuild.home.pair
    return (forth.log, home.log, rebuild.new) if which == "new" else (home.log, rebuild.old)


def _orphaned(rebuild: Rebuild, key: ForeignKey, copies: dict[Name, Name]) -> str:
    """A condition on NEW. What it reads is locked, or a session that sees an older moment would find nothing."""
    dialect = rebuild.at.dialect
    pairs = list(zip(key.columns, key.referenced_columns, strict=True))

    def there(table: Name) -> str:
        name = dialect.quote_name(table)
        same = " AND ".join(f"{name}.{dialect.quote(theirs)} = NEW.{dialect.quote(ours)}" for ours, theirs in pairs)
        return f"EXISTS (SELECT 1 FROM {name} WHERE {same} LOCK IN SHARE MODE)"

    return f"{there(key.referenced)} AND NOT {there(copies[key.referenced])}"
