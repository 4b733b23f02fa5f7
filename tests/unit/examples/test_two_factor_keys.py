"""The key module of the two-factor example: what it seals can be opened by the right key for the right user, and by nobody else."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
FILES = sorted(EXAMPLES.glob("two_factor/*/enhanced/two_factor_keys.py"))
KEY, OTHER = bytes(range(32)), bytes(range(1, 33))


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("two_factor_keys_of_example", FILES[0])
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    monkeypatch.setenv("TWO_FACTOR_KEY", KEY.hex())
    return module


def test_all_databases_have_the_same_module() -> None:
    assert len(FILES) == 4
    assert len({file.read_text() for file in FILES}) == 1


@pytest.mark.parametrize("plain", [b"", b"JBSWY3DPEHPK3PXP", b"x" * 31, b"x" * 32, b"x" * 33, bytes(range(256)) * 3])
def test_round_trip(keys: ModuleType, plain: bytes) -> None:
    sealed = keys.seal(KEY, plain, bound_to="7")
    assert keys.open_sealed(KEY, sealed, bound_to="7") == plain
    assert not plain or plain not in sealed


def test_two_seals_of_one_secret_differ(keys: ModuleType) -> None:
    assert keys.seal(KEY, b"seed", bound_to="7") != keys.seal(KEY, b"seed", bound_to="7")


def test_another_user_another_key_and_a_changed_byte_are_refused(keys: ModuleType) -> None:
    sealed = keys.seal(KEY, b"seed", bound_to="7")
    with pytest.raises(ValueError, match="changed"):
        keys.open_sealed(KEY, sealed, bound_to="8")
    with pytest.raises(ValueError, match="changed"):
        keys.open_sealed(OTHER, sealed, bound_to="7")
    for place in range(len(sealed)):
        broken = bytearray(sealed)
        broken[place] ^= 1
        with pytest.raises(ValueError, match="changed"):
            keys.open_sealed(KEY, bytes(broken), bound_to="7")


def test_the_backfill_function_answers_in_order_with_ciphertext_and_key_id(keys: ModuleType) -> None:
    rows = [{"id": number, "totp_seed": f"SEED{number}"} for number in (3, 1, 2)]
    answers = keys.encrypt(rows)
    opened = [
        keys.open_sealed(KEY, one["two_factor_ciphertext"], bound_to=str(row["id"]))
        for row, one in zip(rows, answers, strict=True)
    ]
    assert opened == [b"SEED3", b"SEED1", b"SEED2"]
    assert {one["two_factor_key_id"] for one in answers} == {keys.master_key()[1]}


def test_the_key_id_names_the_key_and_tells_nothing_of_it(keys: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    key, name = keys.master_key()
    monkeypatch.setenv("TWO_FACTOR_KEY", OTHER.hex())
    assert keys.master_key()[1] != name
    assert key.hex()[:8] not in name


@pytest.mark.parametrize("value", ["", "abc", "00" * 31])
def test_a_missing_or_short_key_stops_the_backfill(keys: ModuleType, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("TWO_FACTOR_KEY", value)
    with pytest.raises(RuntimeError, match="64 hexadecimal digits"):
        keys.encrypt([{"id": 1, "totp_seed": "x"}])
