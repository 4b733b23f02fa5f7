"""DF403: TRUNCATE empties the table under ACCESS EXCLUSIVE, and with CASCADE every table that references it."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import is_new, size
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import Truncate


@check("DF403", on=Truncate, page="table/truncated", title="TRUNCATE loses every row")
def table_truncated(operation: Truncate, at: Situation) -> Iterator[Finding]:
    lost = [name for name in operation.tables if not is_new(at, name)]
    if not lost:
        return
    further = [claim.relation.name for claim in at.effects.locks if "CASCADE" in claim.why]
    yield finding(
        at,
        f"every row of {', '.join(name.name for name in lost)} is gone" + (f", and of {', '.join(further)}" if further else ""),
        axis="loses",
        severity="error",
        why=f"{', '.join(f'{name.name}: {size(at, name)}' for name in lost)}; old snapshots see an empty table too, and subscribers truncate as well",
        remedy=Remedy(
            summary="delete in chunks if some rows must stay or readers must not stop; else rename the table away and create an empty one",
            sql="\n".join(f"DELETE FROM {at.dialect.quote_name(name)} WHERE …;  -- in chunks by primary key" for name in lost),
        ),
        near=lost[0].name,
    )
