"""The same reading of many files or migrations, side by side where there are enough of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from driftflow.errors import SourceError
from driftflow.model.migration import Migration, Statement
from driftflow.model.record import Record
from driftflow.readers.files import Faults
from driftflow.side_by_side import spread

T = TypeVar("T")


class Ahead:
    """What is done with a migration right after it was read, in the process that read it: a migration that goes from one process to another
    twice costs more than its reading. It is left undone where something is wrong, and asked for again when all are read."""

    def __init__(self, work: Callable[[Migration], Migration]) -> None:
        self.work = work
        self._done: dict[int, Statement] = {}

    def note(self, migrations: Sequence[Migration]) -> None:
        self._done.update((id(one), one) for migration in migrations for one in (*migration.statements, *migration.down))

    def has(self, statement: Statement) -> bool:
        """Whether this very statement is done."""
        return id(statement) in self._done

    def has_all(self, migrations: Sequence[Migration]) -> bool:
        return bool(self._done) and all(id(one) in self._done for each in migrations for one in (*each.statements, *each.down))


_AHEAD: ContextVar[Ahead | None] = ContextVar("ahead", default=None)


@contextmanager
def ahead(work: Callable[[Migration], Migration]) -> Iterator[Ahead]:
    """In the block every migration that `each` reads is worked on at once. `work` raises SourceError for what it leaves undone."""
    doing = Ahead(work)
    before = _AHEAD.set(doing)
    try:
        yield doing
    finally:
        _AHEAD.reset(before)


class _Stretch(Record, frozen=True, kw_only=True):
    """The answers of items that follow each other; none where one of them has a fault, for faults are not sent between processes."""

    count: int
    sound: bool = True
    ahead: bool = False
    """Whether they are done already with what comes after reading."""
    migrations: tuple[Migration, ...] = ()


def each(items: Sequence[T], work: Callable[[T, Faults], Migration], faults: Faults) -> list[Migration]:
    """What `work` makes of every item, in order. It puts what is wrong into the faults that it is given, or raises it: then the item is left out."""
    doing = _AHEAD.get()

    def stretch(some: Sequence[T]) -> _Stretch:
        own = Faults()
        made = tuple(_made(some, work, own))
        if own.found:
            return _Stretch(count=len(some), sound=False)
        if doing is not None:
            try:
                return _Stretch(count=len(some), ahead=True, migrations=tuple([doing.work(one) for one in made]))
            except SourceError:
                pass  # all of them are asked for again, and the fault is told then
        return _Stretch(count=len(some), migrations=made)

    found: list[Migration] = []
    begin = 0
    for answer in spread(stretch, items, _Stretch):
        end = begin + answer.count
        found += answer.migrations if answer.sound else _made(items[begin:end], work, faults)
        if answer.ahead and doing is not None:
            doing.note(answer.migrations)
        begin = end
    return found


def _made(items: Sequence[T], work: Callable[[T, Faults], Migration], faults: Faults) -> Iterator[Migration]:
    for item in items:
        with faults.collect():
            yield work(item, faults)
