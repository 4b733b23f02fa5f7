"""`--baseline`, `--write-baseline` and `--changed-since`: which findings of an assessment count here."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from driftflow.cli import options
from driftflow.cli.output import quoted, write_file
from driftflow.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from driftflow.cli.session import Session
    from driftflow.model.baseline import Baseline
    from driftflow.model.finding import Assessment


class Narrowing(NamedTuple):
    """What the command line asked for; empty where it did not."""

    baseline: Path | None
    write_baseline: Path | None
    changed_since: str


def narrowing(function: Callable[..., Any]) -> Callable[..., Any]:
    """The three options; the command takes them together as `narrow`."""

    @functools.wraps(function)
    def called(*words: Any, baseline: Path | None, write_baseline: Path | None, changed_since: str, **values: Any) -> Any:
        return function(*words, narrow=Narrowing(baseline, write_baseline, changed_since), **values)

    decorated: Callable[..., Any] = called
    for option in (
        click.option(
            "--changed-since",
            metavar="REF",
            default="",
            help="Only findings in files that git says have changed since REF, or does not track yet.",
        ),
        click.option(
            "--write-baseline", type=options.FILE, metavar="FILE", help="Write what is found to FILE, as known from now on."
        ),
        click.option("--baseline", type=options.FILE, metavar="FILE", help="Leave out what FILE knows: only new findings count."),
    ):
        decorated = option(decorated)
    return decorated


def narrowed(run: Session, assessment: Assessment, asked: Narrowing) -> Assessment:
    """The assessment with the findings that count. Every file was read all the same: what one says of another is not lost.

    Raises UsageError, ConfigError (a baseline that cannot be read), SourceError (git does not answer).
    """
    from driftflow.model.baseline import Baseline, without_known
    from driftflow.model.record import pretty

    if asked.baseline is not None and asked.write_baseline is not None:
        raise UsageError("DF-E144", "--baseline and --write-baseline do not go together", hint="give one of them")
    if asked.changed_since:
        assessment = _of_changed_files(run, assessment, asked.changed_since)
    if asked.write_baseline is not None:
        baseline = Baseline.of(assessment)
        write_file(asked.write_baseline, pretty(baseline))
        run.out.note(f"{len(baseline.findings)} findings are known from now on: {asked.write_baseline}")
        return without_known(assessment, baseline)[0]
    if asked.baseline is not None:
        assessment, stale = without_known(assessment, _read(asked.baseline))
        if stale and not asked.changed_since:  # of files that are left out nothing can be said
            named = ", ".join(sorted({f"{one.code} in {one.migration}" for one in stale})[:5])
            run.out.note(
                f"{len(stale)} entries of {asked.baseline} match nothing any more ({named}): --write-baseline takes them out"
            )
    return assessment


def _of_changed_files(run: Session, assessment: Assessment, ref: str) -> Assessment:
    from driftflow.model.record import replace
    from driftflow.readers.changed import changed_files

    changed = changed_files(ref, run.root)
    kept = tuple(one for one in assessment.findings if _place(run.root, one.span.file) in changed)
    return replace(assessment, findings=kept)


def _place(root: Path, file: str) -> Path:
    return (root / file).resolve()


def _read(file: Path) -> Baseline:
    from driftflow.model.baseline import FORMAT, Baseline
    from driftflow.model.record import DecodeError, decode

    hint = quoted("driftflow", "lint", "--write-baseline", file)
    try:
        baseline = decode(file.read_bytes(), Baseline)
    except OSError as fault:
        raise ConfigError(
            "DF-E140", "the baseline cannot be read", where=str(file), why=fault.strerror or "", hint=hint
        ) from None
    except DecodeError as fault:
        raise ConfigError("DF-E141", "this file is no baseline", where=str(file), why=str(fault), hint=hint) from None
    if baseline.format != FORMAT:
        raise ConfigError(
            "DF-E142",
            f"a baseline of format {baseline.format}",
            where=str(file),
            why=f"this driftflow reads format {FORMAT}",
            hint="upgrade driftflow, or write the baseline anew",
        )
    return baseline
