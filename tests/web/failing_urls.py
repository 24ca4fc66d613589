"""The product's addresses, and some whose view is broken."""

from typing import NoReturn

from django.http import HttpRequest
from django.urls import path
from ninja import NinjaAPI

from attpcdaq.config import urls
from attpcdaq.web.api_errors import JsonApi


def broken(request: HttpRequest) -> NoReturn:
    raise LookupError("a fault of ours")


async def broken_async(request: HttpRequest) -> NoReturn:
    raise LookupError("a fault of ours")


api: NinjaAPI = JsonApi(title="broken", version="broken", urls_namespace="broken")
api.get("/broken")(broken)

handler500 = urls.handler500
urlpatterns = [
    path("broken", broken),
    path("broken-async", broken_async),
    path("broken-api/", api.urls),
    *urls.urlpatterns,
]
