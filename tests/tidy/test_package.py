"""What is built is complete, and what is installed is pinned."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_wheel_holds_the_code_its_sql_its_types_and_its_pages(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    subprocess.run([*command, "-w", str(tmp_path), str(ROOT)], check=True, timeout=300, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    source = ROOT / "src"
    wanted = {
        str(path.relative_to(source))
        for path in (source / "driftflow").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    wanted |= {f"driftflow/docs/{path.relative_to(ROOT / 'docs')}" for path in (ROOT / "docs").rglob("*.md")}
    wanted |= {f"driftflow/docs/schemas/{path.name}" for path in (ROOT / "docs" / "schemas").glob("*.json")}
    wanted |= {f"driftflow/demo/examples/{path.relative_to(ROOT / 'examples')}" for path in (ROOT / "examples").rglob("*.sql")}
    assert "driftflow/py.typed" in wanted and any(name.endswith(".sql") for name in wanted)
    assert sorted(wanted - held) == []


def pins() -> dict[str, str]:
    """Name → version and everything else of one requirement."""
    text = (ROOT / "constraints.txt").read_text()
    return {match[1]: match[2] for match in re.finditer(r"(?m)^([a-z0-9][\w.-]*)==((?:.*\\\n)*.*)", text)}


def test_every_dependency_is_pinned_with_hashes() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = [
        *project["project"]["dependencies"],
        *(one for extra in project["project"]["optional-dependencies"].values() for one in extra if "driftflow[" not in one),
        *project["dependency-groups"]["dev"],
    ]
    names = {re.split(r"[\[<>=!~; ]", one)[0].lower().replace("_", "-").replace(".", "-") for one in asked}
    pinned = pins()
    assert len(names) > 10
    assert sorted(names - set(pinned)) == []
    assert [name for name, rest in pinned.items() if not re.search(r"--hash=sha256:[0-9a-f]{64}", rest)] == []


def test_no_address_of_a_registry_is_recorded() -> None:
    for name in (
        "constraints.txt",
        "pyproject.toml",
        "Makefile",
        ".ci/run",
        "tools/pin",
        "tools/python",
        "tools/test-interpreters",
    ):
        text = (ROOT / name).read_text()
        assert text and not re.search(r"https?://|index-url", text), name


def test_the_targets_that_people_are_told_exist() -> None:
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text()))
    told = {
        word
        for page in ("README.md", "CONTRIBUTING.md")
        for word in re.findall(r"(?m)(?:^|`)make ([a-z-]+)", (ROOT / page).read_text())
    }
    assert told and told <= targets
    assert {"demo", "test", "lint", "bench", "soak", "docs-check"} <= targets
