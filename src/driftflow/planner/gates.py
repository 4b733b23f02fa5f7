"""Where a run waits for the world outside: before the first step that would break the application that runs now, and where the author says."""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.dialects.verbs import need
from driftflow.model.names import Name
from driftflow.model.operations import left_naming
from driftflow.model.plan import Gate, UndoNothing
from driftflow.model.record import replace
from driftflow.planner.draft import Draft
from driftflow.planner.order import Placed
from driftflow.strategies.columns.dual_write import RETIRE, RETIRE_COLUMN, RETIRE_TABLE, STRATEGY
from driftflow.strategies.drops.soft_drop import SOFT_RENAME, end_of_deprecation
from driftflow.strategies.fitted import fit
from driftflow.strategies.phases import breaks_running_code

DEPLOYED = "deployed"
REMOVING = (RETIRE_COLUMN, RETIRE_TABLE)
"""Steps after which the old form cannot take its place again with every row."""
QUESTION = "Is the new version of the application running everywhere, and the old one nowhere?"
QUESTION_BACK = "Is the old version of the application running everywhere again, and the new one nowhere?"


def with_gates(placed: Sequence[Placed], references: Sequence[str] = ()) -> list[Placed]:
    """The steps with gates between them. A gate is put only where the contract breaks something.

    `references` are places of the application that still use what will change; they join the first gate's checklist.
    """
    pending = tuple(references)
    contract = [one for one in placed if one.step.phase == "contract"]
    late = _swapped_late(contract)
    early = {id(one.draft) for one in placed if one.step.strategy in REMOVING and one.step.phase != "contract"}
    reasons = _reasons([one for one in contract if not (one.step.strategy in REMOVING and id(one.draft) in late)])
    out: list[Placed] = []
    opened: set[str] = set()
    for one in placed:
        if one.step.strategy in REMOVING and id(one.draft) in late | early:
            late, early = late - {id(one.draft)}, early - {id(one.draft)}
            out.append(Placed(_removal_gate(one), one.draft, True))
        elif one.step.phase == "contract":
            if reasons and DEPLOYED not in opened:
                opened.add(DEPLOYED)
                out.append(Placed(_gate(DEPLOYED, QUESTION, (*reasons, *pending), one), one.draft, True))
                pending = ()
            asking = () if one.step.strategy == SOFT_RENAME else [(draft, *gate) for draft in one.drafts for gate in asked(draft)]
            for draft, name, question, day in asking:
                if name not in opened:
                    opened.add(name)
                    gate = _gate(name, question, (*_broken(draft), *pending), one)
                    out.append(Placed(replace(gate, not_before=day), one.draft, True))
                    pending = ()
        out.append(one)
    return out


def _swapped_late(contract: Sequence[Placed]) -> set[int]:
    """Drafts whose new form takes its place behind the gate already: what they keep of the old one would go the moment after."""
    removing = {id(one.draft) for one in contract if one.step.strategy in REMOVING}
    swapping = {id(one.draft) for one in contract if one.step.strategy not in REMOVING}
    return removing & swapping


def _removal_gate(removal: Placed) -> Gate:
    tables = _tables(removal.draft)
    labels = [table.name for table in tables]
    column = getattr(removal.draft.at.operation, "column", None)
    if removal.step.strategy == RETIRE_COLUMN and column is not None:
        labels = [f"{labels[0]}.{getattr(column, 'name', column)}"]
    form = "forms" if len(labels) > 1 else "form"
    question = (
        f"Does everything go well with the new {form} of {', '.join(labels)}? What is kept of the old {form} is removed now."
    )
    return _gate(fit(f"remove-old-{labels[0]}", bytes_max=60), question, (), removal)


def _tables(draft: Draft) -> list[Name]:
    """Those that the statements change, once each."""
    named = (at.dialect.altered_table(at.operation) or getattr(at.operation, "table", None) for at in draft.situations)
    return list(dict.fromkeys(table for table in named if table is not None))


def asked(draft: Draft) -> list[tuple[str, str, str]]:
    """The gates that the author put before the statement: name, question, and the day before which it stays shut."""
    soft = end_of_deprecation(draft.at)
    return ([soft] if soft is not None else []) + [
        (need(directive, "name"), directive.options.get("question") or f"May {directive.options['name']} go on?", "")
        for at in draft.situations[:1]
        for directive in at.directives("gate")
    ]


def _reasons(contract: Sequence[Placed]) -> tuple[str, ...]:
    """Why the new application must be live first; statements behind a gate of their own are asked about there."""
    found: list[str] = []
    for one in contract:
        if one.step.strategy == RETIRE:
            found.append(f"{_retired(one)} is written by the new application itself")
        elif one.step.strategy == RETIRE_COLUMN:
            found.append(f"{one.step.purpose}: until then the type can go back with every value")
        elif one.step.strategy == RETIRE_TABLE:
            tables = ", ".join(map(str, _tables(one.draft)))
            found.append(f"the old form of {tables} is removed: until then it can take its place again with every row")
        else:
            found += [
                why for draft in one.drafts if one.step.strategy == SOFT_RENAME or not asked(draft) for why in _broken(draft)
            ]
    return tuple(dict.fromkeys(found))


def _retired(one: Placed) -> str:
    operation = one.draft.at.operation
    column = getattr(getattr(operation, "column", None), "name", "")
    table = getattr(operation, "table", None)
    return f"{table.name}.{column}" if column and table is not None else STRATEGY


def _broken(draft: Draft) -> tuple[str, ...]:
    found: list[str] = []
    for at in draft.situations:
        if why := breaks_running_code(at.operation, at):
            found += (why, *left_naming.sentences(at.operation, at.final or at.catalog))
    return tuple(found)


def _gate(name: str, question: str, checklist: tuple[str, ...], before: Placed) -> Gate:
    return Gate(
        purpose=f"Wait until somebody says yes: {question}",
        migration=before.step.migration,
        span=before.step.span,
        strategy="gate",
        phase=before.step.phase,
        name=name,
        question=question,
        checklist=checklist,
        question_back=QUESTION_BACK if name == DEPLOYED else "",
        undo=UndoNothing(reason="waiting changes nothing"),
    )
