#!/bin/bash
# Mail to nodemailer's smtp-server: with and without TLS, of all kinds, byte for byte.
. "$(dirname "$0")/peers.bash"
command -v node npm >/dev/null || { echo "node or npm is not installed"; exit 77; }
modules=${POSTERN_TEST_NODE_MODULES:-$scratch/node/node_modules}
if [ ! -d "$modules/smtp-server" ]; then
	mkdir -p "$scratch/node"
	(cd "$scratch/node" && timeout 40 npm install --silent --no-fund --no-audit smtp-server) >"$scratch/npm.out" 2>&1
	[ -d "$modules/smtp-server" ] || { echo "npm does not bring smtp-server"; exit 77; }
fi
cat >"$scratch/server.js" <<'END'
const { SMTPServer } = require("smtp-server");
const fs = require("fs");
const [port, folder, certs] = process.argv.slice(2);
let count = 0;
new SMTPServer({
	authOptional: true, disabledCommands: ["AUTH"], size: 20e6, disableReverseLookup: true,
	key: fs.readFileSync(certs + "/mx.key"), cert: fs.readFileSync(certs + "/mx.pem"),
	onData(stream, session, done) {
		const name = folder + "/" + ++count, chunks = [];
		stream.on("data", (chunk) => chunks.push(chunk));
		stream.on("end", () => {
			let text = Buffer.concat(chunks).toString("latin1").replace(/^\./gm, "..");
			if (!text.endsWith("\r\n")) text += "\r\n";
			const rcpts = session.envelope.rcptTo.map((r) => "RCPT TO:<" + r.address + ">\r\n");
			fs.writeFileSync(name + ".part", rcpts.join("") + "DATA\r\n" + text + ".\r\n", "latin1");
			fs.renameSync(name + ".part", name);
			done();
		});
	},
}).listen(Number(port), "127.0.0.1");
END
NODE_PATH=$modules node "$scratch/server.js" "$peer_port" "$arrived" "$certs" >"$scratch/node.out" 2>&1 &
pids+=($!)
await_peer "$scratch/node.out"
run_client
send_all
check_all
exit 0
