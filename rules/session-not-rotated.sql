/*
id: session-not-rotated
title: A login keeps the token that was there before it
severity: medium
meaning: >
  The token that the browser held before the login is the one that is signed in after it. Whoever knew that token
  before (because they planted it through a link, a subdomain or a shared computer, or read it on an unencrypted
  page) is signed in as the user from the login on.
cause: >
  The login marks the visitor's session as signed in and does not give it a new identifier; or the change of
  the identifier is made in a copy of the session, in a goroutine, or after the header was written, and is lost.
confirm: >
  Open the site without cookies, note the session cookie, log in, and compare. Use the noted cookie on a
  protected page after the login. If only some logins keep it, run the server with the race detector (go test
  -race, go run -race) and log in in parallel.
repair: >
  Make a new identifier at every change of rights (login, logout, step-up), move what has to be kept, and delete the old
  one, as one step under the lock of the session store.
lookalikes: >
  Bearer tokens and other tokens that a browser does not send by itself; a login again within a session that is live
  already, or was until it expired or was locked (a denial without a logout), by the same user; a login that gives a
  new token.
silence: >
  A new token in the login's answer, a grant before it in the same life of the session, or no grant after it.
references: CWE-384 Session Fixation
*/

-- Logins that succeeded with a token in the request and gave no other one.
WITH kept AS MATERIALIZED (
    SELECT f.exchange_id, f.site_id, f.method, f.path, f.status, f.start_at, f.end_at, f.is_resynchronised, f.user_id,
           t.sent_session_id AS session_id, t.name
    FROM asked_logins f
    CROSS JOIN token_facts t ON t.token_id BETWEEN f.exchange_id * 16 AND f.exchange_id * 16 + 15
    WHERE f.outcome = 'success' AND f.end_at IS NOT NULL
      AND f.had_token AND f.response_whole
      AND t.carrier IN ('cookie', 'path') AND t.sent_session_id IS NOT NULL
      AND NOT t.is_new AND NOT t.is_deleted
),
-- What that session was before: not signed in.
begun AS MATERIALIZED (
    SELECT k.*,
           (SELECT h.operation_id FROM session_history h
            WHERE h.session_id = k.session_id AND h.start_at < k.start_at AND h.exchange_id != k.exchange_id
              AND (h.kind IN ('issued', 'denied', 'logout', 'login', 'possible login')
                   OR (h.kind = 'granted' AND h.protection != 'public'))
            ORDER BY h.start_at DESC, h.operation_id DESC LIMIT 1) AS before_id
    FROM kept k
),
visiting AS MATERIALIZED (
    SELECT k.*, b.kind AS before_kind, b.exchange_id AS before_exchange_id, b.method AS before_method,
           b.path AS before_path, b.status AS before_status, b.start_at AS before_at,
           b.is_resynchronised AS before_doubt
    FROM begun k
    CROSS JOIN session_history b ON b.operation_id = k.before_id
    WHERE b.kind IN ('issued', 'denied', 'logout') AND b.end_at < k.start_at
),
-- Signed in before, and not out: it was locked or has expired, and nobody else held its token.
resumed AS MATERIALIZED (
    SELECT v.exchange_id, v.session_id
    FROM visiting v
    CROSS JOIN session_history g ON g.session_id = v.session_id
    WHERE v.before_kind = 'denied' AND g.kind = 'granted' AND g.protection != 'public' AND g.start_at < v.before_at
      AND NOT EXISTS (SELECT 1 FROM session_history o
                      WHERE o.session_id = v.session_id AND o.kind = 'logout' AND o.start_at < v.start_at)
      AND NOT EXISTS (SELECT 1 FROM session_history o
                      JOIN login_facts l ON l.exchange_id = o.exchange_id
                      WHERE o.session_id = v.session_id AND o.kind = 'login' AND o.start_at < v.start_at
                        AND l.user_id != v.user_id)
),
-- What it was afterwards: granted, with no other login between.
followed AS MATERIALIZED (
    SELECT v.*,
           (SELECT g.operation_id FROM session_history g
            WHERE g.session_id = v.session_id AND g.start_at > v.end_at
              AND g.kind IN ('granted', 'denied', 'login', 'possible login', 'logout') AND g.protection != 'public'
              AND NOT g.is_cached AND NOT g.is_static
            ORDER BY g.start_at, g.operation_id LIMIT 1) AS after_id
    FROM visiting v
    WHERE (v.exchange_id, v.session_id) NOT IN (SELECT exchange_id, session_id FROM resumed)
),
facts AS (
    SELECT j.*, a.exchange_id AS after_exchange_id, a.method AS after_method, a.path AS after_path,
           a.status AS after_status, a.end_at AS after_end_at, a.protection,
           j.is_resynchronised OR j.before_doubt OR a.is_resynchronised AS pairing_doubt,
           -- A grant that overlaps the denial: the session may have been live again.
           EXISTS (SELECT 1 FROM session_history h
                   WHERE h.session_id = j.session_id AND h.kind = 'granted' AND h.protection != 'public'
                     AND h.start_at < j.start_at AND h.end_at > j.before_at) AS order_doubt,
           (coalesce((SELECT l.to_at FROM loss_span_facts l
                      WHERE l.server = a.server AND l.server_port = a.server_port AND l.from_at <= a.end_at
                      ORDER BY l.from_at DESC LIMIT 1) >= j.before_at, 0)
            OR coalesce((SELECT l.to_at FROM loss_span_facts l
                         WHERE l.server IS NULL AND l.from_at <= a.end_at
                         ORDER BY l.from_at DESC LIMIT 1) >= j.before_at, 0)) AS loss_doubt
    FROM followed j
    CROSS JOIN session_history a ON a.operation_id = j.after_id
    WHERE a.kind = 'granted' AND NOT a.sets_other_token
),
graded AS (
    SELECT f.*,
           CASE WHEN before_kind != 'denied' OR protection != 'protected' OR order_doubt THEN 2
                ELSE loss_doubt + pairing_doubt END AS steps,
           row_number() OVER (PARTITION BY exchange_id ORDER BY session_id) AS place
    FROM facts f
)
SELECT exchange_id,
       session_id,
       site_id,
       start_at AS at,
       CASE steps WHEN 0 THEN 'proven' WHEN 1 THEN 'contradiction' ELSE 'suspect' END AS verdict,
       printf('%s %s signed in the token that the request carried: %s before (%s %s: %d), granted after it (%s %s: %d)',
              method, path, before_kind, before_method, before_path, before_status, after_method, after_path,
              after_status) AS summary,
       (SELECT json_group_array(text) FROM (
            SELECT 'That the token was not signed in before follows from where it was given, not from a denial.' AS text
                   WHERE before_kind != 'denied'
            UNION ALL SELECT 'It is not known whether the endpoint that granted it needs a session.'
                   WHERE protection != 'protected'
            UNION ALL SELECT 'An access at the same time as the denial was granted: the session may have been live already.'
                   WHERE order_doubt
            UNION ALL SELECT 'The session is a self-contained token (JWT or the like).'
                   WHERE EXISTS (SELECT 1 FROM session_history j WHERE j.session_id = graded.session_id AND j.is_jwt)
            UNION ALL SELECT 'The capture lost bytes in between that may hide another login.' WHERE loss_doubt
            UNION ALL SELECT 'After a loss it is not certain which request was answered by which response.'
                   WHERE pairing_doubt)) AS caveats,
       json_array(
            json_object('role', CASE before_kind WHEN 'denied' THEN 'denial' WHEN 'logout' THEN 'logout' ELSE 'issue' END,
                        'exchange_id', before_exchange_id,
                        'text', printf('%s %s answered %d: the token is %s', before_method, before_path, before_status,
                                       CASE before_kind WHEN 'denied' THEN 'denied' WHEN 'logout' THEN 'signed out'
                                            ELSE 'given to a visitor' END)),
            json_object('role', 'login', 'exchange_id', exchange_id,
                        'text', printf('%s %s answered %d and gave no other token', method, path, status)),
            json_object('role', 'access', 'exchange_id', after_exchange_id,
                        'text', printf('%s %s answered %d with the same token', after_method, after_path, after_status)))
           AS evidence
FROM graded
WHERE place = 1
ORDER BY at, exchange_id;

-- Successful logins whose request carried a session's cookie that was not signed in before.
SELECT f.site_id, f.start_at / 900000000000 AS quarter, count(DISTINCT f.exchange_id) AS exercised
FROM login_facts f
CROSS JOIN token_facts t ON t.token_id BETWEEN f.exchange_id * 16 AND f.exchange_id * 16 + 15
WHERE f.outcome = 'success' AND f.had_token
  AND t.carrier IN ('cookie', 'path') AND t.sent_session_id IS NOT NULL
  AND coalesce((SELECT h.kind FROM session_history h
                WHERE h.session_id = t.sent_session_id AND h.start_at < f.start_at
                  AND (h.kind IN ('issued', 'denied', 'logout', 'login', 'possible login')
                       OR (h.kind = 'granted' AND h.protection != 'public'))
                ORDER BY h.start_at DESC, h.operation_id DESC LIMIT 1), '') IN ('issued', 'denied', 'logout')
GROUP BY 1, 2;
