"""Keys and certificates of a world, derived from its seed.

Ed25519 throughout: signatures are deterministic and of one length. Dates run from 2000 to 2100 because OpenSSL reads the real calendar. A
fresh context for each call: a cached one keeps state that shows in later traces. Deliberately absent: revocation lists and tickets.
"""

import datetime as dt
import functools
import hashlib
import ipaddress
import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Literal

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_FROM, _TO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC), dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
_EXPIRED = dt.datetime(2001, 1, 1, tzinfo=dt.UTC)

type Variant = Literal["rotated", "expired", "wrong_name", "untrusted"]


def _key(seed: int, name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"{seed}/key/{name}".encode()).digest())


def _serial(seed: int, name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}/serial/{name}".encode()).digest()[:8]) | 1


def _common_name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


class Authority:
    """A certificate authority.

    Args:
        seed: of the world.
        name: e.g. ``public`` or ``corporate``; another name is another authority.
    """

    def __init__(self, seed: int, name: str) -> None:
        self._seed, self.name = seed, name
        self._private = _key(seed, f"ca/{name}")
        self.certificate_pem = _authority_pem(seed, name)

    def leaf_pem(self, host: str, variant: Variant | None = None) -> bytes:
        """Key and certificate of a host, concatenated PEM."""
        return _leaf_pem(self._seed, self.name, host, variant)


@functools.lru_cache(maxsize=256)
def _authority_pem(seed: int, name: str) -> bytes:
    private = _key(seed, f"ca/{name}")
    public = private.public_key()
    subject = _common_name(f"{name} authority")
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public)
        .serial_number(_serial(seed, f"ca/{name}"))
        .not_valid_before(_FROM)
        .not_valid_after(_TO)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    return builder.sign(private, None).public_bytes(serialization.Encoding.PEM)


def _subject(host: str) -> x509.GeneralName:
    """An address is no name: who dials one looks for it as an address."""
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


@functools.lru_cache(maxsize=1024)
def _leaf_pem(seed: int, authority: str, host: str, variant: Variant | None) -> bytes:
    name = f"leaf/{authority}/{host}/{variant or ''}"
    issuer = f"rogue/{authority}" if variant == "untrusted" else authority
    signer = _key(seed, f"ca/{issuer}")
    private = _key(seed, name)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_common_name(host))
        .issuer_name(_common_name(f"{issuer} authority"))
        .public_key(private.public_key())
        .serial_number(_serial(seed, name))
        .not_valid_before(_FROM)
        .not_valid_after(_EXPIRED if variant == "expired" else _TO)
        .add_extension(
            x509.SubjectAlternativeName([_subject("elsewhere.invalid" if variant == "wrong_name" else host)]),
            critical=False,
        )
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    certificate = builder.sign(signer, None).public_bytes(serialization.Encoding.PEM)
    secret = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return secret + certificate


def server_context(leaf_pem: bytes) -> ssl.SSLContext:
    """A fresh server context that shows this certificate; TLS 1.2 and up, no tickets (they carry the real time)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with _file_of(leaf_pem) as path:
        context.load_cert_chain(path)  # OpenSSL loads a key from files only
    context.num_tickets = 0
    context.options |= ssl.OP_NO_TICKET
    return context


@contextmanager
def _file_of(data: bytes) -> Iterator[str]:
    """A path at which this process reads data; where it can be it is in memory, so that nothing is left of who is killed."""
    with _in_memory() or tempfile.NamedTemporaryFile(prefix="relayproof-", suffix=".pem") as file:
        file.write(data)
        file.flush()
        yield file.name if isinstance(file.name, str) else f"{_DESCRIPTORS}/{file.name}"


_DESCRIPTORS = "/proc/self/fd"


def _in_memory() -> IO[bytes] | None:
    """A file without a name; None where there are none: no Linux, a Python made for an old C library, no /proc, a system that forbids it."""
    make = getattr(os, "memfd_create", None)
    if make is None or not os.path.isdir(_DESCRIPTORS):  # noqa: PTH112 - as below
        return None
    try:
        return open(make("relayproof"), "wb")  # noqa: PTH123 - a descriptor has no path
    except OSError:
        return None


def client_context(*authorities: Authority) -> ssl.SSLContext:
    """A fresh client context that trusts these authorities and nobody else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata="".join(one.certificate_pem.decode() for one in authorities))
    return context
