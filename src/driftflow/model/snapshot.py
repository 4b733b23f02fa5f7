"""A snapshot: what a database looked like at one moment, in a file that stands in for it. Structure and statistics, never a row's value."""

from __future__ import annotations

from collections.abc import Mapping

from driftflow.model.catalog import Catalog
from driftflow.model.record import Record

SNAPSHOT_FORMAT = 1


class Snapshot(Record, frozen=True, kw_only=True):
    """`applied` holds, per source, the ids that the tool's own version table named: without them nobody could say what is pending."""

    format: int = SNAPSHOT_FORMAT
    catalog: Catalog
    applied: Mapping[str, tuple[str, ...]] = {}
    made_with: str = ""
