"""Builds the CPU kernels: every tinycnn/_core/cpu/*.pyx becomes an extension module, and the
simd/<name>.cc beside it is compiled once for each instruction set and linked in.

The Python that every training step runs through, COMPILED, is translated by Cython as it stands: a
step of a small network takes a fifth less. Build again after a change there.

Environment: TINYCNN_DEBUG=1  bounds checks in Cython and in the C++ kernels, no optimisation, and
                              all Python left as Python, for a debugger to step through
             TINYCNN_OPENMP=0 build without OpenMP (it is used if the compiler has it)
"""

import os
import platform
import re
import sys
import tempfile
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.modified import newer_group

CPU = Path("tinycnn/_core/cpu")
DEBUG = os.environ.get("TINYCNN_DEBUG") == "1"
WANT_OPENMP = os.environ.get("TINYCNN_OPENMP") != "0"
ON_X86 = platform.machine().lower() in ("x86_64", "amd64")

DIRECTIVES = {
    "language_level": 3,
    "boundscheck": DEBUG,
    "wraparound": False,
    "cdivision": True,
    "initializedcheck": DEBUG,
    "embedsignature": True,
}

# Python files that are compiled, autograd.py with the types of autograd.pxd. What they mean stays:
# indices count from the end, and all is checked.
COMPILED = [
    "autograd", *(f"ops/{name}" for name in (
        "conv", "linear", "loss", "normalization", "pooling", "reshaping")),
    *(f"nn/{name}" for name in ("batchnorm", "container", "conv", "fusion", "linear", "pooling")),
    *(f"optim/{name}" for name in ("adam", "adamw", "optimizer", "sgd")),
]
PYTHON_DIRECTIVES = {"language_level": 3, "annotation_typing": False}

# Instruction sets beyond the baseline, and the flags that allow them.
UNIX_ISAS = {
    "avx2": ["-mavx2", "-mfma"],
    "avx512": ["-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mfma",
               "-mprefer-vector-width=512"],
}
MSVC_ISAS = {"avx2": ["/arch:AVX2"], "avx512": ["/arch:AVX512"]}
# No flag here changes a result: no fast-math, and never -march=native.
UNIX_FLAGS = ["-std=c++17", "-O3", "-g0", "-fno-math-errno", "-fno-trapping-math",
              "-fvisibility=hidden"]
UNIX_DEBUG_FLAGS = ["-std=c++17", "-O1", "-g", "-DTCN_DEBUG=1"]
MSVC_FLAGS = ["/std:c++17", "/O2"]
MSVC_DEBUG_FLAGS = ["/std:c++17", "/Od", "/DTCN_DEBUG=1"]


def has_openmp(compiler, flags):
    """Whether a program with OpenMP compiles and links here."""
    if not WANT_OPENMP:
        return False
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "openmp.cc")
        source.write_text("#include <omp.h>\nint main() { return omp_get_max_threads() < 1; }\n")
        try:
            objects = compiler.compile([str(source)], folder, extra_postargs=flags)
            compiler.link_executable(objects, str(Path(folder, "openmp")), extra_postargs=flags)
        except Exception:  # whatever a compiler raises, it means no
            return False
    return True


class BuildKernels(build_ext):
    """build_ext with the flags of the compiler, and an object file for each instruction set."""

    def finalize_options(self):
        super().finalize_options()
        self.parallel = self.parallel or os.cpu_count()

    def build_extensions(self):
        msvc = self.compiler.compiler_type == "msvc"
        self.isas = {"baseline": []}
        if ON_X86:
            self.isas.update(MSVC_ISAS if msvc else UNIX_ISAS)
        if msvc:
            self.flags = MSVC_DEBUG_FLAGS if DEBUG else MSVC_FLAGS
        else:
            self.flags = UNIX_DEBUG_FLAGS if DEBUG else UNIX_FLAGS
        openmp = ["/openmp"] if msvc else ["-fopenmp"]
        self.openmp = openmp if has_openmp(self.compiler, openmp) else []
        super().build_extensions()

    def build_extension(self, extension):
        package, _, name = extension.name.rpartition(".")
        extension.extra_link_args = [] if DEBUG or not sys.platform.startswith("linux") else [
            "-Wl,--strip-all"]
        if package != "tinycnn._core.cpu":  # of Python: nothing to gain by slow optimisation
            extension.extra_compile_args = [*self.flags, "/O1" if "/O2" in self.flags else "-O1"]
            super().build_extension(extension)
            return
        extension.extra_compile_args = [*self.flags, *self.openmp]
        extension.extra_link_args += [] if "/openmp" in self.openmp else self.openmp
        source = CPU / "simd" / f"{name}.cc"
        if source.exists():
            extension.extra_objects = [
                self.compile_for(source, isa, flags) for isa, flags in self.isas.items()
            ]
        super().build_extension(extension)

    def compile_for(self, source, isa, flags):
        """The object file of one simd/*.cc for one instruction set; the one that is there if
        nothing it is made of is newer."""
        folder = Path(self.build_temp, f"{isa}-debug" if DEBUG else isa)
        there, = self.compiler.object_filenames([str(source)], output_dir=str(folder))
        if not self.force and not newer_group(["setup.py", *included(source)], there):
            return there
        objects = self.compiler.compile(
            [str(source)],
            output_dir=str(folder),
            extra_postargs=[*self.flags, *flags, f"-DTCN_ISA={isa}"],
        )
        return objects[0]


def included(source):
    """A C++ or Cython file, and all headers of ours that it includes."""
    files, found = [source], set()
    while files:
        path = files.pop()
        if path.exists() and path not in found:
            found.add(path)
            text = path.read_text(encoding="utf-8")
            names = re.findall(r'(?:#include|cdef extern from) "([^"]+)"', text)
            files += [path.parent / name for name in names]
    return sorted(map(str, found))


def dependencies(source):
    """What an extension is made of beside its C++ file; a source package holds these, too."""
    own = [source, *CPU.glob("*.pxd"), CPU / "simd" / f"{source.stem}.cc"]
    return sorted({name for path in own for name in included(path)})


def extensions():
    import numpy
    from Cython.Build import cythonize

    modules = [
        Extension(
            f"tinycnn._core.cpu.{source.stem}",
            [str(source)],
            language="c++",
            include_dirs=[numpy.get_include(), str(CPU)],
            define_macros=[("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION"),
                           ("NPY_TARGET_VERSION", "NPY_1_22_API_VERSION")],
            depends=dependencies(source),
        )
        for source in sorted(CPU.glob("*.pyx"))
    ]
    return [*cythonize(modules, compiler_directives=DIRECTIVES), *compiled(Extension, cythonize)]


def compiled(Extension, cythonize):
    """The Python files of COMPILED; none in a debug build, where no older module may hide them."""
    files = [Path("tinycnn", f"{name}.py") for name in COMPILED]
    if DEBUG:
        for path in files:
            for kind in "so", "pyd":
                for module in path.parent.glob(f"{path.stem}.*.{kind}"):
                    module.unlink()
        return []
    return cythonize([
        Extension(".".join(path.with_suffix("").parts), [str(path)], language="c++",
                  depends=[str(types) for types in [path.with_suffix(".pxd")] if types.exists()])
        for path in files
    ], compiler_directives=PYTHON_DIRECTIVES)


setup(ext_modules=extensions(), cmdclass={"build_ext": BuildKernels})
