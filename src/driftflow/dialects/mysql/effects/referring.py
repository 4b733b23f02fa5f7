"""What a new foreign key needs of its two tables, whatever foreign_key_checks says: a key to stand on, and columns that can do what its actions ask.

Each refusal was measured on MySQL 9.7, MariaDB 10.11 and 11.8.
"""

from __future__ import annotations

from driftflow.dialects.mysql.capabilities import STANDARD_KEYS
from driftflow.dialects.mysql.effects.prediction import Prediction
from driftflow.model.catalog import ForeignKey, Table
from driftflow.model.operations.identifiers import mentions

NEVER = "foreign_key"
"""The kind of these failures: nothing that a plan could do makes the server take such a key."""


def ends_fit(p: Prediction, table: Table, referenced: Table, key: ForeignKey) -> None:
    if len({column.lower() for column in key.columns}) < len(key.columns):
        p.fails(NEVER, "a column appears twice in the foreign key", relation=table.name, certain=True)
    elif key.referenced_columns and len(key.referenced_columns) != len(key.columns):
        counts = f"{len(key.columns)} columns point at {len(key.referenced_columns)}"
        p.fails(NEVER, f"{counts}: each needs one of its own", relation=table.name, certain=True)
    elif key.referenced_columns and referenced.name != table.name and not referenced.partial:
        _stands(p, referenced, key)
    if key.match in {"FULL", "PARTIAL"} and len(key.columns) > 1:
        p.loses(f"MATCH {key.match}: the server reads the words, and takes rows whose key is NULL in part", table.name)
    for name in key.columns:
        _can_follow(p, table, name, key)


def only_unique_keys(p: Prediction) -> bool:
    """Whether the server keeps to the standard (MySQL 8.4): a foreign key points at nothing but the columns of a unique key."""
    switched = p.catalog.settings.get("restrict_fk_on_non_standard_key", "ON")
    return not p.mariadb and p.version >= STANDARD_KEYS and switched != "OFF"


def _stands(p: Prediction, referenced: Table, key: ForeignKey) -> None:
    wanted = [column.lower() for column in key.referenced_columns]
    keys = [[column.lower() for column in referenced.primary_key.columns]] if referenced.primary_key is not None else []
    keys += [
        [column.lower() for column in index.columns]
        for index in referenced.indexes
        if all(part.column and part.prefix is None for part in index.parts) and (index.unique or not only_unique_keys(p))
    ]
    if only_unique_keys(p) and wanted not in keys:
        kind = "no unique key over exactly"
    elif p.mariadb and not any(one[: len(wanted)] == wanted for one in keys):
        kind = "no index that begins with"
    else:
        return
    listed = ", ".join(key.referenced_columns)
    p.fails(NEVER, f"{referenced.name.name} has {kind} ({listed}), in this order", relation=referenced.name, certain=True)


def _can_follow(p: Prediction, table: Table, name: str, key: ForeignKey) -> None:
    column = table.column(name)
    if column is None:
        return
    nulls = [f"ON {event} SET NULL" for event, action in _actions(key) if action == "SET NULL"]
    sets = [*nulls, *(["ON UPDATE CASCADE"] if key.on_update == "CASCADE" else [])]
    if nulls and not column.nullable:
        p.fails(NEVER, f"{name} is NOT NULL, which {nulls[0]} would break", relation=table.name, certain=True)
    elif column.generated is not None and column.generated.stored and sets:
        p.fails(NEVER, f"{name} is generated, and {sets[0]} would set it", relation=table.name, certain=True)
    elif column.generated is not None and not column.generated.stored and not p.mariadb:
        p.fails(NEVER, f"{name} is a virtual column", relation=table.name, certain=True)
    reaching = sets if p.mariadb else [*sets, *(["ON DELETE CASCADE"] if key.on_delete == "CASCADE" else [])]
    if reaching and (stored := stored_over(table, name)):
        p.fails(NEVER, f"{reaching[0]} of {name} would reach the stored column {stored}", relation=table.name, certain=True)


def stored_over(table: Table, column: str) -> str:
    """A stored column that is computed from this one; empty where there is none."""
    stored = (one for one in table.columns if one.generated is not None and one.generated.stored)
    return next((one.name for one in stored if one.generated and mentions(one.generated.expression, column, any_case=True)), "")


def _actions(key: ForeignKey) -> tuple[tuple[str, str], ...]:
    return ("DELETE", key.on_delete), ("UPDATE", key.on_update)
