"""A site in Python: enrols with a real coordinator over mutual TLS, takes part in rounds as honest
as tests/vectors/secagg.py, and says whatever a test puts in the place of a message."""
import http.client
import os
import random
import ssl
import urllib.parse

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import wire
from liars import secagg

WAIT_MS = 20000
LEAVE = b"\x19"  # share-sealed


class Site:
    """What a state folder would hold, and the present round."""

    def __init__(self, folder, token):
        token = wire.read_token(token)
        self.name = token["site"]
        self.address = urllib.parse.urlsplit(token["url"])
        self.folder = folder
        self.identity = os.urandom(32)
        self.connection = None
        self.answers = []
        self.seen = ("", 0, 0)
        self.member = None
        self.plan = None
        self.lanes = None
        self.weight = None
        self.inbox = None
        self.last_upload = None
        os.makedirs(folder)
        self.enrol(token)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content)

    def enrol(self, token):
        key = ec.generate_private_key(ec.SECP256R1())
        request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(
            key, SHA256()).public_bytes(Encoding.DER)
        signature = secagg.sign(self.identity, b"sotto/1 enrol", token["secret"], request)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.connect(context)
        status, answer = self.ask("POST", "/v1/enrol", wire.message(
            wire.ENROL_REQUEST, token["secret"], request, secagg.ed25519_public(self.identity),
            signature))
        if status != 200:
            raise AssertionError(f"{self.name} was not enrolled: {status} {answer!r}")
        self.id, certificate, authority, self.coordinator, _ = wire.read_message(
            wire.ENROL_RESPONSE, answer)
        if wire.digest(authority) != token["authority"]:
            raise AssertionError("the coordinator is not the one of the token")
        self.write("key.pem", key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        self.write("site.pem", ssl.DER_cert_to_PEM_cert(certificate).encode())
        context = ssl.create_default_context(cadata=ssl.DER_cert_to_PEM_cert(authority))
        context.load_cert_chain(self.path("site.pem"), self.path("key.pem"))
        self.connect(context)

    def connect(self, context):
        if self.connection is not None:
            self.connection.close()
        self.connection = http.client.HTTPSConnection(
            self.address.hostname, self.address.port, context=context, timeout=60)

    def close(self):
        self.connection.close()

    def ask(self, method, path, body=None, headers=None):
        """(status, body). A refusal ends the connection; the next request opens another one. So
        does a minute without a request, which the next one may notice only when it is sent."""
        try:
            return self.ask_once(method, path, body, headers)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            self.connection.close()
            return self.ask_once(method, path, body, headers)

    def ask_once(self, method, path, body, headers):
        self.connection.request(method, path, body, headers or {})
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    # Mail.

    def read(self, wanted):
        """The body of the next mail of this kind in the present round; None: the round is over."""
        while True:
            kind, campaign, number, body = self.poll()
            if (campaign, number) != (self.plan["campaign"], self.plan["round"]):
                continue
            if kind in (wanted, "outcome"):
                return body if kind == wanted else None

    def read_plan(self, campaign):
        """The body of the next plan of a campaign."""
        while True:
            kind, of_campaign, _, body = self.poll()
            if (kind, of_campaign) == ("plan", campaign):
                return body

    def poll(self):
        campaign, number, seen = self.seen
        while True:
            status, content = self.ask("GET", f"/v1/mail?campaign={campaign}&round={number}"
                                       f"&seen={seen}&wait_ms={WAIT_MS}")
            if status == 200:
                kind, campaign, number, body, _ = wire.read_mail(content)
                self.seen = campaign, number, wire.KINDS.index(kind)
                return kind, campaign, number, body
            if status != 204:
                raise AssertionError(f"{self.name} asks for mail: status {status}")

    def say(self, what, body, campaign=None, number=None):
        """The status of the answer; 204 is the coordinator's yes."""
        status, _ = self.ask("POST", f"/v1/rounds/{campaign or self.plan['campaign']}/"
                             f"{number or self.plan['round']}/{what}", body)
        return status

    def put(self, packed, length=None, digest=None, chunk_digest=None):
        """An upload in one chunk."""
        query = urllib.parse.urlencode({
            "offset": 0, "length": len(packed) if length is None else length,
            "digest": (digest or wire.digest(packed)).hex()})
        return self.ask("PUT", f"/v1/rounds/{self.plan['campaign']}/{self.plan['round']}/upload?"
                        f"{query}", packed,
                        {"Sotto-Chunk-Digest": (chunk_digest or wire.digest(packed)).hex()})

    def item(self, kind, name):
        status, content = self.ask("GET", f"/v1/items/{kind}/{name.hex()}")
        if status != 200:
            raise AssertionError(f"there is no {kind} {name.hex()}")
        return content

    # A round.

    def begin(self, plan_bytes):
        self.plan = plan = wire.read_plan(plan_bytes)
        _, _, lines = wire.read_roster(self.item("roster", plan["roster"]))
        roster = {number: secagg.Entry(identity, certificate)
                  for number, identity, certificate, _ in lines}
        terms = secagg.Terms(secagg.plan_context(plan_bytes), plan["lane_count"],
                             plan["ring_bits"], plan["cohort_min"], plan["cohort_max"],
                             plan["survivors_min"], plan["corrupt_fraction"])
        self.member = secagg.Member(terms, roster, self.id, self.identity, self.coordinator,
                                    os.urandom(32))
        self.lanes = self.update()

    def update(self):
        """What an honest site's quantiser could have made."""
        top = (1 << self.plan["value_bits"] - 1) - 1
        weight = self.weight or random.randint(1, 200)
        modulus = 1 << self.plan["ring_bits"]
        return [weight * random.randint(-top // 8, top // 8) % modulus
                for _ in range(self.plan["lane_count"] - 1)] + [weight]

    def mask(self, inbox):
        self.inbox = inbox
        self.last_upload = self.member.mask(inbox, self.lanes)
        return self.last_upload

    def upload(self, lanes):
        """Masks these in place of its own, with the same keys: the sum will hold them."""
        modulus = 1 << self.plan["ring_bits"]
        self.lanes = [lane % modulus for lane in lanes]
        return self.mask(self.inbox)
