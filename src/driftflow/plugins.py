"""What is found: checks, strategies, readers, writers, reports and signals, from the built-in folders and from entry points.

The file registers itself with one decorator; discovery imports the folder and returns one frozen Registry. Nothing global is mutated.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import FunctionType, MappingProxyType, ModuleType
from typing import Any, Literal, TypeVar

from driftflow.errors import PluginError
from driftflow.model.record import LocalValue

Kind = Literal["check", "strategy", "enhancement", "reader", "writer", "report", "monitor"]
MARK = "__driftflow__"
T = TypeVar("T")


class Registration(LocalValue, frozen=True):
    """One thing that was found. `info` is what its decorator was told."""

    kind: Kind
    name: str
    value: Any
    owner: str
    """The distribution that brings it; `driftflow` for our own."""
    module: str
    info: MappingProxyType[str, Any]


def register(kind: Kind, name: str, **info: Any) -> Callable[[T], T]:
    """Mark a function or class as findable. The marked object is returned as it is."""

    def mark(value: T) -> T:
        setattr(value, MARK, (kind, name, info))
        return value

    return mark


class Registry(LocalValue, frozen=True):
    """Everything of one kind, by name, in the order of names."""

    entries: MappingProxyType[tuple[str, str], Registration]

    def of(self, kind: Kind) -> tuple[Registration, ...]:
        return tuple(entry for (entry_kind, _), entry in sorted(self.entries.items()) if entry_kind == kind)

    def get(self, kind: Kind, name: str) -> Registration | None:
        return self.entries.get((kind, name))


FOLDERS: MappingProxyType[Kind, str] = MappingProxyType(
    {
        "check": "driftflow.checks",
        "strategy": "driftflow.strategies",
        "enhancement": "driftflow.strategies",
        "reader": "driftflow.readers",
        "writer": "driftflow.writers",
        "report": "driftflow.reports",
        "monitor": "driftflow.monitors",
    }
)


@cache
def discover(*kinds: Kind, without: tuple[str, ...] = ()) -> Registry:
    """Import what the kinds need and collect it, but for the packages that are named. Raises PluginError for two of one name, or for an
    extension that cannot be imported."""
    found: dict[tuple[str, str], Registration] = {}
    for folder in dict.fromkeys(FOLDERS[kind] for kind in kinds):
        for module in _modules(folder, without):
            _collect(module, "driftflow", found)
    for kind in kinds if may_be_extended() else ():
        from importlib.metadata import entry_points

        for point in entry_points(group=f"driftflow.{kind}"):
            owner = point.dist.name if point.dist else "unknown"
            try:
                loaded = point.load()
            except Exception as fault:
                raise PluginError(
                    "DF-E901",
                    f"the extension {point.name} of {owner} cannot be loaded",
                    why=f"{type(fault).__name__}: {fault}",
                    hint=f"pip uninstall {owner}, or install a version that fits this driftflow",
                ) from fault
            _collect(loaded if isinstance(loaded, ModuleType) else importlib.import_module(point.module), owner, found)
    return Registry(entries=MappingProxyType({key: entry for key, entry in found.items() if key[0] in kinds}))


@cache
def may_be_extended() -> bool:
    """Whether some installed distribution names an entry point of ours. To import the module that knows costs more than to look for the word."""
    for place in sys.path:
        folder = Path(place)
        if not folder.is_dir():
            if folder.exists():
                return True  # an archive
            continue
        for installed in _installed(folder):
            with suppress(FileNotFoundError, NotADirectoryError):
                if b"[driftflow." in Path(installed, "entry_points.txt").read_bytes():
                    return True
    return False


def _installed(folder: Path) -> list[str]:
    with suppress(OSError), os.scandir(folder) as entries:
        return [entry.path for entry in entries if entry.name.endswith((".dist-info", ".egg-info"))]
    return []


def _modules(folder: str, without: tuple[str, ...]) -> Iterator[ModuleType]:
    package = importlib.import_module(folder)
    yield package
    for info in pkgutil.iter_modules(package.__path__, prefix=f"{folder}."):
        if info.ispkg and info.name not in without:
            yield from _modules(info.name, without)
        elif not info.ispkg:
            yield importlib.import_module(info.name)


def _collect(module: ModuleType, owner: str, found: dict[tuple[str, str], Registration]) -> None:
    for value in vars(module).values():
        mark = vars(value).get(MARK) if isinstance(value, (FunctionType, type)) else None
        if mark is None or getattr(value, "__module__", module.__name__) != module.__name__:
            continue
        kind, name, info = mark
        if (kind, name) in found and found[kind, name].value is not value:
            raise PluginError(
                "DF-E902",
                f"two {kind}s are called {name}",
                where=f"{found[kind, name].module}\n{module.__name__}",
                hint=f"driftflow list {kind}s, and remove one of the two extensions",
            )
        found[kind, name] = Registration(kind, name, value, owner, module.__name__, MappingProxyType(info))
