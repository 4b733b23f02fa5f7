"""What an assessment learns from outside the migrations: who still uses what changes, and how rows will spread. The pipeline offers these."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from driftflow.model.finding import Assessment
from driftflow.model.record import replace

if TYPE_CHECKING:
    from driftflow.engine.ports import Connector
    from driftflow.readers.sources import Source


def with_references(
    assessment: Assessment, sources: Sequence[Source], *, code: Path | None, connector: Connector | None
) -> Assessment:
    """The assessment with what the application still uses: places in its code, and queries that the server has recorded."""
    from driftflow.usage.changed import changed_names
    from driftflow.usage.queries import recorded_references
    from driftflow.usage.repository import find_references

    names = changed_names(assessment)
    found = find_references(code, names, exclude=[source.folder for source in sources]) if code else ()
    if connector is not None:
        with closing(connector.connect("assess")) as connection:
            found += recorded_references(connection, names)
    return replace(assessment, references=found)


def with_distributions(assessment: Assessment, *, connector: Connector) -> Assessment:
    """The assessment with how existing rows will spread over columns that are filled by a join."""
    from driftflow.usage.distribution import distributions

    with closing(connector.connect("assess")) as connection:
        return replace(assessment, facts=assessment.facts + distributions(connection, assessment))
