"""Makes frozen dataclasses in a quarter of the time: only `__init__` is compiled for each of them.

The standard library compiles six methods for each frozen class. The window holds some 260 classes, and a
third of the time in which its modules were imported went into that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # for type checkers this is the standard library's
    from dataclasses import dataclass as dataclass
else:
    import dataclasses
    from collections.abc import Callable
    from dataclasses import MISSING, Field, FrozenInstanceError, fields
    from operator import attrgetter
    from typing import Any

    class _Factory:
        """Stands in a signature for a value that is made anew for each object."""

        def __repr__(self) -> str:
            return "<factory>"

    _FACTORY = _Factory()

    def dataclass(
        cls: type | None = None,
        /,
        *,
        frozen: bool = False,
        slots: bool = False,
        eq: bool = True,
        kw_only: bool = False,
    ) -> Any:
        """Make a dataclass, as `dataclasses.dataclass` does; `fields`, `replace` and `asdict` know it.

        A class that is not frozen is the standard library's own. Of a frozen one `__dataclass_params__` says
        that it is not (the standard library would compile two methods else), and nobody asks.
        """

        def make(plain: type) -> type:
            if not frozen:
                return dataclasses.dataclass(slots=slots, eq=eq, kw_only=kw_only)(plain)
            return _freeze(plain, slots=slots, eq=eq, kw_only=kw_only)

        return make if cls is None else make(cls)

    def _freeze(plain: type, *, slots: bool, eq: bool, kw_only: bool) -> type:
        own = set(plain.__dict__)
        if plain.__dict__.get("__hash__") is None:
            own.discard("__hash__")  # Python's own mark of a class that has an __eq__ only
        made = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots, kw_only=kw_only)(plain)
        held = fields(made)
        methods = {"__init__": _init(made, held), "__repr__": _repr(held)}
        if eq:
            methods |= _comparing(held)
        if slots:
            methods |= {"__getstate__": _getstate, "__setstate__": _setstate}
        for name, method in methods.items():
            if name not in own:
                setattr(made, name, method)
        made.__setattr__, made.__delattr__ = _setattr, _delattr
        return made

    def _init(made: type, held: tuple[Field, ...]) -> Callable:
        known: dict[str, Any] = {"_set": object.__setattr__, "_FACTORY": _FACTORY}
        by_place, by_name, body = [], [], []
        for one in held:
            name, value = one.name, one.name
            argument = name
            if one.default is not MISSING:
                known[f"_{name}_default"] = one.default
                argument += f"=_{name}_default"
            elif one.default_factory is not MISSING:
                known[f"_{name}_made"] = one.default_factory
                argument += "=_FACTORY"
                value = f"_{name}_made() if {name} is _FACTORY else {name}" if one.init else f"_{name}_made()"
            if one.init:
                (by_name if one.kw_only else by_place).append(argument)
            if one.init or one.default_factory is not MISSING:
                body.append(f" _set(self, {name!r}, {value})")
        if hasattr(made, "__post_init__"):
            body.append(" self.__post_init__()")
        arguments = ["self", *by_place, *(["*", *by_name] if by_name else [])]
        exec(f"def __init__({', '.join(arguments)}):\n" + "\n".join(body or [" pass"]), known)
        init = known["__init__"]
        init.__qualname__ = f"{made.__qualname__}.__init__"
        init.__annotations__ = {one.name: one.type for one in held if one.init} | {"return": None}
        return init

    def _repr(held: tuple[Field, ...]) -> Callable:
        names = [one.name for one in held if one.repr]

        def __repr__(self: Any) -> str:
            said = ", ".join([f"{name}={getattr(self, name)!r}" for name in names])
            return f"{type(self).__qualname__}({said})"

        return __repr__

    def _comparing(held: tuple[Field, ...]) -> dict[str, Callable]:
        compared, hashed = _values(held, "compare"), _values(held, "hash")

        def __eq__(self: Any, other: object) -> bool:
            if other.__class__ is not self.__class__:
                return NotImplemented
            return compared(self) == compared(other)

        def __hash__(self: Any) -> int:
            return hash(hashed(self))

        return {"__eq__": __eq__, "__hash__": __hash__}

    def _values(held: tuple[Field, ...], part: str) -> Callable[[Any], tuple]:
        names = [
            one.name for one in held if (one.compare if getattr(one, part) is None else getattr(one, part))
        ]
        if len(names) > 1:
            return attrgetter(*names)
        return lambda self: tuple([getattr(self, name) for name in names])

    def _getstate(self: Any) -> list:
        return [getattr(self, one.name) for one in fields(self)]

    def _setstate(self: Any, state: list) -> None:
        for one, value in zip(fields(self), state, strict=True):
            object.__setattr__(self, one.name, value)

    def _setattr(self: Any, name: str, value: object) -> None:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def _delattr(self: Any, name: str) -> None:
        raise FrozenInstanceError(f"cannot delete field {name!r}")
