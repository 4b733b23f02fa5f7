"""Two tables of MySQL or MariaDB that hold the same rows in two forms, while the application writes one of them.

At first triggers note nothing but keys: they wait for nobody, so the application can neither fail nor deadlock because of them, and what is noted is
copied again by reading the row itself. When the two are nearly equal, triggers that write the copy take over; from then on every transaction changes
both tables or none, and the copy may take the table's place at any moment. Writing the copy from the beginning would lock the gaps of its missing rows
under REPEATABLE READ, the servers' default: two sessions of the application would then wait for each other.

Source: MySQL 8.4 manual, "InnoDB Locking", "Trigger Syntax"; MariaDB documentation, "Trigger Overview".
"""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Table, Trigger
from driftflow.model.names import Name
from driftflow.model.record import Record, digest
from driftflow.strategies.fitted import fit
from driftflow.strategies.rebuild import compared_columns
from driftflow.strategies.rebuild.paired_replace import Replaced, ReplacedApart

KEY, SEQUENCE, OUT = "driftflow_k", "driftflow_seq", "driftflow_out"
"""Columns of our tables: as no table of an application has them, which stand beside them in a join."""
EVENTS = ("DELETE", "UPDATE", "INSERT")
SETTINGS = {"sql_mode": "STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES"}
"""A value that does not fit is an error, and nothing else that a row holds already: neither a zero in an AUTO_INCREMENT column nor a zero date."""
DOES_NOT_FIT = (
    "SQLSTATE '22001', SQLSTATE '22003', SQLSTATE '22004', SQLSTATE '22007', SQLSTATE '22008', SQLSTATE '22012', SQLSTATE '22018', "
    "SQLSTATE '22023', SQLSTATE '22032', SQLSTATE '23000', 1264, 1265, 1292, 1300, 1364, 1366, 1367, 1406, 1411, 1416, 1526, 1690, 1748, 1977, 3819, 3854, 4025"
)
"""What the data may be to blame for. A deadlock or a lock that is not granted is not among them: those end the statement, as they would without us."""
NOTED_MOST = 10_000
"""Entries of one key that one transaction takes from the log."""
OF_FOREIGN_KEYS = "1216, 1217, 1451, 1452"


class Pair(Record, frozen=True, kw_only=True):
    """`source` is what the application writes, `copy` the same rows in another form, `log` the keys that were written."""

    source: Table
    copy: Table
    log: Name
    key: tuple[tuple[str, str], ...]
    """A unique NOT NULL key of both: its columns in the source, and in the copy."""
    columns: tuple[tuple[str, str], ...]
    """(column of the copy, expression over the source's columns)"""
    tag: str
    """In the names of its triggers."""
    bound: bool = False
    """Foreign keys hold on the copy just before it takes the source's place: what they refuse is the application's error, as on the source."""

    cascading: bool = False
    """Some of them change rows of both by themselves."""

    referenced: tuple[str, ...] = ()
    """Columns of the source that foreign keys point at."""

    pointed_at: tuple[tuple[str, ...], ...] = ()
    """The same by foreign key, for a copy that others point at for long, and that has the unique keys of the source."""

    followed: tuple[tuple[str, str], ...] = ()
    """An event, and a statement for behind it, whether the copy took the row or not: it notes rows of another copy that should have followed."""

    orphaned: tuple[str, ...] = ()
    """Conditions on NEW: what it hangs on is there, and rejected by its own copy. Then a foreign key of the copy refuses what is the application's success."""

    written: tuple[Name, ...] = ()
    """What triggers of ours write that stand where those of this pair stand, these among them or later."""

    @property
    def picked(self) -> Name:
        """The keys of the chunk under work."""
        return Name(schema=self.log.schema, name=f"{self.log.name}_now")


class Above(Record, frozen=True, kw_only=True):
    """What rows of the copy hang on by a foreign key that changes them."""

    columns: tuple[str, ...]
    """Of the copy."""
    parent: Name
    referenced: tuple[str, ...]
    index: str
    """Of the parent, over these columns; empty where none is known."""


class Texts:
    """The SQL of a pair."""

    def __init__(self, at: Situation, pair: Pair) -> None:
        self.at, self.pair = at, pair
        self.quote = at.dialect.quote
        self.source = at.dialect.quote_name(pair.source.name)
        self.copy = at.dialect.quote_name(pair.copy.name)
        self.log = at.dialect.quote_name(pair.log)
        self.picked = at.dialect.quote_name(pair.picked)
        self.shared = at.dialect.held_rows(at.version)
        self.exclusive = at.dialect.held_rows(at.version, exclusive=True)

    # the log

    def create_log(self) -> str:
        """Keys in the order in which they were written; one may stand in it often."""
        return f"CREATE TABLE {self.log} ({SEQUENCE} bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, {self._typed_keys}) ENGINE=InnoDB"

    def create_picked(self) -> str:
        """The keys of the chunk under work. Nobody else knows the table, so reading it waits for nobody."""
        counted = f"driftflow_id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, {SEQUENCE} bigint unsigned NULL"
        return f"CREATE TABLE IF NOT EXISTS {self.picked} ({counted}, {OUT} tinyint NOT NULL DEFAULT 0, {self._typed_keys}) ENGINE=InnoDB"

    @property
    def _typed_keys(self) -> str:
        return ", ".join(f"{KEY}{number} {self.key_type(ours)} NULL" for number, (ours, _) in self._keys())

    def key_type(self, name: str) -> str:
        column = self.pair.source.column(name)
        assert column is not None
        return f"{column.type} COLLATE {column.collation}" if column.collation else column.type

    @property
    def log_columns(self) -> str:
        return ", ".join(f"{KEY}{number}" for number in range(1, len(self.pair.key) + 1))

    def _noted(self, *rows: str) -> str:
        """INSERT of the keys of OLD or NEW."""
        values = ", ".join(f"({', '.join(f'{row}.{self.quote(column)}' for column, _ in self.pair.key)})" for row in rows)
        return f"INSERT INTO {self.log} ({self.log_columns}) VALUES {values}"

    def note_chunk(self) -> str:
        """A unique value has moved from a row that was copied to one that is copied now: the whole chunk is left to what is copied again, which
        takes the old row out of the way."""
        keys = ", ".join(f"{self.source}.{self.quote(column)}" for column, _ in self.pair.key)
        return f"INSERT INTO {self.log} ({self.log_columns}) SELECT {keys} FROM {self.source} WHERE {{rows}}"

    # triggers

    def trigger_name(self, kind: str, event: str) -> str:
        return fit(f"zzz_driftflow_{kind}_{self.pair.tag}_{event.lower()}", bytes_max=60)

    def noting(self, event: str) -> Trigger:
        """Notes the key of every row that is written."""
        body = {
            "INSERT": self._noted("NEW"),
            "DELETE": self._noted("OLD"),
            "UPDATE": f"IF {self._key_changes()} THEN {self._noted('OLD', 'NEW')}; ELSE {self._noted('OLD')}; END IF",
        }[event]
        return self._trigger("note", event, body)

    def writing(self, event: str) -> Trigger:
        """Writes the row into the copy. A row that the copy rejects is the application's success all the same: its key is noted."""
        columns = ", ".join(self.quote(column) for column, _ in self.pair.columns)
        values = [self._exactly(theirs, expression, self.of_row(expression, "NEW")) for theirs, expression in self.pair.columns]
        inserted = f"INSERT INTO {self.copy} ({columns}) VALUES ({', '.join(values)})"
        removed = f"DELETE FROM {self.copy} WHERE {self._row_is('OLD')}"
        replaced = self._replaced()
        sets = ", ".join(f"{self.quote(column)} = {value}" for (column, _), value in zip(self.pair.columns, values, strict=True))
        updated = f"UPDATE {self.copy} SET {sets} WHERE {self._row_is('OLD')}"
        # A row that others point at changes its key in one statement; where the copy did not have it, it has it now.
        moved = f"{updated}; IF ROW_COUNT() = 0 THEN {inserted}; END IF" if self.pair.bound else f"{removed}; {inserted}"
        followed = "".join(f"; {statement}" for of, statement in self.pair.followed if of == event)
        removed += followed if event == "DELETE" else ""
        body, noted = {
            "INSERT": (replaced.instead_of(inserted, sets) if replaced else inserted, self._noted("NEW")),
            "DELETE": (replaced.unless_kept(removed, self._noted("OLD")) if replaced else removed, self._noted("OLD")),
            "UPDATE": (f"IF {self._key_changes()} THEN {moved}; ELSE {updated}; END IF{followed}", self._noted("OLD", "NEW")),
        }[event]
        refused = f"DECLARE EXIT HANDLER FOR {OF_FOREIGN_KEYS} {self._refused(noted, event)}; " if self.pair.bound else ""
        handled = f"BEGIN {noted}{followed}; END" if followed else noted
        return self._trigger("copy", event, f"BEGIN {refused}DECLARE EXIT HANDLER FOR {DOES_NOT_FIT} {handled}; {body}; END")

    def _refused(self, noted: str, event: str) -> str:
        """What a foreign key of the copy refuses is the application's error, but where the row that it hangs on is rejected by a copy of its own."""
        if event == "DELETE" or not self.pair.orphaned:
            return "RESIGNAL"
        return f"BEGIN IF {' OR '.join(f'({one})' for one in self.pair.orphaned)} THEN {noted}; ELSE RESIGNAL; END IF; END"

    def _replaced(self) -> Replaced | None:
        """None where a REPLACE is to foreign keys what it is to triggers, or none points at the table."""
        theirs_of = {expression: theirs for theirs, expression in self.pair.columns}
        there = [theirs_of.get(self.quote(ours)) for ours in self.pair.referenced]
        if not there or None in there or not self.at.can(Capability.REPLACE_KEEPS_REFERENCED):
            return None
        pairs = [
            (self.quote(ours), self.quote(theirs)) for ours, theirs in zip(self.pair.referenced, there, strict=True) if theirs
        ]
        mark = digest([self.pair.tag])[:8]
        if not self.pair.pointed_at:
            return Replaced(copy=self.copy, log=self.log, sequence=SEQUENCE, columns=tuple(pairs), mark=mark)
        named = " AND ".join(f"{KEY}{number} = NEW.{self.quote(ours)}" for number, (ours, _) in self._keys())
        keys = tuple(tuple(map(self.quote, columns)) for columns in self.pair.pointed_at)
        return ReplacedApart(
            copy=self.copy,
            log=self.log,
            sequence=SEQUENCE,
            columns=tuple(pairs),
            mark=mark,
            keys=keys,
            named=named,
        )

    def writing_names(self) -> list[str]:
        """Of all triggers that write the copy."""
        remembers = self.remembering()
        return [*(self.trigger_name("copy", event) for event in EVENTS), *([remembers.name] if remembers is not None else [])]

    def remembering(self) -> Trigger | None:
        """A trigger that says which row is about to come: what is deleted for it in the same statement is replaced."""
        replaced = self._replaced()
        if replaced is None:
            return None
        return Trigger(
            name=self.trigger_name("replace", "INSERT"),
            table=self.pair.source.name,
            timing="BEFORE",
            events=("INSERT",),
            definition=f"BEFORE INSERT {replaced.remember()}",
        )

    def _trigger(self, kind: str, event: str, body: str) -> Trigger:
        return Trigger(
            name=self.trigger_name(kind, event),
            table=self.pair.source.name,
            timing="AFTER",
            events=(event,),
            definition=f"AFTER {event} {naming(self.pair.written, body, self.at)}",
        )

    def of_row(self, expression: str, row: str) -> str:
        """The expression over a row of a trigger."""
        for column in self.pair.source.columns:
            if expression == self.quote(column.name):
                return f"{row}.{expression}"
        columns = ", ".join(f"{row}.{self.quote(one.name)} AS {self.quote(one.name)}" for one in self.pair.source.columns)
        return f"(SELECT {expression} FROM (SELECT {columns}) AS {self.quote(self.pair.source.name.name)})"

    def moments(self) -> bool:
        """Whether a TIMESTAMP is written that the session's time zone could move."""
        types = [column.type for column in self.pair.copy.columns if column.name in dict(self.pair.columns)]
        return self.at.can(Capability.TIMESTAMP_BY_SESSION) and any(map(is_timestamp, types))

    def _exactly(self, theirs: str, expression: str, value: str) -> str:
        """A TIMESTAMP with its offset from UTC: a trigger runs in the time zone of the application's session, where an hour comes twice a year."""
        mine = next((one for one in self.pair.source.columns if expression == self.quote(one.name)), None)
        other = self.pair.copy.column(theirs)
        if not self.moments() or mine is None or other is None or not (is_timestamp(mine.type) and is_timestamp(other.type)):
            return value
        return f"IF({value} = 0, {value}, CONCAT('1970-01-01 00:00:00' + INTERVAL UNIX_TIMESTAMP({value}) SECOND, '+00:00'))"

    def _row_is(self, row: str) -> str:
        return " AND ".join(
            f"{self.copy}.{self.quote(theirs)} = {self._as_key(f'{row}.{self.quote(ours)}', ours, theirs)}"
            for ours, theirs in self.pair.key
        )

    def _key_changes(self) -> str:
        """To the letter: another case is the same key to some collations, and another one to others."""
        parts = []
        for ours, _ in self.pair.key:
            old, new = f"OLD.{self.quote(ours)}", f"NEW.{self.quote(ours)}"
            column = self.pair.source.column(ours)
            parts.append(
                self.at.dialect.differs(old, new) if column is None else self.at.dialect.differs_exactly(old, new, column)
            )
        return " OR ".join(parts)

    def _as_key(self, value: str, ours: str, theirs: str, *, back: bool = False) -> str:
        """A key of the source, as something that the copy's key can be looked up by; or `back`."""
        mine, other = self.pair.source.column(ours), self.pair.copy.column(theirs)
        if back:
            mine, other = self.pair.copy.column(ours), self.pair.source.column(theirs)
        if mine is None or other is None or not other.collation or mine.collation == other.collation:
            return value
        return f"(CONVERT({value} USING {other.collation.partition('_')[0]}) COLLATE {other.collation})"

    # what was noted, again

    def again(self, above: tuple[Above, ...] = ()) -> tuple[str, ...]:
        """The rows of the picked keys as they are now, behind the statement that picked them. Every lock that the application might hold is asked for
        without waiting, the source's rows first, as the application does; and by the key, so that no other row is locked.

        `above` is for a copy whose foreign keys change its rows already. The server comes to them by the index of the foreign key and then locks the row,
        a DELETE the other way: each would wait for the other, and the application's statement be ended for it (MariaDB 10.11: 1213; MySQL 9.7.4 too, or
        it says that all went well and has done nothing). So what these rows hang on is held while they are taken out, which who changes it holds before it comes here."""
        columns = ", ".join(self.quote(column) for column, _ in self.pair.columns)
        values = ", ".join(expression for _, expression in self.pair.columns)
        of_source = self._of_source()
        return (
            f"SELECT COUNT(*) FROM {of_source} {self.shared}",
            *self._taken_out(0, above),
            *self._out_of_the_way(of_source, above),
            f"INSERT INTO {self.copy} ({columns}) SELECT {values} FROM {of_source} {self.shared}",
            f"DELETE {self.log} FROM {self.picked} STRAIGHT_JOIN {self.log} ON {self.log}.{SEQUENCE} = {self.picked}.{SEQUENCE}",
            f"DELETE FROM {self.picked}",
        )

    def _of_source(self) -> str:
        """The rows of the source that the picked keys name."""
        moved = f"(SELECT DISTINCT {self.log_columns} FROM {self.picked} WHERE {OUT} = 0) AS moved"
        return f"{moved} STRAIGHT_JOIN {self.source}{self._by(self.pair.source, 0)} ON {self._source_is('moved')}"

    def queued(self) -> tuple[str, ...]:
        """A row that somebody always holds would never be locked without waiting. One at a time is waited for; and since nobody is writing it then, whatever
        was noted of it so far is done with it (read as it was committed: an entry of somebody who has not committed is not waited for)."""
        waiting = self.at.dialect.held_rows(self.at.version, waiting=True)
        picked = ", ".join(f"{self.log}.{column}" for column in (SEQUENCE, *self.log_columns.split(", ")))
        same = " AND ".join(f"{self.log}.{KEY}{number} = {self.picked}.{KEY}{number}" for number, _ in self._keys())
        others = f"{self.picked} STRAIGHT_JOIN {self.log} ON {same} AND {self.log}.{SEQUENCE} <> {self.picked}.{SEQUENCE}"
        return (
            f"SELECT COUNT(*) FROM {self._of_source()} {waiting}",
            f"INSERT INTO {self.picked} ({SEQUENCE}, {self.log_columns}) SELECT {picked} FROM {others} LIMIT {NOTED_MOST}",
        )

    def _taken_out(self, out: int, above: tuple[Above, ...]) -> tuple[str, ...]:
        """Rows of the copy, by picked keys."""
        of_copy = f"{self.picked} STRAIGHT_JOIN {self.copy}{self._by(self.pair.copy, 1)} ON {self._copy_is(self.picked)}"
        where = f"WHERE {self.picked}.{OUT} = {out}"
        return (
            f"SELECT COUNT(*) FROM {of_copy} {where} {self.exclusive}",
            *(self._held(one, f"FROM {of_copy} {where}") for one in above),
            f"DELETE {self.copy} FROM {of_copy} {where}",
        )

    def _held(self, above: Above, rows: str) -> str:
        """Rows that those of the copy hang on."""
        parent = self.at.dialect.quote_name(above.parent)
        index = f" FORCE INDEX ({self.quote(above.index)})" if above.index else ""
        pairs = list(zip(above.columns, above.referenced, strict=True))
        values = ", ".join(f"{self._named(mine)} AS {self.quote(theirs)}" for mine, theirs in pairs)
        same = " AND ".join(f"{parent}.{self.quote(theirs)} = held.{self.quote(theirs)}" for _, theirs in pairs)
        return f"SELECT COUNT(*) FROM (SELECT DISTINCT {values} {rows}) AS held STRAIGHT_JOIN {parent}{index} ON {same} {self.shared}"

    def _by(self, table: Table, side: int) -> str:
        """The index of the key: another would lock rows that are not meant."""
        columns = tuple(pair[side] for pair in self.pair.key)
        primary = table.primary_key
        name = "PRIMARY" if primary is not None and primary.columns == columns else ""
        name = name or next((one.name.name for one in table.indexes if one.unique and one.columns == columns), "")
        return f" FORCE INDEX ({self.quote(name)})" if name else ""

    def _source_is(self, other: str) -> str:
        return " AND ".join(f"{self.source}.{self.quote(ours)} = {other}.{KEY}{number}" for number, (ours, _) in self._keys())

    def _copy_is(self, other: str) -> str:
        return " AND ".join(
            f"{self.copy}.{self.quote(theirs)} = {self._as_key(f'{other}.{KEY}{number}', ours, theirs)}"
            for number, (ours, theirs) in self._keys()
        )

    def _keys(self) -> list[tuple[int, tuple[str, str]]]:
        return list(enumerate(self.pair.key, 1))

    def _out_of_the_way(self, of_source: str, above: tuple[Above, ...]) -> list[str]:
        """Rows of the copy that hold a unique value which has gone to another row since: they are taken out and noted. Only for keys that the source
        has too: of a new one it would be a duplicate, which must be an error."""
        found: list[str] = []
        keys = ", ".join(self._named(theirs) for _, theirs in self.pair.key)
        for columns in self.uniques():
            same = " AND ".join(f"{self._named(theirs)} = {self.source}.{self.quote(ours)}" for ours, theirs in columns)
            others = f"{of_source} STRAIGHT_JOIN {self.copy} ON {same} AND NOT ({self._copy_is('moved')})"
            found += [
                f"INSERT INTO {self.picked} ({OUT}, {self.log_columns}) SELECT DISTINCT 1, {keys} FROM {others}",
                *self._taken_out(1, above),
                f"INSERT INTO {self.log} ({self.log_columns}) SELECT {self.log_columns} FROM {self.picked} WHERE {OUT} = 1",
                f"DELETE FROM {self.picked} WHERE {OUT} = 1",
            ]
        return found

    def uniques(self) -> list[tuple[tuple[str, str], ...]]:
        """Unique keys of both tables beside the one they are walked by: columns of the source, and of the copy."""
        theirs_of = {ours: theirs for theirs, expression in self.pair.columns for ours in self._columns_named(expression)}
        there = {_plain(index_columns) for index_columns in unique_columns(self.pair.copy)}
        found = []
        for columns in unique_columns(self.pair.source):
            if columns == tuple(ours for ours, _ in self.pair.key) or not all(one in theirs_of for one in columns):
                continue
            pairs = tuple((one, theirs_of[one]) for one in columns)
            if _plain(tuple(theirs for _, theirs in pairs)) in there and all(self._same_text(*one) for one in pairs):
                found.append(pairs)
        return found

    def _columns_named(self, expression: str) -> list[str]:
        """The column that the expression is."""
        return [one.name for one in self.pair.source.columns if expression == self.quote(one.name)]

    def _same_text(self, ours: str, theirs: str) -> bool:
        mine, other = self.pair.source.column(ours), self.pair.copy.column(theirs)
        return mine is not None and other is not None and mine.collation == other.collation

    # whether they are equal

    def difference(self) -> str:
        """How many rows are in one of them alone, or differ. One statement sees one moment of both."""
        now = self._as_they_become(self.source)
        differ = " OR ".join([f"{self._named(self.pair.key[0][1])} IS NULL", *self._differences(self.copy)])
        back = " AND ".join(
            f"{self._named(theirs)} = {self._as_key(f'{self.source}.{self.quote(ours)}', ours, theirs)}"
            for ours, theirs in self.pair.key
        )
        return (
            f"SELECT (SELECT COUNT(*) FROM {now} LEFT JOIN {self.copy} ON {self._copy_is('now_there')} WHERE {differ})"
            f" + (SELECT COUNT(*) FROM {self.copy} LEFT JOIN {self.source} ON {back}"
            f" WHERE {self.source}.{self.quote(self.pair.key[0][0])} IS NULL)"
        )

    def rejected(self, *, source: str = "", copy: str = "", since: str = "") -> str:
        """The noted keys, each once, whose rows are not the same in both: those that the copy rejects. `source` and `copy` where they have other names
        by now; those are left out that are noted in the log `since` too."""
        source, copy = source or self.source, copy or self.copy
        numbers = [number for number, _ in self._keys()]
        ours = " AND ".join(f"now_there.{KEY}{number} = noted.{KEY}{number}" for number in numbers)
        theirs = " AND ".join(
            f"other.{self.quote(name)} = {self._as_key(f'noted.{KEY}{number}', mine, name)}"
            for number, (mine, name) in self._keys()
        )
        here, there = f"now_there.{KEY}1 IS NULL", f"other.{self.quote(self.pair.key[0][1])} IS NULL"
        differ = " OR ".join(
            [f"({here}) <> ({there})", *(f"NOT ({here}) AND {one}" for one in self._differences("other", as_text=True))]
        )
        written = " AND ".join(f"later.{KEY}{number} = noted.{KEY}{number}" for number in numbers)
        unless = f" AND NOT EXISTS (SELECT 1 FROM {since} AS later WHERE {written})" if since else ""
        return (
            f"SELECT {', '.join(f'noted.{KEY}{number}' for number in numbers)} FROM (SELECT DISTINCT {self.log_columns} FROM {self.log}) AS noted"
            f" LEFT JOIN {self._as_they_become(source)} ON {ours} LEFT JOIN {copy} AS other ON {theirs} WHERE ({differ}){unless}"
        )

    def _as_they_become(self, source: str) -> str:
        """The source's rows as the copy holds them."""
        keys = [f"{self.quote(ours)} AS {KEY}{number}" for number, (ours, _) in self._keys()]
        values = [f"{expression} AS driftflow_v{number}" for number, (_, expression) in enumerate(self.pair.columns, 1)]
        return f"(SELECT {', '.join([*keys, *values])} FROM {source}) AS now_there"

    def _differences(self, copy: str, *, as_text: bool = False) -> list[str]:
        found = []
        for number, (theirs, expression) in enumerate(self.pair.columns, 1):
            mine = next((one for one in self.pair.source.columns if expression == self.quote(one.name)), None)
            column = self.pair.copy.column(theirs)
            assert column is not None
            values = (f"now_there.driftflow_v{number}", f"{copy}.{self.quote(theirs)}")
            found.append(compared_columns.differs(mine, column, *values, as_text=as_text))
        return found

    def found_by(self, other: str) -> str:
        """A condition: the source's row whose key the other relation holds by the names of the copy's columns."""
        return " AND ".join(
            f"{self.source}.{self.quote(ours)} = {self._as_key(f'{other}.{self.quote(theirs)}', theirs, ours, back=True)}"
            for ours, theirs in self.pair.key
        )

    def _named(self, theirs: str) -> str:
        return f"{self.copy}.{self.quote(theirs)}"


def naming(tables: Sequence[Name], body: str, at: Situation) -> str:
    """The body of a trigger, with names of tables that it need not write and the next one there will. MariaDB lets a statement start over where somebody has locked
    its tables in another order, and opens what the triggers named at its first attempt, also when there are other triggers by then: what these write would be missing (1146
    to the application, measured on 10.11 and 11.8). A name without a table does no harm."""
    if not at.can(Capability.STALE_TRIGGER_TABLES) or not tables:
        return body
    named = " ".join(f"INSERT INTO {at.dialect.quote_name(one)} VALUES ();" for one in tables)
    return f"BEGIN IF 0 THEN {named} END IF; {body}; END"


def unique_columns(table: Table) -> list[tuple[str, ...]]:
    keys = [
        index.columns
        for index in table.indexes
        if index.unique and all(part.column and part.prefix is None for part in index.parts)
    ]
    primary = table.primary_key
    return list(dict.fromkeys([*([primary.columns] if primary is not None else []), *keys]))


def is_timestamp(type: str) -> bool:
    return type.lower().partition("(")[0].partition(" ")[0] == "timestamp"


def _plain(columns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(one.lower() for one in columns)
