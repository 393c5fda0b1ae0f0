import sys
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from smidgen.errors import CheckFailed
from smidgen.export.web.browser import Browser, find_browser, served

PAGE = "<!DOCTYPE html><link rel=icon href=data:,><title>t</title><script src=page.js></script><p>text</p>"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "index.html").write_text(PAGE)
    (tmp_path / "page.js").write_text("")
    return tmp_path


@pytest.mark.skipif(find_browser() is None, reason="needs Chromium or Chrome")
def test_what_a_page_says_and_complains_about_is_heard(folder):
    with served(folder) as address, Browser(find_browser(), width=640) as browser:
        browser.open(address)
        assert browser.evaluate("document.querySelector('p').textContent") == "text"
        assert browser.evaluate("new Promise((resolve) => setTimeout(() => resolve([innerWidth, 'ü']), 20))") == [
            640,
            "ü",
        ]
        assert browser.errors == []
        browser.evaluate("console.error('first', 2); console.log('no error')")
        browser.evaluate("setTimeout(() => { throw new Error('second') })")
        browser.evaluate("fetch('missing.json').then(() => null)")
        browser.wait_until(
            "performance.getEntriesByType('resource').some((one) => one.name.endsWith('missing.json'))"
        )
        assert [error.partition(" of 404")[0].partition(":")[0] for error in browser.errors] == [
            "first 2",
            "Error",
            "Failed to load resource",
        ]
        with pytest.raises(CheckFailed, match="third"):
            browser.evaluate("Promise.reject(new Error('third'))")
        with pytest.raises(CheckFailed, match=r"did not come to false within 0 s"):
            browser.wait_until("false", seconds=0.1)


def test_a_program_that_is_no_browser_is_told():
    with pytest.raises(CheckFailed, match="browser"):
        Browser(sys.executable)


def test_a_folder_is_served_below_some_place_and_no_other(folder):
    (folder.parent / "secret.txt").write_text("secret")
    with served(folder) as address:
        with urlopen(f"{address}page.js") as answer:
            assert answer.headers["content-type"] == "text/javascript"
        top = address.removesuffix("some/place/")
        for path in (
            "page.js",
            "some/place/../../../secret.txt",
            "some/place/%2e%2e/secret.txt",
            "elsewhere/page.js",
        ):
            with pytest.raises(HTTPError):
                urlopen(f"{top}{path}")
