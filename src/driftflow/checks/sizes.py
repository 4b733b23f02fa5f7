"""How much a lock hurts here: sizes, traffic and what is new in this release, as severities and as words."""

from __future__ import annotations

from driftflow.dialects.situation import Situation
from driftflow.dialects.walk import relations_of
from driftflow.model.catalog import Table
from driftflow.model.effects import Estimate, LockClaim
from driftflow.model.finding import Severity
from driftflow.model.names import Name
from driftflow.model.operations import (
    AddEnumValue,
    AlterDomain,
    AlterIndex,
    AlterSequence,
    DropFunction,
    DropIndex,
    DropSequence,
    DropType,
    Operation,
    Reindex,
    RenameIndex,
    left_naming,
)

QUIET_PER_SECOND = 0.01


def is_new(at: Situation, relation: Name) -> bool:
    """Made by a pending migration: empty, and nobody waits for it."""
    table = at.table(relation)
    return table is not None and table.new


def is_old(at: Situation, relation: Name, named: tuple[Name, ...] = ()) -> bool:
    """A table that is in use. In a catalog made from files alone that is also one which a statement names and nobody has made."""
    table = at.table(relation)
    if table is not None:
        return not table.new
    return not at.catalog.complete and relation in named


def closes(at: Situation, claim: LockClaim) -> bool:
    """Whether the lock keeps readers out of a table that is in use and not small."""
    if "reads" not in claim.blocks:
        return False
    table = at.table(claim.relation)
    if table is None:
        return is_old(at, claim.relation, tables_named(at.operation))
    return not table.new and not at.holds_little(table)


def tables_named(operation: Operation) -> tuple[Name, ...]:
    """Tables that the operation names as its target; an index, a sequence or a function that it names is none."""
    if isinstance(operation, DropIndex | RenameIndex | AlterIndex):
        return (operation.table,) if operation.table is not None else ()
    if isinstance(operation, Reindex | AlterSequence | DropSequence | DropFunction | DropType | AlterDomain | AddEnumValue):
        return ()
    return relations_of(operation)


def severity_of_block(at: Situation, relation: Name) -> Severity | None:
    """None for a table of this release; info for a small one, or where the work fits the stall budget; error for a large or unknown one,
    and a warning where a sample has seen nobody use it."""
    table = at.table(relation)
    if table is not None and table.new:
        return None
    duration = at.effects.duration
    if at.holds_little(table) or (duration is not None and duration.high <= at.policy.stall_budget_ms):
        return "info"
    return "warning" if _is_quiet(table) else "error"


def _is_quiet(table: Table | None) -> bool:
    """Measured (`--sample`), and nothing was written or read. Unknown traffic counts as busy."""
    if table is None or table.statistics.writes_per_second is None or table.statistics.reads_per_second is None:
        return False
    return table.statistics.writes_per_second + table.statistics.reads_per_second < QUIET_PER_SECOND


def size(at: Situation, relation: Name) -> str:
    """`1,200,000 rows (180 MB)`, or that it is not known."""
    table = at.table(relation)
    rows = at.rows(relation)
    if table is None or rows is None:
        return "an unknown number of rows (assumed many)"
    total = table.statistics.bytes or table.statistics.table_bytes
    return f"{rows:,} rows" + (f" ({total / 1_000_000:,.0f} MB)" if total and total >= 1_000_000 else "")


def traffic(at: Situation, relation: Name) -> str:
    """`, with 40 writes a second`; nothing when nobody measured."""
    table = at.table(relation)
    writes = table.statistics.writes_per_second if table is not None else None
    return f", with {writes:,.0f} writes a second" if writes else ""


def duration(estimate: Estimate | None) -> str:
    """`, about 0.4–1.8 s`; nothing without an estimate."""
    if estimate is None or estimate.unit != "ms":
        return ""
    if estimate.high < 1000:
        return f", about {estimate.low}–{estimate.high} ms"
    return f", about {estimate.low / 1000:,.1f}–{estimate.high / 1000:,.1f} s"


def who_waits(claim: LockClaim) -> str:
    if "reads" in claim.blocks:
        return "readers and writers"
    return "writers" if "writes" in claim.blocks else "other schema changes"


def waiting(at: Situation, claim: LockClaim, doing: str) -> str:
    """The sentence behind most findings: who waits for what, and how long."""
    table = claim.relation
    return (
        f"{who_waits(claim)} of {table.name} wait behind {claim.mode} while {size(at, table)} are {doing}"
        f"{traffic(at, table)}{duration(at.effects.duration)}"
    )


def still_said(at: Situation) -> str:
    """What of the database itself says the name that the statement takes away, as a clause; nothing where nothing does."""
    return "".join(f"; {said}" for said in left_naming.sentences(at.operation, at.final or at.catalog))


def others(at: Situation, relation: Name) -> str:
    """Relations that are locked as well and keep somebody out, with the reason; nothing when there are none."""
    strongest: dict[Name, LockClaim] = {}
    for claim in at.effects.locks:
        if claim.relation != relation and "writes" in claim.blocks and at.table(claim.relation):
            strongest.setdefault(claim.relation, claim)
    named = [f"{one.relation.name} ({one.mode}{', ' + one.why if one.why else ''})" for one in strongest.values()]
    return f"; locked as well: {', '.join(named)}" if named else ""
