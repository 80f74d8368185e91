#!/bin/bash
# Settings of smtpd, one or two at a time: what a client hears, what is logged, what mail comes of it, as
# in settings_cases.py. Where Debian's Postfix is installed it does the same, but for what is named
# below. "36-settings.sh --write" writes what is wanted anew: compare it then.
. "$(dirname "$0")/submit.bash"
. tests/system/postfix.bash
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
cases=tests/system/settings.py wanted=tests/system/36-settings.wanted
export PYTHONDONTWRITEBYTECODE=1
sinks=

end() {
	# shellcheck disable=SC2086
	[ -n "$sinks" ] && kill $sinks 2>/dev/null
	stop_postfix
	cleanup
}
trap end EXIT

settings() { # settings SINK-PORT: for both
	cat <<END
compatibility_level = 3.6
myhostname = mail.example.org
mydomain = example.org
myorigin = example.org
mail_name = Mail
mydestination = example.org
mynetworks = 192.0.2.0/24
local_transport = smtp:[127.0.0.1]:$1
default_transport = smtp:[127.0.0.1]:$1
relay_transport = smtp:[127.0.0.1]:$1
virtual_transport = smtp:[127.0.0.1]:$1
local_recipient_maps = inline:{ user=x, postmaster=x, copy=x }
virtual_alias_domains = alias.test
virtual_alias_maps = inline:{ user@alias.test=user@example.org }
relay_domains = relay.test
relay_recipient_maps = inline:{ user@relay.test=x }
virtual_mailbox_domains = box.test
virtual_mailbox_maps = inline:{ user@box.test=x }
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_error_sleep_time = 0
smtpd_client_connection_count_limit = 0
inet_protocols = ipv4
smtputf8_enable = yes
fast_flush_domains =
END
}
# new_sink NAME: takes mail into $scratch/NAME at $sink_port
new_sink() {
	sink_port=$(free_port)
	python3 $cases sink "$sink_port" "$scratch/$1" >"$scratch/$1.out" 2>&1 &
	sinks="$sinks $!"
	await 10 grep -q ready "$scratch/$1.out" || fail "sink: $(cat "$scratch/$1.out")"
}

make_instance discard
port=$(free_port)
cp "$etc/master.cf" "$scratch/master.cf"
python3 $cases bad "$port" >>"$etc/master.cf"
"$postern" -c "$etc" start >"$scratch/refused" 2>&1 && fail "it starts with bad values"
sed -n 's/.*error: [^ ]*\(master.cf: \)line [0-9]*: 127[^ ]*inet: /bad ! \1/p' "$scratch/refused" >"$scratch/bad"
cp "$scratch/master.cf" "$etc/master.cf"

new_sink sink1
settings "$sink_port" >>"$etc/main.cf"
python3 $cases master 1 "$port" >>"$etc/master.cf"
start
python3 $cases run 1 "$port" >"$scratch/got" 2>&1 || fail "$(tail "$scratch/got")"
await 60 count_is 0 || fail "mail stays: $("$bin/postqueue" -p)"
python3 $cases log "$log" >>"$scratch/got"
python3 $cases mail "$scratch/sink1" >>"$scratch/got"
cat "$scratch/bad" >>"$scratch/got"
stop
if [ "${1:-}" = --write ]; then cp "$scratch/got" "$wanted"; fi
diff "$wanted" "$scratch/got" || fail "Postern does otherwise"

have_postfix && [ -z "${1:-}" ] || exit 0
make_postfix discard
new_sink sink2
settings "$sink_port" >"$scratch/settings"
grep -v -f <(sed 's/ = .*/ =/; s/ =$/ =/; s/^/^/' "$scratch/settings") "$pf_etc/main.cf" >"$scratch/main.cf"
cat "$scratch/main.cf" "$scratch/settings" >"$pf_etc/main.cf"
python3 $cases master 2 "$port" >>"$pf_etc/master.cf"
start_postfix
python3 $cases run 2 "$port" >"$scratch/postfix" 2>&1 || fail "$(tail "$scratch/postfix")"
await 60 sh -c "MAIL_CONFIG='$pf_etc' postqueue -p | grep -q empty" || fail "Postfix keeps mail"
python3 $cases log "$pf_log" >>"$scratch/postfix"
python3 $cases mail "$scratch/sink2" >>"$scratch/postfix"
# What is otherwise here, and why:
#   bare-lf: a line of a lone dot that ends in a bare LF stays; bare-lf-note: Debian's has no "note"
#   remote-domain, unlisted-no-table: with Postfix these are settings of trivial-rewrite
#   xclient: who is not here is not local; unlisted-sender: Postfix logs how it maps the status
#   notify-bounce, reject-footer-line: To: and $recipient say who; discard-ehlo-loud: is logged
others='^(bare-lf|bare-lf-note|remote-domain|xclient|unlisted-no-table|unlisted-sender|notify-bounce|reject-footer-line|discard-ehlo-loud|bad) '
diff <(grep -vE "$others" "$wanted") <(grep -vE "$others" "$scratch/postfix") || fail "Postfix does otherwise"
