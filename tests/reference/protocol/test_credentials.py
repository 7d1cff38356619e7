import hashlib
import random

from reference.protocol.credentials import ACCESS_PREFIX, ENROLMENT_PREFIX, SCOPES, Credentials, mint, sha_of


def enrolled(*subjects):
    known = Credentials()
    for subject in subjects:
        known.issued(
            {
                "sha": f"e-{subject}",
                "subject": subject,
                "role": "device",
                "account": "a",
                "scopes": list(SCOPES["device"]),
                "expires_at": 1000.0,
                "access_lives_s": None,
                "plan": "max",
                "sign_in": "login",
                "kind": "issued",
            }
        )
    return known


def minted(known, sha, of, expires_at=100.0):
    known.minted({"sha": sha, "of": of, "scope": "device:read", "expires_at": expires_at})


def test_a_token_has_256_bits_and_says_what_it_is():
    token = mint(random.Random(1), ENROLMENT_PREFIX)
    assert token.startswith("rcr_")
    assert len(token) == 4 + 43
    assert mint(random.Random(1), ACCESS_PREFIX) == "rca_" + token[4:]
    assert mint(random.Random(2), ENROLMENT_PREFIX) != token


def test_only_the_hash_is_kept():
    assert sha_of("rca_x") == hashlib.sha256(b"rca_x").hexdigest()
    assert sha_of("\ud800") == hashlib.sha256(b"?").hexdigest()


def test_no_access_token_is_an_enrolment():
    known = enrolled("phone")
    minted(known, "a1", "e-phone")
    assert set(known.enrolments) == {"e-phone"}
    assert set(known.accesses) == {"a1"}


def test_a_revoked_enrolment_takes_what_was_minted_from_it_along_and_nothing_else():
    known = enrolled("phone", "tablet")
    minted(known, "a1", "e-phone")
    minted(known, "a2", "e-tablet")
    known.revoked({"sha": "e-phone"})
    assert known.accesses["a1"].revoked
    assert not known.accesses["a2"].revoked
    assert known.of_subject("phone") == []
    assert [one.sha for one in known.of_subject("tablet")] == ["e-tablet"]


def test_an_access_token_is_revoked_alone():
    known = enrolled("phone")
    minted(known, "a1", "e-phone")
    minted(known, "a2", "e-phone")
    known.revoked({"sha": "a1"})
    assert [known.accesses[sha].revoked for sha in ("a1", "a2")] == [True, False]
    assert known.of_subject("phone")


def test_what_is_minted_from_a_revoked_enrolment_is_born_revoked():
    known = enrolled("phone")
    known.revoked({"sha": "e-phone"})
    minted(known, "a1", "e-phone")
    assert known.accesses["a1"].revoked


def test_only_what_has_expired_is_forgotten():
    known = enrolled("phone")
    minted(known, "a1", "e-phone", expires_at=99.0)
    minted(known, "a2", "e-phone", expires_at=100.0)
    known.forget(before=100.0)
    assert set(known.accesses) == {"a2"}


def test_one_scope_belongs_to_one_role():
    scopes = [scope for several in SCOPES.values() for scope in several]
    assert len(scopes) == len(set(scopes))
