"""Contenders measured in turns: each round runs all of them on a fresh table, and every round begins with another one."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Sample = dict[str, float]
"""Figures of one run of one contender: `seconds` always, the others as the database gives them."""


@dataclass
class Rounds:
    """What every contender needed, round by round."""

    samples: dict[str, list[Sample]] = field(default_factory=dict)

    def ratios(self, of: str, against: str, figure: str = "seconds") -> list[float]:
        """Round by round, so that what else the machine did meanwhile hits both sides."""
        return [
            mine[figure] / theirs[figure]
            for mine, theirs in zip(self.samples[of], self.samples[against], strict=True)
            if theirs[figure]
        ]

    def median(self, name: str, figure: str = "seconds") -> float:
        return statistics.median(sample[figure] for sample in self.samples[name])


def measured(contenders: Mapping[str, Callable[[], Sample]], *, rounds: int, prepare: Callable[[], None]) -> Rounds:
    """Run `rounds` times, rotating who comes first; `prepare` makes the table anew before each run and is not measured."""
    result = Rounds({name: [] for name in contenders})
    names = list(contenders)
    for number in range(rounds):
        shift = number % len(names)
        for name in (*names[shift:], *names[:shift]):
            prepare()
            result.samples[name].append(contenders[name]())
    return result


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, least and most: with few rounds nothing finer would be honest."""
    return {"median": round(statistics.median(values), 3), "least": round(min(values), 3), "most": round(max(values), 3)}


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """p50, p99 and the greatest; the p99 is the value that 99 of 100 do not exceed (nearest rank)."""
    ordered = sorted(values)
    if not ordered:
        return {"p50": 0.0, "p99": 0.0, "max": 0.0}
    rank = max(-(-len(ordered) * 99 // 100) - 1, 0)
    return {"p50": statistics.median(ordered), "p99": ordered[rank], "max": ordered[-1]}


def summary(result: Rounds, rows: int, chunk: int, figures: Sequence[str]) -> dict[str, Any]:
    """Every sample, the medians, and driftflow's ratio to each of the others."""
    others = [name for name in result.samples if name != "driftflow"]
    return {
        "rows": rows,
        "loop_chunk_rows": chunk,
        "samples": result.samples,
        "medians": {name: {figure: result.median(name, figure) for figure in figures} for name in result.samples},
        "ratios": {
            other: {
                figure: spread(result.ratios("driftflow", other, figure)) for figure in figures if result.median(other, figure)
            }
            for other in others
        },
    }
