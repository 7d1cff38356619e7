"""All randomness of the process, answered from the stream of the machine that runs.

Four doors: ``os.urandom`` (uuid4, secrets, library keys), the module functions of ``random``, ``secrets``, and OpenSSL's generator, reached by
ctypes in the very libcrypto that ``_ssl`` is linked to. Outside of machines everything is as it was. Where that libcrypto cannot be reached
(statically linked builds) the tier is ``lengths``: equal seeds give equal lengths and times, not equal ciphertext. Deliberately absent:
getrandom(2) called by native code of others.
"""

import contextlib
import ctypes
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

from harness.worlds.sim.current import CURRENT

type Tier = Literal["bytes", "lengths"]

_RANDOM_FUNCTIONS = (
    "betavariate", "choice", "choices", "expovariate", "gammavariate", "gauss", "getrandbits", "lognormvariate", "normalvariate",
    "paretovariate", "randbytes", "randint", "random", "randrange", "sample", "shuffle", "triangular", "uniform", "vonmisesvariate",
    "weibullvariate",
)  # fmt: skip

_REAL_URANDOM = os.urandom


def _urandom(size: int, /) -> bytes:
    machine = CURRENT.machine
    return _REAL_URANDOM(size) if machine is None else machine.entropy.randbytes(size)


def _dispatching(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def draw(*args: Any, **kwargs: Any) -> Any:
        machine = CURRENT.machine
        return real(*args, **kwargs) if machine is None else getattr(machine.entropy, name)(*args, **kwargs)

    return draw


_Fill = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int)
_Status = ctypes.CFUNCTYPE(ctypes.c_int)


class _RandMethod(ctypes.Structure):
    """RAND_METHOD of openssl/rand.h."""

    _fields_ = (
        ("seed", ctypes.c_void_p),
        ("bytes", _Fill),
        ("cleanup", ctypes.c_void_p),
        ("add", ctypes.c_void_p),
        ("pseudorand", _Fill),
        ("status", _Status),
    )


def _fill(buffer: int, size: int) -> int:
    ctypes.memmove(buffer, _urandom(size), size)
    return 1


_METHOD = _RandMethod(None, _Fill(_fill), None, None, _Fill(_fill), _Status(lambda: 1))


def libcrypto_path(maps: Path = Path("/proc/self/maps")) -> str | None:
    """The shared libcrypto of this process, None where there is none to be seen."""
    try:
        lines = maps.read_text().splitlines()
    except OSError:
        return None
    paths = sorted({line.split(maxsplit=5)[5] for line in lines if "libcrypto" in line.rpartition("/")[2]})
    return paths[0] if paths else None


@contextlib.contextmanager
def machine_entropy() -> Iterator[Tier]:
    """Answer all randomness from the running machine's stream; yield the tier reached and restore everything afterwards."""
    functions = {name: getattr(random, name) for name in _RANDOM_FUNCTIONS}
    saved = os.urandom, random._urandom  # type: ignore[attr-defined]  # noqa: SLF001  secrets and SystemRandom read it there
    os.urandom = random._urandom = _urandom  # type: ignore[attr-defined]  # noqa: SLF001  same
    for name, real in functions.items():
        setattr(random, name, _dispatching(name, real))
    try:
        with _openssl_entropy() as tier:
            yield tier
    finally:
        os.urandom, random._urandom = saved  # type: ignore[attr-defined]  # noqa: SLF001  same
        for name, real in functions.items():
            setattr(random, name, real)


@contextlib.contextmanager
def _openssl_entropy() -> Iterator[Tier]:
    path = libcrypto_path()
    library = ctypes.CDLL(path) if path else None
    if library is None or not hasattr(library, "RAND_set_rand_method"):
        yield "lengths"
        return
    library.RAND_get_rand_method.restype = ctypes.c_void_p
    library.RAND_set_rand_method.argtypes = [ctypes.c_void_p]
    before = library.RAND_get_rand_method()
    library.RAND_set_rand_method(ctypes.addressof(_METHOD))
    try:
        yield "bytes"
    finally:
        library.RAND_set_rand_method(before)
