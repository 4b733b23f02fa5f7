"""What a statement was seen to do on a throw-away server, beside what was predicted of it."""

from __future__ import annotations

from typing import Literal

from driftflow.model.effects import Effects
from driftflow.model.migration import Statement
from driftflow.model.names import Name
from driftflow.model.record import Record

Part = Literal["error", "transaction", "locks", "rewrite", "scan", "algorithms"]
"""What can be compared: whether the server refuses; whether it runs in a transaction, and commits it; locks; relations written anew; relations
read whole; accepted ALGORITHM and LOCK pairs."""
Verdict = Literal["equal", "differs", "not compared"]


class Seen(Record, frozen=True, kw_only=True):
    """One statement, carried out on a throw-away server."""

    effects: Effects = Effects(basis="observed")
    """Only what `parts` names was looked at; the rest says nothing. A lock has its mode, and not how long it is held."""
    error: str = ""
    """The server's refusal, in its own words."""
    parts: tuple[Part, ...] = ()
    every_mode: bool = True
    """Whether every lock of the statement was seen. Where it was watched from outside, a weak one that is held for an instant may be missed:
    then only the strongest mode on each relation counts."""
    watched: tuple[Name, ...] = ()
    """Where it was watched from outside: relations whose lock cannot have been missed. Of others one that was not seen says nothing."""
    whole: Name | None = None
    """Where there is one lock for everything (SQLite), what it is on: predicted locks on several tables are then that one lock."""
    gone: tuple[Name, ...] = ()
    """Indexes and sequences that are gone afterwards. Their locks are not predicted where they only go with a table, a column or a constraint."""
    left_out: tuple[str, ...] = ()
    """What was not looked at, and why."""


class Difference(Record, frozen=True, kw_only=True):
    """Where prediction and server disagree. The server is right."""

    part: Part
    about: str = ""
    """The relation; empty where the whole statement is meant."""
    predicted: str = ""
    observed: str = ""


class Observation(Record, frozen=True, kw_only=True):
    """One statement: predicted, observed, compared."""

    statement: Statement
    predicted: tuple[Effects, ...] = ()
    """Of each operation, in order; on the schema that the statement found on that server."""
    refusals: tuple[str, ...] = ()
    """Why the prediction says that the server refuses it, on the rows that are there."""
    doubts: tuple[str, ...] = ()
    """What may make it fail, and cannot be asked beforehand."""
    observed: Seen
    compared: tuple[Part, ...] = ()
    differences: tuple[Difference, ...] = ()

    @property
    def verdict(self) -> Verdict:
        if self.differences:
            return "differs"
        return "equal" if self.compared else "not compared"


class Observations(Record, frozen=True, kw_only=True):
    """All statements of one call, in order, each on what the ones before it left behind."""

    dialect: str
    server_version: str
    server: str
    """Where it came from: started from a wheel, the distribution's, or given by URL."""
    schema: str = ""
    """Of the scratch database, where names carry it (MySQL, MariaDB, SQLite)."""
    statements: tuple[Observation, ...] = ()
    notes: tuple[str, ...] = ()
    """What the throw-away database is not, compared with the one it stands for."""

    @property
    def equal(self) -> bool:
        """Whether every statement was compared, and nothing differs."""
        return all(one.verdict == "equal" for one in self.statements)
