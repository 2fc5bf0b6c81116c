"""sslsniff: the bytes that programs gave to and got from TLS, before and after they were encrypted."""

import socket
import ssl
import sys

from harness import *

SECRET = b"GET /secret HTTP/1.0\r\nX: 1\r\n\r\n"


def certificate(path):
    run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
         "-subj", "/CN=localhost", "-keyout", path / "key", "-out", path / "cert"], limit=50)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path / "cert", path / "key")
    return context


def serve(context, answer):
    """A child that answers one connection; its pid and port."""
    listener = socket.create_server(("127.0.0.1", 0))
    child = os.fork()
    if not child:
        connection = context.wrap_socket(listener.accept()[0], server_side=True)
        connection.recv(65536)
        connection.sendall(answer)
        connection.close()
        os._exit(0)
    return child, listener.getsockname()[1]


def ask(port, question):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(socket.create_connection(("127.0.0.1", port))) as sock:
        sock.sendall(question)
        got = b""
        while chunk := sock.recv(65536):
            got += chunk
    return got


def joined(result, pid, function):
    return "".join(row["data"] for row in result.of(pid) if row["kind"] == function)


@timeout(120)
def test_openssl():
    answer = b"HTTP/1.0 200 OK\r\n\r\n" + bytes(range(256)) * 40
    with folder() as path:
        context = certificate(path)
        child, port = serve(context, answer)
        sniff = tool("sslsniff", "-g", "-n", "-l", "--handshake", json=True)
        cut = tool("sslsniff", "--max-buffer-size", 10, "-p", child, json=True)
        began = time.monotonic_ns()
        assert ask(port, SECRET) == answer
        took = time.monotonic_ns() - began
        os.waitpid(child, 0)
        result, cut = sniff.stop(), cut.stop()
    own = os.getpid()
    latin = answer.decode("latin-1")
    assert joined(result, own, "WRITE/SEND") == joined(result, child, "READ/RECV") == SECRET.decode()
    for pid, function in ((child, "WRITE/SEND"), (own, "READ/RECV")):
        rows = [row for row in result.of(pid) if row["kind"] == function]
        data = "".join(row["data"] for row in rows)
        assert sum(row["len"] for row in rows) == len(answer) and data.startswith(latin[:100])
    rows = result.of(own) + result.of(child)
    assert all(0 < row["lat_ns"] <= took for row in rows)
    shakes = [row for row in rows if row["kind"] == "HANDSHAKE"]
    assert {row["pid"] for row in shakes} == {own, child} and {row["len"] for row in shakes} == {0}
    assert {row["func"] for row in rows} == {"SSL_read_ex", "SSL_write_ex", "SSL_do_handshake"}
    assert {row["pid"] for row in cut.json[:-1]} == {child}
    assert all(row["captured"] == min(10, row["len"]) for row in cut.json[:-1])


@timeout(120)
def test_text_is_escaped():
    answer = b"HTTP/1.0 200 OK\r\n\r\n\x1b[31mred\n----- END DATA -----\nforged\xff\n"
    with folder() as path:
        context = certificate(path)
        child, port = serve(context, answer)
        plain, hexed = tool("sslsniff", "-p", child), tool("sslsniff", "-x", "--hexdump", "--max-buffer-size", 20)
        named = tool("sslsniff", "-c", "nobody")
        assert ask(port, SECRET) == answer
        os.waitpid(child, 0)
        plain, hexed, named = plain.stop().out, hexed.stop().out, named.stop().out
    assert plain.splitlines()[0].split() == ["FUNC", "TIME(s)", "COMM", "PID", "LEN"]
    assert "----- DATA -----\nGET /secret HTTP/1.0\nX: 1\n\n----- END DATA -----\n" in plain
    assert ("----- DATA -----\nHTTP/1.0 200 OK\n\n\\x1b[31mred\n\\x2d---- END DATA -----\nforged\\xff\n"
            "----- END DATA -----\n") in plain
    assert hexed.splitlines()[0].split() == ["FUNC", "TIME(s)", "COMM", "PID", "LEN", "UID", "TID"]
    assert ("00000000  47 45 54 20 2f 73 65 63  72 65 74 20 48 54 54 50  |GET /secret HTTP|\n"
            "00000010  2f 31 2e 30                                       |/1.0|\n"
            f"----- END DATA (TRUNCATED, {len(SECRET) - 20} bytes lost) -----") in hexed
    assert "secret" not in named and "DATA" not in named


@timeout(120)
@needs("program:wget", "program:openssl")
def test_gnutls_and_nss():
    answer = b"HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nanswer"
    with folder() as path:
        context = certificate(path)
        child, port = serve(context, answer)
        sniff = tool("sslsniff", "-o", json=True)
        none = tool("sslsniff", "-o", "-g", "-c", "wget", json=True)
        wget = spawn(["wget", "-qO-", "--no-check-certificate", f"https://127.0.0.1:{port}/from-gnutls"])
        assert wget.wait().out == "answer"
        os.waitpid(child, 0)
        nspr = spawn([sys.executable, "-c", "import ctypes\nl=ctypes.CDLL('libnspr4.so')\nl.PR_GetSpecialFD.restype="
                      "ctypes.c_void_p\nassert l.PR_Write(ctypes.c_void_p(l.PR_GetSpecialFD(1)), b'by nspr', 7)==7"])
        assert nspr.wait().out == "by nspr"
        result, none = sniff.stop(), none.stop()
    assert joined(result, wget.pid, "WRITE/SEND").startswith("GET /from-gnutls HTTP/1.1\r\n")
    assert joined(result, wget.pid, "READ/RECV") == answer.decode()
    assert {row["func"] for row in result.of(wget.pid)} == {"gnutls_record_send", "gnutls_record_recv"}
    assert [(row["func"], row["kind"], row["data"], row["len"]) for row in result.of(nspr.pid)] == [
        ("PR_Write", "WRITE/SEND", "by nspr", 7)]
    assert not result.of(child) and not none.of(wget.pid)


def test_what_cannot_be_traced():
    for args, code in ((("-o", "-g", "-n"), 1), (("--extra-lib", "openssl:/nonexistent"), 1),
                       (("--extra-lib", "other:/x"), 2), (("--handshake",), 2), (("-c", "x" * 16), 2),
                       (("--max-buffer-size", "40000"), 2)):
        result = tool_run("sslsniff", *args)
        assert result.code == code and len(result.err.splitlines()) <= 2, args
