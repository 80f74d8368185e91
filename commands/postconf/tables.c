/* SPDX-License-Identifier: ISC */
#include "commands/postconf/postconf.h"

#include "anvil/params.h"
#include "bounce/params.h"
#include "flush/params.h"
#include "lib/agent/params.h"
#include "lib/conf/core.h"
#include "lib/queue/store.h"
#include "lib/route/route.h"
#include "lib/secure/secure.h"
#include "lib/shape/shape.h"
#include "lib/table/debug_peer.h"
#include "local/params.h"
#include "master/params.h"
#include "qmgr/params.h"
#include "scache/params.h"
#include "smtp/params.h"
#include "smtpd/params.h"
#include "tlsproxy/params.h"
#include "verify/params.h"

const struct conf_table *const all_tables[] = {
    &core_params,
    &queue_params,
    &route_params,
    &shape_params,
    &map_params,
    &secure_params,
    &debug_peer_params,
    &master_params,
    &agent_params,
    &smtpd_params,
    &smtpd_tls_params,
    &smtpd_auth_params,
    &qmgr_params,
    &smtp_params,
    &lmtp_params,
    &smtp_auth_params,
    &lmtp_auth_params,
    &smtp_tls_params,
    &lmtp_tls_params,
    &smtp_content_params,
    &lmtp_content_params,
    &local_param_table,
    &bounce_param_table,
    &anvil_params,
    &scache_params,
    &tlsproxy_params,
    &flush_params,
    &verify_params,
    &other_params,
    NULL,
};
