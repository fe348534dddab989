"""Device nodes and disks of a running system."""

from __future__ import annotations

import sys

from ybscan.hosts.base import Host
from ybscan.model.reading import Known, Unknown

assert sys.platform == "win32"

DISPLAY = "{4d36e968-e325-11ce-bfc1-08002be10318}"


def test_nodes_of_an_enumerator(host: Host) -> None:
    found = host.devices.listed(enumerator="PCI")
    assert isinstance(found, Known)
    assert found.value
    for device in found.value:
        assert device.instance.upper().startswith("PCI\\")
        assert device.class_guid == device.class_guid.lower()
        assert device.present is True
        assert device.problem == 0
        assert not device.name.startswith("@")


def test_an_enumerator_that_was_never_seen(host: Host) -> None:
    found = host.devices.listed(enumerator="NOSUCHBUS")
    assert isinstance(found, Known)
    assert found.value == ()


def test_nodes_of_a_class_are_those_of_the_enumerators(host: Host) -> None:
    found = host.devices.of_class(guid=DISPLAY)
    assert isinstance(found, Known)
    assert found.value
    assert {d.class_guid for d in found.value} == {DISPLAY}
    one = found.value[0]
    again = host.devices.listed(enumerator=one.instance.partition("\\")[0])
    assert isinstance(again, Known)
    assert one in again.value


def test_no_disks_are_not_known_disks(host: Host) -> None:
    """Wine has no disk interfaces: that is no answer, since Windows was started from somewhere."""
    found = host.devices.disks()
    assert isinstance(found, (Known, Unknown))
    if isinstance(found, Known):
        assert found.value or found.gaps
