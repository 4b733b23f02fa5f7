"""Equal records have equal encodings, whichever objects they were made of."""

from __future__ import annotations

import pytest

from driftflow.model.catalog import ForeignKey, Identity, Policy, SequenceOptions, Table
from driftflow.model.names import Name
from driftflow.model.plan import RunSql
from driftflow.model.record import decode, digest, encode, replace


def other(text: str) -> str:
    """The same text as another object."""
    return "".join(list(text))


PAIRS = [
    (ForeignKey(columns=("a",), referenced=Name(name="t")), {"on_delete": other("NO ACTION"), "on_update": other("NO ACTION")}),
    (Identity(), {"options": SequenceOptions()}),
    (Policy(name="p", table=Name(name="t")), {"roles": (other("public"),), "command": other("ALL")}),
    (Table(name=Name(name="t")), {"kind": other("table")}),
    (RunSql(purpose="p", statements=()), {"statement_timeout_ms": int("10000"), "lock_timeout_ms": int("250")}),
]


@pytest.mark.parametrize(("record", "spelled_out"), PAIRS)
def test_a_default_spelled_out_makes_no_difference(record, spelled_out):
    again = replace(record, **spelled_out)
    assert again == record
    assert encode(again) == encode(record)
    assert digest(again) == digest(record)


@pytest.mark.parametrize(("record", "spelled_out"), PAIRS)
def test_decoding_gives_the_same_digest(record, spelled_out):
    again = decode(encode(replace(record, **spelled_out)), type(record))
    assert again == record and digest(again) == digest(record)
