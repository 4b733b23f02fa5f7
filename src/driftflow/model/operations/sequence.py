"""Operations on sequences."""

from __future__ import annotations

from driftflow.model.catalog import Catalog, Sequence, SequenceOptions, Table
from driftflow.model.names import Name
from driftflow.model.operations import dependents
from driftflow.model.operations.base import BaseOperation
from driftflow.model.operations.lookup import refuse, replace_column, taken
from driftflow.model.operations.rules import dependents_block
from driftflow.model.operations.sequences import called_by, merged
from driftflow.model.record import replace


class CreateSequence(BaseOperation, frozen=True, kw_only=True, tag="create_sequence"):
    sequence: Sequence
    if_not_exists: bool = False
    temporary: bool = False

    def after(self, catalog: Catalog) -> Catalog:
        name = self.sequence.name
        if self.temporary:
            return catalog
        if taken(catalog, name.schema)(name.name):
            if not self.if_not_exists:
                refuse(catalog, f"relation {name} exists already")
            return catalog
        kept = replace(self.sequence, options=merged(SequenceOptions(), self.sequence.options))
        return catalog.with_sequence(kept)


class AlterSequence(BaseOperation, frozen=True, kw_only=True, tag="alter_sequence"):
    name: Name
    options: SequenceOptions = SequenceOptions()
    restart: int | None = None
    restarts: bool = False
    """RESTART, with or without a value."""
    owned_by: str | None = None
    """`schema.table.column`, or empty for NONE; None leaves as is."""
    if_exists: bool = False

    def after(self, catalog: Catalog) -> Catalog:
        sequence = catalog.sequences.get(self.name.text)
        if sequence is None:
            if not self.if_exists:
                refuse(catalog, f"sequence {self.name} does not exist")
            return catalog
        owned_by = sequence.owned_by if self.owned_by is None else self.owned_by
        return catalog.with_sequence(replace(sequence, options=merged(sequence.options, self.options), owned_by=owned_by))


class DropSequence(BaseOperation, frozen=True, kw_only=True, tag="drop_sequence"):
    name: Name
    if_exists: bool = False
    cascade: bool = False

    def after(self, catalog: Catalog) -> Catalog:
        """Defaults that call it go only with CASCADE."""
        sequence = catalog.sequences.get(self.name.text)
        if sequence is None:
            if not self.if_exists:
                refuse(catalog, f"sequence {self.name} does not exist")
            return catalog
        if sequence.identity:
            refuse(catalog, f"sequence {self.name} cannot be dropped: {sequence.owned_by} is an identity column")
        users = [
            (table, column)
            for table in catalog.tables.values()
            for column in table.columns
            if column.default and called_by(column.default, table.name.schema) == self.name
        ]
        if users and dependents_block(catalog) and not self.cascade:
            table, column = users[0]
            refuse(
                catalog,
                f"sequence {self.name} cannot be dropped without CASCADE: the default of {table.name}.{column.name} uses it",
            )
        catalog = catalog.without_sequences((self.name.text,))
        using = {table.name: [column for owner, column in users if owner.name == table.name] for table, _ in users}

        def without_default(table: Table) -> Table:
            for column in using.get(table.name, []):
                table = replace_column(table, replace(column, default=None))
            return table

        return dependents.rewrite_tables(catalog, without_default)
