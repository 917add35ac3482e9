"""A mail server for the tests: aiosmtpd, which keeps what it gets and refuses what it is told to refuse.

Arguments: how it protects connections (plain, starttls, tls), and a certificate with its key in PEM. It prints its port, then
answers each line of JSON on standard input with one on standard output.
"""

import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Keeper:
    def __init__(self):
        self.mails = []
        self.trouble = None
        self.open = 0
        self.idle = asyncio.Event()

    def refusal(self, stage):
        """What to say at this stage instead of yes."""
        trouble = self.trouble
        if trouble and trouble["stage"] == stage and trouble["after"] <= 0:
            return trouble["say"]
        return None

    async def handle_MAIL(self, server, session, envelope, address, options):
        envelope.mail_from = address
        return self.refusal("mail") or "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if no := self.refusal("rcpt"):
            return no
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if no := self.refusal("data"):
            return no
        if self.trouble:
            self.trouble["after"] -= 1
        self.mails.append(
            {
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "tls": session.ssl is not None or implicit,
                "login": session.authenticated,
                "text": envelope.content.decode("utf-8"),
            }
        )
        return "250 OK"

    def login(self, server, session, envelope, mechanism, data):
        if no := self.refusal("auth"):
            return AuthResult(success=False, handled=False, message=no)
        good = (data.login, data.password) == (b"herald", b"pass word")
        return AuthResult(success=good, handled=False)


class Server(SMTP):
    def connection_made(self, transport):
        # STARTTLS calls this a second time.
        if not getattr(self, "counted", False):
            self.counted = True
            keeper.open += 1
            keeper.idle.clear()
        super().connection_made(transport)

    def connection_lost(self, error):
        super().connection_lost(error)
        if self.counted:
            self.counted = False
            keeper.open -= 1
            if keeper.open == 0:
                keeper.idle.set()


async def serve():
    loop = asyncio.get_running_loop()
    context = None
    if way != "plain":
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(sys.argv[2])
    keeper.idle.set()

    def connection():
        return Server(
            keeper,
            hostname="localhost",
            tls_context=context if way == "starttls" else None,
            require_starttls=way == "starttls",
            auth_require_tls=way == "starttls",
            authenticator=keeper.login,
            enable_SMTPUTF8=True,
        )

    tls = context if implicit else None
    server = await loop.create_server(connection, "127.0.0.1", 0, ssl=tls)
    print(server.sockets[0].getsockname()[1], flush=True)
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := await commands.readline():
        command = json.loads(line)
        if "trouble" in command:
            keeper.trouble = command["trouble"]
            print("null", flush=True)
        else:
            await keeper.idle.wait()
            print(json.dumps(keeper.mails), flush=True)
            keeper.mails = []


way = sys.argv[1]
implicit = way == "tls"
keeper = Keeper()
asyncio.run(serve())
