import pytest, re
from tests.e2e.test_engagement import *  # noqa
from tests.e2e.test_engagement import pages, official, auditor, other_window
@pytest.mark.parametrize(("width", "theme"), [(360, "dark"), (1440, "light")])
def test_shots(browser, live_server, official, auditor, pages, width, theme):
    bad=[]
    for person, home, addresses in ((official, "/", pages[0]), (auditor, "/auditor/", pages[1])):
        for visit in open_visit(browser, live_server.url, width, theme):
            visit.sign_in(person, home=home)
            for n,address in enumerate(addresses):
                visit.go(address)
                visit.page.screenshot(path=f"/tmp/h7shots/{'t' if home=='/' else 'a'}{n:02d}-{width}-{theme}.png", full_page=True)
                if visit.overflow() > 0: bad.append((address, visit.overflow()))
                v=visit.violations()
                if v: bad.append((address, v))
    assert bad == []
