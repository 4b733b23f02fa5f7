"""`--select`, `--ignore`, `[rules]`, `--baseline`, `--write-baseline` and `--changed-since`: which findings of an assessment count here."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from driftflow.cli import options
from driftflow.cli.output import quoted, write_file
from driftflow.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from driftflow.cli.session import Session
    from driftflow.model.baseline import Baseline, KnownFinding
    from driftflow.model.finding import Assessment, Finding


class Narrowing(NamedTuple):
    """What the command line asked for; empty where it did not."""

    baseline: Path | None
    write_baseline: Path | None
    changed_since: str
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()


def narrowing(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options; the command takes them together as `narrow`."""

    @functools.wraps(function)
    def called(*words: Any, **values: Any) -> Any:
        return function(*words, narrow=Narrowing(**{name: values.pop(name) for name in Narrowing._fields}), **values)

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
        click.option(
            "--ignore", metavar="CODE", multiple=True, callback=_codes, help="Leave out this check; repeatable, or with commas."
        ),
        click.option(
            "--select", metavar="CODE", multiple=True, callback=_codes, help="Only this check; repeatable, or with commas."
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
    from driftflow.model.rules import ruled

    if asked.baseline is not None and asked.write_baseline is not None:
        raise UsageError("DF-E144", "--baseline and --write-baseline do not go together", hint="give one of them")
    refuse_unknown(asked.select, where="--select")
    refuse_unknown(asked.ignore, where="--ignore")
    refuse_unknown_rules(run)
    assessment = ruled(assessment, run.config.target.rules, select=asked.select, ignore=asked.ignore)
    if asked.changed_since:
        assessment = _of_changed_files(run, assessment, asked.changed_since)
    if asked.write_baseline is not None and assessment.errors:
        run.out.note(f"{asked.write_baseline} was not written: it would forget what is known of the files that cannot be read")
    elif asked.write_baseline is not None:
        baseline = Baseline.of(assessment)
        write_file(asked.write_baseline, pretty(baseline))
        run.out.note(f"{len(baseline.findings)} findings are known from now on: {asked.write_baseline}")
        return without_known(assessment, baseline, file=str(asked.write_baseline))[0]
    if asked.baseline is not None:
        assessment, stale = without_known(assessment, _read(asked.baseline), file=str(asked.baseline))
        partial = asked.changed_since or asked.select or asked.ignore or assessment.errors
        if stale and not partial:  # of what is left out nothing can be said
            assessment = _with_stale(run, assessment, stale, asked.baseline)
    return assessment


def _with_stale(run: Session, assessment: Assessment, stale: Sequence[KnownFinding], file: Path) -> Assessment:
    """Entries of migrations that were read are findings; of the others only their number is said: they may be gone, or not asked for."""
    from driftflow.checks.suppression.baseline import stale_entries
    from driftflow.model.record import replace
    from driftflow.model.rules import ruled

    read = {one.migration for one in assessment.statements}
    here = [one for one in stale if one.migration in read]
    if others := [one for one in stale if one.migration not in read]:
        named = ", ".join(sorted({f"{one.code} in {one.migration}" for one in others})[:5])
        run.out.note(f"{len(others)} entries of {file} are of migrations that were not read ({named})")
    found = tuple(stale_entries(here, file=str(file), text=file.read_text(encoding="utf-8")))
    said = ruled(replace(assessment, findings=found, suppressed=()), run.config.target.rules)
    return replace(assessment, findings=(*assessment.findings, *said.findings))


def _codes(context: click.Context, parameter: click.Parameter, value: Sequence[str]) -> tuple[str, ...]:
    return tuple(code.strip().upper() for word in value for code in word.split(",") if code.strip())


def refuse_unknown(codes: Sequence[str], *, where: str) -> None:
    """Raises ConfigError for the first code that no check has: a misspelled one would do nothing, and its writer believes that it does."""
    if not codes:
        return
    from driftflow.config import nearest
    from driftflow.plugins import discover

    known = tuple(entry.name for entry in discover("check").of("check"))
    for code in codes:
        if code not in known:
            family = [one for one in known if one[:4] == code[:4]]  # the last digit is what is mistyped or mistaken most
            near = nearest(code, family) or nearest(code, known)
            raise ConfigError(
                "DF-E145",
                f"there is no check {code}",
                where=where,
                hint=f"did you mean {near}?" if near else "driftflow list checks",
            )


def refuse_unknown_rules(run: Session) -> None:
    """Every rule of the file, of all environments, names a check, and its paths mean some file of the project. Raises ConfigError."""
    from driftflow.model.rules import matches

    config = run.config
    for prefix, rules in (
        ("rules", config.rules),
        *((f"environments.{name}.rules", one.rules) for name, one in config.environments.items()),
    ):
        for code, rule in rules.items():
            origin = config.origin(f"{prefix}.{code}")
            refuse_unknown((code,), where=origin)
            if rule.severity == "off" and code.startswith("DF9"):
                raise ConfigError(
                    "DF-E147",
                    f"{code} cannot be switched off",
                    where=origin,
                    why="it keeps the other silences honest",
                    hint="mend the comment that it speaks of, or give it another severity",
                )
            for pattern in rule.exclude:
                if not any(matches(pattern, file) for file in _files(run.root)):
                    raise ConfigError(
                        "DF-E146",
                        f"{pattern} matches no file",
                        where=origin,
                        why=f"the paths of a rule are relative to {run.root}",
                        hint='correct it, or take it out; "db/legacy/**" means everything below that folder',
                    )


def _files(root: Path) -> Iterator[str]:
    """The project's files as the reports name them; hidden folders and installed packages hold no migrations."""
    for folder, inner, names in os.walk(root):
        inner[:] = sorted(name for name in inner if not name.startswith(".") and name != "node_modules")
        for name in names:
            yield (Path(folder) / name).relative_to(root).as_posix()


def _of_changed_files(run: Session, assessment: Assessment, ref: str) -> Assessment:
    from driftflow.model.record import replace
    from driftflow.readers.changed import changed_files
    from driftflow.readers.requests import requests_path

    changed = changed_files(ref, run.root)

    def counts(finding: Finding) -> bool:
        beside = requests_path(finding.span.file)  # what was asked of the migration may be what changed
        return not changed.isdisjoint((_place(run.root, finding.span.file), _place(run.root, beside)))

    return replace(
        assessment,
        findings=tuple(filter(counts, assessment.findings)),
        suppressed=tuple(one for one in assessment.suppressed if counts(one.finding)),
    )


def _place(root: Path, file: str) -> Path:
    return (root / file).resolve()


def _read(file: Path) -> Baseline:
    from driftflow.model.baseline import FORMAT, WITHOUT_SUBJECT, Baseline, Format
    from driftflow.model.record import DecodeError, decode

    hint = quoted("driftflow", "lint", "--write-baseline", file)
    try:
        text = file.read_bytes()
        form = decode(text, Format).format
        baseline = decode(text, Baseline) if form in {FORMAT, WITHOUT_SUBJECT} else Baseline(format=form)
    except OSError as fault:
        raise ConfigError(
            "DF-E140", "the baseline cannot be read", where=str(file), why=fault.strerror or "", hint=hint
        ) from None
    except DecodeError as fault:
        raise ConfigError("DF-E141", "this file is no baseline", where=str(file), why=str(fault), hint=hint) from None
    if baseline.format not in {FORMAT, WITHOUT_SUBJECT}:
        raise ConfigError(
            "DF-E142",
            f"a baseline of format {baseline.format}",
            where=str(file),
            why=f"this driftflow reads format {FORMAT}",
            hint="upgrade driftflow, or write the baseline anew",
        )
    return baseline
