"""A program (libc.c) that uses libc in known ways, a line of orders at a time."""

import os

from harness import *

LIBC = WORK.parent / "work-libc"


class Libc:
    def __init__(self, **options):
        reader, self.orders = os.pipe()
        self.process = spawn([LIBC], stdin=reader, **options)
        os.close(reader)
        self.said = words(self.process.until(r"^pid .*\n")[0])
        self.pid = self.said["pid"]
        self.done = 0

    def do(self, *orders):
        """What it said to the last of them."""
        for order in orders:
            os.write(self.orders, order.encode() + b"\n")
            self.done += 1
            answers = self.process.until(r"\A.*\n((done .*\n){%d})" % self.done, limit=50)[1]
        return words(answers.splitlines()[-1].removeprefix("done "))

    def ended(self):
        os.close(self.orders)
        return self.process.wait().code
