"""A name of ours fits, and two that begin alike stay two."""

from __future__ import annotations

import pytest

from driftflow.strategies.fitted import NAME_BYTES_MAX, fit


@pytest.mark.parametrize("letter", ["a", "ä", "木", "🦆"])
def test_no_name_is_longer_than_its_bytes(letter: str) -> None:
    for length in range(1, 80):
        name = fit(letter * length)
        assert len(name.encode()) <= NAME_BYTES_MAX
        assert name == letter * length or name.startswith(letter)


def test_a_name_that_fits_is_left_alone() -> None:
    assert fit("a" * 63) == "a" * 63


def test_two_names_that_begin_alike_stay_two() -> None:
    assert fit("a" * 70 + "x") != fit("a" * 70 + "y")
    assert len(fit("a" * 31, bytes_max=30, tail=8)) == 30
