"""Kernels for the CPU: Cython entry points over C++ header kernels (`simd/`), and NumPy's own
functions, borrowed from `reference`, where nothing would be gained."""
