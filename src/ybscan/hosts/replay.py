"""A terminal as an evidence bundle recorded it. A question that is not in it is Unknown(not_recorded), never Absent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, get_type_hints

from ybscan.hosts.base import Group, Host, Os
from ybscan.model.reading import Cause, Reading, Unknown

Answers = Mapping[tuple[str, str, tuple[tuple[str, Any], ...]], Reading[Any]]


def group_types() -> dict[str, type[Group]]:
    """Every group class by its field name on Host."""
    from ybscan.hosts import groups
    from ybscan.hosts.groups import (
        accounts,
        devices,
        files,
        jobs,
        logs,
        network,
        processes,
        registry,
        security,
        services,
        sockets,
        system,
        tools,
        usersettings,
        volumes,
    )

    del groups
    scope = {
        "Accounts": accounts.Accounts, "Files": files.Files, "Network": network.Network, "Processes": processes.Processes,
        "Registry": registry.Registry, "Sockets": sockets.Sockets, "System": system.System, "Tools": tools.Tools,
        "UserSettings": usersettings.UserSettings, "Volumes": volumes.Volumes, "Jobs": jobs.Jobs, "Logs": logs.Logs,
        "Services": services.Services, "Devices": devices.Devices, "Security": security.Security,
    }  # fmt: skip
    hints = get_type_hints(Host, localns=scope)
    return {
        f.name: hints[f.name]
        for f in fields(Host)
        if isinstance(hints[f.name], type) and issubclass(hints[f.name], Group)
    }


def replay(os: Os, answers: Answers, *, backend: str = "replay", fallback: Host | None = None) -> Host:
    """A host that answers from ``answers``, keyed like the recorder's; else from ``fallback``, else not_recorded."""
    made: dict[str, Any] = {}
    for name, kind in group_types().items():
        other = getattr(fallback, name) if fallback is not None else None
        overrides: dict[str, Any] = {q: _answering(name, q, answers, getattr(other, q, None)) for q in kind.questions()}
        overrides["__init__"] = lambda self: None
        made[name] = type(f"Replayed{kind.__name__}", (kind,), overrides)()
    return Host(backend=backend, os=os, **made)


def _answering(
    group: str, question: str, answers: Answers, other: Callable[..., Reading[Any]] | None
) -> Callable[..., Any]:
    def answer(_self: Group, **args: Any) -> Reading[Any]:
        reading = answers.get((group, question, tuple(sorted(args.items()))))
        if reading is not None:
            return reading
        if other is not None:
            return other(**args)
        shown = ", ".join(f"{k}={v}" for k, v in sorted(args.items()))
        return Unknown(Cause.NOT_RECORDED, f"{group}.{question}({shown})", f"{group}.{question}")

    return answer
