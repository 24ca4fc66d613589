"""People at the pages."""

from django.contrib.auth.models import Permission, User
from django.test import Client


def operator(name: str = "kim") -> User:
    """Somebody who may operate the detector."""
    user = observer(name)
    user.user_permissions.add(Permission.objects.get(content_type__app_label="runcontrol", codename="operate"))
    return user


def expert(name: str = "sam") -> User:
    """Somebody who may also set the system up."""
    user = operator(name)
    user.user_permissions.add(Permission.objects.get(content_type__app_label="runcontrol", codename="expert"))
    return user


def admin(name: str = "ada") -> User:
    """Somebody who may also make accounts."""
    user = expert(name)
    user.user_permissions.add(Permission.objects.get(content_type__app_label="runcontrol", codename="administer"))
    return user


def observer(name: str = "lee") -> User:
    """Somebody who may look."""
    return User.objects.get_or_create(username=name)[0]


def browser(user: User) -> Client:
    """A browser in which the user is logged in."""
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client
