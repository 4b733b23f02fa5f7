"""From offers that were taken to files: the migration is edited in a scratch copy, planned, and written in its own tool's format."""

from __future__ import annotations

import difflib
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from driftflow.errors import SourceError, UsageError

if TYPE_CHECKING:
    from driftflow.cli.session import Session
    from driftflow.model.catalog import Catalog
    from driftflow.planner.enhancements import Edit, Offer
    from driftflow.readers.sources import Source
    from driftflow.writers.base import Writer, Written


@dataclass(frozen=True, kw_only=True)
class Change:
    """Files as they will be (None: removed) and as they are, and what the tool cannot do of it."""

    after: Mapping[str, str | None]
    before: Mapping[str, str]
    lost: tuple[str, ...] = ()

    def diff(self) -> str:
        """A unified difference that `patch` and `git apply` take."""
        lines: list[str] = []
        for path, after in sorted(self.after.items()):
            old = self.before.get(path, "").splitlines(keepends=True)
            new = (after or "").splitlines(keepends=True)
            names = (f"a/{path}" if path in self.before else "/dev/null", f"b/{path}" if after is not None else "/dev/null")
            lines += [line if line.endswith("\n") else f"{line}\n" for line in difflib.unified_diff(old, new, *names)]
        return "".join(lines)


def offers_of(run: Session, sources: Sequence[Source], catalog: Catalog) -> tuple[Offer, ...]:
    """What there is to offer for the pending migrations."""
    if run.maybe_catalog is None:
        run.out.note(
            "note: sizes are unknown here, so only what is better for any size is offered; --url or --snapshot offers more"
        )
    from driftflow.planner.enhancements import offers
    from driftflow.readers.inputs import external_inputs
    from driftflow.readers.sources import pending_migrations

    migrations = pending_migrations(sources, run.pending(sources))
    inputs = external_inputs(migrations, run.root)
    return offers(migrations, catalog=catalog, dialect=run.dialect, policy=run.policy, folder=run.root, inputs=inputs)


def told(offer: Offer) -> str:
    """An offer as a person decides about it."""
    steps = [f"    {number}. {purpose}" for number, purpose in enumerate(offer.steps, start=1)]
    text = [f"    {line}" for line in (offer.take.text if offer.take else "").splitlines()]
    return "\n".join([f"{offer.id}", f"  {offer.title} ({offer.span})", f"  {offer.why}", *steps, *text])


def named(found: Sequence[Offer], take: Sequence[str]) -> tuple[str, ...]:
    """The ids that were meant; `all` is every one. Raises UsageError for one that is not offered."""
    from driftflow.config import nearest

    known = [offer.id for offer in found]
    if "all" in take:
        return tuple(known)
    for id in take:
        if id not in known:
            near = nearest(id, known)
            raise UsageError(
                "DF-E139", f"nothing called {id} is offered", hint=f"did you mean {near}?" if near else "driftflow enhance"
            )
    return tuple(take)


def change_of(
    run: Session, sources: Sequence[Source], catalog: Catalog, found: Sequence[Offer], taken: Sequence[str], *, in_place: bool
) -> Change:
    """What taking the offers does to the files. `in_place` leaves the directives for driftflow in the file; else the tool gets plain SQL."""
    from driftflow.planner.enhancements import chosen_edits, edited

    _refuse_requests(sources, [offer for offer in found if offer.id in taken])
    paths = sorted({offer_path(offer) for offer in found if offer.id in taken})
    edits: tuple[Edit, ...] = chosen_edits(found, taken)
    if in_place:
        edits = tuple(offer.take for offer in found if offer.id in taken and offer.take is not None)
    before = {path: (run.root / path).read_bytes().decode("utf-8") for path in paths}
    try:
        after = edited(before, edits)
    except ValueError as fault:
        raise UsageError("DF-E139", str(fault), hint="take one of them") from fault
    if in_place:
        return Change(after=dict(after), before=before)
    written = [one for source in sources for one in _written(run, source, after, catalog)]
    files: dict[str, str | None] = {path: None for one in written for path in one.removed}
    files |= {path: text.decode("utf-8") for one in written for path, text in one.files.items()}
    files |= {one.requests: None for source in sources for one in source.migrations if one.requests and one.path in after}
    there = {path: (run.root / path).read_bytes().decode("utf-8") for path in files if (run.root / path).is_file()}
    return Change(after=files, before=there, lost=tuple(dict.fromkeys(text for one in written for text in one.lost)))


def _refuse_requests(sources: Sequence[Source], taken: Sequence[Offer]) -> None:
    """Raises UsageError (DF-E139) where another statement would take the place of one that a file of requests speaks of."""
    asked = {one.path: one.requests for source in sources for one in source.migrations if one.requests}
    for offer in taken:
        if offer.kind == "enhancement" and (requests := asked.get(offer_path(offer))):
            raise UsageError(
                "DF-E139",
                f"{offer.id} cannot be taken: a file of requests speaks of its migration",
                where=requests,
                why="other statements would take the place of those that it names",
                hint="write what it asks for as comments, remove it, then: driftflow enhance",
            )


def offer_path(offer: Offer) -> str:
    edit = offer.take or offer.decline
    return edit.path if edit else offer.span.file


def _written(run: Session, source: Source, texts: Mapping[str, str], catalog: Catalog) -> list[Written]:
    """The files of one source, written anew by its tool's writer for every migration that was edited."""
    from driftflow import pipeline
    from driftflow.model.record import replace
    from driftflow.readers.sources import ledger_of
    from driftflow.writers.from_plan import rewrite_from_plan

    wanted = {migration.id for migration in source.migrations if migration.path in texts}
    if not wanted:
        return []
    edited = _read_edited(run, source, texts)
    plan = pipeline.make_plan(
        [edited], dialect=run.dialect, catalog=catalog, policy=run.policy, pending=run.pending([source]), root=run.root
    )
    ledger = ledger_of(edited, run.dialect)
    own = [(*ledger.create(), *ledger.record(one), *ledger.unrecord(one)) for one in edited.migrations]
    leave_out = {sql for statements in own for sql in statements}
    writer = _writer(source.reader.name)
    written: list[Written] = []
    for migration in edited.migrations:
        if migration.id in wanted:
            rewrite = rewrite_from_plan(plan, migration, run.dialect, siblings=edited.migrations, leave_out=leave_out)
            needed = {path: text for path in writer.needs(migration) if (text := _present(run.root, path, written)) is not None}
            written.append(writer.write(replace(rewrite, files=needed), run.dialect))
    return written


def _present(root: Path, path: str, written: Sequence[Written]) -> str | None:
    """A file as it will be after what was written so far (Drizzle's journal grows with every migration)."""
    for one in reversed(written):
        if path in one.files:
            return one.files[path].decode("utf-8")
    return (root / path).read_bytes().decode("utf-8") if (root / path).is_file() else None


def _read_edited(run: Session, source: Source, texts: Mapping[str, str]) -> Source:
    """The source read again by its tool's rules, with the edited texts in the place of the files."""
    from driftflow import pipeline
    from driftflow.model.record import replace

    base = source.folder if source.folder.is_dir() else source.folder.parent
    place = Path(
        base.resolve().relative_to(run.root.resolve()) if base.resolve().is_relative_to(run.root.resolve()) else base.name
    )
    with tempfile.TemporaryDirectory(prefix="driftflow-enhance-") as scratch:
        root = Path(scratch)
        shutil.copytree(base, root / place, dirs_exist_ok=True, symlinks=True)
        for path, text in texts.items():
            if (root / path).is_file():
                (root / path).write_bytes(text.encode("utf-8"))
        folder = root / place if source.folder.is_dir() else root / place / source.folder.name
        options = {str(folder): replace(source.options, tool=source.reader.name)}
        (edited,) = pipeline.find_sources([folder], dialect=run.dialect, options=options, root=root)
    return edited


def _writer(tool: str) -> Writer:
    from driftflow.plugins import discover

    entry = discover("writer").get("writer", tool)
    if entry is None:
        raise SourceError(
            "DF-E250", f"{tool} has no writer", hint="driftflow enhance --in-place, and run it with driftflow apply"
        )
    found: Writer = entry.value()
    return found
