"""The primitives on a GPU: Numba's own, and LLVM instructions that it has no name for. See
primitives.py."""

import math

from llvmlite import ir
from numba import cuda, float32, float64, int32, int64, types, uint8, uint32, uint64
from numba.cuda.extending import intrinsic, register_jitable

__all__ = [
    "atomic_add",
    "atomic_min",
    "combine",
    "cuda",
    "cut",
    "each",
    "erfc",
    "exp",
    "expm1",
    "float32",
    "float64",
    "fma",
    "full",
    "int32",
    "int64",
    "load",
    "log",
    "log1p",
    "numbered",
    "numbers",
    "outer",
    "pointer_at",
    "quotient",
    "sqrt",
    "store",
    "tanh",
    "uint8",
    "uint32",
    "uint64",
    "warp_xor",
]

exp, expm1, log, log1p = math.exp, math.expm1, math.log, math.log1p
sqrt, tanh, erfc = math.sqrt, math.tanh, math.erfc


def literal(*values):
    """The numbers of literal types, or None where one is not known yet: an intrinsic returns None
    then and is asked again."""
    if all(isinstance(value, types.IntegerLiteral) for value in values):
        return [value.literal_value for value in values]
    return None


def pack(builder, item, values):
    """LLVM values as a tuple of one type."""
    found = ir.Constant(ir.ArrayType(item, len(values)), ir.Undefined)
    for i, value in enumerate(values):
        found = builder.insert_value(found, value, i)
    return found


def unpack(builder, packed, count):
    return [builder.extract_value(packed, i) for i in range(count)]


def address(context, builder, type_, value, index):
    """LLVM pointer to element `index` of a pointer or a shared array."""
    if isinstance(type_, types.Array):
        value = context.make_array(type_)(context, builder, value).data
    return builder.gep(value, [index])


def _width(item, count):
    """How many numbers go into one instruction of at most 16 bytes."""
    return math.gcd(count, 16 * 8 // item.bitwidth)


@intrinsic
def load(typing, x, i, count):
    """x[i], ..., x[i + count - 1] as a tuple."""
    if not literal(count):
        return None
    (n,), item = literal(count), x.dtype

    def generate(context, builder, signature, arguments):
        llvm, found = context.get_data_type(item), []
        width = _width(item, n)
        index = _as_int64(builder, signature.args[1], arguments[1])
        for part in range(0, n, width):
            place = builder.add(index, ir.Constant(ir.IntType(64), part))
            pointer = address(context, builder, signature.args[0], arguments[0], place)
            vector = ir.VectorType(llvm, width)
            read = builder.load(builder.bitcast(pointer, vector.as_pointer()))
            read.align = width * item.bitwidth // 8
            found += [builder.extract_element(read, ir.Constant(ir.IntType(32), k))
                      for k in range(width)]
        return pack(builder, llvm, found)

    return types.UniTuple(item, n)(x, i, count), generate


@intrinsic
def store(typing, x, i, values):
    """x[i], ..., x[i + n - 1] = values."""
    n, item = values.count, x.dtype

    def generate(context, builder, signature, arguments):
        llvm, width = context.get_data_type(item), _width(item, n)
        given = unpack(builder, arguments[2], n)
        index = _as_int64(builder, signature.args[1], arguments[1])
        for part in range(0, n, width):
            place = builder.add(index, ir.Constant(ir.IntType(64), part))
            pointer = address(context, builder, signature.args[0], arguments[0], place)
            vector = ir.Constant(ir.VectorType(llvm, width), ir.Undefined)
            for k in range(width):
                vector = builder.insert_element(vector, given[part + k],
                                                ir.Constant(ir.IntType(32), k))
            builder.store(vector, builder.bitcast(pointer, vector.type.as_pointer()),
                          align=width * item.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(x, i, types.UniTuple(item, n)), generate


def _as_int64(builder, type_, value):
    if value.type.width == 64:
        return value
    return (builder.sext if type_.signed else builder.zext)(value, ir.IntType(64))


def _as_int32(builder, value):
    return value if value.type.width == 32 else builder.trunc(value, ir.IntType(32))


@intrinsic
def full(typing, count, value):
    """A tuple of `count` times a number."""
    if not literal(count):
        return None
    (n,) = literal(count)

    def generate(context, builder, signature, arguments):
        return pack(builder, arguments[1].type, [arguments[1]] * n)

    return types.UniTuple(value, n)(count, value), generate


@intrinsic
def outer(typing, sums, a, b):
    """sums[m * len(b) + n] + a[m] * b[n]."""

    def generate(context, builder, signature, arguments):
        s, x, y = [unpack(builder, value, type_.count)
                   for value, type_ in zip(arguments, signature.args)]
        found = [builder.fma(x[i // b.count], y[i % b.count], s[i]) for i in range(sums.count)]
        return pack(builder, s[0].type, found)

    return sums(sums, a, b), generate


@intrinsic
def cut(typing, values, count):
    """values in tuples of `count`."""
    if not literal(count):
        return None
    (n,) = literal(count)

    def generate(context, builder, signature, arguments):
        given = unpack(builder, arguments[0], values.count)
        parts = [pack(builder, given[0].type, given[i:i + n]) for i in range(0, len(given), n)]
        return pack(builder, parts[0].type, parts)

    parts = types.UniTuple(types.UniTuple(values.dtype, n), values.count // n)
    return parts(values, count), generate


@intrinsic
def numbered(typing, values):
    """((0, values[0]), (1, values[1]), ...)."""
    pair = types.Tuple((types.int32, values.dtype))

    def generate(context, builder, signature, arguments):
        found = []
        for i, value in enumerate(unpack(builder, arguments[0], values.count)):
            both = ir.Constant(context.get_value_type(pair), ir.Undefined)
            both = builder.insert_value(both, ir.Constant(ir.IntType(32), i), 0)
            found.append(builder.insert_value(both, value, 1))
        return pack(builder, found[0].type, found)

    return types.UniTuple(pair, values.count)(values), generate


@intrinsic
def combine(typing, function, tuples, arguments):
    """(function(a[0], b[0], ..., *arguments), function(a[1], b[1], ..., *arguments), ...)."""
    one = function.get_call_type(typing, (*[t.dtype for t in tuples.types], *arguments.types), {})

    def generate(context, builder, signature, values):
        call, count = context.get_function(function, one), tuples.types[0].count
        have = (*[t.dtype for t in tuples.types], *arguments.types)
        columns = [unpack(builder, part, count)
                   for part in unpack(builder, values[1], len(tuples.types))]
        rest = unpack(builder, values[2], len(arguments.types))
        found = []
        for item in zip(*columns):
            given = [context.cast(builder, v, *types_)
                     for v, *types_ in zip((*item, *rest), have, one.args)]
            found.append(call(builder, given))
        return pack(builder, found[0].type, found)

    result = types.UniTuple(one.return_type, tuples.types[0].count)
    return result(function, tuples, arguments), generate


@intrinsic
def fma(typing, a, b, c):
    """a * b + c, rounded once."""

    def generate(context, builder, signature, arguments):
        return builder.fma(*arguments)

    return a(a, a, a), generate


@register_jitable
def warp_xor(value, mask):
    return cuda.shfl_xor_sync(0xFFFFFFFF, value, mask)


@intrinsic
def pointer_at(typing, table, i, T):
    """table[i], an address, as a pointer."""

    def generate(context, builder, signature, arguments):
        index = _as_int64(builder, signature.args[1], arguments[1])
        number = builder.load(builder.gep(arguments[0], [index]))
        pointer = context.get_value_type(signature.return_type)
        there = builder.inttoptr(number, ir.PointerType(pointer.pointee, addrspace=1))
        return builder.addrspacecast(there, pointer)  # known to be global memory

    return types.CPointer(T.dtype)(table, i, T), generate


def _atomic(operation):
    @intrinsic
    def change(typing, x, i, value):
        def generate(context, builder, signature, arguments):
            index = _as_int64(builder, signature.args[1], arguments[1])
            given = context.cast(builder, arguments[2], signature.args[2], x.dtype)
            pointer = address(context, builder, signature.args[0], arguments[0], index)
            return builder.atomic_rmw(operation, pointer, given, "monotonic")

        return x.dtype(x, i, value), generate

    return change


atomic_add, atomic_min = _atomic("add"), _atomic("min")  # of signed integers


@intrinsic
def quotient(typing, n, d):
    def generate(context, builder, signature, arguments):
        return builder.udiv(*[_as_int32(builder, value) for value in arguments])

    return types.int32(n, d), generate


@intrinsic
def numbers(typing, count):
    if not literal(count):
        return None
    (n,) = literal(count)

    def generate(context, builder, signature, arguments):
        return pack(builder, ir.IntType(32), [ir.Constant(ir.IntType(32), i) for i in range(n)])

    return types.UniTuple(types.int32, n)(count), generate


@intrinsic
def each(typing, function, items, arguments):
    one = function.get_call_type(typing, (items.dtype, *arguments.types), {})

    def generate(context, builder, signature, values):
        call = context.get_function(function, one)
        given = [context.cast(builder, v, have, want) for v, have, want in zip(
            unpack(builder, values[2], len(arguments.types)), arguments.types, one.args[1:])]
        found = [call(builder, (item, *given)) for item in unpack(builder, values[1], items.count)]
        return pack(builder, found[0].type, found)

    return types.UniTuple(one.return_type, items.count)(function, items, arguments), generate
