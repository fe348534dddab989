"""What Windows' functions put into buffers, read from hand-made ones: right, cut off, and out of their minds."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as s

from ybscan.hosts.windows.accountdata import local_users, password_properties, policy, user_size
from ybscan.hosts.windows.memory import MalformedBufferError, Memory
from ybscan.hosts.windows.servicestates import service_states
from ybscan.hosts.windows.sockettables import TCP4, TCP6, UDP4, UDP6, Layout, sockets

NOW = 1_795_000_000.0
FOREVER = 0xFFFFFFFF


# --- sockets ------------------------------------------------------------------------------------------------------


def port(number: int) -> bytes:
    """A port as the tables hold it: network order in the lower half, and whatever in the upper."""
    return number.to_bytes(2, "big") + b"\xaa\xbb"


def table(*rows: bytes) -> bytes:
    return struct.pack("<I", len(rows)) + b"".join(rows) + b"\xee" * 64


def tcp4(state: int, local: str, local_port: int, remote: str, remote_port: int, pid: int) -> bytes:
    return (
        struct.pack("<I", state) + IPv4Address(local).packed + port(local_port) + IPv4Address(remote).packed
        + port(remote_port) + struct.pack("<I", pid)
    )  # fmt: skip


def tcp6(state: int, local: str, local_port: int, remote: str, remote_port: int, pid: int) -> bytes:
    scope = struct.pack("<I", 7)
    return (
        IPv6Address(local).packed + scope + port(local_port) + IPv6Address(remote).packed + scope + port(remote_port)
        + struct.pack("<II", state, pid)
    )  # fmt: skip


def test_tcp_over_ipv4() -> None:
    rows = table(
        tcp4(2, "0.0.0.0", 3389, "0.0.0.0", 9, 1044),  # noqa: S104 - remote port of a listener is noise
        tcp4(5, "10.20.0.7", 49700, "10.20.0.9", 443, 2222),
        tcp4(11, "10.20.0.7", 49701, "10.20.0.9", 443, 0),
        tcp4(1, "0.0.0.0", 0, "0.0.0.0", 0, 5),  # noqa: S104
    )
    listener, talking, closing = sockets(rows, TCP4)
    assert (listener.local, listener.local_port, listener.state, listener.pid) == ("0.0.0.0", 3389, "listen", 1044)  # noqa: S104
    assert (listener.remote, listener.remote_port) == ("", 0)
    assert (talking.remote, talking.remote_port, talking.state) == ("10.20.0.9", 443, "established")
    assert (closing.state, closing.pid) == ("other", None)


def test_tcp_over_ipv6() -> None:
    rows = table(tcp6(2, "::", 445, "::", 0, 4), tcp6(5, "fe80::1", 5000, "fe80::2", 80, 9))
    listener, talking = sockets(rows, TCP6)
    assert (listener.family, listener.local, listener.local_port, listener.pid) == ("ipv6", "::", 445, 4)
    assert (talking.local, talking.remote, talking.remote_port, talking.pid) == ("fe80::1", "fe80::2", 80, 9)


def test_udp_listens_always() -> None:
    rows = table(IPv4Address("127.0.0.1").packed + port(137) + struct.pack("<I", 4))
    (one,) = sockets(rows, UDP4)
    assert (one.proto, one.local, one.local_port, one.state, one.pid) == ("udp", "127.0.0.1", 137, "listen", 4)
    rows = table(IPv6Address("::1").packed + struct.pack("<I", 0) + port(1900) + struct.pack("<I", 0))
    (one,) = sockets(rows, UDP6)
    assert (one.family, one.local, one.local_port, one.pid) == ("ipv6", "::1", 1900, None)


@pytest.mark.parametrize("layout", [TCP4, TCP6, UDP4, UDP6])
def test_a_table_shorter_than_it_says_is_no_table(layout: Layout) -> None:
    whole = struct.pack("<I", 3) + bytes(3 * layout.size)
    list(sockets(whole, layout))
    for cut in (b"", whole[:3], whole[:-1], struct.pack("<I", FOREVER) + bytes(500)):
        with pytest.raises(MalformedBufferError):
            list(sockets(cut, layout))


def test_a_socket_in_no_state_is_no_socket() -> None:
    with pytest.raises(MalformedBufferError):
        list(sockets(table(tcp4(77, "0.0.0.0", 80, "0.0.0.0", 0, 1)), TCP4))  # noqa: S104


@given(s.binary(max_size=300), s.sampled_from([TCP4, TCP6, UDP4, UDP6]))
def test_noise_is_a_list_or_malformed(data: bytes, layout: Layout) -> None:
    try:
        for one in sockets(data, layout):
            assert one.local_port
    except MalformedBufferError:
        pass


# --- services -----------------------------------------------------------------------------------------------------


def services(word: int, *entries: tuple[str, int, int]) -> Memory:
    """ENUM_SERVICE_STATUS_PROCESSW with its texts behind it, at an address of no meaning."""
    base, size = 0x7000_0000, 2 * word + 36
    size += -size % word
    texts, rows = b"", b""
    for name, state, pid in entries:
        where = base + size * len(entries) + len(texts)
        texts += name.encode("utf-16-le") + b"\0\0"
        row = where.to_bytes(word, "little") * 2 + struct.pack("<9I", 16, state, 0, 0, 0, 0, 0, pid, 0)
        rows += row.ljust(size, b"\0")
    return Memory(rows + texts, base, word)


@pytest.mark.parametrize("word", [4, 8])
def test_service_states(word: int) -> None:
    memory = services(word, ("Spooler", 4, 1200), ("医保服务", 1, 0), ("W32Time", 7, 0), ("BITS", 2, 0))
    found = [(f.name, f.state, f.pid) for f in service_states(memory, 4)]
    assert found == [
        ("Spooler", "running", 1200), ("医保服务", "stopped", None), ("W32Time", "paused", None), ("BITS", "pending", None),
    ]  # fmt: skip


@pytest.mark.parametrize("word", [4, 8])
def test_service_states_that_make_no_sense(word: int) -> None:
    with pytest.raises(MalformedBufferError):
        list(service_states(services(word, ("A", 9, 0)), 1))
    with pytest.raises(MalformedBufferError):
        list(service_states(services(word, ("A", 4, 0)), 2))
    with pytest.raises(MalformedBufferError):
        list(service_states(Memory(bytes(200), 0, word), 1))


# --- policy -------------------------------------------------------------------------------------------------------


def modals(length: int = 8, max_age: int = 90 * 86400, min_age: int = 0, history: int = 5) -> bytes:
    return struct.pack("<5I", length, max_age, min_age, FOREVER, history)


def test_policy_as_it_is_told() -> None:
    properties = password_properties(struct.pack("<HHIqq", 8, 5, 0x1, -1, 0))
    found = policy(modals(), struct.pack("<3I", 1800, 900, 5), properties)
    assert (found.min_length, found.max_age, found.history) == (8, 90 * 86400, 5)
    assert (found.complexity, found.reversible) == (True, False)
    assert (found.lockout_threshold, found.lockout_duration, found.lockout_window) == (5, 1800, 900)


def test_for_ever_is_never() -> None:
    found = policy(modals(max_age=FOREVER), struct.pack("<3I", FOREVER, 900, 0), None)
    assert found.max_age is None
    assert found.lockout_duration is None
    assert found.lockout_threshold == 0


def test_an_age_of_nothing_is_no_limit_and_not_the_strictest_one() -> None:
    assert policy(modals(max_age=0), bytes(12), None).max_age is None


def test_complexity_that_nobody_told_is_not_known() -> None:
    found = policy(modals(), bytes(12), None)
    assert found.complexity is None
    assert found.reversible is None


def test_reversible_storage() -> None:
    assert password_properties(struct.pack("<HHIqq", 8, 0, 0x10, 0, 0)).reversible


def test_two_sources_that_contradict_each_other_are_none() -> None:
    with pytest.raises(MalformedBufferError):
        policy(modals(length=14), bytes(12), password_properties(struct.pack("<HHIqq", 0, 0, 1, 0, 0)))


@pytest.mark.parametrize(("first", "third"), [(b"", bytes(12)), (modals()[:19], bytes(12)), (modals(), bytes(11))])
def test_policy_cut_off(first: bytes, third: bytes) -> None:
    with pytest.raises(MalformedBufferError):
        policy(first, third, None)
    with pytest.raises(MalformedBufferError):
        password_properties(bytes(6))


# --- accounts -----------------------------------------------------------------------------------------------------


def account(
    word: int, *, name: int, comment: int = 0, full: int = 0, flags: int = 0x200, age: int = 86400, last: int = 0,
    expires: int = FOREVER, rid: int = 1001, expired: int = 0,
) -> bytes:  # fmt: skip
    """USER_INFO_3 by the compiler's rules: struct aligns as C does."""
    p = "Q" if word == 8 else "I"
    layout = f"@{p}{p}II{p}{p}I{p}I{p}{p}{p}{p}IIIII{p}II{p}IIII{p}{p}I0{p}"
    return struct.pack(
        layout, name, 0, age, 2, 0, comment, flags, 0, 0, full, 0, 0, 0, last, 0, expires, FOREVER, 168, 0, 0, 0, 0, 0, 0,
        rid, 513, 0, 0, expired,
    )  # fmt: skip


TEXTS = {1: "收费员", 2: "窗口一", 3: "张三", 4: "Administrator"}


@pytest.mark.parametrize("word", [4, 8])
def test_accounts(word: int) -> None:
    data = account(word, name=1, comment=2, full=3, last=1_790_000_000) + account(
        word, name=4, rid=500, flags=0x10000 | 0x2 | 0x20 | 0x10, age=0
    )
    assert len(data) == 2 * user_size(word)
    clerk, admin = local_users(Memory(data, 0, word), 2, NOW, TEXTS.__getitem__)
    assert (clerk.name, clerk.comment, clerk.full_name, clerk.rid) == ("收费员", "窗口一", "张三", 1001)
    assert (clerk.disabled, clerk.password_not_required, clerk.never_expires, clerk.locked) == (False,) * 4
    assert clerk.password_set == NOW - 86400
    assert (clerk.must_change, clerk.last_logon, clerk.expires) == (False, 1_790_000_000, None)
    assert (admin.rid, admin.disabled, admin.password_not_required, admin.never_expires, admin.locked) == (
        500,
        *[True] * 4,
    )
    assert admin.password_set is None


def test_a_password_never_set_or_to_be_changed() -> None:
    (never,) = local_users(Memory(account(8, name=1, age=0, expired=1)), 1, NOW, TEXTS.__getitem__)
    assert (never.password_set, never.must_change) == (None, True)
    (old,) = local_users(Memory(account(8, name=1, age=200 * 86400, expired=1)), 1, NOW, TEXTS.__getitem__)
    assert (old.password_set, old.must_change) == (NOW - 200 * 86400, False)
    # Counted from the beginning of the calendar: it was never set either.
    (calendar,) = local_users(Memory(account(8, name=1, age=int(NOW), expired=1)), 1, NOW, TEXTS.__getitem__)
    assert (calendar.password_set, calendar.must_change) == (None, True)


def test_accounts_cut_off_or_nameless() -> None:
    with pytest.raises(MalformedBufferError):
        list(local_users(Memory(account(8, name=1)[:-8]), 1, NOW, TEXTS.__getitem__))
    with pytest.raises(MalformedBufferError):
        list(local_users(Memory(account(8, name=0)), 1, NOW, TEXTS.__getitem__))
