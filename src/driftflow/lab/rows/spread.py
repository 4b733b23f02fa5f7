"""How the made-up values of one column are spread: as the statistics of the real one say, else as is assumed."""

from __future__ import annotations

from dataclasses import dataclass

from driftflow.lab.rows.spelling import HASHED, Spelling
from driftflow.model.catalog import ColumnStatistics

NULL_FRACTION = 0.08
"""Of a column that may be NULL, where no statistics say otherwise."""
DISTINCT = 60
"""Of a column that is not unique, where no statistics say otherwise."""
KEPT = 100
"""So many different values are kept in a smaller table; of more, as many as keep the number of rows that have one in common."""
OWN = 0.9
"""From this share of different values on, each row has its own."""
ROWS_ASSUMED = 2_000


@dataclass(frozen=True, kw_only=True)
class Spread:
    distinct: int = DISTINCT
    """0: every row has a value of its own."""
    nulls: int = round(NULL_FRACTION * HASHED)
    """Of `HASHED` rows."""
    ends: tuple[int, ...] = ()
    """Of `HASHED` rows that are not NULL, up to which one each of the most common values goes."""
    known: bool = False

    @classmethod
    def of(cls, said: ColumnStatistics | None, rows: int | None, *, made: int) -> Spread:
        """`rows` is how many the real table has, `made` how many are made."""
        if said is None:
            return cls()
        some = 1.0 - (said.null_fraction or 0.0)
        ends, end = [], 0.0
        for one in said.frequencies:
            end += one / some if some else 0.0
            ends.append(min(HASHED, round(end * HASHED)))
        return cls(
            distinct=_distinct(said.distinct, some, rows, made) if said.distinct else max(DISTINCT, len(ends)),
            nulls=round((NULL_FRACTION if said.null_fraction is None else said.null_fraction) * HASHED),
            ends=tuple(ends),
            known=True,
        )

    def k(self, spelling: Spelling, salt: int) -> str:
        """A whole number that is the same for rows with the same value."""
        if not self.distinct:
            return "(s.n - 1)"
        first = spelling.hashed(salt)
        rest = max(1, self.distinct - len(self.ends))
        if not self.ends:
            return f"({first} % {rest})"
        common = " ".join(f"WHEN {first} < {end} THEN {number}" for number, end in enumerate(self.ends))
        return f"(CASE {common} ELSE {len(self.ends)} + {spelling.hashed(salt + 11)} % {rest} END)"


def _distinct(said: int, some: float, rows: int | None, made: int) -> int:
    """How many values the made rows have."""
    if not rows or rows <= made:
        return 0 if rows and said >= OWN * rows * some else said
    if said >= OWN * rows * some:
        return 0
    return max(min(said, KEPT), round(said * made / rows))
