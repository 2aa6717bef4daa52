"""A mail server of another make, aiosmtpd, on loopback: tells its port, then a line of
JSON for each message that it takes. Its manner is a JSON object, the only argument."""
import asyncio
import base64
import email
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

manner = json.loads(sys.argv[1])
login = manner.get("login")


def context():
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.load_cert_chain(manner["certificate"], manner["key"])
    return made


class Handler:
    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        # As Google's relay treats a name that is not a full one.
        if manner.get("full_names") and "." not in hostname and ":" not in hostname:
            return ["421 4.7.0 Try again later, closing connection. (EHLO)"]
        session.host_name = hostname
        return responses

    async def auth_XOAUTH2(self, server, args):
        sent = base64.b64decode(args[1]).decode()
        if sent == f"user={login[0]}\x01auth=Bearer {login[1]}\x01\x01":
            return AuthResult(success=True, auth_data=login[0])
        challenge = base64.b64encode(b'{"status":"401","schemes":"bearer"}').decode()
        await server.challenge_auth(challenge, encode_to_b64=False)
        return AuthResult(success=False, handled=False)

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("gone@"):
            return "550 5.1.1 User unknown"
        if len(envelope.rcpt_tos) >= manner.get("most", 1000):
            return "452 4.5.3 Too many recipients"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content)
        tell({
            "helo": session.host_name,
            "user": session.auth_data if session.authenticated else None,
            "to": envelope.rcpt_tos,
            "is_safe": session.ssl is not None or manner["kind"] == "tls",
            "id": message["Message-ID"],
            "parts": sum(1 for _ in message.walk()),
        })
        return "250 taken"


def tell(words):
    print(json.dumps(words), flush=True)


def server():
    return SMTP(
        Handler(),
        hostname="peer.example",
        tls_context=context() if manner["kind"] == "starttls" else None,
        require_starttls=manner["kind"] == "starttls",
        auth_required=login is not None,
        auth_require_tls=manner["kind"] == "starttls",
        auth_exclude_mechanism=manner.get("without", []),
        authenticator=lambda _s, _e, _v, _m, data: AuthResult(
            success=login is not None and [data.login.decode(), data.password.decode()] == login,
            handled=False,
            auth_data=data.login.decode(),
        ),
    )


async def main():
    tls = context() if manner["kind"] == "tls" else None
    listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0, ssl=tls)
    tell(listener.sockets[0].getsockname()[1])
    await listener.serve_forever()


asyncio.run(main())
