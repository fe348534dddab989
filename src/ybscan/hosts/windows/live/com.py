"""Asking COM components by name, through IDispatch alone, in a thread of its own and under a time limit.

Everything here is late-bound: no type library is read and no module generated, since comtypes would write those to
disk. For the same reason ``comtypes.client`` is never imported. Threads join the multi-threaded apartment and never leave it: an
object may be released by whichever thread collects it. A component that does not answer holds its thread, not the scan.
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker what system this file is for

import ctypes  # noqa: E402
from collections.abc import Callable, Iterator  # noqa: E402
from typing import Any, TypeVar  # noqa: E402

from ybscan.hosts.windows.codes import NotReadError, refused  # noqa: E402
from ybscan.hosts.windows.live.dll import SECONDS, asked  # noqa: E402
from ybscan.model.reading import Cause, Reading, Unknown  # noqa: E402

T = TypeVar("T")

_MULTITHREADED = 0
_METHOD_OR_GET = 0x1 | 0x2
_NEW_ENUM = -4
_LOCALE_NEUTRAL = 0
#: CLSCTX_INPROC_SERVER | CLSCTX_LOCAL_SERVER: never a component on another machine.
_LOCAL = 0x1 | 0x4
_MAX_ITEMS = 20_000


class ComObject:
    """An object, asked through IDispatch. Only methods and properties are called that change nothing."""

    def __init__(self, pointer: Any, origin: str) -> None:
        self._pointer = pointer
        self._origin = origin
        self._dispatch: Any = None

    def get(self, name: str, *arguments: object) -> Any:
        """A property's value, or what a method returns; objects come as :class:`ComObject`.

        Raises:
            NotReadError: the component refuses, or has no such member.
        """
        from comtypes.automation import riid_null

        ids = (ctypes.c_long * 1)()
        names = (ctypes.c_wchar_p * 1)(name)
        self._call("GetIDsOfNames", riid_null, names, 1, _LOCALE_NEUTRAL, ids)
        return self._invoke(ids[0], arguments)

    def child(self, name: str, *arguments: object) -> ComObject:
        """As :meth:`get`, for what must be an object.

        Raises:
            NotReadError: also where it is none.
        """
        found = self.get(name, *arguments)
        if not isinstance(found, ComObject):
            raise NotReadError(Unknown(Cause.UNAVAILABLE, f"{self._origin}：{name} 没有内容", self._origin))
        return found

    def number(self, name: str, *arguments: object) -> int:
        """As :meth:`get`, for what must be a number; truth values are 0 and 1.

        Raises:
            NotReadError: also where it is none.
        """
        found = self.get(name, *arguments)
        if not isinstance(found, int):
            raise NotReadError(Unknown(Cause.UNAVAILABLE, f"{self._origin}：{name} 没有内容", self._origin))
        return int(found)

    def text(self, name: str, *arguments: object) -> str:
        """As :meth:`get`, for a text; empty where there is none."""
        found = self.get(name, *arguments)
        return found if isinstance(found, str) else ""

    def each(self) -> Iterator[ComObject]:
        """The objects of a collection.

        Raises:
            NotReadError: it is none, or breaks off.
        """
        from comtypes import COMError
        from comtypes.automation import IEnumVARIANT

        unknown = self._invoke(_NEW_ENUM, ())
        if not isinstance(unknown, ComObject):
            raise NotReadError(Unknown(Cause.UNAVAILABLE, f"{self._origin}：无法逐项读取", self._origin))
        try:
            items = unknown._pointer.QueryInterface(IEnumVARIANT)
            for _ in range(_MAX_ITEMS):
                value, fetched = items.Next(1)
                if not fetched:
                    return
                if not hasattr(value, "QueryInterface"):
                    raise NotReadError(Unknown(Cause.MALFORMED, f"{self._origin}：集合中有空项", self._origin))
                yield ComObject(value, self._origin)
        except COMError as e:
            raise refused(e.hresult, self._origin) from None
        raise NotReadError(Unknown(Cause.TOO_LARGE, f"{self._origin}：超过 {_MAX_ITEMS} 项", self._origin))

    def _invoke(self, member: int, arguments: tuple[object, ...]) -> Any:
        from comtypes.automation import DISPPARAMS, EXCEPINFO, VARIANT, riid_null

        passed = (VARIANT * max(len(arguments), 1))()
        for place, argument in zip(reversed(range(len(arguments))), arguments, strict=True):
            if argument is not None:
                passed[place].value = argument._pointer if isinstance(argument, ComObject) else argument
        parameters = DISPPARAMS()
        parameters.cArgs = len(arguments)
        parameters.rgvarg = passed
        result, details = VARIANT(), EXCEPINFO()
        try:
            self._call(
                "Invoke", member, riid_null, _LOCALE_NEUTRAL, _METHOD_OR_GET, ctypes.byref(parameters),
                ctypes.byref(result), ctypes.byref(details), None,
            )  # fmt: skip
        except NotReadError as e:
            if details.scode:  # DISP_E_EXCEPTION: the component's own result stands in the details
                raise refused(details.scode, self._origin) from None
            raise e from None
        return self._value(result)

    def _value(self, result: Any) -> Any:
        """A VARIANT's content. Read here: comtypes would import its code generator for an object."""
        from comtypes import IUnknown

        if result.vt not in (9, 13):  # VT_DISPATCH, VT_UNKNOWN
            return result.value
        address = result._.c_void_p
        if not address:
            return None
        pointer = ctypes.cast(address, ctypes.POINTER(IUnknown))
        pointer.AddRef()
        return ComObject(pointer, self._origin)

    def _call(self, method: str, *arguments: object) -> None:
        from comtypes import COMError
        from comtypes.automation import IDispatch

        try:
            if self._dispatch is None:
                self._dispatch = self._pointer.QueryInterface(IDispatch)
            getattr(self._dispatch, f"_IDispatch__com_{method}")(*arguments)
        except COMError as e:
            raise refused(e.hresult, self._origin) from None


def component(name: str, origin: str) -> ComObject:
    """A new object of the class with that ProgID, or with that CLSID in braces.

    Raises:
        NotReadError: it is not registered, or cannot be started.
    """
    from comtypes import GUID, CoCreateInstance, COMError
    from comtypes.automation import IDispatch

    try:
        clsid = GUID(name) if name.startswith("{") else GUID.from_progid(name)
        return ComObject(CoCreateInstance(clsid, interface=IDispatch, clsctx=_LOCAL), origin)
    except OSError as e:  # no such ProgID
        raise refused(e.winerror or 0x80004005, origin) from None
    except COMError as e:
        raise refused(e.hresult, origin) from None


def com_asked(work: Callable[[], Reading[T]], origin: str, seconds: float = SECONDS) -> Reading[T]:
    """What ``work`` answers in a thread that may use COM, within the time limit."""

    def run() -> Reading[T]:
        # The first import of comtypes joins its thread to an apartment; this says which.
        sys.coinit_flags = _MULTITHREADED  # type: ignore[attr-defined]
        import comtypes

        comtypes.CoInitializeEx(_MULTITHREADED)
        return work()

    return asked(run, origin, seconds)
