"""wakeuptime: with offwaketime, whose workload has the waker it looks for."""

from harness import *


@alone
def test_user_threads_only():
    tracer = tool("wakeuptime", "-u", json=True)
    did = work("wake", 20, 2000)
    rows = tracer.stop().json[:-1]
    assert [row for row in rows if row["t_pid"] == did["pid"] and row["waker"] == "work-waker"]
    assert not [row for row in rows if row["target"].startswith(("rcu_", "kworker", "ksoftirqd"))]


def test_raw_addresses():
    workload = waiting_work("wake", 5, 1000)
    tracer = tool("wakeuptime", "-v", "-p", workload.pid)
    workload.go()
    text = tracer.stop().out
    assert " try_to_wake_up\n" in text
    for line in text.splitlines():
        if line.endswith(" try_to_wake_up"):
            assert int(line.split()[0], 16) >> 63
