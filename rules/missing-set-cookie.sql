/*
id: missing-set-cookie
title: A successful login comes without its session cookie
severity: high
meaning: >
  The server said that the login worked, but the answer lacks the session cookie (or token) that the same answer
  otherwise carries. The user is not signed in, is asked to sign in again, and blames the password; with a
  cookie of an earlier visitor in the browser, they may go on in somebody else's session.
cause: >
  The header is written before the session is saved: http.SetCookie after WriteHeader or after the first
  byte of the body does nothing. That is an order bug without concurrency too; where the session is saved in
  a goroutine, it shows only when that loses the race. A header map shared by several requests has the same mark.
confirm: >
  Log in many times in parallel and count the answers without Set-Cookie. Search the login handler for WriteHeader,
  Redirect or a write to the body before SetCookie, and for goroutines that get the ResponseWriter. Run
  the server with the race detector (go test -race, go run -race).
repair: >
  Save the session first, set the cookie, then write status and body, all in the handler's own goroutine. Fail the
  login if the session cannot be saved.
lookalikes: >
  Failed logins that are answered with 200; the first step of a login in two steps; a login again that keeps the live
  session; sites that give the token in the body; answers of which the capture lost a part.
silence: >
  Too few logins that were answered alike with the token (the parameters below); a profile whose success of the
  login this answer does not meet; a token that the answer holds elsewhere. While nothing else was seen of the session
  that came with the request, there is only a suspicion: the login may have kept it.
references: CWE-362 Race Condition, CWE-696 Incorrect Behavior Order, CWE-821
parameters:
  min_others:
    default: 2
    help: So many logins answered alike must have carried the token for a contradiction.
  min_percent:
    default: 50
    help: More than this share of the logins answered alike must have carried it for a contradiction.
*/

-- Endpoints of which a login lacks its token: few, or none.
WITH lacking AS (
    SELECT DISTINCT f.endpoint_id FROM new_logins f WHERE f.outcome = 'success' AND f.missing_token
),
-- Logins answered alike: same endpoint and status, and same redirect target or same form of answer.
logins AS MATERIALIZED (
    SELECT f.exchange_id, f.site_id, f.endpoint_id, f.method, f.path, f.status,
           -- A target that carries a token (~ and its hash) or a long number differs each time but for its path, and
           -- that of 201 is what was made: another one each time.
           coalesce(CASE WHEN instr(f.location, '~') > 0 OR f.status = 201
                           OR f.location GLOB '*[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]*'
                         THEN f.location_path END, f.location, f.shape) AS answer,
           f.start_at, f.end_at, f.missing_token,
           f.carried_session_id,
           f.exchange_id IN (SELECT exchange_id FROM overlapping_logins) AS overlaps,
           f.is_complete AND f.response_whole AND NOT f.loss AND NOT f.is_resynchronised AS is_whole,
           f.session_id IS NOT NULL AS has_token
    FROM login_facts f
    WHERE f.outcome = 'success' AND f.endpoint_id IN (SELECT endpoint_id FROM lacking)
),
alike AS MATERIALIZED (
    SELECT site_id, endpoint_id, status, answer,
           -- The first one that carries it, else the first.
           substr(min(printf('%d%020d%020d', NOT has_token, start_at, exchange_id)), 22) + 0 AS example_id,
           sum(has_token) AS carried, sum(missing_token) AS missed,
           sum(has_token AND overlaps) AS carried_overlapping, sum(missing_token AND overlaps) AS missed_overlapping
    FROM logins
    GROUP BY site_id, endpoint_id, status, answer
),
bare AS (
    SELECT l.*, a.example_id, a.carried, a.missed, a.carried_overlapping, a.missed_overlapping,
           -- What the session was that came with the request shows in its answers.
           l.carried_session_id IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM session_history h
                           WHERE h.session_id = l.carried_session_id AND h.exchange_id != l.exchange_id
                             AND (h.kind IN ('login', 'logout', 'issued', 'denied')
                                  OR (h.kind = 'granted' AND h.protection != 'public'))) AS may_be_kept
    FROM new_logins n
    CROSS JOIN logins l ON l.exchange_id = n.exchange_id
    JOIN alike a ON a.site_id = l.site_id AND a.endpoint_id = l.endpoint_id AND a.status IS l.status
                AND a.answer IS l.answer
    WHERE n.missing_token AND l.missing_token AND l.is_whole AND a.carried > 0
      -- A login again that keeps the live session: what the carried session's last answer said before,
      -- or the first one after it.
      AND coalesce((SELECT h.kind FROM session_history h
                    WHERE h.session_id = l.carried_session_id AND h.start_at < l.start_at
                      AND h.kind IN ('login', 'granted', 'denied', 'logout')
                      AND (h.kind != 'granted' OR h.protection != 'public')
                    ORDER BY h.start_at DESC, h.operation_id DESC LIMIT 1), '')
          NOT IN ('login', 'granted')
      AND coalesce((SELECT h.kind FROM session_history h
                    WHERE h.session_id = l.carried_session_id AND h.start_at > l.end_at
                      AND h.kind IN ('login', 'granted', 'denied', 'logout') AND h.protection != 'public'
                    ORDER BY h.start_at, h.operation_id LIMIT 1), '') != 'granted'
),
settings AS (
    SELECT coalesce((SELECT value FROM rule_parameters
                     WHERE rule = 'missing-set-cookie' AND name = 'min_others'), 2) + 0 AS min_others,
           coalesce((SELECT value FROM rule_parameters
                     WHERE rule = 'missing-set-cookie' AND name = 'min_percent'), 50) + 0 AS min_percent
),
counts AS MATERIALIZED (
    SELECT DISTINCT example_id AS key, missed AS bad, missed_overlapping AS bad_overlapping,
           carried_overlapping + missed_overlapping AS overlapping, carried + missed AS total
    FROM bare
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
SELECT b.exchange_id,
       NULL AS session_id,
       b.site_id,
       b.start_at AS at,
       CASE WHEN b.carried >= min_others AND b.carried * 100 > min_percent * (b.carried + b.missed) AND NOT b.may_be_kept
            THEN 'contradiction' ELSE 'suspect' END AS verdict,
       printf('%s %s answered %d as a success, but without the session''s token that %d of %d such answers carry',
              b.method, b.path, b.status, b.carried, b.carried + b.missed) AS summary,
       (SELECT json_group_array(text) FROM (
            SELECT CASE WHEN b.carried_overlapping + b.missed_overlapping = 0
                   THEN printf('None of these %d logins overlapped another one: it may be an order bug without concurrency.',
                               b.carried + b.missed)
                   ELSE printf('Of these logins it is missing in %s.', (SELECT text FROM shares WHERE key = b.example_id))
                   END AS text
            UNION ALL SELECT 'Too few other logins were answered alike and carry it: the answer may mean something else.'
                   WHERE b.carried < min_others
            UNION ALL SELECT 'The request carried a session of which no other answer was seen: the login may have kept it.'
                   WHERE b.may_be_kept
            UNION ALL SELECT 'Most of the logins answered alike lack it: the answer may mean something else.'
                   WHERE b.carried * 100 <= min_percent * (b.carried + b.missed))) AS caveats,
       (SELECT json_group_array(json_object('role', 'login', 'exchange_id', exchange_id, 'text', text)) FROM (
            SELECT b.exchange_id AS exchange_id,
                   CASE WHEN b.overlaps THEN 'a success without the token, while another login was going on'
                        ELSE 'a success without the token' END AS text
            UNION ALL SELECT b.example_id, 'such an answer with the token')) AS evidence
FROM bare b, settings
ORDER BY at, exchange_id;

-- Logins answered as a success that had a token to miss.
SELECT f.site_id, f.start_at / 900000000000 AS quarter, count(*) AS exercised
FROM login_facts f
WHERE f.outcome = 'success' AND (f.missing_token OR f.session_id IS NOT NULL)
GROUP BY 1, 2;
