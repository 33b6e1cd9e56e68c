/*
id: revived-session
title: An ended session comes back with an answer that was under way
severity: high
meaning: >
  While the user signed out, another request of the same session was still being answered. That answer came after the
  acknowledged logout and set the session's cookie again (or a new one in its place), so the browser holds a session
  that the user believes to have ended. If the server stored the session again as well, the next person at that
  computer is signed in.
cause: >
  A handler (or a middleware around it) loads the session at the start of a request and saves it, cookie included,
  at the end: the logout in between deletes it, and the save brings it back. The same happens with a
  session that is refreshed or renewed for the user at hand at the end of every request.
confirm: >
  Send a slow request, log out while it runs, and look at its answer for Set-Cookie; then use that cookie. Look for
  a save at the end of a request that does not ask whether the session still exists, and run the server with the
  race detector (go test -race, go run -race) while logging out under load.
repair: >
  Save a session only where it still exists (update, never insert, in one step under the lock of the store), and set the
  cookie only if that worked; or keep a mark of ended sessions until every request that began before has ended.
lookalikes: >
  A login of that session in between; cookies that are deleted; requests that began after the logout's answer
  (post-logout-access where they are granted); an anonymous session for the visitor who is left after the logout;
  the next value of a token that every answer renews, unless it is granted later; a site that sets the same cookie with
  every answer, the logout's too, unless it is granted later.
silence: >
  A login of that session between, an answer that ended before the logout's did, or a request that began after it.
references: CWE-362 Race Condition, CWE-613 Insufficient Session Expiration, CWE-367
*/

-- Answers that set a session's cookie and came after a logout of the session that their request carried,
-- although they were under way when it was acknowledged. What is asked of every logout is read from session_steps, the
-- rest for the few that are left.
WITH logouts AS MATERIALIZED (
    SELECT operation_id, exchange_id, session_id, start_at, end_at
    FROM session_steps
    WHERE is_logout
),
-- The values of a rolling token that led to the one of the logout: a slow request may still carry one of them.
older (operation_id, exchange_id, session_id, start_at, end_at, value_id, steps) AS (
    SELECT operation_id, exchange_id, session_id, start_at, end_at, session_id, 0
    FROM logouts
    WHERE EXISTS (SELECT 1 FROM session_steps WHERE is_rotation) -- else there is nothing to go through
    UNION
    SELECT o.operation_id, o.exchange_id, o.session_id, o.start_at, o.end_at, t.sent_session_id, o.steps + 1
    FROM older o
    CROSS JOIN session_history h ON h.session_id = o.value_id AND h.issues AND h.rotates
    CROSS JOIN token_facts t ON t.token_id BETWEEN h.exchange_id * 16 AND h.exchange_id * 16 + 15
    WHERE o.steps < 32 AND +t.set_session_id = o.value_id -- no index for it: the exchange has few
      AND t.is_new AND t.sent_session_id IS NOT NULL
),
ended AS (
    SELECT operation_id, exchange_id, session_id, start_at, end_at, session_id AS value_id, 0 AS is_older
    FROM logouts
    UNION ALL
    SELECT operation_id, exchange_id, session_id, start_at, end_at, value_id, 1
    FROM older
    WHERE steps > 0
),
late AS (
    SELECT a.exchange_id, a.session_id, a.site_id, a.endpoint_id, a.method, a.path, a.status, a.start_at, a.end_at,
           a.protection,
           a.kind = 'granted' AS is_granted, a.rotates, a.is_jwt, a.server, a.server_port, a.stream_id,
           o.exchange_id AS logout_exchange_id, o.method AS logout_method, o.path AS logout_path,
           o.status AS logout_status, o.start_at AS logout_start_at, o.end_at AS logout_end_at,
           o.stream_id AS logout_stream_id,
           o.is_resynchronised OR a.is_resynchronised AS pairing_doubt,
           t.set_session_id AS given_id, t.is_new, t.name,
           -- The logout set the ended value again itself: the browser still had it.
           EXISTS (SELECT 1 FROM token_facts k
                   WHERE k.token_id BETWEEN o.exchange_id * 16 AND o.exchange_id * 16 + 15
                     AND k.carrier = 'cookie' AND +k.set_session_id = t.set_session_id AND NOT k.is_deleted) AS was_kept,
           e.is_older,
           row_number() OVER (PARTITION BY a.exchange_id
                              ORDER BY o.end_at DESC, o.operation_id, t.is_new, t.token_id) AS place
    FROM ended e
    CROSS JOIN session_steps s ON s.session_id = e.value_id AND s.start_at <= e.end_at
    CROSS JOIN session_history a ON a.operation_id = s.operation_id
    CROSS JOIN session_history o ON o.operation_id = e.operation_id
    CROSS JOIN token_facts t ON t.token_id BETWEEN a.exchange_id * 16 AND a.exchange_id * 16 + 15
    WHERE s.end_at > e.end_at AND s.exchange_id != e.exchange_id
      AND s.kind IN ('granted', 'none')
      AND a.status BETWEEN 200 AND 399 AND NOT a.is_cached
      AND t.carrier = 'cookie' AND +t.sent_session_id = a.session_id
      AND t.set_session_id IS NOT NULL AND NOT t.is_deleted
      AND s.exchange_id NOT IN (SELECT exchange_id FROM login_facts)
      -- A login of that session that fits between.
      AND NOT EXISTS (SELECT 1 FROM session_steps l
                      WHERE l.session_id = e.session_id AND l.kind IN ('login', 'possible login')
                        AND l.exchange_id NOT IN (e.exchange_id, s.exchange_id)
                        AND l.start_at <= s.end_at AND coalesce(l.end_at, l.start_at) >= e.start_at)
),
-- What became of the session that was given.
given AS MATERIALIZED (
    SELECT l.*,
           (SELECT h.operation_id FROM session_history h
            WHERE h.session_id = l.given_id AND h.start_at > l.end_at AND h.protection != 'public'
              AND h.kind = 'granted' AND NOT h.is_cached AND NOT h.is_static
              AND (NOT h.sets_other_token OR h.rotates)
            ORDER BY h.protection != 'protected', h.start_at, h.operation_id LIMIT 1) AS granted_id,
           (SELECT h.operation_id FROM session_history h
            WHERE h.session_id = l.given_id AND h.start_at > l.end_at AND h.protection != 'public'
              AND h.kind = 'denied'
            ORDER BY h.start_at, h.operation_id LIMIT 1) AS denied_id,
           (SELECT min(CASE WHEN h.issues THEN 0 ELSE h.start_at END) FROM session_history h
            WHERE h.session_id = l.given_id AND h.exchange_id != l.exchange_id
              AND (h.issues OR h.kind IN ('login', 'possible login'))) AS others_at,
           (coalesce((SELECT s.to_at FROM loss_span_facts s
                      WHERE s.server = l.server AND s.server_port = l.server_port AND s.from_at <= l.end_at
                      ORDER BY s.from_at DESC LIMIT 1) >= l.logout_start_at, 0)
            OR coalesce((SELECT s.to_at FROM loss_span_facts s
                         WHERE s.server IS NULL AND s.from_at <= l.end_at
                         ORDER BY s.from_at DESC LIMIT 1) >= l.logout_start_at, 0)) AS loss_doubt,
           l.end_at - l.logout_end_at <= (SELECT max(c.clock_doubt) FROM stream_facts c
                                          WHERE c.stream_id IN (l.stream_id, l.logout_stream_id)) AS is_close
    FROM late l
    WHERE l.place = 1
),
uses AS MATERIALIZED (
    SELECT g.exchange_id AS given_by_id, h.*
    FROM given g
    CROSS JOIN session_history h ON h.operation_id = coalesce(g.granted_id, g.denied_id)
),
-- Endpoints that give most sessions the next value: there it comes with the first answer of a session, too.
rolling AS MATERIALIZED (
    SELECT z.endpoint_id
    FROM (SELECT 1 FROM given WHERE is_new LIMIT 1)
    CROSS JOIN session_steps z
    WHERE z.endpoint_id IN (SELECT endpoint_id FROM given) AND (z.is_access OR z.is_rotation)
    GROUP BY z.endpoint_id
    HAVING sum(z.is_rotation) > 3 AND 2 * sum(z.is_rotation) > sum(z.kind = 'granted')
),
-- Another value than the ended one is a visitor's unless it was given to an access that was granted, and opened what
-- needs a session.
judged AS (
    SELECT g.*,
           u.exchange_id AS use_exchange_id, u.method AS use_method, u.path AS use_path, u.status AS use_status,
           u.kind AS use_kind,
           max(g.loss_doubt + coalesce(g.is_close, 0) + g.pairing_doubt,
               CASE WHEN g.is_new AND g.granted_id IS NULL THEN 2 ELSE 0 END) AS steps,
           CASE WHEN g.end_at - g.logout_end_at < 1000000 THEN printf('%.0f µs', (g.end_at - g.logout_end_at) / 1e3)
                WHEN g.end_at - g.logout_end_at < 1000000000
                THEN printf('%.1f ms', (g.end_at - g.logout_end_at) / 1e6)
                ELSE printf('%.1f s', (g.end_at - g.logout_end_at) / 1e9) END AS gap
    FROM given g
    LEFT JOIN uses u ON u.given_by_id = g.exchange_id
    WHERE (NOT g.is_new AND NOT g.is_older AND (u.kind IS 'granted' OR NOT g.was_kept))
       OR ((g.is_new OR g.is_older) AND g.is_granted
           AND (g.others_at IS NULL OR (u.kind = 'granted' AND u.end_at < g.others_at))
           AND ((u.kind = 'granted' AND 'protected' IN (g.protection, u.protection))
                -- The next value of a rolling token comes with every answer, whatever became of the session.
                OR (g.protection = 'protected' AND u.kind IS NULL AND NOT g.rotates AND NOT g.is_older
                    AND g.endpoint_id NOT IN (SELECT endpoint_id FROM rolling))))
)
SELECT exchange_id,
       session_id,
       site_id,
       start_at AS at,
       CASE steps WHEN 0 THEN 'proven' WHEN 1 THEN 'contradiction' ELSE 'suspect' END AS verdict,
       printf('%s %s was under way at the logout and answered %d %s after it with %s%s', method, path, status, gap,
              CASE WHEN is_new THEN 'a new session cookie' ELSE 'the ended session''s cookie' END,
              CASE WHEN use_kind = 'granted' THEN '; it was accepted later'
                   WHEN use_kind = 'denied' THEN '; it was refused later'
                   ELSE '; it was not used later' END) AS summary,
       (SELECT json_group_array(text) FROM (
            SELECT 'The cookie has a new value that was not used later: it may be an anonymous session.' AS text
                   WHERE is_new AND granted_id IS NULL
            UNION ALL SELECT 'The logout was of a later value of the same cookie: this one had been replaced by then.'
                   WHERE is_older
            UNION ALL SELECT 'The capture lost bytes in between that may hide a login.' WHERE loss_doubt
            UNION ALL SELECT 'The order holds only if the clock of the capture is exact: it steps back by more than the gap.'
                   WHERE is_close
            UNION ALL SELECT 'After a loss it is not certain which request was answered by which response.'
                   WHERE pairing_doubt
            UNION ALL SELECT 'The session is a self-contained token (JWT or the like).' WHERE is_jwt)) AS caveats,
       (SELECT json_group_array(json_object('role', role, 'exchange_id', exchange_id, 'text', text)) FROM (
            SELECT 'access' AS role, judged.exchange_id,
                   printf('%s %s, begun %sbefore the logout was acknowledged; answered %d with Set-Cookie %s after it',
                          method, path, CASE WHEN is_older THEN 'with an older value of the cookie ' ELSE '' END, status,
                          gap) AS text
            UNION ALL SELECT 'logout', logout_exchange_id,
                   printf('%s %s answered %d: the logout is acknowledged', logout_method, logout_path, logout_status)
            UNION ALL SELECT CASE use_kind WHEN 'granted' THEN 'access' ELSE 'denial' END, use_exchange_id,
                   printf('%s %s answered %d to that cookie', use_method, use_path, use_status)
                   WHERE use_exchange_id IS NOT NULL)) AS evidence
FROM judged
ORDER BY at, exchange_id;

-- Requests of a session that were under way when its logout was acknowledged, with an older value of its token too.
WITH older (exchange_id, end_at, value_id, steps) AS (
    SELECT exchange_id, end_at, session_id, 0
    FROM session_steps
    WHERE is_logout AND EXISTS (SELECT 1 FROM session_steps WHERE is_rotation) -- else there is nothing to go through
    UNION
    SELECT o.exchange_id, o.end_at, t.sent_session_id, o.steps + 1
    FROM older o
    CROSS JOIN session_history h ON h.session_id = o.value_id AND h.issues AND h.rotates
    CROSS JOIN token_facts t ON t.token_id BETWEEN h.exchange_id * 16 AND h.exchange_id * 16 + 15
    WHERE o.steps < 32 AND +t.set_session_id = o.value_id -- no index for it: the exchange has few
      AND t.is_new AND t.sent_session_id IS NOT NULL
),
ended AS (
    SELECT exchange_id, end_at, session_id AS value_id FROM session_steps WHERE is_logout
    UNION ALL
    SELECT exchange_id, end_at, value_id FROM older WHERE steps > 0
)
SELECT a.site_id, a.start_at / 900000000000 AS quarter, count(DISTINCT a.exchange_id) AS exercised
FROM ended e
CROSS JOIN session_steps a ON a.session_id = e.value_id AND a.start_at <= e.end_at
WHERE a.end_at > e.end_at AND a.exchange_id != e.exchange_id AND a.kind IN ('granted', 'denied', 'none')
GROUP BY 1, 2;
