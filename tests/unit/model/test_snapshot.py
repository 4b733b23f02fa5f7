"""A snapshot comes back as it went; anything else is refused with a reason."""

from __future__ import annotations

import json

import pytest

from driftflow.errors import PlanFileError
from driftflow.model.catalog import Catalog, Column, Table, TableStatistics
from driftflow.model.names import Name, Version
from driftflow.model.snapshot import Snapshot, decode_snapshot, encode_snapshot

CATALOG = Catalog(
    vendor="postgresql",
    version=Version(major=16, minor=4),
    tables={
        "public.orders": Table(
            name=Name(schema="public", name="orders"),
            columns=(Column(name="id", type="bigint", nullable=False),),
            statistics=TableStatistics(rows=7, writes_per_second=1.5, basis="reltuples"),
        )
    },
)


def test_round_trip():
    snapshot = Snapshot(catalog=CATALOG, applied={"migrations": ("1", "2")}, made_with="0.1.0")
    assert decode_snapshot(encode_snapshot(snapshot)) == snapshot
    assert decode_snapshot(encode_snapshot(CATALOG)).catalog == CATALOG


def test_the_format_is_always_written():
    assert json.loads(encode_snapshot(CATALOG))["format"] == 1


def test_unknown_fields_are_ignored():
    data = json.loads(encode_snapshot(CATALOG))
    data["later"] = {"a": 1}
    data["catalog"]["later"] = True
    assert decode_snapshot(json.dumps(data)).catalog == CATALOG


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "truncated"),
        ("[1]", "Expected `object`"),
        ("{}", "no field format"),
        ('{"format": 1}', "no field catalog"),
        ('{"format": 1, "catalog": {"vendor": 7}}', "$.catalog.vendor"),
        ('{"format": "one"}', "$.format"),
        (b"\xff\xfe", ""),
    ],
)
def test_what_is_no_snapshot_is_refused(text, why):
    with pytest.raises(PlanFileError) as caught:
        decode_snapshot(text, where="snapshot.json")
    assert caught.value.code == "DF-E350" and why in caught.value.why and caught.value.where == "snapshot.json"


def test_a_newer_format_is_named_before_its_content_is_judged():
    with pytest.raises(PlanFileError) as caught:
        decode_snapshot('{"format": 2, "catalog": {"vendor": 7}}')
    assert caught.value.code == "DF-E351"
