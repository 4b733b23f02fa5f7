"""What PREPARE does not see of an INSERT: a column that needs a value and gets none, and values that end in other columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from driftflow.dialects.base import Dialect
from driftflow.dialects.source_text import SourceText
from driftflow.errors import DriftflowError
from driftflow.lab.prepare import Prober
from driftflow.model.compatibility import Broken
from driftflow.model.names import Name
from driftflow.model.operations import Insert


@dataclass(frozen=True, kw_only=True)
class Inserted:
    """Where an INSERT puts its values on the start schema."""

    table: Name
    columns: tuple[str, ...]
    """Those that it names; where it names none, all that the table had, in their order."""
    named: bool
    fold: Callable[[str], str]


def inserted(sql: str, dialect: Dialect, prober: Prober) -> Inserted | None:
    """None where the query is no INSERT, or one that only the server understands: of that one only PREPARE judges."""
    try:
        statements = [dialect.parse(statement) for statement in dialect.split(SourceText(sql))]
    except DriftflowError:
        return None
    found = [operation for statement in statements for operation in statement.operations if isinstance(operation, Insert)]
    if len(found) != 1:
        return None
    (insert,) = found
    places = prober.places(insert.table)
    # PostgreSQL tells names of different case apart, and its parser has folded them already.
    fold = str if dialect.name == "postgresql" else str.lower
    columns = tuple(fold(name) for name in insert.columns or [place.name for place in places])
    return Inserted(table=insert.table, columns=columns, named=bool(insert.columns), fold=fold)


def meaning(query: str, insert: Inserted, prober: Prober) -> Broken | None:
    """Why the INSERT, which the server prepares, does not do what it should."""
    places = prober.places(insert.table)
    names = tuple(insert.fold(place.name) for place in places)
    if not insert.named and names[: len(insert.columns)] != insert.columns:
        why = f"it names no columns, and they are {', '.join(names)} now (were {', '.join(insert.columns)})"
        return Broken(query=query, by="other_columns", why=why)
    missing = [place for place in places if place.required and insert.fold(place.name) not in insert.columns]
    if not missing:
        return None
    listed = ", ".join(place.name for place in missing)
    why = f"every row is refused: it gives {listed} no value, which needs one and has no default"
    if not any(place.filled for place in missing):
        return Broken(query=query, by="missing_value", why=why)
    fault = prober.refuses_row(insert.table, [name for name in insert.columns if name in names], [one.name for one in missing])
    if fault is None:
        return None
    return Broken(query=query, by="missing_value", code=fault.code, why=why)
