"""Patterns that are compiled late are what `re.compile` gives, and every one of the program's is sound."""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest

import driftflow
from driftflow.patterns import lazy_regex


def test_it_answers_as_the_compiled_one_does() -> None:
    late = lazy_regex(r"(?P<word>[a-z]+)", re.IGNORECASE)
    assert late.sub("x", "Two words") == "x x"
    match = late.search("12 Two")
    assert match is not None and match["word"] == "Two"
    assert (late.groups, late.pattern, late.flags & re.IGNORECASE) == (1, r"(?P<word>[a-z]+)", re.IGNORECASE)


def test_it_is_compiled_when_it_is_first_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    real = re.compile

    def counted(text: str, flags: int = 0) -> re.Pattern[str]:
        compiled.append(text)
        return real(text, flags)

    monkeypatch.setattr(re, "compile", counted)
    late = lazy_regex("once in this test")
    assert compiled == []
    assert late.match("once") is None and late.fullmatch("once in this test")
    assert compiled == ["once in this test"]


def test_a_fault_in_one_is_told_at_its_first_use() -> None:
    late = lazy_regex("(")
    with pytest.raises(re.error):
        late.match("")


def test_every_pattern_of_the_program_can_be_compiled() -> None:
    """Nothing compiles them at import any more."""
    kind, found = type(lazy_regex("")), 0
    for module in pkgutil.walk_packages(driftflow.__path__, prefix="driftflow."):
        if module.name == "driftflow.__main__":
            continue
        for value in vars(importlib.import_module(module.name)).values():
            for one in (
                value,
                *(value.values() if isinstance(value, dict) else value if isinstance(value, (tuple, list)) else ()),
            ):
                if isinstance(one, kind):
                    found += 1
                    assert isinstance(one.pattern, str)
    assert found > 150
