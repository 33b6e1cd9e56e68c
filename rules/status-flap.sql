/*
id: status-flap
title: A live session is granted, denied and granted again
severity: high
meaning: >
  The server could not make up its mind whether a session is signed in: one and the same page was granted, then
  denied as if nobody were signed in, then granted again, with no login and no logout between. Users are thrown
  out at random and lose what they were doing; it is also a sign that what one process decides about a session (a
  logout, a change of rights) does not reach the others.
cause: >
  Several processes or replicas that do not share their sessions, behind a balancer without
  affinity; a session map that is read while another handler replaces or copies it; a lookup that takes a
  time-out of the session store for "no session".
confirm: >
  Send the same request with one cookie many times, over many connections, and count the answers. Look for what
  tells the replicas apart (Via, an affinity cookie, a server name) in the granted and in the denied answers. Run the
  server with the race detector (go test -race, go run -race) under parallel logins and requests.
repair: >
  Keep sessions in one store that all replicas read, or bind each client to one replica until they do. Guard the map
  by one lock for readers and writers. Answer 503, not 401, where the store cannot be asked.
lookalikes: >
  Expiry (granted, denied, denied, until the next login); 403 for lack of rights; a 401 or the login page for want of
  rights to another resource, another argument or another query of the same endpoint; 429 and 5xx; a login or
  logout between; a lock screen, or a page that asks for the password or a code once more, that was opened between; a
  remember-me cookie that opens a new session; a new connection that is asked who it is (NTLM, Negotiate).
silence: >
  Any overlap of the three, a login, logout, lock screen or possible login between, a page that is public by what
  was seen or by the profile; another request than those that were granted makes it a suspicion. A loss between that
  may hide a login lowers the verdict.
references: CWE-362 Race Condition, CWE-567 Unsynchronized Access to Shared Data, CWE-613
*/

-- Denials that lie between two grants, with their neighbours. In the end the first one of each session and
-- endpoint counts, before others one that asked for what was granted.
WITH denials AS MATERIALIZED (
    SELECT d.*, b.exchange_id AS before_exchange_id, b.status AS before_status, b.start_at AS before_at,
           b.end_at AS before_end_at,
           a.exchange_id AS after_exchange_id, a.status AS after_status, a.end_at AS after_end_at,
           a.start_at AS after_at,
           b.replica AS before_replica, a.replica AS after_replica,
           b.is_resynchronised OR d.is_resynchronised OR a.is_resynchronised AS pairing_doubt
    FROM flapped_denials d
    JOIN session_history b ON b.operation_id = d.granted_before_id
    JOIN session_history a ON a.operation_id = d.granted_after_id
    WHERE d.protection != 'public'
      AND NOT d.is_cached AND NOT b.is_cached AND NOT a.is_cached
      AND NOT d.sets_other_token AND (NOT a.sets_other_token OR a.rotates)
      AND d.session_order != 'unknown'
),
-- What the session was granted there: one endpoint may stand for many resources, and rights differ.
asked AS MATERIALIZED (
    SELECT session_id, endpoint_id, target, request_hash, count(*) AS times,
           substr(target, 1, instr(target || '?', '?') - 1) AS place
    FROM session_history
    WHERE kind = 'granted'
      AND (session_id, endpoint_id) IN (SELECT session_id, endpoint_id FROM denials)
    GROUP BY session_id, endpoint_id, target, request_hash
),
-- Where no two requests are equal but for the path, a number that changes each time tells nothing.
varying AS MATERIALIZED (
    SELECT session_id, endpoint_id, min(place) AS place
    FROM asked
    GROUP BY session_id, endpoint_id
    HAVING max(times) = 1 AND count(*) > 1 AND min(place) = max(place)
),
compared AS (
    SELECT denials.*,
           CASE WHEN EXISTS (SELECT 1 FROM asked k
                             WHERE k.session_id = denials.session_id AND k.endpoint_id = denials.endpoint_id
                               AND k.target = denials.target AND k.request_hash IS denials.request_hash) THEN 0
                WHEN EXISTS (SELECT 1 FROM varying v
                             WHERE v.session_id = denials.session_id AND v.endpoint_id = denials.endpoint_id
                               AND v.place = substr(denials.target, 1, instr(denials.target || '?', '?') - 1)) THEN 1
                ELSE 2 END AS asks_other -- 0: for what was granted; 1: who can tell; 2: for something else
    FROM denials
),
flaps AS (
    SELECT compared.*,
           row_number() OVER (PARTITION BY session_id, endpoint_id
                              ORDER BY asks_other, start_at, operation_id) AS place,
           count(*) OVER (PARTITION BY session_id, endpoint_id) AS denials
    FROM compared
),
firsts AS (
    SELECT flaps.*,
           (coalesce((SELECT l.to_at FROM loss_span_facts l
                      WHERE l.server = flaps.server AND l.server_port = flaps.server_port AND l.from_at <= after_end_at
                      ORDER BY l.from_at DESC LIMIT 1) >= before_at, 0)
            OR coalesce((SELECT l.to_at FROM loss_span_facts l
                         WHERE l.server IS NULL AND l.from_at <= after_end_at
                         ORDER BY l.from_at DESC LIMIT 1) >= before_at, 0)) AS loss_doubt,
           before_replica IS NOT replica OR after_replica IS NOT replica AS replicas_differ,
           (start_at - before_end_at) / 1e6 AS ms_before,
           (after_at - end_at) / 1e6 AS ms_after
    FROM flaps
    WHERE place = 1
),
judged AS (
    SELECT firsts.*,
           max(clock_doubt + loss_doubt + pairing_doubt + (asks_other > 0), asks_other,
               CASE WHEN protection = 'unknown' OR login_doubt THEN 2 ELSE 0 END) AS steps,
           CASE WHEN ms_before < 1 THEN printf('%.0f µs', ms_before * 1e3)
                WHEN ms_before < 1000 THEN printf('%.1f ms', ms_before)
                ELSE printf('%.1f s', ms_before / 1e3) END AS since_before,
           CASE WHEN ms_after < 1 THEN printf('%.0f µs', ms_after * 1e3)
                WHEN ms_after < 1000 THEN printf('%.1f ms', ms_after)
                ELSE printf('%.1f s', ms_after / 1e3) END AS until_after
    FROM firsts
)
SELECT exchange_id,
       session_id,
       site_id,
       start_at AS at,
       CASE steps WHEN 0 THEN 'proven' WHEN 1 THEN 'contradiction' ELSE 'suspect' END AS verdict,
       printf('%s %s answered %d, %d, %d to one session within %s, with no login or logout between%s%s',
              method, path, before_status, status, after_status,
              CASE WHEN after_at - before_at < 1000000 THEN printf('%.0f µs', (after_at - before_at) / 1e3)
                   WHEN after_at - before_at < 1000000000
                   THEN printf('%.1f ms', (after_at - before_at) / 1e6)
                   ELSE printf('%.1f s', (after_at - before_at) / 1e9) END,
              CASE WHEN denials > 1 THEN printf('; %d denials like this one', denials) ELSE '' END,
              CASE WHEN replicas_differ
                   THEN printf('; replicas disagree: %s granted, %s denied, %s granted',
                               coalesce(before_replica, '?'), coalesce(replica, '?'),
                               coalesce(after_replica, '?'))
                   ELSE '' END) AS summary,
       (SELECT json_group_array(text) FROM (
            SELECT 'It is not known whether this endpoint needs a session: no request without one was denied there.'
                   AS text WHERE protection = 'unknown'
            UNION ALL SELECT printf('An exchange that is not understood may have been a login: %s %s.', m.method, m.path)
                   FROM session_history m WHERE login_doubt AND m.operation_id = judged.doubt_operation_id
            UNION ALL SELECT 'The refused request asked for something else than those that were granted: it may be about rights, not about the session.'
                   WHERE asks_other = 2
            UNION ALL SELECT 'No two of these requests are equal: what they ask for may matter.' WHERE asks_other = 1
            UNION ALL SELECT 'The order holds only if the clock of the capture is exact.' WHERE clock_doubt
            UNION ALL SELECT 'The session is a self-contained token (JWT or the like): processes that hold different keys or lists of revoked tokens differ like this.'
                   WHERE is_jwt
            UNION ALL SELECT 'The capture lost bytes between the three answers that may hide a login.' WHERE loss_doubt
            UNION ALL SELECT 'After a loss it is not certain which request was answered by which response.'
                   WHERE pairing_doubt)) AS caveats,
       json_array(
            json_object('role', 'access', 'exchange_id', before_exchange_id,
                        'text', printf('granted: %d', before_status)),
            json_object('role', 'denial', 'exchange_id', exchange_id,
                        'text', printf('denied: %d, begun %s after that answer', status, since_before)),
            json_object('role', 'access', 'exchange_id', after_exchange_id,
                        'text', printf('granted again: %d, begun %s after the denial', after_status, until_after)))
           AS evidence
FROM judged
ORDER BY at, exchange_id;

-- Endpoints that a session asked at least three times and was granted or denied.
SELECT site_id, quarter, sum(sessions) AS exercised
FROM often_facts
WHERE protection != 'public'
GROUP BY site_id, quarter;
