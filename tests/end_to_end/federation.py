"""A hub and its sites, run as real processes on loopback in a folder that is gone afterwards."""
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PHOTOS = os.path.join(SOURCE, ".deps/fashion-mnist/usr/share/datasets/fashion-mnist")
SCENARIO = os.path.join(SOURCE, "simulations/scenarios/five-sites.yaml")
LABELS = "t-shirt,trouser,pullover,dress,coat,sandal,shirt,sneaker,bag,ankle-boot"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Federation:
    """Owns the processes; `close` ends every one of them, whatever happened."""

    def __init__(self, binaries, sites):
        self.binaries = binaries
        self.folder = tempfile.mkdtemp(prefix="sotto-test-")
        self.port = free_port()
        self.names = [f"site-{i + 1}" for i in range(sites)]
        self.running = {}
        self.logs = {}

    def close(self):
        for name in list(self.running):
            self.kill(name)
        for log in self.logs.values():
            log.close()
        shutil.rmtree(self.folder)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def command(self, program, *arguments):
        return [os.path.join(self.binaries, program), *map(str, arguments)]

    def run(self, program, *arguments, code=0):
        """Runs a program to its end; another exit code than `code` is a failure that tells all."""
        done = subprocess.run(
            self.command(program, *arguments),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode != code:
            raise AssertionError(
                f"{program} {arguments} ended with {done.returncode}, not {code}:\n"
                f"{done.stdout}{done.stderr}\n{self.tails()}"
            )
        return done

    def tails(self):
        """The ends of all logs, for a failure's message."""
        text = ""
        for name in self.logs:
            with open(self.path(f"{name}.log"), encoding="utf-8", errors="replace") as log:
                text += f"--- {name}\n" + "".join(log.readlines()[-15:])
        return text

    def start(self, name, program, *arguments, environment=None):
        if name not in self.logs:
            self.logs[name] = open(self.path(f"{name}.log"), "ab")
        self.running[name] = subprocess.Popen(
            self.command(program, *arguments),
            stdout=self.logs[name],
            stderr=self.logs[name],
            stdin=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})},
        )

    def kill(self, name, how=signal.SIGKILL):
        process = self.running.pop(name)
        process.send_signal(how)
        return process.wait(timeout=30)

    # The steps of a story.

    def pretrain(self):
        self.run(
            "sotto-pretrain",
            "--images",
            os.path.join(PHOTOS, "train-images-idx3-ubyte.gz"),
            "--count",
            256,
            "--width",
            16,
            "--blocks",
            1,
            "--heads",
            2,
            "--epochs",
            1,
            "--seed",
            1,
            "--out",
            self.path("base"),
        )

    def partition(self, *overrides):
        options = [part for override in ("dropouts=[]", *overrides) for part in ("--set", override)]
        self.run("sotto-simulate", "partition", SCENARIO, "--out", self.path("photos"), *options)

    def init_hub(self):
        self.run(
            "sotto-coordinator",
            "init",
            "--state",
            self.path("hub"),
            "--host",
            "127.0.0.1",
            "--port",
            self.port,
        )

    def serve(self, environment=None):
        self.start(
            "hub",
            "sotto-coordinator",
            "serve",
            "--state",
            self.path("hub"),
            environment=environment,
        )
        self.wait(lambda: self.try_admin("status", "--json") is not None, "the hub to answer")

    def admin(self, *arguments, code=0):
        return self.run(
            "sotto-admin", "--credential", self.path("hub/admin"), *arguments, code=code
        ).stdout.strip()

    def try_admin(self, *arguments):
        done = subprocess.run(
            self.command("sotto-admin", "--credential", self.path("hub/admin"), *arguments),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.stdout if done.returncode == 0 else None

    def enrol(self, name, *options, organisation=None):
        index = self.names.index(name) + 1
        of = [] if organisation is None else ["--organisation", organisation]
        token = self.admin("token", "issue", name, *of)
        self.run(
            "sotto-participant",
            "enrol",
            "--state",
            self.path(name),
            "--token",
            token,
            "--model",
            self.path("base"),
            "--examples",
            self.path(f"photos/site-{index}"),
            "--policy",
            "cohort_min=3",
            "--policy",
            "survivors_min=3",
            *options,
        )

    def edit_site(self, name, old, new):
        path = self.path(f"{name}/site.yaml")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        assert text.count(old) == 1, text
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(old, new))

    def join(self, name):
        self.start(name, "sotto-participant", "run", "--state", self.path(name))

    def refusals(self, name):
        """The names of what the site has refused so far, oldest first."""
        audit = self.run("sotto-participant", "audit", "--state", self.path(name), "--json").stdout
        records = [json.loads(line) for line in audit.splitlines()]
        return [record["refusal"] for record in records if record["record"] == "refused"]

    def create_campaign(self, name, *options):
        lora = () if "norm-bias" in options else ("--rank", 2, "--targets", "all-linear")
        self.admin(
            "campaign",
            "create",
            name,
            "--model",
            self.path("base"),
            "--labels",
            LABELS,
            *lora,
            "--epochs",
            1,
            "--batch",
            16,
            "--learning-rate",
            0.01,
            "--seed",
            1,
            *options,
        )

    def campaign(self, name):
        return json.loads(self.admin("campaign", "show", name, "--json"))

    def wait(self, condition, what, timeout_s=120):
        """Polls real processes, which have no other way to tell."""
        end = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"waited {timeout_s} s for {what}\n{self.tails()}")
            time.sleep(0.05)
