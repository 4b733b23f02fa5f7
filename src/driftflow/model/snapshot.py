"""A snapshot: what a database looked like at one moment, in a file that stands in for it. Structure and statistics, never a row's value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from driftflow.errors import PlanFileError
from driftflow.model.catalog import Catalog
from driftflow.model.record import DecodeError, Record, decode, pretty

R = TypeVar("R")
SNAPSHOT_FORMAT = 1
AGAIN = "driftflow snapshot -o FILE"


class Snapshot(Record, frozen=True, kw_only=True):
    """`applied` holds, per source, the ids that the tool's own version table named: without them nobody could say what is pending."""

    format: int = SNAPSHOT_FORMAT
    catalog: Catalog
    applied: Mapping[str, tuple[str, ...]] = {}
    made_with: str = ""


class _Written(Record, frozen=True, kw_only=True):
    """The file with its format always said, although the record would leave a default out."""

    format: int
    catalog: Catalog
    applied: Mapping[str, tuple[str, ...]]
    made_with: str = ""


class _Head(Record, frozen=True, kw_only=True):
    """What is looked at first: a newer format need not be readable as ours."""

    format: int | None = None
    catalog: Mapping[str, object] | None = None


def encode_snapshot(snapshot: Snapshot | Catalog) -> str:
    """The file's text: sorted, indented JSON that ends with a newline."""
    whole = snapshot if isinstance(snapshot, Snapshot) else Snapshot(catalog=snapshot)
    return pretty(_Written(format=whole.format, catalog=whole.catalog, applied=whole.applied, made_with=whole.made_with))


def decode_snapshot(text: str | bytes, *, where: str = "") -> Snapshot:
    """The snapshot in a file's text. Fields that we do not know are ignored. Raises PlanFileError: no snapshot, damaged, or of a newer driftflow."""
    head = _decoded(text, _Head, where)
    if head.format is None or head.catalog is None:
        found = "format" if head.format is None else "catalog"
        raise PlanFileError("DF-E350", "this is not a snapshot", where=where, why=f"it has no field {found}", hint=AGAIN)
    if head.format > SNAPSHOT_FORMAT:
        why = f"its format is {head.format}, this driftflow reads up to {SNAPSHOT_FORMAT}"
        raise PlanFileError(
            "DF-E351",
            "the snapshot was written by a newer driftflow",
            where=where,
            why=why,
            hint="pip install --upgrade driftflow",
        )
    return _decoded(text, Snapshot, where)


def _decoded(text: str | bytes, kind: type[R], where: str) -> R:
    try:
        return decode(text, kind)
    except (DecodeError, UnicodeDecodeError) as fault:
        raise PlanFileError("DF-E350", "this is not a snapshot", where=where, why=str(fault), hint=AGAIN) from fault
