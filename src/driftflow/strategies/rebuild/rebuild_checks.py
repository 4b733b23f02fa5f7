"""The checks of a table that is rebuilt on MySQL, where their names are unique in a database.

A check without a name of its own is called by its table, `orders_chk_2`, and RENAME TABLE calls it anew with the table (measured on 9.7). So the copy, and later the
old form, hold theirs under names made of their own, and the swap gives them the right ones. A name that somebody has chosen stays with the old form
until that goes, and then no check of the new form can take it without a copy of the table while writers wait: neither ADD CONSTRAINT ... CHECK nor
ALTER CHECK ... ENFORCED is done in place there. Such a table is not rebuilt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from driftflow.dialects.base import Capability
from driftflow.dialects.mysql.keywords import quote_string
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Check, Table
from driftflow.model.names import Name
from driftflow.model.operations import AddConstraint, AlterConstraint, DropConstraint, Operation
from driftflow.model.record import replace
from driftflow.strategies.rebuild.paired_steps import schema_of


def checks_of(table: Table) -> list[Check]:
    return [one for one in table.constraints if isinstance(one, Check)]


def number_of(name: str, table: Name) -> str:
    """The number in a name that the server has made of the table's; empty where somebody has chosen the name."""
    found = re.fullmatch(re.escape(table.name) + r"_chk_([1-9][0-9]*)", name, re.IGNORECASE)
    return found.group(1) if found else ""


def chosen(table: Table, operations: Sequence[Operation], at: Situation) -> list[str]:
    """Names that the new form would need and could not have."""
    if not at.can(Capability.CHECK_NAMES_OF_SCHEMA):
        return []
    gone = {one.name for one in operations if isinstance(one, DropConstraint)}
    gone -= {one.constraint.name for one in operations if isinstance(one, AddConstraint)}
    return [one.name for one in checks_of(table) if not number_of(one.name, table.name) and one.name not in gone]


def numbered_again(source: Table, making: Name, at: Situation) -> list[str]:
    """Statements behind CREATE TABLE making LIKE source, without rows: the server has numbered the checks anew, in the order of their names."""
    if not at.can(Capability.CHECK_NAMES_OF_SCHEMA):
        return []
    checks = sorted(checks_of(source), key=lambda one: one.name.lower())
    moved = [
        (f"{making.name}_chk_{place}", one)
        for place, one in enumerate(checks, 1)
        if number_of(one.name, source.name) != str(place)
    ]
    gone = [at.dialect.render(DropConstraint(table=making, name=name)) for name, _ in moved]
    there = [
        at.dialect.render(AddConstraint(table=making, constraint=replace(one, name=f"{making.name}_chk_{number}")))
        for _, one in moved
        if (number := number_of(one.name, source.name))
    ]
    return [*gone, *there]


def on_the_copy(operations: Sequence[Operation], source: Table, making: Name, at: Situation) -> Iterator[Operation]:
    """The operations by the names that the checks have there; one with a name of its own is gone already."""
    for operation in operations:
        if (
            not isinstance(operation, DropConstraint | AlterConstraint)
            or not at.can(Capability.CHECK_NAMES_OF_SCHEMA)
            or not isinstance(source.constraint(operation.name), Check)
        ):
            yield operation
        elif number := number_of(operation.name, source.name):
            yield replace(operation, name=f"{making.name}_chk_{number}")


def lines(table: Name) -> str:
    """What each check of a table says, whatever it is called."""
    same = "c.CONSTRAINT_SCHEMA = t.CONSTRAINT_SCHEMA AND c.CONSTRAINT_NAME = t.CONSTRAINT_NAME"
    return (
        f"SELECT SHA2(CONCAT_WS('|', t.ENFORCED, c.CHECK_CLAUSE), 256) AS line FROM information_schema.TABLE_CONSTRAINTS AS t JOIN information_schema.CHECK_CONSTRAINTS AS c ON {same}"
        f" WHERE t.CONSTRAINT_TYPE = 'CHECK' AND t.TABLE_SCHEMA = {schema_of(table)} AND t.TABLE_NAME = {quote_string(table.name)}"
    )
