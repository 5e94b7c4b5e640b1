"""The primitives of tensor_core.py on a GPU: PTX instructions, inline."""

from llvmlite import ir
from numba import types
from numba.cuda.extending import intrinsic

from .intrinsics import literal, pack, unpack

__all__ = ["copy_rows", "cp_commit", "cp_wait", "ldmatrix", "lds_a", "lds_b", "mma", "mma3",
           "pairs", "round_tf32", "rounded", "split", "store_tile"]

BIT, INT, LONG = ir.IntType(1), ir.IntType(32), ir.IntType(64)
FLOAT, VOID = ir.FloatType(), ir.VoidType()
FOUR_INTS, FOUR_FLOATS = [ir.LiteralStructType([t] * 4) for t in (INT, FLOAT)]


def asm(builder, text, result, constraints, arguments, volatile=True):
    """One or more PTX instructions; volatile: in order, and never left out."""
    kinds = ir.FunctionType(result, [a.type for a in arguments])
    code = ir.InlineAsm(kinds, text, constraints, side_effect=volatile)
    return builder.call(code, arguments)


def _shared_address(context, builder, type_, array, i):
    """Bytes from the start of shared memory to element i."""
    start = context.make_array(type_)(context, builder, array).data
    text = "{ .reg .u64 t; cvta.to.shared.u64 t, $1; cvt.u32.u64 $0, t; }"
    start = asm(builder, text, INT, "=r,l", [builder.ptrtoint(start, LONG)], volatile=False)
    return builder.add(start, builder.shl(_int(builder, i), INT(2)))


def _int(builder, value):
    return value if value.type == INT else builder.trunc(value, INT)


def _long(builder, value):
    return value if value.type == LONG else builder.sext(value, LONG)


@intrinsic
def copy_rows(typing, shared, at, step, x, rows, width, column):
    if not literal(step):
        return None
    (apart,) = literal(step)

    def generate(context, builder, signature, arguments):
        to = _shared_address(context, builder, shared, arguments[0], arguments[1])
        first = builder.gep(arguments[3], [_long(builder, arguments[6])])
        first = builder.ptrtoint(first, LONG)
        line = builder.shl(_int(builder, arguments[5]), INT(2))  # bytes
        for j, row in enumerate(unpack(builder, arguments[4], rows.count)):
            source = asm(builder, "mad.wide.s32 $0, $1, $2, $3;", LONG, "=l,r,r,l",
                         [row, line, first], False)
            text = ("{ .reg .pred outside; setp.lt.s32 outside, $2, 0; cp.async.cg.shared.global "
                    f"[$0+{4 * apart * j}], [$1], 16, outside; }}")
            asm(builder, text, VOID, "r,l,r,~{memory}", [to, source, row])
        return context.get_dummy_value()

    return types.void(shared, at, step, x, rows, width, column), generate


@intrinsic
def cp_commit(typing):
    def generate(context, builder, signature, arguments):
        asm(builder, "cp.async.commit_group;", VOID, "~{memory}", [])
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic
def cp_wait(typing, count):
    if not literal(count):
        return None

    def generate(context, builder, signature, arguments):
        asm(builder, f"cp.async.wait_group {literal(count)[0]};", VOID, "~{memory}", [])
        return context.get_dummy_value()

    return types.void(count), generate


@intrinsic
def ldmatrix(typing, shared, i, count, step):
    if not literal(count, step):
        return None
    n, apart = literal(count, step)

    def generate(context, builder, signature, arguments):
        start, found = _shared_address(context, builder, shared, *arguments[:2]), []
        for part in range(n):
            text = (f"ldmatrix.sync.aligned.m8n8.x4.shared.b16 {{$0, $1, $2, $3}}, "
                    f"[$4+{4 * apart * part}];")
            four = asm(builder, text, FOUR_INTS, "=r,=r,=r,=r,r,~{memory}", [start])
            found += unpack(builder, four, 4)
        return pack(builder, INT, found)

    return types.UniTuple(types.int32, 4 * n)(shared, i, count, step), generate


def _lds(size, places):
    """An intrinsic that loads fragments of tiles of `size` columns, number by number; places:
    (column, step of the sum) of each number."""

    @intrinsic
    def fragments(typing, shared, i, count, step):
        if not literal(count, step):
            return None
        n, apart = literal(count, step)

        def generate(context, builder, signature, arguments):
            start, found = _shared_address(context, builder, shared, *arguments[:2]), []
            for tile in range(n):
                for column, k in places:
                    text = f"ld.shared.b32 $0, [$1+{4 * (size * tile + column + apart * k)}];"
                    found.append(asm(builder, text, INT, "=r,r,~{memory}", [start]))
            return pack(builder, INT, found)

        return types.UniTuple(types.int32, n * len(places))(shared, i, count, step), generate

    return fragments


lds_a = _lds(16, [(0, 0), (8, 0), (0, 4), (8, 4)])
lds_b = _lds(8, [(0, 0), (0, 4)])


@intrinsic
def round_tf32(typing, fragment):
    def generate(context, builder, signature, arguments):
        given = unpack(builder, arguments[0], fragment.count)
        text = "cvt.rna.tf32.f32 $0, $1;"
        return pack(builder, INT, [asm(builder, text, INT, "=r,r", [v], False) for v in given])

    return fragment(fragment), generate


@intrinsic
def rounded(typing, value):
    def generate(context, builder, signature, arguments):
        text = "cvt.rna.tf32.f32 $0, $1;"
        bits = asm(builder, text, INT, "=r,f", arguments, False)
        return builder.bitcast(bits, FLOAT)

    return value(value), generate


@intrinsic
def split(typing, fragment):
    def generate(context, builder, signature, arguments):
        given = unpack(builder, arguments[0], fragment.count)
        high = [builder.and_(v, INT(0xFFFFE000)) for v in given]
        low = [builder.fsub(builder.bitcast(v, FLOAT), builder.bitcast(h, FLOAT))
               for v, h in zip(given, high)]
        return pack(builder, fragment_type, [pack(builder, INT, high), pack(
            builder, INT, [builder.bitcast(v, INT) for v in low])])

    fragment_type = ir.ArrayType(INT, fragment.count)
    return types.UniTuple(fragment, 2)(fragment), generate


def _products(builder, sums, a, b):
    """sums + a @ b; LLVM values in lists."""
    text = ("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {$0, $1, $2, $3}, "
            "{$4, $5, $6, $7}, {$8, $9}, {$10, $11, $12, $13};")
    found, columns = [], len(b) // 2
    for tile in range(len(sums) // 4):
        m, n = divmod(tile, columns)
        given = a[4 * m:4 * m + 4] + b[2 * n:2 * n + 2] + sums[4 * tile:4 * tile + 4]
        four = asm(builder, text, FOUR_FLOATS, "=f,=f,=f,=f,r,r,r,r,r,r,f,f,f,f", given, False)
        found += unpack(builder, four, 4)
    return found


@intrinsic
def mma(typing, sums, a, b):

    def generate(context, builder, signature, arguments):
        given = [unpack(builder, v, t.count) for v, t in zip(arguments, signature.args)]
        return pack(builder, FLOAT, _products(builder, *given))

    return sums(sums, a, b), generate


@intrinsic
def mma3(typing, sums, a, b):
    def generate(context, builder, signature, arguments):
        total = unpack(builder, arguments[0], sums.count)
        (a_high, a_low), (b_high, b_low) = [
            [unpack(builder, half, type_.dtype.count) for half in unpack(builder, value, 2)]
            for value, type_ in zip(arguments[1:], signature.args[1:])]
        for x, y in (a_low, b_high), (a_high, b_low), (a_high, b_high):  # small ones first
            total = _products(builder, total, x, y)
        return pack(builder, FLOAT, total)

    return sums(sums, a, b), generate


@intrinsic
def pairs(typing, x, i, count, end):
    if not literal(count):
        return None
    (n,) = literal(count)

    def generate(context, builder, signature, arguments):
        i, end = _int(builder, arguments[1]), _int(builder, arguments[3])
        first = builder.ptrtoint(builder.gep(arguments[0], [_long(builder, i)]), LONG)
        found = []
        for place in [8 * tile + k for tile in range(n) for k in (0, 1)]:
            there = builder.icmp_signed("<", builder.add(i, INT(place)), end)
            text = ("{ .reg .pred p; setp.ne.u32 p, $2, 0; mov.f32 $0, 0f00000000; "
                    f"@p ld.global.nc.f32 $0, [$1+{4 * place}]; }}")
            found.append(asm(builder, text, FLOAT, "=&f,l,r", [first, builder.zext(there, INT)]))
        return pack(builder, FLOAT, found)

    return types.UniTuple(x.dtype, 2 * n)(x, i, count, end), generate


@intrinsic
def store_tile(typing, y, rows, column, end, sums, add, least, even):
    if not literal(even):
        return None

    def generate(context, builder, signature, arguments):
        place, end = _int(builder, arguments[2]), _int(builder, arguments[3])
        given = unpack(builder, arguments[4], sums.count)
        extra = unpack(builder, arguments[5], add.count)
        inside = [builder.icmp_signed("<", builder.add(place, INT(8 * (k // 2) + k % 2)), end)
                  for k in range(add.count)]
        for r, row in enumerate(unpack(builder, arguments[1], rows.count)):
            to = builder.add(row, _long(builder, place))
            to = builder.ptrtoint(builder.gep(arguments[0], [to]), LONG)
            there = builder.icmp_signed(">=", row, LONG(0))
            for k in range(0, add.count, 2):
                at = r // 2 * 2 * add.count + 2 * k + 2 * (r % 2)
                values = [_at_least(builder, builder.fadd(given[at + h], extra[k + h]),
                                    arguments[6]) for h in (0, 1)]
                may = [builder.zext(builder.and_(there, inside[k + h]), INT) for h in (0, 1)]
                _store_pair(builder, to, 16 * k, values, may, literal(even)[0])
        return context.get_dummy_value()

    return types.void(y, rows, column, end, sums, add, least, even), generate


def _at_least(builder, value, least):
    return asm(builder, "max.NaN.f32 $0, $1, $2;", FLOAT, "=f,f,f", [value, least], False)


def _store_pair(builder, to, offset, values, may, even):
    """Two neighbours, each where it may be: `even` says that both may or none."""
    open_ = "{ .reg .pred p; setp.ne.u32 p, $%d, 0; @p st.global"
    if even:
        text = open_ % 3 + f".v2.f32 [$0+{offset}], {{$1, $2}}; }}"
        asm(builder, text, VOID, "l,f,f,r,~{memory}", [to, *values, may[0]])
        return
    for h in (0, 1):
        text = open_ % 2 + f".f32 [$0+{offset + 4 * h}], $1; }}"
        asm(builder, text, VOID, "l,f,r,~{memory}", [to, values[h], may[h]])
