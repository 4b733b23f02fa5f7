"""The counts that `make matrix` wrote are those that the documentation shows, and none of them hides a difference that is not listed."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
COUNTS = json.loads((ROOT / "docs" / "effects-counts.json").read_text(encoding="utf-8"))
PAGE = (ROOT / "docs" / "effects.md").read_text(encoding="utf-8")


def test_the_table_shows_the_counts() -> None:
    shown = re.search("<!-- counts[^>]*-->(.*?)<!-- end of counts -->", PAGE, re.DOTALL)
    assert shown is not None
    rows = dict(re.findall(r"^\| (\w+ [\d.]+) \| (.*) \|$", shown[1], re.MULTILINE))
    assert list(rows) == list(COUNTS)
    for server, lists in COUNTS.items():
        told = [f"{one['equal']} of {one['statements']}" for one in lists.values()]
        assert [cell.strip() for cell in rows[server].split("|") if cell.strip()] == told


def test_every_server_is_counted_and_everything_is_equal() -> None:
    vendors = {server.partition(" ")[0] for server in COUNTS}
    majors = {server.split(" ")[1].split(".")[0] for server in COUNTS if server.startswith("PostgreSQL")}
    assert {"PostgreSQL", "SQLite"} <= vendors
    assert majors == {"12", "13", "14", "15", "16", "17", "18"}
    assert all(one["equal"] == one["statements"] for lists in COUNTS.values() for one in lists.values())


def test_the_readme_gives_the_sums() -> None:
    observed = sum(one["statements"] for lists in COUNTS.values() for one in lists.values())
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"{observed:,} predictions" in readme
    assert f"{len(COUNTS)} servers" in readme
    each = ", ".join(f"{server} ({sum(one['equal'] for one in lists.values())})" for server, lists in COUNTS.items())
    assert each in readme
