"""Loading the software detection dictionary."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ybscan.model.dictionary import Dictionary, DictionaryFile, Product
from ybscan.model.problem import InputProblems, Problem
from ybscan.rules.expressions import bad_expression
from ybscan.rules.load import read_document
from ybscan.rules.strict_yaml import line_at

#: Expressions that match this say nothing about a product.
_ANY_NAME = ("", "网络", "document viewer")
#: Expressions are joined into one: flags in the middle, groups by name or number would mean something else there.
_NOT_JOINABLE = re.compile(r"(?<!\\)\(\?[aiLmsuxP]|\\[1-9]")


def load_dictionary(root: Path) -> Dictionary:
    """Every product of ``root/software/*.yml``.

    Raises:
        InputProblems: malformed files, duplicate products or packages, expressions that do not compile or match all.
    """
    products: dict[str, Product] = {}
    owners: dict[str, str] = {}
    problems: list[Problem] = []
    dates: list[str] = []
    folder = root / "software"
    for path in sorted(folder.glob("*.yml")) if folder.is_dir() else ():
        try:
            document, raw = read_document(DictionaryFile, path)
        except InputProblems as e:
            problems.extend(e.problems)
            continue
        dates.append(min(document.date, *(p.checked for p in document.products)).isoformat())
        for i, product in enumerate(document.products):
            line = line_at(raw, ("products", i))
            found = [f"产品“{product.id}”重复"] if product.id in products else []
            found += [*_bad_expressions(product), *_bad_names(product, owners)]
            products[product.id] = product
            problems.extend(Problem(str(path), line, message, "") for message in found)
    if problems:
        raise InputProblems(problems)
    return Dictionary(tuple(products.values()), min(dates, default=""))


def _bad_expressions(product: Product) -> Iterator[str]:
    for expression in (*product.names, *product.not_names, *product.windows.signers, *product.linux.signers):
        wrong = bad_expression(expression)
        if wrong:
            yield f"产品“{product.id}”的“{expression}”：{wrong}"
            continue
        compiled = re.compile(expression, re.IGNORECASE)
        if _NOT_JOINABLE.search(expression):
            yield f"产品“{product.id}”的正则表达式“{expression}”不能使用内嵌标志、命名分组或反向引用"
        if expression not in product.not_names and any(compiled.search(text) for text in _ANY_NAME):
            yield f"产品“{product.id}”的正则表达式“{expression}”过宽，任何名称都会命中"


def _bad_names(product: Product, owners: dict[str, str]) -> Iterator[str]:
    """Names that would match everything, or that two products claim as conclusive."""
    for system, traces in (("windows", product.windows), ("linux", product.linux)):
        for name in (*traces.packages, *traces.apps, *traces.processes, *traces.services, *traces.paths):
            if len(re.sub(r"[*?./~\\]", "", name)) < 2:
                yield f"产品“{product.id}”的名称“{name}”过宽"
        for name in {*traces.packages, *traces.apps}:
            owner = owners.setdefault(f"{system}:{name.casefold()}", product.id)
            if owner != product.id:
                yield f"产品“{product.id}”的名称“{name}”已属于产品“{owner}”"
