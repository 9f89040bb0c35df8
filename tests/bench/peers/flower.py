"""Flower's SecAgg+ on one job, all participants and the server in this process, without a network.

The participants' stages are the functions that Flower's client mod calls for its messages. The
server's are written after SecAggPlusWorkflow (collect_masked_vectors_stage, unmask_stage), call by
call, because the workflow itself only runs behind its grid. Times are of the processor, of all
threads. The sum is checked. Prints one line of JSON.
"""

import argparse
import importlib
import json
import resource
import statistics
import time

import numpy as np
from flwr.app import ConfigRecord
from flwr.common import bytes_to_ndarray, ndarrays_to_parameters
from flwr.common.secure_aggregation.crypto.shamir import combine_shares
from flwr.common.secure_aggregation.crypto.symmetric_encryption import generate_shared_key
from flwr.common.secure_aggregation.ndarrays_arithmetic import (
    factor_extract,
    get_parameters_shape,
    parameters_addition,
    parameters_mod,
    parameters_subtraction,
)
from flwr.common.secure_aggregation.quantization import dequantize
from flwr.common.secure_aggregation.secaggplus_constants import Key
from flwr.common.secure_aggregation.secaggplus_utils import pseudo_rand_gen
from flwr.supercore.primitives.asymmetric import bytes_to_private_key, bytes_to_public_key

# The package has a function of the module's name.
mod = importlib.import_module("flwr.client.mod.secure_aggregation.secaggplus_mod")

CLIP, TARGET_RANGE, MOD_RANGE, WEIGHT = 8.0, 1 << 16, 1 << 32, 1.0


class Stopwatch:
    """Processor seconds by name."""

    def __init__(self):
        self.seconds = {}

    def __call__(self, name, call, *arguments):
        start = time.process_time()
        result = call(*arguments)
        self.seconds.setdefault(name, []).append(time.process_time() - start)
        return result

    def mean(self, *names):
        return sum(statistics.fmean(self.seconds[name]) for name in names)

    def total(self, *names):
        return sum(sum(self.seconds[name]) for name in names)


def neighbours_of(count, shares):
    """The ring of SecAggPlusWorkflow.setup_stage, without the shuffle."""
    half = shares >> 1
    return {
        node: {(node + offset) % count for offset in range(-half, half + 1)}
        for node in range(count)
    }


class Job:
    """One round: who there is, and what each of them holds."""

    def __init__(self, options):
        self.count, self.lanes = options.participants, options.lanes
        self.shares = options.neighbours + 1
        self.threshold = options.threshold
        self.dead = {self.count * i // options.dropouts for i in range(options.dropouts)}
        self.alive = set(range(self.count)) - self.dead
        self.neighbours = neighbours_of(self.count, self.shares)
        self.states = [mod.SecAggPlusState() for _ in range(self.count)]
        self.keys = {}
        self.watch = Stopwatch()
        self.bytes_up = 0

    def set_up(self):
        for node, state in enumerate(self.states):
            state.nid = node
            configs = ConfigRecord(
                {
                    Key.SAMPLE_NUMBER: self.count,
                    Key.SHARE_NUMBER: self.shares,
                    Key.THRESHOLD: self.threshold,
                    Key.CLIPPING_RANGE: CLIP,
                    Key.TARGET_RANGE: TARGET_RANGE,
                    Key.MOD_RANGE: MOD_RANGE,
                    Key.MAX_WEIGHT: WEIGHT,
                }
            )
            result = self.watch("setup", mod._setup, state, configs)
            self.keys[state.nid] = [result[Key.PUBLIC_KEY_1], result[Key.PUBLIC_KEY_2]]

    def share(self):
        """Sealed shares by destination."""
        sealed = {node: [] for node in range(self.count)}
        for state in self.states:
            configs = ConfigRecord({str(v): self.keys[v] for v in self.neighbours[state.nid]})
            result = self.watch("share", mod._share_keys, state, configs)
            pairs = zip(result[Key.DESTINATION_LIST], result[Key.CIPHERTEXT_LIST], strict=True)
            for target, ciphertext in pairs:
                sealed[target].append((state.nid, ciphertext))
        self.bytes_up += sum(len(ciphertext) for _, ciphertext in sealed[1])
        return sealed

    def mask(self, sealed, update):
        """What the server's grid returns: every survivor's bytes, at once."""
        uploads = []
        parameters = ndarrays_to_parameters([update])
        for node in sorted(self.alive):
            configs = ConfigRecord(
                {
                    Key.CIPHERTEXT_LIST: [ciphertext for _, ciphertext in sealed[node]],
                    Key.SOURCE_LIST: [source for source, _ in sealed[node]],
                }
            )
            result = self.watch(
                "mask", mod._collect_masked_vectors, self.states[node], configs, WEIGHT, parameters
            )
            uploads.append(result[Key.MASKED_PARAMETERS])
        self.bytes_up += sum(map(len, uploads[0]))
        return uploads

    def add(self, uploads):
        total = None
        for upload in uploads:
            vector = [bytes_to_ndarray(part) for part in upload]
            total = vector if total is None else parameters_addition(total, vector)
        return parameters_mod(total, MOD_RANGE)

    def reveal(self):
        collected = {node: [] for node in range(self.count)}
        for node in sorted(self.alive):
            configs = ConfigRecord(
                {
                    Key.ACTIVE_NODE_ID_LIST: sorted(self.neighbours[node] & self.alive),
                    Key.DEAD_NODE_ID_LIST: sorted(self.neighbours[node] & self.dead),
                }
            )
            result = self.watch("reveal", mod._unmask, self.states[node], configs)
            for owner, share in zip(result[Key.NODE_ID_LIST], result[Key.SHARE_LIST], strict=True):
                collected[owner].append(share)
        return collected

    def pair_keys(self, node, secret):
        """The keys that a dropout shares with its neighbours."""
        return {
            other: generate_shared_key(
                bytes_to_private_key(secret), bytes_to_public_key(self.keys[other][0])
            )
            for other in self.neighbours[node] - {node}
        }

    def unmask(self, total, collected):
        shape = get_parameters_shape(total)
        for node, shares in collected.items():
            secret = self.watch("combine", combine_shares, shares)
            if node in self.alive:
                mask = self.watch("expand", pseudo_rand_gen, secret, MOD_RANGE, shape)
                total = self.watch("remove", parameters_subtraction, total, mask)
                continue
            for other, key in self.watch("agree", self.pair_keys, node, secret).items():
                if other in self.dead:
                    continue
                mask = self.watch("expand", pseudo_rand_gen, key, MOD_RANGE, shape)
                step = parameters_addition if node > other else parameters_subtraction
                total = self.watch("remove", step, total, mask)
        return parameters_mod(total, MOD_RANGE)

    def check(self, total, update):
        weight, vectors = factor_extract(total)
        mean = dequantize(vectors, CLIP, TARGET_RANGE)[0]
        mean += -(len(self.alive) - 1) * CLIP
        mean *= TARGET_RANGE / weight
        error = np.abs(mean - update).max()
        if error > 2 * CLIP / TARGET_RANGE * len(self.alive):
            raise SystemExit(f"flower.py: the mean is off by {error}")


def play(options):
    job = Job(options)
    update = np.random.default_rng(1).normal(0, 1, options.lanes).clip(-CLIP, CLIP)
    job.set_up()
    sealed = job.share()
    uploads = job.mask(sealed, update)
    total = job.watch("add", job.add, uploads)
    total = job.unmask(total, job.reveal())
    job.check(total, update)
    return {
        "participant_s": job.watch.mean("setup", "share", "mask", "reveal"),
        "mask_s": job.watch.mean("mask"),
        "hub_s": job.watch.total("add", "combine", "agree", "expand", "remove"),
        "unmask_s": job.watch.total("expand", "remove"),
        "bytes_up": job.bytes_up,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--participants", type=int, required=True)
    parser.add_argument("--lanes", type=int, required=True)
    parser.add_argument("--dropouts", type=int, required=True)
    parser.add_argument("--neighbours", type=int, required=True)
    parser.add_argument("--threshold", type=int, required=True)
    print(json.dumps(play(parser.parse_args())))


if __name__ == "__main__":
    main()
