"""Static files for nginx: each under a name that holds a hash of its content, with a .gz beside it.

A browser may keep such a file for ever: another content has another address. Scripts import each other by these
addresses too.
"""

from whitenoise.storage import CompressedManifestStaticFilesStorage

MANIFEST = "staticfiles.json"


class HashedFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # WhiteNoise ships no types of it
    """What `manage.py collectstatic` writes and pages link to."""

    support_js_module_import_aggregation = True
    # Only in our own scripts: others import from places that are not here.
    _js_module_import_aggregation_patterns = (
        "attpcdaq/js/*.js",
        CompressedManifestStaticFilesStorage._js_module_import_aggregation_patterns[1],
    )

    def stored_name(self, name: str) -> str:
        """The hashed name; a file that the manifest does not know is linked as it is: a page without it still works."""
        try:
            return str(super().stored_name(name))
        except ValueError:
            return name
