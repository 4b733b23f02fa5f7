"""Whether the plan's migrations stand in their tools' own version tables: what is not there the next deploy runs again, and what stays there after a rollback
it never runs."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from driftflow.lab.scratch import Scratch
from driftflow.readers.sources import applied_in

if TYPE_CHECKING:
    from driftflow.lab.proof.bench import Question


def to_be_recorded(question: Question) -> frozenset[str]:
    """Ids of the plan's migrations, where their sources are known."""
    planned = {(one.source, one.id) for one in question.plan.migrations}
    return frozenset(one.id for source in question.sources for one in source.migrations if (one.source, one.id) in planned)


def recorded(question: Question, place: Scratch) -> frozenset[str]:
    """Those of them that are."""
    with closing(place.connector.connect("compare")) as connection:
        found = {one.id for source in question.sources for one in applied_in(source, connection) if one.ok}
    return to_be_recorded(question) & found
