/*
id: header-leak
title: An answer carries a field that belongs to another exchange
severity: high
meaning: >
  The answer repeats the id of a request that somebody else sent, or sets the session cookie that another
  session was given. What is left in the fields of an answer was written for another request. Where it is an id,
  logs and traces of two users are mixed up; where it is the session cookie, one user goes on as the other.
cause: >
  An object that is kept for the next request (a pooled context, a map of fields, a buffer) goes back to
  its pool without being emptied, or while it is still in use; a field of a handler or a package-level variable that
  each request overwrites; a goroutine that writes into the fields of an answer whose handler has returned.
confirm: >
  Send requests with and without an id in parallel and compare what comes back. Look at sync.Pool and at what is reset
  before Put and after Get, at maps of fields that are cloned by reference, and at middleware that keeps the id in a
  field of its own struct. Run the server with the race detector (go test -race, go run -race).
repair: >
  Make the fields of each answer anew, or empty them before an object is used again; put an object back only when nobody
  uses it any more; carry the id in the request's context.
lookalikes: >
  Ids that the server makes, also where a client takes them over afterwards; ids that several requests send (a trace of
  a whole page, a retry, one id for a batch); ids that a proxy adds to what it forwards; an id in the request's target
  or content (of a job, say); answers from a cache. Cookies: a session of the same user, a rotation that
  two requests see at once, one name on two paths.
silence: >
  The id in the request itself or in several others; a field that neither rules/lists/request-ids nor the profile's
  request_id names.
references: CWE-362 Race Condition, CWE-488 Exposure of Data Element to Wrong Session, CWE-226
*/

-- Ids that answers had and their requests did not send.
WITH strange AS MATERIALIZED (
    SELECT m.value
    FROM glance_facts g
    CROSS JOIN mark_facts m ON m.mark_id >= g.since_id * 32
    WHERE +m.kind = 21
    UNION
    SELECT m.value
    FROM (SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM glance_facts))
    CROSS JOIN mark_facts m
    WHERE m.kind = 21
),
-- Those answers, and who sent the ids: where they are few.
pairs AS MATERIALIZED (
    SELECT a.exchange_id, a.value, a.text AS field, s.exchange_id AS sender_id
    FROM strange i
    CROSS JOIN mark_facts a ON a.kind = 21 AND a.value = i.value
    CROSS JOIN mark_facts s ON s.kind = 20 AND s.value = a.value
    WHERE true
      AND (SELECT count(*) FROM (SELECT 1 FROM mark_facts m WHERE m.kind = 20 AND m.value = a.value LIMIT 9)) < 9
),
-- Ids that an answer of the site carried before they were sent are the server's.
answered AS MATERIALIZED (
    SELECT p.value, x.site_id, min(x.response_at) AS first_at
    FROM (SELECT DISTINCT exchange_id, value FROM pairs) p
    CROSS JOIN exchange_facts x ON x.exchange_id = p.exchange_id
    GROUP BY p.value, x.site_id
),
told AS MATERIALIZED (
    SELECT x.exchange_id, p.value, p.field, x.site_id, x.method, x.path, x.target, x.status, x.request_at,
           x.response_at, x.response_bytes, x.server, x.server_port,
           y.exchange_id AS sender_id, y.method AS sender_method, y.path AS sender_path, y.target AS sender_target,
           y.status AS sender_status, y.request_at AS sent_at, y.response_end_at AS sender_end_at,
           y.response_bytes AS sender_bytes,
           y.server = x.server AND y.server_port = x.server_port AS same_server,
           x.pairing = 'resynchronised' AS pairing_doubt
    FROM pairs p
    CROSS JOIN exchange_facts x ON x.exchange_id = p.exchange_id
    CROSS JOIN exchange_facts y ON y.exchange_id = p.sender_id AND y.site_id = x.site_id
    CROSS JOIN answered a ON a.value = p.value AND a.site_id = x.site_id AND a.first_at >= y.request_at
    WHERE NOT x.is_cached
      AND y.request_at < x.response_at
      -- What the server asked of itself on behalf of this request.
      AND NOT (y.client = x.server AND x.client != x.server AND y.request_at >= x.request_at)
),
-- One request sent it to this server; to others only its own copy went, as a proxy forwards it.
leaked AS MATERIALIZED (
    SELECT t.*,
           t.method IN ('GET', 'HEAD') AND t.target = t.sender_target AND t.status IS t.sender_status
               AND t.response_bytes IS t.sender_bytes AS like_sender
    FROM told t
    WHERE t.same_server
      AND NOT EXISTS (SELECT 1 FROM told o
                      WHERE o.exchange_id = t.exchange_id AND o.value = t.value AND o.sender_id != t.sender_id
                        AND (o.same_server
                             OR NOT ((o.sent_at >= t.sent_at AND o.sent_at <= coalesce(t.sender_end_at, o.sent_at))
                                     OR (o.sent_at <= t.sent_at
                                         AND coalesce(o.sender_end_at, t.sent_at) >= t.sent_at))))
),
ids AS (
    SELECT l.*,
           -- A cache would hand out the first answer's id with every copy, and nowhere else.
           min(like_sender) OVER (PARTITION BY value, site_id) AS cache_doubt,
           EXISTS (SELECT 1 FROM loss_span_facts d
                   WHERE (d.server IS NULL OR (d.server = l.server AND d.server_port = l.server_port))
                     AND d.from_at <= l.response_at) AS loss_doubt,
           row_number() OVER (PARTITION BY exchange_id ORDER BY sent_at DESC, sender_id) AS place
    FROM leaked l
),
-- Of two values that an answer sets for one cookie a mark tells the first; the last is the token given.
doubled AS MATERIALIZED (
    SELECT DISTINCT m.exchange_id, m.text AS digest FROM mark_facts m WHERE m.kind = 40
),
known AS MATERIALIZED (
    SELECT d.session_id, d.site_id, d.digest
    FROM (SELECT 1 FROM doubled LIMIT 1)
    CROSS JOIN token_digests d
    WHERE d.digest IN (SELECT digest FROM doubled)
),
-- Tokens that more than one answer gave, or that were given beside another one.
repeated AS MATERIALIZED (
    SELECT h.session_id
    FROM glance_facts
    CROSS JOIN asked_sessions a
    CROSS JOIN session_steps h ON h.session_id = a.session_id
    WHERE h.may_begin
    GROUP BY h.session_id HAVING count(*) > 1
    UNION
    SELECT session_id
    FROM (SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM glance_facts))
    CROSS JOIN session_steps
    WHERE may_begin
    GROUP BY session_id HAVING count(*) > 1
    UNION SELECT session_id FROM known
),
gifts AS MATERIALIZED (
    SELECT h.session_id, h.exchange_id
    FROM repeated r
    CROSS JOIN session_history h ON h.session_id = r.session_id
    CROSS JOIN token_facts t ON t.token_id BETWEEN h.exchange_id * 16 AND h.exchange_id * 16 + 15
    WHERE h.kind IN ('login', 'possible login', 'issued') AND t.set_session_id = h.session_id AND t.is_new
      AND t.carrier = 'cookie'
    UNION SELECT k.session_id, d.exchange_id
    FROM doubled d
    CROSS JOIN exchange_facts x ON x.exchange_id = d.exchange_id
    CROSS JOIN known k ON k.digest = d.digest AND k.site_id = x.site_id
    WHERE NOT EXISTS (SELECT 1 FROM token_facts t
                      WHERE t.token_id BETWEEN d.exchange_id * 16 AND d.exchange_id * 16 + 15
                        AND t.sent_session_id = k.session_id)
),
given AS MATERIALIZED (
    SELECT g.session_id, x.exchange_id, x.site_id, x.method, x.path, x.status, x.request_at, x.response_at,
           x.response_end_at, x.role = 'login' AND x.outcome = 'success' AS is_login,
           -- Nothing that could tell the server which session is meant: a code, a link of one's own.
           instr(x.target, '?') = 0 AND instr(x.path, '{') = 0 AND x.request_bytes = 0 AS says_nothing,
           x.client, x.agent, x.is_forwarded, x.server, x.server_port, x.pairing = 'resynchronised' AS pairing_doubt,
           x.exchange_id IN (SELECT exchange_id FROM doubled) AS is_doubled,
           (SELECT t.sent_session_id FROM token_facts t
            WHERE t.token_id BETWEEN x.exchange_id * 16 AND x.exchange_id * 16 + 15
              AND t.sent_session_id IS NOT NULL ORDER BY t.token_id LIMIT 1) AS carried_id
    FROM gifts g
    CROSS JOIN exchange_facts x ON x.exchange_id = g.exchange_id
    WHERE x.response_at IS NOT NULL
),
owned AS (
    SELECT g.*,
           (SELECT h.user_id FROM session_history h WHERE h.session_id = g.session_id LIMIT 1) AS owner_id,
           (SELECT h.user FROM session_history h WHERE h.session_id = g.session_id LIMIT 1) AS owner,
           (SELECT h.user_id FROM session_history h WHERE h.session_id = g.carried_id LIMIT 1) AS user_id
    FROM given g
),
-- Those that may tell whose it is: the first few of each session.
givers AS MATERIALIZED (
    SELECT *
    FROM (SELECT g.*, row_number() OVER (PARTITION BY session_id, is_doubled
                                         ORDER BY is_login DESC, request_at, exchange_id) AS place
          FROM given g)
    WHERE place <= 32
),
-- Whose it is: another answer gave it, and alone. Of two answers that gave it beside another one the later.
cookies AS (
    SELECT x.*, y.exchange_id AS other_id, y.method AS other_method, y.path AS other_path, y.status AS other_status,
           CASE WHEN x.is_doubled OR x.user_id != x.owner_id THEN 1 ELSE 0 END AS is_sure,
           row_number() OVER (PARTITION BY x.exchange_id ORDER BY y.is_login DESC, y.request_at, y.exchange_id) AS place
    FROM owned x
    CROSS JOIN givers y ON y.session_id = x.session_id AND y.exchange_id != x.exchange_id
    WHERE NOT EXISTS (SELECT 1 FROM token_facts t, token_facts u
                      WHERE t.token_id BETWEEN x.exchange_id * 16 AND x.exchange_id * 16 + 15
                        AND u.token_id BETWEEN y.exchange_id * 16 AND y.exchange_id * 16 + 15
                        AND t.sent_session_id = u.sent_session_id)
      AND CASE WHEN x.is_doubled
               THEN NOT y.is_doubled OR (y.request_at, y.exchange_id) < (x.request_at, x.exchange_id)
               WHEN y.is_doubled OR x.is_login OR x.owner_id IS NULL OR y.request_at >= x.response_at THEN 0
               WHEN x.user_id IS NOT NULL THEN x.user_id != x.owner_id
               ELSE x.carried_id IS NULL AND x.says_nothing AND NOT x.is_forwarded AND NOT y.is_forwarded
                    AND x.client != y.client AND x.agent != y.agent END
)
SELECT exchange_id, session_id, site_id, at, verdict, summary, caveats, evidence
FROM (
    SELECT exchange_id, NULL AS session_id, site_id, request_at AS at,
           CASE WHEN cache_doubt THEN 'suspect' WHEN loss_doubt OR pairing_doubt THEN 'contradiction' ELSE 'proven' END
               AS verdict,
           printf('%s %s was answered %d with a request id (%s) that it did not send: the id of %s %s, sent %s',
                  method, path, status, field, sender_method, sender_path,
                  CASE WHEN sent_at >= request_at THEN 'while it was going on'
                       WHEN request_at - sent_at < 1000000
                       THEN printf('%.0f µs before', (request_at - sent_at) / 1e3)
                       WHEN request_at - sent_at < 1000000000
                       THEN printf('%.1f ms before', (request_at - sent_at) / 1e6)
                       ELSE printf('%.1f s before', (request_at - sent_at) / 1e9) END) AS summary,
           (SELECT json_group_array(text) FROM (
                SELECT 'It is an equal answer to the same target: a cache that keeps the fields of answers gives the id of the request that filled it.' AS text
                       WHERE cache_doubt
                UNION ALL SELECT 'The capture lost bytes before the answer that may hide another request with this id.'
                       WHERE loss_doubt
                UNION ALL SELECT 'After a loss it is not certain which request was answered by which response.'
                       WHERE pairing_doubt)) AS caveats,
           json_array(
                json_object('role', 'access', 'exchange_id', sender_id,
                            'text', printf('%s %s sent the id, and no other request did', sender_method, sender_path)),
                json_object('role', 'access', 'exchange_id', exchange_id,
                            'text', printf('%s %s answered %d with that id in %s, and did not send it', method, path,
                                           status, field))) AS evidence
    FROM ids
    WHERE place = 1
    UNION ALL
    SELECT exchange_id, session_id, site_id, request_at,
           CASE WHEN NOT is_sure THEN 'suspect' WHEN pairing_doubt THEN 'contradiction' ELSE 'proven' END,
           printf('%s %s was answered %d with the session cookie of another session%s%s', method, path, status,
                  CASE WHEN owner IS NOT NULL THEN printf(', that of %s', owner) ELSE '' END,
                  CASE WHEN is_doubled THEN ', beside one of its own' ELSE '' END),
           (SELECT json_group_array(text) FROM (
                SELECT 'The request named no session: the site may hand a session from one program of a user to another.' AS text
                       WHERE NOT is_sure
                UNION ALL SELECT 'After a loss it is not certain which request was answered by which response.'
                       WHERE pairing_doubt)),
           json_array(
                json_object('role', 'login', 'exchange_id', other_id,
                            'text', printf('%s %s answered %d: the token is given', other_method, other_path,
                                           other_status)),
                json_object('role', 'access', 'exchange_id', exchange_id,
                            'text', printf('%s %s answered %d: the same token is given again', method, path, status)))
    FROM cookies
    WHERE place = 1 AND exchange_id NOT IN (SELECT exchange_id FROM ids)
)
ORDER BY at, exchange_id;

-- Requests that sent an id, answers that carry an id or two values of a cookie, and those that gave a token which
-- another one gave as well.
SELECT site_id, quarter, count(DISTINCT exchange_id) AS exercised
FROM (SELECT x.site_id, coalesce(x.request_at, x.response_at) / 900000000000 AS quarter, m.exchange_id
      FROM mark_facts m
      CROSS JOIN exchange_facts x ON x.exchange_id = m.exchange_id
      WHERE m.kind IN (20, 40)
      UNION ALL
      SELECT o.site_id, o.start_at / 900000000000, o.exchange_id
      FROM (SELECT session_id FROM session_steps WHERE may_begin GROUP BY session_id HAVING count(*) > 1) r
      CROSS JOIN session_steps o ON o.session_id = r.session_id
      WHERE o.may_begin)
GROUP BY site_id, quarter;
