"""``relayproof ca``: an authority of one's own and a relay's certificate, to serve over TLS by hand."""

import os
import secrets
from pathlib import Path

from harness.base.errors import UsageError
from harness.worlds.pki import Authority


def make_authority(folder: Path, name: str) -> str:
    """Write ``ca.pem`` and ``relay.pem`` into a folder; the authority's own key is kept nowhere, so it signs nothing else.

    Returns:
        What to do with them.

    Raises:
        UsageError: one of them is there, or cannot be written.
    """
    authority = Authority(secrets.randbits(256), "by hand")
    try:
        files = {folder / "ca.pem": authority.certificate_pem, folder / "relay.pem": authority.leaf_pem(name)}
    except ValueError as error:
        raise UsageError(f"--name {name}: cannot stand in a certificate; give a host name or an address") from error
    if there := [path for path in files if path.exists()]:
        raise UsageError(f"{there[0]}: is there already; remove it, or name another folder")
    for path, pem in files.items():
        _write(path, pem)
    return f"{folder}/ca.pem    whom to trust: --ca of a host or device\n{folder}/relay.pem key and certificate of {name}: --cert of a relay"


def _write(path: Path, pem: bytes) -> None:
    """A new file that nobody else may read."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror}); name another folder") from error
    with os.fdopen(handle, "wb") as file:
        file.write(pem)
