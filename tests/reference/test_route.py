import pytest

from reference.route import BadProxy, proxy_for


def test_the_documented_order():
    environ = {"HTTP_PROXY": "http://4", "http_proxy": "http://3", "HTTPS_PROXY": "http://2", "https_proxy": "http://1"}
    found = []
    for name in ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"):
        found.append(proxy_for("relay", environ))
        del environ[name]
    assert found == ["http://1", "http://2", "http://3", "http://4"]
    assert proxy_for("relay", environ) is None


@pytest.mark.parametrize(
    ("no_proxy", "is_direct"),
    [
        ("*", True),
        ("relay.example", True),
        (".example", True),
        ("example", True),
        ("other, relay.example", True),
        ("a relay.example", True),
        ("ample", False),
        ("relay.example.org", False),
        ("", False),
        ("RELAY.EXAMPLE", True),
        ("*.example", True),
    ],
)
def test_no_proxy(no_proxy, is_direct):
    found = proxy_for("relay.example", {"https_proxy": "http://p:1", "NO_PROXY": no_proxy})
    assert (found is None) == is_direct


def test_what_was_corrected_in_the_file_comes_first():
    environ = {"https_proxy": "http://user:old@p:1"}
    assert proxy_for("relay", environ, kept="http://user:new@p:1\n") == "http://user:new@p:1"
    assert proxy_for("relay", environ, given="http://given:1") == "http://given:1"


@pytest.mark.parametrize("url", ["http://", "p:3128", "ftp://p", "http://p:99999", "http://[::1", "http://p:x"])
def test_a_setting_that_cannot_be_used_is_named_without_its_password(url):
    with pytest.raises(BadProxy, match="HTTPS_PROXY"):
        proxy_for("relay", {"HTTPS_PROXY": url})
    with pytest.raises(BadProxy) as caught:
        proxy_for("relay", {"HTTPS_PROXY": "gopher://user:hunter2@p"})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "socks4"])
def test_socks_is_refused_clearly(scheme):
    with pytest.raises(BadProxy, match="SOCKS"):
        proxy_for("relay", {"https_proxy": f"{scheme}://p:1080"})
