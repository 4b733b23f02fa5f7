"""What a statement does on a real PostgreSQL: run in a transaction, and looked at from inside before that ends.

pg_locks has every lock of the session, the relation's file number changes where it was written anew, and the transaction's own statistics
count whole-table reads. What the server refuses inside a transaction is run alone, on copies of the database, and watched from a second session
while somebody else's lock makes it stand still.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass

from driftflow.dialects.postgresql.effects.locks import ACCESS_EXCLUSIVE, blocks
from driftflow.engine.ports import Connection, Connector, DatabaseFault
from driftflow.lab.time_limit import limited
from driftflow.model.effects import Effects, LockClaim, Work
from driftflow.model.names import Name
from driftflow.model.observation import Part, Seen

NOT_IN_A_TRANSACTION = "25001"
LOCK_MS_MAX = 10_000
POLL_SECONDS = 0.002

RELATIONS = """
SELECT c.oid, n.nspname, c.relname, c.relfilenode, c.relkind::text
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname !~ '^pg_(toast_)?temp_'
"""
LOCKS = """
SELECT DISTINCT l.relation, l.mode FROM pg_catalog.pg_locks AS l
WHERE l.pid = %s AND l.locktype = 'relation'
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
"""
SCANS = "SELECT relid, seq_scan FROM pg_catalog.pg_stat_xact_all_tables WHERE seq_scan > 0"
"""Of this session: with what earlier transactions did, until the server has taken it into its totals, which it never does inside a transaction."""
WAITS = "SELECT pg_catalog.pg_blocking_pids(%s)"
HOLDERS = ("SHARE UPDATE EXCLUSIVE", "ROW EXCLUSIVE", "ACCESS SHARE")
"""In which mode somebody holds every table, in turn: the first stops a statement at its first lock, the others at a later one."""
HOLDERS_MAX = 30
"""Sessions; with more tables some hold several."""
SLOWLY = ("SET vacuum_cost_limit = 1", "SET vacuum_cost_delay = 5")
"""VACUUM waits for no lock once it has its table, and is over before anybody could look."""
TABLES = frozenset({"r", "p", "v", "m", "f"})
"""What people name: tables, views and foreign tables; not the indexes and sequences that go with them."""
ALONE = "scans: it runs outside a transaction, and only a transaction's own statistics are exact"


@dataclass(frozen=True)
class _Relation:
    name: Name
    file: int
    kind: str


_Relations = Mapping[int, _Relation]


def in_transaction(connection: Connection, sql: str, *, keep: bool) -> Seen | None:
    """Run the statement in a transaction of its own, which is committed (`keep`) or rolled back. None where the server wants none.

    Raises DatabaseError when it does not end, and DatabaseFault when the connection is lost.
    """
    before = _relations(connection)
    connection.begin()
    try:
        connection.set_timeouts(lock_ms=LOCK_MS_MAX)
        scanned: dict[int, int] = dict(connection.query(SCANS))
        with limited(connection, sql):
            connection.query(sql)
        seen = _seen(connection, before, scanned)
        if keep:
            connection.commit()  # deferred constraints speak here
    except DatabaseFault as fault:
        if fault.code == NOT_IN_A_TRANSACTION:
            return None
        return _refused(fault, transactional=True)
    finally:
        connection.rollback()
    return seen


def alone(connection: Connection, sql: str, *, copies: Sequence[Connector]) -> Seen:
    """Run the statement outside a transaction, once on each of the copies while somebody holds its tables (one copy for each of `HOLDERS`),
    and at last on the connection's own database, where it stays.

    Raises DatabaseError when it does not end.
    """
    locks: set[tuple[Name, str]] = set()
    for holder, connector in zip(HOLDERS, copies, strict=True):
        with closing(connector.connect("observed")) as observed, closing(connector.connect("observer")) as observer:
            locks |= _watched(observed, observer, sql, holder=holder, connector=connector)
    before = _relations(connection)
    try:
        with limited(connection, sql):
            connection.query(sql)
    except DatabaseFault as fault:
        return _refused(fault, transactional=False)
    after = _relations(connection)
    effects = Effects(locks=_claims(locks), work=_rewrites(before, after), transactional=False, basis="observed")
    parts: tuple[Part, ...] = ("error", "transaction", "locks", "rewrite")
    watched = tuple(sorted(one.name for one in before.values() if one.kind in {"r", "p"}))
    return Seen(effects=effects, parts=parts, every_mode=False, watched=watched, left_out=(ALONE,))


def _refused(fault: DatabaseFault, *, transactional: bool) -> Seen:
    message = f"{fault.message}: {fault.detail}" if fault.detail else fault.message
    return Seen(effects=Effects(transactional=transactional, basis="observed"), error=message, parts=("error",))


def _seen(connection: Connection, before: _Relations, scanned: Mapping[int, int]) -> Seen:
    """What the open transaction has done so far."""
    held = connection.query(LOCKS, (connection.session.id,))
    read = [oid for oid, times in connection.query(SCANS) if times > scanned.get(oid, 0)]
    after = _relations(connection)
    known = _known(before, after)
    locks = {(known[oid].name, spelled(mode)) for oid, mode in held if oid in known}
    scans = tuple(Work(kind="scan", relation=name) for name in sorted({known[oid].name for oid in read if oid in known}))
    gone = tuple(sorted(one.name for oid, one in before.items() if oid not in after and one.kind not in TABLES))
    effects = Effects(locks=_claims(locks), work=(*_rewrites(before, after), *scans), basis="observed")
    return Seen(effects=effects, gone=gone, parts=("error", "transaction", "locks", "rewrite", "scan"))


def _relations(connection: Connection) -> _Relations:
    rows = connection.query(RELATIONS)
    return {oid: _Relation(Name(schema=schema, name=name), file, kind) for oid, schema, name, file, kind in rows}


def _known(before: _Relations, after: _Relations) -> _Relations:
    """By their names before the statement; without those whose name another relation has taken, as an index that was made anew."""
    names = {one.name: oid for oid, one in after.items()}
    return {**after, **{oid: one for oid, one in before.items() if names.get(one.name, oid) == oid}}


def _rewrites(before: _Relations, after: _Relations) -> tuple[Work, ...]:
    """Relations whose file is another one; by name as well, since REINDEX CONCURRENTLY lets a new index take the name of the old."""
    changed = {was.name for oid, was in before.items() if oid in after and after[oid].file != was.file}
    named = {one.name: oid for oid, one in after.items()}
    changed |= {was.name for oid, was in before.items() if was.name in named and after[named[was.name]].file != was.file}
    return tuple(Work(kind="rewrite", relation=name) for name in sorted(changed))


def _claims(locks: Iterable[tuple[Name, str]]) -> tuple[LockClaim, ...]:
    return tuple(LockClaim(relation=name, mode=mode, blocks=blocks(mode)) for name, mode in sorted(locks))


def spelled(mode: str) -> str:
    """`AccessExclusiveLock` → `ACCESS EXCLUSIVE`."""
    return " ".join(re.findall("[A-Z][a-z]+", mode.removesuffix("Lock"))).upper()


# from outside


def _watched(observed: Connection, observer: Connection, sql: str, *, holder: str, connector: Connector) -> set[tuple[Name, str]]:
    """Every lock that the statement was seen to hold or to wait for, while each table was held until it stood still there."""
    before = _relations(observer)
    for setting in SLOWLY:
        observed.query(setting)
    seen: dict[int, set[str]] = {}
    running = threading.Thread(target=_run, args=(observed, sql), daemon=True)
    with ExitStack() as stack:
        holders = {one.session.id: one for one in _holders(stack, connector, before, holder)}
        running.start()
        in_the_way: list[int] = []
        while running.is_alive():
            for oid, mode in observer.query(LOCKS, (observed.session.id,)):
                seen.setdefault(oid, set()).add(mode)
            now = observer.query(WAITS, (observed.session.id,))[0][0]
            if now and now == in_the_way:  # on a busy machine a request may be seen waiting that is granted at once
                for pid in now:
                    if pid in holders:
                        holders[pid].rollback()
            in_the_way = now
            time.sleep(POLL_SECONDS)
    running.join()
    return set(_of_others(seen, before, _relations(observer)))


def _run(observed: Connection, sql: str) -> None:
    try:
        with limited(observed, sql):
            observed.query(sql)
    except Exception:  # whether it fails is asked on the last, undisturbed run
        observed.rollback()


def _holders(stack: ExitStack, connector: Connector, relations: _Relations, mode: str) -> list[Connection]:
    """Sessions that hold one table each, so that a statement that takes one after the other stands still at every one of them."""
    tables = [one.name for one in relations.values() if one.kind in {"r", "p"}]
    sessions = [stack.enter_context(closing(connector.connect("holder"))) for _ in tables[:HOLDERS_MAX]]
    for number, connection in enumerate(sessions):
        connection.begin()
        connection.query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        for name in tables[number::HOLDERS_MAX]:
            connection.query(f"LOCK TABLE ONLY {_quoted(name)} IN {mode} MODE")
        connection.query("SELECT 1")  # takes the snapshot that CREATE INDEX CONCURRENTLY waits for
    return sessions


def _of_others(seen: Mapping[int, set[str]], before: _Relations, after: _Relations) -> Iterator[tuple[Name, str]]:
    """Locks that somebody could notice: not those on relations that the statement makes, nor the last one on an index that is removed when
    nobody can use it any more."""
    for oid, modes in seen.items():
        if oid in before:
            told = {spelled(mode) for mode in modes}
            yield from ((before[oid].name, mode) for mode in (told if oid in after else told - {ACCESS_EXCLUSIVE}))


def _quoted(name: Name) -> str:
    return ".".join('"' + part.replace('"', '""') + '"' for part in (name.schema, name.name))
