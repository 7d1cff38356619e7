import base64

from harness.sut.tap import Chunk
from harness.worlds.wire.secrets import Secrets, crossed


def test_tokens_that_crossed_are_found_however_they_were_split():
    chunks = [
        Chunk(0, "host", 1, "out", b"Bearer rca_AB"),
        Chunk(1, "phone", 1, "out", b"CD"),
        Chunk(2, "host", 1, "out", b"EF\r\n"),
    ]
    assert crossed(chunks) == {b"rca_ABEF"}


def test_classes_not_values():
    secrets = Secrets(("rcr_0123456789abcdef",), frozenset({b"rca_live", b"rcr_device"}), "/tmp/run")
    assert secrets.classes(b"") == []
    assert secrets.classes(b"rca_other rcr_***") == []
    assert secrets.classes(b"x=rca_live;") == ["access-token"]
    assert secrets.classes(b"/tmp/run/host rcr_device") == ["enrolment", "public"]
    assert secrets.classes(base64.b64encode(b"..rcr_0123456789abcdef")) == ["enrolment"]
