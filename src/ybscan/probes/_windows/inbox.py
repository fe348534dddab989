"""What comes with Windows and cannot be told from a choice by being there: it counts by its use.

Edge belongs to every Windows from build 19041 on and cannot be removed; whether a browser gets anywhere is for the rules about
networks. OneDrive is there for every new account and does nothing until somebody logs in to it: then its key ``Accounts`` has a
subkey with the folder and the address of that account.
"""

from __future__ import annotations

from ybscan.model.dictionary import Product
from ybscan.model.reading import Cause, Known, Unknown
from ybscan.probes._software.records import Inventory
from ybscan.probes._windows.places import Places

#: Below each person's part of the registry, by the id of the product that needs a login to be of any use.
_LOGINS = {"onedrive": r"Software\Microsoft\OneDrive\Accounts"}
_LOGGED_IN = ("UserFolder", "UserEmail")


def comes_with(inventory: Inventory, product: Product) -> bool | Unknown:
    """True when the product is part of this Windows and nobody made more of it; Unknown with what has to be looked at."""
    host, places = inventory.host, inventory.places
    if product.windows.inbox is None or host is None or not isinstance(places, Places):
        return False
    edition = host.system.windows()
    if not isinstance(edition, Known):
        return edition if isinstance(edition, Unknown) else False
    if edition.value.build < product.windows.inbox:
        return False
    below = _LOGINS.get(product.id)
    if below is None:
        return True
    for hive in places.people:
        key = f"HKU\\{hive.sid}\\{below}"
        accounts = host.registry.subkeys(key=key)
        if isinstance(accounts, Unknown):
            return accounts
        if not isinstance(accounts, Known):
            continue
        if accounts.gaps:
            return Unknown(accounts.gaps[0].cause, accounts.gaps[0].detail, key)
        for account in accounts.value:
            for name in _LOGGED_IN:
                value = host.registry.value(key=f"{key}\\{account}", name=name)
                if isinstance(value, Unknown):
                    return value
                if isinstance(value, Known) and value.value:
                    return Unknown(Cause.UNCONFIRMED, f"{hive.account} 登录过 {product.name}，须人工核实是否批准", key)
    # Whose settings could not be read is a gap of the inventory; here it leaves the question open too.
    if places.gaps:
        return Unknown(places.gaps[0].cause, places.gaps[0].detail, places.gaps[0].origin)
    return True
