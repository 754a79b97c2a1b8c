"""Every address of provisioning."""

from __future__ import annotations

from django.urls import path

from accounts.scim import views

urlpatterns = [
    path("", views.nothing, name="scim"),
    path("Users", views.user_list),
    path(".search", views.search),
    path("Users/.search", views.user_search),
    path("Users/<uuid:scim_user_id>", views.user_detail),
    path("Groups", views.group_list),
    path("Groups/.search", views.group_search),
    path("Groups/<uuid:scim_group_id>", views.group_detail),
    path("ServiceProviderConfig", views.config),
    path("Schemas", views.schemas),
    path("Schemas/<str:wanted>", views.schemas),
    path("ResourceTypes", views.resource_types),
    path("ResourceTypes/<str:wanted>", views.resource_types),
    path("<path:rest>", views.nothing),
]
