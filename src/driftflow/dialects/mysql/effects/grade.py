"""How little a server needs for a clause of ALTER TABLE, and what is left of that when clauses are combined: the weakest wins.

Source: MySQL 8.4 manual, "Online DDL Operations"; MariaDB documentation, "InnoDB Online DDL Overview"; both measured (tests/databases/data/effects).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from driftflow.model.effects import AcceptedAlgorithm

Lock = Literal["", "NONE", "SHARED", "EXCLUSIVE"]
_STRENGTH = ("NONE", "SHARED", "EXCLUSIVE", "")


@dataclass(frozen=True)
class Grade:
    """`instant`: the dictionary alone changes. `inplace`: the weakest LOCK with which INPLACE is accepted; empty where it is not.
    `rebuilds`: INPLACE writes the table anew. `copy`: the weakest LOCK of ALGORITHM=COPY; empty where it is refused too."""

    instant: bool = False
    inplace: Lock = ""
    rebuilds: bool = False
    copy: Lock = "SHARED"
    copy_rebuilds: bool = True
    rebuilds_in_company: bool = False
    """MariaDB: instant alone, but writes the table anew beside a clause that is not instant."""
    instant_in_company: bool = False
    """MySQL: writes the table anew alone, but is instant beside a column that is added or dropped by a new row version."""
    drops_index: bool = False
    """MariaDB: no more than an index goes, beside which a column comes and goes by the dictionary alone."""
    reason: str = ""
    """Why it is no better than that."""
    unchecked: bool = False
    """MariaDB: the server takes INSTANT and NOCOPY for a change of engine or partitioning, and copies all the same (measured on 10.11)."""
    instant_only: bool = False
    """RENAME: ALGORITHM=INSTANT is accepted, and INPLACE with a LOCK is not."""


INSTANT = Grade(instant=True, inplace="NONE")
IN_PLACE = Grade(inplace="NONE")
REBUILD = Grade(inplace="NONE", rebuilds=True)
INDEX_GOES = Grade(inplace="NONE", drops_index=True)
SHARED = Grade(inplace="SHARED")
SHARED_REBUILD = Grade(inplace="SHARED", rebuilds=True)
COPY = Grade()


def because(grade: Grade, reason: str) -> Grade:
    return replace(grade, reason=reason)


def weakest(grades: Sequence[Grade]) -> Grade:
    """What a statement with all these clauses needs."""
    versioned = any(grade.instant and grade.rebuilds for grade in grades)
    instant = all(grade.instant or (grade.instant_in_company and versioned) for grade in grades)
    in_company = not all(grade.instant or grade.drops_index for grade in grades)
    rebuilds = any(grade.rebuilds or (grade.rebuilds_in_company and in_company) for grade in grades)
    decisive = min(grades, key=lambda grade: (grade.instant, -_STRENGTH.index(grade.inplace), not grade.rebuilds))
    return Grade(
        instant=instant,
        inplace=max((grade.inplace for grade in grades), key=_STRENGTH.index),
        rebuilds=rebuilds,
        instant_in_company=all(grade.instant or grade.instant_in_company for grade in grades),
        copy=max((grade.copy for grade in grades), key=_STRENGTH.index),
        copy_rebuilds=any(grade.copy_rebuilds for grade in grades),
        reason=decisive.reason,
        unchecked=all(grade.unchecked for grade in grades),
        instant_only=all(grade.instant_only for grade in grades),
    )


def accepted(grade: Grade, *, mariadb: bool, names_instant: bool) -> tuple[AcceptedAlgorithm, ...]:
    """The pairs that the server takes, the least work first; of each algorithm the weakest lock. `names_instant`: it knows the word."""
    found: list[AcceptedAlgorithm] = []
    if grade.unchecked and mariadb:
        return (
            AcceptedAlgorithm(algorithm="COPY", lock="SHARED", rebuilds=True),
            AcceptedAlgorithm(algorithm="NOCOPY", lock="SHARED", rebuilds=True),
            AcceptedAlgorithm(algorithm="INSTANT", lock="DEFAULT", rebuilds=True),
        )
    if grade.instant and names_instant:
        found.append(AcceptedAlgorithm(algorithm="INSTANT", lock="DEFAULT"))
    if grade.inplace and not grade.instant_only:
        if mariadb and not grade.rebuilds:
            found.append(AcceptedAlgorithm(algorithm="NOCOPY", lock=grade.inplace))
        found.append(AcceptedAlgorithm(algorithm="INPLACE", lock=grade.inplace, rebuilds=grade.rebuilds))
    if grade.copy:
        found.append(
            AcceptedAlgorithm(algorithm="COPY", lock=grade.copy, rebuilds=grade.copy_rebuilds and not grade.instant_only)
        )
    return tuple(found)
