"""Vector registers in LLVM IR, and the loads and stores that numba kernels call.

Arrays are passed as addresses, so that kernels are not compiled again for read-only arrays or other array types.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic as numba_intrinsic

from jouleproof.libraries import part_of

cgutils = part_of("numba", "numba.core.cgutils")
intrinsic: Any = numba_intrinsic(prefer_literal=True)
INT8, INT16, INT32, INT64 = (ir.IntType(bits) for bits in (8, 16, 32, 64))
FLOAT, HALF = ir.FloatType(), ir.HalfType()
ABS_MASK, SIGN_MASK, EXPONENT_MASK = 0x7FFFFFFF, 0x80000000, 0x7F800000  # of a float32's bits


def vector(element: ir.Type, width: int) -> ir.VectorType:
    return ir.VectorType(element, width)


def constant(of: ir.VectorType, value: Any) -> ir.Constant:
    """Return a constant vector. value: the value of every lane, or a list with one value per lane."""
    return ir.Constant(of, value if isinstance(value, list) else [value] * of.count)


def splat(builder: ir.IRBuilder, value: ir.Value, width: int) -> ir.Value:
    nothing = ir.Constant(vector(value.type, width), ir.Undefined)
    first = builder.insert_element(nothing, value, INT32(0))
    return shuffle(builder, first, [0] * width)


def shuffle(builder: ir.IRBuilder, value: ir.Value, order: list[int]) -> ir.Value:
    return builder.shuffle_vector(
        value, ir.Constant(value.type, ir.Undefined), constant(vector(INT32, len(order)), list(order))
    )


def call(builder: ir.IRBuilder, name: str, result: ir.Type, arguments: list[ir.Value]) -> ir.Value:
    """Call an LLVM intrinsic by its full name."""
    signature = ir.FunctionType(result, [argument.type for argument in arguments])
    function = cgutils.get_or_insert_function(builder.module, signature, name)
    return builder.call(function, arguments)


def lanewise(builder: ir.IRBuilder, name: str, a: ir.Value, b: ir.Value) -> ir.Value:
    """Apply llvm.<name> lane by lane. name: smin, smax, umin or umax."""
    return call(builder, f"llvm.{name}.v{a.type.count}i{a.type.element.width}", a.type, [a, b])


def pointer(builder: ir.IRBuilder, address: ir.Value, to: ir.Type) -> ir.Value:
    return builder.inttoptr(address, to.as_pointer())


def optimisation_barrier(builder: ir.IRBuilder, value: ir.Value) -> ir.Value:
    """Return the same value, so that the compiler cannot tell where it comes from.

    Data that is loaded through such a pointer is not kept in registers, and instructions of different rows are not
    interleaved if each row starts and ends with a barrier.
    """
    kind = "x" if isinstance(value.type, ir.VectorType) else "r"
    return builder.asm(ir.FunctionType(value.type, [value.type]), "", f"={kind},0", [value], True)


def load(builder: ir.IRBuilder, address: ir.Value, what: ir.Type, align: int) -> ir.Value:
    return builder.load(pointer(builder, address, what), align=align)


def store(builder: ir.IRBuilder, value: ir.Value, address: ir.Value, align: int) -> None:
    builder.store(value, pointer(builder, address, value.type), align=align)


def unpacked(builder: ir.IRBuilder, kind: Any, value: ir.Value) -> Any:
    """Return the fields of a numba tuple as a named tuple of the given kind."""
    return kind(*cgutils.unpack_tuple(builder, value, len(kind._fields)))


@intrinsic
def take(_typing: Any, address: Any) -> tuple[Any, Callable[..., Any]]:
    """Return the int64 at `address` and increment it atomically: every thread gets a different number."""

    def code(_context: Any, builder: ir.IRBuilder, _signature: Any, arguments: list[ir.Value]) -> ir.Value:
        return builder.atomic_rmw("add", pointer(builder, arguments[0], INT64), INT64(1), "monotonic")

    return types.int64(types.int64), code


def _storing(number: Any, narrowed: ir.Type | None, align: int) -> Any:
    """Return an intrinsic (address, number) -> None that stores. narrowed: integer type to truncate the number to."""

    @intrinsic
    def stored(_typing: Any, address: Any, value: Any) -> tuple[Any, Callable[..., Any]]:
        def code(context: Any, builder: ir.IRBuilder, _signature: Any, arguments: list[ir.Value]) -> ir.Value:
            value = builder.trunc(arguments[1], narrowed) if narrowed else arguments[1]
            store(builder, value, arguments[0], align)
            return context.get_dummy_value()

        return types.void(types.int64, number), code

    return stored


def _loading(narrow: ir.Type, align: int, extend: str) -> Any:
    """Return an intrinsic address -> int32 that loads an integer of type `narrow`. extend: "zext" or "sext"."""

    @intrinsic
    def loaded(_typing: Any, address: Any) -> tuple[Any, Callable[..., Any]]:
        def code(_context: Any, builder: ir.IRBuilder, _signature: Any, arguments: list[ir.Value]) -> ir.Value:
            return getattr(builder, extend)(load(builder, arguments[0], narrow, align), INT32)

        return types.int32(types.int64), code

    return loaded


store_byte = _storing(types.int32, INT8, 1)
store_float = _storing(types.float32, None, 4)
load_byte = _loading(INT8, 1, "zext")
load_int16 = _loading(INT16, 2, "sext")
