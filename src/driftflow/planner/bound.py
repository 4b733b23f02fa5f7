"""Statements that mean something only together: they are not cut into steps, and stand in one phase."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Catalog, Table
from driftflow.model.names import Name
from driftflow.model.operations import (
    CreateTable,
    CreateTableAs,
    CreateView,
    DropTable,
    Insert,
    LockTable,
    Operation,
    RawSql,
    RenameTable,
    SetSetting,
    TransactionControl,
)
from driftflow.model.operations.rules import tables_in_any_case

BINDING_STARTS = ("declare", "prepare", "create temp", "create temporary", "select pg_advisory_xact_lock")


@dataclass(frozen=True)
class Bound:
    """Statements by their numbers, from the first to the last, that mean something only together."""

    first: int
    last: int
    reason: str
    transactional: bool = True
    """Whether they can share a transaction."""


def all_bound(groups: Sequence[Sequence[Situation]], *, apart: Collection[int]) -> dict[int, Bound]:
    """What each statement is bound to, by its number; `apart` are those that are carried out in another way."""
    if not groups:
        return {}
    transactional = groups[0][0].can(Capability.TRANSACTIONAL_DDL)
    joined = list[tuple[int, int, str]]()
    for first, last, reason in sorted((*_transactions(groups, apart), *_in_place(groups, apart))):
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]), joined[-1][2])
        else:
            joined.append((first, last, reason))
    wholes = [Bound(first, last, reason, transactional) for first, last, reason in joined]
    return {number: whole for whole in wholes for number in range(whole.first, whole.last + 1)}


def _transactions(groups: Sequence[Sequence[Situation]], apart: Collection[int]) -> list[tuple[int, int, str]]:
    """Transactions that must stay whole."""
    reasons, ends = dict[int, str](), dict[int, tuple[int, int]]()
    for number, group in enumerate(groups):
        for at in group:
            if not at.in_transaction:
                continue
            ends[at.transaction] = (ends.get(at.transaction, (number, number))[0], number)
            reason = _why(at) if number not in apart and at.transaction not in reasons else ""
            if reason:
                reasons[at.transaction] = reason
    return [(*ends[transaction], reason) for transaction, reason in reasons.items()]


def _in_place(groups: Sequence[Sequence[Situation]], apart: Collection[int]) -> list[tuple[int, int, str]]:
    """Statements that put another table in the place of one that is in use, outside any transaction or in several: from the one that makes it, or
    takes the old one away, to the last that carries rows or clears up."""
    found = list[tuple[int, int, str]]()
    for _, file in groupby(range(len(groups)), key=lambda number: groups[number][0].written_in):
        places = _Places()
        for number in file:
            for at in groups[number] if number not in apart else ():
                places.see(at, number)
        found += [
            (first, last, f"it puts another table in the place of {name.name}") for name, (first, last) in places.spans.items()
        ]
    return found


class _Places:
    """Which tables of a migration come and go, and where."""

    def __init__(self) -> None:
        self.gone = dict[Name, int]()
        self.made = dict[Name, int]()
        self.copies = dict[Name, Name]()
        """Tables of the way: what holds rows of a table, or is that table under another name."""
        self.spans = dict[Name, tuple[int, int]]()

    def see(self, at: Situation, number: int) -> None:
        match at.operation:
            case CreateTable(table=Table(name=name)) | CreateTableAs(name=name) if at.catalog.table(name) is None:
                self.made[name] = number
                self._back(self._known(at, name), number, number)
            case DropTable(name=name):
                self._goes(at, name, number)
                self._ends(self.copies.get(name), number)
            case RenameTable(name=name, renamed=renamed):
                self._goes(at, name, number)
                self.copies.setdefault(renamed, self.copies.get(name, name))
                self._back(self._known(at, renamed), self.made.get(name, number), number)
            case Insert(table=name, reads=(source,)):
                old = self.copies.get(source, source)
                self.copies.setdefault(name, old)
                if name in self.spans:
                    self._back(name, self.made.get(source, number), number)
            case _:
                pass

    def _goes(self, at: Situation, name: Name, number: int) -> None:
        found = at.catalog.table(name)
        if found is not None and not found.new:
            self.gone.setdefault(name, number)

    def _known(self, at: Situation, name: Name) -> Name:
        """The name as the one that went said it: SQLite takes a table's name in any letters for the same."""
        if not tables_in_any_case(at.catalog):
            return name
        return next((one for one in self.gone if one.text.lower() == name.text.lower()), name)

    def _back(self, name: Name, first: int, last: int) -> None:
        if name in self.gone:
            begun = self.spans.get(name, (first, last))[0]
            self.spans[name] = (min(begun, first, self.gone[name]), last)

    def _ends(self, old: Name | None, number: int) -> None:
        if old in self.spans:
            self.spans[old] = (self.spans[old][0], number)


def _why(at: Situation) -> str:
    operation = at.operation
    if _is_temporary(operation):
        return "it makes a temporary table"
    match operation:
        case SetSetting(name="constraints"):
            return "it defers constraints to its end"
        case LockTable():
            return "it takes a lock for what follows"
        case TransactionControl(action="savepoint" | "rollback_to" | "release"):
            return "it uses savepoints"
        case DropTable(name=name) | RenameTable(name=name) if _comes_back(at, name):
            return f"it puts another table in the place of {name.name}"
        case RawSql(sql=sql) if sql.lstrip().lower().startswith(BINDING_STARTS):
            return "it uses what lives only within a transaction"
        case _:
            return ""


def _is_temporary(operation: Operation) -> bool:
    match operation:
        case CreateTable(table=table):
            return table.kind == "temporary"
        case CreateTableAs(temporary=True) | CreateView(temporary=True):
            return True
        case _:
            return False


def _comes_back(at: Situation, name: Name) -> bool:
    """The name is taken again before the transaction ends, and it belonged to a living table before."""
    end: Catalog = at.committed or at.catalog
    found = at.table(name)
    return found is not None and not found.new and end.table(name) is not None
