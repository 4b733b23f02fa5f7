"""Claim three: what each step was seen to lock, forward and back, is within what it claims."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager

from driftflow.dialects.postgresql.effects import locks as postgresql
from driftflow.engine.decide import undo_steps
from driftflow.lab.mysql_locks import STRENGTH
from driftflow.lab.proof.bench import Bench
from driftflow.lab.proof.running import named
from driftflow.lab.proof.state import ours
from driftflow.lab.proof.watching import Eye, Observed, PostgresqlEye, Seen
from driftflow.model.effects import LockClaim
from driftflow.model.plan import BuildIndex, Gate, Plan, RunSql, Step, Verify
from driftflow.model.proof import Claim, Difference, State
from driftflow.reports.style import count

HARMLESS = frozenset({postgresql.ACCESS_SHARE, postgresql.ROW_SHARE, "SHARED", "SHARED_HIGH_PRIO", "SHARED_READ", "SHARED_WRITE"})
"""They keep out neither readers nor writers, and are held for as long as something is read: a claim need not name every table that is read."""
SQLITE_MODES = ("RESERVED", "EXCLUSIVE")


@contextmanager
def seeing(bench: Bench) -> Iterator[Eye | None]:
    """Whoever sees the locks of the bench's dialect; None where they cannot be seen."""
    match bench.question.dialect.name:
        case "postgresql":
            yield PostgresqlEye()
        case "sqlite":
            from driftflow.lab.proof.watching_sqlite import SqliteEye

            yield SqliteEye()
        case _:
            from driftflow.lab.proof.watching_mysql import MysqlEye, metadata_is_seen

            if not metadata_is_seen(bench.start.connector):
                yield None
                return
            with closing(MysqlEye()) as eye:
                yield eye


def within_claims(bench: Bench, observed: Observed) -> Claim:
    """Steps that are not transactions and were seen to lock nothing are not proved; nobody but us waits for tables of ours."""
    dialect, plan = bench.question.dialect.name, bench.plan
    found: list[Difference] = []
    unseen: list[str] = []
    watched = 0
    for step in every_step(plan):
        if step.id not in observed.by_step:
            continue
        seen = {one for one in observed.by_step[step.id] if one[0] not in bench.question.version_tables}
        watched += len(seen)
        found += _beyond(step, seen, plan, dialect)
        alone = isinstance(step, BuildIndex) or (isinstance(step, RunSql) and step.transaction == "none")
        if alone and any(not ours(claim.relation) for claim in step.claims) and not seen and not _gone_already(step, plan):
            unseen.append(f"{named(plan, step)}: it ran outside a transaction, and no lock of it was seen")
    steps = sum(step.id in observed.by_step for step in every_step(plan))
    summary = f"{count(watched, 'lock')} of {count(steps, 'step')} seen, forward and back"
    state: State = "differs" if found else "not_proved" if unseen else "proved"
    return Claim(name="locks", state=state, summary=summary, differences=tuple(found), not_proved=tuple(unseen))


def _gone_already(step: Step, plan: Plan) -> bool:
    """A way back that drops, if it is there, what the plan itself has dropped by the same words, an index that goes with its constraint or with
    that of the partitioned table, or one that the plan has given another name, under which it goes."""
    if not isinstance(step, RunSql) or not all(" IF EXISTS " in one for one in step.statements):
        return False
    name = step.statements[-1].rpartition(".")[2]
    run = [other for other in plan.steps if isinstance(other, RunSql)]
    forward = [text for other in run for text in other.statements]
    back = [text for other in plan.steps for one in undo_steps(other) if isinstance(one, RunSql) for text in one.statements]
    renamed = any(text.startswith("ALTER INDEX ") and f".{name} RENAME TO " in text for text in forward)
    if renamed and not any(text.endswith(f" RENAME TO {name}") for text in back):
        return True
    goes_along = any(
        text.endswith(f" USING INDEX {name}") or (" ATTACH PARTITION " in text and text.endswith(f".{name}")) for text in forward
    )
    return goes_along or any(other.statements == step.statements for other in run)


def every_step(plan: Plan) -> Iterator[Step]:
    """Those of the plan, and those of their undo."""
    for step in plan.steps:
        if not isinstance(step, Gate | Verify):
            yield step
        yield from undo_steps(step)


def _beyond(step: Step, seen: Iterable[Seen], plan: Plan, dialect: str) -> Iterator[Difference]:
    for relation, mode in sorted(seen):
        claimed = [claim for claim in step.claims if claim.relation == relation]
        if any(covers(claim, mode, dialect) for claim in claimed) or (not claimed and mode in HARMLESS):
            continue
        said = ", ".join(sorted({claim.mode for claim in claimed})) or "no lock on it"
        yield Difference(
            step=named(plan, step), object=f"table {relation}", what=f"was locked in mode {mode}; the step claims {said}"
        )


def covers(claim: LockClaim, mode: str, dialect: str) -> bool:
    """Whether whoever is ready for the claim is ready for the lock."""
    if dialect == "sqlite":
        return mode in SQLITE_MODES and claim.mode in SQLITE_MODES and SQLITE_MODES.index(mode) <= SQLITE_MODES.index(claim.mode)
    if dialect in ("mysql", "mariadb"):
        return mode in STRENGTH and claim.mode in STRENGTH and STRENGTH.index(mode) <= STRENGTH.index(claim.mode)
    if mode == postgresql.SHARE_UPDATE_EXCLUSIVE and claim.mode == postgresql.SHARE:
        return False  # the one pair where the stronger one lets in what the weaker one does not
    return postgresql.strength(mode) <= postgresql.strength(claim.mode)
