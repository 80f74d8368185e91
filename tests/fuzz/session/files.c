/* SPDX-License-Identifier: ISC */
/* Keys and tables of a world, and what may become of them while sessions go on. */
#include "tests/fuzz/session/world.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/attr.h"
#include "tests/fuzz/session/play.h"

enum { PEM_SIZE = 4096, CERTIFICATES = 3 };

static bool may_read = true;

static void make_certificate(int serial, char *pem)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	BIO *bio = BIO_new(BIO_s_mem());
	X509_NAME *name = X509_get_subject_name(cert);

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), serial);
	X509_gmtime_adj(X509_getm_notBefore(cert), -86400L);
	X509_gmtime_adj(X509_getm_notAfter(cert), serial == 1 ? 3650 * 86400L : 86400L);
	X509_NAME_add_entry_by_txt(
	    name, "CN", MBSTRING_ASC, (const unsigned char *)"mx.\"(example)", -1, -1, 0);
	X509_set_issuer_name(cert, name);
	X509_set_pubkey(cert, key);
	if (X509_sign(cert, key, EVP_sha256()) <= 0 ||
	    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1 ||
	    PEM_write_bio_X509(bio, cert) != 1 || BIO_read(bio, pem, PEM_SIZE - 1) <= 0)
		abort();
	BIO_free(bio);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static const char *certificate(int which)
{
	static char pems[CERTIFICATES][PEM_SIZE];

	if (!pems[which][0])
		make_certificate(which + 1, pems[which]);
	return pems[which];
}

const char *world_certificate(void)
{
	return certificate(0);
}

/* Under another name first, as renewals do it; or into the file itself. */
static void write_file(const char *path, const char *text, size_t len, bool in_place)
{
	FILE *file;

	if (in_place)
		unlink("fresh"); /* of before */
	file = fopen(in_place ? path : "fresh", "w");
	if (!file || fwrite(text, 1, len, file) != len || fclose(file) != 0)
		abort();
	chmod(in_place ? path : "fresh", 0600);
	if (!in_place && rename("fresh", path) < 0)
		abort();
}

void files_change_certificate(unsigned how)
{
	static const char *const paths[] = {"cert.pem", "cert2.pem"};
	const char *path = paths[how >> 3 & 1], *text = certificate(how >> 4 & 1);
	size_t len = strlen(text), key = (size_t)(strstr(text, "-----BEGIN CERT") - text);
	char mixed[PEM_SIZE * 2];
	bool in_place = how & 0x20;

	may_read = true;
	switch (how & 7) {
	case 0:
		write_file(path, text, len, in_place);
		break;
	case 1: /* the key alone, or half of it */
		write_file(path, text, how & 0x40 ? key : key / 2, in_place);
		break;
	case 2: /* without a key */
		write_file(path, text + key, len - key, in_place);
		break;
	case 3: /* somebody else's key */
		snprintf(
		    mixed, sizeof(mixed), "%.*s%s", (int)key, certificate(2), certificate(0) + key);
		write_file(path, mixed, strlen(mixed), in_place);
		break;
	case 4:
		write_file(path, "", 0, in_place);
		break;
	case 5:
		unlink(path);
		break;
	case 6:
		write_file(path, text, len, in_place);
		may_read = false;
		break;
	default: /* two of them */
		snprintf(mixed, sizeof(mixed), "%s%s", text, certificate(2));
		write_file(path, mixed, strlen(mixed), in_place);
	}
}

bool files_forbidden(const char *path)
{
	return !may_read && strncmp(path, "cert", 4) == 0;
}

/* Each with its other contents; the first one is there in the beginning. */
static const struct {
	const char *path, *texts[4];
} tables[] = {
    {"names", {"other.example cert2.pem\n.sub.example cert.pem, cert2.pem\nbad.example none.pem\n"
               "text.example LS0tLS1CRUdJTg==\n",
                  "other.example cert.pem\n", "other.example nothing.pem\n", ""}},
    {"nets", {"198.51.100.0/24 OK\n", "127.0.0.0/8 OK\n", "192.0.2.0/99 bad\n", ""}},
    {"locals", {"bob x\npostmaster x\nabuse x\n", "bob\n", "bob x\nbob y\n ann\n", ""}},
    {"clients", {"192.0.2.1 INFO seen\n", "0.0.0.0/0 REJECT\n::/0 DEFER\n", "if 1\nx\n", ""}},
    {"senders", {"/^a@/ INFO a\n/^hold@/ HOLD\n", "/(/ REJECT\n", "/./ $1\n", "/@/ DISCARD\n"}},
    {"rcpts", {"bob@example.test WARN bob\n", "example.test REJECT\n", "no\n", "bob@ BOGUS\n"}},
    {"aliases", {"list@example.test bob, abuse\n", "bob@example.test bob@relay.example\n",
                    "bob@example.test bob@example.test, x@\n", "@example.test \"\n"}},
    {"heads", {"/^X-W: (.*)/ WARN $1\n", "/./ REJECT\n", "/[/ IGNORE\n", "if /./\n/^S/ HOLD\n"}},
    {"commands", {"/^PING/ NOOP\n", "/^(.*) NOTIFY.*/ $1\n", "/*/ QUIT\n", "/^X-(.*)/ $1\n"}},
};

static void put_table(size_t which, unsigned content, bool in_place)
{
	const char *text = tables[which].texts[content];

	write_file(tables[which].path, text, strlen(text), in_place);
}

void files_change_table(unsigned how)
{
	size_t which = (how >> 3) % ARRAY_LEN(tables);

	if ((how & 7) < 4)
		put_table(which, how & 3, false);
	else if ((how & 7) == 4)
		unlink(tables[which].path);
	else
		put_table(which, how & 3, true);
}

void files_make(void)
{
	may_read = true;
	write_file("cert.pem", certificate(0), strlen(certificate(0)), true);
	write_file("cert2.pem", certificate(1), strlen(certificate(1)), true);
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		put_table(i, 0, true);
}
