"""A real machine's platform for the relay's tests: SQLite in a temporary folder, a certificate made once."""

import datetime as dt
import random
import ssl
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from reference.platform import Platform
from reference.protocol.instant import Instant
from reference.relay.store import SqliteStore


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, None)
    )
    pem = tmp_path_factory.mktemp("tls") / "relay.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(secret + cert.public_bytes(serialization.Encoding.PEM))
    return pem


@pytest.fixture
def platform(tmp_path, certificate):
    def server_tls():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        return context

    def client_tls():
        return ssl.create_default_context(cafile=certificate)

    def instant():
        return Instant(time.monotonic(), time.clock_gettime(time.CLOCK_BOOTTIME), time.time())

    return Platform(
        instant=instant,
        entropy=random.Random(7),
        environ={},
        client_tls=client_tls,
        server_tls=server_tls,
        home=None,
        open_store=lambda: SqliteStore(Path(tmp_path) / "relay.sqlite"),
        launch_agent=None,
        print=lambda line: None,
    )
