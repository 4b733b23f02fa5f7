"""A rule as a Python function: the one expression that it returns, read from its text. Nothing of it is run."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

from driftflow.model.record import Record

BUILTINS = ("len", "abs", "min", "max")
DECIMAL = "Decimal"


class NotCompiled(Exception):
    """Why the function cannot become SQL, as a sentence."""


class RuleSource(Record, frozen=True, kw_only=True):
    """`returned` is an ast.expr; `constants` are names of the module that hold a literal for good."""

    parameters: tuple[str, ...]
    returned: ast.expr
    constants: dict[str, ast.expr]
    decimal: bool
    """`Decimal` is the one of the standard library."""


def read(text: str, function: str) -> RuleSource:
    """Raises NotCompiled."""
    try:
        module = ast.parse(text)
    except SyntaxError as error:
        raise NotCompiled(f"the module is no Python: line {error.lineno}") from error
    found = [one for one in module.body if isinstance(one, ast.FunctionDef) and one.name == function]
    bound = Counter(_bound(module))
    if len(found) != 1 or bound[function] != 1:
        raise NotCompiled(f"the module does not define {function} exactly once")
    if shadowed := [name for name in BUILTINS if bound[name]]:
        raise NotCompiled(f"the module gives {shadowed[0]} another meaning")
    parameters, returned = _signature(found[0]), _returned(found[0])
    constants = {
        target.id: one.value
        for one in module.body
        if isinstance(one, ast.Assign) and len(one.targets) == 1 and isinstance(target := one.targets[0], ast.Name)
        and bound[target.id] == 1 and target.id not in parameters
    }  # fmt: skip
    return RuleSource(
        parameters=parameters, returned=returned, constants=constants, decimal=_imports_decimal(module) and bound[DECIMAL] == 1
    )


def _signature(function: ast.FunctionDef) -> tuple[str, ...]:
    said = function.args
    if function.decorator_list or said.vararg or said.kwarg or said.kwonlyargs or said.defaults:
        raise NotCompiled(f"{function.name} has a decorator, a default, or more than plain parameters")
    return tuple(one.arg for one in (*said.posonlyargs, *said.args))


def _returned(function: ast.FunctionDef) -> ast.expr:
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    if len(body) != 1 or not isinstance(body[0], ast.Return) or body[0].value is None:
        raise NotCompiled(f"{function.name} does more than return one expression")
    return body[0].value


def _bound(module: ast.Module) -> Iterator[str]:
    """Every name that something in the module binds, wherever: who binds twice may mean another thing each time."""
    for node in ast.walk(module):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.AsyncFunctionDef(name=name) | ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                yield name
            case ast.alias():
                yield "*" if node.name == "*" else (node.asname or node.name).partition(".")[0]
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                yield from (*names, *names)
            case _:
                pass


def _imports_decimal(module: ast.Module) -> bool:
    return any(
        isinstance(one, ast.ImportFrom)
        and one.module == "decimal"
        and any(each.name == DECIMAL and not each.asname for each in one.names)
        for one in module.body
    )
