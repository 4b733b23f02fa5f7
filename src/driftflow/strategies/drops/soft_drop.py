"""A deprecation period before a column goes: who still writes it is warned where the server can, and a gate stays shut until the day has come.

The column is renamed only where the author accepts that by name (`rename=accepted`): else code that still reads it goes on.
"""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.catalog import Column, Table
from driftflow.model.names import Name
from driftflow.model.operations import ChangeColumn, Comment, DropColumn, DropIndex, Operation, RenameColumn, SetColumnOption
from driftflow.model.plan import Step
from driftflow.model.record import replace
from driftflow.strategies import trigger_text
from driftflow.strategies.drops.said_columns import drop_request
from driftflow.strategies.fitted import fit
from driftflow.strategies.recipe import Recipe

SOFT_RENAME = "soft_rename"
"""A step of this strategy waits for the deployment, and not for the end of the deprecation."""


def end_of_deprecation(at: Situation) -> tuple[str, str, str] | None:
    """Name and question of the gate, and its day, where the author gave the column a deprecation period, or the index a time of hiding."""
    if not isinstance(at.operation, DropColumn | DropIndex) or not at.directives("soft-drop"):
        return None
    if isinstance(at.operation, DropIndex):
        index, day = at.operation.name.name, drop_request(at).until
        return f"drop-{index}", f"The index {index} is hidden until {day}. Is nothing slower without it?", day
    day, what = drop_request(at).until, f"{at.operation.table.name}.{at.operation.column}"
    question = f"The deprecation period of {what} ends on {day}. Does nobody use it any more?"
    return f"drop-{at.operation.table.name}-{at.operation.column}", question, day


class Deprecation:
    """What tells the users of the columns, and how it is taken away again."""

    def __init__(self, at: Situation, table: Table, columns: tuple[Column, ...], day: str) -> None:
        self.at, self.table, self.columns, self.day = at, table, columns, day
        self.names = ", ".join(column.name for column in columns)

    def announce(self, recipe: Recipe) -> Iterator[Step]:
        """A comment and a warning (PostgreSQL), or a column that no `*` shows (MySQL, MariaDB). On SQLite nothing can: only the gate is there."""
        if self.at.can(Capability.TRIGGER_WARNS):
            yield self._warn(recipe)
        elif self.at.can(Capability.INVISIBLE_COLUMN):
            changes = [self._hidden(column) for column in self.columns if column.visible]
            for change in changes:
                yield recipe.change(
                    change, purpose=f"Hide {self.table.name.name}.{self.names} from `*` and from INSERT without a list of columns"
                )

    def _hidden(self, column: Column) -> Operation:
        if self.at.can(Capability.SET_INVISIBLE):
            return SetColumnOption(table=self.table.name, column=column.name, option="visible", value="INVISIBLE")
        return ChangeColumn(table=self.table.name, column=column.name, definition=replace(column, visible=False))

    # where the author accepts that code which still uses the column fails

    def renamed(self, recipe: Recipe) -> Iterator[Step]:
        """Behind the gate of the deployment: whoever still uses a column fails, and a rollback gives the name back in an instant."""
        for column in self.columns:
            hidden = self._hidden_name(column.name)
            change = RenameColumn(table=self.table.name, column=column.name, to=hidden)
            self._refuse_certain(recipe, change)
            step = recipe.change(
                change,
                purpose=f"Rename {self.table.name.name}.{column.name} to {hidden} until {self.day}: whoever still uses it fails, and is found",
                phase="contract",
            )
            yield replace(step, strategy=SOFT_RENAME)

    def named_again(self, recipe: Recipe) -> Iterator[Step]:
        """Behind its own gate, for the drop and the archive speak of the columns by their names."""
        for column in self.columns:
            hidden = self._hidden_name(column.name)
            yield recipe.change(
                RenameColumn(table=self.table.name, column=hidden, to=column.name),
                purpose=f"Give {self.table.name.name}.{hidden} its name {column.name} again, for it goes now",
                phase="contract",
            )

    def _hidden_name(self, column: str) -> str:
        return fit(f"driftflow_dropped_{column}")

    def _refuse_certain(self, recipe: Recipe, change: RenameColumn) -> None:
        for condition in self.at.dialect.effects(change, recipe.catalog).fails_if:
            if condition.certain:
                raise RefusedError(
                    "DF-E727",
                    f"{self.table.name.name}.{change.column} cannot be renamed during its deprecation",
                    where=str(self.at.statement.span),
                    why=condition.summary,
                    hint="leave rename=accepted out",
                )

    # PostgreSQL

    def _warn(self, recipe: Recipe) -> Step:
        quote, target = self.at.dialect.quote, self.at.dialect.quote_name(self.table.name)
        message = f"{self.table.name.name} ({self.names}) is deprecated and goes after {self.day}"
        body = (
            f"CREATE FUNCTION {self._function()}() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $driftflow$\n"
            f"BEGIN\n"
            f"  RAISE WARNING USING MESSAGE = {self.at.dialect.literal(message)}, ERRCODE = '01P01';\n"
            f"  RETURN NULL;\n"
            f"END\n"
            f"$driftflow$"
        )
        listed = ", ".join(quote(column.name) for column in self.columns)
        updates = (
            f"CREATE TRIGGER {quote(self._trigger('u'))} AFTER UPDATE OF {listed} ON {target}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {self._function()}()"
        )
        said = [
            f"NEW.{quote(column.name)} IS DISTINCT FROM ({column.default or 'NULL'})"
            for column in self.columns
            if column.default is None or not self.at.dialect.volatile(column.default, self.at.catalog)
        ]
        inserts = (
            f"CREATE TRIGGER {quote(self._trigger('i'))} AFTER INSERT ON {target}"
            f" FOR EACH ROW WHEN ({' OR '.join(said)}) EXECUTE FUNCTION {self._function()}()"
        )
        comments = [
            self._comment(column, f"deprecated: goes after {self.day}. {column.comment}".strip()) for column in self.columns
        ]
        back = [self._comment(column, column.comment or None) for column in self.columns]
        render = self.at.dialect.render
        return recipe.text(
            body,
            updates,
            *([inserts] if said else []),
            *(render(one) for one in comments),
            purpose=f"Warn whoever writes {self.table.name.name}.{self.names}: it goes after {self.day}",
            phase="expand",
            claims=trigger_text.claims(self.at, self.table, create=True),
            undo_claims=trigger_text.claims(self.at, self.table, create=False),
            undo=(*self.stop(if_exists=True), *(render(one) for one in back)),
            undo_purpose=f"End the warning about {self.table.name.name}.{self.names}",
        )

    def _comment(self, column: Column, text: str | None) -> Comment:
        target = f"{self.at.dialect.quote_name(self.table.name)}.{self.at.dialect.quote(column.name)}"
        return Comment(kind="column", target=target, text=text, relation=self.table.name, column=column.name)

    def _short(self) -> str:
        return fit(f"{self.table.name.name}_{'_'.join(column.name for column in self.columns)}", bytes_max=30, tail=8)

    def _trigger(self, suffix: str) -> str:
        return f"zzz_driftflow_deprecated_{self._short()}_{suffix}"

    def _function(self) -> str:
        return self.at.dialect.quote_name(Name(schema="driftflow", name=f"deprecated_{self._short()}"))

    def stop(self, *, if_exists: bool = True) -> tuple[str, ...]:
        """The statements that end the warning: they stand in the transaction of the drop."""
        if not self.at.can(Capability.TRIGGER_WARNS):
            return ()
        quote, exists = self.at.dialect.quote, "IF EXISTS " if if_exists else ""
        target = self.at.dialect.quote_name(self.table.name)
        return (
            *(f"DROP TRIGGER {exists}{quote(self._trigger(suffix))} ON {target}" for suffix in ("u", "i")),
            f"DROP FUNCTION {exists}{self._function()}()",
        )
