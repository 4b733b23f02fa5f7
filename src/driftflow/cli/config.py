"""`driftflow config`."""

from __future__ import annotations

import click

from driftflow.cli.narrowing import refuse_unknown_rules
from driftflow.cli.options import session
from driftflow.cli.session import Session
from driftflow.config import POLICY_KEYS, TARGET_KEYS, mask


@click.command()
@session()
def command(run: Session) -> None:
    """Every setting of the chosen environment: its value and where it came from. Secrets are masked."""
    config = run.config
    rows = [("file", config.file or "(none)", "looked for upwards"), ("environment", config.target.name, config.origin("env"))]
    rows += [(key, _text(getattr(config.target, key)), config.origin(f"target.{key}")) for key in TARGET_KEYS]
    rows += [(key, _text(getattr(config.target.policy, key)), config.origin(f"target.{key}")) for key in POLICY_KEYS]
    for name, source in config.sources.items():
        said = f"{source.tool or 'detected'} in {source.path}"
        rows.append((f"sources.{name}", said, config.origin(f"sources.{name}.path")))
    own = f"environments.{config.target.name}.rules"
    for code, rule in config.target.rules.items():
        origin = config.origins.get(f"{own}.{code}") or config.origin(f"rules.{code}")
        parts = (rule.severity, f"not in {', '.join(rule.exclude)}" if rule.exclude else "", rule.reason)
        rows.append((f"rules.{code}", ": ".join(part for part in parts if part), origin))
    refuse_unknown_rules(run)
    if run.out.json:
        run.out.record({key: {"value": mask(value), "origin": origin} for key, value, origin in rows})
    else:
        wide = max(len(value) for _, value, _ in rows)
        run.out.result("\n".join(f"{key:<22} {mask(value):<{min(wide, 44)}}  {origin}".rstrip() for key, value, origin in rows))
    run.out.next("driftflow sources" if config.file else "driftflow init")


def _text(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case tuple():
            return ", ".join(value)
        case _:
            return str(value)
