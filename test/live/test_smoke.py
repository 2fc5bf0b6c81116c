"""Every applet begins, sees a little of everything and ends on Ctrl-C: the breadth that arm64 is given."""

from harness import *

FUNCTION = ["vfs_read"]
# What an applet cannot do without.
ARGUMENTS = {
    "argdist": ["-C", "p::vfs_read()"],
    "funccount": FUNCTION,
    "funcinterval": FUNCTION,
    "funclatency": FUNCTION,
    "funcslower": FUNCTION,
    "fsdist": ["-t", "ext4"],
    "fsslower": ["-t", "ext4", "-m", "0"],
    "ksnoop": ["trace", *FUNCTION],
    "stackcount": FUNCTION,
    "trace": FUNCTION,
}
# What that little has something for, surely.
SHOW = """
    argdist funccount funcinterval funclatency funcslower ksnoop profile stackcount trace vfscount pmheld pmlock
    execsnoop exitsnoop ioprofile killsnoop opensnoop sigsnoop statsnoop syncsnoop syscount cachestat cachetop
    dcsnoop dcstat filegone filelife vfsstat runqlat cpudist offcputime
""".split()


def a_little_of_everything():
    script = "cat /etc/passwd; ls -l /usr; cp /etc/group /tmp/smoke; mv /tmp/smoke /tmp/smoke2; rm /tmp/smoke2"
    run(["/bin/sh", "-c", f"{script}; kill -0 $$; sync"], check=False)
    work("open", 3, "/nonexistent/%d")


@timeout(600)
@needs("machine:aarch64")
def test_every_applet():
    load_what_is_traced()
    said = {one["applet"]: one for one in run([BCCTOOL, "check", "--json"], check=False, limit=200).json}
    take_out_what_is_not_here(said)
    del said["tplist"]  # prints a list and traces nothing
    for name in "cobjnew", "deadlock", "javagc":
        del said[name]  # trace one process that has what they look for
    wrong, begun = {}, 0
    for name in said:
        try:
            traced = tool(name, *ARGUMENTS.get(name, []), json=True, limit=20)
        except AssertionError as error:
            wrong[name] = str(error)[-150:]
            continue
        begun += 1
        a_little_of_everything()
        result = traced.stop()
        seen = any("lost" not in row for row in result.json)
        if result.code or (name in SHOW and not seen):
            wrong[name] = (result.code, seen, result.err[:150])
    assert not wrong
    assert begun == len(said)
