"""What kernels for tensor cores are written with, beside primitives.py. Tiles are tuples: the
compiler keeps each number of one in a register.

    copy_rows(shared, at, step, x, rows, width, column)
        begin to copy 16 bytes to shared[at + j * step], for each j, from
        x[rows[j] * width + column]; zeros where rows[j] is -1
    cp_commit()           what was begun since the last commit is a group
    cp_wait(COUNT)        until all but the last COUNT groups of this thread have landed
    ldmatrix(shared, i, COUNT, STEP)
        COUNT times four matrices of 8 rows x 4 numbers, STEP apart; lane l names row l % 8 of
        matrix l // 8 by its i, and gets number l % 4 of row l // 4 of each
    lds_a(shared, i, COUNT, STEP), lds_b(shared, i, COUNT, STEP)
        fragments number by number, from rows that are steps of the sum, STEP apart: tiles of 16 and
        of 8 columns
    round_tf32(fragment)  rounded to 10 bits after the point, halves away from zero; rounded(number)
    split(fragment)       (high parts, low parts) of TF32 numbers, high + low the number
    mma(sums, a, b)       sums[m, n] + a[m] @ b[n] over tiles of 16 x 8 x 8 (mma.m16n8k8)
    mma3(sums, a, b)      the same of what `split` made, without low times low
    pairs(x, i, COUNT, end)   x[i + 8 n], x[i + 8 n + 1] for each n, 0 from `end` on
    store_tile(y, rows, column, end, sums, add, least, EVEN)
        y[rows[r] + column + 8 n + k] = max(sums[r, n, k] + add[n, k], least) for columns below
        `end` and rows[r] that are not -1; EVEN: pairs in one instruction

Fragments (PTX ISA, mma.m16n8k8 .tf32), g = lane // 4, t = lane % 4:
    a   (g, t), (g + 8, t), (g, t + 4), (g + 8, t + 4)     row, step of the sum
    b   (t, g), (t + 4, g)                                 step of the sum, column
    sums (g, 2 t), (g, 2 t + 1), (g + 8, 2 t), (g + 8, 2 t + 1)
"""

from .mode import SIMULATED

if SIMULATED:
    from .tensor_core_twins import *  # noqa: F403
else:
    from .tensor_core_intrinsics import *  # noqa: F403
