"""Say in one line what is wrong with the interpreter that `make` found (must parse on any Python)."""

import sys

HINT = " Choose another with: make PYTHON=python3.12 ..."

if sys.version_info < (3, 11):
    sys.exit("This needs Python 3.11 or newer, but %s is %s.%s" % (sys.executable, sys.version.split()[0], HINT))
try:
    import ensurepip  # noqa: F401
    import venv  # noqa: F401
except ImportError:
    sys.exit("%s lacks its venv module (Debian and Ubuntu: apt install python3-venv).%s" % (sys.executable, HINT))
