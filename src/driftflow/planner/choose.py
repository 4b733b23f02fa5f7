"""Which strategy carries out which operation: among those that apply, the highest rank; `direct` always applies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as with_fields
from itertools import groupby

from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.catalog import Column
from driftflow.model.operations import (
    AddColumn,
    ChangeColumn,
    DropColumn,
    Operation,
    Pragma,
    RenameColumn,
    RequestAlgorithm,
    SetSetting,
    TransactionControl,
)
from driftflow.model.plan import PHASES, Phase, Step
from driftflow.model.record import replace
from driftflow.planner.bound import Bound, all_bound
from driftflow.planner.draft import Draft
from driftflow.planner.foreseen import refuse_certain_failure, refuse_conflict
from driftflow.planner.legacy_renames import refuse_legacy_renames
from driftflow.planner.remade import REMADE, all_remade
from driftflow.planner.settings import Carried
from driftflow.planner.standing import with_standing
from driftflow.planner.unsupported import refuse_unsupported
from driftflow.plugins import Registration, discover
from driftflow.strategies import spoken
from driftflow.strategies.direct import NAME as DIRECT
from driftflow.strategies.direct import statement_as_it_stands, statements_as_they_stand
from driftflow.strategies.drops.drop_columns import refuse_dependents
from driftflow.strategies.full_text import refuse_lost_content
from driftflow.strategies.passes import Pass, in_passes
from driftflow.strategies.rebuild.rebuild_limits import obstacle, waits_for_copy
from driftflow.strategies.rebuild.rebuild_online import NAME as REBUILD_ONLINE
from driftflow.strategies.rebuild.rebuild_online import rebuilt_online, wanted
from driftflow.strategies.rebuild.rebuild_table import expressions_of
from driftflow.strategies.rebuild.rebuilding import STRATEGY as REBUILD
from driftflow.strategies.rebuild.rebuilding import rebuild
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.types.shadow_column import why_left_whole
from driftflow.strategies.verify_result import verifications


def strategies() -> tuple[Registration, ...]:
    """All of them, the highest rank first; equal ranks by name."""
    return tuple(sorted(discover("strategy").of("strategy"), key=lambda entry: (-entry.info["rank"], entry.name)))


def choose(at: Situation) -> Registration:
    """The strategy for one operation."""
    if spoken.as_is(at):
        return next(entry for entry in strategies() if entry.name == DIRECT)
    return next(
        entry for entry in strategies() if isinstance(at.operation, entry.info["on"]) and entry.info["applies"](at.operation, at)
    )


@dataclass
class Chosen:
    """The drafts in source order, and what there is to say about them."""

    drafts: list[Draft] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, situations: Sequence[Situation], strategy: str, steps: Sequence[Step], carried: Carried, **more: bool) -> None:
        self.drafts.append(
            Draft(
                position=len(self.drafts),
                situations=tuple(situations),
                strategy=strategy,
                steps=tuple(steps),
                settings=carried.settings,
                role=carried.role,
                **more,
            )
        )


def draft_all(situations: Sequence[Situation]) -> Chosen:
    """A draft for every statement. Raises RefusedError for what certainly fails or rolls itself back."""
    chosen = Chosen()
    groups = [
        list(group)
        for _, group in groupby(
            situations, key=lambda at: (at.migration.source, at.migration.id, at.statement.span.start, at.statement.sql)
        )
    ]
    anew = all_remade(groups)
    bound = all_bound(groups, apart={number for one in anew.values() for number in one.members})
    anew = {number: one for number, one in anew.items() if not any(member in bound for member in one.members)}
    taken = {number for one in anew.values() for number in one.members}
    refuse_legacy_renames(groups, taken)
    carried, verified, whole = Carried(), list[Situation](), None
    for number, together in enumerate(groups):
        at = together[0]
        if number in anew:
            chosen.add(anew[number].situations, REMADE, [anew[number].step()], carried.at(at))
        if number in taken:
            continue
        spoken.check_all(at.statement)
        carried = carried.at(at)
        if _is_session(together):
            carried = _session(together, carried, chosen)
            continue
        for situation in together:
            refuse_dependents(situation)
            refuse_lost_content(situation)
            refuse_unsupported(situation)
            refuse_conflict(situation)
        if whole is not None and bound.get(number) is not whole:
            _verify_whole(verified, chosen, carried, whole)
        whole = bound.get(number)
        steps_before = len(chosen.drafts)
        if whole is not None:
            _draft_bound(together, carried, chosen, whole)
            verified.append(together[-1])
        else:
            _draft_statement(together, carried, chosen)
            _verify(together[-1], chosen, carried, since=steps_before)
    if whole is not None:
        _verify_whole(verified, chosen, carried, whole)
    chosen.drafts = with_standing(_merge_online(_merge_rebuilds(chosen.drafts)))
    return chosen


def _draft_bound(together: list[Situation], carried: Carried, chosen: Chosen, whole: Bound) -> None:
    """As it stands, in one transaction with what belongs to it; where the server's DDL takes part in none, in one phase with it."""
    at = together[0]
    before = len(chosen.drafts)
    if whole.transactional:
        refuse_certain_failure(together)
        step = statement_as_it_stands([situation.operation for situation in together], at)
        chosen.add(together, DIRECT, [step], carried, direct=True)
        note = f"{at.migration.id}: {whole.reason}, so its statements stay together in one transaction"
        chosen.notes += [note] if note not in chosen.notes else []
    else:
        _draft_statement(together, carried, chosen)
    for number in range(before, len(chosen.drafts)):
        draft = chosen.drafts[number]
        glued = whole.transactional and number > 0 and chosen.drafts[number - 1].whole == whole.first
        chosen.drafts[number] = with_fields(draft, whole=whole.first, glued=glued)


def _verify_whole(verified: list[Situation], chosen: Chosen, carried: Carried, whole: Bound) -> None:
    """What its statements left is looked at behind the last of them."""
    since = next(number for number, draft in enumerate(chosen.drafts) if draft.whole == whole.first)
    for at in verified:
        _verify(at, chosen, carried, since=since)
    verified.clear()


def _draft_statement(together: list[Situation], carried: Carried, chosen: Chosen) -> None:
    """The whole statement as it stands when every part of it may; else each part by its own strategy."""
    picked = [choose(at) for at in together]
    refuse_certain_failure([at for at, entry in zip(together, picked, strict=True) if entry.name == DIRECT])
    if all(entry.name == DIRECT for entry in picked):
        _draft_direct(together, carried, chosen)
        return
    if any(isinstance(at.operation, SetSetting) for at in together):
        # SET STATEMENT ... FOR speaks of the statement as it stands.
        chosen.add(
            together, DIRECT, list(statements_as_they_stand([at.operation for at in together], together[0])), carried, direct=True
        )
        return
    for direct, group in groupby(zip(together, picked, strict=True), key=lambda pair: pair[1].name in (DIRECT, REBUILD_ONLINE)):
        pairs = list(group)
        if direct and together[0].dialect.one_pass:
            _draft_clauses([at for at, _ in pairs], carried, chosen)
            continue
        for at, entry in pairs:
            steps = list(entry.value(at.operation, at))
            if not steps and chosen.drafts:
                # Its strategy took it in with the statement before: what it breaks is asked about at the same gate.
                chosen.drafts[-1] = with_fields(chosen.drafts[-1], situations=(*chosen.drafts[-1].situations, at))
                continue
            chosen.add([at], entry.name, steps, carried, direct=entry.name == DIRECT)


def _draft_clauses(situations: list[Situation], carried: Carried, chosen: Chosen) -> None:
    """What is left of a statement beside the clauses that have a recipe: again clauses of one pass. What it asked about its way of working was
    said of the whole, and each step now says that of itself."""
    left = [at for at in situations if not isinstance(at.operation, RequestAlgorithm)]
    if len(left) < len(situations):
        at = situations[0]
        note = f"{at.statement.span}: what the statement says about ALGORITHM, LOCK or WAIT gives way: each step of its recipe says that of itself"
        chosen.notes += [note]
    if left:
        _draft_direct(left, carried, chosen)


def _draft_direct(together: list[Situation], carried: Carried, chosen: Chosen) -> None:
    """As they stand; but what would keep the writers of a large table waiting for a copy is done beside the table, all of it at once."""
    first, operations = together[0], [at.operation for at in together]
    runs = in_passes(operations, first.catalog, first) if first.dialect.one_pass and not spoken.as_is(first) else []
    if not any(wanted(run, first) for run in runs):
        chosen.add(together, DIRECT, list(statements_as_they_stand(operations, first)), carried, direct=True)
        chosen.notes += _why_writers_wait(runs, first) or _why_everybody_waits(together)
        return
    for run in runs:
        these = [at for at in together if any(at.operation is operation for operation in run.operations)]
        at = replace(first, operation=run.operations[0], catalog=run.catalog)
        if wanted(run, first):
            chosen.add(these, REBUILD_ONLINE, list(rebuilt_online(at, run.operations)), carried)
        else:
            chosen.add(these, DIRECT, list(statements_as_they_stand(run.operations, at)), carried, direct=True)
            chosen.notes += _why_writers_wait([run], at)


def _why_writers_wait(runs: Sequence[Pass], at: Situation) -> list[str]:
    """What stands in the way of doing it beside the table."""
    found = []
    for run in runs:
        why = obstacle(run.operations, run.catalog, at) if waits_for_copy(run) else ""
        found += (
            [f"{at.statement.span}: writers wait until it is done, and it cannot be done beside the table: {why}"] if why else []
        )
    return found


def _why_everybody_waits(together: Sequence[Situation]) -> list[str]:
    """The same of a column that is not made beside itself."""
    said = [(at, why_left_whole(at)) for at in together]
    return [
        f"{at.statement.span}: readers and writers wait until it is done, and it cannot be done beside the column: {why}"
        for at, why in said
        if why
    ]


def _verify(at: Situation, chosen: Chosen, carried: Carried, *, since: int) -> None:
    phases: list[Phase] = [step.phase for draft in chosen.drafts[since:] for step in draft.steps]
    phase = max(["migrate", *phases], key=PHASES.index)
    steps = list(verifications(at, phase=phase))
    if steps:
        chosen.add([at], "verify_result", steps, carried, verifies=True)


SESSION_PRAGMAS = (
    "foreign_keys",
    "legacy_alter_table",
    "defer_foreign_keys",
    "busy_timeout",
    "recursive_triggers",
    "synchronous",
    "cache_size",
    "temp_store",
)


def _is_session(together: list[Situation]) -> bool:
    return all(_session_only(at.operation) for at in together)


def _session_only(operation: Operation) -> bool:
    if isinstance(operation, Pragma):
        return operation.name.lower() in SESSION_PRAGMAS and operation.value is not None
    if isinstance(operation, SetSetting) and operation.name == "constraints":
        return False  # A statement of its transaction, which stays whole for it (bound.py).
    return isinstance(operation, SetSetting | TransactionControl)


def _session(together: list[Situation], carried: Carried, chosen: Chosen) -> Carried:
    """SET is carried to the steps that follow; BEGIN and COMMIT give way to the plan's own transactions."""
    for at in together:
        match at.operation:
            case SetSetting() as operation:
                carried, note = carried.after(operation, at)
                chosen.notes += [f"{at.migration.id}: {note}"] if note else []
            case TransactionControl(action="rollback"):
                raise RefusedError(
                    "DF-E322",
                    "a migration rolls itself back",
                    where=str(at.statement.span),
                    why="what stands before a ROLLBACK would be planned as if it stayed",
                    hint="remove the ROLLBACK, or the statements before it",
                )
            case Pragma(name=name):
                chosen.notes.append(f"{at.migration.id}: PRAGMA {name} is left out; the plan's steps set what they need")
            case _:
                pass
    return carried


def _merge_rebuilds(drafts: list[Draft]) -> list[Draft]:
    """Neighbouring changes of one table that each need it built anew become one rebuild."""
    merged: list[Draft] = []
    for draft in drafts:
        last = merged[-1] if merged else None
        if last is not None and _same_rebuild(last, draft):
            merged[-1] = _rebuilt_together(last, draft)
        else:
            merged.append(draft)
    return merged


def _same_rebuild(left: Draft, right: Draft) -> bool:
    if left.strategy != REBUILD or right.strategy != REBUILD or len(left.steps) != 1 or len(right.steps) != 1:
        return False
    same_table = getattr(left.steps[0], "table", None) == getattr(right.steps[0], "table", None)
    same_migration = left.at.migration.id == right.at.migration.id and left.at.migration.source == right.at.migration.source
    return same_table and same_migration and left.steps[0].phase == right.steps[0].phase and not right.at.directives("gate")


def _rebuilt_together(left: Draft, right: Draft) -> Draft:
    from driftflow.strategies.rebuild.rebuild_table import guards_of

    situations = (*left.situations, *right.situations)
    operations = [at.operation for at in situations]
    expressions = {name: text for operation in operations for name, text in expressions_of(operation).items()}
    step = rebuild(
        Recipe(left.at, REBUILD),
        operations,
        table=left.steps[0].table,  # type: ignore[union-attr]
        phase=left.steps[0].phase,
        guards=tuple(dict.fromkeys(guard for at in situations for guard in guards_of(at.operation, at, expressions))),
        expressions=expressions,
    )
    return Draft(
        position=left.position,
        situations=situations,
        strategy=REBUILD,
        steps=(step,),
        settings=left.settings,
        role=left.role,
        glued=left.glued,
    )


def _merge_online(drafts: list[Draft]) -> list[Draft]:
    """The same of rebuilds beside the table."""
    merged: list[Draft] = []
    for draft in drafts:
        joined = _online_together(merged[-1], draft) if merged else None
        if joined is None:
            merged.append(draft)
        else:
            merged[-1] = joined
    return merged


def _online_together(left: Draft, right: Draft) -> Draft | None:
    if left.strategy != REBUILD_ONLINE or right.strategy != REBUILD_ONLINE or left.settings != right.settings:
        return None
    first, second = left.at, right.at
    same = first.dialect.altered_table(first.operation) == second.dialect.altered_table(second.operation)
    together = first.written_in == second.written_in
    if not (same and together and left.steps[0].phase == right.steps[0].phase) or second.directives("gate"):
        return None
    operations = (*left.operations, *right.operations)
    if _columns(right, made=False) & _columns(left, made=True):
        return None  # one statement says a column once
    if obstacle(operations, first.catalog, first):
        return None
    return with_fields(left, situations=(*left.situations, *right.situations), steps=tuple(rebuilt_online(first, operations)))


def _columns(draft: Draft, *, made: bool) -> set[str]:
    """Those that it changes, by the names of before, or with `made` by all that they have."""
    found: set[str] = set()
    for one in draft.operations:
        match one:
            case ChangeColumn(column=column, definition=Column(name=to)) | RenameColumn(column=column, to=to):
                found |= {column.lower(), to.lower()} if made else {column.lower()}
            case AddColumn(column=Column(name=name)) if made:
                found.add(name.lower())
            case DropColumn(column=column):
                found.add(column.lower())
            case _:
                pass
    return found


def every_step(drafts: Sequence[Draft]) -> Iterator[Step]:
    for draft in drafts:
        yield from draft.steps
