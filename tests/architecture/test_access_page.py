"""docs/security/access.md says what the table of permissions says."""

from __future__ import annotations

from pathlib import Path

from accounts.permissions import Permission, Role, allows

PAGE = Path(__file__).parents[2] / "docs" / "security" / "access.md"


def test_the_page_on_access_says_what_roles_may():
    table = PAGE.read_text().partition("<!-- permissions -->")[2].partition("<!-- end -->")[0]
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines()]
    roles, said = lines[0][1:], {line[0].strip("`"): line[1:] for line in lines[2:]}
    assert roles == [role.label for role in Role]
    assert said == {
        permission.value: ["yes" if allows(role, permission) else "" for role in Role]
        for permission in Permission
    }
