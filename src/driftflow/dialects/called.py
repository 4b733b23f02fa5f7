"""Which parts of a catalog call a function, by the expressions that the catalog keeps."""

from __future__ import annotations

import re
from collections.abc import Iterator

from driftflow.model.catalog import Catalog, Check, Policy, Table
from driftflow.model.names import Name


def stored_with(table: Table, function: Name) -> Iterator[str]:
    """What was computed with it and is kept: indexes, stored generated columns, checks that rows have passed."""
    calls = _calls(function)
    for index in table.indexes:
        if calls.search(index.predicate) or any(calls.search(part.expression) for part in index.parts):
            yield f"index {index.name.name}"
    for column in table.columns:
        if column.generated is not None and column.generated.stored and calls.search(column.generated.expression):
            yield f"column {table.name.name}.{column.name}"
    for constraint in table.constraints:
        if isinstance(constraint, Check) and calls.search(constraint.expression):
            yield f"check {constraint.name}"


def asked_by(table: Table, function: Name) -> Iterator[str]:
    """What calls it when rows are written or read: defaults, virtual columns, policies."""
    calls = _calls(function)
    for column in table.columns:
        if column.default is not None and calls.search(column.default):
            yield f"the default of {table.name.name}.{column.name}"
        if column.generated is not None and not column.generated.stored and calls.search(column.generated.expression):
            yield f"column {table.name.name}.{column.name}"
    for policy in table.policies:
        if any(calls.search(one) for one in _asked(policy)):
            yield f"policy {policy.name} of {table.name.name}"


def views_with(catalog: Catalog, function: Name) -> Iterator[Name]:
    """Views whose query calls it."""
    calls = _calls(function)
    return (view.name for view in catalog.views.values() if calls.search(view.definition))


def _asked(policy: Policy) -> tuple[str, ...]:
    return tuple(one for one in (policy.using, policy.check) if one)


def _calls(function: Name) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w$]){re.escape(function.name)}\"?\s*\(")
