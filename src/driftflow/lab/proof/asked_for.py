"""What a directive asks for beside its statement: triggers, indexes, tables. The original migration, in which a directive is a comment, makes none of
them. They are named in the proof, and a run that is disturbed must make the same ones; whether they do what they should is not shown here."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from driftflow.lab.proof.naming import texts_of
from driftflow.lab.proof.state import Found, State
from driftflow.model.catalog import Check
from driftflow.model.migration import Migration, Statement
from driftflow.model.operations import AddConstraint
from driftflow.model.plan import Plan

LEAVE_SOMETHING = frozenset(("by-trigger", "maintained", "nulls-not-distinct", "polymorphic", "rule"))
"""Verbs whose recipes stay in the schema."""
CLEANSE = frozenset(("duplicates", "orphans"))
"""Verbs that say what becomes of rows which stand in the way of a key."""
IN_THE_PLACE_OF_A_CHECK = frozenset(("by-trigger", "rule"))


def asked_for(plan: Plan, migrations: Sequence[Migration], expected: State, found: State) -> dict[str, object]:
    """Of what only the plan's end has, by name: what a step makes that answers such a directive, and no other step. And, with None, the constraints of
    which it says that a trigger is to stand for them."""
    statements = [(migration.id, one) for migration in migrations for one in migration.statements if _says(one, LEAVE_SOMETHING)]
    asked = {(id, one.span) for id, one in statements}
    texts = [((step.migration, step.span) in asked, " ".join(texts_of(step)).lower()) for step in plan.steps]
    mine = " ".join(text for wanted, text in texts if wanted)
    others = " ".join(text for wanted, text in texts if not wanted)
    more: dict[str, object] = {
        name: one
        for name, one in found.objects.items()
        if name not in expected.objects and _speaks_of(mine, name) and not _speaks_of(others, name)
    }
    checks = {
        operation.constraint.name
        for _, one in statements
        if (more or _rows_alone(one)) and _says(one, IN_THE_PLACE_OF_A_CHECK)
        for operation in one.operations
        if isinstance(operation, AddConstraint) and isinstance(operation.constraint, Check)
    }
    more |= dict(_stood_for(statements, expected, found))
    missing = expected.objects.keys() - found.objects.keys()
    return more | {name: None for name in missing if name.startswith("constraint ") and _own(name) in checks}


def _stood_for(statements: Sequence[tuple[str, Statement]], expected: State, found: State) -> Iterator[tuple[str, object]]:
    """CHECKs that say `1 = 1` where a function in Python is meant, as what it was compiled to."""
    meant = {
        operation.constraint.name
        for _, one in statements
        if any(directive.verb == "rule" and "python" in directive.options for directive in one.directives)
        for operation in one.operations
        if isinstance(operation, AddConstraint) and isinstance(operation.constraint, Check)
    }
    for name, one in found.objects.items():
        if name.startswith("constraint ") and _own(name) in meant and expected.objects.get(name, one) != one:
            yield name, one


def _rows_alone(statement: Statement) -> bool:
    """Rows that are there are run through a function once, and new ones are not held to it: nothing stays in the schema."""
    return any(one.verb == "rule" and one.options.get("new") == "unchecked" for one in statement.directives)


def unanswered(
    plan: Plan, migrations: Sequence[Migration], expected: State, found: State, asked: Mapping[str, object]
) -> Iterator[Found]:
    """CHECKs that the original could do without, since a trigger is to stand for them, and for which nothing stands."""
    for migration in migrations:
        for one in migration.statements:
            if not _says(one, IN_THE_PLACE_OF_A_CHECK) or _rows_alone(one):
                continue
            text = " ".join(
                text for step in plan.steps if (step.migration, step.span) == (migration.id, one.span) for text in texts_of(step)
            ).lower()
            made = any(value is not None and _speaks_of(text, name) for name, value in asked.items())
            for operation in one.operations:
                if isinstance(operation, AddConstraint) and isinstance(operation.constraint, Check) and not made:
                    name = f"constraint {operation.constraint.name} of {operation.table}"
                    if not any(_own(other) == _own(name) for other in {*expected.objects, *found.objects}):
                        yield (
                            name,
                            "is what the migration asks for, and neither it is there after the plan nor a trigger in its place",
                        )


def checks_by_trigger(statement: Statement) -> int:
    """How many CHECKs the statement adds that a trigger is to stand for."""
    if not _says(statement, IN_THE_PLACE_OF_A_CHECK):
        return 0
    return sum(isinstance(one, AddConstraint) and isinstance(one.constraint, Check) for one in statement.operations)


def beside(expected: State, found: State, asked: Mapping[str, object]) -> State:
    """The expected end, and what was asked for beside it as the undisturbed run made it. Rows of such a table are anybody's."""
    missing = {name: one for name, one in asked.items() if one is not None and expected.objects.get(name) != one}
    return dataclasses.replace(
        expected,
        objects={name: one for name, one in expected.objects.items() if asked.get(name, one) is not None} | missing,
        details={**expected.details, **{name: found.details[name] for name in missing if name in found.details}},
        rows={**expected.rows, **{name: rows for name, rows in found.rows.items() if f"table {name}" in missing}},
    )


def told(asked: Mapping[str, object]) -> Iterator[str]:
    """As a note of the proof."""
    more, instead = (sorted(name for name, one in asked.items() if (one is None) is missing) for missing in (False, True))
    if more:
        place = f" (in the place of {', '.join(instead)})" if instead else ""
        yield f"directives ask for more than the original migration, which was not compared with anything: {', '.join(more)}{place}"


def not_met(migrations: Sequence[Migration]) -> Iterator[str]:
    """As notes of the proof: directives about rows of which none is made up, for the original migration, a comment to which they are, would fail on them."""
    for migration in migrations:
        for one in migration.statements:
            for verb in sorted(CLEANSE & {directive.verb for directive in one.directives}):
                yield f"no {verb} are among the made-up rows, so what `{verb}` makes of them was not shown: {one.span}"


def _says(statement: Statement, verbs: Collection[str]) -> bool:
    return any(directive.verb in verbs for directive in statement.directives)


def _own(name: str) -> str:
    """By which text speaks of it: `trigger a_b of public.t` is a_b."""
    return name.partition(" ")[2].partition(" of ")[0].partition("(")[0].rpartition(".")[2].strip('"')


def _speaks_of(text: str, name: str) -> bool:
    own = _own(name).lower()
    return bool(own) and re.search(rf"(?<!\w){re.escape(own)}(?!\w)", text) is not None
