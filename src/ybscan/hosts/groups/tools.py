"""System commands a probe may ask for: an enumeration, each with the argument forms it may be called with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from ybscan.hosts.base import Group, question
from ybscan.model.reading import Reading

_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.@:\\-]*"


class Tool(Enum):
    """An allow-listed command: every form only reads, sends no packet and loads no kernel module.

    A form is a sequence of regular expressions, one per argument.
    """

    MODPROBE = ("modprobe", (("-n", "-v", _NAME),))
    IP = (
        "ip",
        (("-j", "(-d)?", "(link|addr|rule)"), ("-j", "-[46]", "(rule|route)", "(list|show)?", "(table)?", "(all)?")),
    )
    NFT = ("nft", (("-[ja]", "list", "ruleset"),))
    SYSTEMCTL = (
        "systemctl",
        (
            ("is-active", _NAME),
            ("show", "--no-pager", "--property=[A-Za-z,]+", f"({_NAME})?"),
            ("list-unit-files", "--no-pager", "--no-legend", "--plain", "(--type=[a-z,]+)?"),
            ("list-units", "--no-pager", "--no-legend", "--plain", "--all", "(--type=[a-z,]+)?"),
            ("list-sockets", "--no-pager", "--no-legend", "--plain", "--all"),
            ("list-timers", "--no-pager", "--no-legend", "--plain", "--all"),
        ),
    )
    JOURNALCTL = (
        "journalctl",
        (
            (
                "--no-pager",
                "--quiet",
                "--output=json",
                "(--output-fields=[A-Z_,]+)?",
                r"--since=@\d+",
                r"(--until=@\d+)?",
                r"[A-Z_]+=[A-Za-z0-9_.@-]+",
                r"(--lines=\d+)?",
            ),
        ),
    )
    RPM = ("rpm", (("-qa", "--qf", r"[%{}A-Z\\tn]+"),))
    FIREWALL_CMD = (
        "firewall-cmd",
        (("--state",), ("--list-all-zones",), ("--get-active-zones",), ("--get-default-zone",)),
    )
    NMCLI = (
        "nmcli",
        (("-t", "-f", "[A-Za-z0-9.,-]+", "(general|device|connection)", "(show|status)?", "(--active)?"),),
    )
    BUSCTL = (
        "busctl",
        (
            (
                "--json=short",
                "get-property",
                r"org\.freedesktop\.NetworkManager",
                r"/org/freedesktop/NetworkManager",
                r"org\.freedesktop\.NetworkManager",
                _NAME,
            ),
            (
                "--json=short",
                "get-property",
                r"org\.bluez",
                r"/org/bluez/hci\d+",
                r"org\.bluez\.Adapter1",
                "Powered",
            ),
        ),
    )
    #: Only prints its version: which kind of rule file counts depends on it.
    PKACTION = ("pkaction", (("--version",),))
    #: Both ask their own daemon on this machine over the loopback interface; no other host can be named.
    UPSC = ("upsc", ((r"[A-Za-z0-9_][A-Za-z0-9_.-]*@127\.0\.0\.1",),))
    APCACCESS = ("apcaccess", (("status", r"127\.0\.0\.1:3551"),))
    #: Only asked where its service already runs: over D-Bus it would start it.
    UPOWER = ("upower", (("--dump",),))
    CRONTAB = ("crontab", (("-l", "-u", _NAME),))
    #: Status and rules of the kernel's audit; both only ask.
    AUDITCTL = ("auditctl", (("-s",), ("-l",)))
    #: The disk's own verdict on its health, as JSON without serial numbers; a disk that sleeps is left alone.
    SMARTCTL = (
        "smartctl",
        (("-j", "-n", "standby", "-H", r"/dev/(sd[a-z]{1,2}|hd[a-z]|nvme\d{1,2}n\d{1,2}|mmcblk\d)"),),
    )

    def __init__(self, command: str, forms: tuple[tuple[str, ...], ...]) -> None:
        self.command = command
        self.forms = forms

    def allows(self, args: tuple[str, ...]) -> bool:
        """Whether ``args`` is one of the forms; an optional argument (a form ending in ``)?``) may be left out."""
        return any(_fits(form, args) for form in self.forms)


def _fits(form: tuple[str, ...], args: tuple[str, ...]) -> bool:
    if not form:
        return not args
    optional = form[0].startswith("(") and form[0].endswith(")?")
    if args and re.fullmatch(form[0], args[0]) and args[0] and _fits(form[1:], args[1:]):
        return True
    return optional and _fits(form[1:], args)


@dataclass(frozen=True, slots=True)
class Output:
    """What a command said. Undecodable bytes are kept as surrogates."""

    code: int
    stdout: str
    stderr: str


class Tools(Group):
    """Running allow-listed commands: no shell, ``LC_ALL=C``, a time limit, no standard input."""

    name = "tools"

    @question
    def run(self, *, tool: str, args: tuple[str, ...], seconds: int = 10) -> Reading[Output]:
        """Run ``Tool[tool]`` (the member's name) with ``args``.

        A missing command is Unknown(tool_missing), one that runs too long Unknown(timeout). The exit code is the
        caller's to judge.
        """
        return self.unsupported()
