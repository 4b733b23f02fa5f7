"""What one operation does on one database: one record, predicted or observed."""

from __future__ import annotations

from typing import Final, Literal

from driftflow.model.names import Name
from driftflow.model.record import Record

Blocks = Literal["reads", "writes", "ddl"]
Held = Literal["instant", "scan", "rewrite", "index_build", "copy", "statement"]
"""How long: a catalog change; as long as reading the table; as long as writing it anew; as long as building the index(es);
as long as copying; or as long as the statement itself runs (DML)."""
WorkKind = Literal["scan", "rewrite", "index_build", "rows"]


class LockClaim(Record, frozen=True, kw_only=True):
    """A lock on one relation. `mode` is the server's own word (`ACCESS EXCLUSIVE`, `SHARE`, SQLite: `RESERVED`, `EXCLUSIVE`)."""

    relation: Name
    mode: str
    blocks: tuple[Blocks, ...] = ()
    held: Held = "instant"
    queues: bool = True
    """Whether a waiting request for it makes later requests wait behind it (every PostgreSQL mode that conflicts with readers or writers)."""
    why: str = ""
    """Why this relation at all, where the statement does not name it: "referenced by the foreign key"."""


LOOKS_UP: Final = "every row is looked up in the referenced table"
LOOKED_UP: Final = "looked up for every row"
"""Why the two sides of a foreign key are read. A server may find the rows by an index instead, or have none to look for."""


class Work(Record, frozen=True, kw_only=True):
    kind: WorkKind
    relation: Name
    why: str = ""


class Condition(Record, frozen=True, kw_only=True):
    """Something about the data that makes the statement fail. `probe` is SQL returning one row with one number: how many offenders.

    kind: nulls, duplicates, orphans, check_violations, too_long, out_of_range, not_empty, bad_cast, types_differ, dependency, exists, missing,
    unsupported, foreign_key (the server takes no such key), foreign_words (the grammar of another server).
    """

    kind: str
    summary: str
    relation: Name | None = None
    probe: str = ""
    certain: bool = False
    """True when the catalog alone already says it will fail (a missing table, a syntax newer than the server)."""


class Loss(Record, frozen=True, kw_only=True):
    """Data or objects that are gone afterwards."""

    what: str
    relation: Name | None = None
    reversible: bool = False


class Break(Record, frozen=True, kw_only=True):
    """What stops working in code that is already running."""

    what: str
    relation: Name | None = None
    column: str = ""
    error: str = ""
    """The server's number of the error that it meets for a moment; empty where it is broken for good."""


NO_PARENT: Final = "1452"
"""The error of a row whose foreign key points at nothing: also of one whose parent is there, in the moment in which a copy takes the parent's place."""


class Estimate(Record, frozen=True, kw_only=True):
    """A quantity with its range and where it came from. No number without its basis."""

    low: int
    high: int
    unit: Literal["ms", "rows", "bytes"]
    basis: str


class AcceptedAlgorithm(Record, frozen=True, kw_only=True):
    """MySQL and MariaDB: one ALGORITHM and LOCK pair that the server accepts for this statement on this table."""

    algorithm: Literal["INSTANT", "NOCOPY", "INPLACE", "COPY"]
    lock: Literal["NONE", "SHARED", "EXCLUSIVE", "DEFAULT"]
    rebuilds: bool = False


class Effects(Record, frozen=True, kw_only=True):
    """All of it. The comparable part (predicted = observed): locks by relation and mode, scans, rewrites, algorithms,
    transactional, and whether it errors."""

    locks: tuple[LockClaim, ...] = ()
    work: tuple[Work, ...] = ()
    algorithms: tuple[AcceptedAlgorithm, ...] = ()
    transactional: bool = True
    """Whether it can run in a transaction and be rolled back with it."""
    implicit_commit: bool = False
    """Not transactional, and no error in a transaction: the server commits what is open, before and after it (MySQL's DDL)."""
    fails_if: tuple[Condition, ...] = ()
    loses: tuple[Loss, ...] = ()
    breaks: tuple[Break, ...] = ()
    unknown: str = ""
    """Why nothing is predicted (a RawSql). Unknown is not the same as harmless."""
    basis: Literal["predicted", "observed"] = "predicted"
    duration: Estimate | None = None

    @property
    def orphans(self) -> tuple[Name, ...]:
        """Tables whose writers find no parent for a moment, although it is there."""
        return tuple(dict.fromkeys(one.relation for one in self.breaks if one.error == NO_PARENT and one.relation is not None))

    def lock_on(self, relation: Name) -> LockClaim | None:
        """The claim on one relation, if there is one."""
        return next((claim for claim in self.locks if claim.relation == relation), None)

    @property
    def rewrites(self) -> tuple[Name, ...]:
        return tuple(work.relation for work in self.work if work.kind == "rewrite")

    @property
    def scans(self) -> tuple[Name, ...]:
        return tuple(work.relation for work in self.work if work.kind == "scan")
