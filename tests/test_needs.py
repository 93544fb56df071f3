"""A test that needs what the machine lacks is not run, which the summary tells and CI takes for a failure."""

from __future__ import annotations

import pytest

from tests.test_rooms import ROOT

pytest_plugins = ["pytester"]


@pytest.mark.parametrize(("ci", "code"), [("true", pytest.ExitCode.TESTS_FAILED), ("", pytest.ExitCode.OK)])
def test_what_is_not_run_is_told_and_fails_in_ci(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, ci: str, code: pytest.ExitCode
) -> None:
    monkeypatch.setenv("CI", ci)
    pytester.makeconftest((ROOT / "tests" / "conftest.py").read_text(encoding="utf-8"))
    pytester.makepyfile(
        """
        import pytest
        from tests.needs import needs

        @pytest.mark.parametrize("tool", ["json", "no_such", "no_such", "sh", "nor_this"])
        def test_it(tool):
            needs(tool)
        """
    )
    run = pytester.runpytest()
    assert run.ret == code
    run.stdout.fnmatch_lines("3 tests were not run: no_such is not installed (2), nor_this is not installed (1)")
