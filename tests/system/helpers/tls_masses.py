# SPDX-License-Identifier: ISC
"""usage: tls_masses.py PORT

200 handshakes at once, of which half are none. Prints how many of the good ones worked to the end, and how
many of the others were ended by the server.
"""
import asyncio
import os
import ssl
import sys

context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
noise = {"garbage": os.urandom(300), "huge": b"\x16\x03\x01\xff\xff" + b"A" * 70000,
         "stall": b"\x16\x03\x01\x02\x00\x01", "alert": b"\x15\x03\x01\x00\x02\x02\x28"}
good = bad = 0


async def reply(reader):
    while True:
        line = await asyncio.wait_for(reader.readline(), 60)
        if not line:
            raise EOFError
        if line[3:4] == b" ":
            return line


async def one(kind):
    global good, bad
    reader, writer = await asyncio.open_connection("127.0.0.1", int(sys.argv[1]))
    await reply(reader)
    for word in (b"EHLO x\r\n", b"STARTTLS\r\n"):
        writer.write(word)
        await reply(reader)
    if kind == "good":
        await writer.start_tls(context)
        # two words only: all processes are busy, and what costs nothing is counted ($stress)
        for word in (b"EHLO y\r\n", b"QUIT\r\n"):
            writer.write(word)
            line = await reply(reader)
        good += line.startswith(b"221")
        return
    writer.write(noise[kind])
    try:
        while await asyncio.wait_for(reader.read(1000), 60):
            pass
    except ConnectionError:
        pass
    bad += 1


async def main():
    kinds = ["good", "garbage", "good", "huge", "good", "stall", "good", "alert"] * 25
    await asyncio.gather(*(one(kind) for kind in kinds))

asyncio.run(main())
print(good, bad)
