"""Authenticode signatures: whether the file is as it was signed and whom the certificate names. From the disk alone.

Revocation is not looked up and nothing is fetched (WTD_REVOKE_NONE, WTD_CACHE_ONLY_URL_RETRIEVAL): a terminal of this
network has no Internet, and a look-up would be a packet. A chain that ends in a root this system does not know
therefore stays open: the root may only not have been delivered yet.

Sources: wintrust.h, softpub.h, mscat.h, wincrypt.h of the Windows SDK.
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

import ctypes  # noqa: E402
import os  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from contextlib import contextmanager, suppress  # noqa: E402
from typing import ClassVar  # noqa: E402

from ybscan.hosts.common.errors import from_error  # noqa: E402
from ybscan.hosts.common.opening import open_read  # noqa: E402
from ybscan.hosts.groups.security import Signature  # noqa: E402
from ybscan.hosts.windows.codes import NotReadError  # noqa: E402
from ybscan.hosts.windows.live.devnodes import Guid  # noqa: E402
from ybscan.hosts.windows.live.dll import function, last_error  # noqa: E402
from ybscan.hosts.windows.memory import fixed_wide  # noqa: E402
from ybscan.model.reading import Known, Reading  # noqa: E402

_GENERIC_VERIFY_V2 = "{00aac56b-cd44-11d0-8cc2-00c04fc295ee}"
_UI_NONE, _REVOKE_NONE = 2, 0
_CHOICE_FILE, _CHOICE_CATALOG = 1, 2
_VERIFY, _CLOSE = 1, 2
#: WTD_REVOCATION_CHECK_NONE | WTD_CACHE_ONLY_URL_RETRIEVAL
_OFFLINE = 0x10 | 0x1000

#: TRUST_E_NOSIGNATURE, …_PROVIDER_UNKNOWN, …_SUBJECT_FORM_UNKNOWN: there is none in the file itself.
_NO_SIGNATURE = frozenset({0x800B0100, 0x800B0001, 0x800B0003})
#: TRUST_E_BAD_DIGEST, CERT_E_EXPIRED, CERT_E_REVOKED, TRUST_E_EXPLICIT_DISTRUST, TRUST_E_SUBJECT_NOT_TRUSTED,
#: CRYPT_E_HASH_VALUE, NTE_BAD_SIGNATURE, TRUST_E_CERT_SIGNATURE.
_INVALID = frozenset({0x80096010, 0x800B0101, 0x800B010C, 0x800B0111, 0x800B0004, 0x80091007, 0x80090006, 0x80096004})

_OBJECT_FILE, _SIGNED, _SIGNED_EMBED, _BINARY = 1, 1 << 8, 1 << 10, 1 << 1
_ENCODING = 0x10001
_SIGNER_CERT_INFO, _FIND_SUBJECT_CERT, _NAME_ATTRIBUTE = 7, 0xB0000, 3
_COMMON_NAME = b"2.5.4.3"
_MAX_PATH = 260


class _FileInfo(ctypes.Structure):
    """WINTRUST_FILE_INFO."""

    _fields_: ClassVar = [
        ("size", ctypes.c_uint32), ("path", ctypes.c_wchar_p), ("file", ctypes.c_void_p), ("subject", ctypes.c_void_p),
    ]  # fmt: skip


class _CatalogInfo(ctypes.Structure):
    """WINTRUST_CATALOG_INFO."""

    _fields_: ClassVar = [
        ("size", ctypes.c_uint32), ("version", ctypes.c_uint32), ("catalog", ctypes.c_wchar_p),
        ("tag", ctypes.c_wchar_p), ("path", ctypes.c_wchar_p), ("file", ctypes.c_void_p), ("hash", ctypes.c_void_p),
        ("hash_size", ctypes.c_uint32), ("context", ctypes.c_void_p), ("admin", ctypes.c_void_p),
    ]  # fmt: skip


class _TrustData(ctypes.Structure):
    """WINTRUST_DATA with pSignatureSettings, as of Windows 8."""

    _fields_: ClassVar = [
        ("size", ctypes.c_uint32), ("policy", ctypes.c_void_p), ("sip", ctypes.c_void_p), ("ui", ctypes.c_uint32),
        ("revocation", ctypes.c_uint32), ("choice", ctypes.c_uint32), ("subject", ctypes.c_void_p),
        ("action", ctypes.c_uint32), ("state", ctypes.c_void_p), ("url", ctypes.c_wchar_p),
        ("flags", ctypes.c_uint32), ("context", ctypes.c_uint32), ("settings", ctypes.c_void_p),
    ]  # fmt: skip


class _CatalogName(ctypes.Structure):
    """CATALOG_INFO."""

    _fields_: ClassVar = [("size", ctypes.c_uint32), ("path", ctypes.c_uint16 * _MAX_PATH)]


def signature(path: str) -> Reading[Signature]:
    """The signature in the file, else that of the catalogue which lists it.

    Raises:
        NotReadError: the system refuses.
    """
    try:
        os.close(open_read(path))
    except OSError as e:
        return from_error(e, path)
    result = _trusted(_CHOICE_FILE, _FileInfo(ctypes.sizeof(_FileInfo), path, None, None))
    if result not in _NO_SIGNATURE:
        return Known(Signature(_signer(path, _SIGNED_EMBED), verdict(result)), path)
    listed = _in_catalogue(path)
    if listed is not None:
        return Known(listed, path)
    return Known(Signature("", None), path)


def verdict(result: int) -> bool | None:
    """What an answer of WinVerifyTrust means; None for what cannot be settled offline."""
    if result == 0:
        return True
    return False if result in _INVALID else None


def _trusted(choice: int, subject: ctypes.Structure) -> int:
    """The unsigned result of WinVerifyTrust."""
    call = function(
        "wintrust", "WinVerifyTrust", ctypes.c_int32, ctypes.c_void_p, ctypes.POINTER(Guid), ctypes.POINTER(_TrustData)
    )
    data = _TrustData(
        size=ctypes.sizeof(_TrustData), ui=_UI_NONE, revocation=_REVOKE_NONE, choice=choice,
        subject=ctypes.addressof(subject), action=_VERIFY, flags=_OFFLINE,
    )  # fmt: skip
    action = Guid.of(_GENERIC_VERIFY_V2)
    # INVALID_HANDLE_VALUE as the window: no dialogue, even where one is a default.
    result = call(ctypes.c_void_p(-1), ctypes.byref(action), ctypes.byref(data))
    data.action = _CLOSE
    call(ctypes.c_void_p(-1), ctypes.byref(action), ctypes.byref(data))
    return int(result) & 0xFFFFFFFF


def _signer(path: str, content: int) -> str:
    """The common name in the certificate that signed the file; empty where it cannot be told."""
    with suppress(NotReadError), _message(path, content) as (store, message):
        return _signer_name(store, message)
    return ""


@contextmanager
def _message(path: str, content: int) -> Iterator[tuple[ctypes.c_void_p, ctypes.c_void_p]]:
    """The certificate store and the signed message in a file."""
    number = ctypes.POINTER(ctypes.c_uint32)
    handle = ctypes.POINTER(ctypes.c_void_p)
    call = function(
        "crypt32", "CryptQueryObject", ctypes.c_int, ctypes.c_uint32, ctypes.c_wchar_p, ctypes.c_uint32,
        ctypes.c_uint32, ctypes.c_uint32, number, number, number, handle, handle, ctypes.c_void_p,
    )  # fmt: skip
    store, message = ctypes.c_void_p(), ctypes.c_void_p()
    if not call(
        _OBJECT_FILE, path, content, _BINARY, 0, None, None, None, ctypes.byref(store), ctypes.byref(message), None
    ):
        raise last_error("CryptQueryObject")
    try:
        yield store, message
    finally:
        function("crypt32", "CryptMsgClose", ctypes.c_int, ctypes.c_void_p)(message)
        function("crypt32", "CertCloseStore", ctypes.c_int, ctypes.c_void_p, ctypes.c_uint32)(store, 0)


def _signer_name(store: ctypes.c_void_p, message: ctypes.c_void_p) -> str:
    parameter = function(
        "crypt32", "CryptMsgGetParam", ctypes.c_int, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p,
        ctypes.POINTER(ctypes.c_uint32),
    )  # fmt: skip
    find = function(
        "crypt32", "CertFindCertificateInStore", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32,
        ctypes.c_uint32, ctypes.c_void_p, ctypes.c_void_p,
    )  # fmt: skip
    naming = function(
        "crypt32", "CertGetNameStringW", ctypes.c_uint32, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32,
        ctypes.c_char_p, ctypes.c_void_p, ctypes.c_uint32,
    )  # fmt: skip
    size = ctypes.c_uint32()
    if not parameter(message, _SIGNER_CERT_INFO, 0, None, ctypes.byref(size)) or not 0 < size.value < 1 << 20:
        raise last_error("CryptMsgGetParam")
    wanted = ctypes.create_string_buffer(size.value)
    if not parameter(message, _SIGNER_CERT_INFO, 0, wanted, ctypes.byref(size)):
        raise last_error("CryptMsgGetParam")
    certificate = find(store, _ENCODING, 0, _FIND_SUBJECT_CERT, wanted, None)
    if not certificate:
        raise last_error("CertFindCertificateInStore")
    try:
        name = ctypes.create_string_buffer(2 * 512)
        naming(certificate, _NAME_ATTRIBUTE, 0, _COMMON_NAME, name, 512)
        return fixed_wide(name.raw)
    finally:
        function("crypt32", "CertFreeCertificateContext", ctypes.c_int, ctypes.c_void_p)(certificate)


def _in_catalogue(path: str) -> Signature | None:
    """The signature of a catalogue that lists the file; None when no catalogue does."""
    for algorithm in ("SHA256", ""):
        with suppress(NotReadError), _admin(algorithm) as admin:
            digest = _member_hash(admin, path, modern=bool(algorithm))
            catalogue = _catalogue_of(admin, digest)
            if catalogue:
                held = ctypes.create_string_buffer(digest, len(digest))
                subject = _CatalogInfo(
                    size=ctypes.sizeof(_CatalogInfo), catalog=catalogue, tag=digest.hex().upper(), path=path,
                    hash=ctypes.addressof(held), hash_size=len(digest), admin=admin,
                )  # fmt: skip
                return Signature(_signer(catalogue, _SIGNED), verdict(_trusted(_CHOICE_CATALOG, subject)))
    return None


@contextmanager
def _admin(algorithm: str) -> Iterator[int]:
    """A catalogue administrator; the empty algorithm is the old function, which knows SHA-1 alone."""
    admin = ctypes.c_void_p()
    if algorithm:
        acquire = function(
            "wintrust", "CryptCATAdminAcquireContext2", ctypes.c_int, ctypes.POINTER(ctypes.c_void_p), ctypes.c_void_p,
            ctypes.c_wchar_p, ctypes.c_void_p, ctypes.c_uint32,
        )  # fmt: skip
        done = acquire(ctypes.byref(admin), None, algorithm, None, 0)
    else:
        acquire = function(
            "wintrust", "CryptCATAdminAcquireContext", ctypes.c_int, ctypes.POINTER(ctypes.c_void_p), ctypes.c_void_p,
            ctypes.c_uint32,
        )  # fmt: skip
        done = acquire(ctypes.byref(admin), None, 0)
    if not done or not admin.value:
        raise last_error("CryptCATAdminAcquireContext")
    try:
        yield admin.value
    finally:
        function("wintrust", "CryptCATAdminReleaseContext", ctypes.c_int, ctypes.c_void_p, ctypes.c_uint32)(admin, 0)


def _member_hash(admin: int, path: str, *, modern: bool) -> bytes:
    import msvcrt

    size, digest = ctypes.c_uint32(64), ctypes.create_string_buffer(64)
    with os.fdopen(open_read(path), "rb") as f:
        handle = msvcrt.get_osfhandle(f.fileno())
        if modern:
            call = function(
                "wintrust", "CryptCATAdminCalcHashFromFileHandle2", ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p,
                ctypes.POINTER(ctypes.c_uint32), ctypes.c_void_p, ctypes.c_uint32,
            )  # fmt: skip
            done = call(admin, handle, ctypes.byref(size), digest, 0)
        else:
            call = function(
                "wintrust", "CryptCATAdminCalcHashFromFileHandle", ctypes.c_int, ctypes.c_void_p,
                ctypes.POINTER(ctypes.c_uint32), ctypes.c_void_p, ctypes.c_uint32,
            )  # fmt: skip
            done = call(handle, ctypes.byref(size), digest, 0)
    if not done or size.value > 64:
        raise last_error("CryptCATAdminCalcHashFromFileHandle")
    return digest.raw[: size.value]


def _catalogue_of(admin: int, digest: bytes) -> str:
    """The path of a catalogue that lists the hash; empty when none does."""
    find = function(
        "wintrust", "CryptCATAdminEnumCatalogFromHash", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p,
        ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p,
    )  # fmt: skip
    context = find(admin, digest, len(digest), 0, None)
    if not context:
        return ""
    try:
        name = _CatalogName(size=ctypes.sizeof(_CatalogName))
        told = function(
            "wintrust", "CryptCATCatalogInfoFromContext", ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(_CatalogName),
            ctypes.c_uint32,
        )  # fmt: skip
        return fixed_wide(bytes(name.path)) if told(context, ctypes.byref(name), 0) else ""
    finally:
        function(
            "wintrust", "CryptCATAdminReleaseCatalogContext", ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p,
            ctypes.c_uint32,
        )(admin, context, 0)  # fmt: skip
