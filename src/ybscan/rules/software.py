"""Loading the software detection dictionary."""

from __future__ import annotations

import re
from pathlib import Path

from ybscan.model.dictionary import Dictionary, DictionaryFile, Product
from ybscan.model.problem import InputProblems, Problem
from ybscan.rules.load import read_document
from ybscan.rules.strict_yaml import line_at


def load_dictionary(root: Path) -> Dictionary:
    """Every product of ``root/software/*.yml``.

    Raises:
        InputProblems: malformed files, duplicate products, expressions that do not compile.
    """
    products: dict[str, Product] = {}
    problems: list[Problem] = []
    dates: list[str] = []
    folder = root / "software"
    for path in sorted(folder.glob("*.yml")) if folder.is_dir() else ():
        try:
            document, raw = read_document(DictionaryFile, path)
        except InputProblems as e:
            problems.extend(e.problems)
            continue
        dates.append(document.date.isoformat())
        for i, product in enumerate(document.products):
            line = line_at(raw, ("products", i))
            if product.id in products:
                problems.append(Problem(str(path), line, f"产品“{product.id}”重复", ""))
            products[product.id] = product
            for expression in (
                *product.not_names,
                *(e for t in (product.windows, product.linux) for e in (*t.names, *t.signers)),
            ):
                try:
                    re.compile(expression)
                except re.error as e:
                    problems.append(
                        Problem(str(path), line, f"产品“{product.id}”的正则表达式“{expression}”有误（{e.msg}）", "")
                    )
    if problems:
        raise InputProblems(problems)
    return Dictionary(tuple(products.values()), min(dates, default=""))
