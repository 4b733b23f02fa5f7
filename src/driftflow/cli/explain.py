"""`driftflow explain`."""

from __future__ import annotations

import re
from pathlib import Path

import click

from driftflow.cli import options
from driftflow.cli.session import Session
from driftflow.config import nearest
from driftflow.errors import UsageError
from driftflow.pages import docs


@click.command()
@options.session(database=False)
@click.argument("code")
def command(run: Session, *, code: str) -> None:
    """The page of a check (DF and three digits), of an error (DF-E and three digits), of a strategy or of a command."""
    text = error_page(code.upper()) if re.fullmatch(r"(?i)DF-E\d{3}", code) else page(code)
    if run.out.json:
        run.out.record({"code": code, "page": text})
    else:
        run.out.result(text)
    run.out.next("driftflow list checks")


def page(name: str) -> str:
    """The page of a check, a strategy or a command. Raises UsageError with the nearest name."""
    from driftflow.cli.commands import COMMANDS
    from driftflow.plugins import discover

    if name in COMMANDS:
        return _read(docs() / "commands" / f"{name}.md", name)
    registry = discover("check", "strategy")
    if (check := registry.get("check", name.upper())) is not None:
        return _read(docs() / "checks" / f"{check.info['page']}.md", name)
    if (strategy := registry.get("strategy", name)) is not None:
        return _read(docs() / "strategies" / f"{strategy.info['page'] or name}.md", name)
    known = [entry.name for entry in (*registry.of("check"), *registry.of("strategy"))]
    raise _unknown(name, known)


def error_page(code: str) -> str:
    """The chapter of docs/errors.md about one code."""
    text = _read(docs() / "errors.md", code)
    chapters = re.split(r"(?m)^(?=### )", text)
    for chapter in chapters:
        if chapter.startswith(f"### {code}"):
            return re.split(r"(?m)^## ", chapter)[0]
    raise _unknown(code, re.findall(r"(?m)^### (DF-E\d{3})", text))


def _read(path: Path, name: str) -> str:
    if not path.is_file():
        raise _unknown(name, [])
    return path.read_text(encoding="utf-8")


def _unknown(name: str, known: list[str]) -> UsageError:
    near = nearest(name.upper(), known) or nearest(name, known)
    hint = f"did you mean {near}?" if near else "driftflow list checks"
    return UsageError("DF-E133", f"there is no page about {name}", hint=hint)
