/*
id: unanswered-request
title: The server closes a connection instead of answering
severity: medium
meaning: >
  A request arrived whole, and the server closed its connection without one byte of response, or kept it open and never
  answered. The user sees an error of the browser; at a login or logout (then it weighs more) nobody knows whether
  it took effect.
cause: >
  The handler panics before it has written anything (a nil pointer after a lost race, a map written by two
  goroutines, a value of another request in a pooled object), or the connection was hijacked and then forgotten; also
  a process that ended, or a server's time-out that is shorter than its work.
confirm: >
  Look at the time of the finding into the server's error log for a panic with its stack. Repeat the request in parallel with
  those that were going on; run the server with the race detector (go test -race, go run -race).
repair: >
  Repair the race that the stack shows. Recover in a middleware that answers 500 and logs, so that no client is left
  without an answer; make a login take effect as a whole or not at all.
lookalikes: >
  A client that closed first; the end of the capture; a server's FIN or RST seen before the request's first byte (an idle
  connection that was closed while the request was on its way); pipelined requests behind an answer that closed the
  connection; requests that were cut off with all other connections of a server that then refused new ones (mass-reset).
silence: >
  The client's FIN or RST first, a FIN of the server on its way before the request began, a hole in the connection,
  the capture's end, a mass-reset that cut it off.
references: CWE-248 Uncaught Exception, CWE-362 Race Condition, CWE-755
parameters:
  never_s:
    default: 300
    help: A request on a connection that stays open was never answered if so many seconds of the capture follow it.
  idle_s:
    default: 1
    help: A connection that was idle for so many seconds before the request may have been closed for that.
*/

-- Whole requests without a response.
WITH waiting AS MATERIALIZED (
    SELECT x.exchange_id, x.session_id, x.site_id, x.method, x.path, x.role, x.state, x.stream_id, x.server, x.server_port,
           x.request_at, x.request_end_at, x.is_resynchronised AS pairing_doubt
    FROM broken_facts x
    WHERE x.state IN ('aborted-by-server', 'no-response')
      AND x.status IS NULL AND x.request_whole AND NOT x.loss
),
capture_ends AS MATERIALIZED (
    SELECT o.capture_id, max(o.last_at) AS last_at
    FROM (SELECT 1 FROM waiting LIMIT 1)
    CROSS JOIN stream_facts o
    GROUP BY o.capture_id
),
-- Those whose connection the server closed afterwards, or that waited long enough.
closed AS MATERIALIZED (
    SELECT w.*, s.clock_doubt,
           min(coalesce(s.server_fin_at, s.server_rst_at), coalesce(s.server_rst_at, s.server_fin_at)) AS closed_at,
           s.server_fin_at IS NULL OR s.server_rst_at < s.server_fin_at AS is_reset,
           s.is_midstream, s.server_gap_bytes + s.client_gap_bytes AS gap_bytes,
           e.last_at - w.request_end_at AS waited
    FROM waiting w
    CROSS JOIN stream_facts s ON s.stream_id = w.stream_id
    CROSS JOIN capture_ends e ON e.capture_id = s.capture_id
    WHERE (w.state = 'aborted-by-server'
           AND min(coalesce(s.server_fin_at, s.server_rst_at), coalesce(s.server_rst_at, s.server_fin_at))
               > w.request_end_at)
       OR (w.state = 'no-response' AND coalesce(s.server_fin_at, s.server_rst_at, s.client_fin_at, s.client_rst_at)
                                       IS NULL)
),
-- Those that were cut off with all connections of a server that then refused new ones: mass-reset.
mass_cuts AS MATERIALIZED (
    SELECT exchange_id
    FROM cut_facts
    WHERE connections >= coalesce((SELECT value FROM rule_parameters
                                   WHERE rule = 'mass-reset' AND name = 'connections'), 2) + 0
),
-- What came before on the connection. Where an answer came after the request had begun, the request was pipelined;
-- where the connection was idle for long, the server's close may have crossed the request on its way.
before AS MATERIALIZED (
    SELECT x.exchange_id, max(x.response_end_at) OVER (PARTITION BY x.stream_id
                                                       ORDER BY x.request_at, x.exchange_id
                                                       ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS answered_at
    FROM exchange_facts x
    WHERE x.stream_id IN (SELECT stream_id FROM closed) AND x.method IS NOT NULL
),
settings AS (
    SELECT coalesce((SELECT value FROM rule_parameters
                     WHERE rule = 'unanswered-request' AND name = 'never_s'), 300) + 0 AS never_s,
           coalesce((SELECT value FROM rule_parameters
                     WHERE rule = 'unanswered-request' AND name = 'idle_s'), 1) + 0 AS idle_s
),
judged AS (
    SELECT c.*,
           c.closed_at - c.request_end_at <= c.clock_doubt AS order_doubt,
           c.gap_bytes > 0 AS gap_doubt,
           coalesce(c.request_at - b.answered_at >= idle_s * 1e9, c.is_midstream) AS idle_doubt,
           (c.closed_at - c.request_end_at) / 1e6 AS ms
    FROM closed c, settings
    LEFT JOIN before b ON b.exchange_id = c.exchange_id
    WHERE coalesce(b.answered_at < c.request_at, 1)
      AND ((c.state = 'aborted-by-server'
            AND c.exchange_id NOT IN (SELECT exchange_id FROM mass_cuts))
           OR (c.state = 'no-response' AND c.waited >= never_s * 1e9))
)
SELECT exchange_id,
       session_id,
       site_id,
       request_at AS at,
       CASE WHEN state = 'no-response' OR idle_doubt THEN 'suspect'
            WHEN order_doubt + gap_doubt + pairing_doubt = 0 THEN 'proven'
            WHEN order_doubt + gap_doubt + pairing_doubt = 1 THEN 'contradiction'
            ELSE 'suspect' END AS verdict,
       CASE WHEN state = 'no-response'
            THEN printf('%s %s%s was never answered, in the %.0f s that the capture goes on', method, path,
                        CASE WHEN role IN ('login', 'logout') THEN printf(' (a %s)', role) ELSE '' END, waited / 1e9)
            ELSE printf('%s %s%s: the server %s the connection %s after the request, without an answer', method, path,
                        CASE WHEN role IN ('login', 'logout') THEN printf(' (a %s)', role) ELSE '' END,
                        CASE WHEN is_reset THEN 'reset' ELSE 'closed' END,
                        CASE WHEN ms < 1 THEN printf('%.0f µs', ms * 1e3) ELSE printf('%.1f ms', ms) END) END AS summary,
       (SELECT json_group_array(text) FROM (
            SELECT 'The connection was still open when the capture ended: the answer may have come later.' AS text
                   WHERE state = 'no-response'
            UNION ALL SELECT 'The connection may have been idle before: the server may have closed it for that, before the request reached it.'
                   WHERE idle_doubt AND state != 'no-response'
            UNION ALL SELECT 'The order of request and close holds only if the clock of the capture is exact.' WHERE order_doubt
            UNION ALL SELECT 'The capture lost bytes of this connection.' WHERE gap_doubt
            UNION ALL SELECT 'After a loss it is not certain which request was answered by which response.'
                   WHERE pairing_doubt)) AS caveats,
       json_array(json_object('role', CASE WHEN role IN ('login', 'logout') THEN role ELSE 'access' END,
                              'exchange_id', exchange_id,
                              'text', printf('%s %s, whole; then no byte of an answer', method, path))) AS evidence
FROM judged
ORDER BY at, exchange_id;

-- Requests.
SELECT site_id, quarter, sum(exchanges) AS exercised
FROM status_facts
GROUP BY site_id, quarter;
