/*
id: session-amnesia
title: After a crash every session is forgotten
severity: high
meaning: >
  All connections of the server were cut and it came back (see mass-reset), and afterwards every session that had
  been granted before is denied as if nobody had signed in. All users at work are thrown out at once and lose what they
  were doing.
cause: >
  Sessions live in the memory of the process (a map of active users) and end with it. The crash itself is often
  the same defect: that map, written by two requests at once without a lock, ends the whole process.
confirm: >
  Restart the server by hand while a browser is signed in: if the next request is sent to the login, sessions are kept in
  memory only. Then find the crash: error log, stack trace, race detector (go test -race, go run -race).
repair: >
  Keep sessions where they outlive the process (a database, a cache server, signed cookies), or say to users that they
  must sign in again. Repair the race that ends the process: one lock for all readers and writers of the map.
lookalikes: >
  Sessions that had expired by then, by the lifetime that the server declared or after a silence for which other sessions
  expired too; logouts; self-contained tokens; a session that some of the server's other processes still know; a restart in
  order that nobody was hurt by.
silence: >
  A logout, a declared lifetime or a silence that explains the denials (the parameter below), one session that is
  still granted; policies: one_session_per_user: true of the profile, where a later login explains a denial.
references: CWE-362 Race Condition, CWE-613, CWE-755
parameters:
  idle_min:
    default: 15
    help: A session that was not used for so many minutes may have expired.
*/

WITH cuts AS MATERIALIZED (
    SELECT server, server_port, cut_at, max(cut_end_at) AS cut_end_at
    FROM cut_facts
    GROUP BY server, server_port, cut_at
),
settings AS (
    SELECT coalesce((SELECT value FROM rule_parameters
                     WHERE rule = 'session-amnesia' AND name = 'idle_min'), 15) + 0 AS idle_min
),
steps AS MATERIALIZED ( -- of sessions at these servers
    SELECT h.session_id, h.session, h.site_id, h.user_id, h.operation_id, h.exchange_id, h.kind, h.start_at, h.end_at,
           h.method, h.path, h.status, h.server AS at_server, h.server_port AS at_port, h.protection, h.is_resynchronised,
           h.kind = 'granted' AND h.sets_other_token AS renews
    FROM session_history h
    WHERE EXISTS (SELECT 1 FROM cuts)
      AND h.kind IN ('granted', 'denied', 'login', 'logout', 'possible logout', 'replaced')
      AND NOT h.is_jwt AND NOT h.is_cached
),
accesses AS MATERIALIZED ( -- each with what came before and comes later in its session
    SELECT s.*,
           lag(kind) OVER times AS before_kind,
           lag(end_at) OVER times AS before_end_at,
           lag(exchange_id) OVER times AS before_exchange_id,
           lag(at_server) OVER times AS before_server,
           lag(at_port) OVER times AS before_port,
           lag(method) OVER times AS before_method,
           lag(path) OVER times AS before_path,
           lag(protection) OVER times AS before_protection,
           sum(kind = 'granted') OVER (PARTITION BY session_id ORDER BY start_at, operation_id
                                       ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS later_grants
    FROM steps s
    WINDOW times AS (PARTITION BY session_id ORDER BY start_at, operation_id)
),
-- A session that was granted, and whose next sign is an access behind the first cut after that grant. Logins and
-- logouts between take the place of the sign.
crossed AS MATERIALIZED (
    SELECT a.*, c.server, c.server_port, c.cut_at, c.cut_end_at
    FROM accesses a
    JOIN cuts c ON c.server = a.before_server AND c.server_port = a.before_port
     AND c.cut_at = (SELECT min(f.cut_at) FROM cuts f
                     WHERE f.server = a.before_server AND f.server_port = a.before_port
                       AND f.cut_at >= a.before_end_at)
    WHERE a.kind IN ('granted', 'denied') AND a.before_kind = 'granted' AND a.before_protection != 'public'
      AND a.protection != 'public' AND a.start_at > c.cut_end_at AND NOT a.renews
),
-- The shortest silence after which the site let a session expire without any cut.
expiry AS (
    SELECT a.site_id, min(a.start_at - a.before_end_at) AS silence
    FROM accesses a
    WHERE a.kind = 'denied' AND a.before_kind = 'granted' AND coalesce(a.later_grants, 0) = 0
      AND NOT EXISTS (SELECT 1 FROM cuts c WHERE c.cut_end_at >= a.before_end_at AND c.cut_at <= a.start_at)
    GROUP BY a.site_id
),
judged AS MATERIALIZED (
    SELECT d.*,
           d.kind = 'denied' AND (
               d.start_at - d.before_end_at >= settings.idle_min * 60e9
               OR d.start_at - d.before_end_at >= coalesce(e.silence, 9223372036854775807)
               OR d.start_at >= coalesce((SELECT max(x.response_end_at + t.lifetime_s * 1000000000)
                                          FROM steps o
                                          JOIN token_facts t ON t.token_id BETWEEN o.exchange_id * 16 AND o.exchange_id * 16 + 15
                                          JOIN response_facts r ON r.exchange_id = o.exchange_id
                                          JOIN main.exchange_facts x ON x.exchange_id = o.exchange_id
                                          WHERE o.session_id = d.session_id AND t.set_session_id = d.session_id
                                            AND o.start_at <= d.before_end_at AND t.lifetime_s IS NOT NULL),
                                         9223372036854775807)) AS may_be_expired,
           EXISTS (SELECT 1 FROM steps o
                   WHERE o.user_id = d.user_id AND o.session_id != d.session_id AND o.kind = 'login'
                     AND o.start_at > d.before_end_at AND o.start_at < d.start_at)
             AND d.site_id NOT IN (SELECT site_id FROM policy_facts WHERE policy = 'several sessions per user')
             AS login_doubt
    FROM crossed d
    CROSS JOIN settings
    LEFT JOIN expiry e ON e.site_id = d.site_id
),
forgotten AS MATERIALIZED (
    SELECT j.*, row_number() OVER (PARTITION BY server, server_port, cut_at, site_id
                                   ORDER BY start_at, operation_id) AS place
    FROM judged j
    WHERE kind = 'denied' AND NOT may_be_expired
),
grouped AS (
    SELECT f.site_id, f.server, f.server_port, f.cut_at, f.cut_end_at, count(*) AS sessions,
           min(f.login_doubt) AS login_doubt,
           min(f.start_at) AS denied_at,
           max(CASE WHEN f.place = 1 THEN printf('%s %s: %d', f.method, f.path, f.status) END) AS first_denial,
           max(f.start_at) AS last_denied_at, min(f.before_end_at) AS first_granted_at,
           min(f.is_resynchronised) AS pairing_doubt,
           row_number() OVER (PARTITION BY f.server, f.server_port, f.cut_at
                              ORDER BY count(*) DESC, min(f.start_at), f.site_id) AS rank
    FROM forgotten f
    WHERE NOT EXISTS (SELECT 1 FROM judged k
                      WHERE k.kind = 'granted' AND k.site_id = f.site_id AND k.cut_at = f.cut_at
                        AND k.server = f.server AND k.server_port = f.server_port)
    GROUP BY f.site_id, f.server, f.server_port, f.cut_at, f.cut_end_at
),
sites AS (
    SELECT g.*,
           (coalesce((SELECT l.to_at FROM loss_span_facts l
                      WHERE l.server = g.server AND l.server_port = g.server_port AND l.from_at <= g.last_denied_at
                      ORDER BY l.from_at DESC LIMIT 1) >= g.first_granted_at, 0)
            OR coalesce((SELECT l.to_at FROM loss_span_facts l
                         WHERE l.server IS NULL AND l.from_at <= g.last_denied_at
                         ORDER BY l.from_at DESC LIMIT 1) >= g.first_granted_at, 0)) AS loss_doubt
    FROM grouped g
)
SELECT NULL AS exchange_id,
       NULL AS session_id,
       site_id,
       cut_at AS at,
       CASE WHEN login_doubt OR loss_doubt OR pairing_doubt THEN 'suspect' ELSE 'contradiction' END AS verdict,
       printf('%s of %s:%d, %s denied (%s, %s after it)',
              CASE sessions WHEN 1 THEN 'the session that was granted before the cut'
                   WHEN 2 THEN 'both sessions that were granted before the cut'
                   ELSE printf('all %d sessions that were granted before the cut', sessions) END,
              CASE WHEN server LIKE '%:%' THEN '[' || server || ']' ELSE server END, server_port,
              CASE sessions WHEN 1 THEN 'and came back, was' ELSE 'and came back, were' END,
              first_denial,
              CASE WHEN denied_at - cut_at < 1000000 THEN printf('%.0f µs', (denied_at - cut_at) / 1e3)
                   WHEN denied_at - cut_at < 1000000000 THEN printf('%.1f ms', (denied_at - cut_at) / 1e6)
                   ELSE printf('%.1f s', (denied_at - cut_at) / 1e9) END) AS summary,
       (SELECT json_group_array(text) FROM (
            SELECT 'A crash and a forced restart look the same on the wire.' AS text
            UNION ALL SELECT 'Only one session came back after the cut.' WHERE sessions = 1
            UNION ALL SELECT 'The users of all these sessions signed in elsewhere in between: the server may allow one session for each user.'
                   WHERE login_doubt
            UNION ALL SELECT 'The capture lost bytes that may hide logouts.' WHERE loss_doubt
            UNION ALL SELECT 'After a loss it is not certain which request was answered by which response.'
                   WHERE pairing_doubt)) AS caveats,
       (SELECT json_group_array(json_object('role', role, 'exchange_id', exchange_id, 'text', text))
        FROM (SELECT 'access' AS role, f.before_exchange_id AS exchange_id, f.place AS place, 0 AS part,
                     printf('%s: %s %s was granted %s before the cut', f.session, f.before_method, f.before_path,
                            CASE WHEN f.cut_at - f.before_end_at < 1000000
                                 THEN printf('%.0f µs', (f.cut_at - f.before_end_at) / 1e3)
                                 WHEN f.cut_at - f.before_end_at < 1000000000
                                 THEN printf('%.1f ms', (f.cut_at - f.before_end_at) / 1e6)
                                 ELSE printf('%.1f s', (f.cut_at - f.before_end_at) / 1e9) END) AS text
              FROM forgotten f
              WHERE f.site_id = sites.site_id AND f.cut_at = sites.cut_at AND f.server = sites.server
                AND f.server_port = sites.server_port AND f.place <= 10
              UNION ALL
              SELECT 'denial', f.exchange_id, f.place, 1,
                     printf('%s: %s %s was answered %d, %s after the cut', f.session, f.method, f.path, f.status,
                            CASE WHEN f.start_at - f.cut_at < 1000000
                                 THEN printf('%.0f µs', (f.start_at - f.cut_at) / 1e3)
                                 WHEN f.start_at - f.cut_at < 1000000000
                                 THEN printf('%.1f ms', (f.start_at - f.cut_at) / 1e6)
                                 ELSE printf('%.1f s', (f.start_at - f.cut_at) / 1e9) END)
              FROM forgotten f
              WHERE f.site_id = sites.site_id AND f.cut_at = sites.cut_at AND f.server = sites.server
                AND f.server_port = sites.server_port AND f.place <= 10
              ORDER BY place, part)) AS evidence
FROM sites
WHERE rank = 1
ORDER BY at, server, server_port;

-- Sessions that were granted before a cut and used again after it.
WITH cuts AS MATERIALIZED (
    SELECT server, server_port, cut_at, max(cut_end_at) AS cut_end_at
    FROM cut_facts
    GROUP BY server, server_port, cut_at
),
accesses AS (
    SELECT h.session_id, h.site_id, h.kind, h.start_at,
           lag(h.server) OVER times AS before_server, lag(h.server_port) OVER times AS before_port,
           lag(h.kind) OVER times AS before_kind, lag(h.end_at) OVER times AS before_end_at
    FROM session_history h
    WHERE EXISTS (SELECT 1 FROM cuts) AND NOT h.is_jwt
      AND h.kind IN ('granted', 'denied', 'login', 'logout', 'possible logout', 'replaced')
    WINDOW times AS (PARTITION BY h.session_id ORDER BY h.start_at, h.operation_id)
)
SELECT a.site_id AS site_id, a.start_at / 900000000000 AS quarter, count(*) AS exercised
FROM accesses a
WHERE a.kind IN ('granted', 'denied') AND a.before_kind = 'granted'
  AND EXISTS (SELECT 1 FROM cuts c
              WHERE c.server = a.before_server AND c.server_port = a.before_port
                AND c.cut_at >= a.before_end_at AND c.cut_end_at < a.start_at)
GROUP BY 1, 2;
