/*
id: phantom-400
title: Of identical requests some are refused as malformed
severity: medium
meaning: >
  The server answered 400 to a request whose very bytes it accepts at other times: same method, target, content and
  fields. Users see a form that fails and works when sent again; a right password is refused; programs that do not send
  again lose what they sent.
cause: >
  The content of the request is read twice, or by two at once: an audit log, a signature check or a goroutine
  that outlives its handler reads the body that the handler reads too, and whoever comes second sees it empty or
  in part ("EOF", "unexpected end of JSON input"). Buffers and decoders that several requests share have the same mark.
confirm: >
  Send one request many times, alone and in parallel, and look at the text of the 400s and at the server's log for an empty
  body. Search the code for two readers of one body, for a pooled buffer that is put back while a slice of it is
  still in use, and for goroutines that get the request. Run the server with the race detector (go test -race, go run -race).
repair: >
  Read the body once, before anything runs beside the handler, and hand out copies of the bytes; keep decoders and
  buffers to one request.
lookalikes: >
  429 and other codes than 400; a wrong password, or any other content; one-time values (a CSRF token, a code, a nonce)
  in the content or a field, which are refused when they come again; validation that depends on state: a coupon used
  twice, an article already in the basket, a step out of order, a double click that the server turns away, an account
  not yet registered or locked after wrong passwords, a login's form from before the session expired; a request that
  lacks a field, or has another value of it; a request that was answered before all of it was sent.
silence: >
  Any difference between the requests, an accepted one that is not repeated, something else that was sent between;
  the parameter below.
references: CWE-362 Race Condition, CWE-675 Multiple Operations on Resource in Single-Operation Context
parameters:
  again_s:
    default: 60
    help: >
      A request that is no login must be accepted within so many seconds after it was refused, with nothing else
      changed by the same session between.
*/

-- Endpoints that answer 400 and also accept.
WITH spots AS MATERIALIZED (
    SELECT endpoint_id FROM status_facts
    WHERE method NOT IN ('GET', 'HEAD', 'OPTIONS', 'TRACE')
    GROUP BY endpoint_id
    HAVING sum(status = 400) > 0 AND sum(status BETWEEN 200 AND 399) > 0
),
-- What they were asked, and whether another such request was going on meanwhile.
asked AS MATERIALIZED (
    SELECT x.exchange_id, x.site_id, x.endpoint_id, x.method, x.path, x.status, x.request_hash,
           x.request_at AS start_at, x.response_end_at AS end_at, x.role = 'login' AS is_login, x.user_id, x.had_token,
           -- Who asks: a session, or an address. A login is not about the session that it yields or carries.
           CASE WHEN x.had_token AND x.role != 'login' THEN x.session_id END AS session_id, x.client,
           CASE WHEN x.had_token AND x.role = 'login' THEN x.session_id END AS carried_id,
           x.server, x.server_port, x.has_code,
           x.status = 400 AND x.response_whole AND NOT x.early_response AND NOT x.loss
               AND x.pairing = 'certain' AS is_refused,
           x.status BETWEEN 200 AND 399 AND NOT x.says_failure AND NOT x.leads_to_login AND x.pairing = 'certain'
               AND (x.role != 'login' OR x.outcome = 'success') AS is_accepted
    FROM (SELECT 1 FROM spots LIMIT 1) -- without one the exchanges are not gone through
    CROSS JOIN exchange_facts x
    WHERE x.endpoint_id IN (SELECT endpoint_id FROM spots)
      AND x.request_hash IS NOT NULL AND x.status IS NOT NULL AND x.response_end_at IS NOT NULL
),
-- Whether another one was going on meanwhile, how many others of the user failed in the half hour before, and how
-- identical ones that were accepted lie in time.
placed AS MATERIALIZED (
    SELECT a.*,
           coalesce(max(end_at) OVER (before ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) >= start_at, 0)
               OR coalesce(lead(start_at) OVER before <= end_at, 0) AS overlaps,
           (user_id IS NOT NULL)
               * (sum(NOT is_accepted) OVER (of_user RANGE BETWEEN 1800000000000 PRECEDING AND CURRENT ROW)
                  - sum(NOT is_accepted) OVER (alike RANGE BETWEEN 1800000000000 PRECEDING AND CURRENT ROW))
               AS failures,
           sum(is_accepted) OVER same AS times,
           min(CASE WHEN is_accepted THEN start_at END) OVER same AS first_at,
           max(CASE WHEN is_accepted THEN start_at END) OVER same AS last_at,
           min(CASE WHEN is_accepted THEN end_at END) OVER same AS first_end_at
    FROM asked a
    WINDOW before AS (PARTITION BY endpoint_id ORDER BY start_at, exchange_id),
           of_user AS (PARTITION BY endpoint_id, user_id ORDER BY start_at),
           alike AS (PARTITION BY endpoint_id, user_id, request_hash ORDER BY start_at),
           same AS (PARTITION BY site_id, request_hash, had_token)
),
-- Those of which an identical one was accepted; one-time values are accepted once. SQLite compiles what a step reads anew
-- each time the step is named, so a step that many read is as short as it can be.
refused AS MATERIALIZED (
    SELECT p.*, last_at > first_end_at AS is_repeatable, last_at > end_at AS is_accepted_later
    FROM placed p
    WHERE is_refused AND times > 0
),
-- Of one who asked the same several times: the tries in order, with what was accepted before and after each.
tries AS MATERIALIZED (
    SELECT p.exchange_id, p.is_refused, p.start_at, p.end_at,
           max(CASE WHEN is_accepted THEN end_at END) OVER (tries ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
               AS accepted_end_at,
           min(CASE WHEN is_accepted THEN start_at END) OVER (tries ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
               AS again_at,
           sum(is_refused) OVER (tries ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS refusals
    FROM placed p
    WHERE (p.site_id, p.request_hash) IN (SELECT site_id, request_hash FROM refused)
    WINDOW tries AS (PARTITION BY site_id, request_hash, had_token, session_id,
                                  CASE WHEN session_id IS NULL THEN client END
                     ORDER BY start_at, exchange_id)
),
-- What may have changed the state in between: anything else that was sent, or a link that confirms something.
writes AS MATERIALIZED (
    SELECT x.site_id, x.exchange_id, x.client, x.session_id, x.request_at AS start_at,
           coalesce(x.response_end_at, x.request_at) AS end_at, x.request_hash, x.role, x.user_id
    FROM (SELECT 1 FROM refused LIMIT 1)
    CROSS JOIN exchange_facts x
    WHERE (x.method NOT IN ('GET', 'HEAD', 'OPTIONS', 'TRACE') OR x.is_auth_callback OR x.path LIKE '%verif%'
           OR x.path LIKE '%confirm%' OR x.path LIKE '%activat%')
      AND (x.client IN (SELECT client FROM refused) OR x.session_id IN (SELECT session_id FROM refused)
           OR x.user_id IN (SELECT user_id FROM refused WHERE is_login))
),
settings AS (
    SELECT coalesce((SELECT value FROM rule_parameters
                     WHERE rule = 'phantom-400' AND name = 'again_s'), 60) + 0 AS again_s
),
-- Logins with the token of a session that has ended, to which their form may belong.
stale AS MATERIALIZED (
    SELECT r.exchange_id
    FROM refused r
    CROSS JOIN session_history g ON g.session_id = r.carried_id
    WHERE g.kind = 'granted' AND g.protection != 'public' AND g.start_at < r.start_at
      AND (SELECT h.kind FROM session_history h
           WHERE h.session_id = r.carried_id AND h.start_at < r.start_at
             AND h.kind IN ('granted', 'denied', 'login', 'possible login', 'logout')
           ORDER BY h.start_at DESC, h.operation_id DESC LIMIT 1) IN ('denied', 'logout')
),
-- Accepted soon after it was refused, though nothing else was done; not beside one that was accepted, which may be
-- why, nor asked again and again until it was (a poll).
retried AS MATERIALIZED (
    SELECT r.exchange_id
    FROM refused r
    JOIN tries t ON t.exchange_id = r.exchange_id, settings
    WHERE t.again_at BETWEEN r.end_at AND r.end_at + again_s * 1000000000
      AND coalesce(t.accepted_end_at < r.start_at, t.refusals <= 2 AND NOT r.has_code)
      AND NOT EXISTS (SELECT 1 FROM writes w
                      WHERE w.site_id = r.site_id AND w.request_hash IS NOT r.request_hash
                        AND w.start_at < t.again_at AND w.end_at > r.start_at
                        AND CASE WHEN r.session_id IS NOT NULL THEN w.session_id = r.session_id
                                 ELSE w.client = r.client END
                        AND NOT (r.is_login AND w.role IN ('login', 'logout')))
      AND NOT (coalesce((SELECT l.to_at FROM loss_span_facts l
                         WHERE l.server = r.server AND l.server_port = r.server_port AND l.from_at <= t.again_at
                         ORDER BY l.from_at DESC LIMIT 1) >= r.start_at, 0)
               OR coalesce((SELECT l.to_at FROM loss_span_facts l
                            WHERE l.server IS NULL AND l.from_at <= t.again_at
                            ORDER BY l.from_at DESC LIMIT 1) >= r.start_at, 0))
),
-- A login may be repeated: what was accepted more than once is no one-time value. Where it is not accepted again, the
-- password may have been changed.
phantoms AS MATERIALIZED (
    SELECT r.*,
           coalesce((SELECT s.exchange_id FROM placed s
                     WHERE s.site_id = r.site_id AND s.request_hash = r.request_hash
                       AND s.had_token = r.had_token AND s.is_accepted AND s.start_at > r.start_at
                     ORDER BY s.start_at, s.exchange_id LIMIT 1),
                    (SELECT s.exchange_id FROM placed s
                     WHERE s.site_id = r.site_id AND s.request_hash = r.request_hash
                       AND s.had_token = r.had_token AND s.is_accepted
                     ORDER BY s.start_at DESC, s.exchange_id LIMIT 1)) AS example_id
    FROM refused r
    WHERE r.exchange_id NOT IN (SELECT exchange_id FROM stale)
      AND (r.exchange_id IN (SELECT exchange_id FROM retried)
       OR (r.is_login AND r.is_repeatable AND r.first_at < r.end_at AND r.failures < 3
           AND (r.is_accepted_later
                OR NOT EXISTS (SELECT 1 FROM writes w
                               WHERE w.site_id = r.site_id AND w.start_at < r.end_at
                                 AND w.end_at > (SELECT max(s.end_at) FROM placed s
                                                 WHERE s.site_id = r.site_id AND s.request_hash = r.request_hash
                                                   AND s.had_token = r.had_token AND s.is_accepted
                                                   AND s.start_at < r.end_at)
                                 AND (w.client = r.client OR w.user_id = r.user_id)
                                 AND w.role NOT IN ('login', 'logout')))))
),
-- A step of its own: else SQLite would put what phantoms are in the place of each is_bad.
sorted AS MATERIALIZED (
    SELECT endpoint_id, overlaps, exchange_id IN (SELECT exchange_id FROM phantoms) AS is_bad, is_accepted
    FROM placed
),
counts AS MATERIALIZED (
    SELECT endpoint_id AS key, sum(is_bad) AS bad, sum(is_bad AND overlaps) AS bad_overlapping,
           sum(overlaps) AS overlapping, count(*) AS total
    FROM sorted
    WHERE is_bad OR is_accepted
    GROUP BY endpoint_id
    HAVING sum(is_bad) > 0
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
SELECT p.exchange_id,
       NULL AS session_id,
       p.site_id,
       p.start_at AS at,
       'suspect' AS verdict,
       printf('%s %s was answered 400, and the identical request %s%s', p.method, p.path,
              CASE WHEN p.times = 1 THEN 'was accepted once' ELSE printf('was accepted %d times', p.times) END,
              CASE WHEN p.overlaps THEN '; another one was going on' ELSE '' END) AS summary,
       (SELECT json_group_array(text) FROM (
            SELECT printf('At this endpoint it happened to %s.', s.text) AS text
            UNION ALL SELECT 'What the server knows may have changed in a way that the capture does not show.')) AS caveats,
       json_array(
            json_object('role', CASE WHEN p.is_login THEN 'login' ELSE 'access' END, 'exchange_id', p.exchange_id,
                        'text', printf('%s %s answered 400', p.method, p.path)),
            json_object('role', CASE WHEN p.is_login THEN 'login' ELSE 'access' END, 'exchange_id', e.exchange_id,
                        'text', printf('%s %s answered %d: the same target, content and fields', e.method, e.path,
                                       e.status))) AS evidence
FROM phantoms p
JOIN placed e ON e.exchange_id = p.example_id
JOIN shares s ON s.key = p.endpoint_id
ORDER BY at, p.exchange_id;

-- Requests with a content that were identical to another one, where one of them was accepted.
SELECT site_id, quarter, sum(times) AS exercised
FROM (SELECT site_id, min(start_at) / 900000000000 AS quarter, count(*) AS times
      FROM response_facts
      WHERE request_hash IS NOT NULL AND method NOT IN ('GET', 'HEAD', 'OPTIONS', 'TRACE')
      GROUP BY site_id, request_hash
      HAVING count(*) > 1 AND sum(status BETWEEN 200 AND 399) > 0)
GROUP BY site_id, quarter;
