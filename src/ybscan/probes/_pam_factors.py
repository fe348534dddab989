"""How many factors a login stack really demands, by playing it through.

Sources: pam_fprintd(8), pam_u2f(8), pam_pkcs11(8), pam_oath(8), pam_yubico(8), the README of pam_google_authenticator.
A token with a certificate is only opened by its PIN, so it counts as two by itself.
"""

from __future__ import annotations

from collections.abc import Callable

from ybscan.model.reading import Cause, Unknown
from ybscan.probes._pam import Answers, Chain, Module, plays
from ybscan.probes._pam_stacks import OTHER_FACTORS, common, recognised

_NO: Answers = ("auth_err",)
_YES: Answers = ("success",)
#: Modules that ask for a code or a device besides the password.
_CODES = frozenset({"pam_google_authenticator", "pam_oath", "pam_yubico", "pam_duo"})
_SECOND = OTHER_FACTORS | _CODES
_TOKENS = frozenset({"pam_pkcs11", "pam_p11"})


def factors(modules: Chain) -> int | Unknown:
    """1 or 2: what someone needs at least to get in. Unknown where a vendor's module may change that."""
    asks = [m for m in modules if m.name in _SECOND]
    strange = [m.name for m in modules if not recognised(m) and m.name not in _SECOND]
    doubt = Unknown(Cause.UNCONFIRMED, f"{'、'.join(dict.fromkeys(strange))} 的鉴别方式不能确定", _where(modules))
    by_password = _granted(modules, password=True, others=frozenset())
    if by_password is True:
        return 1
    if by_password is None:
        return doubt if strange else Unknown(Cause.UNCONFIRMED, "登录配置过于复杂，不能推算", _where(modules))
    if not asks:
        # A right password is not enough, and nothing that we know is asked besides.
        return doubt if strange else Unknown(Cause.UNCONFIRMED, "登录配置不接受口令，不能推算", _where(modules))
    names = frozenset(m.name for m in asks)
    alone = _granted(modules, password=False, others=names - _TOKENS)
    if alone is False:
        return 2
    return 1 if alone is True else doubt


def _where(modules: Chain) -> str:
    return modules[0].source if modules else ""


def _granted(modules: Chain, *, password: bool, others: frozenset[str]) -> bool | None:
    """Whether a login with these succeeds: True always, False never, None now and then or not to be told."""
    runs = plays(modules, _answering(password=password, others=others))
    if not runs:
        return None
    granted = {r.granted for r in runs}
    return granted.pop() if len(granted) == 1 else None


def _answering(*, password: bool, others: frozenset[str]) -> Callable[[Module], Answers]:
    def answer(module: Module) -> Answers:
        if module.name == "pam_unix":
            return _YES if password else _NO
        if module.name == "pam_faillock":
            return _NO if "authfail" in module.args else _YES
        if module.name in _SECOND:
            return _YES if module.name in others else _NO
        return common(module)

    return answer
