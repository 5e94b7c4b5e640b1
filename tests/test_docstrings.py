"""Every example in a docstring runs and prints what it says."""

import doctest
import importlib
import pkgutil
import re

import pytest

import tinycnn


class _Parser(doctest.DocTestParser):
    """Docstrings here start an example beside the word, and the next section right below it:

    Example: >>> 1 + 1
             2
    Source:  ...
    """

    def parse(self, string, name="<string>"):
        string = string.replace("Example: >>>", "         >>>")
        return super().parse(re.sub(r"\n( *[A-Z][a-z]+: )", r"\n\n\1", string), name)


def _modules():
    return ["tinycnn"] + [
        info.name
        for info in pkgutil.walk_packages(tinycnn.__path__, "tinycnn.")
        if not info.name.startswith("tinycnn._core.cpu")
    ]


@pytest.mark.parametrize("name", _modules())
def test_examples_in_docstrings(name):
    module = importlib.import_module(name)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    report = []
    for test in doctest.DocTestFinder(parser=_Parser()).find(module, name):
        runner.run(test, out=report.append)
    assert runner.failures == 0, "".join(report)
