from libc.stdint cimport int64_t

cdef extern from "simd/gemm_api.hh" nogil:
    struct Gemm:
        int64_t m, n, k, a_row, a_k, b_k, b_n

# One product, for kernels whose work is a matrix product in the end.
cdef int multiply(const Gemm* g, int wide, const char* a, const char* b, const char* bias, char* c) except -1
