/* SPDX-License-Identifier: ISC */
#include "smtpd/auth_params.h"

#include "lib/base/attr.h"
#include "lib/sasl/mechanism.h"
#include "smtpd/params.h"

#define P struct smtpd_auth_params

static const struct conf_enum type_names[] = {
    {"dovecot", AUTH_DOVECOT},
    {"table", AUTH_TABLE},
    {"cyrus", AUTH_CYRUS},
    {NULL, 0},
};

static const struct conf_param rows[] = {
    CONF_BOOL(P, enable, "smtpd_sasl_auth_enable", "no", "Let clients log in: AUTH."),
    CONF_ENUM(P, type, "smtpd_sasl_type", "cyrus", type_names,
        "Who knows the users: cyrus, dovecot or table."),
    CONF_TEXT(P, path, "smtpd_sasl_path", "smtpd",
        "With cyrus: the name of its configuration file, without .conf; with dovecot: the socket "
        "of its server, a path or inet:host:port; with table: the tables of smtpd_users(5)."),
    CONF_TEXT(P, cyrus_config_path, "cyrus_sasl_config_path", "",
        "With cyrus: folders of its configuration file; empty: $config_directory/sasl and "
        "/usr/lib/sasl2."),
    CONF_SET(P, security, "smtpd_sasl_security_options", "noanonymous", sasl_security_names,
        "What a mechanism must give on a connection in plain text."),
    CONF_SET(P, tls_security, "smtpd_sasl_tls_security_options", "$smtpd_sasl_security_options",
        sasl_security_names, "What a mechanism must give on a connection with TLS."),
    CONF_TEXT(P, local_domain, "smtpd_sasl_local_domain", "",
        "With table: the domain of login names that have none; with cyrus: the realm of users."),
    CONF_TEXT(P, exceptions_networks, "smtpd_sasl_exceptions_networks", "",
        "Clients that are not told of AUTH."),
    CONF_BOOL(P, authenticated_header, "smtpd_sasl_authenticated_header", "no",
        "Name the login in the Received: header."),
    CONF_INT(P, response_limit, "smtpd_sasl_response_limit", "12288", 12288, 1048576,
        "A client's response has to be shorter than this many bytes."),
    CONF_TEXT(P, service, "smtpd_sasl_service", "smtp",
        "The service that the authentication server is told."),
    CONF_TEXT(P, mechanism_filter, "smtpd_sasl_mechanism_filter", "!external, static:rest",
        "Mechanisms that may be offered."),
    CONF_BOOL(P, broken_clients, "broken_sasl_auth_clients", "no",
        "Announce AUTH= as well, for old clients."),
    CONF_SECS(P, time_limit, "smtpd_sasl_time_limit", "30s", 1, 3600,
        "Wait for an answer of the authentication server."),
    CONF_TEXT(P, token_maps, "smtpd_sasl_token_maps", "",
        "With table: tables of access tokens, for OAUTHBEARER and XOAUTH2; see smtpd_users(5)."),
    CONF_TEXT(P, token_scope, "smtpd_sasl_token_scope", "",
        "The scope that an access token needs; empty: any token will do."),
};

const struct conf_table smtpd_auth_params = {rows, ARRAY_LEN(rows)};
