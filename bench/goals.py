"""What is measured, the goal it must keep, and what the old system needed for the same (medians, 2-core machine)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Goal:
    """`limit` is the most (or, where `at_least`, the least) that the median may be; None where nothing was promised."""

    key: str
    what: str
    unit: str
    limit: float | None = None
    old: str = "not known"
    at_least: bool = False

    def is_met(self, median: float) -> bool | None:
        """None where there is no goal."""
        if self.limit is None:
            return None
        return median >= self.limit if self.at_least else median <= self.limit


GOALS = (
    Goal("get_state_cpu", "client CPU of one GetState exchange", "ms", 1.0, "15"),
    Goal("monitor_cpu_11", "monitor, 11 ECC servers read twice a second", "% of a core", 3.0, "12 (every 5 s)"),
    Goal("monitor_cpu_200", "monitor, 200 ECC servers read twice a second", "% of a core", 50.0, "backlog grows"),
    Goal("command_11", "Describe accepted -> last of 11 ECC servers called", "s", 0.3, "4.3"),
    Goal("command_100", "Describe accepted -> last of 100 ECC servers called", "s", 1.5, "23"),
    Goal("page_median", "state change in an ECC server -> on the page, median", "s", 0.5, "2.5 + up to 5"),
    Goal("page_p95", "state change in an ECC server -> on the page, 95 %", "s", 1.0, "5 + up to 5"),
    Goal("memory", "memory of the whole demo (PSS), simulator apart", "MB", 400.0, "900"),
    Goal("describe_shown_11", "Describe asked for -> status shows all 11 Described", "s", None, "8.9"),
    Goal("idle_cpu", "CPU of the idle application, 11 ECC servers and routers", "s per minute", None, "7.4"),
    Goal("status_rate", "status JSON, 8 clients at once", "requests per s", None, "43", at_least=True),
    Goal("stop_files", "Stop asked for -> 11 x 40 files moved and run closed", "s", None, "7.7 (not waiting)"),
    Goal("node_reads_here", "11 nodes read as the monitor does, every 2 s", "% of a core", 2.0),
    Goal("node_reads_there", "the same on each node: its sshd and what it runs", "% of a core", 1.0),
    Goal("closeout_40", "last board stopped -> 11 x 40 files moved and run closed", "s", 2.0),
    Goal("closeout_1000", "the same with 11 x 1,000 files", "s", 10.0),
    Goal("graw_scan_full", "data file scanned, full readout, page cache", "GB/s", 1.0, at_least=True),
    Goal("graw_scan_2k", "the same, one hit channel per frame", "GB/s", 1.0, at_least=True),
    Goal("graw_node", "the same on a node, with SHA-256", "GB/s", None, at_least=True),
    Goal("first_paint", "status page opened for the first time -> something stands there", "ms", 300.0),
    Goal("status_bytes", "the same, until it is live: over the wire", "kB", 150.0),
    Goal("browsers_30", "30 open browsers, a run going", "% of a core", 10.0),
    Goal("pages_p99", "server, slowest page, 99 %: 1,000 runs, 50 observables", "ms", 50.0),
    Goal("runs_10000", "server, run list of 10,000 runs", "ms", 100.0),
    Goal("page_meanwhile", "slowest page while Describe, Prepare, Configure run", "s", None, "17"),
)
