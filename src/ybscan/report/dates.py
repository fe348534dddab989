"""Dates, periods and numbers in the style of official documents. Pure."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

PeriodKind = Literal["week", "month", "quarter", "half-year", "year"]
PERIODS: tuple[PeriodKind, ...] = ("week", "month", "quarter", "half-year", "year")

_DIGITS = "零一二三四五六七八九"
_WEEKDAYS = ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日")


def numeral(number: int) -> str:
    """1 to 99 as Chinese numerals, for headings."""
    if not 0 < number < 100:
        return str(number)
    tens, ones = divmod(number, 10)
    return ("" if tens == 0 else "十" if tens == 1 else f"{_DIGITS[tens]}十") + (_DIGITS[ones] if ones else "")


def day_text(day: date) -> str:
    """2026年3月6日: Arabic digits without leading zeros (GB/T 9704)."""
    return f"{day.year}年{day.month}月{day.day}日"


def weekday_text(day: date) -> str:
    """星期一 to 星期日."""
    return _WEEKDAYS[day.weekday()]


def moment(text: str) -> datetime | None:
    """A time of a result document; None when it is not one."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def zone_text(when: datetime) -> str:
    """The offset from UTC, as UTC+08:00; empty for a time without zone."""
    offset = when.utcoffset()
    if offset is None:
        return ""
    minutes = int(offset.total_seconds() // 60)
    sign = "-" if minutes < 0 else "+"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{sign}{hours:02}:{rest:02}"


def span_text(start: datetime, end: datetime | None) -> str:
    """When a check ran: date, from and to, zone."""
    text = f"{day_text(start.date())} {start:%H:%M}"
    if end is not None and end.date() != start.date():
        text += f"至{day_text(end.date())} {end:%H:%M}"
    elif end is not None and f"{end:%H:%M}" != f"{start:%H:%M}":
        text += f"至{end:%H:%M}"
    zone = zone_text(start)
    return f"{text}（{zone}）" if zone else text


def range_text(first: date, last: date) -> str:
    """A range of days; one day where both are the same."""
    return day_text(first) if first == last else f"{day_text(first)}至{day_text(last)}"


@dataclass(frozen=True, slots=True)
class Period:
    """What a report is about: both days belong to it."""

    kind: PeriodKind
    first: date
    last: date

    @property
    def text(self) -> str:
        """As a title names it."""
        if self.kind == "week":
            year, week, _ = self.first.isocalendar()
            return f"{year}年第{week}周"
        if self.kind == "month":
            return f"{self.first.year}年{self.first.month}月"
        if self.kind == "quarter":
            return f"{self.first.year}年第{numeral((self.first.month + 2) // 3)}季度"
        if self.kind == "half-year":
            return f"{self.first.year}年{'上' if self.first.month <= 6 else '下'}半年"
        return f"{self.first.year}年度"


def period_of(kind: PeriodKind, day: date) -> Period:
    """The week (Monday to Sunday), month, quarter, half-year or year that ``day`` lies in."""
    if kind == "week":
        first = day - timedelta(days=day.weekday())
        return Period(kind, first, first + timedelta(days=6))
    months = {"month": 1, "quarter": 3, "half-year": 6, "year": 12}[kind]
    start = (day.month - 1) // months * months + 1
    end = start + months - 1
    return Period(kind, date(day.year, start, 1), date(day.year, end, calendar.monthrange(day.year, end)[1]))


def percent_text(numerator: int, denominator: int) -> str:
    """A percentage that is never rounded up: 9996 of 10000 is 99.96%, 99999 of 100000 is 99.99%, 1 of 100000 不足 0.01%."""
    if denominator <= 0:
        return "无法计算"
    hundredths = numerator * 10000 // denominator
    if hundredths == 0 and numerator > 0:
        return "不足 0.01%"
    whole, rest = divmod(hundredths, 100)
    return f"{whole}.{rest:02}%".replace(".00%", "%") if rest % 10 or not rest else f"{whole}.{rest // 10}%"
