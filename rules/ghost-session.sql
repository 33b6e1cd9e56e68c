/*
id: ghost-session
title: A login that failed left a working session behind
severity: high
meaning: >
  The server answered a login as a failure, or not in time, or not at all, and yet the session of that login was
  served afterwards as if the user were signed in. Whoever made the attempt is signed in against the server's own
  answer (a refused second factor, a locked account, a wrong password that was checked too late), and the user
  who saw an error leaves an open session behind without knowing it.
cause: >
  The session is stored and its cookie set before a later step of the login fails, and nothing takes it
  back; or a time-out (http.TimeoutHandler, a proxy's) answers for a handler that goes on, and the login takes
  effect after its failure was sent; or the handler panics after it stored the session.
confirm: >
  Make a step behind the creation of the session fail or sleep (audit log, mail, second factor, database), log in, and use
  the cookie of the refused answer. Run the server with the race detector (go test -race, go run -race), and look in the
  login for every return between storing the session and the end, and for work that does not heed the
  request's context.
repair: >
  Let a login take effect as a whole or not at all: do everything that can fail first, store the session and set the cookie
  last, in one transaction; take it back on every way out that is no success. Under a time-out, check the
  context under the same lock that stores the session.
lookalikes: >
  A login between that succeeded and made the same token live, or, where the failed answer showed no token, any
  login of the same user that succeeded; a second step (a one-time code) after the refusal; a session that was live before
  the failed login and stays so; public pages; a remember-me cookie that opens a new session.
silence: >
  A login that succeeded before the grant and gave that token (also one that a profile names); protected pages that
  are public by the profile; a loss that may hide such a login lowers the verdict.
references: CWE-362 Race Condition, CWE-460 Improper Cleanup on Thrown Exception, CWE-841, CWE-287
*/

-- Logins that did not succeed, with the tokens that their answer showed or their request carried.
WITH failed AS MATERIALIZED (
    SELECT f.exchange_id, f.site_id, f.method, f.path, f.status, f.outcome, f.user_id, f.start_at,
           coalesce(f.end_at, f.start_at) AS known_at, f.loss, f.is_resynchronised, f.stream_id,
           coalesce(CASE WHEN t.is_new AND NOT t.is_deleted THEN t.set_session_id END,
                    t.sent_session_id) AS session_id,
           t.is_new AND NOT t.is_deleted AS is_shown
    FROM asked_logins f
    CROSS JOIN token_facts t ON t.token_id BETWEEN f.exchange_id * 16 AND f.exchange_id * 16 + 15
    WHERE (f.outcome IN ('failure', 'error') OR (f.outcome = 'none' AND f.status IS NULL))
      AND (t.is_new OR t.sent_session_id IS NOT NULL)
      -- Below 400 an answer is a failure because it is unlike the successes: so there must be some.
      AND (f.status >= 400 OR f.status IS NULL
           OR EXISTS (SELECT 1 FROM login_facts o
                      WHERE o.endpoint_id = f.endpoint_id AND o.outcome = 'success'))
),
-- A token that the request brought along had no live session before: what its last answer said. Until the limit
-- nothing else can have made the session live: a login that took effect before, a step that is not understood.
limited AS MATERIALIZED (
    SELECT f.*,
           coalesce(CASE WHEN f.is_shown
                    THEN (SELECT h.start_at FROM session_history h
                          WHERE h.session_id = f.session_id AND h.exchange_id != f.exchange_id
                            AND (h.kind IN ('login', 'possible login') OR h.issues)
                          ORDER BY h.start_at LIMIT 1)
                    ELSE (SELECT h.start_at FROM session_history h
                          WHERE h.session_id = f.session_id AND h.exchange_id != f.exchange_id
                            AND h.start_at >= f.start_at AND h.kind IN ('login', 'possible login')
                          ORDER BY h.start_at LIMIT 1)
                    END, 9223372036854775807) AS limit_at
    FROM failed f
    WHERE f.is_shown
       OR coalesce((SELECT h.kind FROM session_history h
                    WHERE h.session_id = f.session_id AND h.start_at < f.start_at
                      AND h.exchange_id NOT IN (SELECT exchange_id FROM failed)
                      AND (h.kind IN ('issued', 'login', 'possible login', 'denied', 'logout')
                           OR (h.kind = 'granted' AND h.protection != 'public'))
                    ORDER BY h.start_at DESC, h.operation_id DESC LIMIT 1), '')
          IN ('issued', 'denied', 'logout')
),
-- The first grants to these sessions afterwards, protected ones before others.
found AS MATERIALIZED (
    SELECT f.*,
           coalesce((SELECT g.operation_id FROM session_history g
                     WHERE g.session_id = f.session_id AND g.kind = 'granted' AND g.protection = 'protected'
                       AND NOT g.is_cached AND NOT g.is_static
                       AND g.start_at > f.known_at AND g.start_at < f.limit_at AND g.end_at < f.limit_at
                       AND NOT g.sets_other_token
                     ORDER BY g.start_at, g.operation_id LIMIT 1),
                    (SELECT g.operation_id FROM session_history g
                     WHERE g.session_id = f.session_id AND g.kind = 'granted' AND g.protection = 'unknown'
                       AND NOT g.is_cached AND NOT g.is_static
                       AND g.start_at > f.known_at AND g.start_at < f.limit_at AND g.end_at < f.limit_at
                       AND NOT g.sets_other_token
                     ORDER BY g.start_at, g.operation_id LIMIT 1)) AS grant_id
    FROM limited f
),
used AS MATERIALIZED (
    SELECT f.*, g.exchange_id AS grant_exchange_id, g.method AS grant_method,
           g.path AS grant_path, g.status AS grant_status, g.start_at AS grant_at, g.end_at AS grant_end_at,
           g.protection, g.session_order, g.is_jwt, g.server, g.server_port,
           f.is_resynchronised OR g.is_resynchronised AS pairing_doubt,
           (g.start_at - f.known_at) / 1e6 AS gap_ms,
           row_number() OVER (PARTITION BY f.exchange_id
                              ORDER BY g.protection = 'protected' DESC, g.start_at, g.operation_id) AS place
    FROM found f
    CROSS JOIN session_history g ON g.operation_id = f.grant_id
),
successes AS MATERIALIZED (
    SELECT site_id, user_id, start_at, end_at FROM login_facts WHERE outcome = 'success' AND user_id IS NOT NULL
),
signed_in AS MATERIALIZED (
    SELECT u.exchange_id
    FROM used u
    JOIN successes o ON o.user_id = u.user_id AND o.site_id = u.site_id
    WHERE o.end_at >= u.start_at AND o.start_at <= u.grant_end_at
),
ghosts AS (
    SELECT u.*,
           (coalesce((SELECT l.to_at FROM loss_span_facts l
                      WHERE l.server = u.server AND l.server_port = u.server_port AND l.from_at <= u.grant_end_at
                      ORDER BY l.from_at DESC LIMIT 1) >= u.start_at, 0)
            OR coalesce((SELECT l.to_at FROM loss_span_facts l
                         WHERE l.server IS NULL AND l.from_at <= u.grant_end_at
                         ORDER BY l.from_at DESC LIMIT 1) >= u.start_at, 0)) AS loss_doubt,
           EXISTS (SELECT 1 FROM session_history h
                   WHERE h.session_id = u.session_id AND h.kind = 'granted'
                     AND h.protection != 'protected' AND h.method NOT IN ('GET', 'HEAD')
                     AND h.start_at BETWEEN u.known_at AND u.grant_at) AS step_doubt
    FROM used u
    WHERE u.place = 1
      AND (u.is_shown
           OR u.exchange_id NOT IN (SELECT exchange_id FROM signed_in))
      -- An answer that the capture lost may have been a success.
      AND (u.outcome != 'none'
           OR (NOT u.loss AND NOT EXISTS (SELECT 1 FROM loss_facts l WHERE l.stream_id = u.stream_id)))
),
judged AS (
    SELECT ghosts.*,
           max(CASE WHEN outcome = 'failure' AND status BETWEEN 400 AND 499
                         AND session_order = 'contradicted' THEN 0
                    WHEN outcome = 'error' OR status BETWEEN 400 AND 499 THEN 1
                    ELSE 2 END
               + loss_doubt + pairing_doubt,
               CASE WHEN protection != 'protected' OR step_doubt THEN 2 ELSE 0 END) AS steps,
           CASE WHEN outcome = 'none' THEN 'was not answered' ELSE printf('was answered %d', status) END AS answer,
           CASE WHEN gap_ms < 1 THEN printf('%.0f µs', gap_ms * 1e3)
                WHEN gap_ms < 1000 THEN printf('%.1f ms', gap_ms) ELSE printf('%.1f s', gap_ms / 1e3) END AS gap
    FROM ghosts
)
SELECT exchange_id,
       session_id,
       site_id,
       start_at AS at,
       CASE steps WHEN 0 THEN 'proven' WHEN 1 THEN 'contradiction' ELSE 'suspect' END AS verdict,
       printf('%s %s %s, yet its session was granted %s %s (%d) %s later',
              method, path, answer, grant_method, grant_path, grant_status, gap) AS summary,
       (SELECT json_group_array(text) FROM (
            SELECT 'The server never said that the login failed: it may have taken effect as it should.' AS text
                   WHERE outcome = 'none'
            UNION ALL SELECT 'The refusal was no 4xx status: the answer may mean something else.'
                   WHERE outcome = 'failure' AND status NOT BETWEEN 400 AND 499
            UNION ALL SELECT 'It is not known whether that endpoint needs a session: no request without one was denied there.'
                   WHERE protection != 'protected'
            UNION ALL SELECT 'Something was sent to the server in between that may have been another step of the login.'
                   WHERE step_doubt
            UNION ALL SELECT 'The answer showed no token: the session is the one that the request carried.'
                   WHERE NOT is_shown
            UNION ALL SELECT 'The capture lost bytes between login and access that may hide another login.' WHERE loss_doubt
            UNION ALL SELECT 'After a loss it is not certain which request was answered by which response.'
                   WHERE pairing_doubt
            UNION ALL SELECT 'The session is a self-contained token (JWT or the like).' WHERE is_jwt)) AS caveats,
       json_array(
            json_object('role', 'login', 'exchange_id', exchange_id,
                        'text', printf('%s %s %s%s', method, path, answer,
                                       CASE WHEN is_shown THEN ', with a new session token'
                                            ELSE ', the session token was in the request' END)),
            json_object('role', 'access', 'exchange_id', grant_exchange_id,
                        'text', printf('%s %s answered %d with that token, begun %s later', grant_method,
                                       grant_path, grant_status, gap))) AS evidence
FROM judged
ORDER BY at, exchange_id;

-- Logins that failed, timed out or went without an answer, whose token is known.
SELECT f.site_id, f.start_at / 900000000000 AS quarter, count(DISTINCT f.exchange_id) AS exercised
FROM login_facts f
CROSS JOIN token_facts t ON t.token_id BETWEEN f.exchange_id * 16 AND f.exchange_id * 16 + 15
WHERE (f.outcome IN ('failure', 'error') OR (f.outcome = 'none' AND f.status IS NULL))
  AND (t.is_new OR t.sent_session_id IS NOT NULL)
GROUP BY 1, 2;
