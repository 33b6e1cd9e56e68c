/*
id: lost-login
title: A login succeeds, but its session never works
severity: high
meaning: >
  The server answered the login as a success and gave out a session, and then denied that session from its first
  use on. The user is signed in for one moment and thrown out; the login is lost.
cause: >
  Two logins at once: a map of sessions that is copied, changed and swapped, so that the later copy overwrites
  the earlier one's entry; LoadOrStore where Store was meant, so that the old entry stays; a session written to one
  replica and read from another; a session saved after the answer, or not at all.
confirm: >
  Log in many users in parallel and use each session once. Run the server with the race detector (go test -race,
  go run -race), look for copy-on-write without a lock or compare-and-swap, and for LoadOrStore.
repair: >
  Store the session under one lock, or in the database with a unique key, before the login is answered, and check
  that it was stored.
lookalikes: >
  One session per user, where a later login of the same user ends the earlier one; a logout between; sessions that expire
  before their first use, or for want of one; a second factor that is still to come; a server that came down in between (mass-reset).
silence: >
  A login or logout between, or another login of the same user at a site that lets a user have one session
  (policies: one_session_per_user of the profile; false there says that such a login explains nothing); a denial
  behind the declared lifetime, or so late that the session may have ended unused (the parameters below).
references: CWE-362 Race Condition, CWE-567 Unsynchronized Access to Shared Data
parameters:
  at_once_s:
    default: 60
    help: >
      Where the server does not declare how long a session lives, its first use must be denied within so many
      seconds after the login.
  idle_min:
    default: 15
    help: >
      A cookie that lives for long may stand for a session that ends where it is not used for so many minutes.
*/

-- Sites that let a user have several sessions: an older one was granted after a newer login had ended, or the
-- profile says so.
WITH several AS (
    SELECT site_id FROM policy_facts WHERE policy = 'several sessions per user'
    UNION
    SELECT f.site_id
    FROM login_order o
    CROSS JOIN login_facts f ON f.exchange_id = o.exchange_id
    WHERE o.user_next_session_id != f.session_id
      AND EXISTS (SELECT 1 FROM session_history g
                  WHERE g.session_id = f.session_id AND g.kind = 'granted' AND g.protection = 'protected'
                    AND NOT g.is_cached AND NOT g.sets_other_token AND g.start_at > o.user_next_end_at)
      AND f.site_id NOT IN (SELECT site_id FROM policy_facts WHERE policy = 'one session per user')
),
-- Where there may be such logins.
asked AS MATERIALIZED (
    SELECT DISTINCT f.endpoint_id
    FROM asked_logins f
    CROSS JOIN session_steps d ON d.operation_id = f.first_access_id
    WHERE f.outcome = 'success' AND f.session_id IS NOT NULL AND d.kind = 'denied'
),
-- Logins whose session was denied at its first use and not granted before the next login of it, with no
-- logout of it between.
denied AS MATERIALIZED (
    SELECT f.exchange_id, f.site_id, f.endpoint_id, f.session_id, f.method, f.path, f.status, f.user_id, f.lifetime_s,
           f.start_at, f.end_at,
           d.exchange_id AS denial_exchange_id, d.start_at AS denial_at, d.end_at AS denial_end_at,
           d.method AS denial_method, d.path AS denial_path, d.status AS denial_status,
           d.protection, d.is_jwt, d.server, d.server_port,
           f.is_resynchronised OR d.is_resynchronised AS pairing_doubt,
           (d.start_at - f.end_at) / 1e6 AS gap_ms
    FROM asked a
    CROSS JOIN login_facts f ON f.endpoint_id = a.endpoint_id
    CROSS JOIN session_history d ON d.operation_id = f.first_access_id
    WHERE f.outcome = 'success'
      AND f.session_id IS NOT NULL
      AND d.kind = 'denied' AND NOT d.is_cached
      -- A token that later logins use again (a user's name, a cookie that is kept) has several lives.
      AND (f.grants = 0
           OR NOT EXISTS (SELECT 1 FROM session_history g
                          WHERE g.session_id = f.session_id AND g.kind = 'granted' AND g.protection != 'public'
                            AND g.end_at >= f.start_at
                            AND NOT EXISTS (SELECT 1 FROM session_history n
                                            WHERE n.session_id = f.session_id
                                              AND n.kind = 'login' -- a mere step may be the rest of this one
                                              AND n.start_at > d.end_at AND n.start_at <= g.end_at)))
      AND NOT EXISTS (SELECT 1 FROM session_history h
                      WHERE h.session_id = d.session_id AND h.kind IN ('logout', 'possible logout')
                        AND h.start_at <= d.end_at AND coalesce(h.end_at >= f.start_at, 1))
),
-- A logout of another session of the user may be one of all of them.
signed_out AS (
    SELECT d.exchange_id
    FROM denied d
    JOIN logout_facts o ON o.user_id = d.user_id AND o.site_id = d.site_id
    WHERE o.start_at <= d.denial_end_at AND coalesce(o.end_at, o.start_at) >= d.start_at
),
-- That view sorts all logins: not for nothing.
ordered AS MATERIALIZED (
    SELECT exchange_id, overlaps, overlaps_user, user_next_at
    FROM login_order
    WHERE EXISTS (SELECT 1 FROM denied)
),
-- A login of the same user after it or at the same time ends it on sites that allow one session per user.
lost AS (
    SELECT d.*, o.overlaps,
           coalesce(o.user_next_at <= d.denial_end_at, 0) OR o.overlaps_user AS other_login,
           (coalesce((SELECT l.to_at FROM loss_span_facts l
                      WHERE l.server = d.server AND l.server_port = d.server_port AND l.from_at <= d.denial_end_at
                      ORDER BY l.from_at DESC LIMIT 1) >= d.start_at, 0)
            OR coalesce((SELECT l.to_at FROM loss_span_facts l
                         WHERE l.server IS NULL AND l.from_at <= d.denial_end_at
                         ORDER BY l.from_at DESC LIMIT 1) >= d.start_at, 0)) AS loss_doubt
    FROM denied d
    CROSS JOIN ordered o ON o.exchange_id = d.exchange_id
    WHERE d.exchange_id NOT IN (SELECT exchange_id FROM signed_out)
      -- A server that came down in between forgot it with all others: that is mass-reset.
      AND NOT EXISTS (SELECT 1 FROM cut_facts c
                      WHERE c.server = d.server AND c.server_port = d.server_port
                        AND c.cut_end_at >= d.start_at AND c.cut_at <= d.denial_end_at)
      AND (NOT (coalesce(o.user_next_at <= d.denial_end_at, 0) OR o.overlaps_user)
           OR d.site_id IN (SELECT site_id FROM several))
),
settings AS (
    SELECT coalesce((SELECT value FROM rule_parameters
                     WHERE rule = 'lost-login' AND name = 'at_once_s'), 60) + 0 AS at_once_s,
           coalesce((SELECT value FROM rule_parameters
                     WHERE rule = 'lost-login' AND name = 'idle_min'), 15) * 60 AS idle_s
),
-- What was denied after its declared end is no finding.
judged AS MATERIALIZED (
    SELECT lost.*,
           CASE WHEN gap_ms < 1 THEN printf('%.0f µs', gap_ms * 1e3)
                WHEN gap_ms < 1000 THEN printf('%.1f ms', gap_ms) ELSE printf('%.1f s', gap_ms / 1e3) END AS gap
    FROM lost, settings
    WHERE gap_ms < coalesce(lifetime_s, at_once_s) * 1e3
      AND (gap_ms < idle_s * 1e3
           OR NOT EXISTS (SELECT 1 FROM token_facts t
                          WHERE t.token_id BETWEEN lost.exchange_id * 16 AND lost.exchange_id * 16 + 15
                            AND t.set_session_id = lost.session_id AND t.carrier = 'cookie'))
),
-- Of the logins whose session was used.
used AS MATERIALIZED (
    SELECT f.endpoint_id, o.overlaps, j.exchange_id IS NOT NULL AS is_lost
    FROM ordered o
    CROSS JOIN login_facts f ON f.exchange_id = o.exchange_id
    LEFT JOIN judged j ON j.exchange_id = f.exchange_id
    WHERE f.outcome = 'success' AND f.session_id IS NOT NULL AND f.first_access_id IS NOT NULL
),
counts AS MATERIALIZED (
    SELECT endpoint_id AS key, sum(is_lost) AS bad, sum(overlaps AND is_lost) AS bad_overlapping,
           sum(overlaps) AS overlapping, count(*) AS total
    FROM used
    GROUP BY endpoint_id
    HAVING sum(is_lost) > 0
),
-- How likely chance alone puts so many of the bad ones among those that overlapped: Fisher's exact test,
-- one-sided. Of `counts` (key, bad, bad_overlapping, overlapping, total) the hypergeometric weights, relative to the
-- greatest one, are followed from there to both sides until they no longer count. Equal in all rules that have it.
margins AS (
    SELECT key, bad_overlapping, bad, overlapping, total - bad - overlapping AS rest,
           (bad + 1) * (overlapping + 1) / (total + 2) AS mode,
           -- Where a row or a column is empty there is nothing to compare: no weight, and p is NULL.
           CASE WHEN bad BETWEEN 1 AND total - 1 AND overlapping BETWEEN 1 AND total - 1 THEN 1.0 END AS first_weight
    FROM counts
),
weights (key, bad_overlapping, bad, overlapping, rest, x, weight, way) AS (
    SELECT key, bad_overlapping, bad, overlapping, rest, mode, first_weight, 0 FROM margins
    UNION ALL
    SELECT key, bad_overlapping, bad, overlapping, rest, x + 1,
           weight * (bad - x) * (overlapping - x) / ((x + 1.0) * (rest + x + 1)), 1
    FROM weights
    WHERE way >= 0 AND x < min(bad, overlapping) AND weight > 1e-18
    UNION ALL
    SELECT key, bad_overlapping, bad, overlapping, rest, x - 1,
           weight * x * (rest + x) / ((bad - x + 1.0) * (overlapping - x + 1)), -1
    FROM weights
    WHERE way <= 0 AND x > max(0, -rest) AND weight > 1e-18
),
odds AS MATERIALIZED (
    SELECT key, bad_overlapping, bad, overlapping, rest,
           sum(CASE WHEN x >= bad_overlapping THEN weight ELSE 0.0 END) / sum(weight) AS p
    FROM weights
    GROUP BY key
),
shares AS MATERIALIZED (
    SELECT key,
           printf('%d of %d that overlapped another one, and %d of %d that did not%s', bad_overlapping,
                  overlapping, bad - bad_overlapping, rest + bad,
                  CASE WHEN p IS NULL THEN ''
                       WHEN p < 0.001 THEN ' (p < 0.001 by Fisher''s exact test, one-sided)'
                       ELSE printf(' (p = %.3f by Fisher''s exact test, one-sided)', min(p, 1.0)) END) AS text
    FROM odds
)
-- End of what is equal.
SELECT exchange_id,
       session_id,
       site_id,
       start_at AS at,
       CASE WHEN lifetime_s IS NOT NULL AND protection = 'protected' AND NOT other_login AND NOT loss_doubt
                 AND NOT pairing_doubt THEN 'contradiction'
            ELSE 'suspect' END AS verdict,
       printf('%s %s answered %d as a success, but its session was denied %s later and never granted (%s %s: %d)%s',
              method, path, status, gap, denial_method, denial_path, denial_status,
              CASE WHEN overlaps THEN '; another login was going on' ELSE '' END) AS summary,
       (SELECT json_group_array(text) FROM (
            SELECT 'The server did not say how long the session is to live, so it may have ended by itself.' AS text
                   WHERE lifetime_s IS NULL
            UNION ALL SELECT 'It is not known whether the endpoint that denied it needs a session.'
                   WHERE protection = 'unknown'
            UNION ALL SELECT 'The same user logged in again, though this site lets a user have several sessions.'
                   WHERE other_login
            UNION ALL SELECT 'The login did not name a user, so a later login of the same user cannot be told.'
                   WHERE user_id IS NULL
            UNION ALL SELECT 'The capture lost bytes between login and denial that may hide a logout or a grant.'
                   WHERE loss_doubt
            UNION ALL SELECT 'After a loss it is not certain which request was answered by which response.'
                   WHERE pairing_doubt
            UNION ALL SELECT 'The session is a self-contained token (JWT or the like).' WHERE is_jwt
            UNION ALL SELECT printf('Of the logins here it happened to %s.', (SELECT text FROM shares WHERE key = endpoint_id))
            )) AS caveats,
       json_array(
            json_object('role', 'login', 'exchange_id', exchange_id,
                        'text', printf('%s %s answered %d: a session is given', method, path, status)),
            json_object('role', 'denial', 'exchange_id', denial_exchange_id,
                        'text', printf('%s %s answered %d, begun %s later: its first use', denial_method, denial_path,
                                       denial_status, gap))) AS evidence
FROM judged
ORDER BY at, exchange_id;

-- Logins whose session was used afterwards.
SELECT f.site_id, f.start_at / 900000000000 AS quarter, count(*) AS exercised
FROM login_facts f
WHERE f.outcome = 'success' AND f.first_access_id IS NOT NULL
GROUP BY 1, 2;
