"""What takes the options of a table back that MySQL and MariaDB keep: how it is stored, how it is counted, whether it has a history."""

from __future__ import annotations

from driftflow.model.catalog import Catalog, Check
from driftflow.model.names import Name
from driftflow.model.operations import AlterTableOption, ChangeColumn, Operation, RewriteTable
from driftflow.model.operations.table import VERSIONED
from driftflow.model.plan import Irreversible, UndoNothing
from driftflow.model.record import replace

UNSAID = {
    "ROW_FORMAT": "DEFAULT",
    "KEY_BLOCK_SIZE": "0",
    "ENCRYPTION": "N",
    "STATS_PERSISTENT": "DEFAULT",
    "STATS_AUTO_RECALC": "DEFAULT",
    "STATS_SAMPLE_PAGES": "DEFAULT",
    "PACK_KEYS": "DEFAULT",
    "MAX_ROWS": "0",
    "MIN_ROWS": "0",
    "AVG_ROW_LENGTH": "0",
    "CHECKSUM": "0",
    "DELAY_KEY_WRITE": "0",
}
"""What says of each that nothing is said."""
STORAGE = UndoNothing(reason="it changes how rows are stored, not what they are")


def stored_back(operation: RewriteTable, before: Catalog) -> tuple[Operation, ...] | UndoNothing | Irreversible:
    options = _options(operation.table, before)
    if operation.action == "system_versioning":
        return _history(operation, versioned=options is not None and VERSIONED in options)
    word = operation.action.upper()
    if before.vendor == "mariadb" and operation.action == "encryption":
        return STORAGE
    old = (options or {}).get(word) or UNSAID.get(word)
    return STORAGE if options is None or old is None else (replace(operation, value=old),)


def _history(operation: RewriteTable, *, versioned: bool) -> tuple[Operation, ...] | UndoNothing | Irreversible:
    """What was kept of rows is nowhere else."""
    if operation.value == "drop":
        name = f"drop_system_versioning {operation.table}"
        return Irreversible(reason=f"the history of the rows of {operation.table} is gone", name=name)
    return UndoNothing(reason=f"{operation.table} kept its history before") if versioned else (replace(operation, value="drop"),)


def option_back(operation: AlterTableOption, before: Catalog) -> tuple[Operation, ...] | UndoNothing:
    word = operation.value.partition("=")[0].strip().upper()
    options = _options(operation.table, before)
    if options is None or word not in UNSAID:
        return UndoNothing(reason="results do not depend on it")
    return (replace(operation, value=f"{word}={options.get(word) or UNSAID[word]}"),)


def period_back(operation: AlterTableOption, before: Catalog) -> tuple[Operation, ...] | UndoNothing | Irreversible:
    """MariaDB shows a period as a check of its name, and makes the columns NOT NULL."""
    table = before.table(operation.table)
    known = table.constraint(operation.value) if table is not None else None
    if operation.option == "add_period":
        if table is None or known is not None:
            return UndoNothing(reason=f"{operation.value} was a period before")
        optional = [column for column in table.columns if column.name in operation.columns and column.nullable]
        again = (ChangeColumn(table=table.name, column=column.name, definition=column) for column in optional)
        return (AlterTableOption(table=table.name, option="drop_period", value=operation.value), *again)
    begin, less, end = known.expression.partition(" < ") if isinstance(known, Check) else ("", "", "")
    if table is None or not less:
        return Irreversible(reason=f"what the period {operation.value} was is not known", name=f"drop_period {operation.table}")
    columns = (begin.strip("`"), end.strip("`"))
    return (AlterTableOption(table=table.name, option="add_period", value=operation.value, columns=columns),)


def _options(name: Name | None, before: Catalog) -> dict[str, str] | None:
    table = before.table(name) if name is not None else None
    return dict(option.partition("=")[::2] for option in table.options) if table is not None else None
