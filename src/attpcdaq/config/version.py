"""The version of the product that is installed, as every process, page and log line names it."""

from importlib.metadata import version

VERSION = version("attpcdaq")
