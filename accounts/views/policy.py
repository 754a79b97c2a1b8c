"""The tenant's sign-in policy: what its members must prove to enter."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts.access import TenantRequest, requires
from accounts.audit.events import Act
from accounts.errors import Conflict, InvalidInput
from accounts.forms import PolicyForm
from accounts.permissions import Permission
from accounts.proof import PHISHING_RESISTANT, session_factor
from accounts.services.policy import members_without_passkey, set_sign_in_policy
from accounts.views.pages import form_page, say


@requires(Permission.TENANT_CHANGE, act=Act.MEMBER_LIST, step_up=True)
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_policy(request: TenantRequest) -> HttpResponse:
    """Shows the policy and whom it would ask for a passkey; changes it."""
    came_by_passkey = session_factor(request) in PHISHING_RESISTANT
    form = PolicyForm(
        request.POST if request.method == "POST" else None,
        initial={"require_passkey": request.tenant.require_passkey},
    )
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data["require_passkey"]
        try:
            set_sign_in_policy(require_passkey=wanted, came_by_passkey=came_by_passkey)
        except Conflict as error:
            form.show(InvalidInput(str(error), field="require_passkey"))
        else:
            say(
                request,
                "A passkey is required from now on." if wanted else "A passkey is no longer required.",
            )
            return redirect("sign-in-policy")
    return form_page(
        request, "accounts/sign_in_policy.html", form, without=members_without_passkey(),
        came_by_passkey=came_by_passkey,
    )  # fmt: skip
