"""The portal's addresses and one whose view declares nothing."""

from django.http import HttpResponse
from django.urls import path

from portal.urls import urlpatterns as portal_urls


def undeclared(request):
    return HttpResponse("reached")


urlpatterns = [*portal_urls, path("undeclared/", undeclared)]
