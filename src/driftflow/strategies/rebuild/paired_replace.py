"""REPLACE of a row that foreign keys point at, on MySQL from 9.6 on: the statement deletes the row and makes it again, and fires the triggers of both, but
where what is pointed at stays the same, to the letter, the rows that point at it neither change nor refuse (measured on 9.7.4).

A trigger that deleted the row of the copy would take along the rows that point at that one, or be refused. So a BEFORE INSERT trigger remembers what comes, in a
variable of the session, with the time of its statement (`NOW(6)` is the same in all triggers of a statement). What is deleted in the same statement for a row
that is pointed at by the same values stays in the copy, and is changed there when the new one comes. Until then its key is noted: should none come, it is copied again.
"""

from __future__ import annotations

from driftflow.model.record import Record


class Replaced(Record, frozen=True, kw_only=True):
    """SQL of the triggers of one pair. All names are quoted."""

    copy: str
    log: str
    sequence: str
    """The key of the log."""
    columns: tuple[tuple[str, str], ...]
    """What foreign keys point at: columns of the source, and of the copy."""
    mark: str

    def remember(self) -> str:
        return f"SET {self._variable('comes')} = {self._of('NEW')}"

    def unless_kept(self, removed: str, noted: str) -> str:
        """In place of the statement that removes OLD from the copy. Where a value is NULL nothing points at the row, and the condition does not hold."""
        same = f"@@GLOBAL.innodb_native_foreign_keys = 0 AND {self._of('OLD')} = {self._variable('comes')}"
        kept = f"{noted}; SET {self._variable('kept')} = {self._of('OLD')}, {self._variable('noted')} = LAST_INSERT_ID()"
        return f"IF {same} THEN {kept}; ELSE {removed}; END IF"

    def instead_of(self, inserted: str, sets: str) -> str:
        """In place of the statement that inserts NEW into the copy. A row that the copy did not have comes into it."""
        row = " AND ".join(f"{self.copy}.{theirs} = NEW.{ours}" for ours, theirs in self.columns)
        forgotten = f"DELETE FROM {self.log} WHERE {self.sequence} = {self._variable('noted')}"
        return (
            f"IF {self._of('NEW')} = {self._variable('kept')} THEN SET {self._variable('kept')} = NULL; "
            f"IF EXISTS (SELECT 1 FROM {self.copy} WHERE {row}) THEN UPDATE {self.copy} SET {sets} WHERE {row}; ELSE {inserted}; END IF; "
            f"{forgotten}; ELSE {inserted}; END IF"
        )

    def _variable(self, name: str) -> str:
        return f"@driftflow_{name}_{self.mark}"

    def _of(self, row: str) -> str:
        """The statement, and the values that are pointed at. NULL where one of them is."""
        values = ", '|', ".join(f"HEX(CAST({row}.{ours} AS BINARY))" for ours, _ in self.columns)
        return f"CONCAT(NOW(6), '|', {values})"


class ReplacedApart(Replaced, frozen=True, kw_only=True):
    """The same, where each foreign key is looked at by itself: what one points at may stay and what another points at not. A row that any points at as before stays
    in the copy until the new one comes, by a REPLACE of its own, of which the server makes what it has made of the application's (measured on 9.7.4). Only for a
    copy that has the same unique keys: others would make it take away rows that are not meant."""

    keys: tuple[tuple[str, ...], ...]
    """Columns of the source that a foreign key points at, of each."""
    named: str
    """A condition on the log: its entry has the key of NEW."""

    def remember(self) -> str:
        seen = [f"{self._variable(f'comes{number}')} = {self._values('NEW', key)}" for number, key in enumerate(self.keys, 1)]
        return ", ".join([f"SET {self._variable('comes')} = {self._whole('NEW')}", *seen])

    def unless_kept(self, removed: str, noted: str) -> str:
        same = " OR ".join(
            f"{self._values('OLD', key)} = {self._variable(f'comes{number}')}" for number, key in enumerate(self.keys, 1)
        )
        kept = f"{noted}; SET {self._variable('kept')} = {self._variable('comes')}, {self._variable('noted')} = LAST_INSERT_ID()"
        return f"IF @@GLOBAL.innodb_native_foreign_keys = 0 AND ({same}) THEN {kept}; ELSE {removed}; END IF"

    def instead_of(self, inserted: str, sets: str) -> str:
        """What was noted of a row with another key stays noted."""
        forgotten = f"DELETE FROM {self.log} WHERE {self.sequence} = {self._variable('noted')} AND {self.named}"
        return (
            f"IF {self._whole('NEW')} = {self._variable('kept')} THEN SET {self._variable('kept')} = NULL; "
            f"REPLACE{inserted.removeprefix('INSERT')}; {forgotten}; ELSE {inserted}; END IF"
        )

    def _whole(self, row: str) -> str:
        values = ", '|', ".join(f"COALESCE(HEX(CAST({row}.{ours} AS BINARY)), '-')" for ours, _ in self.columns)
        return f"CONCAT(NOW(6), '|', {values})"

    def _values(self, row: str, key: tuple[str, ...]) -> str:
        """NULL where one of them is: nothing points at that."""
        values = ", '|', ".join(f"HEX(CAST({row}.{ours} AS BINARY))" for ours in key)
        return f"CONCAT(NOW(6), '|', {values})"
