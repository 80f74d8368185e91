/* SPDX-License-Identifier: ISC */
/* The client: sends the fuzzer's bytes piece by piece, reads and forgets what it is told. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/fuzz/session/play.h"

static struct {
	SSL_CTX *plain, *with_cert;
	SSL *ssl; /* NULL: in plain text */
	bool ready, ended;
} client;

void client_begin(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
		abort();
	client.ssl = NULL;
	client.ready = client.ended = false;
	play.fd = pair[1];
	play.session.stream.fd = pair[0];
	if (play.early)
		client_act(POLLIN);
}

/* The next event cuts a piece off; with one that begins another session this one is over. */
static struct slice next_piece(void)
{
	struct slice piece, rest;
	size_t most;

	while (play.client.len < 2 || play.client.data[1] != EVENT_SESSION)
		if (!play_event(&play.client))
			break;
	rest = play.client;
	most = play_until_event(rest);
	piece = slice_of(rest.data, most);
	piece = play.piece ? play_take(&piece, play.piece) : play_take_until(&piece, "\n");
	return play_take(&play.client, piece.len);
}

static void end_of_input(void)
{
	if (play.silent || client.ended)
		return;
	client.ended = true;
	if (client.ssl)
		SSL_shutdown(client.ssl);
	shutdown(play.fd, SHUT_WR);
}

static void send_piece(void)
{
	struct slice piece = next_piece();

	if (piece.len == 0)
		end_of_input();
	else if (client.ssl)
		SSL_write(client.ssl, piece.data, (int)piece.len);
	else if (send(play.fd, piece.data, piece.len, MSG_NOSIGNAL) < 0 && errno != EPIPE)
		abort();
}

static void drain(void)
{
	char bytes[16384];

	if (client.ssl)
		while (SSL_read(client.ssl, bytes, sizeof(bytes)) > 0)
			;
	else
		while (recv(play.fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
			;
}

void client_act(short events)
{
	if (client.ssl && !client.ready) {
		ERR_clear_error();
		client.ready = SSL_do_handshake(client.ssl) == 1;
		if (!client.ready && SSL_get_error(client.ssl, -1) == SSL_ERROR_SSL)
			end_of_input();
		/* the server has to see the end of the handshake before anything else */
		return;
	}
	drain();
	if (events & POLLIN)
		send_piece();
}

static int take_certificate(SSL_CTX *ctx)
{
	BIO *bio = BIO_new_mem_buf(world_certificate(), -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	int fine = key && cert && SSL_CTX_use_certificate(ctx, cert) == 1 &&
	           SSL_CTX_use_PrivateKey(ctx, key) == 1;

	EVP_PKEY_free(key);
	X509_free(cert);
	BIO_free(bio);
	return fine;
}

static SSL_CTX *context(void)
{
	SSL_CTX **ctx = play.with_cert ? &client.with_cert : &client.plain;

	if (!*ctx) {
		*ctx = SSL_CTX_new(TLS_client_method());
		if (!*ctx || (play.with_cert && !take_certificate(*ctx)))
			abort();
	}
	return *ctx;
}

static void ask_for_name(void)
{
	char name[256];

	snprintf(name, sizeof(name), "%.*s", SLICE_ARG(play.server_name));
	if (name[0])
		SSL_set_tlsext_host_name(client.ssl, name);
}

void client_tls(void)
{
	drain();
	if (play.raw_tls)
		return;
	client.ssl = SSL_new(context());
	if (!client.ssl || SSL_set_fd(client.ssl, play.fd) != 1)
		abort();
	ask_for_name();
	SSL_set_connect_state(client.ssl);
}

void client_end(void)
{
	SSL_free(client.ssl);
	client.ssl = NULL;
	ERR_clear_error();
	close(play.fd);
}
