/* SPDX-License-Identifier: ISC */
/* Before the start: what of the server's TLS will not work, or not for long. */
#include "smtpd/tls_engine.h"

#include "lib/tls/digest.h"
#include "smtpd/tls_setup.h"

static void check_files(struct tls_setup *setup, struct conf_report *report)
{
	const struct smtpd_tls_params *p = setup->params;
	struct tls_context *context = NULL;
	struct err err;
	int days;

	/* what is only left out, such as a bad DH file, is in the log, which is read as well */
	if (tls_setup_ciphers(setup, &err) < 0 ||
	    tls_setup_context(setup, NULL, NULL, &context, &err) < 0) {
		conf_report_warning(report, "%s: smtpd will answer STARTTLS with 454", err.text);
		return;
	}
	if (!tls_digest_known(p->fingerprint_digest))
		conf_report_warning(report,
		    "smtpd_tls_fingerprint_digest: \"%s\": OpenSSL has no such digest: smtpd will "
		    "answer STARTTLS with 454",
		    p->fingerprint_digest);
	if (tls_context_days_left(context, &days) && days < 0)
		conf_report_warning(report, "TLS certificate %s has expired", tls_setup_file(p));
	else if (tls_context_days_left(context, &days) && days < p->expiry_warning_days)
		conf_report_warning(
		    report, "TLS certificate %s expires in %d days", tls_setup_file(p), days);
	tls_context_free(&context);
}

void server_tls_check(const struct smtpd_tls_params *p, const struct secure_params *secure,
    struct conf_report *report)
{
	struct tls_setup setup;

	tls_setup_init(&setup, p, secure);
	if (tls_setup_odd_level(p))
		conf_report_warning(report,
		    "smtpd_tls_security_level: unsupported TLS level \"%s\": a server cannot ask "
		    "for more than encrypt, which is used",
		    tls_setup_odd_level(p));
	if (setup.level == SERVER_TLS_NONE && !p->wrappermode)
		return;
	if (p->chain_files.count && (*p->cert_file || *p->eccert_file))
		conf_report_warning(report,
		    "smtpd_tls_chain_files is set: smtpd_tls_cert_file and smtpd_tls_eccert_file "
		    "are ignored");
	if (p->req_ccert && !tls_setup_is_mandatory(&setup))
		conf_report_warning(report,
		    "smtpd_tls_req_ccert: certificates are only asked for: expected "
		    "smtpd_tls_security_level = encrypt");
	if (tls_setup_has_chains(p))
		check_files(&setup, report);
	else
		conf_report_warning(report,
		    "No server certs available (smtpd_tls_chain_files, smtpd_tls_cert_file): "
		    "smtpd will answer STARTTLS with 454");
	tls_setup_fini(&setup);
}
