"""An upload of several chunks over a line that breaks: it goes on where it stopped."""
import http.client
import http.server
import os
import ssl
import sys
import threading
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "end_to_end"))
from federation import PHOTOS, Federation  # noqa: E402

BINARIES = sys.argv.pop(1)
RANK = 250


class BrokenLine(http.server.BaseHTTPRequestHandler):
    """Between one site and the hub, under the hub's own certificate. Loses what `breaks` says."""

    protocol_version = "HTTP/1.1"

    def forward(self):
        length = int(self.headers.get("Content-Length", 0))
        line = self.server.line
        line.requests.append((self.command, self.path, length))
        if line.breaks_before(self):
            self.rfile.read(length // 2)
            self.close_connection = True
            return
        body = self.rfile.read(length)
        answer, content = line.ask(self, body)
        if line.breaks_after(self):
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() in ("content-type", "content-length"):
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = forward

    def log_message(self, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """A connection that ends with the test is none."""


class Line:
    def __init__(self, federation, site):
        hub = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        hub.load_cert_chain(federation.path("hub/pki/server.pem"),
                            federation.path("hub/pki/server.key"))
        self.hub_port = federation.port
        self.own = ssl.create_default_context(cafile=federation.path(site, "pki/ca.pem"))
        self.own.load_cert_chain(federation.path(site, "pki/tls.pem"),
                                 federation.path(site, "pki/tls.key"))
        self.requests = []
        self.left = {"before": 1, "after": 1}
        self.server = Server(("127.0.0.1", 0), BrokenLine)
        self.server.line = self
        self.server.socket = hub.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def ask(self, request, body):
        connection = http.client.HTTPSConnection("127.0.0.1", self.hub_port, context=self.own,
                                                 timeout=60)
        headers = {name: value for name, value in request.headers.items()
                   if name.lower().startswith("sotto-")}
        connection.request(request.command, request.path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer, content

    def take(self, what):
        self.left[what] -= 1
        return self.left[what] >= 0

    def breaks_before(self, request):
        """The second chunk is cut in its middle, once."""
        return request.command == "PUT" and "offset=1048576" in request.path and self.take("before")

    def breaks_after(self, request):
        """The hub has the first chunk, the site does not hear of it, once."""
        return request.command == "PUT" and "offset=0&" in request.path and self.take("after")


class Upload(unittest.TestCase):
    def setUp(self):
        f = self.federation = Federation(BINARIES, sites=3)
        self.addCleanup(f.close)
        f.run("sotto-pretrain", "--images", os.path.join(PHOTOS, "train-images-idx3-ubyte.gz"),
              "--count", 64, "--width", 64, "--blocks", 1, "--heads", 2, "--epochs", 1,
              "--batch", 64, "--out", f.path("base"))
        f.partition("sites=3", "cohort_max=3", "cohort_min=3", "survivors_min=3",
                    "examples_min=20", "examples_max=30")
        f.init_hub()
        f.serve()
        for name in f.names:
            f.enrol(name, "--policy", f"rank_max={RANK}")

    def route_through(self, line, name):
        path = self.federation.path(name, "site.yaml")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        port = line.server.server_address[1]
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(f":{self.federation.port}'", f":{port}'"))

    def test_upload__line_breaks_twice__goes_on_where_it_stopped(self):
        f = self.federation
        line = Line(f, "site-1")
        self.addCleanup(line.server.shutdown)
        self.route_through(line, "site-1")
        for name in f.names:
            f.join(name)
        f.create_campaign("bridges", "--cohort-min", 3, "--cohort-max", 3, "--survivors-min", 3,
                          "--rounds", 1, "--rank", RANK, "--method", "fedit")
        f.admin("campaign", "start", "bridges")
        f.admin("campaign", "wait", "bridges", "--timeout", 60)
        self.assertEqual(f.campaign("bridges")["rounds"][0]["survivors"], 3)
        self.assertTrue(all(left <= 0 for left in line.left.values()), "the line broke twice")
        chunks = [request for request in line.requests if request[0] == "PUT"]
        offsets = ["offset=0&" in path for _, path, _ in chunks]
        self.assertIn(False, offsets)
        self.assertNotIn(True, offsets[offsets.index(False):], "the first chunk came again")
        self.assertTrue(all(length <= 1 << 20 for _, _, length in chunks))


if __name__ == "__main__":
    unittest.main(verbosity=2)
