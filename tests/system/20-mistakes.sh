#!/bin/bash
# What an administrator gets wrong is named by check and at the start, with file, line and what was
# expected, although mail could be taken in the meantime: tables, match lists, restriction lists.
. "$(dirname "$0")/submit.bash"

make_instance discard
port=$(free_port)
echo "127.0.0.1:$port inet n - n - - smtpd" >>"$etc/master.cf"
cp "$etc/main.cf" "$scratch/main.cf" && cp "$etc/master.cf" "$scratch/master.cf"
printf '/^foo/ OK\n/(unbalanced/ REJECT\n' >"$scratch/bad.pcre"

# Several at once, each said in its own line: name|value|what is said behind "main.cf: line N: ".
mistakes() {
	cat <<'END'
virtual_alias_maps|mysql:/etc/x.cf|virtual_alias_maps: mysql:/etc/x.cf: table type "mysql" is not supported by this version
canonical_maps|hahs:/etc/x|canonical_maps: hahs:/etc/x: unknown table type "hahs": did you mean "hash"?
sender_canonical_maps|foobar:/etc/x|sender_canonical_maps: foobar:/etc/x: unknown table type "foobar": expected a type of tables(5)
recipient_canonical_maps|/etc/x|recipient_canonical_maps: "/etc/x": expected a table as type:name
transport_maps|lmdb:SCRATCH/none|transport_maps: lmdb:SCRATCH/none: open SCRATCH/none.lmdb: No such file or directory; run `postmap lmdb:SCRATCH/none`
sender_bcc_maps|unionmap:{inline:{a=b},hsh:/y}|sender_bcc_maps: unionmap:{inline:{a=b},hsh:/y}: unknown table type "hsh": did you mean "hash"?
relay_domains|/etc/none.domains|relay_domains: open /etc/none.domains: No such file or directory
mynetworks|192.0.2.1/24|mynetworks: non-null host address bits in "192.0.2.1/24"
header_checks|pcre:/etc/none|header_checks: pcre:/etc/none: open /etc/none: No such file or directory
smtpd_reject_footer_maps|pcer:/x|smtpd_reject_footer_maps: pcer:/x: unknown table type "pcer": did you mean "pcre"?
smtpd_client_restrictions|permit_mynetwork, check_client_access|smtpd_client_restrictions: permit_mynetwork: there is no such restriction, did you mean permit_mynetworks?
smtpd_client_restrictions|permit_mynetwork, check_client_access|smtpd_client_restrictions: check_client_access: expected a table, type:name, behind it
smtpd_helo_restrictions|check_helo_access /etc/x, check_client_access pcre:SCRATCH/bad.pcre|smtpd_helo_restrictions: check_helo_access /etc/x: expected a table
smtpd_helo_restrictions|check_helo_access /etc/x, check_client_access pcre:SCRATCH/bad.pcre|smtpd_helo_restrictions: SCRATCH/bad.pcre, line 2: /(unbalanced/:
smtpd_sender_restrictions|reject_rbl_client zen.example=127.0.0.[1;3, permit, reject|smtpd_sender_restrictions: reject_rbl_client zen.example=127.0.0.[1;3: expected domain=d.d.d.d
smtpd_sender_restrictions|reject_rbl_client zen.example=127.0.0.[1;3, permit, reject|smtpd_sender_restrictions: permit: nothing behind it is ever looked at, such as reject
smtpd_data_restrictions|check_policy_service localhost:10023 check_policy_service { inet:h:1, timeot=3s } check_policy_service|smtpd_data_restrictions: check_policy_service: "localhost:10023": expected inet:host:port or unix:path
smtpd_data_restrictions|check_policy_service localhost:10023 check_policy_service { inet:h:1, timeot=3s } check_policy_service|smtpd_data_restrictions: check_policy_service: "timeot": expected default_action,
smtpd_data_restrictions|check_policy_service localhost:10023 check_policy_service { inet:h:1, timeot=3s } check_policy_service|smtpd_data_restrictions: check_policy_service: expected an argument behind it
smtpd_etrn_restrictions|sleep soon, warn_if_reject|smtpd_etrn_restrictions: sleep soon: expected seconds, 0 to 3600
smtpd_etrn_restrictions|sleep soon, warn_if_reject|smtpd_etrn_restrictions: warn_if_reject: expected a restriction behind it
smtpd_restriction_classes|one, two, none|smtpd_restriction_classes: none: expected a parameter of this name
one|two|one: the class leads to itself: one
two|one|two: the class leads to itself: two
smtpd_relay_restrictions|permit_mynetworks, permit_tls_clientcerts|smtpd_relay_restrictions: permit_tls_clientcerts: expected smtpd_tls_ask_ccert = yes
smtpd_relay_restrictions|permit_mynetworks, permit_tls_clientcerts|smtpd_relay_restrictions: expected here or in smtpd_recipient_restrictions at least one of reject_unauth_destination,
END
}
while IFS='|' read -r name value _; do
	sed -i "/^$name = /d" "$etc/main.cf"
	echo "$name = ${value//SCRATCH/$scratch}" >>"$etc/main.cf"
done < <(mistakes)
echo 'no-such inet n - n - - smtpdd' | sed "s/no-such/127.0.0.1:$(free_port)/" >>"$etc/master.cf"

"$postern" -c "$etc" check >"$scratch/checked" 2>&1 || fail "check: $(cat "$scratch/checked")"
start
for said in "$scratch/checked" "$scratch/start.out" "$log"; do
	while IFS='|' read -r name value text; do
		grep -qF -- "$(grep -n "^$name = " "$etc/main.cf" | sed 's/:.*//; s/.*/main.cf: line &: /')${text//SCRATCH/$scratch}" "$said" ||
			fail "$name = $value: not said in $said: $(cat "$said")"
	done < <(mistakes)
	grep -q 'program smtpdd is not part of this version' "$said" || fail "smtpdd: $(cat "$said")"
done
grep -q 'postfix/[a-z]*: warning:.*warning:' "$scratch/checked" && fail "two heads: $(cat "$scratch/checked")"
stop

# a value with blanks in it is not cut off without a word
cp "$scratch/main.cf" "$etc/main.cf"
sed "\$s/\$/ -o smtpd_client_restrictions=permit_mynetworks, reject/" "$scratch/master.cf" >"$etc/master.cf"
for command in check start; do
	"$postern" -c "$etc" $command >"$scratch/out" 2>&1 && fail "$command: $(cat "$scratch/out")"
	grep -qF "127.0.0.1:$port/inet: reject: unexpected argument; expected -o name=value" "$scratch/out" ||
		fail "$command: $(cat "$scratch/out")"
done

# without a mistake nobody is warned of one
cp "$scratch/master.cf" "$etc/master.cf"
"$postern" -c "$etc" check >"$scratch/out" 2>&1 || fail "check: $(cat "$scratch/out")"
[ -s "$scratch/out" ] && fail "check of what is right says: $(cat "$scratch/out")"
exit 0
