"""What machine and system this is, and with what rights we look."""

from __future__ import annotations

from dataclasses import dataclass

from ybscan.hosts.base import Group, question
from ybscan.model.reading import Reading


@dataclass(frozen=True, slots=True)
class Identity:
    """The terminal's own names. ``os_id`` is ``ID-VERSION_ID`` of os-release in lower case, or the Windows build."""

    hostname: str
    os_id: str
    os_name: str
    """For people, such as ``银河麒麟桌面操作系统 V10``."""
    kernel: str
    arch: str


@dataclass(frozen=True, slots=True)
class ClockState:
    """What the kernel says about its clock, see adjtimex(2)."""

    synchronised: bool
    """Whether a time service has set it lately: the flag STA_UNSYNC is clear."""
    max_error: float
    """Upper bound of the error in seconds, growing while nothing sets the clock."""


@dataclass(frozen=True, slots=True)
class WindowsEdition:
    """Which Windows this is. 10 and 11 share most names and are told apart by the build (11 from 22000)."""

    build: int
    revision: int
    """The update build revision (UBR); 0 where there is none (Windows 7)."""
    edition: str
    """EditionID: ``Professional``, ``Core`` (Home), ``EnterpriseS`` …"""
    installation: str
    """InstallationType: ``Client`` or ``Server``; empty where it is not stated."""
    product: str
    """For people: ``Windows 11 专业版 23H2`` and the like."""


class System(Group):
    """The system as a whole."""

    name = "system"

    @question
    def identity(self) -> Reading[Identity]:
        """Names and versions of machine and system."""
        return self.unsupported()

    @question
    def elevated(self) -> Reading[bool]:
        """Whether we run with administrator rights (uid 0; an elevated token)."""
        return self.unsupported()

    @question
    def boot_time(self) -> Reading[float]:
        """When the system started, in seconds since the epoch."""
        return self.unsupported()

    @question
    def clock(self) -> Reading[ClockState]:
        """Whether the clock is kept in step with a time source, as the kernel knows it. Asking changes nothing."""
        return self.unsupported()

    @question
    def environment(self, *, names: tuple[str, ...]) -> Reading[dict[str, str]]:
        """The named environment variables of this process that are set; credentials in URLs are masked."""
        return self.unsupported()

    @question
    def windows(self) -> Reading[WindowsEdition]:
        """Build and edition of Windows."""
        return self.unsupported()

    @question
    def bits(self) -> Reading[tuple[int, int]]:
        """Bits of this process and of the system, such as ``(32, 64)``."""
        return self.unsupported()
