# Sourced by the tests of TLS: keys and certificates made with openssl(1) in $certs.
command -v openssl >/dev/null || { echo "openssl is not installed"; exit 77; }
certs=$scratch/certs
mkdir -p "$certs"

new_key() { # new_key FILE [ec|rsa|ed25519]
	case ${2:-ec} in
	ec) openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" ;;
	rsa) openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$1" ;;
	*) openssl genpkey -algorithm "$2" -out "$1" ;;
	esac 2>/dev/null
}
new_ca() { # new_ca NAME: $certs/NAME.pem
	new_key "$certs/$1.key"
	openssl req -x509 -key "$certs/$1.key" -days 30 -subj "/O=Test/CN=$1" -out "$certs/$1.pem" 2>/dev/null ||
		fail "openssl: a CA"
}
# new_cert NAME CA DNS-NAME [KEY-KIND]: $certs/NAME.pem, .key, and both in NAME.chain. CA "" : by
# itself. $dates: options for its time, such as "-not_before ... -not_after ..."
new_cert() {
	local by=(-CA "$certs/$2.pem" -CAkey "$certs/$2.key")
	[ -n "$2" ] || by=(-key "$certs/$1.key")
	new_key "$certs/$1.key" "${4:-ec}"
	cat >"$certs/$1.cnf" <<END
[req]
distinguished_name = dn
[dn]
[ext]
subjectAltName = DNS:$3
basicConstraints = CA:FALSE
END
	openssl req -new -key "$certs/$1.key" -subj "/CN=$3" -config "$certs/$1.cnf" -out "$certs/$1.csr" 2>/dev/null &&
		if [ -n "${dates:-}" ]; then
			: >"$certs/index.txt"
			echo 01 >"$certs/serial"
			# shellcheck disable=SC2086
			openssl ca -batch -notext -config <(cat "$certs/$1.cnf" - <<END
[ca]
default_ca = d
[d]
database = $certs/index.txt
serial = $certs/serial
new_certs_dir = $certs
default_md = sha256
policy = p
[p]
commonName = supplied
END
			) -cert "$certs/$2.pem" -keyfile "$certs/$2.key" -extensions ext $dates \
				-in "$certs/$1.csr" -out "$certs/$1.pem"
		elif [ -n "$2" ]; then
			openssl x509 -req -in "$certs/$1.csr" "${by[@]}" -CAcreateserial -days 30 \
				-extfile "$certs/$1.cnf" -extensions ext -out "$certs/$1.pem"
		else
			openssl req -x509 -key "$certs/$1.key" -days 30 -subj "/CN=$3" -config "$certs/$1.cnf" \
				-extensions ext -out "$certs/$1.pem"
		fi >"$certs/$1.out" 2>&1 || fail "openssl: $1: $(cat "$certs/$1.out")"
	cat "$certs/$1.key" "$certs/$1.pem" >"$certs/$1.chain"
	[ -z "$2" ] || cat "$certs/$2.pem" >>"$certs/$1.chain"
}
fingerprint() { # fingerprint NAME: sha256 of the certificate
	openssl x509 -in "$certs/$1.pem" -noout -fingerprint -sha256 | sed 's/.*=//'
}
