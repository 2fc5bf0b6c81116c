"""How structs are laid out, by their BTF: which bytes are members, and which only fill a gap."""

import json
import subprocess


class Layouts:
    """The structs of an object file."""

    def __init__(self, path):
        command = ["bpftool", "-j", "btf", "dump", "file", str(path), "format", "raw"]
        out = subprocess.run(command, capture_output=True, check=True).stdout
        self.types = {one["id"]: one for one in json.loads(out)["types"]}
        self.structs = {one["name"]: one for one in self.types.values() if one["kind"] == "STRUCT"}

    def of(self, number):
        """A type, without typedefs and qualifiers."""
        one = self.types[number]
        while one["kind"] in ("TYPEDEF", "CONST", "VOLATILE"):
            one = self.types[one["type_id"]]
        return one

    def size(self, one):
        if one["kind"] == "ARRAY":
            return one["nr_elems"] * self.size(self.of(one["type_id"]))
        return 8 if one["kind"] == "PTR" else one["size"]

    def members(self, one, at=0, path=""):
        """(path, offset, size, type) of each member that has none itself, in their order."""
        if one["kind"] == "STRUCT":
            for member in one["members"]:
                yield from self.members(
                    self.of(member["type_id"]), at + member["bits_offset"] // 8, f"{path}.{member['name']}")
        elif one["kind"] == "ARRAY" and self.of(one["type_id"])["kind"] == "STRUCT":
            element = self.of(one["type_id"])
            for i in range(one["nr_elems"]):
                yield from self.members(element, at + i * self.size(element), f"{path}[{i}]")
        else:
            yield path, at, self.size(one), one

    def gaps(self, name):
        """(offset, size) of what belongs to no member."""
        found, end = [], 0
        struct = self.structs[name]
        for _, at, size, _ in [*self.members(struct), ("", struct["size"], 0, None)]:
            if at > end:
                found.append((end, at - end))
            end = max(end, at + size)
        return found

    def is_text(self, one):
        return one["kind"] == "ARRAY" and self.types[one["type_id"]].get("name") == "char"

    def remains(self, name, data):
        """(member, bytes) of `data`, such a struct or its beginning, that nobody has filled in on purpose
        and that are not 0: gaps, members called unused, what follows the end of a string."""
        found = [("gap", data[at:at + size]) for at, size in self.gaps(name)]
        for path, at, size, one in self.members(self.structs[name]):
            field = data[at:at + size]
            if path.rpartition(".")[2].startswith("unused"):
                found.append((path, field))
            elif self.is_text(one):
                found.append((path, field.partition(b"\0")[2]))
        return [(path, left) for path, left in found if any(left)]
