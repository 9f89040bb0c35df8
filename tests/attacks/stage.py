"""Where attacks happen: finished sites that once enrolled with an honest hub, the hub's own keys
in the hands of an attacker, and a cohort filled up with invented sites."""
import json
import os
import re
import shutil
import subprocess
import sys

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "end_to_end"))
from federation import Federation  # noqa: E402

from coordinator import Desk, Front  # noqa: E402
from liars import Identity  # noqa: E402
from wire import digest, digest_list  # noqa: E402
import manifest  # noqa: E402

PROGRAMS = ("sotto-participant", "sotto-sealer", "sotto-trainer", "sotto-courier")
SITES = 2
POLICY = {"cohort_min": 5, "survivors_min": 4}


def hex_file(path):
    with open(path, encoding="ascii") as file:
        return bytes.fromhex(file.read().strip())


def read_file(path):
    with open(path, "rb") as file:
        return file.read()


def is_running(process):
    """Neither gone nor dead and not yet taken notice of."""
    try:
        with open(f"/proc/{process}/stat", encoding="ascii") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


class Stage:
    """What all attacks of a test program share."""

    def __init__(self, binaries, sabotaged):
        self.sabotaged = sabotaged
        self.federation = Federation(binaries, sites=3)
        self.front = None
        self.run_count = 0
        try:
            self.enrol()
        except BaseException:
            self.close()
            raise

    def enrol(self):
        f = self.federation
        f.pretrain()
        f.partition("sites=3", "cohort_max=3", "cohort_min=3", "survivors_min=3",
                    "examples_min=20", "examples_max=30")
        f.init_hub()
        f.serve()
        for name in f.names[:SITES]:
            f.enrol(name)
        f.create_campaign("wards", "--cohort-min", 3, "--survivors-min", 3)
        self.campaign = f.campaign("wards")
        f.kill("hub")
        self.signing = hex_file(f.path("hub/pki/signing.key"))
        self.layout = self.only_item("layout")
        self.adapter = self.only_item("adapter")
        self.front = Front(f.port, f.path("hub/pki"))
        self.put("layout", self.layout)
        self.put("adapter", self.adapter)

    def only_item(self, kind):
        folder = self.federation.path("hub/items", kind)
        (name,) = os.listdir(folder)
        return read_file(os.path.join(folder, name))

    def digest_of(self, kind, content):
        if kind == "layout":
            return digest_list("sotto/1 layout", content)
        if kind == "adapter":
            return manifest.digest(self.layout, content[len(self.lanes(content)):])
        return digest(content)

    def lanes(self, adapter):
        """What stands before an adapter's manifest."""
        count = len(manifest.tensors(manifest.layout_of(self.layout)))
        return adapter[:len(adapter) - 32 * count]

    def whole(self, lanes):
        """Lanes with a manifest that is right for them."""
        return lanes + manifest.manifest(manifest.layout_of(self.layout), lanes)

    def put(self, kind, content):
        """Serves an item to whoever asks for it by its digest, which is returned."""
        name = self.digest_of(kind, content)
        self.front.items[kind, name.hex()] = content
        return name

    def close(self):
        if self.front is not None:
            self.front.close()
        self.federation.close()

    def programs(self, sabotage):
        """The shipped programs, or a folder of them with a sealer that lacks one defence."""
        if sabotage is None:
            return self.federation.binaries
        folder = self.federation.path("programs", sabotage)
        if not os.path.exists(folder):
            os.makedirs(folder)
            for name in PROGRAMS:
                shutil.copy2(os.path.join(self.federation.binaries, name), folder)
            shutil.copy2(os.path.join(self.sabotaged, f"sotto-sealer-{sabotage}"),
                         os.path.join(folder, "sotto-sealer"))
        return folder

    def site(self, name, sabotage=None, policy=None):
        self.run_count += 1
        state = self.federation.path("runs", f"{self.run_count}-{name}")
        shutil.copytree(self.federation.path(name), state)
        return Site(self, name, state, self.programs(sabotage), {**POLICY, **(policy or {})})


class Site:
    """A finished site, running, with a state folder of its own."""

    def __init__(self, stage, name, state, programs, policy):
        self.stage = stage
        self.name = name
        self.state = state
        self.program = os.path.join(programs, "sotto-participant")
        self.running = None
        self.set_policy(policy)
        with open(os.path.join(state, "site.yaml"), encoding="utf-8") as file:
            number = int(re.search(r"^id: (\d+)$", file.read(), re.M).group(1))
        pem = read_file(os.path.join(state, "pki/tls.pem"))
        der = load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
        self.identity = Identity(number, hex_file(os.path.join(state, "identity.key")), digest(der))
        self.desk = Desk(name)
        stage.front.seat(self.identity.certificate, self.desk)

    def set_policy(self, policy):
        path = os.path.join(self.state, "site.yaml")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        for key, value in policy.items():
            text, count = re.subn(rf"^  #? ?{key}:.*$", f"  {key}: {value}", text, flags=re.M)
            if count != 1:
                raise AssertionError(f"{path} has {count} lines for {key}:\n{text}")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def start(self):
        with open(self.state + ".log", "ab") as log:
            self.running = subprocess.Popen(
                [self.program, "run", "--state", self.state], stdout=log, stderr=log,
                stdin=subprocess.DEVNULL)

    def children(self):
        """{name: process} of the three that do the work."""
        pid = self.running.pid
        found = {}
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
            for child in children.read().split():
                with open(f"/proc/{child}/comm", encoding="ascii") as name:
                    found[name.read().strip()] = int(child)
        return found

    def kill(self):
        """The supervisor's death takes its three processes along."""
        if self.running is None:
            return
        children = self.children().values()
        self.running.kill()
        self.running.wait(timeout=30)
        self.running = None
        self.stage.federation.wait(
            lambda: not any(map(is_running, children)), "a killed site's processes to end")

    def restart(self):
        """As after a kill -9; what it says from now on comes to the same desk."""
        self.kill()
        self.stage.front.hang_up(self.desk)
        self.start()

    def sealer(self):
        """The process that knows the secrets."""
        return self.children()["sotto-sealer"]

    def audit(self):
        done = subprocess.run([self.program, "audit", "--state", self.state, "--json"],
                              capture_output=True, text=True, check=True, timeout=30)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def written(self, secrets):
        """Which of {name: bytes} are in a file of the site, plain or as hexadecimal digits."""
        found = set()
        for folder, _, files in os.walk(self.state):
            for content in (read_file(os.path.join(folder, name)) for name in files):
                found |= {name for name, secret in secrets.items()
                          if secret in content or secret.hex().encode() in content.lower()}
        return found

    def log(self):
        return read_file(self.state + ".log").decode(errors="replace")
