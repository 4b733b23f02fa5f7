"""The application's own triggers on a table of MySQL or MariaDB that is rebuilt: none of them fires twice for a row, and none is missing for one.

They stay with the old form when RENAME TABLE comes, their names are unique in a database, and no statement changes a table and a trigger at once. So:

1. Just before the swap the copy gets a stand-in for each, with the same body under another name, that asks a small table of ours whether it is to act: not yet.
2. The RENAME TABLE that swaps the forms exchanges that table for one that says yes. So the stand-ins act from that very instant, and for no write of ours before.
3. The old form is written by nobody then. It loses the triggers, so their names are free.
4. One after the other the table gets its triggers again, each under LOCK TABLES, which keeps writers out for the instant: the stand-in is told to look
   whether the trigger is there, CREATE TRIGGER, the stand-in is told to do nothing, and goes. Whatever ends this in the middle, one of the two acts.

On the way back the old form gets stand-ins before the first row is written to it, and the rest is the same, the other way round.

Why so: to drop and create the triggers under LOCK TABLES around the RENAME (MySQL only) would lose rows if the server or the run ended in between, each of these
statements commits by itself; and so would step 4 alone. A stand-in that asks only information_schema for the trigger sees, on MySQL 9.7, those of its transaction's
snapshot: a transaction that began before the swap left its rows out (measured under writers; exact on MariaDB 10.11). What is asked by a locking read is of now,
on both. In step 4 nobody else can write, so what a snapshot hides matters only to one that is older than a run that was killed in that instant.

Source: MySQL 8.4 manual, "CREATE TRIGGER Statement", "LOCK TABLES and UNLOCK TABLES Statements"; MariaDB documentation of the same names.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from driftflow.dialects.cursor import Unread
from driftflow.dialects.mysql.keywords import quote, quote_always, quote_string
from driftflow.dialects.mysql.parse.cursor import Cursor
from driftflow.dialects.mysql.parse.routine import body_relations
from driftflow.dialects.mysql.rights import definer_without
from driftflow.dialects.mysql.tokens import TokenFault, name_of, tokenize
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Table, Trigger, TriggerText, is_ours
from driftflow.model.effects import LockClaim
from driftflow.model.names import Name
from driftflow.model.operations import Operation
from driftflow.model.operations.dependents import names_in_trigger
from driftflow.model.plan import Guard, Probe, RunSql, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies.definers import AS_THAT, body_of, may_name, tokens_of
from driftflow.strategies.fitted import fit
from driftflow.strategies.rebuild.cascades import cascading
from driftflow.strategies.rebuild.paired_steps import claim, schema_of, there
from driftflow.strategies.rebuild.rebuild_columns import renamed
from driftflow.strategies.recipe import as_undo

if TYPE_CHECKING:
    from driftflow.strategies.rebuild.rebuild_online import Rebuild

Way = Literal["forth", "back"]
STATE = "driftflow_state"
WAITS, ACTS, LOOKS = 0, 1, 2
"""What a stand-in is told: to do nothing, to do what its trigger does, or that only where its trigger is not there."""
OF_ANOTHER = ("ORACLE", "MSSQL", "DB2", "POSTGRESQL", "SAPDB")
"""Modes of MariaDB in which a body is of another language."""
BEFORE_IT = frozenset(("ROW_COUNT", "FOUND_ROWS", "@@WARNING_COUNT", "@@ERROR_COUNT", "WARNING_COUNT", "ERROR_COUNT"))
"""What is said of the statement before: in front of a body there is one of ours."""
STATEMENTS = frozenset(("INSERT", "UPDATE", "DELETE", "REPLACE", "SELECT", "CALL"))


def obstacle(table: Table, operations: Sequence[Operation], at: Situation, *, together: Collection[Name] = ()) -> str:
    """Why they cannot come along, as a sentence."""
    name = table.name.name
    if not table.triggers:
        return ""
    if any(is_ours(one.name) for one in table.triggers):
        return f"{name} has triggers of another run of driftflow"
    if len(together) > 1:
        return f"{name} has triggers of its own, and others are rebuilt in the same moment"
    if cascading(table):
        return f"{name} has triggers of its own, and {cascading(table)[0].name} changes its rows"
    final = at.table_at_end(table.name)
    if final is not None and _said(final) != _said(table):
        return f"another statement of the release changes the triggers of {name}"
    gone = [old for old, new in renamed(operations, table).items() if old != new]
    for trigger in table.triggers:
        why = _unfit(trigger, table, gone)
        if why:
            return f"the trigger {trigger.name} of {name} {why}"
    return ""


def _said(table: Table) -> list[tuple[str, str]]:
    return sorted((one.name, one.definition) for one in table.triggers if not is_ours(one.name))


def _unfit(trigger: Trigger, table: Table, gone: Sequence[str]) -> str:
    kept = trigger.kept
    if kept is None:
        return "is not known as the server keeps it"
    if any(one in (kept.sql_mode or "").split(",") for one in OF_ANOTHER):
        return f"was made under another language (sql_mode {kept.sql_mode})"
    if "@" not in kept.definer or kept.definer.endswith("@"):
        return f"runs as a role ({kept.definer})"
    if not kept.statement.isascii() and not kept.character_set.startswith("utf8"):
        return f"holds letters of {kept.character_set}"
    body = body_of(kept)
    if not body:
        return "is not read"
    named = next((one for one in gone if names_in_trigger(trigger.definition, table.name.name, one, own=True)), "")
    if named:
        return f"names {named}, which gets another name"
    columns = {one.name.lower() for one in table.columns}
    if lost := next((one for one in _of_the_row(body) if one.lower() not in columns), ""):
        return f"names {lost}, which the table does not have"
    for token in tokens_of(body):
        if token.key in STATEMENTS:
            break
        if token.text.upper() in BEFORE_IT:
            return f"asks for {token.text} before it has run a statement"
    return ""


def _of_the_row(body: str) -> Iterator[str]:
    """The columns that it takes of NEW and OLD."""
    tokens = list(tokens_of(body))
    for row, dot, column in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if row.key in ("NEW", "OLD") and dot.key == ".":
            yield name_of(column)


class OwnTriggers:
    """Of one rebuild; nothing where the table has none."""

    def __init__(self, rebuild: Rebuild) -> None:
        self.rebuild = rebuild
        self.at = rebuild.at
        self.table = rebuild.before.name
        self.mariadb = rebuild.at.dialect.name == "mariadb"
        found = [(one, one.kept) for one in rebuild.before.triggers if one.kept is not None]
        self.found = sorted(found, key=lambda one: (one[0].events, one[0].timing, one[1].order))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(trigger.name for trigger, _ in self.found)

    # asked before

    def guards(self) -> tuple[Guard, ...]:
        """Before anything is made."""
        found = [self.unchanged()] if self.found else []
        for trigger, kept in self.found:
            user, host = kept.account
            rights = ["TRIGGER", "SELECT", *(["UPDATE"] if trigger.timing == "BEFORE" and "DELETE" not in trigger.events else [])]
            found += [
                replace(may_name(f"trigger {trigger.name}", kept, self.at), hint=f"{AS_THAT}; or say as-is: then writers wait"),
                Guard(
                    query=definer_without(self.table, user, host, rights),
                    summary=f"the trigger {trigger.name} runs as {kept.definer}, of which {{count}} of the rights {', '.join(rights)} on the whole "
                    "database are not known: it could not act on a table beside this one",
                    hint="GRANT them to that account (and SELECT on mysql.* to the user, who has to see it); or say as-is: then writers wait",
                ),
                Guard(
                    query=f"SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = {schema_of(self.table)} "
                    f"AND DEFAULT_COLLATION_NAME <> {quote_string(kept.database_collation)}",
                    summary=f"the database has another collation than when the trigger {trigger.name} was made, and could not make it again",
                    hint="make the trigger anew; or say as-is: then writers wait",
                ),
            ]
        return tuple({guard.query: guard for guard in reversed(found)}.values())[::-1]

    def unchanged(self) -> Guard:
        """They are what they were when the plan was made."""
        meant = " OR ".join(
            f"(TRIGGER_NAME = {quote_string(trigger.name)} AND ACTION_TIMING = '{trigger.timing}' AND EVENT_MANIPULATION = '{trigger.events[0]}' "
            f"AND DEFINER = {quote_string(kept.definer)} AND SQL_MODE = {quote_string(kept.sql_mode or '')} "
            f"AND SHA2(ACTION_STATEMENT, 256) = '{kept.body_sha256}')"
            for trigger, kept in self.found
        )
        return Guard(
            query=f"SELECT {len(self.found)} - COUNT(*) FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = {schema_of(self.table)} "
            f"AND EVENT_OBJECT_TABLE = {quote_string(self.table.name)} AND ({meant})",
            summary=f"{{count}} of the triggers of {self.table.name} are not what they were when the plan was made",
            hint="roll back, and make the plan again",
        )

    def as_planned(self) -> tuple[Guard, ...]:
        return (self.unchanged(),) if self.found else ()

    # stand-ins

    def standing_in(self, way: Way) -> Iterator[RunSql]:
        """On the form that nobody but us writes yet."""
        if not self.found:
            return
        yield self._told(way)
        form = self.rebuild.new if way == "forth" else self.rebuild.old
        for number, (trigger, kept) in enumerate(self.found):
            name = self._called(trigger, way)
            gone = self._dropped(name, form)
            yield self.rebuild.forth.alone(
                self._stand_in(number, trigger, kept, way, form),
                purpose=f"A stand-in for the trigger {trigger.name} on {form.name}, which acts when that is {self.table.name}",
                probe=Probe(query=f"SELECT CASE WHEN {self._exists(name)} THEN 'done' ELSE 'not_done' END"),
                claims=(claim(form),),
                settings=kept.settings,
                undo=UndoSteps(steps=(as_undo(gone),)),
            )

    def _stand_in(self, number: int, trigger: Trigger, kept: TriggerText, way: Way, form: Name) -> str:
        asked = self.at.dialect.quote_name(self._mark(way))
        user, host = kept.account
        made_again = self._exists(trigger.name, self.table)
        return (
            f"CREATE DEFINER={quote_always(user)}@{quote_always(host)} TRIGGER {self._qualified(self._called(trigger, way))} "
            f"{trigger.timing} {trigger.events[0]} ON {self.at.dialect.quote_name(form)} FOR EACH ROW BEGIN "
            f"DECLARE {STATE} int DEFAULT (SELECT state FROM {asked} WHERE id = {number} LOCK IN SHARE MODE); "
            f"IF {STATE} = {LOOKS} THEN SET {STATE} = NOT {made_again}; END IF; "
            f"IF {STATE} = {ACTS} THEN {body_of(kept)}\n; END IF; END"
        )

    def _told(self, way: Way) -> RunSql:
        """What they ask, before the swap and from the swap on."""
        quoted = self.at.dialect.quote_name
        tables = self._mark(way), self._mark(way, "acts")
        statements = []
        for table, state in zip(tables, (WAITS, ACTS), strict=True):
            rows = ", ".join(f"({number}, {state})" for number, _ in enumerate(self.found))
            statements += [
                f"CREATE TABLE IF NOT EXISTS {quoted(table)} (id int PRIMARY KEY, state tinyint NOT NULL) ENGINE=InnoDB",
                f"INSERT IGNORE INTO {quoted(table)} (id, state) VALUES {rows}",
            ]
        gone = self.rebuild.forth.dropped(*tables, self._mark(way, "off"), why="what the stand-ins asked")
        return self.rebuild.forth.alone(
            *statements,
            purpose=f"Make a table that stand-ins for the triggers of {self.table.name} ask whether to act",
            probe=Probe(query="SELECT 'again'"),
            claims=tuple(map(claim, tables)),
            undo=UndoSteps(steps=(as_undo(gone),)),
        )

    def exchanged(self, way: Way) -> tuple[tuple[Name, Name], ...]:
        """What RENAME TABLE renames beside the forms."""
        if not self.found:
            return ()
        return ((self._mark(way), self._mark(way, "off")), (self._mark(way, "acts"), self._mark(way)))

    def renamed(self, way: Way) -> tuple[LockClaim, ...]:
        return tuple(claim(name) for pair in self.exchanged(way) for name in pair[:1])

    # the triggers themselves

    def moved(self, way: Way) -> Iterator[RunSql]:
        """Behind the swap; each may have been done before."""
        if not self.found:
            return
        away = self.rebuild.old if way == "forth" else self.rebuild.new
        for trigger, _ in self.found:
            yield self._dropped(trigger.name, away, from_table=True)
        for number, (trigger, kept) in enumerate(self.found):
            yield self._again(number, trigger, kept, way)
        yield self._cleared(way)

    def _cleared(self, way: Way) -> RunSql:
        """A stand-in is left where the run ended right behind its trigger; it does nothing, but it asks."""
        tables = self._mark(way), self._mark(way, "off"), self._mark(way, "acts")
        names = [self._called(trigger, way) for trigger, _ in self.found]
        step = self.rebuild.forth.dropped(*tables, why="what the stand-ins asked")
        left = " OR ".join((*map(there, tables), *map(self._exists, names)))
        return replace(
            step,
            statements=(*(f"DROP TRIGGER IF EXISTS {self._qualified(name)}" for name in names), *step.statements),
            probe=Probe(query=f"SELECT CASE WHEN {left} THEN 'not_done' ELSE 'done' END", first=True),
            claims=(*step.claims, claim(self.table)),
        )

    def _again(self, number: int, trigger: Trigger, kept: TriggerText, way: Way) -> RunSql:
        quoted, mark, name = self.at.dialect.quote_name, self._mark(way), self._called(trigger, way)
        told = f"UPDATE {quoted(mark)} SET state = {{}} WHERE id = {number}"
        body = body_of(kept)
        # It stands in its place among others of the same event; the server does not keep the word.
        create = f"{kept.statement.removesuffix(body)} PRECEDES {quote(name)}{body}"
        claims = (claim(self.table), claim(mark))
        listed = f"LOCK TABLES {', '.join(f'{quoted(one.relation)} WRITE' for one in claims)}"
        return replace(
            self.rebuild.forth.alone(
                told.format(LOOKS),
                create,
                told.format(WAITS),
                f"DROP TRIGGER IF EXISTS {self._qualified(name)}",
                purpose=f"{self.table.name} has its trigger {trigger.name} again, in place of the stand-in",
                probe=Probe(
                    query=f"SELECT CASE WHEN {self._exists(trigger.name, self.table)} THEN 'done' ELSE 'not_done' END", first=True
                ),
                claims=(*claims, *map(claim, self._touched())),
                settings=kept.settings,
            ),
            lock_tables=listed,
        )

    def _touched(self) -> tuple[Name, ...]:
        """The tables that the bodies name: MySQL's LOCK TABLES takes them along, and nobody else reads them meanwhile; MariaDB's does not (9.7 and 10.11)."""
        found: dict[Name, None] = {}
        if self.mariadb:
            return ()
        for _, kept in self.found:
            body = body_of(kept)
            try:
                named = body_relations(Cursor(tokenize(body)[0], body, mariadb=False))
            except (TokenFault, Unread):
                continue
            found |= dict.fromkeys(one if one.schema else replace(one, schema=self.table.schema) for one in named)
        return tuple(name for name in found if name != self.table and self.at.catalog.table(name) is not None)

    def _dropped(self, name: str, table: Name, *, from_table: bool = False) -> RunSql:
        """`from_table`: only from there, since another table has one of that name at other times."""
        exists = self._exists(name, table if from_table else None)
        return self.rebuild.forth.alone(
            f"DROP TRIGGER IF EXISTS {self._qualified(name)}",
            purpose=f"Take away the trigger {name}{f' of {table.name}' if from_table else ''}",
            probe=Probe(query=f"SELECT CASE WHEN {exists} THEN 'not_done' ELSE 'done' END", first=True),
            claims=(claim(table),),
        )

    # names

    def _called(self, trigger: Trigger, way: Way) -> str:
        return fit(f"zzz_driftflow_own_{way}_{self.rebuild.mark}_{trigger.name}", bytes_max=60)

    def _mark(self, way: Way, kind: str = "mark") -> Name:
        return self.rebuild.behind(f"{kind}_{way}")

    def _qualified(self, name: str) -> str:
        return f"{quote(self.table.schema)}.{quote(name)}" if self.table.schema else quote(name)

    def _exists(self, name: str, table: Name | None = None) -> str:
        """A condition; on the table, where one is said."""
        where = (
            f" AND EVENT_OBJECT_SCHEMA = {schema_of(table)} AND EVENT_OBJECT_TABLE = {quote_string(table.name)}" if table else ""
        )
        return (
            f"EXISTS (SELECT 1 FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = {schema_of(self.table)} "
            f"AND TRIGGER_NAME = {quote_string(name)}{where})"
        )
