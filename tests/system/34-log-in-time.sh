#!/bin/bash
# What is said about a message is in the log while its client takes its time, within DATA and between
# chunks of BDAT, and all of it in its order.
. "$(dirname "$0")/submit.bash"

make_instance discard
port=$(sed -n 's/.*127\.0\.0\.1:\([0-9]*\);.*/\1/p' "$scratch/init.out")
cat >>"$etc/main.cf" <<'END'
header_checks = pcre:{ {/^X-W: (.*)/ WARN} }
END
start

reply() { # reply CODE: the whole of one
	local line
	while read -r -t 60 -u 5 line; do
		case $line in
		"$1 "*) return 0 ;;
		"$1-"*) ;;
		*) fail "$line instead of $1" ;;
		esac
	done
	fail "no reply $1"
}
say() { printf '%s\r\n' "$1" >&5; }
begin() { # begin TOKEN
	say "MAIL FROM:<$1@x.test>"
	reply 250
	say "RCPT TO:<a@r.test>"
	reply 250
}

exec 5<>"/dev/tcp/127.0.0.1/$port"
reply 220
say "EHLO client.test"
reply 250
begin data
say DATA
reply 354
say "X-W: in-data"
say "Message-ID: <in-data@x.test>"
say ""
await_log 'warning: header X-W: in-data from'
await_log 'message-id=<in-data@x.test>$'
say .
reply 250

begin bdat
say "BDAT 22"
say "X-W: in-chunks"
say "A: b"
reply 250
await_log 'warning: header X-W: in-chunks from'
say "BDAT 8 LAST"
say ""
say "text"
reply 250
say QUIT
reply 221
exec 5>&-
await_log 'disconnect from .* mail=2 rcpt=2 data=1 bdat=2 quit=1 commands=9'
wanted="connect client in-data in-data@x client in-chunks disconnect "
order=$(sed -n 's/.*: \(connect\|disconnect\) from .*/\1/p; s/.*: \(client\)=.*/\1/p
	s/.* header X-W: \(in-[a-z]*\) from .*/\1/p; s/.*message-id=<\(in-data@x\).*/\1/p' "$log" | tr '\n' ' ')
[ "$order" = "$wanted" ] || fail "order: $order"
stop
