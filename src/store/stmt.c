/*
 * Every SQL statement of the store. Parameters are numbered in the order in which the C file that
 * uses the statement binds them; columns in the order in which it reads them.
 */
#include "store/stmt.h"

#include <stddef.h>

/* Where an example stands: "frame 7", with the capture's name where there are several. */
#define PLACE_OF(exchange)                                                                         \
    "(SELECT 'frame ' || coalesce(x.request_frame, x.response_frame) || CASE WHEN (SELECT "        \
    "count(*) FROM captures) > 1 THEN ' of ' || c.path ELSE '' END FROM exchanges x JOIN "         \
    "captures c ON c.id = coalesce(x.request_capture_id, x.response_capture_id) WHERE x.id "       \
    "= " exchange ") "
#define FRAME_OF(exchange)                                                                         \
    "(SELECT coalesce(x.request_frame, x.response_frame) FROM exchanges x WHERE x.id = " exchange  \
    ") "
#define ENDPOINT_EXAMPLES                                                                                       \
    FRAME_OF("e.granted_live_exchange_id")                                                                      \
    ", " FRAME_OF("e.granted_without_exchange_id") ", " FRAME_OF("e.denied_without_exchange_id") ", " PLACE_OF( \
        "e.granted_live_exchange_id") ", " PLACE_OF("e.granted_without_exchange_id") ","                        \
                                                                                     " " PLACE_OF(              \
                                                                                         "e."                   \
                                                                                         "denied_"              \
                                                                                         "without"              \
                                                                                         "_exchan"              \
                                                                                         "ge_id")

#define NO_MARKS                                                                                   \
    "ended_by_id = NULL, granted_before_id = NULL, granted_after_id = NULL, doubts = NULL, "       \
    "doubt_operation_id = NULL "
#define OPERATION_OF_SITE                                                                          \
    "EXISTS (SELECT 1 FROM exchanges x WHERE x.id = operations.id >> 3 AND x.site_id = ?1)"

/* The contract of `list exchanges`; read_list.c reads the columns in this order. */
#define EXCHANGE_COLUMNS                                                                           \
    "x.id, cq.path, cq.id, t.stream, t.client, t.client_port, t.server, t.server_port, si.name, "  \
    "CASE WHEN x.host_is_site THEN si.name ELSE x.host END, x.method, x.target, "                  \
    "e.method || ' ' || e.path, x.status, x.version, x.request_frame, x.response_frame, "          \
    "CASE WHEN cr.id <> cq.id THEN cr.path END, x.request_at, x.request_end_at, x.response_at, "   \
    "x.response_end_at, x.request_bytes, x.response_bytes, coalesce(o.role, 0), "                  \
    "coalesce(o.outcome, 0), s.name, u.name, x.state, x.flags, coalesce(m.value, 0) "
/* m: session/facts.h MARK_ANOMALIES */
#define EXCHANGE_JOINS                                                                             \
    "CROSS JOIN streams t ON t.id = x.stream_id "                                                  \
    "CROSS JOIN sites si ON si.id = x.site_id "                                                    \
    "LEFT JOIN endpoints e ON e.id = x.endpoint_id "                                               \
    "LEFT JOIN captures cq ON cq.id = coalesce(x.request_capture_id, x.response_capture_id) "      \
    "LEFT JOIN captures cr ON cr.id = x.response_capture_id "                                      \
    "LEFT JOIN operations o ON o.id = x.id * 8 "                                                   \
    "LEFT JOIN marks m ON m.id = x.id * 32 AND m.kind = 60 "                                       \
    "LEFT JOIN sessions s ON s.id = o.session_id "                                                 \
    "LEFT JOIN users u ON u.id = coalesce(o.user_id, s.user_id) "

#define FINDING_COLUMNS                                                                            \
    "f.id, f.rule, f.severity, f.verdict, f.at, si.name, u.name, s.name, t.client, "               \
    "t.client_port, x.method, x.target, x.status, f.exchange_id, c.path, t.stream, "               \
    "coalesce(x.request_frame, x.response_frame), f.summary, f.explanation, f.caveats, "           \
    "f.fingerprint, f.group_key, "                                                                 \
    "NULL, p.id IS NOT NULL, p.reason, p.owner, p.expires_at, e.method || ' ' || e.path "
/* Whether a suppression p is meant for a finding f at site si and endpoint e. */
#define SUPPRESSION_FITS                                                                           \
    "(p.fingerprint = f.fingerprint OR p.group_key = f.group_key OR (f.rule GLOB p.rule "          \
    "AND coalesce(si.name, '') GLOB p.site AND coalesce(e.method, '') GLOB p.method "              \
    "AND coalesce(e.path, '') GLOB p.path)) "
#define FINDING_JOINS                                                                              \
    "LEFT JOIN sites si ON si.id = f.site_id "                                                     \
    "LEFT JOIN exchanges x ON x.id = f.exchange_id "                                               \
    "LEFT JOIN operations o ON o.id = x.id * 8 "                                                   \
    "LEFT JOIN sessions s ON s.id = coalesce(f.session_id, o.session_id) "                         \
    "LEFT JOIN users u ON u.id = coalesce(o.user_id, s.user_id) "                                  \
    "LEFT JOIN streams t ON t.id = x.stream_id "                                                   \
    "LEFT JOIN captures c ON c.id = coalesce(x.request_capture_id, x.response_capture_id) "        \
    "LEFT JOIN endpoints e ON e.id = x.endpoint_id "                                               \
    "LEFT JOIN suppressions p ON p.id = (SELECT p.id FROM suppressions p WHERE " SUPPRESSION_FITS  \
    "AND (p.expires_at IS NULL OR p.expires_at > f.at) ORDER BY p.id LIMIT 1) "
#define SEVERITY_RANK(text)                                                                        \
    "CASE " text " WHEN 'critical' THEN 4 WHEN 'high' THEN 3 WHEN 'medium' THEN 2 ELSE 1 END"
#define VERDICT_RANK(text)                                                                         \
    "CASE " text " WHEN 'proven' THEN 3 WHEN 'contradiction' THEN 2 ELSE 1 END"

#define SESSION_COLUMNS                                                                            \
    "s.id, s.name, si.name, c.kind, c.name, u.name, o.first_at, o.last_at, o.login_at, "           \
    "o.logout_at, o.exchanges, o.granted, o.denied, s.order_state, s.is_jwt "
#define SESSION_SUMS                                                                               \
    "SELECT session_id, min(start_at) AS first_at, max(coalesce(end_at, start_at)) AS last_at, "   \
    "min(CASE WHEN kind = 1 THEN start_at END) AS login_at, "                                      \
    "max(CASE WHEN kind = 7 THEN start_at END) AS logout_at, "                                     \
    "count(DISTINCT exchange_id) AS exchanges, "                                                   \
    "sum(kind IS 5) AS granted, sum(kind IS 6) AS denied FROM operations "
#define SESSION_JOINS                                                                              \
    "JOIN carriers c ON c.id = s.carrier_id JOIN sites si ON si.id = c.site_id "                   \
    "LEFT JOIN users u ON u.id = s.user_id "

#define FACT_COLUMNS                                                                               \
    "x.id, x.endpoint_id, x.stream_id, x.host, "                                                   \
    "x.method, x.target, e.path, x.location, x.location_path, u.name, x.replica, x.status, "       \
    "x.version, x.flags, x.shape, x.request_at, x.request_end_at, x.response_at, "                 \
    "x.response_end_at, x.request_frame, x.response_frame, x.request_capture_id, "                 \
    "x.response_capture_id, x.request_bytes, x.response_bytes, x.state, x.ordinal, "               \
    "x.host_is_site, x.agent "
#define FACT_JOINS                                                                                 \
    "LEFT JOIN endpoints e ON e.id = x.endpoint_id "                                               \
    "LEFT JOIN users u ON u.id = x.user_id "

/* Of x, an exchange. */
#define LAST_BYTE_AT "coalesce(x.response_end_at, x.response_at, x.request_end_at, x.request_at, 0)"

/* What past_traffic keeps of those that are about to go, as endpoint_status counts them; a
 * condition on when they ended follows. */
#define FORGOTTEN_TRAFFIC                                                                          \
    "SELECT si.name, coalesce(x.request_at, x.response_at) / 900000000000, count(*) "              \
    "FROM temp.forgotten g CROSS JOIN exchanges x ON x.id = g.id "                                 \
    "JOIN sites si ON si.id = x.site_id WHERE x.endpoint_id IS NOT NULL AND " LAST_BYTE_AT

static const char *const statements[STMT_COUNT] = {
    [STMT_BEGIN] = "BEGIN IMMEDIATE",
    [STMT_BEGIN_READ] = "BEGIN",
    [STMT_BEGIN_ALONE] = "BEGIN EXCLUSIVE",
    [STMT_COMMIT] = "COMMIT",
    [STMT_HAS_ROWS] = "SELECT EXISTS (SELECT 1 FROM captures) OR EXISTS (SELECT 1 FROM sites)",
    [STMT_META_GET] = "SELECT value FROM meta WHERE name = ?1",
    [STMT_META_PUT] = "INSERT INTO meta (name, value) VALUES (?1, ?2) "
                      "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    [STMT_META_FORGET_VIEWS] = "DELETE FROM meta WHERE name = 'views'",
    [STMT_VIEW_NAMES] = "SELECT name FROM sqlite_schema WHERE type = 'view'",
    [STMT_INFO] =
        "SELECT (SELECT user_version FROM pragma_user_version), "
        "(SELECT p.page_count * z.page_size FROM pragma_page_count p, pragma_page_size z), "
        "(SELECT count(*) FROM captures), (SELECT count(*) FROM sites), "
        "(SELECT coalesce(sum(exchanges), 0) FROM captures), "
        "(SELECT count(DISTINCT session_id) FROM operations WHERE session_id IS NOT NULL), "
        "(SELECT count(*) FROM findings WHERE withdrawn_at IS NULL), "
        "(SELECT count(*) FROM findings WHERE withdrawn_at IS NOT NULL), "
        "(SELECT min(first_at) FROM captures), (SELECT max(last_at) FROM captures)",
    [STMT_OPERATION_COUNT] = "SELECT count(*) FROM operations WHERE kind IS NOT NULL",

    /* import */
    [STMT_IMPORT_BASE] = "SELECT (SELECT coalesce(max(id), 0) FROM streams), (SELECT "
                         "coalesce(max(id), 0) FROM exchanges), "
                         "(SELECT coalesce(max(id), 0) FROM loss), "
                         "coalesce((SELECT value FROM meta WHERE name = 'import'), 0), "
                         "EXISTS (SELECT 1 FROM captures) OR EXISTS (SELECT 1 FROM sites), "
                         "(SELECT coalesce(max(id), 0) FROM sessions)",
    [STMT_IMPORT_NUMBER_KEEP] = "INSERT INTO meta (name, value) SELECT 'import', ?1 "
                                "WHERE EXISTS (SELECT 1 FROM captures WHERE import = ?1) "
                                "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    [STMT_SESSION_INDEX_DROP] = "DROP INDEX IF EXISTS sessions_by_hash",
    [STMT_SESSION_INDEX_MAKE] =
        "CREATE UNIQUE INDEX IF NOT EXISTS sessions_by_hash ON sessions (carrier_id, hash)",
    [STMT_MARK_INDEX_DROP] = "DROP INDEX IF EXISTS marks_by_value",
    [STMT_MARK_INDEX_MAKE] = "CREATE INDEX IF NOT EXISTS marks_by_value ON marks (kind, value)",
    [STMT_EXCHANGE_INDEX_DROP] = "DROP INDEX IF EXISTS exchanges_by_site",
    [STMT_EXCHANGE_INDEX_MAKE] =
        "CREATE INDEX IF NOT EXISTS exchanges_by_site ON exchanges (site_id)",
    [STMT_CAPTURE_ADD] = "INSERT INTO captures (import, path) VALUES (?1, ?2)",
    [STMT_CAPTURE_RESUME] = "UPDATE captures SET import = ?2 WHERE id = ?1 RETURNING exchanges",

    [STMT_CAPTURE_END] =
        "UPDATE captures SET is_pcapng = ?2, packing = ?3, has_nanoseconds = ?4, link_type = ?5, "
        "link_name = ?6, size_bytes = ?7, frames = ?8, frame_bytes = ?9, cut_frames = ?10, "
        "dropped_frames = ?11, first_at = ?12, last_at = ?13, clock_doubt = ?14, error = ?15, "
        "error_text = ?16, head = ?17, time_source = ?18, comments = ?19 WHERE id = ?1",
    [STMT_CAPTURE_COUNT] = "UPDATE captures SET exchanges = ?2 WHERE id = ?1",
    [STMT_CAPTURE_DROP_REPEATED] =
        "DELETE FROM captures WHERE id = ?1 "
        "AND NOT EXISTS (SELECT 1 FROM exchanges x WHERE x.id > ?3 AND "
        "(x.request_capture_id = ?1 OR x.response_capture_id = ?1)) "
        "AND NOT EXISTS (SELECT 1 FROM streams t WHERE t.id > ?4 AND t.capture_id = ?1) "
        "AND NOT EXISTS (SELECT 1 FROM loss l WHERE l.id > ?5 AND l.capture_id = ?1) "
        "AND (?2 OR EXISTS (SELECT 1 FROM captures o WHERE o.id < ?1 "
        "AND o.frames = captures.frames AND o.frame_bytes = captures.frame_bytes "
        "AND o.first_at IS captures.first_at AND o.last_at IS captures.last_at "
        "AND o.error = captures.error AND (o.frames > 0 OR o.path = captures.path)))",
    [STMT_CAPTURE_DROP_FAILED] =
        "DELETE FROM captures WHERE frames = 0 AND error <> 0 AND EXISTS "
        "(SELECT 1 FROM captures n WHERE n.path = captures.path AND n.id > captures.id)",
    [STMT_CAPTURE_OVERLAPS] = "SELECT count(*) FROM captures "
                              "WHERE import <> ?1 AND first_at <= ?3 AND last_at >= ?2",
    [STMT_STREAM_ADD] =
        "INSERT OR FAIL INTO streams (id, capture_id, stream, client, client_port, server, "
        "server_port, first_frame, first_at, client_opened, is_midstream, client_network, last_at, "
        "end, client_one_sided, server_one_sided, client_frames, server_frames, client_bytes, "
        "server_bytes, client_gap_bytes, server_gap_bytes, client_fin_at, server_fin_at, "
        "client_rst_at, server_rst_at, server_end_frame, begin_numbers, end_numbers) "
        "SELECT * FROM waiting_streams",
    [STMT_STREAM_END] =
        "UPDATE streams SET last_at = ?2, end = ?3, client_one_sided = ?4, server_one_sided = ?5, "
        "client_frames = ?6, server_frames = ?7, client_bytes = ?8, server_bytes = ?9, "
        "client_gap_bytes = ?10, server_gap_bytes = ?11, client_fin_at = ?12, server_fin_at = ?13, "
        "client_rst_at = ?14, server_rst_at = ?15, server_end_frame = ?16, begin_numbers = ?17, "
        "end_numbers = ?18 WHERE id = ?1",
    [STMT_SITE_FIND] = "SELECT id FROM sites WHERE name = ?1",
    [STMT_SITE_ADD] = "INSERT INTO sites (name) VALUES (?1)",
    [STMT_ENDPOINT_FIND] =
        "SELECT id FROM endpoints WHERE site_id = ?1 AND method = ?2 AND path = ?3",
    [STMT_ENDPOINT_ADD] = "INSERT INTO endpoints (site_id, method, path) VALUES (?1, ?2, ?3)",
    [STMT_USER_FIND] = "SELECT id FROM users WHERE site_id = ?1 AND name = ?2",
    [STMT_USER_ADD] = "INSERT INTO users (site_id, name) VALUES (?1, ?2)",
    [STMT_USERS_SHOWN] = /* a hash is ~ and 16 hexadecimal digits */
    "SELECT id, name FROM users WHERE NOT (length(name) = 17 AND name GLOB '~*' "
    "AND substr(name, 2) NOT GLOB '*[^0-9a-f]*')",
    [STMT_USER_NAME] = "UPDATE users SET name = ?2 WHERE id = ?1",
    [STMT_CARRIER_FIND] = "SELECT id FROM carriers WHERE site_id = ?1 AND kind = ?2 AND name = ?3",
    [STMT_CARRIER_ADD] = "INSERT INTO carriers (site_id, kind, name) VALUES (?1, ?2, ?3)",
    [STMT_SESSION_FIND] =
        "SELECT id FROM sessions WHERE carrier_id = ?1 AND hash = ?2 AND ?3 IN (0, 1)",
    [STMT_SESSION_ADD] = "INSERT INTO sessions (carrier_id, hash, is_jwt) VALUES (?1, ?2, ?3)",
    [STMT_SESSION_HASHES] = "SELECT id, hash FROM sessions ORDER BY +hash",
    [STMT_SESSION_COUNTS] = "SELECT (SELECT coalesce(max(id), 0) FROM sessions), "
                            "(SELECT count(*) FROM carriers)",
    /* Of every carrier the next hash on either side; 4 bytes are the 8 digits that all names have.
     */
    [STMT_SESSION_NEIGHBOURS] =
        "SELECT n.id, n.hash, o.id, o.hash FROM sessions n CROSS JOIN carriers c CROSS JOIN "
        "sessions o ON o.id IN ((SELECT id FROM sessions WHERE carrier_id = c.id AND hash < n.hash "
        "ORDER BY hash DESC LIMIT 1), (SELECT id FROM sessions WHERE carrier_id = c.id "
        "AND hash > n.hash ORDER BY hash LIMIT 1)) "
        "WHERE n.id > ?1 AND substr(o.hash, 1, 4) = substr(n.hash, 1, 4)",
    [STMT_SESSION_SET_DIGITS] =
        "UPDATE sessions SET name_digits = max(name_digits, ?2) WHERE id = ?1",
    [STMT_EXCHANGE_ADD] = /* FAIL: what is in need not be taken back, the transaction ends */
    "INSERT OR FAIL INTO exchanges (site_id, endpoint_id, stream_id, ordinal, request_capture_id, "
    "request_frame, request_at, request_end_at, method, target, host, host_is_site, version, "
    "request_bytes, response_capture_id, response_frame, response_at, response_end_at, status, "
    "response_bytes, state, flags, shape, location, location_path, user_id, replica, agent, "
    "request_hash, id) "
    "SELECT * FROM waiting_exchanges",
    [STMT_TOKEN_ADD] =
        "INSERT OR FAIL INTO token_uses (id, carrier_id, sent_id, set_id, flags, lifetime_s) "
        "SELECT * FROM waiting_tokens",
    [STMT_MARK_ADD] = "INSERT INTO marks (id, kind, value, text) VALUES (?1, ?2, ?3, ?4)",
    [STMT_LOSS_ADD] =
        "INSERT INTO loss (kind, capture_id, stream_id, from_at, to_at, server, server_port, "
        "bytes, count, hides_exchanges) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    [STMT_LOSS_COUNT_SINCE] = "SELECT count(*) FROM loss WHERE id > ?1 AND hides_exchanges",
    [STMT_SITE_MARK_CHANGED] = "UPDATE sites SET is_changed = 1 WHERE is_changed = 0 AND id IN "
                               "(SELECT site_id FROM exchanges WHERE id > ?1)",
    [STMT_SITE_MARK_LOSS] = /* those that changed are due when they are analysed */
    "UPDATE sites SET is_rule_due = 1 WHERE NOT is_rule_due AND NOT is_changed AND "
    "(EXISTS (SELECT 1 FROM loss WHERE id > ?1 AND hides_exchanges AND server IS NULL) OR +id IN "
    "(SELECT v.site_id FROM temp.site_servers v WHERE (v.server, v.server_port) IN "
    "(SELECT server, server_port FROM loss WHERE id > ?1 AND hides_exchanges)))",
    [STMT_SITE_QUIET] =
        "SELECT EXISTS (SELECT 1 FROM sites WHERE NOT is_rule_due AND NOT is_changed)",
    [STMT_SERVERS_ADD] = "INSERT OR IGNORE INTO temp.site_servers (server, server_port, site_id) "
                         "SELECT DISTINCT t.server, t.server_port, x.site_id FROM exchanges x "
                         "CROSS JOIN streams t ON t.id = x.stream_id WHERE x.id > ?1",

    /* refusals */
    [STMT_REFUSAL_ADD] =
        "INSERT INTO refusals (server, server_port, slot, first_at, last_at, attempts, import) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET "
        "first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at), "
        "attempts = attempts + excluded.attempts",
    [STMT_REFUSAL_DROP_KNOWN] = /* told by an earlier import, all of them */
    "DELETE FROM refusals WHERE import = ?1 AND EXISTS (SELECT 1 FROM refusals o "
    "WHERE o.server = refusals.server AND o.server_port = refusals.server_port "
    "AND o.slot = refusals.slot AND o.import < ?1 AND o.first_at <= refusals.first_at "
    "AND o.last_at >= refusals.last_at AND o.attempts >= refusals.attempts)",
    [STMT_REFUSAL_MARK_SITES] =
        "UPDATE sites SET is_rule_due = 1 WHERE NOT is_rule_due AND +id IN "
        "(SELECT v.site_id FROM temp.site_servers v WHERE (v.server, v.server_port) IN "
        "(SELECT server, server_port FROM refusals WHERE import = ?1))",
    [STMT_REFUSAL_MERGE] = /* other ones add up; where the spans cross, the same were seen */
    "UPDATE refusals SET first_at = min(refusals.first_at, o.first_at), "
    "last_at = max(refusals.last_at, o.last_at), "
    "attempts = CASE WHEN o.last_at < refusals.first_at OR o.first_at > refusals.last_at "
    "THEN refusals.attempts + o.attempts ELSE max(refusals.attempts, o.attempts) END "
    "FROM refusals o WHERE refusals.import = ?1 AND o.server = refusals.server "
    "AND o.server_port = refusals.server_port AND o.slot = refusals.slot AND o.import < ?1",
    [STMT_REFUSAL_DROP_MERGED] =
        "DELETE FROM refusals WHERE import < ?1 AND EXISTS (SELECT 1 FROM refusals n "
        "WHERE n.server = refusals.server AND n.server_port = refusals.server_port "
        "AND n.slot = refusals.slot AND n.import = ?1)",
    [STMT_REFUSAL_BOUND] = /* nobody was ever seen to talk to these: a scan of ports */
    "DELETE FROM refusals WHERE (SELECT count(*) FROM refusals) > ?1 "
    "AND (server, server_port) NOT IN (SELECT server, server_port FROM streams)",
    [STMT_BARE_SINCE] = "SELECT EXISTS (SELECT 1 FROM streams WHERE id > ?1 "
                        "AND client_bytes = 0 AND server_bytes = 0)",
    [STMT_BARE_MARK_SITES] =
        "UPDATE sites SET is_rule_due = 1 WHERE NOT is_rule_due AND NOT is_changed AND +id IN "
        "(SELECT v.site_id FROM temp.site_servers v WHERE (v.server, v.server_port) IN "
        "(SELECT server, server_port FROM streams WHERE id > ?1 AND client_bytes = 0 "
        "AND server_bytes = 0))",

    /* doubles */
    [STMT_DOUBLE_CANDIDATES] =
        "WITH candidate AS (SELECT id, stream_id, ordinal, request_at, response_at, state, "
        "status IS NOT NULL AS has_response, request_at IS NULL AS is_alone, "
        "coalesce(request_bytes, 0) + coalesce(response_bytes, 0) AS bytes FROM exchanges "
        "WHERE id > ?1 OR request_at BETWEEN ?2 AND ?3 OR response_at BETWEEN ?2 AND ?3) "
        "SELECT t.client_port, t.client, t.server_port, t.server, k.at, k.by_response, k.id > ?1, "
        "k.id, k.is_alone, k.state, k.has_response, k.bytes FROM ("
        "SELECT *, request_at AS at, 0 AS by_response FROM candidate WHERE NOT is_alone "
        "UNION ALL SELECT *, response_at, 1 FROM candidate WHERE response_at IS NOT NULL "
        "AND (is_alone OR EXISTS (SELECT 1 FROM candidate WHERE is_alone))) k "
        "CROSS JOIN streams t ON t.id = k.stream_id "
        "ORDER BY t.client_port, t.client, t.server_port, t.server, k.at, k.by_response, "
        "k.id > ?1, k.ordinal, k.id",
    [STMT_LOSS_EXPLAIN] =
        "UPDATE loss SET hides_exchanges = 0 WHERE hides_exchanges AND kind IN (1, 2, 3, 4) AND id "
        "IN (SELECT o.id FROM loss o JOIN streams l ON l.id = o.stream_id JOIN streams u "
        "ON u.client_port = l.client_port AND u.client = l.client AND u.server = l.server "
        "AND u.server_port = l.server_port AND u.id <> l.id AND u.capture_id <> l.capture_id "
        "AND u.first_at <= o.from_at AND u.last_at >= o.to_at AND NOT u.is_midstream "
        "AND NOT u.client_one_sided AND NOT u.server_one_sided "
        "AND u.client_gap_bytes = 0 AND u.server_gap_bytes = 0)",
    [STMT_LOSS_DROP_DOUBLES] =
        "DELETE FROM loss WHERE id > ?1 AND EXISTS (SELECT 1 FROM loss o "
        "LEFT JOIN streams t ON t.id = o.stream_id LEFT JOIN streams n ON n.id = loss.stream_id "
        "WHERE o.id <= ?1 AND o.server IS loss.server AND o.server_port IS loss.server_port "
        "AND o.from_at IS loss.from_at AND o.to_at IS loss.to_at AND o.kind = loss.kind "
        "AND o.bytes = loss.bytes AND o.count = loss.count "
        "AND t.client IS n.client AND t.client_port IS n.client_port)",
    [STMT_SPAN_CLEAR] = "DELETE FROM loss_spans",
    [STMT_SPAN_SOURCE] = /* a clock that steps back may turn them round */
    "SELECT server, server_port, min(from_at, to_at) AS from_at, max(from_at, to_at) FROM ("
    "SELECT server, server_port, coalesce(from_at, -9223372036854775807) AS from_at, "
    "coalesce(to_at, 9223372036854775807) AS to_at FROM loss WHERE id > ?1 AND hides_exchanges) "
    "ORDER BY server, server_port, from_at",
    [STMT_SPAN_TAKE] = /* those that touch ?3 to ?4; of those that begin before it only the last can
                        */
    "DELETE FROM loss_spans WHERE server IS ?1 AND server_port IS ?2 AND from_at <= ?4 "
    "AND from_at >= coalesce((SELECT b.from_at FROM loss_spans b WHERE b.server IS ?1 "
    "AND b.server_port IS ?2 AND b.from_at < ?3 ORDER BY b.from_at DESC LIMIT 1), ?3) "
    "AND to_at >= ?3 RETURNING from_at, to_at",
    [STMT_SPAN_ADD] =
        "INSERT INTO loss_spans (server, server_port, from_at, to_at) VALUES (?1, ?2, ?3, ?4)",
    [STMT_JOIN_FIND] =
        "INSERT OR IGNORE INTO temp.joined (id) SELECT m.id FROM streams m JOIN streams p "
        "ON p.client_port = m.client_port AND p.client = m.client AND p.server = m.server "
        "AND p.server_port = m.server_port AND p.end_numbers = m.begin_numbers "
        "AND p.id <> m.id AND p.last_at <= m.first_at "
        "WHERE m.is_midstream AND (m.id > ?1 OR p.id > ?1)",
    [STMT_JOIN_MARK_SITES] =
        "UPDATE sites SET is_changed = 1 WHERE is_changed = 0 AND id IN "
        "(SELECT site_id FROM exchanges WHERE stream_id IN (SELECT id FROM temp.joined))",
    [STMT_JOIN_EXCHANGES] = /* after a hole of its own the pairing stays what it is */
    "UPDATE exchanges SET flags = flags & ~(1 << 26) WHERE flags & (1 << 26) AND stream_id IN "
    "(SELECT j.id FROM temp.joined j CROSS JOIN streams t ON t.id = j.id "
    "WHERE t.client_gap_bytes = 0 AND t.server_gap_bytes = 0)",
    [STMT_JOIN_LOSS] = "UPDATE loss SET hides_exchanges = 0 WHERE kind = 2 "
                       "AND stream_id IN (SELECT id FROM temp.joined)",
    [STMT_JOIN_STREAMS] =
        "UPDATE streams SET is_midstream = 0 WHERE id IN (SELECT id FROM temp.joined)",
    [STMT_FORGET_ADD] = "INSERT OR IGNORE INTO temp.forgotten (id) VALUES (?1)",
    [STMT_FORGET_MARK_SITES] =
        "UPDATE sites SET is_changed = 1 WHERE id IN (SELECT x.site_id FROM "
        "temp.forgotten g CROSS JOIN exchanges x ON x.id = g.id WHERE g.id <= ?1)",
    [STMT_FORGET_TOKENS] =
        "DELETE FROM token_uses WHERE id >> 4 IN (SELECT id FROM temp.forgotten)",
    [STMT_FORGET_MARKS] = "DELETE FROM marks WHERE id >> 5 IN (SELECT id FROM temp.forgotten)",
    [STMT_FORGET_OPERATIONS] =
        "DELETE FROM operations WHERE id >> 3 IN (SELECT id FROM temp.forgotten)",
    [STMT_FORGET_ENDED_BY] =
        "UPDATE operations SET ended_by_id = NULL WHERE ended_by_id IS NOT NULL "
        "AND ended_by_id >> 3 IN (SELECT id FROM temp.forgotten)",
    [STMT_FORGET_FLAPPED] =
        "UPDATE operations SET granted_before_id = NULL, granted_after_id = NULL "
        "WHERE granted_before_id IS NOT NULL AND (granted_before_id >> 3 IN "
        "(SELECT id FROM temp.forgotten) OR granted_after_id >> 3 IN "
        "(SELECT id FROM temp.forgotten))",
    [STMT_FORGET_WITNESSES] =
        "UPDATE sessions SET witness_operation_id = NULL WHERE witness_operation_id IS NOT NULL "
        "AND witness_operation_id >> 3 IN (SELECT id FROM temp.forgotten)",
    [STMT_FORGET_EXAMPLES] =
        "UPDATE endpoints SET granted_live_exchange_id = CASE WHEN granted_live_exchange_id IN "
        "(SELECT id FROM temp.forgotten) THEN NULL ELSE granted_live_exchange_id END, "
        "granted_without_exchange_id = CASE WHEN granted_without_exchange_id IN "
        "(SELECT id FROM temp.forgotten) THEN NULL ELSE granted_without_exchange_id END, "
        "denied_without_exchange_id = CASE WHEN denied_without_exchange_id IN "
        "(SELECT id FROM temp.forgotten) THEN NULL ELSE denied_without_exchange_id END",
    [STMT_FORGET_EVIDENCE] =
        "DELETE FROM finding_evidence WHERE exchange_id IN (SELECT id FROM temp.forgotten)",
    [STMT_FORGET_FINDINGS] = "UPDATE findings SET exchange_id = NULL "
                             "WHERE exchange_id IN (SELECT id FROM temp.forgotten)",
    [STMT_FORGET_COUNTS] =
        "UPDATE captures SET exchanges = exchanges - n.dropped FROM (SELECT "
        "coalesce(x.request_capture_id, x.response_capture_id) AS id, count(*) AS dropped "
        "FROM temp.forgotten g CROSS JOIN exchanges x ON x.id = g.id GROUP BY 1) n "
        "WHERE n.id = captures.id",
    [STMT_FORGET_EXCHANGES] = "DELETE FROM exchanges WHERE id IN (SELECT id FROM temp.forgotten)",
    [STMT_ORPHAN_STREAMS] = /* one that was still open may go on in another capture; a silent one
                               that its server closed stays, but once */
    "DELETE FROM streams WHERE id NOT IN (SELECT stream_id FROM exchanges) "
    "AND id NOT IN (SELECT stream_id FROM loss WHERE stream_id IS NOT NULL) "
    "AND (last_at < ?1 OR client_bytes > 0 OR server_bytes > 0 "
    "OR coalesce(server_fin_at, server_rst_at) IS NULL OR id IN (SELECT b.id FROM streams b "
    "JOIN streams o ON o.client_port = b.client_port AND o.client = b.client "
    "AND o.server = b.server AND o.server_port = b.server_port AND o.id <> b.id "
    "AND o.server_fin_at IS b.server_fin_at AND o.server_rst_at IS b.server_rst_at "
    "WHERE b.client_bytes = 0 AND b.server_bytes = 0 AND (o.id < b.id OR o.client_bytes > 0))) "
    "AND (end <> 0 OR end_numbers IS NULL OR last_at < ?1 OR id IN (SELECT b.id FROM streams b "
    "JOIN streams o ON o.client_port = b.client_port AND o.client = b.client "
    "AND o.server = b.server AND o.server_port = b.server_port AND o.first_at <= b.first_at "
    "AND o.last_at >= b.last_at WHERE b.end = 0 AND (o.id < b.id OR o.first_at < b.first_at OR "
    "o.last_at > b.last_at)))",
    [STMT_ORPHAN_SESSIONS] =
        "DELETE FROM sessions WHERE id NOT IN (SELECT sent_id FROM token_uses WHERE sent_id IS NOT "
        "NULL UNION ALL SELECT set_id FROM token_uses WHERE set_id IS NOT NULL)",
    [STMT_ORPHAN_SESSION_REFS] =
        "UPDATE findings SET session_id = NULL WHERE session_id IS NOT NULL "
        "AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.id = findings.session_id)",
    [STMT_ORPHAN_USERS] = "DELETE FROM users WHERE id NOT IN (SELECT user_id FROM exchanges WHERE "
                          "user_id IS NOT NULL "
                          "UNION ALL SELECT user_id FROM operations WHERE user_id IS NOT NULL "
                          "UNION ALL SELECT user_id FROM sessions WHERE user_id IS NOT NULL)",
    [STMT_ORPHAN_STATUS] = "DELETE FROM endpoint_status WHERE endpoint_id NOT IN "
                           "(SELECT endpoint_id FROM exchanges WHERE endpoint_id IS NOT NULL)",
    [STMT_ORPHAN_ENDPOINTS] = "DELETE FROM endpoints WHERE id NOT IN "
                              "(SELECT endpoint_id FROM exchanges WHERE endpoint_id IS NOT NULL)",
    [STMT_ORPHAN_CARRIERS] =
        "DELETE FROM carriers WHERE id NOT IN (SELECT carrier_id FROM token_uses)",
    [STMT_ORPHAN_DECISIONS] = "DELETE FROM decisions WHERE NOT EXISTS "
                              "(SELECT 1 FROM exchanges x WHERE x.site_id = decisions.site_id)",
    [STMT_ORPHAN_LOGIN_COUNTS] =
        "DELETE FROM login_counts WHERE NOT EXISTS "
        "(SELECT 1 FROM exchanges x WHERE x.site_id = login_counts.site_id)",
    [STMT_ORPHAN_SITE_FINDINGS] =
        "UPDATE findings SET site_id = NULL, withdrawn_at = coalesce(withdrawn_at, at) "
        "WHERE site_id IS NOT NULL AND NOT EXISTS "
        "(SELECT 1 FROM exchanges x WHERE x.site_id = findings.site_id)",
    [STMT_ORPHAN_OFTEN] = "DELETE FROM endpoint_often WHERE endpoint_id NOT IN "
                          "(SELECT endpoint_id FROM exchanges WHERE endpoint_id IS NOT NULL)",
    [STMT_ORPHAN_RULE_QUARTERS] =
        "DELETE FROM rule_quarters WHERE NOT EXISTS "
        "(SELECT 1 FROM exchanges x WHERE x.site_id = rule_quarters.site_id)",
    [STMT_ORPHAN_RULE_RUNS] = "DELETE FROM rule_runs WHERE site_id <> 0 AND NOT EXISTS "
                              "(SELECT 1 FROM exchanges x WHERE x.site_id = rule_runs.site_id)",
    [STMT_ORPHAN_LEARNING] = "DELETE FROM learning WHERE NOT EXISTS "
                             "(SELECT 1 FROM exchanges x WHERE x.site_id = learning.site_id)",
    [STMT_ORPHAN_SITES] = "DELETE FROM sites WHERE NOT EXISTS "
                          "(SELECT 1 FROM exchanges x WHERE x.site_id = sites.id)",

    /* analysis */
    [STMT_OPERATION_ANY] = "SELECT EXISTS (SELECT 1 FROM operations)",
    [STMT_OPERATION_LAST] = "SELECT coalesce(max(id), 0) >> 3 FROM operations",
    [STMT_OPERATION_INDEX_MAKE] =
        "CREATE INDEX IF NOT EXISTS operations_by_session ON operations (session_id, start_at, "
        "kind, "
        "end_at, endpoint_id, role, issues, understood, agent) WHERE session_id IS NOT NULL",
    [STMT_SITES_CHANGED] = "SELECT id FROM sites WHERE is_changed ORDER BY id",
    [STMT_SITE_BEHIND] = "SELECT EXISTS (SELECT 1 FROM sites WHERE is_changed OR is_rule_due)",
    [STMT_SITE_IS_ANALYSED] = "SELECT is_analysed FROM sites WHERE id = ?1",
    [STMT_SITE_ANALYSED] =
        "UPDATE sites SET is_changed = 0, is_analysed = 1, is_rule_due = 1 WHERE id = ?1",
    [STMT_SITE_EXCHANGE_IDS] = "SELECT id FROM exchanges WHERE site_id = ?1 ORDER BY id",
    [STMT_OPERATIONS_DELETE] = "DELETE FROM operations WHERE id BETWEEN ?1 AND ?2",
    [STMT_SITE_RESET_SESSIONS] =
        "UPDATE sessions SET user_id = NULL, user_since = NULL, order_state = 0, "
        "witness_operation_id = NULL, has_programs = 0 WHERE carrier_id IN (SELECT id FROM "
        "carriers WHERE site_id = "
        "?1) AND (user_id IS NOT NULL OR order_state <> 0 OR has_programs)",
    [STMT_SITE_RESET_ENDPOINTS] =
        "UPDATE endpoints SET protection = 0, declared = 0, granted_live = 0, granted_without = 0, "
        "denied_without = 0, denied_other = 0, sessions_often = 0, granted_live_exchange_id = "
        "NULL, "
        "granted_without_exchange_id = NULL, denied_without_exchange_id = NULL WHERE site_id = ?1",
    [STMT_SITE_RESET_CARRIERS] = "UPDATE carriers SET is_session = 0, opens = 0 WHERE site_id = ?1",
    [STMT_SITE_RESET_DECISIONS] = "DELETE FROM decisions WHERE site_id = ?1",
    [STMT_SITE_RESET_STATUS] = "DELETE FROM endpoint_status WHERE endpoint_id IN "
                               "(SELECT id FROM endpoints WHERE site_id = ?1)",
    [STMT_SITE_RESET_OFTEN] = "DELETE FROM endpoint_often WHERE endpoint_id IN "
                              "(SELECT id FROM endpoints WHERE site_id = ?1)",
    [STMT_SITE_RESET_LOGINS] = "DELETE FROM login_counts WHERE site_id = ?1",
    [STMT_SITE_RESET_ORDERS] =
        "UPDATE sessions SET order_state = 0, witness_operation_id = NULL, has_programs = 0 "
        "WHERE carrier_id IN (SELECT id FROM carriers WHERE site_id = ?1) "
        "AND (order_state <> 0 OR has_programs)",
    [STMT_SITE_RESET_ENDED] = "UPDATE operations INDEXED BY operations_ended SET " NO_MARKS
                              "WHERE ended_by_id IS NOT NULL AND " OPERATION_OF_SITE,
    [STMT_SITE_RESET_FLAPPED] = "UPDATE operations INDEXED BY operations_flapped SET " NO_MARKS
                                "WHERE granted_before_id IS NOT NULL AND " OPERATION_OF_SITE,
    [STMT_SESSION_RESET_MARKS] = "UPDATE operations SET " NO_MARKS "WHERE session_id = ?1 AND "
                                 "(ended_by_id IS NOT NULL OR granted_before_id IS NOT NULL)",
    [STMT_SESSION_RESET_ORDER] = "UPDATE sessions SET order_state = 0, witness_operation_id = NULL "
                                 "WHERE id = ?1 AND order_state <> 0",
    [STMT_DATA_VERSION] = "PRAGMA data_version",
    [STMT_LEARNING_PUT] = "INSERT OR REPLACE INTO learning (site_id, learned_by, last_exchange, "
                          "exchanges, learned, examples) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [STMT_LEARNING_GET] = "SELECT last_exchange, exchanges, learned, examples FROM learning "
                          "WHERE site_id = ?1 AND learned_by = ?2 AND exchanges = (SELECT "
                          "count(*) FROM exchanges x WHERE x.site_id = ?1 "
                          "AND x.id <= last_exchange)",
    [STMT_LEARNING_DELETE] = "DELETE FROM learning WHERE site_id = ?1",
    [STMT_LEARNING_DELETE_ALL] = "DELETE FROM learning",
    [STMT_STATUS_ADD] =
        "INSERT INTO endpoint_status (endpoint_id, quarter, status, exchanges) VALUES (?1, ?2, ?3, "
        "?4) ON CONFLICT DO UPDATE SET exchanges = exchanges + excluded.exchanges",
    [STMT_LOGIN_COUNT_ADD] =
        "INSERT INTO login_counts (site_id, quarter, outcome, logins, has_token) VALUES (?1, ?2, "
        "?3, ?4, ?5) ON CONFLICT DO UPDATE SET logins = logins + excluded.logins",
    [STMT_OFTEN_ADD] =
        "INSERT INTO endpoint_often (endpoint_id, quarter, sessions) VALUES (?1, ?2, ?3)",
    [STMT_OPERATION_ADD] =
        "INSERT OR FAIL INTO operations (id, endpoint_id, role, outcome, user_id, had_token, "
        "may_be_denial, missing_token, session_id, kind, start_at, end_at, issues, understood, "
        "agent) "
        "SELECT * FROM waiting_operations",
    [STMT_OPERATION_ROLE] =
        "SELECT role, outcome, missing_token, user_id FROM operations WHERE id = ?1",
    [STMT_REBIND_ADD] = "INSERT OR IGNORE INTO temp.rebound (id) SELECT session_id FROM operations "
                        "WHERE id BETWEEN ?1 AND ?2 AND kind = 1 AND session_id IS NOT NULL",
    [STMT_REBIND_USERS] =
        "UPDATE sessions SET (user_id, user_since) = (SELECT p.user_id, o.start_at "
        "FROM operations o INDEXED BY operations_by_session JOIN operations p ON p.id = o.id & ~7 "
        "WHERE o.session_id = sessions.id AND o.kind = 1 AND p.user_id IS NOT NULL "
        "ORDER BY o.start_at, o.id LIMIT 1) WHERE id IN (SELECT id FROM temp.rebound)",
    [STMT_LOGIN_COUNT_EMPTY] = "DELETE FROM login_counts WHERE logins = 0",
    [STMT_OPERATION_INDEX_DROP] = "DROP INDEX IF EXISTS operations_by_session",
    [STMT_OPERATION_MARK] =
        "UPDATE operations SET ended_by_id = ?2, granted_before_id = ?3, granted_after_id = ?4, "
        "doubts = ?5, doubt_operation_id = ?6 WHERE id = ?1",
    [STMT_SESSION_BIND_USER] = "UPDATE sessions SET user_id = ?2, user_since = ?3 WHERE id = ?1 "
                               "AND (user_since IS NULL OR user_since > ?3)",
    [STMT_SESSION_SET_ORDER] =
        "UPDATE sessions SET order_state = ?2, witness_operation_id = ?3 WHERE id = ?1",
    [STMT_SESSION_HAS_PROGRAMS] = "UPDATE sessions SET has_programs = 1 WHERE id = ?1",
    [STMT_DECISION_ADD] = "INSERT INTO decisions (site_id, what, value, reason, from_profile) "
                          "VALUES (?1, ?2, ?3, ?4, ?5)",
    [STMT_CARRIER_SET] = "UPDATE carriers SET is_session = ?2, opens = ?3 WHERE id = ?1",
    [STMT_ENDPOINT_SET] = "UPDATE endpoints SET protection = ?2, declared = ?3, granted_live = ?4, "
                          "granted_without = ?5, denied_without = ?6, denied_other = ?7, "
                          "granted_live_exchange_id = ?8, granted_without_exchange_id = ?9, "
                          "denied_without_exchange_id = ?10, sessions_often = ?11 WHERE id = ?1",
    [STMT_SITE_NAME] = "SELECT name FROM sites WHERE id = ?1",
    [STMT_EXCHANGE_LAST] = "SELECT coalesce(max(id), 0) FROM exchanges",
    [STMT_SITE_IS_BIG] = /* more than a quarter of all: then a scan is cheaper than an index */
    "SELECT CASE WHEN EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'exchanges_by_site') THEN "
    "(SELECT count(*) FROM exchanges WHERE site_id = ?1) * 4 >= "
    "coalesce((SELECT max(id) FROM exchanges) - (SELECT min(id) FROM exchanges), 0) ELSE 1 END",
    [STMT_FACTS_BIG_SITE] =
        "SELECT " FACT_COLUMNS "FROM exchanges x " FACT_JOINS "WHERE +x.site_id = ?1 "
        "AND x.id BETWEEN ?2 AND ?3 ORDER BY x.id",
    [STMT_FACTS_SMALL_SITE] =
        "SELECT " FACT_COLUMNS "FROM exchanges x INDEXED BY exchanges_by_site " FACT_JOINS
        "WHERE x.site_id = ?1 AND x.id BETWEEN ?2 AND ?3 ORDER BY x.id",
    [STMT_TOKENS_FROM] = "SELECT id, carrier_id, sent_id, set_id, flags, lifetime_s "
                         "FROM token_uses WHERE id >= ?1 ORDER BY id",
    [STMT_TOKENS_OF] = "SELECT id, carrier_id, sent_id, set_id, flags, lifetime_s "
                       "FROM token_uses WHERE id BETWEEN ?1 AND ?1 + 15 ORDER BY id",
    [STMT_SITE_CARRIERS] = "SELECT id, kind, name FROM carriers WHERE site_id = ?1 ORDER BY id",
    [STMT_SESSION_HASH] = "SELECT hash FROM sessions WHERE id = ?1",
    [STMT_SITE_SESSIONS] =
        "SELECT s.id, c.kind FROM carriers c CROSS JOIN sessions s INDEXED BY sessions_by_hash "
        "ON s.carrier_id = c.id WHERE c.site_id = ?1",
    [STMT_TOUCHED_SESSIONS] =
        "SELECT s.id, c.kind FROM (SELECT DISTINCT +session_id AS id FROM operations "
        "NOT INDEXED WHERE id >= ?2 AND session_id IS NOT NULL) t CROSS JOIN sessions s ON s.id = "
        "t.id "
        "CROSS JOIN carriers c ON c.id = s.carrier_id WHERE c.site_id = ?1",
    [STMT_SESSION_OPERATIONS] =
        "SELECT o.id, o.session_id, o.id >> 3, o.endpoint_id, coalesce(o.role, (SELECT p.role "
        "FROM operations p WHERE p.id = o.id & ~7)), o.kind, o.start_at, o.end_at, o.issues, "
        "o.understood, o.agent FROM operations o INDEXED BY operations_by_session WHERE "
        "o.session_id = ?1 "
        "AND o.kind IS NOT NULL ORDER BY o.start_at LIMIT ?2",
    [STMT_REPLACED_SESSION] = /* flags 16 to 23: see session/facts.h TOKEN_SCOPE_SHIFT */
    "SELECT k.sent_id FROM token_uses k WHERE k.id BETWEEN ?1 * 16 AND ?1 * 16 + 15 "
    "AND k.set_id = ?2 AND k.sent_id <> ?2 AND (k.flags >> 16) & 255 <> 0 "
    "AND (k.flags >> 16) & 255 = (SELECT (p.flags >> 16) & 255 "
    "FROM operations o INDEXED BY operations_by_session JOIN token_uses p "
    "ON p.id BETWEEN (o.id >> 3) * 16 AND (o.id >> 3) * 16 + 15 "
    "WHERE o.session_id = k.sent_id AND o.issues AND p.set_id = k.sent_id "
    "ORDER BY o.start_at, o.id LIMIT 1)",
    [STMT_KIN_SITES] = "SELECT id, name FROM sites",
    [STMT_KIN_ADD] = "INSERT INTO temp.kin (site_id, name) VALUES (?1, ?2)",
    [STMT_KIN_DROP_ALONE] = "DELETE FROM temp.kin WHERE name IN "
                            "(SELECT name FROM temp.kin GROUP BY name HAVING count(*) = 1)",
    [STMT_KIN_CARRIERS] =
        "INSERT INTO temp.kin_carriers (kin, kind, name, site, site_id, carrier_id) "
        "SELECT kin, kind, name, site, site_id, id FROM (SELECT k.name AS kin, c.kind, c.name, "
        "s.name AS site, c.site_id, c.id, row_number() OVER (PARTITION BY k.name, c.kind, c.name "
        "ORDER BY s.name) AS place FROM temp.kin k CROSS JOIN sites s ON s.id = k.site_id "
        "CROSS JOIN carriers c ON c.site_id = k.site_id) WHERE place <= ?1",
    [STMT_TWIN_CARRIERS] =
        "SELECT c.id, o.carrier_id, o.site_id FROM temp.kin k CROSS JOIN carriers c "
        "ON c.site_id = k.site_id CROSS JOIN temp.kin_carriers o ON o.kin = k.name "
        "AND o.kind = c.kind AND o.name = c.name AND o.site_id <> c.site_id "
        "WHERE k.site_id = ?1 ORDER BY o.site, c.id LIMIT ?2",
    [STMT_TWIN_SESSION] =
        "SELECT t.id FROM sessions s CROSS JOIN sessions t INDEXED BY sessions_by_hash "
        "ON t.carrier_id = ?3 AND t.hash = s.hash WHERE s.id = ?1 AND s.carrier_id = ?2",
    [STMT_CARRIERS_SHARE_TOKEN] =
        "SELECT EXISTS (SELECT 1 FROM sessions s INDEXED BY sessions_by_hash CROSS JOIN sessions t "
        "INDEXED BY sessions_by_hash ON t.carrier_id = ?2 AND t.hash = s.hash "
        "WHERE s.carrier_id = ?1)",
    [STMT_ANONYMOUS_BIG_SITE] =
        "SELECT o.id >> 3, o.endpoint_id, o.outcome FROM operations o CROSS JOIN endpoints e "
        "ON e.id = o.endpoint_id WHERE o.role = +3 AND o.had_token = 0 AND o.outcome IN (3, 4) "
        "AND e.site_id = ?1 ORDER BY o.id",
    [STMT_ANONYMOUS_SMALL_SITE] =
        "SELECT x.id, x.endpoint_id, o.outcome FROM exchanges x INDEXED BY exchanges_by_site "
        "CROSS JOIN operations o ON o.id = x.id * 8 WHERE o.role = +3 AND o.had_token = 0 "
        "AND o.outcome IN (3, 4) AND x.site_id = ?1 AND x.endpoint_id IS NOT NULL ORDER BY x.id",
    [STMT_ANONYMOUS_SINCE] =
        "SELECT o.id >> 3, o.endpoint_id, o.outcome FROM operations o CROSS JOIN endpoints e "
        "ON e.id = o.endpoint_id WHERE o.id >= ?2 AND o.role = +3 AND o.had_token = 0 "
        "AND o.outcome IN (3, 4) AND e.site_id = ?1 ORDER BY o.id",
    [STMT_ENDPOINT_PROTECTION] = "SELECT protection FROM endpoints WHERE id = ?1",
    [STMT_ENDPOINT_LAST] = "SELECT coalesce(max(id), 0) FROM endpoints",
    [STMT_SITE_ENDPOINTS] = "SELECT id, method, path FROM endpoints WHERE site_id = ?1 ORDER BY id",
    [STMT_CLOCK_DOUBT] =
        "SELECT max(c.clock_doubt) FROM captures c WHERE c.clock_doubt > 0 AND EXISTS "
        "(SELECT 1 FROM exchanges x WHERE x.site_id = ?1 AND (x.request_capture_id = c.id OR "
        "x.response_capture_id = c.id))",

    /* findings */
    [STMT_FINDING_FIND] = "SELECT id FROM findings WHERE fingerprint = ?1",
    [STMT_FINDING_PUT] =
        "INSERT INTO findings (rule, severity, verdict, at, site_id, session_id, exchange_id, "
        "summary, explanation, caveats, fingerprint, group_key, first_import, changed_import, "
        "is_put) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, n.value, n.value, 1 "
        "FROM (SELECT coalesce((SELECT value FROM meta WHERE name = 'import'), 0) AS value) n "
        "WHERE true ON CONFLICT (fingerprint) DO UPDATE SET rule = excluded.rule, "
        "severity = excluded.severity, verdict = excluded.verdict, at = excluded.at, "
        "site_id = excluded.site_id, session_id = excluded.session_id, "
        "exchange_id = excluded.exchange_id, summary = excluded.summary, "
        "explanation = excluded.explanation, caveats = excluded.caveats, "
        "group_key = excluded.group_key, is_put = 1, "
        "changed_import = CASE WHEN withdrawn_at IS NULL AND verdict = excluded.verdict "
        "AND summary = excluded.summary AND caveats = excluded.caveats "
        "THEN changed_import ELSE excluded.changed_import END, withdrawn_at = NULL "
        "RETURNING id",
    [STMT_ALERT_CANDIDATES] =
        "SELECT f.id, f.verdict, a.verdict, coalesce(a.is_held, 0), coalesce(a.count, 0), "
        "a.said_at, t.server, t.server_port, coalesce(x.response_end_at, x.response_at, "
        "x.request_end_at, x.request_at, f.at), f.changed_import = ?1 FROM findings f "
        "LEFT JOIN alerts a ON a.finding_id = f.id LEFT JOIN exchanges x ON x.id = f.exchange_id "
        "LEFT JOIN streams t ON t.id = x.stream_id WHERE f.withdrawn_at IS NULL AND f.id IN "
        "(SELECT id FROM findings WHERE changed_import = ?1 "
        "UNION SELECT finding_id FROM alerts WHERE is_held) ORDER BY f.at, f.fingerprint",
    [STMT_ALERT_PUT] =
        "INSERT INTO alerts (finding_id, verdict, is_held, count, said_at) "
        "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (finding_id) DO UPDATE SET "
        "verdict = excluded.verdict, is_held = excluded.is_held, count = excluded.count, "
        "said_at = excluded.said_at",
    [STMT_ALERT_QUEUE_ADD] =
        "INSERT INTO alert_queue (id, sink, body, queued_at) VALUES (?1, ?2, ?3, ?4)",
    [STMT_ALERT_QUEUE_READ] = "SELECT id, body FROM alert_queue WHERE id > ?1 AND sink = ?2 "
                              "ORDER BY id LIMIT ?3",
    [STMT_ALERT_QUEUE_DONE] = "DELETE FROM alert_queue WHERE id = ?1",
    [STMT_ALERT_QUEUE_BOUND] =
        "DELETE FROM alert_queue WHERE sink = ?1 AND id <= (SELECT id FROM alert_queue "
        "WHERE sink = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
    [STMT_ALERT_QUEUE_COUNT] = "SELECT count(*) FROM alert_queue",
    [STMT_ALERT_QUEUE_LAST] = "SELECT coalesce(max(id), 0) FROM alert_queue",
    [STMT_DRAFT_ADD] =
        "INSERT INTO temp.rule_drafts (verdict, at, site_id, session_id, exchange_id, summary, "
        "caveats, evidence) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [STMT_DRAFTS] = "SELECT verdict, at, site_id, session_id, exchange_id, summary, caveats, "
                    "evidence FROM temp.rule_drafts ORDER BY id",
    [STMT_FINDINGS_BEGIN] = "UPDATE findings SET is_put = 0 WHERE rule = ?1 AND is_put",
    [STMT_FINDINGS_WITHDRAW] =
        "UPDATE findings SET withdrawn_at = ?2, changed_import = "
        "coalesce((SELECT value FROM meta WHERE name = 'import'), 0) "
        "WHERE rule = ?1 AND NOT is_put AND withdrawn_at IS NULL AND (site_id IS NULL OR "
        "site_id IN (SELECT site_id FROM temp.rule_scope))",
    [STMT_EVIDENCE_DELETE] = "DELETE FROM finding_evidence WHERE finding_id = ?1",
    [STMT_EVIDENCE_ADD] = "INSERT INTO finding_evidence (finding_id, position, role, exchange_id, "
                          "text) VALUES (?1, ?2, ?3, ?4, ?5)",
    [STMT_RULE_RUN_PUT] = "INSERT INTO rule_runs (rule, site_id, exercised) VALUES (?1, ?2, ?3) "
                          "ON CONFLICT DO UPDATE SET exercised = excluded.exercised",
    [STMT_RULE_QUARTER_PUT] =
        "INSERT INTO temp.rule_counted (site_id, quarter, exercised) VALUES (?1, ?2, ?3) "
        "ON CONFLICT DO UPDATE SET exercised = exercised + excluded.exercised",
    [STMT_RULE_QUARTERS_DROP] =
        "DELETE FROM rule_quarters WHERE rule = ?1 AND (site_id IN (SELECT site_id FROM "
        "temp.rule_scope) OR site_id IN (SELECT site_id FROM temp.rule_counted)) "
        "AND (site_id, quarter) NOT IN (SELECT site_id, quarter FROM temp.rule_counted)",
    [STMT_RULE_QUARTERS_KEEP] = /* most are as they were */
    "INSERT INTO rule_quarters (rule, site_id, quarter, exercised) "
    "SELECT ?1, site_id, quarter, exercised FROM temp.rule_counted WHERE true "
    "ON CONFLICT DO UPDATE SET exercised = excluded.exercised "
    "WHERE exercised <> excluded.exercised",
    [STMT_RULE_QUARTERS_SUM] =
        "INSERT INTO rule_runs (rule, site_id, exercised) "
        "SELECT ?1, site_id, sum(exercised) FROM temp.rule_counted GROUP BY site_id "
        "ON CONFLICT DO UPDATE SET exercised = excluded.exercised",

    /* lists */
    [STMT_EXCHANGES] =
        "SELECT " EXCHANGE_COLUMNS "FROM (SELECT y.id FROM exchanges y WHERE "
        "(?1 IS NULL OR y.site_id = (SELECT id FROM sites WHERE name = ?1)) "
        "AND (?2 IS NULL OR (SELECT s.name FROM operations o JOIN sessions s ON s.id = "
        "o.session_id WHERE o.id = y.id * 8) = ?2) "
        "AND (?3 IS NULL OR (SELECT u.name FROM operations o LEFT JOIN sessions s ON s.id = "
        "o.session_id JOIN users u ON u.id = coalesce(o.user_id, s.user_id) WHERE o.id = y.id * 8) "
        "= ?3) "
        "AND coalesce(y.request_at, y.response_at, 0) >= ?4 "
        "AND coalesce(y.request_at, y.response_at, 0) < ?5 "
        "AND (?6 < 0 OR (SELECT stream FROM streams t WHERE t.id = y.stream_id) = ?6) "
        "ORDER BY coalesce(y.request_at, y.response_at), y.id LIMIT ?7) k "
        "CROSS JOIN exchanges x ON x.id = k.id " EXCHANGE_JOINS,
    [STMT_EXCHANGE] =
        "SELECT " EXCHANGE_COLUMNS "FROM exchanges x " EXCHANGE_JOINS "WHERE x.id = ?1",
    [STMT_STORY_EXCHANGE] =
        "SELECT " EXCHANGE_COLUMNS "FROM exchanges x " EXCHANGE_JOINS "WHERE x.id = ?1",
    [STMT_FINDINGS] =
        "SELECT " FINDING_COLUMNS "FROM findings f " FINDING_JOINS
        "WHERE f.withdrawn_at IS NULL AND (?1 IS NULL OR si.name = ?1) "
        "AND (?2 IS NULL OR s.name = ?2) AND (?3 IS NULL OR u.name = ?3) "
        "AND f.at >= ?4 AND f.at < ?5 AND (?6 < 0 OR t.stream = ?6) "
        "AND (?8 IS NULL OR f.rule = ?8) AND (?9 IS NULL OR f.verdict = ?9) "
        "AND (?10 IS NULL OR " SEVERITY_RANK("f.severity") " >= " SEVERITY_RANK(
            "?10") ") "
                   "ORDER BY p.id IS NOT NULL, " SEVERITY_RANK("f.severity") " DESC, " VERDICT_RANK(
                       "f.verdict") " DESC, "
                                    "si.name, f.at, f.fingerprint LIMIT ?7",
    [STMT_FINDING] = "SELECT " FINDING_COLUMNS "FROM findings f " FINDING_JOINS "WHERE f.id = ?1",
    [STMT_FINDINGS_NEWEST] = "SELECT " FINDING_COLUMNS "FROM findings f " FINDING_JOINS
                             "WHERE f.withdrawn_at IS NULL AND p.id IS NULL "
                             "ORDER BY f.changed_import DESC, f.id DESC LIMIT ?1",
    [STMT_SESSIONS_RECENT] = /* what came in last has the highest ids */
    "SELECT count(DISTINCT session_id) FROM (SELECT session_id, start_at FROM operations "
    "ORDER BY id DESC LIMIT 100000) WHERE start_at >= ?1",
    [STMT_SUPPRESSIONS_DELETE] = "DELETE FROM suppressions",
    [STMT_SUPPRESSION_ADD] =
        "INSERT INTO suppressions (id, place, fingerprint, group_key, rule, site, method, path, "
        "reason, owner, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    [STMT_SUPPRESSIONS] =
        "SELECT p.place, p.reason, p.owner, p.expires_at, (SELECT count(*) FROM findings f "
        "LEFT JOIN sites si ON si.id = f.site_id LEFT JOIN exchanges x ON x.id = f.exchange_id "
        "LEFT JOIN endpoints e ON e.id = x.endpoint_id "
        "WHERE f.withdrawn_at IS NULL AND " SUPPRESSION_FITS "), "
        "coalesce(p.expires_at <= (SELECT max(last_at) FROM captures), 0) "
        "FROM suppressions p ORDER BY p.id",
    [STMT_EVIDENCE] =
        "SELECT v.role, v.exchange_id, c.path, t.stream, "
        "coalesce(x.request_frame, x.response_frame), coalesce(x.request_at, x.response_at), "
        "v.text "
        "FROM finding_evidence v LEFT JOIN exchanges x ON x.id = v.exchange_id "
        "LEFT JOIN streams t ON t.id = x.stream_id "
        "LEFT JOIN captures c ON c.id = coalesce(x.request_capture_id, x.response_capture_id) "
        "WHERE v.finding_id = ?1 ORDER BY v.position",
    [STMT_SESSIONS] =
        "SELECT " SESSION_COLUMNS "FROM (" SESSION_SUMS "WHERE session_id IS NOT NULL "
        "GROUP BY session_id) o CROSS JOIN sessions s ON s.id = o.session_id " SESSION_JOINS
        "WHERE (?1 IS NULL OR si.name = ?1) AND (?2 IS NULL OR s.name = ?2) "
        "AND (?3 IS NULL OR u.name = ?3) AND coalesce(o.last_at, 0) >= ?4 "
        "AND coalesce(o.first_at, 0) < ?5 AND (?6 < 0 OR EXISTS (SELECT 1 FROM operations p "
        "JOIN exchanges x ON x.id = p.exchange_id JOIN streams t ON t.id = x.stream_id "
        "WHERE p.session_id = s.id AND t.stream = ?6)) ORDER BY o.first_at, s.hash LIMIT ?7",
    [STMT_SESSION] = "SELECT " SESSION_COLUMNS "FROM sessions s " SESSION_JOINS
                     "CROSS JOIN (" SESSION_SUMS "WHERE session_id = ?1) o WHERE s.id = ?1",
    [STMT_SESSION_BY_NAME] =
        "SELECT id FROM sessions WHERE name = lower(?1) OR CAST(id AS TEXT) = ?1 ORDER BY "
        "(SELECT count(*) FROM operations o WHERE o.session_id = sessions.id) DESC, id LIMIT 1",
    [STMT_STORY] = "SELECT kind, start_at, end_at, exchange_id FROM operations "
                   "WHERE session_id = ?1 ORDER BY start_at, id",
    [STMT_STREAMS] =
        "SELECT t.id, c.path, t.stream, t.client, t.client_port, t.server, t.server_port, "
        "t.first_at, t.last_at, t.first_frame, coalesce(n.exchanges, 0), t.client_bytes, "
        "t.server_bytes, t.client_gap_bytes, t.server_gap_bytes, t.is_midstream, t.end "
        "FROM streams t JOIN captures c ON c.id = t.capture_id LEFT JOIN (SELECT stream_id, "
        "count(*) AS exchanges FROM exchanges GROUP BY stream_id) n ON n.stream_id = t.id "
        "WHERE (?1 IS NULL OR t.id IN (SELECT stream_id FROM exchanges WHERE site_id = "
        "(SELECT id FROM sites WHERE name = ?1))) "
        "AND (?2 IS NULL OR t.id IN (SELECT x.stream_id FROM sessions s JOIN operations o "
        "ON o.session_id = s.id JOIN exchanges x ON x.id = o.exchange_id WHERE s.name = ?2)) "
        "AND (?3 IS NULL OR t.id IN (SELECT x.stream_id FROM users u JOIN sessions s "
        "ON s.user_id = u.id JOIN operations o ON o.session_id = s.id "
        "JOIN exchanges x ON x.id = o.exchange_id WHERE u.name = ?3)) "
        "AND t.last_at >= ?4 AND t.first_at < ?5 AND (?6 < 0 OR t.stream = ?6) "
        "ORDER BY t.capture_id, t.stream LIMIT ?7",
    [STMT_ENDPOINTS] =
        "SELECT e.id, si.name, e.method, e.path, e.protection, "
        "(SELECT coalesce(sum(n.exchanges), 0) FROM endpoint_status n WHERE n.endpoint_id = e.id), "
        "e.granted_live, e.granted_without, e.denied_without, e.denied_other, "
        "e.granted_live_exchange_id, e.denied_without_exchange_id, "
        "(SELECT group_concat(w.word, ' ') FROM (SELECT "
        "CASE n.status WHEN 0 THEN 'none' ELSE n.status END || ':' || sum(n.exchanges) AS word "
        "FROM endpoint_status n WHERE n.endpoint_id = e.id GROUP BY n.status ORDER BY n.status) "
        "w), "
        "e.declared, e.granted_without_exchange_id, " ENDPOINT_EXAMPLES
        ", (SELECT min(d.what) FROM decisions d WHERE d.site_id = e.site_id AND d.what IN "
        "('login', 'logout') AND d.value = e.method || ' ' || e.path) "
        "FROM endpoints e JOIN sites si ON si.id = e.site_id WHERE (?1 IS NULL OR si.name = ?1) "
        "ORDER BY si.name, e.path, e.method LIMIT ?7",
    [STMT_CAPTURES] =
        "SELECT c.id, c.path, c.is_pcapng, c.packing, c.link_name, c.size_bytes, c.frames, "
        "c.first_at, c.last_at, c.exchanges, c.cut_frames, c.dropped_frames, "
        "c.clock_doubt, c.error_text, c.time_source, c.comments FROM captures c "
        "WHERE coalesce(c.last_at, 0) >= ?4 AND coalesce(c.first_at, 0) < ?5 "
        "ORDER BY c.id LIMIT ?7",
    [STMT_LOSSES] =
        "WITH places (server, server_port) AS MATERIALIZED (SELECT DISTINCT server, server_port "
        "FROM streams WHERE ?1 IS NOT NULL AND id IN (SELECT stream_id FROM exchanges "
        "WHERE site_id = (SELECT id FROM sites WHERE name = ?1))) "
        "SELECT l.id, l.kind, c.path, coalesce(t.stream, -1), l.server, l.server_port, l.from_at, "
        "l.to_at, l.bytes, l.count, l.hides_exchanges FROM loss l "
        "JOIN captures c ON c.id = l.capture_id LEFT JOIN streams t ON t.id = l.stream_id "
        "WHERE (l.to_at IS NULL OR l.to_at >= ?4) AND (l.from_at IS NULL OR l.from_at < ?5) "
        "AND (?1 IS NULL OR l.server IS NULL OR (l.server, l.server_port) IN places) "
        "AND (?6 < 0 OR t.stream = ?6) ORDER BY l.from_at, l.id LIMIT ?7",
    [STMT_CUT_EXCHANGE] =
        "SELECT x.ordinal, c.import, t.id, t.capture_id, t.stream, t.first_at, t.last_at, "
        "x.request_capture_id, x.request_frame, x.response_capture_id, x.response_frame, "
        "x.method, x.target, x.status, t.client, t.client_port, t.server, t.server_port "
        "FROM exchanges x JOIN streams t ON t.id = x.stream_id "
        "JOIN captures c ON c.id = t.capture_id WHERE x.id = ?1",
    [STMT_CUT_SESSION] = "SELECT session_id, at FROM findings WHERE id = ?1",
    [STMT_CUT_BOUNDS] = "SELECT exchange_id, kind, start_at FROM operations WHERE session_id = ?1 "
                        "AND kind IN (?2, ?3) ORDER BY start_at, id",
    [STMT_CUT_CAPTURES] = "SELECT id, path, frames, first_at, last_at, clock_doubt, head "
                          "FROM captures WHERE import = ?1 ORDER BY id",
    [STMT_CUT_BEFORE] = /* as STMT_JOIN_FIND; most of the streams are left out before they are
                           joined */
    "WITH after AS MATERIALIZED (SELECT * FROM streams WHERE id IN (SELECT value FROM "
    "json_each(?1)) AND begin_numbers IS NOT NULL) "
    "SELECT p.id, m.id FROM streams p CROSS JOIN after m ON m.begin_numbers = p.end_numbers "
    "AND m.client_port = p.client_port AND m.client = p.client AND m.server = p.server "
    "AND m.server_port = p.server_port WHERE p.end_numbers IN (SELECT begin_numbers FROM after) "
    "AND p.id <> m.id AND p.last_at <= m.first_at "
    "ORDER BY p.id, m.id",
    [STMT_CUT_OPENING] =
        "SELECT c.import, t.capture_id, t.stream, t.first_at, t.last_at, t.client, t.client_port, "
        "t.server, t.server_port FROM streams t JOIN captures c ON c.id = t.capture_id "
        "WHERE t.id = ?1",
    [STMT_DECISIONS] = "SELECT si.name, d.what, d.value, d.reason, d.from_profile FROM decisions d "
                       "JOIN sites si ON si.id = d.site_id WHERE (?1 IS NULL OR si.name = ?1) "
                       "ORDER BY si.name, d.id LIMIT ?7",
    [STMT_SESSION_COUNT] = "SELECT count(*) FROM sessions",
    [STMT_RULE_RUNS] =
        "SELECT r.rule, sum(r.exercised), (SELECT count(*) FROM findings f WHERE f.rule = r.rule "
        "AND f.withdrawn_at IS NULL) FROM rule_runs r GROUP BY r.rule ORDER BY r.rule",
    [STMT_SCOPE_RULE_RUNS] = /* NULL: it occurred, but the rule does not tell where or when */
    "SELECT r.rule, CASE WHEN sum(r.exercised) = 0 THEN 0 "
    "WHEN ?1 IS NOT NULL AND max(r.site_id = 0 AND r.exercised > 0) THEN NULL "
    "WHEN ?4 IS NULL AND ?5 IS NULL THEN sum(r.exercised) "
    "WHEN NOT EXISTS (SELECT 1 FROM rule_quarters q WHERE q.rule = r.rule) THEN NULL "
    "ELSE (SELECT coalesce(sum(q.exercised), 0) FROM rule_quarters q WHERE q.rule = r.rule "
    "AND (?1 IS NULL OR q.site_id = (SELECT id FROM sites WHERE name = ?1)) "
    "AND (?4 IS NULL OR q.quarter >= ?4) AND (?5 IS NULL OR q.quarter < ?5)) END "
    "FROM rule_runs r WHERE ?1 IS NULL OR r.site_id IN (0, (SELECT id FROM sites WHERE name = "
    "?1)) GROUP BY r.rule ORDER BY r.rule",

    /* reports: quarters from ?4 to ?5, except where times are compared */
    [STMT_SITE_NAMES] = "SELECT name FROM sites ORDER BY name",
    [STMT_SCOPE_COUNTS] =
        "SELECT coalesce(sum(q.exchanges), 0), count(DISTINCT e.site_id) FROM endpoint_status q "
        "JOIN endpoints e ON e.id = q.endpoint_id WHERE q.quarter >= ?4 AND q.quarter < ?5 "
        "AND (?1 IS NULL OR e.site_id = (SELECT id FROM sites WHERE name = ?1))",
    [STMT_SCOPE_SESSIONS] =
        "SELECT count(*) FROM sessions s WHERE (?1 IS NULL OR s.carrier_id IN (SELECT id FROM "
        "carriers WHERE site_id = (SELECT id FROM sites WHERE name = ?1))) "
        "AND EXISTS (SELECT 1 FROM operations o WHERE o.session_id = s.id "
        "AND o.start_at >= ?4 AND o.start_at < ?5)",
    [STMT_SCOPE_STATUSES] =
        "SELECT si.name, e.method, e.path, e.protection, q.status, sum(q.exchanges) "
        "FROM endpoint_status q JOIN endpoints e ON e.id = q.endpoint_id "
        "JOIN sites si ON si.id = e.site_id WHERE q.quarter >= ?4 AND q.quarter < ?5 "
        "AND (?1 IS NULL OR si.name = ?1) GROUP BY e.id, q.status "
        "ORDER BY si.name, e.path, e.method, q.status",
    [STMT_SCOPE_TRAFFIC] =
        "SELECT q.quarter, sum(q.exchanges) FROM endpoint_status q "
        "JOIN endpoints e ON e.id = q.endpoint_id WHERE q.quarter >= ?4 AND q.quarter < ?5 "
        "AND (?1 IS NULL OR e.site_id = (SELECT id FROM sites WHERE name = ?1)) "
        "GROUP BY q.quarter ORDER BY q.quarter",
    [STMT_TREND_TRAFFIC] = /* and of quarters that were let go; where they are back, not twice */
    "SELECT quarter, sum(CASE WHEN (quarter + 1) * 900000000000 <= (SELECT value FROM meta "
    "WHERE name = 'pruned_before') THEN max(here, past) ELSE here + past END) FROM ("
    "SELECT site, quarter, sum(here) AS here, sum(past) AS past FROM ("
    "SELECT si.name AS site, q.quarter AS quarter, q.exchanges AS here, 0 AS past "
    "FROM endpoint_status q JOIN endpoints e ON e.id = q.endpoint_id "
    "JOIN sites si ON si.id = e.site_id WHERE q.quarter >= ?4 AND q.quarter < ?5 "
    "AND (?1 IS NULL OR si.name = ?1) UNION ALL SELECT p.site, p.quarter, 0, p.exchanges "
    "FROM past_traffic p WHERE p.quarter >= ?4 AND p.quarter < ?5 "
    "AND (?1 IS NULL OR p.site = ?1)) GROUP BY site, quarter) GROUP BY quarter ORDER BY quarter",
    [STMT_SCOPE_LOGINS] =
        "SELECT l.quarter, l.outcome, l.has_token, sum(l.logins) FROM login_counts l "
        "WHERE l.quarter >= ?4 AND l.quarter < ?5 "
        "AND (?1 IS NULL OR l.site_id = (SELECT id FROM sites WHERE name = ?1)) "
        "GROUP BY l.quarter, l.outcome, l.has_token ORDER BY l.quarter, l.outcome, l.has_token",
    [STMT_SCOPE_FINDINGS] = /* what read_findings() gives, without its evidence; times */
    "SELECT f.at, f.rule, f.severity, f.verdict, si.name, e.method || ' ' || e.path, f.group_key, "
    "f.summary, p.id IS NOT NULL, 1, f.fingerprint FROM findings f " FINDING_JOINS
    "WHERE f.withdrawn_at IS NULL AND NOT EXISTS (SELECT 1 FROM past_findings h "
    "WHERE h.group_key = f.group_key AND h.quarter = f.at / 900000000000 AND f.at <= h.last_at) "
    "AND (?1 IS NULL OR si.name = ?1) AND f.at >= ?4 AND f.at < ?5 "
    "AND (?10 IS NULL OR " SEVERITY_RANK("f.severity") " >= " SEVERITY_RANK(
        "?10") ") "
               /* and what is left of older ones */
               "UNION ALL SELECT h.last_at, h.rule, h.severity, h.verdict, h.site, h.endpoint, "
               "h.group_key, 'its findings were let go', h.suppressed, h.findings, h.group_key "
               "FROM past_findings h WHERE (?1 IS NULL OR h.site = ?1) AND h.last_at >= ?4 "
               "AND h.last_at < ?5 AND (?10 IS NULL OR " SEVERITY_RANK(
                   "h.severity") " >= " SEVERITY_RANK("?10") ") ORDER BY 1, 11",
    [STMT_PROBLEMS_KNOWN] = "SELECT group_key, min(at) FROM (SELECT group_key, at FROM findings "
                            "WHERE withdrawn_at IS NULL UNION ALL SELECT group_key, first_at "
                            "FROM past_findings) GROUP BY group_key ORDER BY group_key",
    [STMT_SCOPE_BEHIND] = /* what a whole look read last is known where it could be kept */
    "SELECT EXISTS (SELECT 1 FROM sites s LEFT JOIN learning l ON l.site_id = s.id "
    "WHERE (s.is_changed OR s.is_rule_due) AND (?1 IS NULL OR s.name = ?1) AND (?7 OR EXISTS "
    "(SELECT 1 FROM exchanges x WHERE x.site_id = s.id AND x.id > CASE WHEN s.is_rule_due THEN 0 "
    "ELSE coalesce(l.last_exchange, 0) END AND coalesce(x.request_at, x.response_at) >= ?4 "
    "AND coalesce(x.request_at, x.response_at) < ?5)))",
    [STMT_SCOPE_WINDOWS] = /* sessions with findings or with a denial between grants; times */
    "WITH chosen (id) AS (SELECT session_id FROM findings WHERE withdrawn_at IS NULL "
    "AND session_id IS NOT NULL AND at >= ?4 AND at < ?5 UNION SELECT session_id FROM operations "
    "WHERE granted_before_id IS NOT NULL), "
    "steps AS (SELECT o.session_id, o.id, o.kind, o.start_at, lag(o.id) OVER w AS before_id, "
    "lag(o.kind) OVER w AS before_kind, lag(o.start_at) OVER w AS before_at FROM chosen c "
    "CROSS JOIN operations o ON o.session_id = c.id LEFT JOIN endpoints p ON p.id = o.endpoint_id "
    "WHERE o.kind = 6 OR (o.kind = 5 AND p.protection IS NOT 2) " /* public pages grant nothing */
    "WINDOW w AS (PARTITION BY o.session_id ORDER BY o.start_at, o.id)) "
    "SELECT s.name, si.name, eb.method || ' ' || eb.path, xb.status, xb.request_frame, "
    "steps.before_at, e.method || ' ' || e.path, x.status, x.request_frame, steps.start_at, "
    "c.path, t.stream FROM steps JOIN exchanges x ON x.id = steps.id >> 3 "
    "JOIN exchanges xb ON xb.id = steps.before_id >> 3 "
    "JOIN sites si ON si.id = x.site_id JOIN sessions s ON s.id = steps.session_id "
    "LEFT JOIN endpoints e ON e.id = x.endpoint_id LEFT JOIN endpoints eb ON eb.id = "
    "xb.endpoint_id LEFT JOIN streams t ON t.id = x.stream_id "
    "LEFT JOIN captures c ON c.id = x.request_capture_id "
    "WHERE steps.kind <> steps.before_kind AND xb.status IS NOT x.status "
    "AND steps.start_at - steps.before_at < 1000000000 "
    "AND steps.start_at >= ?4 AND steps.start_at < ?5 AND (?1 IS NULL OR si.name = ?1) "
    "ORDER BY steps.start_at - steps.before_at, steps.start_at, s.hash LIMIT ?7",
    [STMT_FINDING_SPAN] = /* the login before it, and the logout after that login */
    "WITH f AS (SELECT f.at, coalesce(f.session_id, o.session_id) AS session_id FROM findings f "
    "LEFT JOIN operations o ON o.id = f.exchange_id * 8 WHERE f.id = ?1), "
    "i AS (SELECT (SELECT o.id FROM operations o WHERE o.session_id = f.session_id "
    "AND o.kind = 1 AND o.start_at <= f.at ORDER BY o.start_at DESC, o.id DESC LIMIT 1) AS id "
    "FROM f) "
    "SELECT i.id >> 3, i.start_at, i.end_at, u.id >> 3, u.start_at, u.end_at FROM f "
    "LEFT JOIN operations i ON i.id = (SELECT id FROM i) "
    "LEFT JOIN operations u ON u.id = (SELECT o.id FROM operations o "
    "WHERE o.session_id = f.session_id AND o.kind = 7 AND o.start_at >= coalesce(i.start_at, 0) "
    "ORDER BY o.start_at, o.id LIMIT 1) WHERE f.session_id IS NOT NULL",

    /* care */
    [STMT_PRUNE_COLLECT] =
        "INSERT INTO temp.forgotten (id) SELECT id FROM exchanges x WHERE " LAST_BYTE_AT " < ?1",
    [STMT_PRUNE_KEEP_PAST] = /* those before last_at are there already: of captures read again */
    "INSERT INTO past_findings (group_key, quarter, rule, severity, verdict, site, endpoint, "
    "suppressed, findings, first_at, last_at) "
    "SELECT f.group_key, f.at / 900000000000 AS quarter, f.rule, f.severity, f.verdict, si.name, "
    "e.method || ' ' || e.path, min(p.id IS NOT NULL), count(*), min(f.at), max(f.at) "
    "FROM findings f " FINDING_JOINS "LEFT JOIN past_findings h ON h.group_key = f.group_key "
    "AND h.quarter = f.at / 900000000000 WHERE f.at < ?1 AND f.withdrawn_at IS NULL "
    "AND (h.last_at IS NULL OR f.at > h.last_at) GROUP BY f.group_key, f.at / 900000000000 "
    "ON CONFLICT DO UPDATE SET findings = findings + excluded.findings, "
    "suppressed = min(suppressed, excluded.suppressed), last_at = excluded.last_at",
    [STMT_PRUNE_PAST] = "DELETE FROM past_findings WHERE last_at < ?1 - 400 * 86400 * 1000000000",
    [STMT_PRUNE_KEEP_TRAFFIC] =
        "INSERT INTO past_traffic (site, quarter, exchanges) " FORGOTTEN_TRAFFIC
        " >= coalesce((SELECT value FROM meta WHERE name = 'pruned_before'), " LAST_BYTE_AT ") "
        "GROUP BY 1, 2 ON CONFLICT DO UPDATE SET exchanges = exchanges + excluded.exchanges",
    [STMT_PRUNE_KEEP_AGAIN] = /* of captures read again: they were counted then */
    "INSERT INTO past_traffic (site, quarter, exchanges) " FORGOTTEN_TRAFFIC
    " < (SELECT value FROM meta WHERE name = 'pruned_before') GROUP BY 1, 2 "
    "ON CONFLICT DO UPDATE SET exchanges = max(exchanges, excluded.exchanges)",
    [STMT_PRUNE_CUT_STATUS] = /* the quarter hour of which a part stays */
    "UPDATE endpoint_status AS q SET exchanges = q.exchanges - n.gone FROM ("
    "SELECT x.endpoint_id AS endpoint_id, coalesce(x.status, 0) AS status, count(*) AS gone "
    "FROM temp.forgotten g CROSS JOIN exchanges x ON x.id = g.id WHERE x.endpoint_id IS NOT NULL "
    "AND coalesce(x.request_at, x.response_at) / 900000000000 = ?1 / 900000000000 "
    "GROUP BY 1, 2) n WHERE q.endpoint_id = n.endpoint_id AND q.status = n.status "
    "AND q.quarter = ?1 / 900000000000",
    [STMT_PRUNE_TRAFFIC] = "DELETE FROM past_traffic WHERE quarter < ?1 / 900000000000 - 31 * 96",
    [STMT_PRUNE_EVIDENCE] = "DELETE FROM finding_evidence WHERE finding_id IN "
                            "(SELECT id FROM findings WHERE at < ?1)",
    [STMT_PRUNE_ALERTS] =
        "DELETE FROM alerts WHERE finding_id IN (SELECT id FROM findings WHERE at < ?1)",
    [STMT_PRUNE_FINDINGS] = "DELETE FROM findings WHERE at < ?1",
    [STMT_PRUNE_LOSS] = "DELETE FROM loss WHERE to_at < ?1",
    [STMT_PRUNE_REFUSALS] = "DELETE FROM refusals WHERE last_at < ?1",
    [STMT_PRUNE_STATUS] = "DELETE FROM endpoint_status WHERE (quarter + 1) * 900000000000 <= ?1 "
                          "OR exchanges <= 0",
    [STMT_PRUNE_LOGINS] = "DELETE FROM login_counts WHERE (quarter + 1) * 900000000000 <= ?1",
    [STMT_PRUNE_OFTEN] = "DELETE FROM endpoint_often WHERE (quarter + 1) * 900000000000 <= ?1",
    [STMT_PRUNE_RULE_RUNS] =
        "UPDATE rule_runs SET exercised = exercised - coalesce((SELECT sum(q.exercised) "
        "FROM rule_quarters q WHERE q.rule = rule_runs.rule AND q.site_id = rule_runs.site_id "
        "AND (q.quarter + 1) * 900000000000 <= ?1), 0)",
    [STMT_PRUNE_RULE_QUARTERS] =
        "DELETE FROM rule_quarters WHERE (quarter + 1) * 900000000000 <= ?1",
    [STMT_PRUNE_CAPTURES] =
        "DELETE FROM captures WHERE coalesce(last_at, 0) < ?1 "
        "AND id NOT IN (SELECT request_capture_id FROM exchanges WHERE request_capture_id IS NOT "
        "NULL UNION ALL SELECT response_capture_id FROM exchanges WHERE response_capture_id IS NOT "
        "NULL UNION ALL SELECT capture_id FROM streams UNION ALL SELECT capture_id FROM loss)",
    [STMT_PRUNE_REMEMBER] = "INSERT INTO meta (name, value) VALUES ('pruned_before', ?1) "
                            "ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
};

const char *stmt_sql(enum stmt_id id)
{
    return statements[id];
}
