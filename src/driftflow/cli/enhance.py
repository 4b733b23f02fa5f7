"""`driftflow enhance`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from driftflow.cli import options, rewriting
from driftflow.cli.output import may_ask, quoted, write_file
from driftflow.cli.session import Session
from driftflow.errors import UsageError

if TYPE_CHECKING:
    from driftflow.planner.enhancements import Offer


@click.command()
@options.session(snapshot=True)
@options.sources
@click.option("--take", metavar="ID", multiple=True, help="Take this offer; repeatable; `all` takes every one.")
@click.option("--write", is_flag=True, help="Write the files; without it the difference is only shown.")
@click.option(
    "--in-place",
    is_flag=True,
    help="Only edit the migration, with directives for `driftflow apply`, instead of plain SQL for its tool.",
)
def command(
    run: Session,
    *,
    paths: tuple[Path, ...],
    tool: str,
    variables: Mapping[str, str],
    take: tuple[str, ...],
    write: bool,
    in_place: bool,
) -> None:
    """Offer a safer or more meaningful form of the pending migrations at PATHS, and write what is taken back as files of the same tool.

    Without --take every offer is printed. With it the difference is shown; --write writes it. On a terminal, --write without --take asks
    about each offer.
    """
    from driftflow import pipeline

    sources = run.sources(paths, tool=tool, variables=variables)
    catalog = run.maybe_catalog or pipeline.empty_catalog(run.dialect, run.server_version)
    found = rewriting.offers_of(run, sources, catalog)
    again = quoted("driftflow", "enhance", *paths, *run.where)
    take = _ask(found) if write and not take and found else take
    if not take:
        run.out.record(found) if run.out.json else run.out.result(
            "\n\n".join(map(rewriting.told, found)) or "nothing better is known"
        )
        run.out.next(*([f"{again} --take {quoted(found[0].id)}", f"{again} --take all"] if found else ["driftflow plan"]))
        return
    change = rewriting.change_of(run, sources, catalog, found, rewriting.named(found, take), in_place=in_place)
    if write:
        for path, text in change.after.items():
            (run.root / path).parent.mkdir(parents=True, exist_ok=True)
            write_file(run.root / path, text) if text is not None else (run.root / path).unlink(missing_ok=True)
    if run.out.json:
        run.out.record({"files": change.after, "lost": change.lost, "written": write})
    else:
        lost = "".join(f"\nnot done by these files: {text}" for text in change.lost)
        run.out.result((change.diff() or "no file changes: what was taken is done by the plan, not by the file\n") + lost)
    words = [word for id in take for word in ("--take", id)] + (["--in-place"] if in_place else [])
    run.out.next(quoted("driftflow", "lint", *paths) if write else f"{again} {quoted(*words)} --write")


def _ask(found: Sequence[Offer]) -> tuple[str, ...]:
    if not may_ask():
        raise UsageError(
            "DF-E135",
            "nobody is here to answer",
            why="standard input is not a terminal",
            hint="driftflow enhance --take all --write",
        )
    return tuple(offer.id for offer in found if click.confirm(f"{rewriting.told(offer)}\nTake it?", default=False, err=True))
