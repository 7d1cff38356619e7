import io

import pytest
from rich.console import Console

from harness.report.film import film
from tests.harness.report.sample import history


def told():
    out, pauses = io.StringIO(), []
    film(history(), Console(file=out, width=100), lasts_s=3.0, pause=pauses.append)
    return out.getvalue().splitlines(), pauses


def test_a_film_lasts_as_long_as_asked():
    lines, pauses = told()
    assert sum(pauses) == pytest.approx(3.0)
    assert len(lines) == len(pauses)


def test_time_is_seen_to_pass_under_the_band():
    lines, _ = told()
    began = next(n for n, line in enumerate(lines) if "cut begins" in line)
    over = next(n for n, line in enumerate(lines) if "cut is over" in line)
    assert over - began > 5
    assert all("▒" in line for line in lines[began : over + 1])
    assert not any("▒" in line for line in lines[over + 1 :])
