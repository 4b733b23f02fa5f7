"""What `--help` prints, and what discovery finds, as files that a review can read. Rewritten with --update-golden."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from driftflow.cli.commands import COMMANDS
from driftflow.cli.list import KINDS
from driftflow.cli.main import cli
from driftflow.plugins import discover

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


def compare(path: Path, text: str, update: bool) -> None:
    if update:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert path.read_text() == text


def help_of(command: click.Command, name: str) -> str:
    context = click.Context(
        command, info_name=name, terminal_width=110, max_content_width=110, help_option_names=["-h", "--help"]
    )
    text = command.get_help(context) + "\n"
    if isinstance(command, click.Group) and name != "driftflow":
        text += "".join(f"\n{help_of(inner, f'{name} {word}')}" for word, inner in command.commands.items())
    return text


def test_help_of_driftflow(update_golden: bool) -> None:
    compare(GOLDEN / "help" / "driftflow.txt", help_of(cli, "driftflow"), update_golden)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_of_a_command(name: str, update_golden: bool) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    compare(GOLDEN / "help" / f"{name}.txt", help_of(command, f"driftflow {name}"), update_golden)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_discovery_finds(kind: str, update_golden: bool) -> None:
    found = [entry for entry in discover(KINDS[kind]).of(KINDS[kind]) if entry.owner == "driftflow"]
    compare(GOLDEN / "discovery" / f"{kind}.txt", "".join(f"{entry.name}  {entry.module}\n" for entry in found), update_golden)
