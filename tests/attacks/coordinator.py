"""An evil coordinator's front: it speaks HTTP over mutual TLS with finished sites, hands each one
the mail that a script wants, and keeps what they answer. It decides nothing."""
import collections
import http.server
import queue
import ssl
import threading
import urllib.parse

from wire import digest

ANSWER_S = 30


class Refused(Exception):
    """A site left the round instead of answering; `code` is the byte it sent."""

    def __init__(self, desk, code):
        super().__init__(f"{desk.name} refused with byte {code}")
        self.desk = desk
        self.code = code


class Desk:
    """What goes to one site and comes from it."""

    def __init__(self, name):
        self.name = name
        self.mail = queue.Queue()
        self.posts = queue.Queue()
        self.items = {}
        self.upload = b""

    def send(self, mail):
        self.mail.put(mail)

    def expect(self, what, number):
        """The site's next message, which has to be this one of this round."""
        try:
            came, of_round, body = self.posts.get(timeout=ANSWER_S)
        except queue.Empty as nothing:
            raise AssertionError(f"{self.name} did not answer with {what}") from nothing
        if of_round != number:
            raise AssertionError(f"{self.name} said {came} in round {of_round}, not {number}")
        if came == "leave":
            raise Refused(self, body[0])
        if came != what:
            raise AssertionError(f"{self.name} answered with {came}, not {what}")
        return body


class Front(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port, pki):
        super().__init__(("127.0.0.1", port), Caller)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(f"{pki}/server.pem", f"{pki}/server.key")
        context.load_verify_locations(f"{pki}/ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        self.tls = context
        self.desks = {}
        self.items = {}
        self.callers = collections.defaultdict(set)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05},
                         daemon=True).start()

    def seat(self, certificate, desk):
        """Who shows this certificate comes to this desk."""
        self.desks[certificate] = desk

    def hang_up(self, desk):
        """Breaks every connection of a site; polls that hang there take no more mail."""
        desk.mail = queue.Queue()
        for connection in list(self.callers[desk.name]):
            try:
                connection.shutdown(2)
            except OSError:
                continue

    def handle_error(self, request, client_address):
        """Sites come and go as the script wants."""

    def close(self):
        self.shutdown()
        self.server_close()


class Caller(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        super().setup()
        self.desk = self.server.desks[digest(self.request.getpeercert(binary_form=True))]
        self.server.callers[self.desk.name].add(self.request)
        self.mail = self.desk.mail

    def finish(self):
        self.server.callers[self.desk.name].discard(self.request)
        super().finish()

    def log_message(self, *_):
        """Attacks tell by their outcome."""

    def answer(self, status, body=b""):
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        parts = urllib.parse.urlsplit(self.path)
        words = parts.path.strip("/").split("/")
        if words[1] == "mail":
            self.give_mail(urllib.parse.parse_qs(parts.query))
        elif words[1] == "items":
            self.give_item(words[2], words[3])
        else:
            self.answer(200, str(len(self.desk.upload)).encode())

    def give_mail(self, query):
        try:
            mail = self.mail.get(timeout=int(query["wait_ms"][0]) / 1000)
        except queue.Empty:
            self.answer(204)
            return
        self.answer(200, mail)

    def give_item(self, kind, name):
        item = self.desk.items.get(kind) or self.server.items.get((kind, name))
        self.answer(404 if item is None else 200, item or b"")

    def body(self):
        return self.rfile.read(int(self.headers["Content-Length"]))

    def do_POST(self):
        body = self.body()
        self.answer(204)
        self.take(self.path.strip("/").split("/"), body)

    def take(self, words, body):
        """Words of v1/rounds/CAMPAIGN/ROUND/WHAT."""
        self.desk.posts.put((words[4], int(words[3]), body))

    def do_PUT(self):
        parts = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(parts.query)
        chunk = self.body()
        self.desk.upload = self.desk.upload[:int(query["offset"][0])] + chunk
        length = len(self.desk.upload)
        self.answer(200, str(length).encode())
        if length == int(query["length"][0]):
            self.take(parts.path.strip("/").split("/"), self.desk.upload)
            self.desk.upload = b""
