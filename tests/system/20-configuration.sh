#!/bin/bash
# Broken and odd configuration files: file, line and what was expected; exit codes; edits that keep
# what they do not concern, also when many edit at once.
set -u
cd "$(dirname "$0")/../.." || exit 2
build=${POSTERN_BUILD:-$PWD/build/release}
postern=$build/bin/postern postconf=$build/bin/postconf
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
fail() { echo "$*"; exit 1; }
"$postern" init "$scratch/i" >/dev/null || fail "init"
etc=$scratch/i/etc
cp "$etc/main.cf" "$scratch/main.cf"
cp "$etc/master.cf" "$scratch/master.cf"

says() { # says TEXT: check fails and says that
	local out
	out=$(timeout 120 "$postern" -c "$etc" check 2>&1) && fail "check accepts what \"$1\" is about"
	[[ $out == *"$1"* ]] || fail "no \"$1\" in: $out"
}
main() { # main TEXT MESSAGE: appended to a sound main.cf, refused with the message
	{ cat "$scratch/main.cf"; printf "$1"; } >"$etc/main.cf"
	says "$2"
	cp "$scratch/main.cf" "$etc/main.cf"
}
service() {
	{ cat "$scratch/master.cf"; printf "$1"; } >"$etc/master.cf"
	says "$2"
	cp "$scratch/master.cf" "$etc/master.cf"
}
timeout 120 "$postern" -c "$etc" check >/dev/null 2>&1 || fail "a new instance is not sound"
n=$(($(wc -l <"$scratch/main.cf") + 1))
main 'no equals sign\n' "main.cf: line $n: \"no equals sign\": expected"
main 'a\0b = c\n' "main.cf: line $n: a zero byte"
main 'max_idle = 5q\n' "main.cf: line $n: max_idle = 5q: expected a time such as"
main 'smtpd_timeout = soon\n' "main.cf: line $n: smtpd_timeout = soon: expected a time such as"
main 'soft_bounce = maybe\n' "main.cf: line $n: soft_bounce = maybe: expected yes or no"
main 'mydomain = $mydomain\n' "parameter loop: mydomain is used by mydomain"
main 'relayhost = ${myhostname\n' "main.cf: line $n: relayhost = \${myhostname: expected a closing brace"
n=$(($(wc -l <"$scratch/master.cf") + 1))
service 'x unix - - n -\n' "master.cf: line $n: the maxproc column is missing"
service 'x tcp - - n - - smtpd\n' "master.cf: line $n: type \"tcp\": expected inet"
service 'x unix - - n - - smtpd -o {a=b\n' "master.cf: line $n: \"{a=b\": expected a closing '}'"
service '127.0.0.1:9 inet n - n - - smtpd\n  -o smtpd_timeout=soon\n' \
	"$etc/master.cf: line $n: 127.0.0.1:9/inet: smtpd_timeout = soon: expected a time such as"
# what Postfix will drop, as it says it
printf 'smtpd_use_tls = yes\nsmtpd_tls_eecdh_grade = auto\n' >>"$etc/main.cf"
n=$(wc -l <"$etc/main.cf")
"$postconf" -c "$etc" -n >/dev/null 2>"$scratch/out"
grep -q "main.cf: line $((n - 1)): support for parameter \"smtpd_use_tls\" will be removed; instead, specify \"smtpd_tls_security_level\"\$" "$scratch/out" &&
	grep -q "main.cf: line $n: support for parameter \"smtpd_tls_eecdh_grade\" will be removed; instead, do not specify\$" "$scratch/out" ||
	fail "postconf says: $(cat "$scratch/out")"
cp "$scratch/main.cf" "$etc/main.cf"
rm "$etc/main.cf"
says "main.cf: No such file or directory"
mkdir "$etc/main.cf"
says "main.cf"
rmdir "$etc/main.cf"
head -c 200000 /dev/urandom >"$etc/main.cf"
says "main.cf: line"
"$postconf" -c "$etc" -n >/dev/null 2>&1 && fail "postconf -n reads noise"
cp "$scratch/main.cf" "$etc/main.cf"
head -c 200000 /dev/urandom >"$etc/master.cf"
says "master.cf: line"
cp "$scratch/master.cf" "$etc/master.cf"

# Warnings are no failure.
printf 'mydestnation = x\nsmtpd_milters = inet:x\nown = 1\nrelayhost = $own\n' >>"$etc/main.cf"
out=$(timeout 120 "$postern" -c "$etc" check 2>&1) || fail "warnings fail: $out"
[[ $out == *"mydestnation: unknown parameter, did you mean mydestination?"* ]] || fail "$out"
[[ $out == *"smtpd_milters (line "*") is known, but has no effect"* ]] || fail "$out"
[[ $out == *"own: unknown"* ]] && fail "$out"

# Edits: nothing lost, mode kept.
cp "$scratch/main.cf" "$etc/main.cf"
chmod 604 "$etc/main.cf"
for i in 1 2 3 4 5 6 7 8; do
	"$postconf" -c "$etc" "own$i = $i" 2>/dev/null &
done
wait
[ "$(grep -c '^own[1-8] = [1-8]$' "$etc/main.cf")" = 8 ] || fail "edits at once undo one another"
[ "$(stat -c %a "$etc/main.cf")" = 604 ] || fail "the mode changed"
"$postconf" -c "$etc" -X own1 own2 own3 own4 own5 own6 own7 own8
cmp -s "$etc/main.cf" "$scratch/main.cf" || fail "adding and removing is not nothing"
[ -e "$etc/main.cf.tmp" ] && fail "a temporary file stays"
"$postconf" -c "$etc" -P pickup/unix/syslog_name=x || fail "-P"
[ "$("$postconf" -c "$etc" -Ph pickup/unix/syslog_name)" = x ] || fail "-P set nothing"
"$postconf" -c "$etc" -Fe pickup/unix/wakeup=never 2>/dev/null && fail "a bad field is written"
[ "$("$postconf" -c "$etc" -Fh pickup/unix/wakeup)" = 60 ] || fail "wakeup"

"$postconf" -c "$etc" -P 'relay/unix/syslog_name=x/$service_name' || fail "-P"
[ "$("$postconf" -c "$etc" -Pxh relay/unix/syslog_name 2>&1)" = x/relay ] || fail "-Px: no name of the service"

# what this version has
[ "$("$postconf" -A)" = cyrus ] || fail "-A: $("$postconf" -A)"
"$postconf" -T run-version | grep -q '^OpenSSL [0-9]' || fail "-T run-version"
"$postconf" -T public-key-algorithms | grep -q '^rsa$' || fail "-T public-key-algorithms"
"$postconf" -T colour 2>/dev/null && fail "-T colour"
"$postconf" -a -m 2>/dev/null && fail "-a -m"
exit 0
