"""What keeps the rows of one tenant from another where the server has no policies (MySQL, MariaDB): a function, a view over the table, two triggers.

Measured on MariaDB 10.11, 11.8 and MySQL 9.7. A view cannot read a user variable itself, so a function does. Only where it is DETERMINISTIC does the
optimizer take its answer for a constant and use the index of the column; it is asked again in each execution, of a prepared statement too. WITH
CASCADED CHECK OPTION looks at what a row has become, and not at what it was: INSERT ... ON DUPLICATE KEY UPDATE makes a row of another tenant one's
own, and REPLACE removes it (MariaDB; MySQL has error 3059). So triggers look at what it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.catalog import Column, Routine, Table, Trigger, View
from driftflow.model.names import Name
from driftflow.model.operations import CreateFunction, CreateTrigger, CreateView
from driftflow.model.operations.table import VERSIONED
from driftflow.patterns import lazy_regex
from driftflow.strategies.fitted import fit
from driftflow.strategies.security.said_row_security import RowSecurityRequest

INTEGER = lazy_regex(r"(?:tiny|small|medium|big)?int\b(?P<rest>.*)", re.IGNORECASE)
TEXT = lazy_regex(r"(?:var)?(?P<kind>char|binary)\((?P<length>\d+)\)", re.IGNORECASE)
REFUSED_BY_VIEW = 1369
"""CHECK OPTION failed: what a row for another tenant is refused with, by the view and by the triggers."""


class TenantView:
    """The objects of one table."""

    def __init__(self, at: Situation, table: Table, request: RowSecurityRequest) -> None:
        """Raises RefusedError (DF-E787) where the column, or the table, cannot be held like this."""
        self.at, self.table, self.request = at, table, request
        column = table.column(request.column)
        assert column is not None
        self.column: Column = column
        self.name = Name(schema=table.name.schema, name=request.view)
        self.function_name = Name(schema=table.name.schema, name=fit(f"{request.view}_{column.name}"))
        returned = _returned(column, request.variable)
        reason = self._why_not()
        if returned is None or reason:
            raise RefusedError(
                "DF-E787",
                f"no view can hold the tenants of {table.name.name} apart",
                where=str(request.span),
                why=reason or f"a tenant is an integer, a short text or a uuid, and not {column.type}",
                hint="docs/strategies/row-security-by-view.md says what is needed",
            )
        self.returns, self.expression = returned

    @property
    def call(self) -> str:
        return f"{self.at.dialect.quote_name(self.function_name)}()"

    def function(self) -> CreateFunction:
        """NULL where the variable was not set, or holds what can be no tenant: then the view shows nothing."""
        routine = Routine(
            name=self.function_name,
            language="sql",
            returns=self.returns,
            volatility="immutable",
            definition=f"DETERMINISTIC CONTAINS SQL SQL SECURITY INVOKER RETURN {self.expression}",
        )
        return CreateFunction(routine=routine)

    def view(self) -> CreateView:
        quote = self.at.dialect.quote
        listed = ", ".join(quote(column.name) for column in self.table.columns)
        target = self.at.dialect.quote_name(self.table.name)
        view = View(
            name=self.name,
            definition=f"SELECT {listed} FROM {target} WHERE {quote(self.column.name)} = {self.call}",
            columns=tuple(column.name for column in self.table.columns),
            depends_on=(self.table.name,),
        )
        return CreateView(view=view, algorithm="MERGE", security="DEFINER", check_option="CASCADED")

    def triggers(self) -> Iterator[CreateTrigger]:
        """They speak to sessions that have said who their tenant is, whatever they write through; to others they say nothing."""
        was = f"OLD.{self.at.dialect.quote(self.column.name)}"
        said = self.at.dialect.quote_text(f"the row of {self.table.name.name} belongs to another tenant")
        for event in ("UPDATE", "DELETE"):
            body = (
                f"BEGIN IF {self.call} IS NOT NULL AND NOT ({was} <=> {self.call}) THEN "
                f"SIGNAL SQLSTATE '44000' SET MYSQL_ERRNO = {REFUSED_BY_VIEW}, MESSAGE_TEXT = {said}; END IF; END"
            )
            trigger = Trigger(
                name=fit(f"{self.name.name}_{event.lower()}"),
                table=self.table.name,
                definition=f"BEFORE {event} {body}",
                timing="BEFORE",
                events=(event,),
            )
            yield CreateTrigger(trigger=trigger)

    def _why_not(self) -> str:
        table, column, catalog = self.table, self.column, self.at.catalog
        if hidden := [one.name for one in table.columns if not one.visible]:
            return f"a view would show the columns that the table hides ({', '.join(hidden)})"
        if VERSIONED in table.options:
            return "the server keeps the history of its rows (SYSTEM VERSIONING), which cannot be asked for through a view"
        if self.name.text in catalog.tables or self.name.text in catalog.views:
            return f"{self.request.view} is there already"
        if any(one.name == self.function_name for one in catalog.routines.values()):
            return f"there is a routine {self.function_name.name} already"
        keys = [index.columns for index in table.indexes]
        keys += [one.columns for one in (table.primary_key,) if one is not None]
        if not self.at.directives("small") and not any(key[:1] == (column.name,) for key in keys):
            return (
                f"no index begins with {column.name}, so each query through the view would read the whole table: "
                "create one in a release before, or say -- driftflow: small"
            )
        return ""


def _returned(column: Column, variable: str) -> tuple[str, str] | None:
    """The type that the function returns, and its expression. What is no value of the type is nobody, and is not cut or made a number, as MySQL would."""
    said = f"@{variable}"
    if found := INTEGER.fullmatch(column.type):
        unsigned = "unsigned" in found["rest"].lower()
        digits, kind = ("^[0-9]{1,20}$", "UNSIGNED") if unsigned else ("^-?[0-9]{1,19}$", "SIGNED")
        return (
            f"bigint{' unsigned' if unsigned else ''}",
            f"IF(CAST({said} AS CHAR) REGEXP '{digits}', CAST({said} AS {kind}), NULL)",
        )
    if found := TEXT.fullmatch(column.type):
        if found["kind"].lower() == "binary":
            return column.type, f"IF(LENGTH({said}) BETWEEN 1 AND {found['length']}, {said}, NULL)"
        charset = f" CHARACTER SET {column.collation.partition('_')[0]} COLLATE {column.collation}" if column.collation else ""
        return f"{column.type}{charset}", f"IF(CHAR_LENGTH({said}) BETWEEN 1 AND {found['length']}, {said}, NULL)"
    if column.type.lower() == "uuid":
        return column.type, f"IF(LENGTH({said}) > 0, {said}, NULL)"
    return None
