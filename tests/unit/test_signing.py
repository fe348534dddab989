"""Signatures: against the standard's published example, against OpenSSL, and against forgers."""

from __future__ import annotations

import shutil
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import gmalg
import pytest
from tests.cli import ybscan
from tests.unit.test_history_store import START, fill

from ybscan.model.problem import InputProblems
from ybscan.store.digests import Digests
from ybscan.store.history import opened
from ybscan.store.signing import (
    SM2_ID,
    Algorithm,
    Signature,
    generate,
    holds,
    load_private,
    load_public,
    message,
    sign,
)

OWN = Digests("a" * 64, "b" * 64)
ALGORITHMS: tuple[Algorithm, ...] = ("sm2", "ed25519")


def pair(folder: Path, algorithm: Algorithm) -> tuple[Path, Path]:
    private, public = generate(algorithm)
    (folder / "private.pem").write_bytes(private)
    (folder / "public.pem").write_bytes(public)
    return folder / "private.pem", folder / "public.pem"


def test_published_example_of_sm2() -> None:
    """GM/T 0003.5-2012, digital signature on the recommended curve."""
    point = bytes.fromhex(
        "0409F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
        "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
    )
    r = bytes.fromhex("F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3")
    s = bytes.fromhex("B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA")
    assert gmalg.SM2(uid=SM2_ID, pk=point).verify(b"message digest", r, s)
    assert not gmalg.SM2(uid=SM2_ID, pk=point).verify(b"message digest.", r, s)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_signature_holds_for_what_was_signed_alone(tmp_path: Path, algorithm: Algorithm) -> None:
    private, public = pair(tmp_path, algorithm)
    made = sign(load_private(private), 7, OWN)
    key = load_public(public)
    assert holds(key, made, OWN)
    assert made.key == key.name
    assert not holds(key, made, Digests("a" * 64, "c" * 64))
    assert not holds(key, Signature(8, made.algorithm, made.key, made.value), OWN)
    for at in range(len(made.value)):
        changed = bytearray(made.value)
        changed[at] ^= 1
        assert not holds(key, Signature(7, made.algorithm, made.key, bytes(changed)), OWN), at
    (tmp_path / "other").mkdir()
    other = load_public(pair(tmp_path / "other", algorithm)[1])
    assert not holds(other, made, OWN)


def _openssl(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    return subprocess.run(["openssl", *arguments], capture_output=True, check=False, timeout=30)


def test_openssl_verifies_what_we_signed(tmp_path: Path) -> None:
    private, public = pair(tmp_path, "sm2")
    (tmp_path / "signature").write_bytes(sign(load_private(private), 7, OWN).value)
    (tmp_path / "message").write_bytes(message(7, OWN))
    verify = (
        "pkeyutl", "-verify", "-pubin", "-inkey", str(public), "-rawin", "-digest", "sm3", "-pkeyopt",
        f"distid:{SM2_ID.decode()}", "-in", str(tmp_path / "message"), "-sigfile", str(tmp_path / "signature"),
    )  # fmt: skip
    assert b"Verified Successfully" in _openssl(*verify).stdout
    (tmp_path / "message").write_bytes(message(8, OWN))
    assert b"Verified Successfully" not in _openssl(*verify).stdout


@pytest.mark.parametrize(
    "making",
    [("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:SM2"), ("-algorithm", "ED25519")],
    ids=["sm2", "ed25519"],
)
def test_keys_made_by_openssl_serve(tmp_path: Path, making: tuple[str, ...]) -> None:
    private, public = tmp_path / "private.pem", tmp_path / "public.pem"
    assert _openssl("genpkey", *making, "-out", str(private)).returncode == 0
    assert _openssl("pkey", "-in", str(private), "-pubout", "-out", str(public)).returncode == 0
    assert holds(load_public(public), sign(load_private(private), 7, OWN), OWN)


@pytest.mark.parametrize(
    "content",
    [b"", b"not a key", b"-----BEGIN PRIVATE KEY-----\n!!!\n-----END PRIVATE KEY-----\n",
     b"-----BEGIN PRIVATE KEY-----\nMAAC\n-----END PRIVATE KEY-----\n", b"\xff" * 100_000],
)  # fmt: skip
def test_what_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    for load in (load_private, load_public):
        with pytest.raises(InputProblems):
            load(path)
    with pytest.raises(InputProblems):
        load_private(tmp_path / "missing.pem")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_from_keygen_to_the_inspector(tmp_path: Path, algorithm: Algorithm) -> None:
    fill(tmp_path / "kept", 3)
    made = ybscan("history", "keygen", "-o", "keys", "--algorithm", algorithm, cwd=tmp_path)
    assert made.returncode == 0, made.stderr.decode()
    assert (tmp_path / "keys" / "ybscan-private.pem").stat().st_mode & 0o077 == 0
    key = ("--key", "keys/ybscan-public.pem")
    assert ybscan("history", "verify", "--state", "kept", *key, cwd=tmp_path).returncode == 1
    signed = ybscan("history", "sign", "--state", "kept", "--key", "keys/ybscan-private.pem", cwd=tmp_path)
    assert signed.returncode == 0, signed.stderr.decode()
    assert ybscan("history", "export", "--state", "kept", "-o", "out", cwd=tmp_path).returncode == 0
    for where in (("--state", "kept"), ("--export", "out")):
        verified = ybscan("history", "verify", *where, *key, cwd=tmp_path)
        assert verified.returncode == 0, verified.stderr.decode()
        assert "覆盖第 1 至 3 号记录。" in verified.stderr.decode()
    # Whoever rewrites everything, digests and heads included, still cannot sign.
    shutil.rmtree(tmp_path / "kept")
    with opened(tmp_path / "kept", create=True) as history:
        for n in range(3):
            now = datetime.fromisoformat(START.isoformat()) + timedelta(weeks=n)
            history.append("ledger", lambda _: {"forged": True}, at=now, now=now)
        assert history.verify() == []
    forged = ybscan("history", "verify", "--state", "kept", *key, cwd=tmp_path)
    assert forged.returncode == 1
    assert "没有用这把密钥做的签名" in forged.stderr.decode()


def test_files_of_the_first_version_are_brought_up_to_date(tmp_path: Path) -> None:
    """A file as version 1 wrote it: no table of signatures."""
    import sqlite3

    from ybscan.store.history import FILE
    from ybscan.store.schema import VERSION

    made = fill(tmp_path, 2)
    db = sqlite3.connect(tmp_path / FILE)
    db.execute("DROP TABLE signature")
    db.execute("PRAGMA user_version = 1")
    db.commit()
    db.close()
    with opened(tmp_path) as history:
        assert history.headers() == made
        assert history.verify() == []
        assert history.signatures() == []
    db = sqlite3.connect(tmp_path / FILE)
    assert db.execute("PRAGMA user_version").fetchone()[0] == VERSION
    db.close()
