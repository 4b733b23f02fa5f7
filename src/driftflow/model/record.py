"""The base record, its canonical encoding, and its content hash. The only file that knows the serialiser.

A record is frozen and keyword-only. Collections are tuples or string-keyed mappings, never sets, and are never mutated.
Digests cover a deterministic encoding (sorted keys), so equal records have equal digests on every machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar, dataclass_transform

import msgspec
from msgspec import UNSET, UnsetType, field
from msgspec.structs import force_setattr, replace

__all__ = [
    "UNSET",
    "DecodeError",
    "LocalState",
    "LocalValue",
    "Record",
    "UnsetType",
    "decode",
    "decode_binary",
    "digest",
    "document",
    "encode",
    "encode_binary",
    "field",
    "pretty",
    "replace",
    "schema_of",
    "to_builtins",
    "with_empty_fields",
]

R = TypeVar("R")

DecodeError = msgspec.MsgspecError
"""Raised by `decode` when bytes are not what the type says."""


class _RecordKind(msgspec.StructMeta):
    """Makes the classes. One with a default that an equal value may stand for looks at its values when it is made; the others, most of what a
    release is made of, are made without a call of ours."""

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any) -> _RecordKind:
        values = [namespace[key] for key in namespace.get("__annotations__", ()) if key in namespace]
        if any(_met_by_value(getattr(value, "default", value)) for value in values):
            namespace = {"__post_init__": _put_defaults, **namespace}
        return super().__new__(mcs, name, bases, namespace, **options)


def _met_by_value(default: object) -> bool:
    """Whether an equal value may be another object: texts, records, tuples and large numbers."""
    if isinstance(default, bool) or default in ("", ()):
        return False
    if isinstance(default, int):
        return default is not int(str(default))  # there is one object for each small number
    return isinstance(default, str | float | tuple | msgspec.Struct)


def _put_defaults(record: Record) -> None:
    """Make a value that equals its field's default be that very object: msgspec omits a default by identity, not by equality, so without this
    two equal records could have different digests."""
    kind = type(record)
    for name, default in _BY_VALUE.get(kind) or _defaults_by_value(kind):
        value = getattr(record, name)
        if value is not default and type(value) is type(default) and value == default:
            force_setattr(record, name, default)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
class Record(msgspec.Struct, metaclass=_RecordKind, frozen=True, kw_only=True, omit_defaults=True):
    """The base of every noun in `model`. Each subclass states `frozen=True, kw_only=True` itself: msgspec does not inherit it."""


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class LocalValue(msgspec.Struct, frozen=True):
    """The base of a value of any types that never leaves the process. Each subclass states `frozen=True` itself. To make such a class takes a tenth of
    what a dataclass takes, of which a lint of one file imported thirty: a seventh of its time."""


@dataclass_transform(field_specifiers=(field,))
class LocalState(msgspec.Struct):
    """The same for what changes."""


_BY_VALUE: dict[type, tuple[tuple[str, Any], ...]] = {}


def _defaults_by_value(kind: type[Record]) -> tuple[tuple[str, Any], ...]:
    """Fields whose default may be met by an equal value that is another object; looked up once for each class."""
    defaults = kind.__struct_defaults__
    names = kind.__struct_fields__[len(kind.__struct_fields__) - len(defaults) :]
    found = tuple((name, default) for name, default in zip(names, defaults, strict=True) if _met_by_value(default))
    _BY_VALUE[kind] = found
    return found


def encode(record: object) -> bytes:
    """Canonical JSON: sorted keys, no white space, UTF-8."""
    return msgspec.json.encode(record, order="deterministic", enc_hook=_plain)


def pretty(record: object) -> str:
    """The same, indented by two, for files that people read and diff. Ends with a newline."""
    return msgspec.json.format(encode(record), indent=2).decode() + "\n"


LONG = 5_000
"""Elements of one list from which nobody reads a document by eye."""


def document(value: object) -> Iterator[str]:
    """The outermost record with every field, piece by piece: indented, or where it holds a long list with each element of a list on a line of
    its own, which tools that look at lines still like, and which takes a fifth of the time and half of the room."""
    fields = value.__struct_fields__ if isinstance(value, msgspec.Struct) else ()
    if not any(isinstance(items := getattr(value, name), tuple) and len(items) > LONG for name in fields):
        yield pretty(with_empty_fields(value))
        return
    encoder = msgspec.json.Encoder(order="deterministic", enc_hook=_plain)
    for number, name in enumerate(sorted(fields)):
        items = getattr(value, name)
        yield f'{"," if number else "{"}\n"{name}": '
        if not isinstance(items, tuple) or not items:
            yield encoder.encode(items).decode()
            continue
        for begin in range(0, len(items), 1_000):
            lines = b",\n".join([encoder.encode(item) for item in items[begin : begin + 1_000]])
            yield ("," if begin else "[") + "\n" + lines.decode()
        yield "\n]"
    yield "\n}\n"


def decode(data: bytes | str, kind: type[R]) -> R:
    """The record of type `kind` in `data` (JSON). Raises `DecodeError` naming the path of what is wrong."""
    try:
        return msgspec.json.decode(data, type=kind)
    except RecursionError:
        raise msgspec.DecodeError("it is nested too deeply") from None


def encode_binary(record: object) -> bytes:
    """For this program's own processes, which read it again with `decode_binary`: compact, fast, and of no version."""
    return msgspec.msgpack.encode(record, enc_hook=_plain)


def decode_binary(data: bytes, kind: type[R]) -> R:
    """What `encode_binary` was given. Raises `DecodeError`."""
    return msgspec.msgpack.decode(data, type=kind)


def to_builtins(record: object) -> Any:
    """The record as dicts, lists and scalars."""
    return msgspec.to_builtins(record, order="deterministic", enc_hook=_plain)


def _plain(value: object) -> Any:
    """Mappings of our own are written as any other."""
    if isinstance(value, Mapping):
        return dict(value)
    raise NotImplementedError(f"{type(value).__name__} cannot be written")


def with_empty_fields(value: object) -> Any:
    """The outermost record (or each of a sequence of records) with every field, also those that have their default: for `encode` and `pretty`."""
    if isinstance(value, (tuple, list)):
        return [with_empty_fields(one) for one in value]
    if not isinstance(value, msgspec.Struct):
        return to_builtins(value)
    if value.__struct_config__.tag is not None:
        defaults = {name: to_builtins(getattr(value, name)) for name in value.__struct_fields__}
        return {**defaults, **to_builtins(value)}
    # Straight to JSON: an assessment of a large release has a million values, and a detour over builtins took as long as the checks.
    return {
        name: msgspec.Raw(msgspec.json.encode(getattr(value, name), order="sorted", enc_hook=_plain))
        for name in value.__struct_fields__
    }


def schema_of(kind: type[Record], *, title: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of what `encode` writes of a record of this kind."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **msgspec.json.schema(kind),
    }


def digest(record: object) -> str:
    """SHA-256 of the canonical encoding, hexadecimal."""
    return hashlib.sha256(encode(record)).hexdigest()


def convert(value: object, kind: type[R], *, hook: Callable[[type, Any], Any] | None = None) -> R:
    """`value` (builtins, as TOML or JSON gave it) as a record. Raises `DecodeError`."""
    return msgspec.convert(value, kind, dec_hook=hook)
