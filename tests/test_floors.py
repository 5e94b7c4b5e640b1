"""Floors: every file imports from below only, devices are known in one place, and `import tinycnn`
brings in nothing but what it needs."""

import ast
import sys
from pathlib import Path

import pytest

import tinycnn

ROOT = Path(tinycnn.__file__).parent
REPOSITORY = Path(__file__).parent.parent
FLOORS = [  # the longest name that fits counts
    ("tinycnn._core.shapes", "tinycnn._core.checks", "tinycnn._core.precision"),
    ("tinycnn._core.dtypes", "tinycnn._core.gpu", "tinycnn._core.reference", "tinycnn._core.cpu",
     "tinycnn._core.cuda"),
    ("tinycnn._core",),
    ("tinycnn.autograd", "tinycnn.random", "tinycnn._version", "tinycnn._printing",
     "tinycnn.arithmetic"),
    ("tinycnn.ops",),
    ("tinycnn.tensor", "tinycnn._exchange", "tinycnn._in_place", "tinycnn.creation",
     "tinycnn.sampling", "tinycnn.config", "tinycnn.cuda",
     "tinycnn._capture"),
    ("tinycnn.nn", "tinycnn.optim", "tinycnn.data", "tinycnn.testing", "tinycnn.serialization"),
    ("tinycnn.models", "tinycnn._summary"),
    ("tinycnn",),
    ("tinycnn.bench",),
    ("tinycnn.__main__",),
]
# Layers, operations that are no layer in PyTorch (cat), the class for annotations, error sentences.
ALLOWED_IN_MODELS = {"tinycnn.models", "tinycnn.nn", "tinycnn.ops", "tinycnn.tensor",
                     "tinycnn._core.checks"}
CORE_DEPENDENCIES = {"numpy", "safetensors", "tqdm"}
GPU_DEPENDENCIES = {"cupy", "cuda", "greenlet", "llvmlite", "numba"}  # of _core/cuda alone
DEVICES = {"cpu", "cuda"}
# Devices that are passed on, and a file that names the processor.
KNOWN = {"cpu", "cuda", "/proc/cpuinfo"}
PUBLIC = {"tinycnn.cuda"}  # PyTorch's name for the functions of that device, for users


def name_of(path):
    """tinycnn/nn/conv.py: tinycnn.nn.conv."""
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {name_of(path): path for path in sorted(ROOT.rglob("*.py"))}


def floor_of(module):
    """(number, entry) of the floor a module is on."""
    fits = [(len(entry), number, entry) for number, floor in enumerate(FLOORS) for entry in floor
            if module == entry or module.startswith(entry + ".")]
    assert fits, f"{module} is on no floor: add it to FLOORS"
    return max(fits)[1:]


def folder_of(module):
    return module if FILES.get(module, ROOT).name == "__init__.py" else module.rpartition(".")[0]


def nodes(path, in_functions=True):
    """All nodes of a file, but those that only a type checker reads."""
    stack = [ast.parse(path.read_text(encoding="utf-8"))]
    while stack:
        node = stack.pop()
        yield node
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                continue
            if in_functions or not isinstance(child, (ast.FunctionDef, ast.Lambda)):
                stack.append(child)


def imports(module, in_functions=True):
    """Full names of the modules that a module imports."""
    path = FILES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in nodes(path, in_functions):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1]
            source = ".".join((base if node.level else []) + ([node.module] if node.module else []))
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                compiled = source == "tinycnn._core.cpu"
                yield inner if inner in FILES or compiled else source


def test_the_files_are_found():
    assert len(FILES) > 40
    assert "tinycnn.autograd" in list(imports("tinycnn.ops.conv"))


@pytest.mark.parametrize("module", FILES)
def test_a_file_imports_from_below_only(module):
    floor, entry = floor_of(module)
    for other in imports(module):
        if not other.startswith("tinycnn"):
            continue
        below, other_entry = floor_of(other)
        if below == floor:  # the same folder, or the CPU's kernels that borrow from reference
            together = entry == other_entry or folder_of(module) == folder_of(other)
            borrowed = other_entry == "tinycnn._core.reference" or (
                entry, other_entry) == ("tinycnn._core.cuda", "tinycnn._core.gpu")
            assert together or borrowed, f"{module} imports its neighbour {other}"
        assert below <= floor, f"{module} (floor {floor}) imports {other} (floor {below})"
        if entry == "tinycnn.models":
            assert other_entry in ALLOWED_IN_MODELS, f"{module} imports {other}"


@pytest.mark.parametrize("module", FILES)
def test_a_file_imports_what_is_installed_with_tinycnn_only(module):
    allowed = set(sys.stdlib_module_names) | {"tinycnn"}
    if floor_of(module)[0] > 0:
        allowed |= CORE_DEPENDENCIES
    if module.startswith("tinycnn._core.cuda"):
        allowed |= GPU_DEPENDENCIES
    for other in imports(module, in_functions=False):
        assert other.partition(".")[0] in allowed, f"{module} imports {other}"


@pytest.mark.parametrize("module", [m for m in FILES if floor_of(m)[0] == 4])
def test_operations_do_not_call_numpy(module):
    assert not [other for other in imports(module) if other.partition(".")[0] == "numpy"]


@pytest.mark.parametrize("module", [m for m in FILES if floor_of(m)[0] > 2 and m not in PUBLIC])
def test_no_file_above_the_dispatch_knows_a_device(module):
    """The word may be the name of a device that is passed on, and a method that asks for it."""
    for other in imports(module):
        assert other in PUBLIC or not DEVICES & set(other.split(".")), f"{module} imports {other}"
    for node in nodes(FILES[module]):
        name = getattr(node, "id", None) or getattr(node, "attr", None)
        asked = isinstance(node, ast.Attribute) and ast.unparse(node.value) == "tinycnn"
        assert asked or not isinstance(name, str) or name.lower() not in DEVICES, (
            f"{module}: {name}")
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value:
            assert node.value in KNOWN or not any(d in node.value for d in DEVICES), node.value


@pytest.mark.parametrize("folder", ["examples", "benchmarks"])
def test_examples_and_benchmarks_use_no_private_name(folder):
    paths = sorted((REPOSITORY / folder).rglob("*.py"))
    assert paths
    for path in paths:
        for node in nodes(path):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tinycnn"):
                names = [*node.module.split("."), *[alias.name for alias in node.names]]
                private = [n for n in names if n.startswith("_")]
                assert not private, f"{path.name}: {private}"
            if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
                owner = ast.unparse(node.value)
                private = owner.partition(".")[0] == "tinycnn" and node.attr != "__version__"
                assert not private, f"{path.name}: {owner}.{node.attr}"


@pytest.mark.parametrize("module", [m for m in FILES if m.startswith("tinycnn.bench")])
def test_the_command_uses_no_private_name(module):
    for other in imports(module):
        assert not any(part.startswith("_") for part in other.split(".")), f"{module}: {other}"
    for node in nodes(FILES[module]):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value).startswith("tinycnn"):
            assert not node.attr.startswith("_"), f"{module}: {ast.unparse(node)}"


def test_nothing_below_imports_the_command():
    assert [m for m in FILES if not m.startswith("tinycnn.bench") and m != "tinycnn.__main__"
            for other in imports(m) if other.startswith("tinycnn.bench")] == []


def test_importing_tinycnn_brings_in_no_extra(run_python):
    extras = ["numba", "torch", "matplotlib", "PIL", "cupy", "onnx", "urllib.request", "tqdm",
              "tinycnn.bench"]
    run = run_python(f"import sys, tinycnn; print([m for m in {extras} if m in sys.modules])")
    assert (run.stdout.strip(), run.stderr) == ("[]", "")
