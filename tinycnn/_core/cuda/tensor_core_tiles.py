"""How a block of threads multiplies two tiles in shared memory: shared by all products on tensor
cores. Mirrors no reference file: conv, gradients and matmul differ in what they load.

A block makes BM x BN sums; each of its WM x WN warps BM / WM x BN / WN of them, in registers. The
sum is walked through DEPTH = 32 steps at a time. Tiles lie in shared memory in one of two ways:

    along     the steps of one row lie side by side: 32 numbers a row, no gaps. The 16-byte pieces
              of a row are swapped, piece p of row r lies at p ^ (r % 8): eight rows of one piece,
              which ldmatrix reads at once, then lie in different banks.
    across    one step of many rows side by side, as pixels hold their channels: rows of BM numbers,
              8 apart. ldmatrix can transpose numbers of 16 bits only, so fragments are read number
              by number; the gaps of 8 make 4 steps x 8 rows lie in 32 banks.

STAGES tiles are in shared memory at once: while one is multiplied, later ones are on their way.

Source: NVIDIA CUTLASS, "Efficient GEMM in CUDA" (the tiles of a block, a warp, an instruction).
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import NamedTuple

from . import backend, mode
from .primitives import cuda, device, int32, quotient
from .tensor_core import copy_rows, cp_wait, ldmatrix, lds_a, lds_b, mma, mma3, round_tf32, split

# What kernels are compiled with: see `constants`.
BM = BN = WN = STAGES = WAITING = STAGE = SUMS = TILE_ROWS = TILE_PAIRS = TILE_COLUMNS = 0
HIGH = ROUND_A = ROUND_B = A_SIZE = 0
A_ALONG = A_CHUNKS = A_LINE = A_APART = A_LOADS = A_STEP = A_TILES = A_NEXT = 0
B_ALONG = B_CHUNKS = B_LINE = B_APART = B_LOADS = B_STEP = B_TILES = B_NEXT = 0

DEPTH = 32  # steps of the sum in one tile
GAP = 8
LEAST_STEPS = 2 if mode.SIMULATED else 8  # tiles that a part of a split sum is made of


class Tile(NamedTuple):
    """Sizes of a block's work. speed: what large products should reach with it, relative to the
    first: an estimate."""

    BM: int
    BN: int
    WM: int
    WN: int
    STAGES: int
    speed: float

    @property
    def threads(self):
        return 32 * self.WM * self.WN


GPU_TILES = (Tile(128, 128, 2, 4, 3, 1.0), Tile(128, 64, 4, 2, 3, 0.9), Tile(64, 128, 2, 4, 3, 0.9),
             Tile(64, 64, 2, 2, 4, 0.75))
TILES = (Tile(32, 32, 1, 2, 3, 1.0), Tile(64, 32, 2, 1, 2, 1.0)) if mode.SIMULATED else GPU_TILES


@cache
def constants(tile, a_along, b_along, high, a_rounded=False, b_rounded=False):
    """What a kernel is compiled with for a tile.

    Args:    a_along, b_along (bool): how the tiles of both sides lie.
             high (bool): TF32, not 3xTF32.
             a_rounded, b_rounded (bool): its numbers are TF32 already.
    """
    m, n = tile.BM // tile.WM // 16, tile.BN // tile.WN // 8
    found = {"BM": tile.BM, "BN": tile.BN, "WN": tile.WN, "STAGES": tile.STAGES,
             "WAITING": tile.STAGES - 2, "SUMS": 4 * m * n, "TILE_ROWS": 2 * m, "TILE_PAIRS": n,
             "TILE_COLUMNS": 2 * n, "THREADS": tile.threads,
             "ROUND_A": int(high and not a_rounded), "ROUND_B": int(high and not b_rounded),
             "HIGH": int(high)}
    assert tile.STAGES >= 2
    assert (16 * m * tile.WM, 8 * n * tile.WN) == (tile.BM, tile.BN)
    sizes = {}
    for side, rows, tiles, along in ("A", tile.BM, m, a_along), ("B", tile.BN, n, b_along):
        chunks, line = (DEPTH // 4, DEPTH) if along else (rows // 4, rows + GAP)
        apart = tile.threads // chunks  # rows from one load of a thread to the next
        lines = rows if along else DEPTH
        loads, sizes[side] = lines // apart, lines * line
        assert (apart * chunks, loads * apart) == (tile.threads, lines)
        if along:  # pieces are swapped alike in all loads of a thread; ldmatrix reads 16 columns
            assert (apart % 8, side == "B" and tiles % 2) == (0, False)
        found |= {f"{side}_ALONG": int(along), f"{side}_CHUNKS": chunks, f"{side}_LINE": line,
                  f"{side}_APART": apart, f"{side}_LOADS": loads, f"{side}_STEP": apart * line,
                  f"{side}_TILES": tiles // 2 if along and side == "B" else tiles,
                  f"{side}_NEXT": 16 * line if along else line}
    return found | {"A_SIZE": sizes["A"], "STAGE": sizes["A"] + sizes["B"]}


def instructions(found):
    """Which machine instructions a kernel must have."""
    loads = ["LDSM"] if found["A_ALONG"] or found["B_ALONG"] else []
    return ["HMMA.1688.F32.TF32", r"LDGSTS\S*128", *loads]


def shared_bytes(found):
    return 4 * found["STAGE"] * found["STAGES"]


@cache
def multiprocessors():
    """How many the current GPU has."""
    return 4 if mode.SIMULATED else _attribute("MultiProcessorCount")


@cache
def most_shared():
    """Bytes of shared memory that a block may have."""
    return 99 * 1024 if mode.SIMULATED else _attribute("MaxSharedMemoryPerBlockOptin")


def _attribute(name):
    return backend.xp.cuda.Device().attributes[name]


@cache
def capable():
    """Whether the current GPU has tensor cores for TF32, and `cp.async`."""
    return mode.SIMULATED or int(backend.xp.cuda.Device().compute_capability) >= 80


def tiles(high):
    """Those to choose from: with 3xTF32 there are too few registers for the largest."""
    return TILES if high else TILES[1:]


@lru_cache(maxsize=4096)
def choose(rows, columns, others, *layout):
    """The constants with which (rows, columns) sums, `others` times, take least: all
    multiprocessors work until the last wave of blocks is done.

    Args:    layout: of the tiles, as for `constants`.
    """
    def time(tile):
        blocks = -(-rows // tile.BM) * -(-columns // tile.BN) * others
        return -(-blocks // multiprocessors()) * tile.BM * tile.BN / tile.speed

    fit = [tile for tile in tiles(layout[2])
           if shared_bytes(constants(tile, *layout)) <= most_shared()]
    return constants(min(fit, key=time), *layout)


def blocks_of(found, rows, columns):
    """How many blocks (rows, columns) sums are."""
    return -(-rows // found["BM"]) * -(-columns // found["BN"])


def run(kernel, grid, arguments, found):
    """Launch with the constants that `choose` found."""
    kernel.launch(grid, arguments, threads=found["THREADS"], shared=shared_bytes(found), **found)


def split_depth(steps, blocks):
    """Into how many parts to split a sum of `steps` tiles, so that all multiprocessors have work.

    Returns: (parts, length of each in numbers).
    """
    parts = max(1, min(2 * multiprocessors() // max(blocks, 1), steps // LEAST_STEPS))
    length = max(1, -(-steps // parts))
    return max(1, -(-steps // length)), length * DEPTH


@device
def block_corner(columns):
    """The first row and column of the sums of this block; neighbours share rows."""
    blocks = quotient(columns + BN - 1, BN)
    row = quotient(cuda.blockIdx.x, blocks)
    return int32(row * BM), int32((cuda.blockIdx.x - row * blocks) * BN)


@device
def warp_corner(t):
    """The first row and column of the sums of thread t's warp in its block."""
    warp = t >> 5
    row = quotient(warp, WN)
    return (int32(row * (8 * TILE_ROWS)),
            int32((warp - row * WN) * (8 * TILE_PAIRS)))


@device
def wait_for(step):
    """Until all threads' copies for a step have landed, and nobody reads the last one any more."""
    if step >= 0:
        cp_wait(WAITING)
        cuda.syncthreads()


@device
def next_slot(slot):
    """Where the stage behind that at `slot` lies."""
    return int32(slot + STAGE if slot < (STAGES - 1) * STAGE else 0)


@device
def copy_a(tile, slot, t, x, rows, width, column):
    """Begin to copy what thread t copies of A, from x[rows * width + column]."""
    row = quotient(t, A_CHUNKS)
    chunk = t - row * A_CHUNKS
    place = row * A_LINE + 4 * (chunk ^ (row & 7) if A_ALONG else chunk)
    copy_rows(tile, int32(slot + place), A_STEP, x, rows, width, column)


@device
def copy_b(tile, slot, t, x, rows, width, column):
    row = quotient(t, B_CHUNKS)
    chunk = t - row * B_CHUNKS
    place = A_SIZE + row * B_LINE + 4 * (chunk ^ (row & 7) if B_ALONG else chunk)
    copy_rows(tile, int32(slot + place), B_STEP, x, rows, width, column)


@device
def fragment_a(t):
    """Where thread t reads its first numbers of A."""
    lane, (row, _) = t & 31, warp_corner(t)
    if A_ALONG:
        row += lane & 15
        return row * DEPTH + 4 * ((lane >> 4) ^ (row & 7))
    return (lane & 3) * A_LINE + row + (lane >> 2)


@device
def fragment_b(t):
    lane, (_, column) = t & 31, warp_corner(t)
    if B_ALONG:
        column += (lane & 7) + ((lane >> 4) << 3)
        return A_SIZE + column * DEPTH + 4 * (((lane >> 3) & 1) ^ (column & 7))
    return A_SIZE + (lane & 3) * B_LINE + column + (lane >> 2)


@device
def read_a(tile, i, k):
    """Fragments of A for steps 8 k to 8 k + 7."""
    if A_ALONG:
        return ldmatrix(tile, int32(i ^ (8 * k)), A_TILES, A_NEXT)
    return lds_a(tile, int32(i + 8 * k * A_LINE), A_TILES, A_NEXT)


@device
def read_b(tile, i, k):
    if B_ALONG:
        return ldmatrix(tile, int32(i ^ (8 * k)), B_TILES, B_NEXT)
    return lds_b(tile, int32(i + 8 * k * B_LINE), B_TILES, B_NEXT)


@device
def multiply_steps(sums, a, b):
    if HIGH:
        if ROUND_A:
            a = round_tf32(a)
        if ROUND_B:
            b = round_tf32(b)
        return mma(sums, a, b)
    return mma3(sums, split(a), split(b))


@device
def multiply(sums, tile, slot, t):
    """sums + A @ B of the stage at `slot`."""
    i, j = int32(slot + fragment_a(t)), int32(slot + fragment_b(t))
    sums = multiply_steps(sums, read_a(tile, i, 0), read_b(tile, j, 0))
    sums = multiply_steps(sums, read_a(tile, i, 1), read_b(tile, j, 1))
    sums = multiply_steps(sums, read_a(tile, i, 2), read_b(tile, j, 2))
    return multiply_steps(sums, read_a(tile, i, 3), read_b(tile, j, 3))


@device
def sums_corner(m, n, t):
    """The first row and column of thread t's sums, of a block with its corner at (m, n)."""
    row, column = warp_corner(t)
    return int32(m + row + ((t & 31) >> 2)), int32(n + column + 2 * (t & 3))
