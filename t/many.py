# SPDX-License-Identifier: ISC
# Many SMTP clients at once: all are connected and logged in before the first
# one sends, then each sends its messages.
#
#	python3 many.py PORT CA CLIENTS MESSAGES
#
# Prints how many messages were answered 250, and every other answer.
import asyncio
import base64
import ssl
import sys

port, ca, clients, messages = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
context = ssl.create_default_context(cafile=ca)
plain = base64.b64encode(b"\0alice@example.test\0alice-secret")


async def say(stream, line, want):
    reader, writer = stream
    writer.write(line + b"\r\n" if line else b"")
    while True:
        got = await reader.readline()
        if got[3:4] != b"-":
            break
    if got[:3] != want:
        raise RuntimeError("%.20r: %r, not %r" % (line, got, want))


async def client(n, gate):
    stream = await asyncio.open_connection("127.0.0.1", port, ssl=context,
        server_hostname="localhost", ssl_handshake_timeout=60)
    await say(stream, b"", b"220")
    await say(stream, b"EHLO client%d.test" % n, b"250")
    await say(stream, b"AUTH PLAIN " + plain, b"235")
    gate.pop()
    while gate:
        await asyncio.sleep(0.01)
    for m in range(messages):
        await say(stream, b"MAIL FROM:<alice@example.test>", b"250")
        await say(stream, b"RCPT TO:<bob@example.test>", b"250")
        await say(stream, b"DATA", b"354")
        await say(stream, b"Subject: client %d message %d\r\n\r\n%s\r\n."
            % (n, m, b"x" * 70), b"250")
    await say(stream, b"QUIT", b"221")
    return messages


async def main():
    gate = [True] * clients
    done = await asyncio.gather(*(client(n, gate) for n in range(clients)),
        return_exceptions=True)
    for failed in done:
        if isinstance(failed, Exception):
            print(repr(failed))
    print("delivered", sum(d for d in done if isinstance(d, int)))

asyncio.run(main())
