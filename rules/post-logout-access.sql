/*
id: post-logout-access
title: A session is served after its logout was acknowledged
severity: high
meaning: >
  The server told the user that they are signed out, and afterwards still answered a request of the same
  session as if they were signed in. Whoever has the cookie (a shared computer, a stolen laptop, a log, a
  proxy) can go on using the account, and the user believes that they ended it.
cause: >
  The logout does not wait for the session to be gone: it is deleted in a goroutine or a job, from a map
  that other handlers use without the same lock, from one of several replicas, or in the store but not in a
  cache of sessions that each process keeps. A request in flight that saves its session again at its
  end brings it back.
confirm: >
  Send a logout, wait for its answer, and send a request with the old cookie, in a loop and under load. Run
  the server with the race detector (go test -race, go run -race) while doing so, and look for the lock around
  the session map at login, lookup and logout. With several replicas, ask each one directly.
repair: >
  Delete the session before the logout is answered, under the lock (or in the transaction) that lookups take; let
  every process look sessions up in one store, or tell all caches and wait; never save a session that was not loaded
  as live at that moment (update only where it exists).
lookalikes: >
  Requests that overlap the logout; a public resource of an endpoint at which others need a session (reported one step
  lower, where only others were denied); public pages and static files asked for with the old cookie; another
  session of the same user; a new login; a remember-me cookie that opens a new session (a suspicion where it may have
  opened the old one again); answers from a cache; a single logout (SAML) that ends the session only when its provider's answer has come back; a signed link, which leaves a
  suspicion.
  Self-contained tokens (JWT) stay valid until they expire unless the server keeps a list of revoked
  ones: the finding says so. A server that gives a new value of the token with every answer may leave the older ones
  to expire: one that is used after the logout is reported one step lower.
silence: >
  Any overlap with the logout, a login that may lie between, a page that was seen without a session or that the
  profile calls public; policies: self_contained_tokens of the profile, where a logout need not end a token. A loss
  between that may hide a login lowers the verdict.
references: CWE-613 Insufficient Session Expiration, CWE-362 Race Condition
*/

-- Each grant that began after the acknowledged logout of its session had ended, with no login between.
WITH late AS MATERIALIZED (
    SELECT g.*, o.exchange_id AS logout_exchange_id, o.start_at AS logout_start_at,
           o.end_at AS logout_end_at, o.method AS logout_method, o.path AS logout_path,
           o.status AS logout_status,
           o.is_resynchronised OR g.is_resynchronised AS pairing_doubt,
           o.session_id != g.session_id AS is_older,
           (coalesce((SELECT l.to_at FROM loss_span_facts l
                      WHERE l.server = g.server AND l.server_port = g.server_port AND l.from_at <= g.end_at
                      ORDER BY l.from_at DESC LIMIT 1) >= o.start_at, 0)
            OR coalesce((SELECT l.to_at FROM loss_span_facts l
                         WHERE l.server IS NULL AND l.from_at <= g.end_at
                         ORDER BY l.from_at DESC LIMIT 1) >= o.start_at, 0)) AS loss_doubt,
           (SELECT h.operation_id FROM session_history h
            WHERE h.session_id = g.session_id AND h.kind = 'login' AND h.start_at <= o.start_at
            ORDER BY h.start_at DESC, h.operation_id DESC LIMIT 1) AS login_id,
           (g.start_at - o.end_at) / 1e6 AS gap_ms
    FROM late_grants g
    JOIN session_history o ON o.operation_id = g.ended_by_id
    WHERE g.protection != 'public'
      AND NOT g.is_cached AND NOT g.is_static AND (NOT g.sets_other_token OR g.rotates)
      AND g.session_order != 'unknown'
      -- Where the session was denied elsewhere after its logout, it did end: a page that is not known to need
      -- one is then a public page.
      AND NOT (g.protection = 'unknown'
               AND EXISTS (SELECT 1 FROM session_history d
                           WHERE d.session_id = g.session_id AND d.kind = 'denied'
                             AND d.start_at > o.end_at))
),
-- What was denied at those endpoints: one endpoint may stand for many resources, and not each needs a session.
refused AS MATERIALIZED (
    SELECT l.endpoint_id, l.target,
           EXISTS (SELECT 1 FROM denial_facts d WHERE d.endpoint_id = l.endpoint_id) AS anything,
           EXISTS (SELECT 1 FROM denial_facts d
                   WHERE d.endpoint_id = l.endpoint_id
                     AND l.target IN (d.target, substr(d.target, 1, instr(d.target || '?', '?') - 1))) AS this
    FROM (SELECT DISTINCT endpoint_id, target FROM late) l
),
-- A credential in the query, beside the session's token, that nothing denied there had: a signed link, a share's. Its
-- name is what stands before ~ and its hash, from the last ? or & on.
linked AS MATERIALIZED (
    SELECT endpoint_id, target, exchange_id, substr(text, length(rtrim(text, replace(replace(text, '?', ''), '&', ''))) + 1)
               AS name
    FROM (SELECT endpoint_id, target, exchange_id, substr(target, 1, instr(target, '=~') + 1) AS text
          FROM late
          WHERE instr(target, '?') BETWEEN 1 AND instr(target, '=~') - 1)
),
opened AS MATERIALIZED (
    SELECT k.exchange_id
    FROM linked k
    WHERE NOT EXISTS (SELECT 1 FROM denial_facts d
                      WHERE d.endpoint_id = k.endpoint_id AND instr(d.target, k.name) > 0)
      AND EXISTS (SELECT 1 FROM denial_facts d WHERE d.endpoint_id = k.endpoint_id)
      AND NOT EXISTS (SELECT 1 FROM token_facts t
                      WHERE t.token_id BETWEEN k.exchange_id * 16 AND k.exchange_id * 16 + 15
                        AND t.carrier NOT IN ('cookie', 'bearer') AND t.sent_session_id IS NOT NULL)
),
-- A target with the token in it differs for everybody.
compared AS (
    SELECT late.*,
           -- Since the logout, with this session: what signs in without a new value of its token.
           EXISTS (SELECT 1 FROM session_steps s
                   CROSS JOIN opener_facts p ON p.token_id BETWEEN s.exchange_id * 16 AND s.exchange_id * 16 + 15
                   WHERE s.session_id = late.session_id AND s.kind = 'granted'
                     AND s.start_at > late.logout_end_at AND s.start_at <= late.end_at) AS remembers,
           instr(late.target, '~') = 0 AND r.anything AND NOT r.this AS asks_other,
           late.exchange_id IN (SELECT exchange_id FROM opened) AS is_linked
    FROM late
    JOIN refused r ON r.endpoint_id IS late.endpoint_id AND r.target IS late.target
),
judged AS (
    SELECT compared.*,
           max(clock_doubt + loss_doubt + pairing_doubt + (is_older OR sets_other_token) + asks_other,
               CASE WHEN protection = 'unknown' OR is_linked OR remembers OR login_doubt OR session_order = 'weak' THEN 2
                    ELSE 0 END) AS steps,
           CASE WHEN gap_ms < 1 THEN printf('%.0f µs', gap_ms * 1e3)
                WHEN gap_ms < 1000 THEN printf('%.1f ms', gap_ms)
                ELSE printf('%.1f s', gap_ms / 1e3) END AS gap
    FROM compared
)
SELECT exchange_id,
       session_id,
       site_id,
       start_at AS at,
       CASE steps WHEN 0 THEN 'proven' WHEN 1 THEN 'contradiction' ELSE 'suspect' END AS verdict,
       printf('%s %s was answered %d although it began %s after the logout of this session was acknowledged%s%s',
              method, path, status, gap,
              CASE WHEN is_older THEN ', with an older value of its rolling token' ELSE '' END,
              CASE WHEN is_jwt THEN ' (self-contained token)' ELSE '' END) AS summary,
       (SELECT json_group_array(text) FROM (
            SELECT 'It is not known whether this endpoint needs a session: no request without one was denied there.'
                   AS text WHERE protection = 'unknown'
            UNION ALL SELECT 'Without a session something else was denied at this endpoint: this may need none.'
                   WHERE asks_other AND protection != 'unknown'
            UNION ALL SELECT 'Its query has a credential that nothing denied there had: a link that needs no session would look so.'
                   WHERE is_linked
            UNION ALL SELECT 'A remember-me cookie came with this request or one since the logout: a sign-in by it that keeps the session''s value would look so.'
                   WHERE remembers
            UNION ALL SELECT 'No login of this session was captured; one that was missed after the logout would explain it.'
                   WHERE session_order = 'weak'
            UNION ALL SELECT printf('An exchange that is not understood may have been a login: %s %s.', d.method, d.path)
                   FROM session_history d WHERE login_doubt AND d.operation_id = judged.doubt_operation_id
            UNION ALL SELECT 'The order holds only if the clock of the capture is exact: it steps back by more than the gap.'
                   WHERE clock_doubt
            UNION ALL SELECT 'The capture lost bytes between logout and access that may hide a login.' WHERE loss_doubt
            UNION ALL SELECT 'After a loss it is not certain which request was answered by which response.'
                   WHERE pairing_doubt
            UNION ALL SELECT 'The logout carried a later value of the token: some servers leave replaced values to expire by themselves.'
                   WHERE is_older
            UNION ALL SELECT 'The answer gives a new value of the token, as this site does time and again: a sign-in by what was not recognised as a credential would look the same.'
                   WHERE sets_other_token
            UNION ALL SELECT 'The session is a self-contained token (JWT or the like): some servers accept these until they expire, by design.'
                   WHERE is_jwt)) AS caveats,
       (SELECT json_group_array(json_object('role', role, 'exchange_id', exchange_id, 'text', text)) FROM (
            SELECT 'login' AS role, h.exchange_id,
                   printf('%s %s: this session was opened', h.method, h.path) AS text
            FROM session_history h WHERE h.operation_id = judged.login_id
            UNION ALL
            SELECT 'logout', logout_exchange_id,
                   printf('%s %s answered %d: the logout is acknowledged', logout_method, logout_path, logout_status)
            UNION ALL
            SELECT 'access', judged.exchange_id,
                   printf('%s %s answered %d, begun %s later', method, path, status, gap))) AS evidence
FROM judged
ORDER BY at, exchange_id;

-- Acknowledged logouts that were followed by an access of the same session.
SELECT o.site_id, o.start_at / 900000000000 AS quarter, count(*) AS exercised
FROM session_steps o
WHERE o.is_logout
  AND (EXISTS (SELECT 1 FROM session_steps a
               WHERE a.session_id = o.session_id AND a.start_at > o.end_at AND a.is_access)
       OR EXISTS (SELECT 1 FROM session_steps a WHERE a.ended_by_id = o.operation_id))
GROUP BY 1, 2;
