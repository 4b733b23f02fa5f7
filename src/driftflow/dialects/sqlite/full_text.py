"""Full-text tables whose content is another table's: they find it by its name and by the names of its columns, and no rename follows into them."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.sqlite.tokens import TokenFault, name_of, tokenize
from driftflow.model.catalog import Catalog, Table

MODULES = ("fts3", "fts4", "fts5")
ROWIDS = ("rowid", "_rowid_", "oid")


def lost_contents(catalog: Catalog) -> dict[str, str]:
    """Full-text table to what it does not find: a table or view, or a column of a table."""
    found: dict[str, str] = {}
    for table in catalog.tables.values():
        if table.kind == "virtual" and table.access_method.lower() in MODULES:
            lacking = next(_lacking(table, catalog), "")
            if lacking:
                found[table.name.text] = lacking
    return found


def _lacking(table: Table, catalog: Catalog) -> Iterator[str]:
    options = dict(_options(table))
    content = options.get("content", "").lower()
    if not content or any(content == view.name.name.lower() for view in catalog.views.values()):
        return
    held = next((one for one in catalog.tables.values() if one.name.name.lower() == content), None)
    if held is None:
        yield f"the table or view {options['content']}"
        return
    known = {column.name.lower() for column in held.columns} | {*ROWIDS}
    for name in (*(column.name for column in table.columns), options.get("content_rowid", "rowid")):
        if name.lower() not in known:
            yield f"the column {held.name.name}.{name}"


def _options(table: Table) -> Iterator[tuple[str, str]]:
    """`content='docs'` and the like; the other arguments are columns."""
    for argument in table.options:
        try:
            tokens = tokenize(argument)[0]
        except TokenFault:
            continue
        if len(tokens) == 3 and tokens[1].text == "=":
            value = tokens[2]
            yield tokens[0].text.lower(), value.text[1:-1].replace("''", "'") if value.kind == "string" else name_of(value)
