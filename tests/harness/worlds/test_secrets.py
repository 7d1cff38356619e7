import random

import pytest

from harness.worlds.secrets import FILES, VARIABLES, mint, plant


@pytest.mark.parametrize(
    ("places", "files", "variables"),
    [
        ((), (), ()),
        (("env",), (), VARIABLES),
        (("files",), FILES["files"], ()),
        (("env", "files", "mcp_config"), (*FILES["files"], *FILES["mcp_config"]), VARIABLES),
    ],
)
def test_secrets_stand_where_a_host_must_not_take_them_from(places, files, variables):
    written, environ = {}, {"PATH": "/bin"}
    planted = plant(places, random.Random(1), written.__setitem__, environ)
    assert set(written) == set(files)
    assert set(environ) - {"PATH"} == set(variables)
    assert set(planted) == set(places)
    found = [
        *(value for name, value in environ.items() if name != "PATH"),
        *(data.decode() for data in written.values()),
    ]
    every = [secret for secrets in planted.values() for secret in secrets]
    assert len(set(every)) == len(every) == len(found)
    assert all(any(secret in text for text in found) for secret in every)


def test_a_secret_says_its_class_and_nothing_else():
    entropy = random.Random(1)
    one, other = mint(entropy, "env"), mint(entropy, "env")
    assert one.startswith("Cenv-")
    assert len(one) == len("Cenv-") + 24
    assert one != other


def test_same_seed_same_secrets():
    planted = [plant(["env", "files"], random.Random(5), lambda _name, _data: None, {}) for _ in range(2)]
    assert planted[0] == planted[1]
