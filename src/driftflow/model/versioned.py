"""A mapping that is changed by making a new version of it, where every older version stays readable.

A release is thousands of small changes to one catalog. Copying the whole mapping for each of them costs the square of the release in time and
memory; here a change costs itself. All versions share one dictionary, which holds the version that was looked at last; the others hold what
to put back (Baker, "Shallow binding makes functional arrays fast", 1991). Going to a neighbouring version costs one step, which is how a walk reads
them; going far costs the way there, so a version that is kept for comparison is better `detached`.

Not for several threads at a time: reading moves the shared dictionary.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any, Final, Generic, TypeVar

V = TypeVar("V")

Key = tuple[str, Hashable]
"""What entries are found by: the kind of link, and its far end."""

Links = tuple[tuple[Callable[[Any], object], Callable[[Any], Iterable[Key]]], ...]
"""Per part of an entry: how to get the part, and the links that it makes. A change that leaves the very part leaves its links."""

Relinked = tuple[tuple[Key, ...], tuple[Key, ...]]
"""What a change of an entry does to its links: those that it ends, and those that it makes. Looked at once, however often a walk comes by."""

_Change = tuple[str, Any, Relinked | None]
"""The key, what is to be there, and what becomes of the links, where that is known."""

_GONE: Final[Any] = object()
"""Holds the place of an entry that this version does not have, so that the order is the same in every version."""


class Versioned(Mapping[str, V], Generic[V]):
    """Entries in the order in which their keys first came."""

    __slots__ = ("_change", "_next", "_shared")

    def __init__(self, entries: Mapping[str, V], links: Links = ()) -> None:
        self._shared: _Shared[V] | None = _Shared(dict(entries), links)
        self._next: Versioned[V] | None = None
        self._change: _Change = ("", _GONE, None)

    @classmethod
    def of(cls, entries: Mapping[str, V], links: Links) -> Versioned[V]:
        """The mapping itself where it is one of these already."""
        return entries if isinstance(entries, cls) else cls(entries, links)

    def having(self, key: str, value: V) -> Versioned[V]:
        """The version in which `key` is `value`."""
        return self._changed(key, value)

    def without(self, keys: Iterable[str]) -> Versioned[V]:
        """The version that has none of the keys. Unknown keys are no fault."""
        version = self
        for key in keys:
            if key in version:
                version = version._changed(key, _GONE)
        return version

    def linked(self, kind: str, to: Hashable) -> tuple[V, ...]:
        """The entries that have this link, in order."""
        return self._here().linked((kind, to))

    def detached(self) -> Versioned[V]:
        """The same entries, sharing nothing: looking here does not move the other versions."""
        shared = self._here()
        return Versioned(dict(self.items()), shared.rules)

    # Mapping

    def __getitem__(self, key: str) -> V:
        value: V = self._here().entries.get(key, _GONE)
        if value is _GONE:
            raise KeyError(key)
        return value

    def get(self, key: str, default: Any = None) -> Any:
        value = (self._shared or self._move()).entries.get(key, _GONE)
        return default if value is _GONE else value

    def __contains__(self, key: object) -> bool:
        return (self._shared or self._move()).entries.get(key, _GONE) is not _GONE  # type: ignore[call-overload]

    def __iter__(self) -> Iterator[str]:
        return iter([key for key, value in self._here().entries.items() if value is not _GONE])

    def __len__(self) -> int:
        return self._here().count

    def values(self) -> list[V]:  # type: ignore[override]
        """Those of now: what is done with other versions meanwhile does not move them."""
        return [value for value in self._here().entries.values() if value is not _GONE]

    def items(self) -> list[tuple[str, V]]:  # type: ignore[override]
        return [pair for pair in self._here().entries.items() if pair[1] is not _GONE]

    def __repr__(self) -> str:
        return f"Versioned({dict(self.items())!r})"

    # versions

    def _changed(self, key: str, value: Any) -> Versioned[V]:
        shared = self._here()
        new: Versioned[V] = Versioned.__new__(Versioned)
        new._shared, new._next, new._change = shared, None, ("", _GONE, None)
        self._change = shared.put((key, value, None))
        self._shared, self._next = None, new
        return new

    def _here(self) -> _Shared[V]:
        """The shared dictionary, holding this version."""
        return self._shared if self._shared is not None else self._move()

    def _move(self) -> _Shared[V]:
        way = []
        version = self
        while version._next is not None:
            way.append(version)
            version = version._next
        shared = version._shared
        assert shared is not None
        for older in reversed(way):
            version._change = shared.put(older._change)
            version._shared, version._next = None, older
            older._shared, older._next = shared, None
            version = older
        return shared


def having_link(entries: Mapping[str, V], rules: Links, kind: str, to: Hashable) -> tuple[V, ...]:
    """The entries that have this link, in order: from the links that are kept, or by looking through a plain mapping."""
    if isinstance(entries, Versioned):
        return entries.linked(kind, to)
    wanted = (kind, to)
    return tuple(value for value in entries.values() if any(link == wanted for _, made in rules for link in made(value)))


class _Shared(Generic[V]):
    """The entries of the version that was looked at last, and their links, which are made when the first one is asked for."""

    __slots__ = ("_links", "count", "entries", "places", "rules")

    def __init__(self, entries: dict[str, Any], rules: Links) -> None:
        self.entries = entries
        self.rules = rules
        self.count = len(entries)
        self.places = {key: place for place, key in enumerate(entries)}
        self._links: dict[Key, dict[str, None]] | None = None

    @property
    def links(self) -> dict[Key, dict[str, None]]:
        if self._links is None:
            self._links = {}
            for key, value in self.entries.items():
                for link in self._relinked(_GONE, value)[1]:
                    self._links.setdefault(link, {})[key] = None
        return self._links

    def put(self, change: _Change) -> _Change:
        """Write, and return the change that takes it back."""
        key, value, relinked = change
        old = self.entries.get(key, _GONE)
        self.entries[key] = value
        if key not in self.places:
            self.places[key] = len(self.places)
        self.count += (value is not _GONE) - (old is not _GONE)
        if self._links is None:
            return key, old, None
        if relinked is None:
            relinked = self._relinked(old, value)
        ends, begins = relinked
        for link in ends:
            self._links[link].pop(key, None)
        for link in begins:
            self._links.setdefault(link, {})[key] = None
        return key, old, (begins, ends)

    def linked(self, link: Key) -> tuple[V, ...]:
        keys = self.links.get(link)
        if not keys:
            return ()
        ordered = keys if len(keys) == 1 else sorted(keys, key=self.places.__getitem__)
        return tuple([self.entries[key] for key in ordered])

    def _relinked(self, old: Any, new: Any) -> Relinked:
        ends: list[Key] = []
        begins: list[Key] = []
        for part, made in self.rules:
            if old is not _GONE and new is not _GONE and part(old) is part(new):
                continue
            if old is not _GONE:
                ends += made(old)
            if new is not _GONE:
                begins += made(new)
        return tuple(ends), tuple(begins)
