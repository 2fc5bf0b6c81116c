"""What BPF programs hand to user space has no gaps: `= {}` need not clear those, and what was in the
kernel's memory before would go out with them. Room that is left has a name."""

import os
import shutil
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, "test")
from layouts import Layouts  # noqa: E402

if not shutil.which("bpftool"):
    print("no bpftool")
    sys.exit(77)
layouts = Layouts(Path(os.environ["BCCTOOL"]).resolve().parent / "test" / "layouts.o")
names = [name for name in layouts.structs if name.endswith(("_event", "_head", "_key", "_value"))]
wrong = {name: layouts.gaps(name) for name in names if layouts.gaps(name)}
for name, gaps in wrong.items():
    print(f"FAILED: struct {name} has gaps: " + ", ".join(f"{size} bytes at {at}" for at, size in gaps))
if len(names) < 80:
    print(f"FAILED: only {len(names)} structs")
print(f"{len(names)} structs, {len(wrong)} with gaps")
sys.exit(bool(wrong) or len(names) < 80)
