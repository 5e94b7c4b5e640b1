"""Every public name has an example, and every example runs and prints what it says."""

import doctest
import importlib
import inspect
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
        if not info.name.startswith(("tinycnn._core.cpu", "tinycnn._core.cuda"))
    ]


@pytest.mark.parametrize("name", _modules())
def test_examples_in_docstrings(name):
    module = importlib.import_module(name)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    report = []
    for test in doctest.DocTestFinder(parser=_Parser()).find(module, name):
        runner.run(test, out=report.append)
    assert runner.failures == 0, "".join(report)


PUBLIC = ("tinycnn", "tinycnn.arithmetic",
          "tinycnn.nn", "tinycnn.nn.functional", "tinycnn.nn.init", "tinycnn.nn.utils",
          "tinycnn.ops", "tinycnn.optim", "tinycnn.optim.lr_scheduler", "tinycnn.data",
          "tinycnn.data.transforms", "tinycnn.models", "tinycnn.testing", "tinycnn.cuda")


def _public(module):
    """Classes and functions that a module offers: all that it names, or has not from elsewhere."""
    named = getattr(module, "__all__", None)
    for name in named or [n for n in vars(module) if not n.startswith("_")]:
        value = getattr(module, name)
        own = getattr(value, "__module__", "").startswith(module.__name__)
        is_class = inspect.isclass(value) and not issubclass(value, Exception)
        if (is_class or inspect.isfunction(value)) and (own or named):
            yield name, value


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_has_a_docstring_with_an_example(name):
    public = dict(_public(importlib.import_module(name)))
    assert public
    assert [n for n, value in public.items() if "Example: >>> " not in (value.__doc__ or "")] == []
