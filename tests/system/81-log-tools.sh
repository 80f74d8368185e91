#!/bin/bash
# What administrators read logs with must read ours: one of each kind of transaction
# (transactions.py), then pflogsumm's totals, logwatch's unmatched lines, fail2ban's filter.
. "$(dirname "$0")/submit.bash"
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
logwatch=/usr/share/logwatch/scripts/services/postfix
filter=/etc/fail2ban/filter.d/postfix.conf
tools=
command -v pflogsumm >/dev/null && tools="$tools pflogsumm"
[ -r $logwatch ] && tools="$tools logwatch"
command -v fail2ban-regex >/dev/null && [ -r $filter ] && tools="$tools fail2ban"
[ -n "$tools" ] || { echo "none of pflogsumm, logwatch, fail2ban is installed"; exit 77; }

sink_port=$(free_port)
init_instance "$scratch/i" --set myhostname=host.example.org --set myorigin=localhost \
	--set mydestination=localhost --set mynetworks=127.0.0.1/32 --set recipient_delimiter=+ \
	--set smtpd_peername_lookup=no --set smtpd_hard_error_limit=5 --set smtpd_soft_error_limit=20 \
	--set smtpd_timeout=2 --set message_size_limit=1000000 --set local_recipient_maps='$alias_maps unix:passwd.byname' \
	--set smtpd_relay_restrictions=permit_mynetworks,reject_unauth_destination \
	--set 'alias_maps=inline:{ {aliased = bin}, {failing = "|exit 67"} }' \
	--set "transport_maps=inline:{ {sink.example = smtp:[127.0.0.1]:$sink_port}, {dead.example = smtp:[127.0.0.1]:1}, {error.example = error:5.1.2 no mail here}, {discard.example = discard:away with it} }"
port=$PORT1
start
timeout 120 python3 tests/system/transactions.py "$etc" "$port" "$sink_port" "$log" "$bin" || fail "transactions: $?"
stop
log_is() { [ "$(grep -Ec -- "$2" "$log")" = "$1" ] || fail "not $1 times: $2"; }
# the same as Postfix 3.7 logs for the same transactions
log_is 1 'disconnect from unknown\[127.0.0.4\] commands=0/0$'
log_is 1 'lost connection after DATA \([0-9]+ bytes\) from'
log_is 1 'timeout after MAIL from unknown\[127.0.0.6\]$'
log_is 1 'too many errors after UNKNOWN from unknown\[127.0.0.5\]$'
log_is 2 'NOQUEUE: reject: RCPT from unknown\[127.0.0.2\]: 554 5.7.1 <victim@other.example>: Relay access denied; from=<spammer@client.example> to=<victim@other.example> proto=ESMTP helo=<client.example>$'
log_is 1 'NOQUEUE: reject: RCPT from unknown\[127.0.0.3\]: 550 5.1.1 <nosuch@localhost>: Recipient address rejected: User unknown in local recipient table; from=<> to=<nosuch@localhost> proto=SMTP helo=<client.example>$'
log_is 1 'NOQUEUE: reject: MAIL from unknown\[127.0.0.1\]: 552 5.3.4 Message size exceeds fixed limit; from=<one@client.example> proto=ESMTP helo=<client.example>$'

if [[ $tools == *pflogsumm* ]]; then
	pflogsumm "$log" >"$scratch/sum" 2>"$scratch/sum.err" || fail "pflogsumm: $(cat "$scratch/sum.err")"
	total() { grep -Eq "^ +$1 +$2( |\$)" "$scratch/sum" || fail "pflogsumm does not say $1 $2: $(cat "$scratch/sum")"; }
	# Postfix's log of the same transactions gives the same figures
	while read -r n what; do total "$n" "$what"; done <<-END
	24 received
	26 delivered
	0 forwarded
	2 deferred
	6 bounced
	6 rejected
	0 held
	4 senders
	3 sending hosts/domains
	20 recipients
	3 recipient hosts/domains
	END
fi
if [[ $tools == *logwatch* ]]; then
	perl $logwatch --detail 11 <"$log" >"$scratch/lw" 2>&1
	grep -q 'Bytes accepted' "$scratch/lw" || fail "logwatch: $(cat "$scratch/lw")"
	grep -iq unmatched "$scratch/lw" && fail "logwatch: $(sed -n '/nmatched/,$p' "$scratch/lw")"
	grep -Eq '^ +1 +Timeout' "$scratch/lw" || fail "logwatch, timeouts: $(cat "$scratch/lw")"
fi
if [[ $tools == *fail2ban* ]]; then
	for mode in aggressive:9 normal:5; do
		timeout 120 fail2ban-regex "$log" "$filter[mode=${mode%:*}]" >"$scratch/f2b" 2>&1
		grep -q ", ${mode#*:} matched," "$scratch/f2b" || fail "fail2ban, ${mode%:*}: $(cat "$scratch/f2b")"
	done
fi
exit 0
