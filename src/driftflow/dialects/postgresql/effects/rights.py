"""What GRANT and REVOKE name that is not there, and rights that there are not.

Source: PostgreSQL documentation, "Privileges", table of ACL privilege abbreviations.
"""

from __future__ import annotations

from driftflow.dialects.postgresql.effects.prediction import Prediction
from driftflow.model.catalog import Catalog, Table
from driftflow.model.names import Name
from driftflow.model.operations import Grant
from driftflow.model.operations.moving import named
from driftflow.model.operations.object import Rights

OF_TABLES = "SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER"
RIGHTS = {
    "table": f"{OF_TABLES},MAINTAIN,USAGE",
    "sequence": "SELECT,UPDATE,USAGE",
    "function": "EXECUTE",
    "procedure": "EXECUTE",
    "routine": "EXECUTE",
    "schema": "CREATE,USAGE",
    "type": "USAGE",
    "domain": "USAGE",
}
"""USAGE on a table: it may be a sequence."""
SYSTEM = ("pg_catalog", "information_schema")


def refuse_rights(p: Prediction, operation: Grant, said: Rights) -> None:
    """Of a catalog that knows everything but roles."""
    if said.grantable and not operation.revoke and "public" in operation.roles:
        p.fails("unsupported", "nobody gives PUBLIC rights to pass on", certain=True)
    known = RIGHTS.get(said.kind)
    for right in said.rights:
        if known is not None and right.name and right.name not in known.split(","):
            p.fails("unsupported", f"there is no {right.name} on a {said.kind}", certain=True)
    for schema in said.in_schemas:
        if p.catalog.schemas and schema not in (*p.catalog.schemas, *SYSTEM):
            p.fails("missing", f'schema "{schema}" does not exist', certain=True)
    _refuse_missing(p, operation, said)


def _refuse_missing(p: Prediction, operation: Grant, said: Rights) -> None:
    for name in operation.relations:
        if not _is_there(p.catalog, name):
            p.fails("missing", f'relation "{name.text}" does not exist', relation=name, certain=True)
    for name, arguments in zip(said.objects, said.arguments, strict=False):
        if not named(p.catalog, name, arguments) and not may_be_an_extensions(p.catalog, name):
            p.fails("missing", f"{said.kind} {name.text} does not exist", certain=True)
    for name in said.objects if said.kind == "schema" else ():
        if name.name not in p.catalog.schemas and not may_be_an_extensions(p.catalog, name):
            p.fails("missing", f'schema "{name.name}" does not exist', certain=True)
    for table in (p.catalog.tables.get(name.text) for name in operation.relations):
        _refuse_columns(p, table, said)


def _is_there(catalog: Catalog, name: Name) -> bool:
    known = name.text in catalog.tables or name.text in catalog.views or name.text in catalog.sequences
    return known or may_be_an_extensions(catalog, name)


def may_be_an_extensions(catalog: Catalog, name: Name) -> bool:
    """What an extension has made, and what is the server's own, is not in the catalog."""
    system = name.schema in SYSTEM or (not name.schema and name.name in SYSTEM) or name.name.startswith("pg_")
    return system or any(one.name != "plpgsql" for one in catalog.extensions)


def _refuse_columns(p: Prediction, table: Table | None, said: Rights) -> None:
    if table is None or table.partial:
        return
    for column in dict.fromkeys(one for right in said.rights for one in right.columns):
        if table.column(column) is None:
            p.fails("missing", f'column "{column}" of "{table.name.text}" does not exist', relation=table.name, certain=True)
