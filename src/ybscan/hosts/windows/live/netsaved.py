"""Remembered connections of the running system: WLAN profiles, mobile broadband profiles, RAS phone books.

When they were last used stands in the registry (``NetworkList``), which the registry group reads; the records here
have no dates of their own.
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

import os  # noqa: E402
from collections.abc import Iterator  # noqa: E402

from ybscan.hosts.common.errors import from_error  # noqa: E402
from ybscan.hosts.common.opening import open_read  # noqa: E402
from ybscan.hosts.groups.network import SavedNetwork  # noqa: E402
from ybscan.hosts.groups.registry import Registry  # noqa: E402
from ybscan.hosts.windows.codes import NotReadError  # noqa: E402
from ybscan.hosts.windows.live.netwlan import profiles  # noqa: E402
from ybscan.hosts.windows.memory import MalformedBufferError  # noqa: E402
from ybscan.hosts.windows.netprofiles import phone_book, wlan_profile  # noqa: E402
from ybscan.hosts.windows.remembered import Remembered  # noqa: E402
from ybscan.model.reading import Absent, Cause, Gap, Known, Reading, Unknown  # noqa: E402

_LIMIT = 1024 * 1024
_MAX_FILES = 2000
_WLAN_FILES = r"Microsoft\Wlansvc\Profiles\Interfaces"
_WWAN_FILES = r"Microsoft\WwanSvc\Profiles"
_BOOKS = (
    r"Microsoft\Network\Connections\Pbk\rasphone.pbk",
    r"Microsoft\Network\Connections\Pbk\_hiddenPbk\rasphone.pbk",
)


def saved(registry: Registry, data: str) -> Reading[tuple[SavedNetwork, ...]]:
    """Everything remembered, sorted; what cannot be read leaves a gap. ``data`` is the machine's ``ProgramData`` folder."""
    found = Remembered()
    _wireless(found, data)
    _mobile(found, data)
    for book in _BOOKS:
        _book(found, f"{data}\\{book}")
    _people(found, registry)
    return found.answer("WlanGetProfileList、rasphone.pbk")


def _wireless(found: Remembered, data: str) -> None:
    """Profiles from their files, which hold the networks' own names too; of those that cannot be read, the service's names.

    The service lists the profiles of the cards that are there; those of a card that was pulled out are in the files alone.
    """
    named: set[str] = set()
    for path in _files(found, f"{data}\\{_WLAN_FILES}", depth=2):
        text = _text(path)
        if isinstance(text, Unknown):
            found.missed(text)
        elif isinstance(text, Known):
            profile = wlan_profile(text.value)
            if profile is None:
                found.gaps[Gap(Cause.MALFORMED, path, path)] = None
            else:
                named.add(profile.name)
                found.add(profile.name, "wifi", path, ssid=profile.ssid, mode=profile.mode)
    try:
        names, missed = profiles()
    except (NotReadError, MalformedBufferError):
        return  # without the service there are the files, and without those nothing is remembered
    for name in names - named:
        found.add(name, "wifi", "WlanGetProfileList", ssid=name)
    found.gaps.update(dict.fromkeys(missed))


def _mobile(found: Remembered, data: str) -> None:
    for path in _files(found, f"{data}\\{_WWAN_FILES}", depth=2):
        found.add(os.path.splitext(os.path.basename(path))[0], "gsm", path)  # noqa: PTH119, PTH122


def _people(found: Remembered, registry: Registry) -> None:
    people = registry.users()
    found.missed(people)
    if not isinstance(people, Known):
        return
    found.gaps.update(dict.fromkeys(people.gaps))
    for person in people.value:
        home = os.path.expandvars(person.home)
        if home.startswith("\\\\"):
            found.gaps[Gap(Cause.NOT_PERMITTED, f"{person.account} 的配置文件夹在网络上，没有读取", home)] = None
        elif home[1:3] != ":\\":
            found.gaps[Gap(Cause.MALFORMED, f"{person.account} 的配置文件夹“{home}”不是完整的路径", home)] = None
        else:
            for book in _BOOKS:
                _book(found, f"{home}\\AppData\\Roaming\\{book}")


def _book(found: Remembered, path: str) -> None:
    text = _text(path)
    found.missed(text)
    for entry in phone_book(text.value) if isinstance(text, Known) else ():
        found.add(entry.name, entry.kind, path)


def _files(found: Remembered, folder: str, *, depth: int) -> Iterator[str]:
    """The XML files in a folder and those below it; a folder that is not there holds none."""
    left = _MAX_FILES
    todo = [(folder, depth)]
    while todo:
        here, levels = todo.pop()
        try:
            with os.scandir(here) as listed:
                items = sorted(listed, key=lambda i: i.name)
        except OSError as e:
            found.missed(from_error(e, here))
            continue
        for item in items:
            left -= 1
            if left < 0:
                found.gaps[Gap(Cause.TOO_LARGE, f"{folder} 中的文件超过 {_MAX_FILES} 个", folder)] = None
                return
            if item.is_dir(follow_symlinks=False) and levels > 1:
                todo.append((item.path, levels - 1))
            elif item.name.lower().endswith(".xml"):
                yield item.path


def _text(path: str) -> Reading[str]:
    """A file's text; the names are taken out of it at once, and nothing else is kept."""
    try:
        with os.fdopen(open_read(path), "rb") as f:
            data = f.read(_LIMIT + 1)
    except OSError as e:
        failed = from_error(e, path)
        return Absent(path) if isinstance(failed, Absent) else failed
    if len(data) > _LIMIT:
        return Unknown(Cause.TOO_LARGE, path, path)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Known(data.decode("utf-16", "replace"), path)
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return Known(data.decode(encoding), path)
        except UnicodeDecodeError:
            continue
    return Unknown(Cause.MALFORMED, path, path)
