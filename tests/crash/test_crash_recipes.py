"""Every recipe that makes state on the server, killed on its way forward and on its way back: it ends where an undisturbed run ends, or where it began."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from killed_recipes import swept
from recipe_scenes import SCENES

sys.path.insert(0, str(Path(__file__).parents[1] / "databases"))
from recipes.rig import Place, Recipe

import wanted
from driftflow.plugins import discover

AT_ALL_TIMES = ("sqlite", "postgresql-18", "mariadb-10")
POINTS = 1
"""CI kills each way of each recipe at so many of all calls, and as many of those that carry a statement of the plan."""
SOAK_POINTS = 25
"""So many does `make soak` take (two hours on two processors). DRIFTFLOW_KILLED_AT says another number, or `all`: every call at every moment, with `-k` for one recipe."""
ONE_STATEMENT = {"direct"}
"""What is no recipe: the statement as it stands."""

OF_ITS_OWN = {"row_security_by_view"}
"""It gives rights to accounts of the whole server, which no fresh database takes away: test_crash_tenant_view.py kills it."""


def cases(servers: tuple[str, ...]) -> list[object]:
    return [
        pytest.param(server, name, marks=getattr(pytest.mark, server.partition("-")[0]), id=f"{server}-{name.replace(', ', '_')}")
        for server in servers
        for name, scene in SCENES.items()
        if scene.on(server.partition("-")[0])
    ]


def killed(place: Place, name: str, capsys: pytest.CaptureFixture[str], points: int | None) -> None:
    scene = SCENES[name]
    found = swept(place, Recipe(schema=scene.schema(), migration=scene.migration, without=scene.without), points=points)
    with capsys.disabled():
        print(f"\n{place.server} {name}: calls {found.calls}, {found.points} kill points")
    assert scene.recipe in found.recipes or place.vendor in scene.elsewhere, found.recipes
    assert found.wrong == [], "\n".join(found.wrong)
    assert found.points > 0


def test_every_recipe_has_a_scene() -> None:
    every = {entry.name for entry in discover("strategy").of("strategy")}
    assert every - ONE_STATEMENT - OF_ITS_OWN == {one.recipe for one in SCENES.values()}


@pytest.mark.parametrize(("place", "name"), cases(AT_ALL_TIMES), indirect=["place"])
def test_killed_at_some_calls(place: Place, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    killed(place, name, capsys, POINTS)


@pytest.mark.slow
@pytest.mark.parametrize(("place", "name"), cases(("sqlite", "postgresql-18", *wanted.mysql_family())), indirect=["place"])
def test_killed_at_many_calls(place: Place, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    wanted_points = os.environ.get("DRIFTFLOW_KILLED_AT", str(SOAK_POINTS))
    killed(place, name, capsys, None if wanted_points == "all" else int(wanted_points))
