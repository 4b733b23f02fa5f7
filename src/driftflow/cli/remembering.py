"""Whether the answer of this run may be given again, and what it depends on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from driftflow.cli import answers

if TYPE_CHECKING:
    from driftflow.cli.narrowing import Narrowing
    from driftflow.cli.session import Session
    from driftflow.readers.sources import Source


def recording() -> answers.Recording | None:
    """None where the command line is not this process's own, as in a test."""
    return answers.Recording(answers.asked) if answers.asked is not None else None


def keep(run: Session, sources: Sequence[Source], narrow: Narrowing, code: int) -> None:
    """Keep the answer, where nothing decided about it but the files below the sources, the configuration and the command line."""
    if run.out.recording is None:
        return
    if _is_told_by_files(run, sources, narrow):
        named = [narrow.baseline] if narrow.baseline is not None else []
        run.out.recording.keep(code, trees=[source.folder for source in sources], named=named)
    else:
        run.out.recording.drop()


def _is_told_by_files(run: Session, sources: Sequence[Source], narrow: Narrowing) -> bool:
    from driftflow.plugins import may_be_extended
    from driftflow.readers.inputs import names_files

    target = run.config.target
    return not (
        narrow.changed_since
        or narrow.write_baseline
        or target.url_env
        or run.snapshot
        or may_be_extended()
        or any(rule.exclude for rule in target.rules.values())
        or any(not source.folder.is_dir() for source in sources)
        or names_files(migration for source in sources for migration in source.migrations)
    )
