#!/bin/bash
# What smtp makes of content for a server with few features: generic addresses, checks of headers and
# bodies, 8-bit parts as quoted-printable, XFORWARD. Debian's Postfix, where it is installed, makes
# the same of it and logs the same.
. "$(dirname "$0")/submit.bash"
. tests/system/postfix.bash
dump=

end() {
	local status=$?
	[ -n "$dump" ] && kill "$dump" 2>/dev/null
	end_postfix
	return $status
}
trap end EXIT

port=$(free_port)
mkdir "$scratch/heard"
tests/system/dump_server.py "$port" "$scratch/heard" DSN 'XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE' &
dump=$!

settings="smtp_header_checks = regexp:$scratch/checks
smtp_mime_header_checks = regexp:$scratch/checks
smtp_nested_header_checks = regexp:$scratch/checks
smtp_body_checks = regexp:$scratch/body
smtp_generic_maps = inline:{me@here.test=mine+k@out.test, other@here.test=@domain.test, bare=bare@mapped.test, @there.test=all@there2.test}
smtp_send_xforward_command = yes
propagate_unmatched_extensions = generic
recipient_delimiter = +
myorigin = here.test"
cat >"$scratch/checks" <<'END'
/^Subject: hello/ WARN multi
/^X-Gone/ IGNORE
/^X-Strip/ STRIP stripped text
/^X-Warn/ WARN
/^X-Info/ INFO info text
/^X-Rep/ REPLACE X-New: new
/^X-Pre/ PREPEND X-Before: b
/^X-Rej/ REJECT go away
/^X-Bad/ FROB x
/^X-Empty/ REPLACE
/^Content-Type: text/ WARN mime
/^X-Part/ WARN part
/^X-Nest/ WARN nest
END
cat >"$scratch/body" <<'END'
/^body/ WARN bodyline
/^\.dot/ REPLACE undot
/^--b/ INFO boundary
/^drop/ IGNORE
END
{
	cat <<'END'
From: "Me" <me+x@here.test>, other@here.test
To: you@there.test
Sender: bare
X-From: me@here.test
Subject: hello
 world
X-Gone: bye
X-Strip: bye
END
	printf 'X-Warn: %0300d\n' 0
	cat <<'END'
X-Info: well
X-Rep: old
X-Pre: old
X-Rej: no
X-Bad: no
X-Empty: y
MIME-Version: 1.0
Content-Transfer-Encoding: 8bit
Content-Type: multipart/mixed; boundary=b

prämble
--b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit
X-Part: z

grüße  
a=b	
.dot
..dots
body one
drop this
From here
üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüü
--b
Content-Type: text/plain; charset=utf-8

unlabelled grüße
--b
Content-Transfer-Encoding: binary
Content-Type: application/octet-stream

binöry
--b
Content-Type: message/rfc822
Content-Transfer-Encoding: 8bit

Subject: nested
X-Nest: y
Content-Transfer-Encoding: 8bit
From: me@here.test

nästed
--b--
epilög
END
} >"$scratch/message"

make_instance "smtp:[127.0.0.1]:$port"
echo "$settings" >>"$etc/main.cf"
start
"$bin/sendmail" -i -f me@here.test you@there.test <"$scratch/message" || fail "sendmail: $?"
await_log 'to=<you@there.test>,.* status=sent (250 2.0.0 taken)'
await 10 test -f "$scratch/heard/1" || fail "the server heard nothing"

# without what differs from message to message
plain() { tr -d '\r' <"$1" | sed '/^EHLO/d; /^Received:/,/^\t/d; /^Message-Id:/d; /^Date:/d; s/ SIZE=[0-9]*//'; }
plain "$scratch/heard/1" >"$scratch/ours"
for line in 'XFORWARD SOURCE=LOCAL' 'MAIL FROM:<mine+k@out.test>' 'RCPT TO:<all@there2.test> ORCPT=rfc822;you@there.test' \
	'From: "Me" <mine+k+x@out.test>, other@domain.test' 'X-New: new' 'gr=C3=BC=C3=9Fe =20' 'undot' '...dots' 'n=C3=A4sted'; do
	grep -qxF "$line" "$scratch/ours" || fail "not heard: $line: $(cat "$scratch/ours")"
done
! grep -q '^X-Gone\|^X-Strip\|^drop' "$scratch/ours" || fail "not taken out: $(cat "$scratch/ours")"
have_postfix || { echo "Debian's Postfix is not installed, or this is not root: not compared"; exit 77; }

make_postfix "smtp:[127.0.0.1]:$port"
sed -i '/^myorigin/d' "$pf_etc/main.cf"
echo "$settings" >>"$pf_etc/main.cf"
chmod -R a+rX "$scratch/checks" "$scratch/body"
start_postfix
/usr/sbin/sendmail -C "$pf_etc" -i -f me@here.test you@there.test <"$scratch/message" || fail "Postfix's sendmail: $?"
await 15 test -f "$scratch/heard/2" || fail "Postfix sends nothing: $(tail "$pf_log")"
plain "$scratch/heard/2" >"$scratch/theirs"
diff "$scratch/theirs" "$scratch/ours" || fail "the server heard something else from Postfix (<)"
actions() { sed -n 's/.* postfix\/smtp\[[0-9]*\]: \([0-9A-F]*: \)*\(.*\(header\|body\|_checks\) .*\)/\2/p' "$1"; }
actions "$pf_log" >"$scratch/theirs"
actions "$log" >"$scratch/ours"
diff "$scratch/theirs" "$scratch/ours" || fail "Postfix's log (<) says something else"

# large content with dots goes to Postfix by BDAT, and from there by DATA: nothing is lost
echo "transport_maps = inline:{big.test=smtp:[127.0.0.1]:$PF_PORT}
smtp_generic_maps =
smtp_header_checks =
smtp_mime_header_checks =
smtp_nested_header_checks =
smtp_body_checks =" >>"$etc/main.cf"
reload || fail "reload: $(cat "$scratch/reload.out")"
{
	printf 'Subject: big\n\n'
	seq -f '.%g dots before a line of some length, and more of it' 1 4000
} >"$scratch/big"
"$bin/sendmail" -i -f a@b.test you@big.test <"$scratch/big" || fail "sendmail: $?"
await_log 'to=<you@big.test>, relay=127.0.0.1\[127.0.0.1\]:'"$PF_PORT"',.* status=sent (250 '
await 15 test -f "$scratch/heard/3" || fail "Postfix does not send it on: $(tail "$pf_log")"
await 10 grep -q 'disconnect from .* bdat=1' "$pf_log" || fail "not by BDAT: $(grep disconnect "$pf_log")"
tr -d '\r' <"$scratch/heard/3" | sed -n 's/^\.\././p' >"$scratch/arrived"
sed -n '/^\./p' "$scratch/big" | cmp - "$scratch/arrived" || fail "what arrived by BDAT is not what was sent"
exit 0
