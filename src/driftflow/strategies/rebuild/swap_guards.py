"""What must hold just before two tables of MySQL or MariaDB change places, where one has been made from the other while the application wrote it.

Source: MySQL 8.4 manual, "Consistent Nonlocking Reads", "The INFORMATION_SCHEMA INNODB_TRX Table"; MariaDB documentation, "Information Schema INNODB_TRX
Table", "TRUNCATE TABLE".
"""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.dialects.mysql.keywords import quote_string
from driftflow.model.names import Name
from driftflow.model.plan import Guard, Probe, RunSql, UndoNothing, UndoSteps, Verify
from driftflow.strategies.rebuild.paired_steps import PairedSteps, as_undos, claim, schema_of, there

SNAPSHOT_WAIT_MS = 60_000
"""How long the swap waits for transactions with an older snapshot. A dump takes longer; then the run stops, and is resumed behind it."""
ENDS = 1_000
"""How many rows at each end of the key are looked at."""


def completed(steps: PairedSteps, marker: Name) -> RunSql:
    """A table whose time of creation says since when the copy has every row."""
    return steps.alone(
        f"CREATE TABLE {steps.at.dialect.quote_name(marker)} (driftflow_id int PRIMARY KEY) ENGINE=InnoDB",
        purpose=f"Note the moment from which {steps.pair.copy.name.name} holds every row",
        probe=Probe(query=f"SELECT CASE WHEN {there(marker)} THEN 'done' ELSE 'not_done' END"),
        claims=(claim(marker),),
        undo=UndoSteps(steps=as_undos(iter((forgotten(steps, marker),)))),
    )


def forgotten(steps: PairedSteps, marker: Name) -> RunSql:
    return steps.dropped(marker, why="the moment that was noted")


def waited(steps: PairedSteps, marker: Name) -> Verify:
    """By itself, and again at the swap: while it waits, nothing else has begun."""
    return Verify(
        **steps.recipe.common(
            f"Wait for transactions that are older than the last row of {steps.pair.copy.name.name}", steps.phase
        ),
        expectations=(),
        guards=(none_sees_a_part(steps, marker),),
        undo=UndoNothing(reason="it changes nothing"),
    )


def none_sees_a_part(steps: PairedSteps, marker: Name) -> Guard:
    """Whoever reads by a snapshot that is older than the copy's last row would find only those that are older still, and no error says so. READ COMMITTED
    has a new snapshot for each statement. Times are the server's own, whatever the time zone of the session."""
    since = (
        f"SELECT CONVERT_TZ(CREATE_TIME, @@SESSION.time_zone, 'SYSTEM') FROM information_schema.TABLES "
        f"WHERE TABLE_SCHEMA = {schema_of(marker)} AND TABLE_NAME = {quote_string(marker.name)}"
    )
    return Guard(
        query=(
            "SELECT COUNT(*) FROM information_schema.INNODB_TRX WHERE trx_isolation_level IN ('REPEATABLE READ', 'SERIALIZABLE') "
            f"AND trx_mysql_thread_id NOT IN (0, CONNECTION_ID()) AND trx_started <= ({since})"
        ),
        summary=f"{{count}} transactions began before {steps.pair.copy.name.name} was complete, and would see a part of {steps.name} behind the swap",
        hint="wait until they have ended (information_schema.INNODB_TRX names their sessions), or end them; then resume",
        wait_ms=SNAPSHOT_WAIT_MS,
    )


def not_emptied(steps: PairedSteps, *, hint: str = "roll back, and begin again") -> Guard:
    """TRUNCATE fires no trigger: the copy has rows that its source has not. Looked for at both ends of the key."""
    texts = steps.texts
    keys = [theirs for _, theirs in steps.pair.key]
    names = ", ".join(map(texts.quote, keys))
    ends = " UNION ".join(
        f"(SELECT {names} FROM {texts.copy} ORDER BY {', '.join(f'{texts.quote(one)}{way}' for one in keys)} LIMIT {ENDS})"
        for way in ("", " DESC")
    )
    return Guard(
        query=f"SELECT COUNT(*) FROM ({ends}) AS ends LEFT JOIN {texts.source} ON {texts.found_by('ends')} "
        f"WHERE {texts.source}.{texts.quote(steps.pair.key[0][0])} IS NULL",
        summary=f"{steps.name} was emptied past the triggers (TRUNCATE?): {{count}} of those looked at are left in {steps.pair.copy.name.name}",
        hint=hint,
    )


def unattached(steps: PairedSteps, *, known: Sequence[tuple[Name, str]] = (), triggers: Sequence[str] = ()) -> Guard:
    """Triggers and foreign keys that came meanwhile would stay with the table that goes. `known` keys (their tables and names) are meant to, and must be there;
    `triggers` are seen to."""
    source = steps.pair.source.name
    ours = ", ".join(map(quote_string, (*steps.texts.writing_names(), *triggers)))
    schema, name = schema_of(source), quote_string(source.name)
    meant = " OR ".join(
        f"(TABLE_SCHEMA = {schema_of(table)} AND TABLE_NAME = {quote_string(table.name)} AND CONSTRAINT_NAME = {quote_string(key)})"
        for table, key in known
    )
    others = f" AND NOT ({meant})" if known else ""
    there = f"(SELECT COUNT(*) FROM information_schema.TABLE_CONSTRAINTS WHERE CONSTRAINT_TYPE = 'FOREIGN KEY' AND ({meant}))"
    missing = f" + {len(known)} - {there}" if known else ""
    return Guard(
        query=(
            f"SELECT (SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = {schema} AND EVENT_OBJECT_TABLE = {name} "
            f"AND TRIGGER_NAME NOT IN ({ours})) + (SELECT COUNT(*) FROM information_schema.KEY_COLUMN_USAGE WHERE REFERENCED_TABLE_NAME IS NOT NULL "
            f"AND (TABLE_SCHEMA = {schema} AND TABLE_NAME = {name} OR REFERENCED_TABLE_SCHEMA = {schema} AND REFERENCED_TABLE_NAME = {name}){others}){missing}"
        ),
        summary=f"somebody has given {steps.name} a trigger or a foreign key meanwhile, which would stay with the table that goes{', or has taken one away' if known else ''}",
        hint="take it away, then resume; it can be made again behind the swap",
    )
