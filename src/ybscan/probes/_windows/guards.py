"""Antivirus products of Windows: what the dictionary finds, joined with what the security centre has registered.

The centre says whether a product guards; it keeps registrations of products that are gone, so that one counts only with
its file or process. Source: AntiVirusProduct of ``root\\SecurityCenter2``, which servers do not have; before Windows 8
Defender guards against spyware alone and never counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ybscan.hosts.base import Host
from ybscan.hosts.groups.security import SecurityProduct
from ybscan.model.dictionary import Dictionary, Product
from ybscan.model.facts import FieldValue
from ybscan.model.reading import Cause, Gap, Known, Unknown
from ybscan.probes._software.match import Clue, Match, index_of
from ybscan.probes._software.records import Inventory
from ybscan.probes._software.text import folded, shown
from ybscan.probes._windows.places import Places

_DEFENDER = "defender"
_DEFENDER_NAME = re.compile(r"^(windows|microsoft) defender")
_WINDOWS_8 = 9200


class Guards:
    """The products with what the centre says of each; ``gaps`` are what may hide another product."""

    def __init__(self, host: Host, inventory: Inventory, matches: list[Match], dictionary: Dictionary) -> None:
        self._host, self._inventory = host, inventory
        self.gaps: list[Gap] = []
        self.states: dict[str, list[SecurityProduct]] = {}
        self.strangers: list[SecurityProduct] = []
        self.untold: Unknown | None = None
        found = {m.product.id: Match(m.product, dict(m.clues)) for m in matches if m.product.antivirus is not None}
        self._old_defender(found)
        registered = host.security.products()
        if isinstance(registered, Known):
            self.gaps.extend(registered.gaps)
            for one in registered.value:
                if one.kind == "antivirus":
                    self._register(one, found, dictionary)
        else:
            self.untold = (
                registered if isinstance(registered, Unknown) else Unknown(Cause.UNAVAILABLE, "没有安全中心登记")
            )  # fmt: skip
            self.gaps.append(self.untold.as_gap())
        self.matches = list(found.values())

    def _old_defender(self, found: dict[str, Match]) -> None:
        if _DEFENDER not in found:
            return
        windows = self._host.system.windows()
        if isinstance(windows, Known) and windows.value.build < _WINDOWS_8:
            del found[_DEFENDER]

    def _register(self, one: SecurityProduct, found: dict[str, Match], dictionary: Dictionary) -> None:
        products = list(_named(one.name, dictionary))
        if not products:
            self.strangers.append(one)
        for product in products:
            match = found.setdefault(product.id, Match(product))
            self.states.setdefault(product.id, []).append(one)
            there = product.id == _DEFENDER or self.present(one) is True
            # The registration of Windows' own product is never left behind by an uninstaller.
            clue = Clue(
                "package", f"安全中心登记 {shown(one.name, 60)}", one.name, product.id == _DEFENDER, "", not there
            )
            match.clues[clue] = None

    def present(self, one: SecurityProduct) -> bool | Unknown:
        """Whether the program that a registration names is there."""
        places = self._inventory.places
        path = places.expand(one.program) if isinstance(places, Places) else ""
        if not path:
            return Unknown(Cause.UNAVAILABLE, f"安全中心没有写明 {shown(one.name, 60)} 的程序")
        stat = self._host.files.stat(path=path)
        return stat if isinstance(stat, Unknown) else isinstance(stat, Known)

    def realtime(self, match: Match) -> FieldValue:
        """Whether the product guards: the centre says on, and the product runs."""
        if self.untold is not None:
            return self.untold
        states = self.states.get(match.product.id)
        if not states:
            return Unknown(Cause.UNCONFIRMED, f"{match.product.name} 没有在安全中心登记，请在产品界面核对实时防护")
        return self._on(states, match.product.name, "process" in match.kinds())

    def _on(self, states: list[SecurityProduct], name: str, runs: bool) -> FieldValue:
        said = [s.enabled for s in states]
        if True not in said:
            unsaid = None in said
            return Unknown(Cause.UNAVAILABLE, f"安全中心没有说明 {name} 是否开启") if unsaid else False
        if False in said:
            # Registrations of products that are gone stay behind; which of these is the present one is not told.
            return Unknown(Cause.UNCONFIRMED, f"安全中心对 {shown(name, 60)} 有多条登记，是否开启说法不一")
        if runs:
            return True
        gaps = self._inventory.process_gaps
        if gaps:
            return Unknown(gaps[0].cause, gaps[0].detail)
        return Unknown(Cause.UNCONFIRMED, f"安全中心说 {shown(name, 60)} 已开启，但没有看到它的进程，可能是残留的登记")

    def stranger_items(self) -> Iterator[dict[str, FieldValue]]:
        """Registered products that the dictionary does not know: known by their reporting program alone."""
        for one in self.strangers:
            program = re.split(r"[\\/]", one.program)[-1].strip('" ')
            runs = bool(program) and folded(program) in {folded(p) for p in self._inventory.processes.values()}
            present = self.present(one)
            installed: FieldValue = runs or present
            if installed is False:
                installed = Unknown(Cause.UNCONFIRMED, "安全中心的登记可能是卸载残留")
            unknown = Unknown(Cause.UNCONFIRMED, "检测字典中没有该产品")
            name = shown(one.name, 60)
            yield {
                "id": f"centre-{name}", "name": name, "vendor": None, "version": None, "installed": installed,
                "running": runs or unknown, "realtime": self._on([one], name, runs), "approved": unknown,
                "domestic": unknown, "clues": (f"安全中心登记 {name}",),
            }  # fmt: skip


def _named(name: str, dictionary: Dictionary) -> Iterator[Product]:
    if _DEFENDER_NAME.match(folded(name)):
        yield from (p for p in dictionary.products if p.id == _DEFENDER)
        return
    yield from (p for p in index_of(dictionary, "windows").named(name) if p.antivirus is not None)
