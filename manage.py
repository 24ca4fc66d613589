#!/usr/bin/env python
"""Entry point of the operations verbs: `manage.py <verb>`."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "attpcdaq.config.settings")
    from attpcdaq.config.start import run_management

    sys.exit(run_management(sys.argv))
