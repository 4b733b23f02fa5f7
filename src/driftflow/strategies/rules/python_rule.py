"""A Python expression over a row as a condition in SQL that is true for exactly the rows for which the expression is true.

The condition is never unknown: a value that may be None is used only where the expression has asked about it first (`x is None or x > 5`), so no
operator ever sees a NULL that counts. What would compare differently in SQL (binary floating point, letters beyond ASCII in `isdigit`, a division
that is no longer whole) is not compiled: NotCompiled says what.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from itertools import pairwise

from driftflow.dialects.base import Dialect
from driftflow.dialects.exact import Kind
from driftflow.model.catalog import Table
from driftflow.model.record import Record
from driftflow.strategies.rules.python_source import DECIMAL, NotCompiled, RuleSource

COMPARISONS: Mapping[type, str] = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
ARITHMETIC: Mapping[type, str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}
ORDERED: tuple[Kind, ...] = ("integer", "decimal", "text", "date", "timestamp", "timestamptz")
LETTERS = {"isdigit": "0-9", "isalpha": "A-Za-z", "isalnum": "A-Za-z0-9", "isdecimal": "0-9", "isnumeric": "0-9"}
ASCII = "ascii "
"""Before a name among what is known: its text is ASCII."""
LARGEST = 2**63 - 1
NOTHING: frozenset[str] = frozenset()


class Value(Record, frozen=True, kw_only=True):
    sql: str
    kind: Kind
    name: str = ""
    """The parameter that it is, where it is one and nothing more."""
    nullable: bool = False


class Condition(Record, frozen=True, kw_only=True):
    """`true` and `false`: what is known of the parameters where it is so (a name: not None)."""

    sql: str
    true: frozenset[str] = NOTHING
    false: frozenset[str] = NOTHING


def compiled(source: RuleSource, table: Table, columns: Sequence[str], dialect: Dialect) -> str:
    """The condition over the table's columns; `columns` are those that the parameters stand for, in order. Raises NotCompiled."""
    if len(columns) != len(source.parameters):
        raise NotCompiled(f"the function takes {len(source.parameters)} values, and the rule names {len(columns)} columns")
    return _Compiler(source, table, dict(zip(source.parameters, columns, strict=True)), dialect).whole()


class _Compiler:
    def __init__(self, source: RuleSource, table: Table, columns: Mapping[str, str], dialect: Dialect) -> None:
        self.source, self.dialect, self.exact = source, dialect, dialect.exact()
        self.numbers: list[str] = []
        self.parameters: dict[str, Value] = {}
        for parameter, name in columns.items():
            column = table.column(name)
            assert column is not None
            kind = self.exact.kind(column)
            self.parameters[parameter] = Value(sql=dialect.quote(name), kind=kind, name=parameter, nullable=column.nullable)

    def whole(self) -> str:
        found = self.condition(self.source.returned, NOTHING).sql
        sound = [
            f"({value.sql} IS NULL OR {held})"
            for value in self.parameters.values()
            if value.kind and (held := self.exact.sound(value.sql, value.kind))
        ]
        room = [held for number in dict.fromkeys(self.numbers) if (held := self.exact.has_room(number))]
        return " AND ".join([*sound, *room, f"({found})"])

    # conditions

    def condition(self, node: ast.expr, known: frozenset[str]) -> Condition:
        match node:
            case ast.BoolOp(op=op, values=values):
                return self._joined(isinstance(op, ast.And), values, known)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                inner = self.condition(operand, known)
                return Condition(sql=f"NOT ({inner.sql})", true=inner.false, false=inner.true)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                asked = self.condition(test, known)
                yes, no = self.condition(body, known | asked.true), self.condition(orelse, known | asked.false)
                return Condition(sql=f"CASE WHEN {asked.sql} THEN {yes.sql} ELSE {no.sql} END")
            case ast.Compare():
                return self._compare(node, known)
            case ast.Call(func=ast.Attribute(attr=attr)) if attr not in ("lower", "upper"):
                return self._method(node, known)
            case ast.Constant(value=bool() as value):
                return Condition(sql="1 = 1" if value else "1 = 0")
            case _:
                return self._truth(self.value(node, known, may_be_none=True))

    def _joined(self, every: bool, nodes: Sequence[ast.expr], known: frozenset[str]) -> Condition:
        """The right side is looked at only where the left one left it open: what the left one said is known there."""
        whole = self.condition(nodes[0], known)
        for node in nodes[1:]:
            right = self.condition(node, known | (whole.true if every else whole.false))
            if every:
                true, false = whole.true | right.true, whole.false & (whole.true | right.false)
            else:
                true, false = whole.true & (whole.false | right.true), whole.false | right.false
            whole = Condition(sql=f"({whole.sql}) {'AND' if every else 'OR'} ({right.sql})", true=true, false=false)
        return whole

    def _truth(self, value: Value) -> Condition:
        """None, zero, the empty text and False are false."""
        match value.kind:
            case "boolean":
                true = value.sql
            case "integer" | "decimal":
                true = f"{value.sql} <> 0"
            case "text":
                true = f"{self.exact.length(value.sql)} > 0"
            case _:
                raise NotCompiled("a date is asked for its truth")
        if value.nullable:
            true = f"{value.sql} IS NOT NULL AND {true}"
        return Condition(sql=true, true=frozenset({value.name} - {""}))

    def _compare(self, node: ast.Compare, known: frozenset[str]) -> Condition:
        sides = [node.left, *node.comparators]
        found = [self._pair(op, *pair, known) for op, pair in zip(node.ops, pairwise(sides), strict=True)]
        if len(found) == 1:
            return found[0]
        return Condition(sql=" AND ".join(f"({one.sql})" for one in found), true=frozenset().union(*(one.true for one in found)))

    def _pair(self, op: ast.cmpop, left: ast.expr, right: ast.expr, known: frozenset[str]) -> Condition:
        match op:
            case ast.Is() | ast.IsNot():
                return self._is_none(left, right, known, yes=isinstance(op, ast.Is))
            case ast.In() | ast.NotIn():
                found = self._within(left, right, known)
            case ast.Eq() | ast.NotEq():
                found = self._equal(left, right, known)
            case _:
                a, b = self.value(left, known), self.value(right, known)
                kind = _common(a, b)
                if kind not in ORDERED:
                    raise NotCompiled(f"{kind or 'values of this type'} are not ordered")
                return Condition(sql=f"{self._side(a)} {COMPARISONS[type(op)]} {self._side(b)}")
        if isinstance(op, ast.NotIn | ast.NotEq):
            return Condition(sql=f"NOT ({found.sql})", false=found.true)
        return found

    def _is_none(self, left: ast.expr, right: ast.expr, known: frozenset[str], *, yes: bool) -> Condition:
        if not (isinstance(right, ast.Constant) and right.value is None and isinstance(left, ast.Name)):
            raise NotCompiled("`is` is compiled for `x is None` and `x is not None` alone")
        name = self._parameter(left)
        there = frozenset({name.name})
        return Condition(
            sql=f"{name.sql} IS {'' if yes else 'NOT '}NULL", true=NOTHING if yes else there, false=there if yes else NOTHING
        )

    def _equal(self, left: ast.expr, right: ast.expr, known: frozenset[str]) -> Condition:
        """None equals None and nothing else."""
        if any(isinstance(one, ast.Constant) and one.value is None for one in (left, right)):
            raise NotCompiled("write `x is None`, not `x == None`")
        a, b = self.value(left, known, may_be_none=True), self.value(right, known, may_be_none=True)
        _common(a, b)
        sql = f"{self._side(a)} = {self._side(b)}"
        open_ones = [one for one in (a, b) if one.nullable]
        if open_ones:
            sql = " AND ".join([*(f"{one.sql} IS NOT NULL" for one in open_ones), sql])
        if len(open_ones) == 2:
            return Condition(sql=f"({sql}) OR ({a.sql} IS NULL AND {b.sql} IS NULL)")
        return Condition(sql=sql, true=frozenset({one.name for one in open_ones}))

    def _within(self, left: ast.expr, right: ast.expr, known: frozenset[str]) -> Condition:
        right = self._resolved(right)
        if isinstance(right, ast.Tuple | ast.List | ast.Set) and right.elts:
            each = [self._equal(left, one, known) for one in right.elts]
            true = frozenset.intersection(*(one.true for one in each))
            return Condition(sql=" OR ".join(f"({one.sql})" for one in each), true=true)
        part, text = self.value(left, known), self.value(right, known)
        if part.kind != "text" or text.kind != "text":
            raise NotCompiled("`in` is compiled for a list of literals, and for one text in another")
        return Condition(sql=self.exact.contains(text.sql, part.sql))

    def _method(self, node: ast.Call, known: frozenset[str]) -> Condition:
        assert isinstance(node.func, ast.Attribute)
        text, method = self.value(node.func.value, known), node.func.attr
        if text.kind != "text" or node.keywords:
            raise NotCompiled(f".{method}() is not compiled")
        if method in ("startswith", "endswith") and len(node.args) == 1:
            parts = self._resolved(node.args[0])
            each = [self._edge(text, method, one) for one in (parts.elts if isinstance(parts, ast.Tuple) else [parts])]
            return Condition(sql=" OR ".join(f"({one})" for one in each) or "1 = 0")
        if node.args:
            raise NotCompiled(f".{method}() with arguments is not compiled")
        some = f"{self.exact.length(text.sql)} > 0"
        if method == "isascii":
            sql = f"{self.exact.octets(text.sql)} = {self.exact.length(text.sql)}"
            return Condition(sql=sql, true=frozenset({f"{ASCII}{text.name}"} if text.name else ()))
        self._need_ascii(text, method, known)
        if letters := LETTERS.get(method):
            return Condition(sql=f"{some} AND NOT ({self.exact.other_than(text.sql, letters)})")
        if method in ("isupper", "islower"):
            other, same = ("a-z", self.exact.lowered) if method == "isupper" else ("A-Z", self.exact.raised)
            cased = f"NOT ({self.exact.text(same(text.sql))} = {self.exact.text(text.sql)})"
            return Condition(sql=f"{cased} AND NOT ({self._has(text.sql, other)})")
        raise NotCompiled(f".{method}() is not compiled")

    def _has(self, text: str, letters: str) -> str:
        """It holds one of them: the other direction of case changes it."""
        changed = self.exact.raised(text) if letters == "a-z" else self.exact.lowered(text)
        return f"NOT ({self.exact.text(changed)} = {self.exact.text(text)})"

    def _edge(self, text: Value, method: str, part: ast.expr) -> str:
        if not (isinstance(part, ast.Constant) and isinstance(part.value, str)):
            raise NotCompiled(f".{method}() is compiled for literals alone")
        if not part.value:
            return "1 = 1"
        cut = (self.exact.left if method == "startswith" else self.exact.right)(text.sql, len(part.value))
        return f"{self.exact.text(cut)} = {self.exact.text(self._text(part.value))}"

    # values

    def value(self, node: ast.expr, known: frozenset[str], *, may_be_none: bool = False) -> Value:
        node = self._resolved(node)
        match node:
            case ast.Name():
                found = self._parameter(node)
                open_one = found.nullable and found.name not in known
                if open_one and not may_be_none:
                    raise NotCompiled(f"`{found.name}` may be None here: ask `{found.name} is not None and ...` first")
                return Value(sql=found.sql, kind=found.kind, name=found.name, nullable=open_one)
            case ast.Constant():
                return self._constant(node.value)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                inner = self._integer(operand, known)
                return self._number(f"(-{self.exact.number(inner.sql)})")
            case ast.BinOp():
                return self._arithmetic(node, known)
            case ast.Call():
                return self._call(node, known)
            case _:
                raise NotCompiled(f"`{ast.unparse(node)}` is not compiled")

    def _arithmetic(self, node: ast.BinOp, known: frozenset[str]) -> Value:
        a = self._integer(node.left, known)
        if sign := ARITHMETIC.get(type(node.op)):
            b = self._integer(node.right, known)
            return self._number(f"({self.exact.number(a.sql)} {sign} {self.exact.number(b.sql)})")
        divisor = self._resolved(node.right)
        if (
            not isinstance(node.op, ast.FloorDiv | ast.Mod)
            or not isinstance(divisor, ast.Constant)
            or not isinstance(divisor.value, int)
        ):
            raise NotCompiled(f"`{ast.unparse(node)}`: of divisions, `//` and `%` by a positive literal are compiled")
        by = int(divisor.value)
        if not 0 < by <= LARGEST // 2:
            raise NotCompiled("a division by a literal that is not positive, or very large")
        operand = self.exact.number(a.sql)
        rest = f"((({operand}) % {by} + {by}) % {by})"
        if isinstance(node.op, ast.Mod):
            return Value(sql=rest, kind="integer")
        whole = self._number(f"({operand} - {rest})")
        return Value(sql=f"({self.exact.whole_quotient(whole.sql, by)})", kind="integer")

    def _number(self, sql: str) -> Value:
        self.numbers.append(sql)
        return Value(sql=sql, kind="integer")

    def _call(self, node: ast.Call, known: frozenset[str]) -> Value:
        if node.keywords:
            raise NotCompiled(f"`{ast.unparse(node)}` is not compiled")
        match node:
            case ast.Call(func=ast.Name(id="len"), args=[argument]):
                text = self.value(argument, known)
                if text.kind != "text":
                    raise NotCompiled("len() of what is no text")
                return Value(sql=self.exact.length(text.sql), kind="integer")
            case ast.Call(func=ast.Name(id="abs"), args=[argument]):
                inner = self._integer(argument, known)
                operand = self.exact.number(inner.sql)
                return self._number(f"(CASE WHEN {operand} < 0 THEN -{operand} ELSE {operand} END)")
            case ast.Call(func=ast.Name(id="min" | "max" as which), args=[_, _, *_]):
                each = [self._integer(one, known) for one in node.args]
                return self._extreme(which, each)
            case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str() as text)]) if (
                name == DECIMAL and self.source.decimal
            ):
                return _decimal(text)
            case ast.Call(func=ast.Attribute(value=inside, attr="lower" | "upper" as method), args=[]):
                text_value = self.value(inside, known)
                self._need_ascii(text_value, method, known)
                return Value(sql=(self.exact.lowered if method == "lower" else self.exact.raised)(text_value.sql), kind="text")
            case _:
                raise NotCompiled(f"`{ast.unparse(node)}` is not compiled")

    def _extreme(self, which: str, each: Sequence[Value]) -> Value:
        sql = each[0].sql
        for one in each[1:]:
            sql = f"CASE WHEN {one.sql} {'<' if which == 'min' else '>'} {sql} THEN {one.sql} ELSE {sql} END"
        return Value(sql=f"({sql})", kind="integer")

    def _integer(self, node: ast.expr, known: frozenset[str]) -> Value:
        found = self.value(node, known)
        if found.kind != "integer":
            raise NotCompiled(f"arithmetic with `{ast.unparse(node)}`: only whole numbers are compiled")
        return found

    def _need_ascii(self, text: Value, method: str, known: frozenset[str]) -> None:
        if text.kind != "text" or not text.name or f"{ASCII}{text.name}" not in known:
            name = text.name or "x"
            raise NotCompiled(f".{method}() knows letters of every script: write `{name}.isascii() and {name}.{method}()`")

    def _parameter(self, node: ast.Name) -> Value:
        found = self.parameters.get(node.id)
        if found is None:
            raise NotCompiled(f"`{node.id}` is neither a parameter nor a literal that the module holds once")
        if not found.kind:
            raise NotCompiled(f"the column of `{node.id}` has a type that SQL and Python compare differently")
        return found

    def _resolved(self, node: ast.expr) -> ast.expr:
        """A name of the module stands for its literal."""
        return self.source.constants.get(node.id, node) if isinstance(node, ast.Name) else node

    def _constant(self, value: object) -> Value:
        match value:
            case bool():
                return Value(sql=self.dialect.literal(value), kind="boolean")
            case int() if abs(value) <= LARGEST:
                return Value(sql=str(value), kind="integer")
            case str() if "\x00" not in value:
                return Value(sql=self._text(value), kind="text")
            case _:
                raise NotCompiled(
                    f"the literal {value!r} is not compiled" + (": write Decimal('...')" if isinstance(value, float) else "")
                )

    def _text(self, text: str) -> str:
        return self.dialect.quote_text(text)

    def _side(self, value: Value) -> str:
        return self.exact.text(value.sql) if value.kind == "text" else value.sql


def _common(a: Value, b: Value) -> Kind:
    """The kind of both. Python never takes a text for a number, and SQL sometimes does."""
    if a.kind == b.kind:
        return a.kind
    if {a.kind, b.kind} == {"integer", "decimal"}:
        return "decimal"
    raise NotCompiled(f"a {a.kind} is compared with a {b.kind}")


def _decimal(text: str) -> Value:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise NotCompiled(f"Decimal({text!r}) is no number") from error
    if not number.is_finite() or abs(number.adjusted()) > 30 or len(number.as_tuple().digits) > 30:
        raise NotCompiled(f"Decimal({text!r}) is not compiled")
    return Value(sql=f"{number:f}", kind="decimal")
