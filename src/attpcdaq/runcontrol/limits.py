"""Limits that several parts of run control keep to."""

from datetime import timedelta

# Nobody may begin anything later than this: a Prepare pressed ten minutes ago is not wanted any more.
EXPIRES_AFTER = timedelta(seconds=15)
# By how much the clocks of two processes may differ.
CLOCKS_DIFFER = timedelta(seconds=5)
# Seconds; a look older than this says nothing about now: a process that stood still or a slow database lies between.
LOOK_COUNTS_FOR = 0.5
# Seconds after which a restart is given up.
RESTART_LIMIT = 60.0
