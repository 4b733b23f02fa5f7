"""Work in several processes gives what it gives in one, whatever happens to a child."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from typing import NoReturn

import pytest

from driftflow import side_by_side
from driftflow.side_by_side import spread

HERE = os.getpid()
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be copied here")


@pytest.fixture(autouse=True)
def three_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "WORTH_A_PROCESS", 10)
    monkeypatch.setattr(side_by_side, "_processors", lambda: 3)


def numbers(items: Sequence[int]) -> tuple[int, ...]:
    return tuple(item * item for item in items)


def test_answers_come_in_order() -> None:
    answers = spread(numbers, range(100), tuple[int, ...])
    assert len(answers) == 3
    assert [number for answer in answers for number in answer] == [item * item for item in range(100)]


def test_little_work_stays_here() -> None:
    assert spread(lambda items: (os.getpid(),), range(9), tuple[int, ...]) == [(HERE,)]


def test_a_child_that_dies_is_replaced() -> None:
    def deadly(items: Sequence[int]) -> tuple[int, ...]:
        if os.getpid() != HERE:
            os.kill(os.getpid(), signal.SIGKILL)
        return numbers(items)

    assert [number for answer in spread(deadly, range(40), tuple[int, ...]) for number in answer] == list(numbers(range(40)))


def test_a_fault_is_seen_as_it_is() -> None:
    def faulty(items: Sequence[int]) -> NoReturn:
        raise ValueError(f"from {items[0]}")

    with pytest.raises(ValueError, match="from 0"):
        spread(faulty, range(40), tuple[int, ...])


def test_no_child_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    copy, children = os.fork, list[int]()

    def noted() -> int:
        children.append(process := copy())
        return process

    monkeypatch.setattr(os, "fork", noted)

    def faulty(items: Sequence[int]) -> tuple[int, ...]:
        if items[0] == 0:
            raise ValueError("the first stretch, while the others work")
        signal.pause()
        return ()

    with pytest.raises(ValueError, match="first"):
        spread(faulty, range(40), tuple[int, ...])
    assert len(children) == 2
    for child in children:
        with pytest.raises(ChildProcessError):
            os.waitpid(child, os.WNOHANG)
