"""A hint to the processor: what will be read soon. It changes nothing but how long that read takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

#: For reading, to be kept in every cache, data.
_HOW = (0, 3, 1)


def _prefetch(_: Any, array: Any, at: Any) -> Any:
    # The typing of both is numba's; the place is made a whole number whatever it is.
    del at

    def made(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        octet, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        place = builder.bitcast(builder.gep(data, [arguments[1]]), octet)
        said = ir.FunctionType(ir.VoidType(), [octet, number, number, number])
        hint = builder.module.declare_intrinsic("llvm.prefetch", [octet], said)
        builder.call(hint, [place, *map(number, _HOW)])
        return context.get_dummy_value()

    return types.void(array, types.int64), made


#: ``prefetch(array, at)``, in compiled code: have ``array[at]`` on its way into the cache. Of an array of one dimension without gaps.
prefetch = cast(Callable[[Any, int], None], intrinsic(_prefetch))
