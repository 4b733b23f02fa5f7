"""The same reading of many files or migrations, side by side where there are enough of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from driftflow.model.migration import Migration
from driftflow.model.record import Record
from driftflow.readers.files import Faults
from driftflow.side_by_side import spread

T = TypeVar("T")


class _Stretch(Record, frozen=True, kw_only=True):
    """The answers of items that follow each other; none where one of them has a fault, for faults are not sent between processes."""

    count: int
    sound: bool = True
    migrations: tuple[Migration, ...] = ()


def each(items: Sequence[T], work: Callable[[T, Faults], Migration], faults: Faults) -> list[Migration]:
    """What `work` makes of every item, in order. It puts what is wrong into the faults that it is given, or raises it: then the item is left out."""

    def stretch(some: Sequence[T]) -> _Stretch:
        own = Faults()
        made = tuple(_made(some, work, own))
        return _Stretch(count=len(some), sound=not own.found, migrations=() if own.found else made)

    found: list[Migration] = []
    begin = 0
    for answer in spread(stretch, items, _Stretch):
        end = begin + answer.count
        found += answer.migrations if answer.sound else _made(items[begin:end], work, faults)
        begin = end
    return found


def _made(items: Sequence[T], work: Callable[[T, Faults], Migration], faults: Faults) -> Iterator[Migration]:
    for item in items:
        with faults.collect():
            yield work(item, faults)
