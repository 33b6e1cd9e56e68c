/*
id: extra-response
title: The server sends an answer that nobody asked for
severity: medium
meaning: >
  A whole response came on a connection on which no request was waiting for one: the request before it was answered
  already. A client, or a proxy that shares its connections among users, takes it for the answer to the next request:
  from then on each user gets what another one asked for.
cause: >
  Two parts of the server both answer: a handler that goes on after it hijacked the connection or handed the request
  to another, a goroutine that writes after its handler returned, a retry inside a proxy; or a body that a
  response must not have (to HEAD, with 204 or 304), read as another answer.
confirm: >
  Open one connection by hand, send the request of the finding once, and wait: a second status line must not come. Look for
  Hijack, for writers that are kept by goroutines, and run the server with the race detector (go test -race, go
  run -race).
repair: >
  One owner for each connection: after Hijack only the hijacker writes; return after an answer; never keep a
  ResponseWriter beyond its handler.
lookalikes: >
  Interim responses (1xx); a 408 or 400 with which a server closes an idle or broken connection; a request that the capture lost.
silence: >
  A request that the capture may have lost on that connection, or a connection whose beginning it lacks.
references: CWE-362 Race Condition, CWE-444 Inconsistent Interpretation of HTTP Requests, CWE-675
*/

-- Whole responses without a request, on connections of whose client nothing is missing.
WITH alone AS MATERIALIZED (
    SELECT x.exchange_id, x.site_id, x.status, x.stream_id, x.response_at, x.response_end_at, x.server, x.server_port,
           x.is_resynchronised AS pairing_doubt, s.server_fin_at, s.server_rst_at
    FROM broken_facts x
    CROSS JOIN stream_facts s ON s.stream_id = x.stream_id
    WHERE x.method IS NULL AND x.status >= 200 AND x.state = 'complete' AND NOT x.loss
      AND NOT s.is_midstream AND s.client_gap_bytes = 0 AND s.server_gap_bytes = 0
      AND NOT EXISTS (SELECT 1 FROM loss_facts l WHERE l.stream_id = x.stream_id AND l.hides_exchanges)
),
-- In the order of the answers on these connections: the last one to a request, and whether there is another.
ordered AS MATERIALIZED (
    SELECT x.exchange_id,
           max(CASE WHEN x.method IS NOT NULL THEN x.exchange_id END)
               OVER (answers ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS answered_id,
           lead(x.exchange_id) OVER answers AS next_id
    FROM exchange_facts x
    WHERE x.stream_id IN (SELECT stream_id FROM alone) AND x.response_at IS NOT NULL
    WINDOW answers AS (PARTITION BY x.stream_id ORDER BY x.response_at, x.exchange_id)
),
extra AS (
    SELECT a.*, n.exchange_id AS answered_id, n.method, n.path, n.status AS first_status, n.session_id,
           -- The capture as a whole lost frames meanwhile: a request may be among them.
           (coalesce((SELECT l.to_at FROM loss_span_facts l
                      WHERE l.server IS NULL AND l.from_at <= a.response_at
                      ORDER BY l.from_at DESC LIMIT 1) >= n.request_at, 0)
            OR EXISTS (SELECT 1 FROM loss_facts l
                       WHERE l.hides_exchanges AND l.stream_id IS NULL
                         AND l.server = a.server AND l.server_port = a.server_port
                         AND l.from_at <= a.response_at AND l.to_at >= n.request_at)) AS loss_doubt
    FROM alone a
    CROSS JOIN ordered o ON o.exchange_id = a.exchange_id
    CROSS JOIN exchange_facts n ON n.exchange_id = o.answered_id
    -- The last words on a connection that the server closes.
    WHERE NOT (a.status IN (400, 408) AND o.next_id IS NULL
               AND coalesce(a.server_fin_at, a.server_rst_at) IS NOT NULL)
)
SELECT exchange_id,
       session_id,
       site_id,
       response_at AS at,
       CASE loss_doubt + pairing_doubt WHEN 0 THEN 'proven' WHEN 1 THEN 'contradiction' ELSE 'suspect' END AS verdict,
       printf('a second answer (%d) came after %s %s had been answered %d, and no request was waiting',
              status, method, path, first_status) AS summary,
       (SELECT json_group_array(text) FROM (
            SELECT 'The capture lost frames meanwhile: a request may be among them.' AS text WHERE loss_doubt
            UNION ALL SELECT 'After a loss it is not certain which request was answered by which response.'
                   WHERE pairing_doubt)) AS caveats,
       json_array(
            json_object('role', 'request', 'exchange_id', answered_id,
                        'text', printf('%s %s answered %d', method, path, first_status)),
            json_object('role', 'extra', 'exchange_id', exchange_id,
                        'text', printf('another answer, %d, on the same connection', status))) AS evidence
FROM extra
ORDER BY at, exchange_id;

-- Answers to requests.
SELECT site_id, quarter, sum(exchanges) AS exercised
FROM status_facts
WHERE status >= 200 OR status = 101
GROUP BY site_id, quarter;
