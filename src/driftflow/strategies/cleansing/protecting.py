"""Until the unique index is there, a trigger refuses what it would refuse: a row whose key another row has.

Writers of the same key wait for each other by an advisory lock, since neither would see the other's uncommitted row. What slips through
all the same (a snapshot taken before the other's commit, equal values with different texts) is found when the index is built.
"""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.model.effects import LockClaim
from driftflow.model.names import Name
from driftflow.model.plan import RunSql, Step, UndoNothing
from driftflow.strategies import trigger_text
from driftflow.strategies.cleansing.archiving import listed, our_object
from driftflow.strategies.cleansing.matching import TRUE, Matching
from driftflow.strategies.recipe import Recipe


class Protection:
    """The triggers on one table that stand in for one unique index."""

    def __init__(self, recipe: Recipe, matching: Matching) -> None:
        self.recipe, self.at, self.matching, self.table = recipe, recipe.at, matching, matching.table
        self.trigger = our_object(self.table.name, "unique", matching.index.name.name)
        self.function = Name(schema=self.table.name.schema, name=self.trigger)

    def begin(self) -> Iterator[RunSql]:
        creates = self._with_function() if trigger_text.has_functions(self.at) else tuple(self._by_itself())
        yield self.recipe.text(
            *creates,
            purpose=f"Refuse new rows of {self.table.name.name} that would be duplicates (trigger), until the index does",
            phase="migrate",
            claims=trigger_text.claims(self.at, self.table, create=True),
            undo_claims=trigger_text.claims(self.at, self.table, create=False),
            undo=self.drops,
            undo_purpose=f"Take away the trigger that refuses duplicates in {self.table.name.name}",
        )

    def end(self) -> Iterator[RunSql]:
        yield self.recipe.text(
            *self.drops,
            purpose=f"Take away the trigger: the index refuses duplicates in {self.table.name.name} now",
            phase="migrate",
            claims=trigger_text.claims(self.at, self.table, create=False),
            undo=UndoNothing(reason="the index that makes it needless goes after it, and the rows come back without it"),
        )

    def lifted(self) -> tuple[Step, ...]:
        """In an undo, before rows come back that the triggers would refuse."""
        step = RunSql(
            **self.recipe.common(f"Let {self.table.name.name} hold the same key twice again", "migrate") | {"strategy": "undo"},
            statements=self.drops,
            claims=(LockClaim(relation=self.table.name, mode="ACCESS EXCLUSIVE", blocks=("reads", "writes", "ddl")),),
            statement_timeout_ms=self.at.policy.statement_timeout_ms,
        )
        return (step,)

    @property
    def drops(self) -> tuple[str, ...]:
        quote = self.at.dialect.quote
        if trigger_text.has_functions(self.at):
            target = self.at.dialect.quote_name(self.table.name)
            return (
                f"DROP TRIGGER IF EXISTS {quote(self.trigger)} ON {target}",
                f"DROP FUNCTION IF EXISTS {self.at.dialect.quote_name(self.function)}()",
            )
        schema = quote(self.table.name.schema or "main")
        return tuple(f"DROP TRIGGER IF EXISTS {schema}.{quote(name)}" for name in self._names())

    def _message(self) -> str:
        name = self.matching.index.name.name
        return f'duplicate key value violates unique constraint "{name}"'

    def _with_function(self) -> tuple[str, ...]:
        m, at = self.matching, self.at
        trigger_text.refuse_hidden_rows(at, self.table)
        values = ", ".join(f"{text} AS {mark}" for text, mark in zip(m.expressions(), m.elements, strict=True))
        where = " AND ".join(m.conditions()) or TRUE
        text = " || '|' || ".join(f"coalesce(n.{mark}::text, '')" for mark in m.elements)
        row = " AND ".join(f"k.{mark} = NEW.{listed(at, (name,))}" for name, mark in zip(m.key, m.marks, strict=True))
        literal = at.dialect.literal
        body = (
            f"  SELECT * INTO n FROM (SELECT {values} FROM {trigger_text.written_row(at, self.table, 'NEW')} WHERE {where}) AS s;\n"
            f"  IF NOT FOUND THEN\n    RETURN NEW;\n  END IF;\n"
            f"  IF TG_OP = 'UPDATE' THEN\n"
            f"    SELECT * INTO o FROM (SELECT {values} FROM {trigger_text.written_row(at, self.table, 'OLD')} WHERE {where}) AS s;\n"
            f"    IF FOUND AND o IS NOT DISTINCT FROM n THEN\n      RETURN NEW;\n    END IF;\n"
            f"  END IF;\n"
            f"  PERFORM pg_advisory_xact_lock(hashtextextended(TG_RELID::text || {text}, 0));\n"
            f"  IF EXISTS (SELECT 1 FROM {m.rows('k')} WHERE {m.same('k', 'n')} AND (TG_OP = 'INSERT' OR NOT ({row}))) THEN\n"
            f"    RAISE unique_violation USING MESSAGE = {literal(self._message())}, CONSTRAINT = {literal(m.index.name.name)},\n"
            f"      SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME;\n"
            f"  END IF;\n"
            f"  RETURN NEW;"
        )
        target, quote = at.dialect.quote_name(self.table.name), at.dialect.quote
        call = f"{at.dialect.quote_name(self.function)}()"
        return (
            *trigger_text.function(at, self.function, body, owner=self.table.owner, declare="  n record;\n  o record;"),
            f"CREATE TRIGGER {quote(self.trigger)} BEFORE INSERT OR UPDATE ON {target} FOR EACH ROW EXECUTE FUNCTION {call}",
        )

    def _names(self) -> tuple[str, str]:
        return f"{self.trigger}_i", f"{self.trigger}_u"

    def _by_itself(self) -> Iterator[str]:
        """One writer at a time: a lookup sees every row there is."""
        m, at = self.matching, self.at
        quote, own = at.dialect.quote, at.dialect.quote(self.table.name.name)
        schema = quote(self.table.name.schema or "main")
        values = ", ".join(f"{text} AS {mark}" for text, mark in zip(m.expressions(), m.elements, strict=True))
        where = " AND ".join(m.conditions()) or TRUE
        new, old = (
            f"(SELECT {values} FROM {trigger_text.written_row(at, self.table, one)} WHERE {where})" for one in ("NEW", "OLD")
        )
        refuse = f"SELECT RAISE(ABORT, {at.dialect.literal(self._message())}) FROM {new} AS n"
        other = f"EXISTS (SELECT 1 FROM {m.rows('k')} WHERE {m.same('k', 'n')})"
        insert, update = self._names()
        yield f"CREATE TRIGGER {schema}.{quote(insert)} BEFORE INSERT ON {own} FOR EACH ROW\nBEGIN\n  {refuse} WHERE {other};\nEND"
        row = " AND ".join(f"k.{mark} = OLD.{listed(at, (name,))}" for name, mark in zip(m.key, m.marks, strict=True))
        changed = f"NOT EXISTS (SELECT 1 FROM {old} AS o WHERE {m.same('o', 'n')})"
        another = f"EXISTS (SELECT 1 FROM {m.rows('k')} WHERE {m.same('k', 'n')} AND NOT ({row}))"
        yield (
            f"CREATE TRIGGER {schema}.{quote(update)} BEFORE UPDATE ON {own} FOR EACH ROW\nBEGIN\n"
            f"  {refuse} WHERE {changed} AND {another};\nEND"
        )
