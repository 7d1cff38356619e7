"""The table of profiles: what a system promises, as one frozen contract each.

A profile configures the reference and the expectations alike. Source: article-facts 1.0 (article, documentation of August 2026, what users
demand). Deliberately absent: numbers in scenarios; they name a limit and the profile says how long it is.
"""

from harness.base.errors import UsageError
from harness.history.plan import Contract
from harness.scenario.document import did_you_mean

DEFAULT = "article-2026-02"

PROFILES: dict[str, Contract] = {
    DEFAULT: Contract(),
    # interactive sessions retry for as long as an outage lasts, a server holds 32 sessions and keeps them about 4 h
    "docs-2026-08": Contract(profile="docs-2026-08", on_outage="retry", capacity=32, retention_s=14_400.0),
    # users call "within seconds of waking" five, and revocation immediate (AUT-13: 2 s and a round trip of half a second)
    "strict": Contract(profile="strict", wake_budget_s=5.0, revocation_bound_s=2.5),
}


def contract_of(profile: str) -> Contract:
    """Return the contract of a profile.

    Raises:
        UsageError: if there is none of that name.
    """
    if profile not in PROFILES:
        raise UsageError(f"no profile is called `{profile}`; {did_you_mean(profile, PROFILES)}")
    return PROFILES[profile]
