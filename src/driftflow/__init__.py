"""driftflow: safe database migrations.

The names below are the public ones; each is imported when it is first used, so that `import driftflow` costs nothing.

    from driftflow import find_sources, lint, dialect_named
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from driftflow.config import Config as Config
    from driftflow.config import Policy as Policy
    from driftflow.config import load as load_config  # noqa: F401  # another name than its own, so ruff does not see the re-export
    from driftflow.dialects.registry import dialect_named as dialect_named
    from driftflow.drivers.urls import connector_for as connector_for
    from driftflow.errors import DriftflowError as DriftflowError
    from driftflow.model.catalog import Catalog as Catalog
    from driftflow.model.finding import Assessment as Assessment
    from driftflow.model.finding import Finding as Finding
    from driftflow.model.plan import Plan as Plan
    from driftflow.pipeline import apply_plan as apply_plan
    from driftflow.pipeline import assess as assess
    from driftflow.pipeline import effects_of as effects_of
    from driftflow.pipeline import find_sources as find_sources
    from driftflow.pipeline import lint as lint
    from driftflow.pipeline import make_plan as make_plan
    from driftflow.pipeline import read_catalog as read_catalog
    from driftflow.pipeline import roll_back as roll_back

    __version__: str

_PLACES: Final = {
    "Assessment": "model.finding:Assessment",
    "Catalog": "model.catalog:Catalog",
    "Config": "config:Config",
    "DriftflowError": "errors:DriftflowError",
    "Finding": "model.finding:Finding",
    "Plan": "model.plan:Plan",
    "Policy": "config:Policy",
    "apply_plan": "pipeline:apply_plan",
    "assess": "pipeline:assess",
    "connector_for": "drivers.urls:connector_for",
    "dialect_named": "dialects.registry:dialect_named",
    "effects_of": "pipeline:effects_of",
    "find_sources": "pipeline:find_sources",
    "lint": "pipeline:lint",
    "load_config": "config:load",
    "make_plan": "pipeline:make_plan",
    "read_catalog": "pipeline:read_catalog",
    "roll_back": "pipeline:roll_back",
}

__all__ = [*_PLACES, "__version__"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("driftflow")
    if name not in _PLACES:
        raise AttributeError(f"module 'driftflow' has no attribute {name!r}")
    module, _, attribute = _PLACES[name].partition(":")
    return getattr(import_module(f"driftflow.{module}"), attribute)


def __dir__() -> list[str]:
    return sorted(__all__)
