"""The commands that serve until Ctrl-C. What a party does is imported when its command runs, so that --help is at once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, get_type_hints

from simulator.parties.options import HeadEndOptions, MetersOptions, RorOptions, SandboxOptions, SmtOptions

T = TypeVar("T")


def asked(record: type[T]) -> Callable[[Callable[[T], None]], Callable[..., None]]:
    """Give a command the fields of a record as its options, those of a record in it in its place; it is called with the record."""

    def with_options(command: Callable[[T], None]) -> Callable[..., None]:
        @functools.wraps(command)
        def called(**given: Any) -> None:
            command(_filled(record, given))

        called.__signature__ = inspect.Signature(list(_parameters(record)))  # type: ignore[attr-defined]
        return called

    return with_options


def _parameters(record: type[Any]) -> Iterator[inspect.Parameter]:
    hints = get_type_hints(record, include_extras=True)
    for field in fields(record):
        hint = hints[field.name]
        if _is_record(hint):
            yield from _parameters(hint)
        else:
            yield inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hint)


def _filled(record: type[T], given: dict[str, Any]) -> T:
    hints = get_type_hints(record)
    within = {name: _filled(hint, given) for name, hint in hints.items() if _is_record(hint)}
    return record(**within, **{name: given[name] for name in hints.keys() & given.keys()})


def _is_record(hint: Any) -> bool:
    return isinstance(hint, type) and is_dataclass(hint)


@asked(MetersOptions)
def meters_serve(options: MetersOptions) -> None:
    """Serve emulated meters over Modbus TCP until Ctrl-C."""
    from simulator.parties.serve.meters import serve_meters

    serve_meters(options)


@asked(HeadEndOptions)
def headend_serve(options: HeadEndOptions) -> None:
    """Serve a head-end until Ctrl-C: it sweeps its meters, validates and posts their days, and answers on-demand inquiries."""
    from simulator.parties.serve.headend import serve_headend

    serve_headend(options)


@asked(SmtOptions)
def smt_serve(options: SmtOptions) -> None:
    """Serve SMT until Ctrl-C: its file site, the market API and the portal API."""
    from simulator.parties.serve.smt import serve_smt

    serve_smt(options)


@asked(RorOptions)
def ror_serve(options: RorOptions) -> None:
    """Serve a retailer's balance desk until Ctrl-C: customers call, it asks SMT by the market API, and tells."""
    from simulator.parties.serve.ror import serve_ror

    serve_ror(options)


@asked(SandboxOptions)
def sandbox(options: SandboxOptions) -> None:
    """Start meters, head-end, SMT and its file site, and a retailer, and keep them up until Ctrl-C."""
    from simulator.runtime.clock_options import clock_of

    # A mistake is told before what takes a second to import.
    clock_of(options.clock, options.speed, options.date)
    from simulator.parties.serve.sandbox import serve_sandbox

    serve_sandbox(options)
