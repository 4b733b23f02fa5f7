"""Two-factor sign-in after the migration, through the sample application: enrol, confirm, sign in with a code, recover; then the rollout by cohort."""

from __future__ import annotations

import base64
import importlib.util
from contextlib import closing
from pathlib import Path
from types import ModuleType

import pytest
from example_runs import Shop, give_key, open_shop

from driftflow.engine.ports import DatabaseFault
from driftflow.model.plan import Backfill, Irreversible
from driftflow.model.record import replace

NOON = 1_800_000_000


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{path.stem}", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def sqlite_shop(sqlite_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    give_key(monkeypatch)
    return open_shop(f"sqlite:///{sqlite_file}", tmp_path, mirror=False)


@pytest.fixture
def postgresql_shop(postgresql_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    give_key(monkeypatch)
    return open_shop(postgresql_url, tmp_path, mirror=False)


def flow(shop: Shop) -> None:
    assert shop.apply(shop.plan("two_factor")).state == "done"
    app = load(shop.root / "examples" / "app" / "sign_in.py")
    keys = load(shop.root / "examples" / "two_factor" / shop.connector.dialect / "enhanced" / "two_factor_keys.py")
    key, key_id = keys.master_key()
    opener = {"key": key, "open_sealed": keys.open_sealed}
    with closing(shop.connector.connect("test")) as connection:
        pilot, seed = connection.query("SELECT id, totp_seed FROM users WHERE totp_seed IS NOT NULL ORDER BY id LIMIT 1")[0]
        sealed = connection.query("SELECT two_factor_ciphertext FROM users WHERE id = %s", (pilot,))[0][0]
        assert keys.open_sealed(key, bytes(sealed), bound_to=str(pilot)).decode() == seed, (
            "the pilot's seed survived its encryption"
        )

        user = 7
        shown = app.enrol(connection, user=user, key=key, key_id=key_id, seal=keys.seal)
        assert app.sign_in(connection, user=user, code="", moment=NOON, **opener), "not switched on: no code is asked for"
        assert not app.confirm(connection, user=user, code="000000x", moment=NOON, **opener)
        right = app.code_at(base64.b32decode(shown), NOON)
        assert app.confirm(connection, user=user, code=right, moment=NOON, **opener)
        assert app.sign_in(connection, user=user, code=right, moment=NOON + 30, **opener), "one step of drift is allowed"
        assert not app.sign_in(connection, user=user, code=right, moment=NOON + 300, **opener)
        assert not app.sign_in(connection, user=user, code="", moment=NOON, **opener)

        app.recover(connection, user=user)
        assert app.sign_in(connection, user=user, code="", moment=NOON, **opener)
        with pytest.raises(DatabaseFault, match=r"(?i)check"):
            connection.execute("UPDATE users SET two_factor_enabled = %s WHERE id = %s", (True, user))


def test_flow_on_sqlite(sqlite_shop: Shop) -> None:
    flow(sqlite_shop)


def test_flow_on_postgresql(postgresql_shop: Shop) -> None:
    flow(postgresql_shop)


def rollout(shop: Shop) -> None:
    """A tenth of those who enrolled, in chunks; nobody else; and the same people again when it is repeated."""
    assert shop.apply(shop.plan("two_factor")).state == "done"
    on = "SELECT count(*) FROM users WHERE two_factor_enabled"
    assert shop.scalar(on) == 0
    plan = shop.plan("two_factor", "rollout")
    assert any(isinstance(step, Backfill) for step in plan.steps)
    names = tuple(step.undo.name for step in plan.steps if isinstance(step.undo, Irreversible))
    assert shop.apply(replace(plan, accepted=names)).state == "done"
    enrolled, switched = shop.scalar("SELECT count(*) FROM users WHERE two_factor_ciphertext IS NOT NULL"), shop.scalar(on)
    assert isinstance(enrolled, int) and isinstance(switched, int)
    assert 0 < switched < enrolled / 4
    assert shop.scalar(f"{on} AND two_factor_ciphertext IS NULL") == 0


def test_rollout_on_sqlite(sqlite_shop: Shop) -> None:
    rollout(sqlite_shop)


def test_rollout_on_postgresql(postgresql_shop: Shop) -> None:
    rollout(postgresql_shop)


def test_the_codes_are_those_of_the_standard() -> None:
    """RFC 6238, appendix B (SHA-1), the last six digits."""
    app = load(Path(__file__).resolve().parents[2] / "examples" / "app" / "sign_in.py")
    seed = b"12345678901234567890"
    wanted = {59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037"}
    assert {moment: app.code_at(seed, moment) for moment in wanted} == wanted
