"""Which way out: directly or by a proxy, as the environment says, in the order that the product documents.

``https_proxy``, ``HTTPS_PROXY``, ``http_proxy``, ``HTTP_PROXY``; ``NO_PROXY`` separated by commas or spaces, ``*`` for all. SOCKS is refused, not
ignored. Pure: the environment is a mapping that somebody hands in.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

VARIABLES = ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY")
"""First one that is set wins (network configuration page of the public documentation, August 2026)."""


class BadProxy(ValueError):  # noqa: N818 - it names what was met
    """A proxy setting that cannot be used; the message names where it stands, never the password in it."""


def proxy_for(host: str, environ: Mapping[str, str], *, given: str = "", kept: str = "") -> str | None:
    """The proxy to dial a host through, or None for the direct way.

    Args:
        host: name of the relay.
        environ: environment variables.
        given: proxy URL from the command line; before the environment.
        kept: proxy URL from the program's own file; before everything, so that a corrected password heals a running program.

    Raises:
        BadProxy: the first setting found is not the URL of an HTTP proxy.
    """
    for name, url in (("the file 'proxy'", kept.strip()), ("the proxy argument", given)):
        if url:
            return checked(name, url)
    if _is_exempt(host, environ.get("no_proxy") or environ.get("NO_PROXY") or ""):
        return None
    variable = next((name for name in VARIABLES if environ.get(name)), None)
    return None if variable is None else checked(variable, environ[variable])


def checked(name: str, url: str) -> str:
    """A usable proxy URL.

    Raises:
        BadProxy: naming the setting.
    """
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable, parts = False, None
    if parts is not None and parts.scheme.startswith("socks"):
        raise BadProxy(f"{name}: SOCKS proxies are not supported; use an http:// proxy")
    if parts is None or not usable or parts.scheme not in ("http", "https"):
        raise BadProxy(f"{name}: this is not the URL of a proxy; write it like http://proxy.example:3128")
    return url


def _is_exempt(host: str, no_proxy: str) -> bool:
    entries = [entry.lower() for entry in no_proxy.replace(",", " ").split()]
    return any(entry == "*" or _covers(entry.removeprefix("*"), host.lower()) for entry in entries)


def _covers(entry: str, host: str) -> bool:
    name = entry.removeprefix(".")
    return host == name or host.endswith("." + name)
