/* SPDX-License-Identifier: ISC */
/* The messages of all conversations as tables (lib/ipc/frame.h). Tags are never reused. */
#include "lib/base/attr.h"
#include "lib/peer/anvil.h"
#include "lib/peer/bounce.h"
#include "lib/peer/deliver.h"
#include "lib/peer/flush.h"
#include "lib/peer/note.h"
#include "lib/peer/scache.h"
#include "lib/peer/status.h"
#include "lib/peer/tlsmgr.h"
#include "lib/peer/tlsproxy.h"
#include "lib/peer/verify.h"

enum { TEXT_MAX = ENVELOPE_TEXT_MAX, RCPTS_MAX = 100000 };

/* a field a line where there are many */
/* clang-format off */
#define TABLE(name, fields, st) {name, fields, ARRAY_LEN(fields), sizeof(st)}

#define U32(tag, m) FRAME_FIELD_U32(tag, struct rcpt_result, m)
#define TEXT(tag, m) FRAME_FIELD_TEXT(tag, struct rcpt_result, m, TEXT_MAX)
static const struct frame_field rcpt_result_fields[] = {
    U32(1, index), U32(2, outcome), TEXT(3, dsn), TEXT(4, action), TEXT(5, reason), TEXT(6, diag),
    TEXT(7, mta)};
const struct frame_table rcpt_result_table =
    TABLE("rcpt_result", rcpt_result_fields, struct rcpt_result);
#undef U32
#undef TEXT

#define U32(tag, m) FRAME_FIELD_U32(tag, struct deliver_rcpt, m)
#define TEXT(tag, m) FRAME_FIELD_TEXT(tag, struct deliver_rcpt, m, TEXT_MAX)
static const struct frame_field deliver_rcpt_fields[] = {
    U32(1, index), TEXT(2, address), TEXT(3, orig), TEXT(4, orcpt), U32(5, notify)};
static const struct frame_table deliver_rcpt_table =
    TABLE("deliver_rcpt", deliver_rcpt_fields, struct deliver_rcpt);
#undef U32
#undef TEXT

#define U32(tag, m) FRAME_FIELD_U32(tag, struct deliver_request, m)
#define U64(tag, m) FRAME_FIELD_U64(tag, struct deliver_request, m)
#define TEXT(tag, m) FRAME_FIELD_TEXT(tag, struct deliver_request, m, TEXT_MAX)
static const struct frame_field deliver_request_fields[] = {
    TEXT(1, id),
    U32(2, lane),
    U32(3, epoch),
    U64(4, offset),
    TEXT(5, dir),
    TEXT(6, nexthop),
    TEXT(7, sender),
    U32(8, env_flags),
    U32(9, flags),
    U64(10, content_len),
    U64(11, arrival_us),
    U64(12, queued_us),
    U64(13, active_us),
    TEXT(14, envid),
    TEXT(15, ret),
    TEXT(16, client_name),
    TEXT(17, client_addr),
    TEXT(18, client_port),
    TEXT(19, helo),
    TEXT(20, protocol),
    TEXT(21, sasl_method),
    TEXT(22, sasl_username),
    TEXT(23, message_id),
    FRAME_FIELD_LIST(24, struct deliver_request, rcpts, RCPTS_MAX, &deliver_rcpt_table),
    TEXT(25, verp)};
const struct frame_table deliver_request_table =
    TABLE("deliver_request", deliver_request_fields, struct deliver_request);
#undef U32
#undef U64
#undef TEXT

#define TEXT(tag, m) FRAME_FIELD_TEXT(tag, struct deliver_result, m, TEXT_MAX)
static const struct frame_field deliver_result_fields[] = {
    FRAME_FIELD_LIST(1, struct deliver_result, rcpts, RCPTS_MAX, &rcpt_result_table),
    FRAME_FIELD_U32(2, struct deliver_result, reusable_ms),
    FRAME_FIELD_U32(3, struct deliver_result, last),
    TEXT(4, dead_dsn),
    TEXT(5, dead_reason),
    TEXT(6, damaged),
    TEXT(7, relay)};
const struct frame_table deliver_result_table =
    TABLE("deliver_result", deliver_result_fields, struct deliver_result);
#undef TEXT

#define U32(tag, m) FRAME_FIELD_U32(tag, struct note_rcpt, m)
#define TEXT(tag, m) FRAME_FIELD_TEXT(tag, struct note_rcpt, m, TEXT_MAX)
static const struct frame_field note_rcpt_fields[] = {U32(1, index), TEXT(2, address),
    TEXT(3, orig), TEXT(4, orcpt), TEXT(5, transport), TEXT(6, nexthop), U32(7, notify)};
static const struct frame_table note_rcpt_table =
    TABLE("note_rcpt", note_rcpt_fields, struct note_rcpt);
#undef U32
#undef TEXT

#define U32(tag, m) FRAME_FIELD_U32(tag, struct note, m)
#define U64(tag, m) FRAME_FIELD_U64(tag, struct note, m)
#define TEXT(tag, m) FRAME_FIELD_TEXT(tag, struct note, m, TEXT_MAX)
static const struct frame_field note_fields[] = {
    TEXT(1, id),
    U32(2, lane),
    U32(3, epoch),
    U64(4, offset),
    TEXT(5, dir),
    U32(6, generation),
    U32(7, env_flags),
    U64(8, arrival_us),
    U64(9, queued_us),
    U64(10, content_len),
    U32(11, rcpt_count),
    TEXT(12, sender),
    TEXT(13, message_id),
    TEXT(14, envid),
    TEXT(15, ret),
    TEXT(16, client_name),
    TEXT(17, client_addr),
    TEXT(18, client_port),
    TEXT(19, helo),
    TEXT(20, protocol),
    TEXT(21, sasl_method),
    TEXT(22, sasl_username),
    FRAME_FIELD_LIST(23, struct note, rcpts, NOTE_RCPTS_MAX, &note_rcpt_table),
    TEXT(24, verp)};
const struct frame_table note_table = TABLE("note", note_fields, struct note);
#undef U32
#undef U64
#undef TEXT

static const struct frame_field note_attempt_id_fields[] = {
    FRAME_FIELD_TEXT(1, struct note_attempt_id, id, QUEUE_ID_MAX)};
static const struct frame_table note_attempt_id_table =
    TABLE("note_attempt_id", note_attempt_id_fields, struct note_attempt_id);
static const struct frame_field note_attempt_fields[] = {FRAME_FIELD_LIST(
    1, struct note_attempt, ids, NOTE_ATTEMPT_MAX, &note_attempt_id_table)};
const struct frame_table note_attempt_table =
    TABLE("note_attempt", note_attempt_fields, struct note_attempt);

#define TEXT(tag, m) FRAME_FIELD_TEXT(tag, struct flush_request, m, FLUSH_SITE_MAX)
static const struct frame_field flush_request_fields[] = {TEXT(1, site), TEXT(2, id)};
const struct frame_table flush_request_table =
    TABLE("flush_request", flush_request_fields, struct flush_request);
#undef TEXT

static const struct frame_field flush_answer_fields[] = {
    FRAME_FIELD_U32(1, struct flush_answer, status)};
const struct frame_table flush_answer_table =
    TABLE("flush_answer", flush_answer_fields, struct flush_answer);

#define U32(tag, m) FRAME_FIELD_U32(tag, struct bounce_record, m)
#define TEXT(tag, m) FRAME_FIELD_TEXT(tag, struct bounce_record, m, TEXT_MAX)
static const struct frame_field bounce_record_fields[] = {TEXT(1, address), TEXT(2, orig),
    TEXT(3, orcpt), U32(4, index), U32(5, notify), TEXT(6, dsn), TEXT(7, action), TEXT(8, reason),
    TEXT(9, diag), TEXT(10, mta)};
const struct frame_table bounce_record_table =
    TABLE("bounce_record", bounce_record_fields, struct bounce_record);
#undef U32
#undef TEXT

#define U32(tag, m) FRAME_FIELD_U32(tag, struct bounce_notice, m)
static const struct frame_field bounce_notice_fields[] = {U32(1, reader), U32(2, index),
    U32(3, made), FRAME_FIELD_TEXT(4, struct bounce_notice, id, QUEUE_ID_MAX)};
const struct frame_table bounce_notice_table =
    TABLE("bounce_notice", bounce_notice_fields, struct bounce_notice);
#undef U32

static const struct frame_field bounce_request_fields[] = {
    FRAME_FIELD_STRUCT(1, struct bounce_request, message, struct deliver_request,
        &deliver_request_table),
    FRAME_FIELD_TEXT(2, struct bounce_request, move_dir, 16),
    FRAME_FIELD_U64(3, struct bounce_request, retry_at),
    FRAME_FIELD_LIST(4, struct bounce_request, records, RCPTS_MAX, &bounce_record_table)};
const struct frame_table bounce_request_table =
    TABLE("bounce_request", bounce_request_fields, struct bounce_request);

#define U32(tag, m) FRAME_FIELD_U32(tag, struct bounce_answer, m)
static const struct frame_field bounce_answer_fields[] = {U32(1, status), U32(2, lane),
    U32(3, epoch), FRAME_FIELD_U64(4, struct bounce_answer, offset),
    FRAME_FIELD_TEXT(5, struct bounce_answer, dir, 16)};
const struct frame_table bounce_answer_table =
    TABLE("bounce_answer", bounce_answer_fields, struct bounce_answer);
#undef U32
#define U32(tag, m) FRAME_FIELD_U32(tag, struct scache_session, m)
#define U64(tag, m) FRAME_FIELD_U64(tag, struct scache_session, m)
#define TEXT(tag, m) FRAME_FIELD_TEXT(tag, struct scache_session, m, SCACHE_KEY_MAX)
static const struct frame_field scache_session_fields[] = {
    TEXT(1, host), TEXT(2, name), TEXT(3, relay), U32(4, features), U32(5, uses),
    U64(6, size_limit), U64(7, opened_ms), U32(8, mail_max), U32(9, rcpt_max),
    U32(10, rcpt_domain_max), TEXT(11, xforward), TEXT(12, tls), U32(13, final)};
static const struct frame_table scache_session_table =
    TABLE("scache_session", scache_session_fields, struct scache_session);
#undef U32
#undef U64
#undef TEXT

#define U32(tag, m) FRAME_FIELD_U32(tag, struct scache_store, m)
#define TEXT(tag, m) FRAME_FIELD_TEXT(tag, struct scache_store, m, SCACHE_KEY_MAX)
static const struct frame_field scache_store_fields[] = {
    TEXT(1, endpoint), TEXT(2, destination), U32(3, endpoint_ms), U32(4, destination_ms),
    FRAME_FIELD_STRUCT(5, struct scache_store, session, struct scache_session, &scache_session_table)};
const struct frame_table scache_store_table =
    TABLE("scache_store", scache_store_fields, struct scache_store);
#undef U32
#undef TEXT

static const struct frame_field scache_key_fields[] = {
    FRAME_FIELD_TEXT(1, struct scache_key, key, SCACHE_KEY_MAX)};
static const struct frame_table scache_key_table =
    TABLE("scache_key", scache_key_fields, struct scache_key);
static const struct frame_field scache_find_fields[] = {
    FRAME_FIELD_TEXT(1, struct scache_find, destination, SCACHE_KEY_MAX),
    FRAME_FIELD_LIST(2, struct scache_find, endpoints, SCACHE_ENDPOINTS_MAX, &scache_key_table)};
const struct frame_table scache_find_table =
    TABLE("scache_find", scache_find_fields, struct scache_find);

static const struct frame_field scache_answer_fields[] = {
    FRAME_FIELD_U32(1, struct scache_answer, found),
    FRAME_FIELD_U32(2, struct scache_answer, which),
    FRAME_FIELD_TEXT(4, struct scache_answer, endpoint, SCACHE_KEY_MAX),
    FRAME_FIELD_STRUCT(3, struct scache_answer, session, struct scache_session, &scache_session_table)};
const struct frame_table scache_answer_table =
    TABLE("scache_answer", scache_answer_fields, struct scache_answer);

static const struct frame_field tlsmgr_request_fields[] = {
    FRAME_FIELD_U32(1, struct tlsmgr_request, cache),
    FRAME_FIELD_TEXT(2, struct tlsmgr_request, key, TLSMGR_KEY_MAX),
    FRAME_FIELD_TEXT(3, struct tlsmgr_request, session, TLSMGR_SESSION_MAX),
    FRAME_FIELD_U32(4, struct tlsmgr_request, lifetime_s)};
const struct frame_table tlsmgr_request_table =
    TABLE("tlsmgr_request", tlsmgr_request_fields, struct tlsmgr_request);

static const struct frame_field tlsmgr_session_fields[] = {
    FRAME_FIELD_U32(1, struct tlsmgr_session, found),
    FRAME_FIELD_TEXT(2, struct tlsmgr_session, session, TLSMGR_SESSION_MAX)};
const struct frame_table tlsmgr_session_table =
    TABLE("tlsmgr_session", tlsmgr_session_fields, struct tlsmgr_session);

static const struct frame_field tlsmgr_ticket_fields[] = {
    FRAME_FIELD_TEXT(1, struct tlsmgr_ticket, name, TLSMGR_SECRET_MAX)};
const struct frame_table tlsmgr_ticket_table =
    TABLE("tlsmgr_ticket", tlsmgr_ticket_fields, struct tlsmgr_ticket);

static const struct frame_field tlsmgr_chains_fields[] = {
    FRAME_FIELD_TEXT(1, struct tlsmgr_chains, name, TLSMGR_KEY_MAX),
    FRAME_FIELD_TEXT(2, struct tlsmgr_chains, text, TLSMGR_CHAINS_MAX)};
const struct frame_table tlsmgr_chains_table =
    TABLE("tlsmgr_chains", tlsmgr_chains_fields, struct tlsmgr_chains);

#define TEXT(tag, m) FRAME_FIELD_TEXT(tag, struct tlsmgr_ticket_key, m, TLSMGR_SECRET_MAX)
#define U32(tag, m) FRAME_FIELD_U32(tag, struct tlsmgr_ticket_key, m)
static const struct frame_field tlsmgr_ticket_key_fields[] = {U32(1, found), TEXT(2, name),
    TEXT(3, cipher_key), TEXT(4, mac_key), U32(5, current_s), U32(6, accepted_s)};
const struct frame_table tlsmgr_ticket_key_table =
    TABLE("tlsmgr_ticket_key", tlsmgr_ticket_key_fields, struct tlsmgr_ticket_key);
#undef TEXT
#undef U32
static const struct frame_field anvil_join_fields[] = {
    FRAME_FIELD_U32(1, struct anvil_join, table)};
const struct frame_table anvil_join_table =
    TABLE("anvil_join", anvil_join_fields, struct anvil_join);
static const struct frame_field anvil_joined_fields[] = {
    FRAME_FIELD_U64(1, struct anvil_joined, size),
    FRAME_FIELD_U32(2, struct anvil_joined, holder)};
const struct frame_table anvil_joined_table =
    TABLE("anvil_joined", anvil_joined_fields, struct anvil_joined);

static const struct frame_field verify_query_fields[] = {
    FRAME_FIELD_TEXT(1, struct verify_query, address, TEXT_MAX)};
const struct frame_table verify_query_table =
    TABLE("verify_query", verify_query_fields, struct verify_query);

static const struct frame_field verify_update_fields[] = {
    FRAME_FIELD_TEXT(1, struct verify_update, address, TEXT_MAX),
    FRAME_FIELD_U32(2, struct verify_update, status),
    FRAME_FIELD_TEXT(3, struct verify_update, text, TEXT_MAX)};
const struct frame_table verify_update_table =
    TABLE("verify_update", verify_update_fields, struct verify_update);

static const struct frame_field verify_answer_fields[] = {
    FRAME_FIELD_U32(1, struct verify_answer, status),
    FRAME_FIELD_TEXT(2, struct verify_answer, text, TEXT_MAX)};
const struct frame_table verify_answer_table =
    TABLE("verify_answer", verify_answer_fields, struct verify_answer);

static const struct frame_field tlsproxy_hello_fields[] = {
    FRAME_FIELD_TEXT(1, struct tlsproxy_hello, identity, TLSPROXY_TEXT_MAX)};
const struct frame_table tlsproxy_hello_table =
    TABLE("tlsproxy_hello", tlsproxy_hello_fields, struct tlsproxy_hello);
static const struct frame_field tlsproxy_ready_fields[] = {
    FRAME_FIELD_U32(1, struct tlsproxy_ready, willing),
    FRAME_FIELD_TEXT(2, struct tlsproxy_ready, reason, TLSPROXY_TEXT_MAX)};
const struct frame_table tlsproxy_ready_table =
    TABLE("tlsproxy_ready", tlsproxy_ready_fields, struct tlsproxy_ready);

static const struct frame_field tlsproxy_name_fields[] = {
    FRAME_FIELD_TEXT(1, struct tlsproxy_name, text, TLSPROXY_TEXT_MAX)};
static const struct frame_table tlsproxy_name_table =
    TABLE("tlsproxy_name", tlsproxy_name_fields, struct tlsproxy_name);
#define U32(tag, m) FRAME_FIELD_U32(tag, struct tlsproxy_tlsa, m)
static const struct frame_field tlsproxy_tlsa_fields[] = {U32(1, usage), U32(2, selector),
    U32(3, matching), FRAME_FIELD_TEXT(4, struct tlsproxy_tlsa, data, TLSPROXY_TEXT_MAX)};
static const struct frame_table tlsproxy_tlsa_table =
    TABLE("tlsproxy_tlsa", tlsproxy_tlsa_fields, struct tlsproxy_tlsa);
#undef U32

#define U32(tag, m) FRAME_FIELD_U32(tag, struct tlsproxy_request, m)
#define TEXT(tag, m) FRAME_FIELD_TEXT(tag, struct tlsproxy_request, m, TLSPROXY_TEXT_MAX)
static const struct frame_field tlsproxy_request_fields[] = {TEXT(1, peer), TEXT(2, name),
    U32(3, log_level), U32(4, verify), U32(5, lmtp), TEXT(6, cipherlist), U32(7, protocol_min),
    U32(8, protocol_max), U32(9, protocols_excluded),
    FRAME_FIELD_LIST(
        10, struct tlsproxy_request, names, TLSPROXY_NAMES_MAX, &tlsproxy_name_table),
    TEXT(11, trust_anchors), TEXT(12, digest),
    FRAME_FIELD_LIST(13, struct tlsproxy_request, tlsa, TLSPROXY_TLSA_MAX, &tlsproxy_tlsa_table),
    TEXT(14, tlsa_base), TEXT(15, resume_key), U32(16, limit_ms), U32(17, idle_ms)};
const struct frame_table tlsproxy_request_table =
    TABLE("tlsproxy_request", tlsproxy_request_fields, struct tlsproxy_request);
#undef U32
#undef TEXT

#define U32(tag, m) FRAME_FIELD_U32(tag, struct tlsproxy_outcome, m)
#define TEXT(tag, m) FRAME_FIELD_TEXT(tag, struct tlsproxy_outcome, m, TLSPROXY_TEXT_MAX)
static const struct frame_field tlsproxy_outcome_fields[] = {U32(1, result), TEXT(2, text),
    U32(3, matched), U32(4, resumed), U32(5, peer_cert), TEXT(6, status), TEXT(7, description),
    TEXT(8, problem), TEXT(9, peer_cn), TEXT(10, issuer_cn), TEXT(11, cert_fingerprint),
    TEXT(12, key_fingerprint)};
const struct frame_table tlsproxy_outcome_table =
    TABLE("tlsproxy_outcome", tlsproxy_outcome_fields, struct tlsproxy_outcome);
#undef U32
#undef TEXT
