#!/bin/sh
# smtp-source and smtp-sink against each other: counts, tokens, refusals, dumps, LMTP, limits.
set -u
bin=${POSTERN_BUILD:-$(dirname "$0")/../../build/release}/bin
case $bin in /*) ;; *) bin=$(pwd)/$bin ;; esac
dir=$(mktemp -d) || exit 2
sink=
trap 'kill $sink 2>/dev/null; rm -rf "$dir"' EXIT
cd "$dir" || exit 2
fail() { echo "$*"; exit 1; }
is() { [ "$1" = "$2" ] || fail "expected '$2', got '$1'"; }
start() { # start OPTIONS...: a sink on a free port
	rm -f port
	"$bin/smtp-sink" -O port "$@" 127.0.0.1:0 >sink.out 2>&1 &
	sink=$!
	i=0
	while [ ! -f port ]; do
		kill -0 $sink 2>/dev/null || fail "sink: $(cat sink.out)"
		i=$((i + 1))
		[ $i -lt 200 ] || fail "no port"
		sleep 0.05
	done
	port=$(cat port)
}
stop() {
	kill $sink
	wait $sink || fail "sink ended with $?"
	sink=
}

# every message arrives once, whole, with the token that was noted as accepted
start -c -D 'dump'
"$bin/smtp-source" -s 5 -m 50 -l 2000 -N -J accepted 127.0.0.1:$port || fail "source: $?"
"$bin/smtp-source" -s 5 -m 50 -l 2000 -d -P -r 3 -J accepted 127.0.0.1:$port || fail "source: $?"
"$bin/smtp-source" -m 1 -o -t old@x.y 127.0.0.1:$port || fail "source -o: $?"
stop
tail -c 200 sink.out | grep -q 'sess=56 quit=56 mesg=101' || fail "$(cat sink.out)"
cut -d' ' -f1 accepted | sort >a
sed -n 's/^X-Token: //p' dump | sort >d
cmp a d || fail "tokens differ"
is "$(sort -u a | wc -l | tr -d ' ')" 100
is "$(grep -c '^X-Rcpt-Args: <1foo@' dump)" 51
is "$(grep -c '^X-Rcpt-Args: <50foo@' dump)" 1

# answers are timed
start -W .:0.2
"$bin/smtp-source" -a -s 2 -m 4 127.0.0.1:$port >times || fail "source -a: $?"
stop
grep -Eqx 'answers=4 p50=[0-9]{3}\.[0-9] p95=[0-9]{3}\.[0-9] p99=[0-9]{3}\.[0-9] max=[0-9]{3}\.[0-9] ms' times ||
	fail "$(cat times)"

# a file goes through as it is
printf 'Subject: x\n\n.dot\n..\nlast' >msg
start -d 'folder/m.'
"$bin/smtp-source" -F msg 127.0.0.1:$port || fail "source -F"
stop
sed '1,/^Received:/d;/^[	]/d' folder/m.* >got
printf '\n\n' | cat msg - >want
cmp got want || fail "$(cat got)"

# refusals: end the program, or are counted
start -x 'bad=550 5.1.1 no' -W rset:0.01
"$bin/smtp-source" -m 3 -t bad@x.y 127.0.0.1:$port 2>err && fail "no failure"
grep -q 'RCPT TO: unexpected reply: 550 5.1.1 no' err || fail "$(cat err)"
for options in '' -d -P '-d -P'; do
	"$bin/smtp-source" -A $options -m 4 -t bad@x.y 127.0.0.1:$port 2>err || fail "$options"
	grep -q '4 of 4 messages were not accepted' err || fail "$options: $(cat err)"
	"$bin/smtp-source" -A $options -m 4 -r 12 -N -t bad@x.y 127.0.0.1:$port 2>err || fail "$options"
done
stop
"$bin/smtp-source" 127.0.0.1:$port 2>/dev/null && fail "no server, no failure"
for refuse in '-f .' '-r .' '-f mail' '-r connect' '-q data' '-Q rcpt' '-f data' '-q .' '-q connect'; do
	start $refuse
	"$bin/smtp-source" -A -d -m 2 127.0.0.1:$port 2>err || fail "$refuse: $?"
	grep -q '2 of 2 messages were not accepted' err || fail "$refuse: $(cat err)"
	stop
done

# LMTP: an answer for each recipient; -M ends the sink
start -L -M 2
"$bin/smtp-source" -L -m 2 -r 3 -d -J lmtp 127.0.0.1:$port || fail "LMTP"
wait $sink || fail "sink -M: $?"
sink=
is "$(wc -l <lmtp | tr -d ' ')" 6
exit 0
