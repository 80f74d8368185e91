/* SPDX-License-Identifier: ISC */
#include "commands/smtp-source/source.h"

#include <poll.h>
#include <unistd.h>

#include "lib/base/log.h"

struct tls_context *secure_context(void)
{
	const struct tls_context_config config = {
	    .common = &tls_common_defaults, .cipherlist = tls_common_defaults.medium_cipherlist};
	struct tls_context *context;
	struct err err;

	if (tls_context_new(&config, &context, &err) < 0)
		fatal("%s", err.text);
	return context;
}

void secure_begin(struct secure *tls, struct source *source, int fd)
{
	const struct tls_client_config config = {
	    .peer = "server", .resume = source->tls_resume ? tls->saved : NULL};
	struct err err;

	tls->stream = (struct stream){.fd = fd};
	tls->session = tls_client_begin(source->tls, &tls->stream, &config, &err);
	if (!tls->session)
		fatal("%s", err.text);
}

int secure_step(struct secure *tls, int *wait_for, struct err *err)
{
	short events = POLLIN;

	switch (tls_session_step(tls->session, &events, err)) {
	case TLS_STEP_DONE:
		return 1;
	case TLS_STEP_WAIT:
		*wait_for = events == POLLOUT ? LOOP_WRITE : LOOP_READ;
		return 0;
	default:
		return -1;
	}
}

void secure_end(struct secure *tls, struct source *source, bool polite)
{
	struct tls_saved *saved;

	if (!tls->session)
		return;
	if (source->tls_resume && tls_session_save(tls->session, &saved)) {
		tls_saved_free(&tls->saved);
		tls->saved = saved;
	}
	if (polite)
		tls_session_close(&tls->session);
	else
		tls_session_free(&tls->session);
}

long secure_read(struct secure *tls, int fd, void *buf, size_t len)
{
	short events;

	return tls->session ? tls_session_read(tls->session, buf, len, &events)
	                    : read(fd, buf, len);
}

long secure_write(struct secure *tls, int fd, const struct iovec *iov, int count)
{
	short events;

	if (!tls->session)
		return writev(fd, iov, count);
	for (int i = 0; i < count; i++)
		if (iov[i].iov_len > 0)
			return tls_session_write(
			    tls->session, iov[i].iov_base, iov[i].iov_len, &events);
	return 0;
}
