"""Which of the running application's queries work on which intermediate schema: of a plan after each step, of migrations after each statement."""

from __future__ import annotations

from typing import Literal

from driftflow.model.plan import Phase
from driftflow.model.record import Record

COMPATIBILITY_FORMAT = 1

BrokenBy = Literal["refused", "missing_value", "other_columns"]
"""refused: the server does not prepare or plan it. missing_value: it prepares, and every row is refused for want of a value.
other_columns: it works, and its values end in other columns."""
Threshold = Literal["break", "before-gate", "change", "never"]


class RunningQuery(Record, frozen=True, kw_only=True):
    """One query of the application, all that differ in constants alone counted as one."""

    id: str
    """Eight hex digits of its normal form."""
    text: str
    """Constants are `?`: no value of anybody's data stands here."""
    name: str = ""
    """What the file calls it (`-- name: GetOrder`)."""
    calls: int = 0
    """As the server or the log counts them; 0 where nobody counts."""
    origin: str = ""


class Unusable(Record, frozen=True, kw_only=True):
    """A query about which nothing is said, and why: it fails on the start schema already, or it cannot be prepared at all."""

    query: RunningQuery
    code: str = ""
    """The server's: a SQLSTATE, an error number of MySQL, a result code of SQLite."""
    why: str


class Broken(Record, frozen=True, kw_only=True):
    """A query that worked on the schema before, and does not on this one."""

    query: str
    by: BrokenBy = "refused"
    code: str = ""
    why: str


class Change(Record, frozen=True, kw_only=True):
    """A query that works, with other columns in its result or other types of its parameters than on the schema before."""

    query: str
    what: tuple[str, ...]
    """Empty: as on the start schema again."""


class Boundary(Record, frozen=True, kw_only=True):
    """The schema after one step or statement, as the application finds it."""

    number: int
    title: str
    kind: Literal["step", "statement", "gate"] = "step"
    phase: Phase | None = None
    where: str = ""
    """The step's id, or file and line."""
    together: bool = False
    """Inside a transaction: others see this schema only together with what the next boundary makes of it."""
    looked: bool = True
    """False where only rows change: the queries were not prepared again."""
    broken: tuple[Broken, ...] = ()
    """What broke here."""
    works_again: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    standing: int = 0
    """How many queries are broken on this schema, those from before included."""


class Compatibility(Record, frozen=True, kw_only=True):
    format: int = COMPATIBILITY_FORMAT
    subject: str
    """The plan file, or the migrations."""
    planned: bool
    dialect: str
    server: str
    """What the queries were prepared on."""
    start: str
    """Where the start schema is from."""
    not_built: tuple[str, ...] = ()
    """What of the start schema could not be made in the lab, as sentences."""
    queries: tuple[RunningQuery, ...] = ()
    """Those that work on the start schema."""
    already_broken: tuple[Unusable, ...] = ()
    skipped: tuple[Unusable, ...] = ()
    boundaries: tuple[Boundary, ...] = ()
    stopped: str = ""
    """Why the rest was not looked at; empty when all of it was."""
    notes: tuple[str, ...] = ()

    @property
    def first_break(self) -> Boundary | None:
        """The first schema that breaks a query."""
        return next((one for one in self.boundaries if one.broken), None)

    @property
    def first_gate(self) -> Boundary | None:
        return next((one for one in self.boundaries if one.kind == "gate"), None)

    def gate_before(self, boundary: Boundary) -> Boundary | None:
        """The last gate that is passed before this schema stands."""
        gates = [one for one in self.boundaries if one.kind == "gate" and one.number < boundary.number]
        return gates[-1] if gates else None

    def broken_queries(self, *, before_gate: bool = False) -> tuple[str, ...]:
        """The ids of the queries that break anywhere, or already before the first gate."""
        gate = self.first_gate if before_gate else None
        until = gate.number if gate is not None else len(self.boundaries) + 1
        found = [one.query for at in self.boundaries if at.number < until for one in at.broken]
        return tuple(dict.fromkeys(found))

    def fails(self, threshold: Threshold) -> bool:
        match threshold:
            case "break":
                return bool(self.broken_queries())
            case "before-gate":
                return bool(self.broken_queries(before_gate=True))
            case "change":
                return bool(self.broken_queries()) or any(one.changes for one in self.boundaries)
            case "never":
                return False
