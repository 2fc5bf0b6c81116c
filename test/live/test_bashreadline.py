"""bashreadline: the lines typed into a bash on a terminal, and nothing of what scripts do."""

import os
import pty
import subprocess

from harness import *

LINES = ["echo one", "", "true 'two  blanks' # ünïcode", "nosuchcommand " + "x" * 900]


def typed(lines, shell="/bin/bash"):
    """A bash on a terminal of its own that is given the lines and an end of file: its pid."""
    master, slave = pty.openpty()
    bash = subprocess.Popen(
        [shell, "--norc", "-i"], stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        env={**os.environ, "PS1": "READY$ ", "HISTFILE": "", "TERM": "dumb", "LANG": "C.UTF-8"})
    os.close(slave)

    def prompt():
        seen = b""
        while b"READY$ " not in seen[-12:]:
            seen += os.read(master, 4096)

    for line in lines:
        prompt()
        os.write(master, line.encode() + b"\r")
    prompt()
    os.write(master, b"\x04")
    try:
        while os.read(master, 4096):
            pass
    except OSError:
        pass  # its end
    bash.wait()
    os.close(master)
    return bash.pid


@needs("file:/bin/bash")
def test_lines():
    lines, text = tool("bashreadline", json=True), tool("bashreadline")
    none = tool("bashreadline", "-p", os.getpid(), json=True)
    run(["bash", "-c", "echo script; true"])
    pid = typed(LINES)
    text, lines, none = text.stop(), lines.stop(), none.stop()
    rows = lines.of(pid)
    assert [row["command"] for row in rows] == LINES
    assert {(row["comm"], row["uid"]) for row in rows} == {("bash", 0)}
    assert not any(lines.json[-1]["lost"].values()) and len(none.json) == 1
    assert text.out.splitlines()[0].split() == ["TIME", "PID", "COMMAND"]
    assert re.search(rf"^\d\d:\d\d:\d\d +{pid} +echo one$", text.out, re.M)
    assert f" true 'two  blanks' # ünïcode\n" in text.out


def test_control_characters_are_shown_safely():
    text = tool("bashreadline")
    pid = typed(["echo \x16\x1b[31m"])  # ^V quotes the escape
    assert rf"{pid} " in text.stop().out and "\x1b" not in text.out and r"\x1b[31m" in text.out


def test_bad_input():
    missing = tool_run("bashreadline", "-s", "/nonexistent/libreadline.so")
    assert missing.code == 1 and "/nonexistent/libreadline.so" in missing.err
    assert tool_run("bashreadline", "/lib/libreadline.so").code == 2
