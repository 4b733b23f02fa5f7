"""Options that many commands share. Each decorated command is given a Session first, then its own options."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from driftflow.cli.output import Output
from driftflow.cli.session import Session

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]
FILE = click.Path(path_type=Path)
FORMATS = ("text", "json")
THRESHOLDS = ("error", "warning", "info", "never")
FLAGS = ("url", "env", "dialect", "server_version", "replica_url")
"""Options that settle configuration; the rest is the command's own business."""


def session(*, database: bool = True, snapshot: bool = False, formats: Sequence[str] = FORMATS) -> Decorator:
    """The options of output and configuration; with `database` those that name one, with `snapshot` the file that stands in for it."""

    def decorate(function: Command) -> Command:
        @functools.wraps(function)
        @click.pass_context
        def called(context: click.Context, /, **values: Any) -> Any:
            output = Output(
                format=values.pop("format"),
                quiet=values.pop("quiet"),
                no_color=values.pop("no_color"),
                secrets=context.obj if isinstance(context.obj, list) else [],
            )
            flags = {name: values.pop(name) for name in FLAGS if name in values}
            made = Session(out=output, flags=flags, config_file=values.pop("config"), snapshot=values.pop("snapshot", None))
            return function(made, **values)

        # click lists options in reverse of the order in which decorators added them: the command's own come first, the shared ones last.
        own = called.__dict__.pop("__click_params__", [])
        decorated: Command = called
        option: Decorator
        for option in reversed([*(SNAPSHOT if snapshot else []), *(DATABASE if database else []), *_output(formats)]):
            decorated = option(decorated)
        called.__dict__["__click_params__"] += own
        return decorated

    return decorate


def _output(formats: Sequence[str]) -> list[Decorator]:
    return [
        click.option(
            "--format", type=click.Choice(list(formats)), default=formats[0], show_default=True, help="Form of the result."
        ),
        click.option("-q", "--quiet", is_flag=True, help="The result only: no notes, no next command."),
        click.option("--no-color", is_flag=True, help="No colours; NO_COLOR and pipes are obeyed anyway."),
        click.option("--config", type=FILE, metavar="FILE", help="The driftflow.toml to read (default: looked for upwards)."),
    ]


DATABASE: list[Decorator] = [
    click.option("--url", metavar="URL", help="The database: postgresql://…, mysql://…, mariadb://…, sqlite:///path."),
    click.option("--env", metavar="NAME", help="An environment of driftflow.toml."),
    click.option("--dialect", metavar="NAME", help="postgresql, mysql, mariadb or sqlite, where no database says it."),
    click.option("--server-version", metavar="VERSION", help="The server's version, where no database says it."),
]
SNAPSHOT: list[Decorator] = [
    click.option("--snapshot", type=FILE, metavar="FILE", help="A file of `driftflow snapshot` instead of a database."),
]


def replicas(function: Command) -> Command:
    """`--replica-url`, which settles configuration as `--url` does."""
    return click.option(
        "--replica-url",
        metavar="URL",
        multiple=True,
        callback=lambda _, __, urls: " ".join(urls) or None,
        help="A replica that questions about data go to; repeatable.",
    )(function)


def sources(function: Command) -> Command:
    """`PATHS`, and how to read them."""
    for option in (
        click.option(
            "--var", "variables", metavar="NAME=VALUE", multiple=True, callback=pairs, help="A variable in the SQL; repeatable."
        ),
        click.option("--tool", metavar="NAME", default="", help="The tool that the files belong to, where it is not recognised."),
        click.argument("paths", nargs=-1, type=FILE),
    ):
        function = option(function)
    return function


def fail_on(function: Command) -> Command:
    return click.option(
        "--fail-on", type=click.Choice(THRESHOLDS), default="error", show_default=True, help="Exit 1 from this severity on."
    )(function)


def pairs(context: click.Context, parameter: click.Parameter, value: Sequence[str]) -> Mapping[str, str]:
    pairs: dict[str, str] = {}
    for word in value:
        name, separator, text = word.partition("=")
        if not separator or not name:
            raise click.BadParameter(f"{word!r} is not NAME=VALUE", context, parameter)
        pairs[name] = text
    return pairs
