"""A flame graph in headless Chromium, by WebDriver (w3.org/TR/webdriver2): zoom, search, tooltips."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

BUILD = Path(os.environ["BCCTOOL"]).resolve().parent
PICTURE = BUILD / "test" / "test_flamegraph"
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Browser:
    def __init__(self, port):
        self.base = f"http://127.0.0.1:{port}"
        arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--window-size=1300,700"]
        asked = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": {"args": arguments}}}}
        self.base += "/session/" + self.ask("POST", "/session", asked)["sessionId"]

    def ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)["value"]

    def script(self, code, *args):
        return self.ask("POST", "/execute/sync", {"script": code, "args": args})

    def find(self, selector):
        return self.ask("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, element):
        self.ask("POST", f"/element/{element}/click", {})

    def frame(self, name):
        """The frame of this name, as an element."""
        return self.script("""return [...document.querySelectorAll("g.f")].find(
            (g) => g.querySelector("title").textContent.startsWith(arguments[0] + " ("))""", name)[ELEMENT]

    def shown(self):
        """The frames that can be seen: {name: (x, width)}."""
        return self.script("""const found = {};
            for (const g of document.querySelectorAll("g.f:not(.hidden)")) {
                const r = g.querySelector("rect");
                found[g.querySelector("title").textContent.replace(/ \\([^(]*\\)$/, "")] =
                    [+r.getAttribute("x"), +r.getAttribute("width")];
            }
            return found;""")

    def text(self, selector):
        return self.script("return document.querySelector(arguments[0]).textContent", selector)

    def hover(self, element):
        move = {"type": "pointerMove", "duration": 0, "x": 0, "y": 0, "origin": {ELEMENT: element}}
        self.ask("POST", "/actions", {"actions": [{
            "type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": [move]}]})

    def key(self, *keys):
        self.ask("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": [
            {"type": kind, "value": one} for one in keys for kind in ("keyDown", "keyUp")]}]})

    def search(self, pattern):
        self.ask("POST", "/alert/text", {"text": pattern})
        self.ask("POST", "/alert/accept", {})


def near(one, other):
    return all(abs(a - b) < 0.1 for a, b in zip(one, other))


def click_through(b):
    first = b.shown()
    assert first["all"] == [10, 1180] and near(first["work_burn_hot"], (10 + 1180 * 0.4, 1180 * 0.6))
    names = {"all", "work", "main", "run_loop", "work_burn_hot", "work_burn_cold", "kworker/0:1", "kthread",
             "worker_thread", "entry_SYSCALL_64", "vfs_read", "<odd & name>"}
    assert set(first) == names

    # Tooltips: the browser's own, and the line below.
    hot = b.frame("work_burn_hot")
    b.hover(hot)
    assert b.text("#details") == "work_burn_hot (600 samples, 60.00%)"
    b.hover(b.frame("<odd & name>"))
    assert b.text("#details") == "<odd & name> (50 samples, 5.00%)"

    # Zoom: it and what it was called from fill the width, what it calls is in proportion.
    b.click(b.frame("main"))
    zoomed = b.shown()
    assert set(zoomed) == {"all", "work", "main", "run_loop", "work_burn_hot", "work_burn_cold"}
    for name in ("all", "work", "main", "run_loop"):
        assert zoomed[name] == [10, 1180], name
    assert near(zoomed["work_burn_cold"], (10, 295)) and near(zoomed["work_burn_hot"], (305, 885))
    b.click(b.frame("work_burn_cold"))
    assert b.shown()["work_burn_cold"] == [10, 1180] and "work_burn_hot" not in b.shown()
    b.click(b.find("#reset"))
    again = b.shown()
    assert set(again) == names and all(near(again[name], first[name]) for name in names)
    assert b.script("return document.querySelector('#reset').classList.contains('hidden')")

    # Search: by a regular expression, what is in what matches counts once.
    b.click(b.find("#search"))
    b.search("^work_burn|run_loop")
    assert b.text("#matched") == "Matched: 80.00%"
    found = "return [...document.querySelectorAll('.found title')].map((t) => t.textContent.split(' ')[0]).sort()"
    assert b.script(found) == ["run_loop", "work_burn_cold", "work_burn_hot"]
    b.click(b.find("#search"))
    assert b.text("#matched").strip() == "" and b.script(found) == []
    b.key("/")
    b.search("k(")  # no regular expression: as it is
    assert b.text("#matched") == "Matched: 0.00%"
    b.click(b.frame("kthread"))
    b.key("\ue00c")
    assert b.text("#matched").strip() == "" and set(b.shown()) == names

    # Names are cut to what fits.
    label = lambda name: b.script("return arguments[0].querySelector('text').textContent", {ELEMENT: b.frame(name)})
    assert label("work_burn_hot") == "work_burn_hot"
    assert label("vfs_read").endswith("..") and len(label("vfs_read")) <= 8


def main():
    if not shutil.which("chromedriver") or not shutil.which("chromium"):
        print("no program:chromedriver")
        return 77
    if not PICTURE.exists():
        print(f"no program:{PICTURE}")
        return 77
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        picture = Path(folder, "flame.svg")
        subprocess.run([PICTURE], env={**os.environ, "FLAMEGRAPH": str(picture)}, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        driver = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL,
                                  env={**os.environ, "HOME": folder})
        stack.callback(driver.wait)
        stack.callback(driver.terminate)
        end = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)
        browser = Browser(port)
        stack.callback(browser.ask, "DELETE", "", None)
        browser.ask("POST", "/url", {"url": picture.as_uri()})
        click_through(browser)
    print("zoom, search, reset and tooltips work")
    return 0


sys.exit(main())
