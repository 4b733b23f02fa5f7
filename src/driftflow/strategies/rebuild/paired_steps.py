"""The steps that make a pair of tables equal and keep it so: the same on the way forward and on the way back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from driftflow.dialects.mysql.keywords import quote_string
from driftflow.dialects.mysql.tokens import string_of, tokenize
from driftflow.model.catalog import Trigger
from driftflow.model.effects import LockClaim
from driftflow.model.names import Name
from driftflow.model.operations import CreateTrigger, DropTrigger
from driftflow.model.plan import (
    Backfill,
    Expectation,
    Guard,
    Phase,
    Probe,
    RunSql,
    Step,
    Undo,
    UndoNothing,
    UndoSteps,
    Verify,
)
from driftflow.model.record import replace
from driftflow.strategies import probes
from driftflow.strategies.columns.filling import chunk_policy
from driftflow.strategies.rebuild.paired import EVENTS, SEQUENCE, SETTINGS, Above, Pair, Texts
from driftflow.strategies.recipe import Recipe, as_undo

UNCHECKED = {"foreign_key_checks": "0"}
READ, WRITE, ALONE = "SHARED_READ", "SHARED_WRITE", "EXCLUSIVE"


class PairedSteps:
    """Written for one recipe; `phase` is that of all steps."""

    def __init__(self, recipe: Recipe, pair: Pair, phase: Phase) -> None:
        self.recipe, self.pair, self.phase = recipe, pair, phase
        self.at = recipe.at
        self.texts = Texts(recipe.at, pair)
        self.name = pair.source.name.name

    def alone(
        self,
        *statements: str,
        purpose: str,
        probe: Probe,
        claims: tuple[LockClaim, ...] = (),
        undo: Undo | None = None,
        guards: tuple[Guard, ...] = (),
        settings: Mapping[str, str] | None = None,
    ) -> RunSql:
        """Statements that commit by themselves, and what says whether they happened."""
        return RunSql(
            **self.recipe.common(purpose, self.phase),
            statements=statements,
            transaction="none",
            probe=probe,
            claims=claims,
            statement_timeout_ms=0,
            guards=guards,
            settings=settings or {},
            undo=undo or UndoNothing(reason="it goes with what it belongs to"),
        )

    def _settings(self) -> dict[str, str]:
        """Of the sessions that copy rows."""
        zone = {"time_zone": "+00:00"} if self.texts.moments() else {}
        return SETTINGS | zone | (UNCHECKED if self.pair.cascading else {})

    # the log and its triggers

    def log_made(self) -> RunSql:
        log, picked = self.pair.log, self.pair.picked
        done = f"SELECT CASE WHEN {there(log)} THEN 'done' WHEN {there(picked)} THEN 'half_done' ELSE 'not_done' END"
        return self.alone(
            self.texts.create_picked(),
            self.texts.create_log(),
            purpose=f"Make a table for the keys of rows of {self.name} that are written meanwhile",
            probe=Probe(query=done, repair=(f"DROP TABLE IF EXISTS {self.texts.picked}",)),
            claims=(claim(log), claim(picked)),
            undo=UndoSteps(steps=(as_undo(self.log_dropped()),)),
        )

    def log_dropped(self) -> RunSql:
        return self.dropped(self.pair.log, self.pair.picked, why="the keys that were noted")

    def dropped(self, *tables: Name, why: str) -> RunSql:
        gone = " AND ".join(f"NOT {there(table)}" for table in tables)
        return self.alone(
            f"DROP TABLE IF EXISTS {', '.join(map(self.at.dialect.quote_name, tables))}",
            purpose=f"Remove {tables[0].name}: {why}",
            probe=Probe(query=f"SELECT CASE WHEN {gone} THEN 'done' ELSE 'not_done' END"),
            claims=tuple(map(claim, tables)),
        )

    def noting(self, *, guards: tuple[Guard, ...] = ()) -> Iterator[RunSql]:
        """From now on every key that is written is noted."""
        for number, event in enumerate(EVENTS):
            yield self._created("note", event, f"Note the keys of rows of {self.name}", guards=() if number else guards)

    def writing(self) -> Iterator[RunSql]:
        """From now on what is written is written to the copy in the same transaction."""
        for event in EVENTS:
            yield self._created("copy", event, f"Write rows of {self.name} to {self.pair.copy.name.name} too")
        remembers = self.texts.remembering()
        if remembers is not None:
            yield self.triggered(remembers, f"Know a row of {self.name} that is replaced by one that others point at as before")

    def _created(self, kind: str, event: str, purpose: str, *, guards: tuple[Guard, ...] = ()) -> RunSql:
        trigger = self.texts.noting(event) if kind == "note" else self.texts.writing(event)
        return self.triggered(trigger, f"{purpose} (trigger on {event})", guards=guards)

    def triggered(self, trigger: Trigger, purpose: str, *, guards: tuple[Guard, ...] = ()) -> RunSql:
        catalog = self.recipe.catalog
        step = self.recipe.alone(CreateTrigger(trigger=trigger), purpose=purpose, phase=self.phase, guards=guards)
        self.recipe.catalog = catalog
        undo = UndoSteps(steps=(as_undo(self.untriggered(trigger.name, trigger.table)),))
        return replace(step, settings=SETTINGS, undo=undo)

    def not_noting(self) -> Iterator[RunSql]:
        for event in EVENTS:
            yield self.untriggered(self.texts.trigger_name("note", event), self.pair.source.name)

    def not_writing(self) -> Iterator[RunSql]:
        for name in self.texts.writing_names():
            yield self.untriggered(name, self.pair.source.name)

    def untriggered(self, name: str, table: Name) -> RunSql:
        schema = table.schema
        probe = probes.probe_of((DropTrigger(name=name, table=table, schema=schema),), self.recipe.catalog, self.at.dialect)
        assert probe is not None
        qualified = f"{self.at.dialect.quote(schema)}." if schema else ""
        return self.alone(
            f"DROP TRIGGER IF EXISTS {qualified}{self.at.dialect.quote(name)}",
            purpose=f"Take away the trigger {name}",
            probe=probe,
            claims=(claim(table),),
        )

    # rows

    def copied(self, *, purpose: str) -> Backfill:
        """Every row, in chunks, without a lock on any: what changes meanwhile is noted."""
        source = self.pair.source.name
        return Backfill(
            **self.recipe.common(purpose, self.phase),
            table=source,
            key=tuple(ours for ours, _ in self.pair.key),
            action="insert",
            into=self.pair.copy.name,
            fresh=True,
            assignments=self.pair.columns,
            when_taken=(self.texts.note_chunk(),),
            chunk=chunk_policy(self.at),
            rows_estimate=self.at.rows(source),
            claims=(claim(source, READ), claim(self.pair.copy.name, WRITE)),
            statement_timeout_ms=self.at.policy.statement_timeout_ms,
            settings=self._settings(),
            undo=UndoNothing(reason=f"the rows go with {self.pair.copy.name.name}"),
        )

    def again(self, *, purpose: str, until_empty: bool = False, above: tuple[Above, ...] = ()) -> Backfill:
        """The rows whose keys were noted, as they are now; `until_empty` fails where keys keep coming. `above`: what the copy's rows hang on."""
        log = self.pair.log
        return Backfill(
            **self.recipe.common(purpose, self.phase),
            table=log,
            key=(SEQUENCE,),
            action="insert",
            into=self.pair.picked,
            fresh=True,
            assignments=tuple((name, name) for name in (SEQUENCE, *self.texts.log_columns.split(", "))),
            queued=self.texts.queued(),
            after=self.texts.again(above),
            predicate="1 = 1",
            remaining_query=f"SELECT COUNT(*) FROM {self.at.dialect.quote_name(log)}" if until_empty else "",
            partial=not until_empty,
            chunk=chunk_policy(self.at),
            claims=(
                claim(self.pair.source.name, READ),
                claim(self.pair.copy.name, WRITE),
                claim(log, WRITE),
                claim(self.pair.picked, WRITE),
                *(claim(name, READ) for name in dict.fromkeys(one.parent for one in above)),
            ),
            statement_timeout_ms=self.at.policy.statement_timeout_ms,
            settings=self._settings(),
            undo=UndoNothing(reason=f"the rows go with {self.pair.copy.name.name}"),
        )

    def verified(self) -> Verify:
        said = f"{self.pair.copy.name.name} holds every row of {self.name}, and no other"
        return Verify(
            **self.recipe.common(f"Verify that {said}", self.phase),
            expectations=(Expectation(summary=said, query=self.texts.difference(), expect="0"),),
            claims=(claim(self.pair.source.name, READ), claim(self.pair.copy.name, READ)),
            statement_timeout_ms=0,
            undo=UndoNothing(reason="it changes nothing"),
        )

    def none_rejected(self, *, source: Name | None = None, copy: Name | None = None, since: Name | None = None) -> Guard:
        """Asked of the noted keys, which are few: a row that was corrected since is as good as any."""
        names = [self.at.dialect.quote_name(one) if one is not None else "" for one in (source, copy, since)]
        rejected = self.texts.rejected(source=names[0], copy=names[1], since=names[2])
        return Guard(
            query=f"SELECT COUNT(*) FROM ({rejected}) AS rejected",
            summary=f"{{count}} rows of {self.name} were written that do not fit into its other form",
            hint="correct these rows, or roll back",
            keys=f"{rejected} LIMIT 10",
        )

    def all_written(self) -> Guard:
        """The triggers are there, or rows went past the copy."""
        names = self.texts.writing_names()
        source = self.pair.source.name
        return Guard(
            query=f"SELECT COUNT(*) - {len(names)} FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = {schema_of(source)} "
            f"AND EVENT_OBJECT_TABLE = {quote_string(source.name)} AND TRIGGER_NAME IN ({', '.join(map(quote_string, names))})",
            summary=f"somebody has taken away a trigger of ours on {self.name}",
            hint="roll back, and begin again",
        )

    def counted_on(self) -> RunSql | None:
        """AUTO_INCREMENT goes on where the source stands, also behind rows that were deleted."""
        if not any(column.autoincrement for column in self.pair.copy.columns):
            return None
        source, copy = self.pair.source.name, self.at.dialect.quote_name(self.pair.copy.name)
        alter = quote_string(f"ALTER TABLE {copy} AUTO_INCREMENT = ")
        fresh = ("SET SESSION information_schema_stats_expiry = 0",) if self.at.dialect.name == "mysql" else ()
        return self.alone(
            *(fresh if self.at.version is None or self.at.version.major >= 8 else ()),
            f"SET @driftflow_counted = (SELECT CONCAT({alter}, COALESCE(AUTO_INCREMENT, 1)) FROM information_schema.TABLES "
            f"WHERE TABLE_SCHEMA = {schema_of(source)} AND TABLE_NAME = {quote_string(source.name)})",
            "PREPARE driftflow_counted FROM @driftflow_counted",
            "EXECUTE driftflow_counted",
            "DEALLOCATE PREPARE driftflow_counted",
            purpose=f"{self.pair.copy.name.name} goes on counting where {self.name} stands",
            probe=Probe(query="SELECT 'again'"),
            claims=(claim(self.pair.copy.name),),
        )


def run_where(condition: str, text: str, *, name: str = "driftflow_text") -> tuple[str, ...]:
    """Statements that run the text where the condition holds. Neither server has an IF outside of routines."""
    return (
        f"SET @{name} = IF({condition}, {quote_string(text)}, 'DO 0')",
        f"PREPARE {name} FROM @{name}",
        f"EXECUTE {name}",
        f"DEALLOCATE PREPARE {name}",
    )


def texts_run(statements: Sequence[str]) -> Iterator[str]:
    """The statements, with the text in place of those of `run_where`."""
    behind = iter(statements)
    for statement in behind:
        if statement.startswith("SET @driftflow_") and statement.endswith(", 'DO 0')"):
            yield string_of(tokenize(statement)[0][-4])
            for _ in islice(behind, 3):
                pass
        else:
            yield statement


def claim(table: Name, mode: str = ALONE) -> LockClaim:
    """For a moment; only who needs the table to itself holds anybody up."""
    return LockClaim(
        relation=table,
        mode=mode,
        blocks=("reads", "writes", "ddl") if mode == ALONE else ("ddl",),
        held="instant" if mode == ALONE else "statement",
        queues=mode == ALONE,
    )


def read_claim(table: Name) -> LockClaim:
    """LOCK TABLES ... READ, for a moment."""
    return LockClaim(relation=table, mode="SHARED_READ_ONLY", blocks=("writes", "ddl"), held="instant", queues=True)


def there(table: Name) -> str:
    """A condition: the table exists."""
    return (
        f"EXISTS (SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = {schema_of(table)} "
        f"AND TABLE_NAME = {quote_string(table.name)})"
    )


def schema_of(table: Name) -> str:
    return quote_string(table.schema) if table.schema else "DATABASE()"


def as_undos(steps: Iterator[Step]) -> tuple[Step, ...]:
    return tuple(as_undo(step) for step in steps)
