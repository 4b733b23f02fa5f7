"""Every version of a versioned mapping stays what it was, whichever order they are looked at, changed and compared in."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter

from hypothesis import given
from hypothesis import strategies as st

from driftflow.model.versioned import Links, Versioned


@dataclass(frozen=True)
class Entry:
    points_at: tuple[str, ...]
    note: int


LINKS: Links = ((attrgetter("points_at"), lambda entry: (("to", far) for far in entry.points_at)),)
NAMES = st.sampled_from("abcd")
ENTRIES = st.builds(Entry, points_at=st.lists(NAMES, max_size=2).map(tuple), note=st.integers(0, 3))
STEPS = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from(["having", "without", "look", "detach"]), NAMES, ENTRIES), max_size=40
)


@given(start=st.dictionaries(NAMES, ENTRIES), steps=STEPS)
def test_versions_are_independent_values(start: dict[str, Entry], steps: list[tuple[int, str, str, Entry]]) -> None:
    versions = [(Versioned(start, LINKS), dict(start))]
    for which, action, key, entry in steps:
        version, plain = versions[which % len(versions)]
        match action:
            case "having":
                versions.append((version.having(key, entry), {**plain, key: entry}))
            case "without":
                versions.append((version.without([key]), {one: value for one, value in plain.items() if one != key}))
            case "detach":
                versions.append((version.detached(), plain))
            case _:
                assert version.linked("to", key) == _pointing(version, key)
    for version, plain in versions:
        assert version == plain
        assert len(version) == len(plain)
        for name in "abcd":
            assert version.get(name) == plain.get(name)
            assert (name in version) == (name in plain)
            assert version.linked("to", name) == _pointing(version, name)


def _pointing(version: Versioned[Entry], far: str) -> tuple[Entry, ...]:
    return tuple(entry for entry in version.values() if far in entry.points_at)


def test_what_is_iterated_does_not_move() -> None:
    first = Versioned({"a": Entry((), 1), "b": Entry((), 2)}, LINKS)
    version = first
    for key, entry in first.items():
        version = version.without([key]).having(f"{key}2", entry)
        assert key in first
    assert list(version) == ["a2", "b2"]
    assert list(first) == ["a", "b"]
