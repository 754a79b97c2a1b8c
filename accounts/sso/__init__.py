"""Single sign-on: a tenant's identity providers (OpenID Connect, SAML 2.0), its domains, and who they let in.

Layers: models; facts (what a provider asserted); oidc, saml (the protocols, without the database); domains,
providers, flows, admission, policy (services); forms. The views are in accounts.views.
"""
