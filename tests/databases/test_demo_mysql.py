"""The guided run on a throw-away MariaDB, and on MySQL where it is: the writer never fails, and finds every row that it wrote."""

from __future__ import annotations

import re

import pytest

import wanted
from driftflow.demo.run import demo
from driftflow.demo.shop import Size

SMALL = Size(orders=12_000, users=300, products=100, tenants=12)
"""Orders are a large table by the policy's default; the small ones are changed at once, which must not take a writer's second on a busy machine."""


@pytest.mark.parametrize("server", sorted({name.partition("-")[0] for name in wanted.mysql_family()}))
def test_the_guided_run(server: str) -> None:
    said: list[str] = []
    code = demo(server, say=said.append, size=SMALL, durable=False)
    text = "\n".join(said)
    failed = [line for line in text.splitlines() if re.match(r"  \w+ \w+: \w*Error: ", line)]
    assert (code, failed) == (0, []) and "0 failed" in text, text[-2000:]
    assert text.count("0 rows differ from what the writer wrote") == 3
