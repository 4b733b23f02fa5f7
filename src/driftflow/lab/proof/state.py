"""What a database holds, structure and rows, and where two of them differ: objects, columns and counts, never a value."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from driftflow.dialects.base import Dialect
from driftflow.drivers.catalogs import catalog_of
from driftflow.drivers.details import POSITION, Details, details_of
from driftflow.engine.ports import Connection, Connector
from driftflow.model.catalog import (
    Catalog,
    Check,
    Constraint,
    NotNull,
    Table,
    View,
    is_ours,
    structure,
    type_structure,
    view_structure,
)
from driftflow.model.names import Name
from driftflow.model.record import Record, replace, to_builtins

SHOWN_MAX = 5
Found = tuple[str, str]
"""(object, what is different)."""


@dataclass(frozen=True, kw_only=True)
class State:
    objects: Mapping[str, object]
    """`table public.orders` → what it is made of."""
    rows: Mapping[str, Rows]
    """By table."""
    details: Details = field(default_factory=dict)
    """By object what the catalog does not hold of it."""
    left: frozenset[str] = frozenset()
    """Triggers and routines of driftflow's own among the application's objects."""
    recorded: frozenset[str] = frozenset()
    """Ids of the plan's migrations that stand in their tools' version tables."""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Every value as a digest of its own. `keys` says which columns tell a row from the others; without one, rows are told apart as a whole."""

    columns: tuple[str, ...]
    keys: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def state_of(connector: Connector, dialect: Dialect, *, without: frozenset[Name] = frozenset()) -> State:
    """Everything but driftflow's own and the relations in `without`."""
    with closing(connector.connect("compare")) as connection:
        catalog = catalog_of(connection)
        tables = {name: table for name, table in catalog.tables.items() if not ours(table.name) and table.name not in without}
        rows = {name: _rows(connection, table, dialect) for name, table in tables.items() if holds_rows(table)}
        details = {
            name: facts
            for name, facts in details_of(connection, catalog).items()
            if name not in {f"table {one}" for one in without}
        }
        return State(objects=_objects(catalog, tables), rows=rows, details=details, left=frozenset(left_among(catalog)))


def left_among(catalog: Catalog) -> Iterator[str]:
    """What is driftflow's own among the application's objects."""
    for name, table in catalog.tables.items():
        if not ours(table.name):
            yield from (f"trigger {one.name} of {name}" for one in table.triggers if is_ours(one.name))
    for name, routine in catalog.routines.items():
        if is_ours(routine.name.name) and not is_ours(routine.name.schema):
            yield f"{routine.kind} {name}"


def rights_on_known_names(found: State, known: frozenset[str]) -> State:
    """Without the rights on other tables than those. On MySQL and MariaDB rights go by names: a table that a migration renames has none under its
    new one, where a plan gives those that it had."""
    objects = {
        name: replace(one, grants=()) if isinstance(one, Table) and str(one.name) not in known else one
        for name, one in found.objects.items()
    }
    return dataclasses.replace(found, objects=objects)


def ours(name: Name) -> bool:
    return is_ours(name.schema) or is_ours(name.name)


def holds_rows(table: Table) -> bool:
    """A partition's rows are seen through its parent."""
    return table.kind == "table" and table.partition_of is None


def _objects(catalog: Catalog, tables: Mapping[str, Table]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, table in tables.items():
        found |= {f"table {name}": replace(_bare(table), grants=table.grants)}
        found |= {f"column {name}.{column.name}": column for column in table.columns}
        found |= {f"constraint {one.name or _unnamed(one)} of {name}": one for one in table.constraints}
        found |= {f"index {index.name.name} of {name}": replace(index, bytes=None) for index in table.indexes}
        found |= {f"trigger {one.name} of {name}": one for one in table.triggers if not is_ours(one.name)}
        found |= {f"policy {one.name} of {name}": one for one in table.policies}
    for name, view in catalog.views.items():
        if not ours(view.name):
            found[f"view {name}"] = replace(_bare_view(view), grants=view.grants)
    for name, sequence in catalog.sequences.items():
        if not ours(sequence.name):
            found[f"sequence {name}"] = replace(sequence, owner="")
    for name, routine in catalog.routines.items():
        if not ours(routine.name):
            found[f"{routine.kind} {name}"] = replace(routine, owner="", grants=None)
    found |= {f"type {name}": type_structure(type) for name, type in catalog.types.items() if not ours(type.name)}
    return found


def _unnamed(constraint: Constraint) -> str:
    """What tells it from the others of its table."""
    kind = type(constraint).__name__.lower()
    match constraint:
        case Check():
            return f"(unnamed {kind}: {constraint.expression})"
        case NotNull():
            return f"(unnamed {kind}: {constraint.column})"
        case _:
            return f"(unnamed {kind}: {', '.join(constraint.columns)})"


def _bare(table: Table) -> Table:
    """What is left of it without its parts, which are objects of their own; columns may stand in another order than one ALTER adds them."""
    return replace(structure(table), columns=(), constraints=(), indexes=(), triggers=(), policies=())


def _bare_view(view: View) -> View:
    return view_structure(view)


def _rows(connection: Connection, table: Table, dialect: Dialect) -> Rows:
    columns = tuple(sorted(column.name for column in table.columns))
    listed = ", ".join(map(dialect.quote, columns))
    found = connection.query(f"SELECT {listed} FROM {dialect.quote_name(table.name)}") if columns else []
    rows = tuple(tuple(_digest(value) for value in row) for row in found)
    return Rows(columns=columns, keys=table.primary_key.columns if table.primary_key is not None else (), rows=rows)


def _digest(value: object) -> str:
    return "" if value is None else hashlib.blake2b(repr(value).encode(), digest_size=12).hexdigest()


# the difference


def differences(one: State, other: State, *, first: str, second: str, loose: Mapping[str, frozenset[str]] = {}) -> list[Found]:
    """Where `other` is not as `one`; `first` and `second` say what they are. Columns in `loose` (by table) are held only to being NULL or not."""
    return [
        *structural(one, other, first=first, second=second),
        *row_differences(one, other, first=first, second=second, loose=loose),
    ]


def structural(one: State, other: State, *, first: str, second: str) -> Iterator[Found]:
    for name in sorted(one.objects.keys() | other.objects.keys()):
        if name not in other.objects:
            yield name, f"is there after {first}, and not after {second}"
        elif name not in one.objects:
            yield name, f"is there after {second}, and not after {first}"
        elif one.objects[name] != other.objects[name]:
            yield name, _parts(one.objects[name], other.objects[name], first=first, second=second)
    yield from detailed(one, other, first=first, second=second)
    for id in sorted(one.recorded - other.recorded):
        yield (
            f"migration {id}",
            f"stands in its tool's version table after {first}, and not after {second}: the next deploy would run it again",
        )
    for id in sorted(other.recorded - one.recorded):
        yield (
            f"migration {id}",
            f"stands in its tool's version table after {second}, and not after {first}: no deploy would run it",
        )


def detailed(one: State, other: State, *, first: str, second: str) -> Iterator[Found]:
    """Of what only one has the objects have told already, where the catalog knows it."""
    known = one.objects.keys() ^ other.objects.keys()
    for name in sorted((one.details.keys() | other.details.keys()) - known):
        was, now = one.details.get(name, {}), other.details.get(name, {})
        told = [
            f"{fact} is {_short(was.get(fact))} after {first}, {_short(now.get(fact))} after {second}"
            for fact in sorted(was.keys() | now.keys())
            if was.get(fact) != now.get(fact) and not (fact == POSITION and int(now.get(fact, 0)) >= int(was.get(fact, 0)))
        ]
        if told:
            yield name, "; ".join(told)


def _parts(one: object, other: object, *, first: str, second: str) -> str:
    """Which fields of two records are not alike, with short values: nothing in a catalog is a row's value."""
    was, now = _plain(one), _plain(other)
    told = [
        f"{name} is {_short(was.get(name))} after {first}, {_short(now.get(name))} after {second}"
        for name in sorted(was.keys() | now.keys())
        if was.get(name) != now.get(name)
    ]
    return "; ".join(told) or "is not the same"


def _plain(record: object) -> dict[str, object]:
    found = to_builtins(record) if isinstance(record, Record) else {}
    return found if isinstance(found, dict) else {}


def _short(value: object) -> str:
    text = "unset" if value is None else str(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def row_differences(one: State, other: State, *, first: str, second: str, loose: Mapping[str, frozenset[str]]) -> Iterator[Found]:
    """Of tables and columns that both have; what only one has was told with the structure."""
    for table in sorted(one.rows.keys() & other.rows.keys()):
        yield from _table_rows(
            table, one.rows[table], other.rows[table], first=first, second=second, loose=loose.get(table, frozenset())
        )


def _table_rows(table: str, one: Rows, other: Rows, *, first: str, second: str, loose: frozenset[str]) -> Iterator[Found]:
    columns = [name for name in one.columns if name in other.columns]
    keys = [name for name in one.keys if name in columns and name not in loose] if one.keys == other.keys else []
    was, now = _projected(one, columns, loose), _projected(other, columns, loose)
    if not keys:
        gone, new = Counter(was) - Counter(now), Counter(now) - Counter(was)
        if gone or new:
            yield f"table {table}", f"{gone.total()} rows are only there after {first}, {new.total()} only after {second}"
        return
    places = [columns.index(name) for name in keys]
    before, after = ({tuple(row[place] for place in places): row for row in rows} for rows in (was, now))
    missing, extra = before.keys() - after.keys(), after.keys() - before.keys()
    if missing or extra:
        yield f"table {table}", f"{len(missing)} rows are only there after {first}, {len(extra)} only after {second}"
    for place, name in enumerate(columns):
        count = sum(before[key][place] != after[key][place] for key in before.keys() & after.keys())
        if count:
            yield f"column {table}.{name}", f"{count} of {len(before)} rows hold another value after {second} than after {first}"


def _projected(rows: Rows, columns: Sequence[str], loose: frozenset[str]) -> list[tuple[str, ...]]:
    places = [(rows.columns.index(name), name in loose) for name in columns]
    return [tuple(("set" if row[place] else "") if only else row[place] for place, only in places) for row in rows.rows]


def undetermined(one: State, other: State) -> dict[str, frozenset[str]]:
    """By table the columns whose values differ between two runs of the same migration: now(), random(), a new UUID."""
    found: dict[str, set[str]] = {}
    for name, _ in row_differences(one, other, first="", second="", loose={}):
        kind, _, rest = name.partition(" ")
        table, _, column = rest.rpartition(".") if kind == "column" else (rest, "", "")
        found.setdefault(table, set()).update([column] if column else one.rows[table].keys)
    return {table: frozenset(columns) for table, columns in found.items()}


def accepted_either_way(found: State, one: State, other: State, loose: Mapping[str, frozenset[str]]) -> State:
    """`found`, each of its rows that is as `other` has it put as `one` has it: so that only rows differ which are as neither has them."""
    either = {
        name: _either(rows, one.rows.get(name), other.rows.get(name), loose.get(name, frozenset()))
        for name, rows in found.rows.items()
    }
    return replace_rows(found, either)


def replace_rows(state: State, rows: Mapping[str, Rows]) -> State:
    return dataclasses.replace(state, rows=rows)


def _either(found: Rows, one: Rows | None, other: Rows | None, loose: frozenset[str]) -> Rows:
    if one is None or other is None or not found.columns == one.columns == other.columns:
        return found
    found, one, other = (
        dataclasses.replace(rows, rows=tuple(_projected(rows, rows.columns, loose))) for rows in (found, one, other)
    )
    if not found.keys or loose & {*found.keys}:
        here, first_rows, second_rows = Counter(found.rows), Counter(one.rows), Counter(other.rows)
        new, gone = here - first_rows, first_rows - here
        return one if new.total() == gone.total() and not new - (second_rows - first_rows) else found
    places = [found.columns.index(name) for name in found.keys]
    now, first, second = ({tuple(row[place] for place in places): row for row in rows.rows} for rows in (found, one, other))
    for key in now.keys() | first.keys():
        if now.get(key) != first.get(key) and now.get(key) == second.get(key):
            if key in first:
                now[key] = first[key]
            else:
                del now[key]
    return Rows(columns=found.columns, keys=found.keys, rows=tuple(now.values()))
