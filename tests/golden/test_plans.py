"""The plans of the examples, as a person reads them: text, SQL and Markdown, on every dialect. `--update-golden` rewrites; the review reads the diff."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
import planning
from driftflow.dialects.mysql import MySQL
from driftflow.model.names import Version
from driftflow.model.plan_file import decode_plan, encode_plan
from driftflow.plugins import discover

GOLDEN = Path(__file__).parent / "plans"
SERVERS = {
    "postgresql-16": Version(major=16),
    "postgresql-18": Version(major=18),
    "sqlite-3.40": Version(major=3, minor=40, patch=1),
    "mysql-9.7": Version(major=9, minor=7),
    "mariadb-10.11": Version(major=10, minor=11),
}
CASES = [
    (server, example, form)
    for server in SERVERS
    for example in ("inventory", "two_factor", "tenants")
    for form in ("naive", "enhanced", "enhanced_from_query")
    if (planning.EXAMPLES / example / server.partition("-")[0] / form).is_dir()
]


@pytest.mark.parametrize(("server", "example", "form"), CASES, ids=lambda value: str(value))
def test_plan(server: str, example: str, form: str, update_golden: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MySQL, "plans", True, raising=False)
    dialect = planning.named(server.partition("-")[0])
    catalog = planning.shop(dialect, version=SERVERS[server])
    plan = planning.plan_folder(planning.EXAMPLES / example / dialect.name / form, dialect, catalog=catalog)
    assert decode_plan(encode_plan(plan)) == plan
    folder = GOLDEN / server / f"{example}_{form}"
    for name, suffix in (("plan", "txt"), ("sql", "sql"), ("markdown", "md")):
        registration = discover("report").get("report", name)
        assert registration is not None
        text = registration.value(plan)
        file = folder / f"plan.{suffix}"
        if update_golden:
            folder.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        assert text == file.read_text()
