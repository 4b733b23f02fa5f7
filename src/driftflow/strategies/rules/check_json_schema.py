"""`CHECK (JSON_SCHEMA_VALID('...', document))`: as it stands where the server knows the function, else compiled."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Check, Table
from driftflow.model.operations import AddConstraint
from driftflow.model.plan import Step
from driftflow.model.record import replace
from driftflow.strategies import spoken
from driftflow.strategies.base import strategy
from driftflow.strategies.constraints.constraining import bind_then_validate
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.rules import json_schema, json_schema_extracts
from driftflow.strategies.rules.json_documents import any_of, as_paths, by_functions
from driftflow.strategies.rules.row_rules import RowRule, columns_read
from driftflow.strategies.size import is_new

NAME = "check_json_schema"


def _applies(operation: AddConstraint, at: Situation) -> bool:
    check = operation.constraint
    if not isinstance(check, Check):
        return False
    if at.can(Capability.JSON_SCHEMA_VALID):
        found = json_schema.called(check.expression, at)
        return found is not None and _left_to_server(at) and not spoken.as_is(at) and json_schema.says_more(found[0])
    return json_schema.called(check.expression, at) is not None and at.table(operation.table) is not None


def _left_to_server(at: Situation) -> bool:
    """MySQL's own function reads the schema. MariaDB's (11.1) gets the statement as it stands."""
    return at.can(Capability.JSON_SCHEMA_VALID) and not at.can(Capability.JSON_TABLE)


@strategy(NAME, on=AddConstraint, applies=_applies, rank=95, page="check-json-schema")
def check_json_schema(operation: AddConstraint, at: Situation) -> Iterator[Step]:
    check, table = operation.constraint, at.table(operation.table)
    assert isinstance(check, Check) and table is not None
    found = json_schema.called(check.expression, at)
    assert found is not None
    text, document = found
    if _left_to_server(at):
        json_schema.readable_by_server(text, at)
    schema = json_schema.read(text, at)
    recipe = Recipe(at, NAME)
    if at.can(Capability.NOT_VALID_CONSTRAINT):
        compiled = replace(check, expression=as_paths(at, table, schema, document))
        yield from bind_then_validate(recipe, table.name, compiled, only=operation.only)
    elif at.can(Capability.SINGLE_WRITER):
        yield from _as_trigger(recipe, table, check, by_functions(at, schema, document), document)
    elif at.can(Capability.JSON_TABLE):
        broken = json_schema_extracts.broken(schema, document, at.dialect.quote_text)
        yield from _as_trigger(recipe, table, check, broken, document)
    else:
        raise json_schema.refused(
            at, "this version has no JSON_SCHEMA_VALID, and no functions by which it could be compiled into a CHECK"
        )


def _as_trigger(recipe: Recipe, table: Table, check: Check, conditions: Iterator[str], document: str) -> Iterator[Step]:
    """A text that is no JSON is refused too."""
    broken = any_of(document, conditions)
    name = check.name or f"{table.name.name}_check"
    rule = RowRule(recipe, table, name, broken, columns_read(recipe.at, table, document))
    yield from rule.steps(counted=not is_new(recipe.at, table.name))
