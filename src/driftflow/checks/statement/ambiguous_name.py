"""DF008: the same name is in several schemas, and search_path alone decides which one is meant."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.dialects.walk import relations_of
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import BaseOperation, Operation


@check(
    "DF008",
    on=BaseOperation,
    page="statement/ambiguous-name",
    title="A name that is in several schemas",
    dialects=("postgresql",),
    only=("several_schemas",),
)
def ambiguous_name(operation: Operation, at: Situation) -> Iterator[Finding]:
    """Silent where only one schema has the name, and where the migration sets search_path itself."""
    if at.start is not None and at.start.search_path != at.catalog.search_path:
        return
    for name in relations_of(at.statement.operations[at.index]):
        if name.schema:
            continue
        homes = [
            one
            for one in at.catalog.schemas
            if f"{one}.{name.name}" in at.catalog.tables or f"{one}.{name.name}" in at.catalog.views
        ]
        if len(homes) < 2:
            continue
        taken = next((one.schema for one in relations_of(operation) if one.name == name.name), "")
        yield finding(
            at,
            f"{name.name} is in {' and in '.join(homes)}: search_path decides which one is meant",
            axis="breaks",
            severity="warning",
            why=f"here it is {taken}.{name.name}; another role, or another setting of the connection, changes the other one"
            if taken
            else "",
            remedy=Remedy(summary="write the schema", sql=f"{at.dialect.quote(taken or homes[0])}.{at.dialect.quote(name.name)}"),
            known_by="catalog",
            near=name.name,
        )
