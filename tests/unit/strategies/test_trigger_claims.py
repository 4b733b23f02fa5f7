"""Making a trigger and taking it away lock differently: a plan claims each as it is, forward and back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import planning
from driftflow.model.plan import Plan, RunSql, Step, UndoSteps

POSTGRESQL = planning.named("postgresql")
MIGRATIONS = {
    "dual write": '-- driftflow: dual-write column=size set="NEW.quantity"\nALTER TABLE orders ADD COLUMN size integer;',
    "shadow column": "ALTER TABLE orders ALTER COLUMN quantity TYPE bigint;",
    "duplicates": "-- driftflow: duplicates keep=first by=id\nALTER TABLE orders ADD CONSTRAINT orders_status_key UNIQUE (status);",
    "soft drop": "-- driftflow: soft-drop until=2099-01-01\nALTER TABLE orders DROP COLUMN status;",
    "archive": "-- driftflow: archive\nALTER TABLE orders DROP COLUMN status;",
    "polymorphic": (
        '-- driftflow: polymorphic type=status id=product_id targets="user=users(id), product=products(id)"\n'
        "ALTER TABLE orders ADD CONSTRAINT orders_subject CHECK (status IN ('new', 'user', 'product'));"
    ),
    "rule": "-- driftflow: rule existing=keep\nALTER TABLE orders ADD CONSTRAINT orders_old CHECK (created_at <= now());",
}


def every(steps: tuple[Step, ...]) -> Iterator[Step]:
    for step in steps:
        yield step
        if isinstance(step.undo, UndoSteps):
            yield from every(step.undo.steps)


def with_triggers(plan: Plan) -> list[RunSql]:
    return [step for step in every(plan.steps) if isinstance(step, RunSql) and any("TRIGGER" in sql for sql in step.statements)]


@pytest.mark.parametrize("name", MIGRATIONS)
def test_a_trigger_goes_under_the_lock_that_it_takes(name: str) -> None:
    """PostgreSQL 18: CREATE TRIGGER takes SHARE ROW EXCLUSIVE, DROP TRIGGER takes ACCESS EXCLUSIVE (measured)."""
    found = with_triggers(planning.plan_of(MIGRATIONS[name], POSTGRESQL))
    dropping = [step for step in found if any(sql.startswith("DROP TRIGGER") for sql in step.statements)]
    assert found and dropping
    for step in dropping:
        for table in {sql.rpartition(" ON ")[2] for sql in step.statements if sql.startswith("DROP TRIGGER")}:
            modes = {claim.mode for claim in step.claims if claim.relation.text == table}
            assert "ACCESS EXCLUSIVE" in modes, (step.purpose, table, modes)
