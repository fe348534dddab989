"""Software the unit demands: is it installed, and does it run?

The dictionary's ``security`` products and the site file's own traces are looked for; a trace that was not given is
not guessed.
"""

from __future__ import annotations

from ybscan.hosts.base import Host
from ybscan.model.facts import FieldValue, Item
from ybscan.model.reading import Cause, Gap, Known, Unknown
from ybscan.model.site import RequiredSoftware
from ybscan.probes._software.allow import fits
from ybscan.probes._software.match import Match
from ybscan.probes._software.records import Inventory
from ybscan.probes._software.text import folded, shown


def required_item(host: Host, inventory: Inventory, matches: list[Match], wanted: RequiredSoftware) -> Item:
    """One demanded program with what was found of it."""
    evidence: list[str] = []
    product = next((m for m in matches if fits(wanted.name, _names(m))), None)
    installed = _installed(inventory, wanted, product, evidence)
    running = _running(host, inventory, wanted, product, evidence)
    # What runs is there, however it came.
    if running is True and installed is not True:
        installed = True
    return {
        "name": shown(wanted.name), "installed": installed, "running": running,
        "evidence": "；".join(dict.fromkeys(evidence)) or None,
    }  # fmt: skip


def _names(match: Match) -> tuple[str, ...]:
    return (
        folded(match.product.name),
        folded(match.product.id),
        *(f"*{folded(c.name)}*" for c in match.clues if c.kind == "desktop"),
    )


def _installed(
    inventory: Inventory, wanted: RequiredSoftware, product: Match | None, evidence: list[str]
) -> FieldValue:
    if wanted.package is not None:
        found = [p for p in inventory.packages if fits(p.name, (folded(wanted.package),)) and not p.doubt]
        if found:
            evidence.append("、".join(shown(f"{p.name} {p.version}".strip()) for p in found[:3]))
            return True
        return _missing(inventory.gaps, f"没有软件包 {shown(wanted.package)}", evidence)
    if wanted.service is not None:
        unit = _service(inventory, wanted.service)
        if unit in inventory.services:
            evidence.append(
                inventory.services[unit] if inventory.system == "linux" else f"服务 {shown(inventory.services[unit])}"
            )
            return True
        return _missing(inventory.gaps, f"没有服务 {shown(wanted.service)}", evidence)
    if product is not None and product.confirmed():
        evidence.extend(c.text for c in product.clues)
        return True
    if product is not None:
        return Unknown(Cause.UNCONFIRMED, f"仅有一类线索：{next(iter(product.clues)).text}")
    if wanted.process is not None:
        # Whether it is installed shows only when it runs; _running decides.
        return Unknown(Cause.NOT_CONFIGURED, f"software.required 中“{shown(wanted.name)}”没有写 package")
    return Unknown(
        Cause.NOT_CONFIGURED, f"software.required 中“{shown(wanted.name)}”没有写 package、process 或 service"
    )


def _running(
    host: Host, inventory: Inventory, wanted: RequiredSoftware, product: Match | None, evidence: list[str]
) -> FieldValue:
    """True, False or why not known; None where the unit demands nothing that runs."""
    if wanted.process is not None:
        if any(fits(n, (folded(wanted.process),)) for n in inventory.processes.values()):
            evidence.append(f"进程 {shown(wanted.process)} 正在运行")
            return True
        # The kernel keeps 15 characters of a name; a longer one shows in full only where the image could be read.
        if inventory.system == "linux" and any(
            len(n) == 15 and folded(wanted.process).startswith(folded(n)) for n in inventory.processes.values()
        ):
            return Unknown(Cause.UNCONFIRMED, f"进程名 {shown(wanted.process)} 被系统截断，无法确认")
        return _missing(list(inventory.process_gaps), f"进程 {shown(wanted.process)} 没有运行", evidence)
    if wanted.service is not None:
        if inventory.system == "windows":
            return _state(host, inventory, wanted.service, evidence)
        return _active(host, wanted.service, evidence)
    traces = (
        None if product is None else product.product.windows if inventory.system == "windows" else product.product.linux
    )
    if product is not None and traces is not None and (traces.processes or traces.services):
        if "process" in product.kinds():
            return True
        if product.product.confidence == "memory" or traces.unverified:
            return Unknown(
                Cause.UNCONFIRMED, "没有看到已知名称的进程，但该产品的进程名未经核实，请在 software.required 中写明"
            )
        return _missing(list(inventory.process_gaps), f"{product.product.name} 没有运行", evidence)
    return None


def _service(inventory: Inventory, name: str) -> str:
    """The folded name of a service; on Windows people know some by the display name."""
    if inventory.system == "linux":
        return name.removesuffix(".service").casefold()
    return folded(inventory.titles.get(folded(name), name))


def _state(host: Host, inventory: Inventory, service: str, evidence: list[str]) -> FieldValue:
    """What the service control manager says."""
    states = host.services.states()
    if not isinstance(states, Known):
        return states if isinstance(states, Unknown) else Unknown(Cause.UNAVAILABLE, "没有服务状态")
    name = _service(inventory, service)
    found = next((s for s in states.value if folded(s.name) == name), None)
    if found is None:
        # Without the list of services nobody knows which one bears this display name.
        unlisted = [] if inventory.services else inventory.gaps
        return _missing([*states.gaps, *unlisted], f"没有服务 {shown(service)}", evidence)
    if found.state == "pending":
        return Unknown(Cause.UNCONFIRMED, f"服务 {shown(service)} 正在启动或停止")
    evidence.append(f"服务 {shown(service)} {'正在运行' if found.state == 'running' else '没有运行'}")
    return found.state == "running"


def _active(host: Host, service: str, evidence: list[str]) -> FieldValue:
    """systemctl(1) is-active: prints the state; exits 0 only for active units."""
    answer = host.tools.run(tool="SYSTEMCTL", args=("is-active", service))
    if isinstance(answer, Unknown):
        return answer
    state = answer.value.stdout.strip() if isinstance(answer, Known) else ""
    if state in ("active", "reloading"):
        evidence.append(f"服务 {shown(service)} 正在运行")
        return True
    if state in ("inactive", "failed", "deactivating"):
        evidence.append(f"服务 {shown(service)} 状态为 {state}")
        return False
    return Unknown(
        Cause.TOOL_FAILED, f"服务 {shown(service)} 的状态“{shown(state, 40)}”无法识别", "systemctl is-active"
    )


def _missing(gaps: list[Gap], what: str, evidence: list[str]) -> FieldValue:
    if gaps:
        return Unknown(gaps[0].cause, f"{what}，但{gaps[0].text}", gaps[0].origin)
    evidence.append(what)
    return False
