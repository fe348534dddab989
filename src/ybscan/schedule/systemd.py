"""The systemd units of the weekly job; see systemd.timer(5), systemd.service(5), systemd.time(7), systemd.syntax(7)."""

from __future__ import annotations

from ybscan.schedule.job import DESCRIPTION, NAME, Job

FOLDER = "/etc/systemd/system"
SERVICE = f"{NAME}.service"
TIMER = f"{NAME}.timer"


def units(job: Job) -> dict[str, str]:
    """File name → content."""
    calendar = [f"OnCalendar=Fri *-*-* {job.at:%H:%M}:00"]
    calendar += [f"OnCalendar={day.isoformat()} {job.at:%H:%M}:00" for day in job.extra]
    service = f"""[Unit]
Description={DESCRIPTION}

[Service]
Type=oneshot
WorkingDirectory={_path(job.folder)}
ExecStart={" ".join(map(_quoted, job.command))}
# 1：有不符合项；3：有无法判定项。都表示检查已经完成。
SuccessExitStatus=1 3
Nice=10
IOSchedulingClass=idle
"""
    timer = f"""[Unit]
Description={DESCRIPTION}

[Timer]
{chr(10).join(calendar)}
# 到时没有开机的，下次开机后补做。
Persistent=true
RandomizedDelaySec=5min
AccuracySec=1min

[Install]
WantedBy=timers.target
"""
    return {SERVICE: service, TIMER: timer}


def _quoted(text: str) -> str:
    """One argument of ExecStart: specifiers and variables doubled, quoted where the syntax asks for it."""
    text = text.replace("%", "%%").replace("$", "$$")
    if text and not any(c in text for c in " \t\n\"'\\;"):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def _path(text: str) -> str:
    # WorkingDirectory takes the rest of the line as it is, apart from specifiers.
    return text.replace("%", "%%")
