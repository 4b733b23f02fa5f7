"""`driftflow list`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from driftflow.cli import options
from driftflow.cli.session import Session

if TYPE_CHECKING:
    from driftflow.plugins import Kind, Registration

KINDS: dict[str, Kind] = {
    "checks": "check",
    "strategies": "strategy",
    "enhancements": "enhancement",
    "readers": "reader",
    "writers": "writer",
    "reports": "report",
    "monitors": "monitor",
}


@click.command()
@options.session(database=False)
@click.argument("kind", type=click.Choice(list(KINDS)), default="checks")
def command(run: Session, *, kind: str) -> None:
    """What is there of KIND: its name, what it says of itself, which distribution brings it, and in which module it stands."""
    from driftflow.plugins import discover

    found = discover(KINDS[kind]).of(KINDS[kind])
    rows = [(entry.name, _title(entry), entry.owner, entry.module) for entry in found]
    if run.out.json:
        run.out.record([dict(zip(("name", "title", "owner", "module"), row, strict=True)) for row in rows])
    else:
        wide = max((len(name) for name, *_ in rows), default=0)
        run.out.result(
            "\n".join(f"{name:<{wide}}  {module} ({owner})\n{'':<{wide}}  {title}" for name, title, owner, module in rows)
        )
    run.out.next(f"driftflow explain {rows[0][0]}" if kind == "checks" and rows else "driftflow --help")


def _title(entry: Registration) -> str:
    """The title it was registered with, or the first sentence of its docstring."""
    if title := entry.info.get("title", ""):
        return str(title)
    text = entry.value.__doc__ or ""
    return text.strip().partition("\n")[0]
