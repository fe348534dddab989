"""What Windows itself says about protection: registered products, its licence, signatures of files. Nothing is fetched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ybscan.hosts.base import Group, question
from ybscan.model.reading import Reading


@dataclass(frozen=True, slots=True)
class SecurityProduct:
    """A product registered with the security centre (``root\\SecurityCenter2``)."""

    kind: Literal["antivirus", "antispyware", "firewall"]
    name: str
    enabled: bool | None
    """None where the state does not say."""
    updated: bool | None
    """Whether its signatures are current, as the product itself reports; None where the state does not say."""
    program: str


@dataclass(frozen=True, slots=True)
class Licence:
    """The licence of Windows, from ``SoftwareLicensingProduct`` of the Windows application id."""

    status: int
    """0 unlicensed, 1 licensed, 2 to 4 and 6 grace periods, 5 notification."""
    channel: str
    """Part of the product's description that names the channel: ``OEM_DM``, ``RETAIL``, ``VOLUME_KMSCLIENT`` …"""
    kms_host: str
    """The key management host in use; empty without one."""


@dataclass(frozen=True, slots=True)
class Signature:
    """The Authenticode signature inside a file, or of the catalogue that lists it. Revocation is never looked up."""

    signer: str
    """Common name of the signing certificate; empty without a signature."""
    valid: bool | None
    """Whether the file is unchanged and the chain ends in a trusted root; None where that could not be verified offline."""


class Security(Group):
    """Security centre, licence, signatures, restore points."""

    name = "security"

    @question
    def products(self) -> Reading[tuple[SecurityProduct, ...]]:
        """The registered products. A centre that runs and has none is Known and empty; one that does not answer Unknown."""
        return self.unsupported()

    @question
    def licence(self) -> Reading[Licence]:
        """The licence of the running Windows."""
        return self.unsupported()

    @question
    def signature(self, *, path: str) -> Reading[Signature]:
        """The signature of a program file, read without any network access."""
        return self.unsupported()

    @question
    def restore_points(self) -> Reading[tuple[float, ...]]:
        """When each system restore point was made, in seconds since the epoch, sorted."""
        return self.unsupported()
