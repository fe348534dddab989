"""gvdb files as the desktop's own tools write them, and what damage does to them."""

from __future__ import annotations

import base64
import random
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ybscan.hosts.linux.gvariant import MalformedVariant, decode_variant
from ybscan.hosts.linux.gvdb import MalformedDatabase, open_database
from ybscan.hosts.linux.usersettings import LinuxUserSettings
from ybscan.model.reading import Absent, Cause, Known, Unknown

#: Made by ``dconf compile`` of dconf 0.40 from KEYFILE, with LOCK as its lock.
SAMPLE = base64.b64decode(
    "R1ZhcmlhbnQAAAAAAAAAABgAAABsAgAAAAAAKBUAAAAAAAAAAAAAAAEAAAADAAAABAAAAAUAAAAFAAAABgAAAAYAAAAIAAAACgAAAAsAAAAO"
    "AAAADgAAAA8AAAAQAAAAEQAAABEAAAASAAAAFAAAABQAAABLUJALAQAAAGwCAAAEAEwAcAIAAHQCAADUtQIA/////3QCAAABAEwAeAIAAIAC"
    "AAC/jS5BCwAAAIACAAAEAHYAiAIAAJICAACrbytBCwAAAJICAAAEAHYAmAIAAKICAAAvHyZBCwAAAKICAAAEAHYAqAIAAKsCAAC6pkVZEQAA"
    "AKsCAAAEAHYAsAIAALkCAADJOlYaEwAAALkCAAAEAHYAwAIAAMYCAABaBtpmCwAAAMYCAAAFAHYA0AIAANwCAACPOQ17/////9wCAAAGAEgA"
    "5AIAAAgDAADmyRnVDgAAADMDAAAKAHYAQAMAAEYDAACvxoDQEwAAAEYDAAAHAHYAUAMAAFMDAAB7iocLAQAAAFMDAAACAEwAWAMAAGwDAABq"
    "qxlmCwAAAGwDAAAFAHYAeAMAAHsDAAA3aiTtEQAAAHsDAAAMAHYAiAMAAKsDAACMh91mEgAAAKsDAAAIAEwAtAMAALgDAADi11EaEwAAALgD"
    "AAAEAHYAwAMAANEDAABECh9TFAAAANEDAAAHAEwA2AMAANwDAAB1ScY0EAAAANwDAAAGAEwA5AMAAPADAAC5iP3aFAAAAPADAAAIAEwA+AMA"
    "APwDAAAEB6OBEQAAAPwDAAAFAEwABAQAABAEAACwtyQwAAAAABAEAAAGAEwAGAQAACAEAABvcmcvFAAAAC8AAAAAAAAACwAAAHJlYWwAAAAA"
    "AAAAAAAA+D8AZGxvbmcAAPv/////////AHhieXRlAAB/AHltb2RlAG1hbnVhbAAAc3BvcnQAAACQHwAAAGlwYWlycwAAAAAAYQBiAAIFAGEo"
    "c3MpLmxvY2tzAAAAAAAoAQAAAAAAAADmyRnV/////wgDAAAlAHYAMAMAADMDAAAvb3JnL2dub21lL2Rlc2t0b3Avc2Vzc2lvbi9pZGxlLWRl"
    "bGF5AAAAAABzaWRsZS1kZWxheQAAAFgCAAAAdWVuYWJsZWQAAAABAGJ4LwAAAAQAAAAMAAAAAwAAAAcAAAACAAAAZW1wdHkAAAAAAAAAAGFz"
    "aWdub3JlLWhvc3RzAGxvY2FsaG9zdAAxMjcuMC4wLjAvOADlhoXnvZEAChYdAGFzc2Vzc2lvbi8ACQAAAGhvc3QAAAAA5Luj55CGLmV4YW1w"
    "bGUAAHNzeXN0ZW0vEQAAAHByb3h5LwAAEwAAAA0AAAAFAAAAZGVza3RvcC8OAAAAaHR0cC8AAAAKAAAADwAAAAYAAABnbm9tZS8AABIAAAAQ"
    "AAAA"
)
KEYFILE = """[org/gnome/desktop/session]
idle-delay=uint32 600

[org/gnome/system/proxy]
mode='manual'
ignore-hosts=['localhost', '127.0.0.0/8', '内网']

[org/gnome/system/proxy/http]
host='代理.example'
port=8080
enabled=true

[x]
real=1.5
long=int64 -5
empty=@as []
pairs=[('a', 'b')]
byte=byte 0x7f
"""
LOCK = "/org/gnome/desktop/session/idle-delay\n"
EXPECTED: dict[str, Any] = {
    "/org/gnome/desktop/session/idle-delay": 600,
    "/org/gnome/system/proxy/mode": "manual",
    "/org/gnome/system/proxy/ignore-hosts": ["localhost", "127.0.0.0/8", "内网"],
    "/org/gnome/system/proxy/http/host": "代理.example",
    "/org/gnome/system/proxy/http/port": 8080,
    "/org/gnome/system/proxy/http/enabled": True,
    "/x/real": 1.5,
    "/x/long": -5,
    "/x/empty": [],
    "/x/byte": 127,
}
KEYS = (*EXPECTED, "/org/gnome/system/proxy/", "/none")


def settings(root: Path, data: bytes) -> LinuxUserSettings:
    (root / "db").write_bytes(data)
    return LinuxUserSettings(root=str(root))


def test_values_of_a_real_file(tmp_path: Path) -> None:
    assert settings(tmp_path, SAMPLE).dconf(path="/db", keys=KEYS) == Known(EXPECTED, "/db")


def test_only_the_keys_asked_for_are_kept(tmp_path: Path) -> None:
    key = "/org/gnome/system/proxy/mode"
    assert settings(tmp_path, SAMPLE).dconf(path="/db", keys=(key,)) == Known({key: "manual"}, "/db")


def test_locks(tmp_path: Path) -> None:
    locked = settings(tmp_path, SAMPLE).locks(path="/db", keys=KEYS)
    assert locked == Known(("/org/gnome/desktop/session/idle-delay",), "/db")


def test_a_type_nobody_expects_is_unknown(tmp_path: Path) -> None:
    reading = settings(tmp_path, SAMPLE).dconf(path="/db", keys=("/x/pairs",))
    assert isinstance(reading, Unknown)
    assert reading.cause is Cause.MALFORMED


@pytest.mark.skipif(shutil.which("dconf") is None, reason="needs the dconf command (dconf-cli)")
def test_files_of_the_machines_own_dconf(tmp_path: Path) -> None:
    (tmp_path / "k.d/locks").mkdir(parents=True)
    (tmp_path / "k.d/00").write_text(KEYFILE, encoding="utf-8")
    (tmp_path / "k.d/locks/l").write_text(LOCK)
    subprocess.run(["dconf", "compile", str(tmp_path / "db"), str(tmp_path / "k.d")], check=True)
    ours = LinuxUserSettings(root=str(tmp_path))
    assert ours.dconf(path="/db", keys=KEYS) == Known(EXPECTED, "/db")
    assert ours.locks(path="/db", keys=KEYS) == Known(("/org/gnome/desktop/session/idle-delay",), "/db")


@pytest.mark.skipif(shutil.which("glib-compile-schemas") is None, reason="needs glib-compile-schemas")
def test_defaults_of_compiled_schemas(tmp_path: Path) -> None:
    (tmp_path / "a.gschema.xml").write_text(
        """<schemalist gettext-domain="x"><enum id="e"><value nick="none" value="0"/><value nick="on" value="1"/></enum>
        <schema id="a.b" path="/a/b/"><key name="n" type="u"><default>300</default></key>
        <key name="range" type="i"><range min="0" max="9"/><default>5</default></key>
        <key name="mode" enum="e"><default>'none'</default></key>
        <key name="text" type="s"><default l10n="messages">'x'</default></key>
        <key name="list" type="as"><default>['a', 'b']</default></key>
        <key name="per-desktop" type="u"><default>1</default></key></schema></schemalist>"""
    )
    (tmp_path / "10.gschema.override").write_text("[a.b:UKUI]\nper-desktop=2\n[a.b]\nn=120\n")
    subprocess.run(["glib-compile-schemas", "--strict", str(tmp_path)], check=True)
    ours = LinuxUserSettings(root=str(tmp_path))
    path = "/gschemas.compiled"
    keys = ("n", "range", "mode", "text", "list", "none", ".path")
    assert ours.defaults(path=path, schema="a.b", keys=keys) == Known(
        {"n": 120, "range": 5, "mode": "none", "text": "x", "list": ["a", "b"], ".path": "/a/b/"}, path
    )
    assert ours.defaults(path=path, schema="a.c", keys=keys) == Absent(path)
    differs = ours.defaults(path=path, schema="a.b", keys=("per-desktop",))
    assert isinstance(differs, Unknown)
    assert differs.cause is Cause.UNAVAILABLE


def test_a_file_of_a_big_endian_machine() -> None:
    # Values have the writer's byte order, the structure has not: turn the value and the signature round.
    value = struct.pack("<I", 600) + b"\0u"
    assert SAMPLE.count(value) == 1
    turned = (b"raVGtnai" + SAMPLE[8:]).replace(value, struct.pack(">I", 600) + b"\0u")
    table = open_database(turned)
    data = table.value("/org/gnome/desktop/session/idle-delay")
    assert data is not None
    assert decode_variant(data, table.endian) == 600


def test_what_is_no_database(tmp_path: Path) -> None:
    for data in (b"", b"GVariant", SAMPLE[:23], b"GVarianT" + SAMPLE[8:], SAMPLE[:-30], "[section]\n键=值\n".encode()):
        reading = settings(tmp_path, data).dconf(path="/db", keys=KEYS)
        assert isinstance(reading, Unknown), data[:20]
        assert reading.cause is Cause.MALFORMED
    (tmp_path / "folder").mkdir()
    ours = LinuxUserSettings(root=str(tmp_path))
    assert ours.dconf(path="/none", keys=KEYS) == Absent("/none")
    assert isinstance(ours.dconf(path="/folder", keys=KEYS), Unknown)


def test_damage_never_escapes() -> None:
    """Every single byte changed in turn: a value, or malformed, but no other error and no endless loop."""
    chance = random.Random(1)  # noqa: S311
    malformed = 0
    for at in range(len(SAMPLE)):
        data = bytearray(SAMPLE)
        data[at] ^= chance.randrange(1, 256)
        try:
            table = open_database(bytes(data))
            for key in KEYS:
                value = table.value(key)
                if value is not None:
                    decode_variant(value, table.endian)
            table.table(".locks")
        except (MalformedDatabase, MalformedVariant):
            malformed += 1
    assert malformed > len(SAMPLE) // 4


@given(st.binary(max_size=200))
def test_any_bytes_as_a_variant(data: bytes) -> None:
    try:
        value = decode_variant(data, "<")
    except MalformedVariant:
        return
    assert data, "nothing is no value"
    assert value is not None or b"m" in data, "only an empty maybe is no value"


@given(st.sampled_from(["a(sv)", "(sasu)", "a{sv}", "mas", "aas", "(ysd)", "av"]), st.binary(max_size=120))
def test_any_bytes_as_a_container(kind: str, data: bytes) -> None:
    try:
        value = decode_variant(data + b"\0" + kind.encode(), "<")
    except MalformedVariant:
        return
    assert isinstance(value, {"(": tuple, "a": (list, dict)}.get(kind[0], object))


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"hello world\0\0s", "hello world"),
        (bytes([1]) + b"\0b", True),
        (b"i\0can\0has\0strings?\0\x02\x06\x0a\x13\0as", ["i", "can", "has", "strings?"]),
        (b"foo\0\xff\xff\xff\xff\x04\0(si)", ["foo", -1]),
        (b"\x04\0\0\0\x02\0\0\0\0(uy)", [4, 2]),
        (b"\x04\0\0\0\x02\0(uy)", None),
        (b"hi\0\0\xfe\xff\xff\xff\x03\0\0\0\0{si}", None),
        (b"\x02\0b", None),
        (b"a\0b\0\0s", None),
        (b"a\0s\0", None),
    ],
)
def test_examples(data: bytes, value: object) -> None:
    """Values as the specification lays them out; None stands for malformed."""
    if value is None:
        with pytest.raises(MalformedVariant):
            decode_variant(data, "<")
    else:
        assert decode_variant(data, "<") == value
