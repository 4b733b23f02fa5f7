"""Rows run through a rule in Python, chunk by chunk: nothing is changed, and who breaks it is told by key."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from driftflow.engine.faults import place
from driftflow.engine.keyset import Keyset, escaped
from driftflow.engine.ports import Connection, Row
from driftflow.errors import StepFailedError
from driftflow.model.plan import Backfill, PythonFunction

SHOWN = 10


@dataclass
class Judgement:
    """The rule is a function of one row, given the columns in their order. Who makes it raise breaks it: it has not said yes."""

    step: Backfill
    keys: Keyset
    function: PythonFunction
    call: Any
    broken: list[Row] = field(default_factory=list)
    """The keys of the first of them."""
    raised: Counter[str] = field(default_factory=Counter)
    """How often which type of error; a message might hold a row's values."""

    def apply(self, connection: Connection, *, low: Row | None, high: Row) -> int:
        """How many rows of `(low, high]` break the rule. They are read, and not locked."""
        condition, parameters = self.keys.range(low, high)
        inputs = ", ".join(self.keys.column(name) for name in self.function.inputs)
        what = escaped(f"SELECT {self.keys.selected}, {inputs} FROM {self.keys.target}")
        rows = connection.query(f"{what} WHERE {condition} ORDER BY {escaped(self.keys.order)}", parameters)
        width = len(self.keys.columns)
        found = [row[:width] for row in rows if not self._holds(row[width:])]
        self.broken += found[: SHOWN - len(self.broken)]
        return len(found)

    def alone(self) -> Judgement:
        """It locks no row, so it waits for none."""
        return self

    def _holds(self, values: Row) -> bool:
        try:
            return bool(self.call(*values))
        except (Exception, SystemExit) as error:
            self.raised[type(error).__name__] += 1
            return False

    def failure(self, count: int, run: str) -> StepFailedError:
        keys = ", ".join("/".join(map(str, key)) for key in self.broken)
        errors = ", ".join(f"{name} {times} times" for name, times in self.raised.most_common(3))
        return StepFailedError(
            "DF-E743",
            f"{count} rows of {self.step.table.name} break {self.function.reference}",
            where=place(self.step),
            why="; ".join(
                part
                for part in (
                    f"{'among them ' if count > len(self.broken) else ''}the rows with the keys {keys}" if keys else "",
                    f"it raised {errors}, which counts as broken" if errors else "",
                )
                if part
            )
            or "found before the run was interrupted; their keys are told when they are looked at again",
            hint=f"correct the rows, then: driftflow resume {run}, which looks at all of them again",
        )
