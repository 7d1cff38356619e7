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
    _write(folder / "ca.pem", authority.certificate_pem)
    _write(folder / "relay.pem", authority.leaf_pem(name))
    return f"{folder}/ca.pem    whom to trust: --ca of a host or device\n{folder}/relay.pem key and certificate of {name}: --cert of a relay"


def _write(path: Path, pem: bytes) -> None:
    """A new file that nobody else may read."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise UsageError(f"{path}: is there already; remove it, or name another folder") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror}); name another folder") from error
    with os.fdopen(handle, "wb") as file:
        file.write(pem)
