"""Signatures over the head of the history, with a key that the unit holds: SM2 (GB/T 32918.2-2016) or Ed25519 (RFC 8032).

What is signed is the canonical JSON of number and digests of a record; since every record covers the one before it, the
signature covers them all. Keys are PEM files as OpenSSL writes them (PKCS #8, SubjectPublicKeyInfo; of SM2 the named curve
1.2.156.10197.1.301 with an uncompressed point), so that others can verify with their own tools. A signature by such a key
is no reliable electronic signature in the sense of the Electronic Signature Law by itself.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ybscan.model.problem import InputProblems, Problem
from ybscan.model.result import canonical_json
from ybscan.store.digests import Digests, digests

Algorithm = Literal["sm2", "ed25519"]
#: The default distinguishing identifier of GM/T 0009-2012.
SM2_ID = b"1234567812345678"
_MAX_KEY = 64 * 1024

# The DER of keys on the SM2 curve is the same up to the numbers: RFC 5208, RFC 5915, RFC 5480.
_SM2_PRIVATE = bytes.fromhex("308187020100301306072a8648ce3d020106082a811ccf5501822d046d306b0201010420")
_SM2_MIDDLE = bytes.fromhex("a14403420004")
_SM2_PUBLIC = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004")


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature over the record ``seq`` and so over all before it. ``value`` is DER for SM2, 64 raw bytes for Ed25519."""

    seq: int
    algorithm: Algorithm
    key: str
    """SM3 of the public key's DER: tells keys apart."""
    value: bytes


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key; ``raw`` is X and Y for SM2, the 32 bytes of RFC 8032 for Ed25519."""

    algorithm: Algorithm
    raw: bytes
    der: bytes

    @property
    def name(self) -> str:
        """SM3 of the DER."""
        return digests(self.der).sm3


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A private key and its public half."""

    algorithm: Algorithm
    raw: bytes
    public: PublicKey


def message(seq: int, own: Digests) -> bytes:
    """What is signed."""
    return canonical_json({"schema": "ybscan.seal/v1", "seq": seq, "sha256": own.sha256, "sm3": own.sm3})


def generate(algorithm: Algorithm) -> tuple[bytes, bytes]:
    """A new key pair as PEM: private, public.

    Raises:
        InputProblems: the library is missing.
    """
    if algorithm == "sm2":
        secret, point = _sm2().generate_keypair()
        private = _SM2_PRIVATE + secret + _SM2_MIDDLE + point[1:]
        return _pem("PRIVATE KEY", private), _pem("PUBLIC KEY", _SM2_PUBLIC + point[1:])
    ed = _ed25519()
    from cryptography.hazmat.primitives import serialization as s

    key = ed.Ed25519PrivateKey.generate()
    return (
        key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()),
        key.public_key().public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo),
    )


def sign(key: PrivateKey, seq: int, own: Digests) -> Signature:
    """Sign the record ``seq`` with digests ``own``."""
    if key.algorithm == "sm2":
        r, s = _sm2(sk=key.raw, uid=SM2_ID, pk=b"\x04" + key.public.raw).sign(message(seq, own))
        return Signature(seq, "sm2", key.public.name, _der_pair(r, s))
    value = _ed25519().Ed25519PrivateKey.from_private_bytes(key.raw).sign(message(seq, own))
    return Signature(seq, "ed25519", key.public.name, value)


def holds(key: PublicKey, signature: Signature, own: Digests) -> bool:
    """Whether a signature is by this key and over these digests."""
    if signature.algorithm != key.algorithm:
        return False
    if key.algorithm == "sm2":
        pair = _pair(signature.value)
        if pair is None:
            return False
        try:
            return bool(_sm2(uid=SM2_ID, pk=b"\x04" + key.raw).verify(message(signature.seq, own), *pair))
        except Exception:  # a point off the curve, numbers out of range: whatever it is, it is no valid signature
            return False
    from cryptography.exceptions import InvalidSignature

    try:
        _ed25519().Ed25519PublicKey.from_public_bytes(key.raw).verify(signature.value, message(signature.seq, own))
    except InvalidSignature:
        return False
    return True


def load_private(path: Path) -> PrivateKey:
    """A private key from an unencrypted PKCS #8 PEM file.

    Raises:
        InputProblems: it is none that can be used.
    """
    der = _read(path, "PRIVATE KEY")
    if der.startswith(_SM2_PRIVATE) and len(der) == len(_SM2_PRIVATE) + 32 + len(_SM2_MIDDLE) + 64:
        secret, point = der[len(_SM2_PRIVATE) :][:32], der[-64:]
        return PrivateKey("sm2", secret, PublicKey("sm2", point, _SM2_PUBLIC + point))
    ed = _ed25519()
    from cryptography.hazmat.primitives import serialization as s

    try:
        key = s.load_der_private_key(der, None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, ed.Ed25519PrivateKey):
        raise _unusable(path, "不是 SM2 或 Ed25519 私钥（或已加密）")
    public = key.public_key().public_bytes(s.Encoding.DER, s.PublicFormat.SubjectPublicKeyInfo)
    raw = key.private_bytes(s.Encoding.Raw, s.PrivateFormat.Raw, s.NoEncryption())
    return PrivateKey("ed25519", raw, PublicKey("ed25519", public[-32:], public))


def load_public(path: Path) -> PublicKey:
    """A public key from a PEM file.

    Raises:
        InputProblems: it is none that can be used.
    """
    der = _read(path, "PUBLIC KEY")
    if der.startswith(_SM2_PUBLIC) and len(der) == len(_SM2_PUBLIC) + 64:
        return PublicKey("sm2", der[-64:], der)
    ed = _ed25519()
    from cryptography.hazmat.primitives import serialization as s

    try:
        key = s.load_der_public_key(der)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, ed.Ed25519PublicKey):
        raise _unusable(path, "不是 SM2 或 Ed25519 公钥")
    return PublicKey("ed25519", der[-32:], der)


def _read(path: Path, what: str) -> bytes:
    try:
        with path.open("rb") as f:
            text = f.read(_MAX_KEY + 1)
    except OSError as e:
        raise _unusable(path, f"无法读取密钥文件（{e.strerror or type(e).__name__}）") from None
    begin, end = f"-----BEGIN {what}-----".encode(), f"-----END {what}-----".encode()
    inside = text.partition(begin)[2].partition(end)[0] if len(text) <= _MAX_KEY and end in text else b""
    try:
        der = base64.b64decode(b"".join(inside.split()), validate=True)
    except (binascii.Error, ValueError):
        der = b""
    if not der:
        raise _unusable(path, f"其中没有 PEM 格式的 {what}")
    return der


def _unusable(path: Path, message: str) -> InputProblems:
    return InputProblems([Problem(str(path), 0, message, "请用 ybscan history keygen 或 openssl 生成密钥")])


def _pem(what: str, der: bytes) -> bytes:
    body = base64.encodebytes(der).replace(b"\n", b"")
    lines = b"\n".join(body[i : i + 64] for i in range(0, len(body), 64))
    return b"-----BEGIN %b-----\n%b\n-----END %b-----\n" % (what.encode(), lines, what.encode())


def _der_pair(r: bytes, s: bytes) -> bytes:
    parts = b"".join(_der_integer(x) for x in (r, s))
    return b"\x30" + bytes([len(parts)]) + parts


def _der_integer(raw: bytes) -> bytes:
    value = raw.lstrip(b"\0") or b"\0"
    value = b"\0" + value if value[0] & 0x80 else value
    return b"\x02" + bytes([len(value)]) + value


def _pair(der: bytes) -> tuple[bytes, bytes] | None:
    """The two numbers of an ECDSA-style signature, 32 bytes each; None when it is not the one DER there is of them."""
    try:
        length = der[3]
        first, second = der[4 : 4 + length], der[6 + length :]
        pair = first.lstrip(b"\0").rjust(32, b"\0"), second.lstrip(b"\0").rjust(32, b"\0")
        return pair if _der_pair(*pair) == der else None
    except IndexError:
        return None


def _sm2(**arguments: Any) -> Any:
    try:
        import gmalg
    except ImportError:
        raise _missing("gmalg") from None
    return gmalg.SM2(**arguments)


def _ed25519() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError:
        raise _missing("cryptography") from None
    return ed25519


def _missing(library: str) -> InputProblems:
    return InputProblems([Problem(library, 0, f"签名和验签需要 {library}", "请安装 ybscan[sign]")])
