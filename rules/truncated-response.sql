/*
id: truncated-response
title: The server breaks off in the middle of an answer
severity: medium
meaning: >
  The server announced an answer (by its Content-Length, or in chunks), sent a part of it, and closed the connection.
  The user sees half a page or an error; at a login nobody knows whether it took effect.
cause: >
  The handler panics after the first bytes were flushed (a nil pointer after a lost race, a map written
  by two goroutines), or writes fewer bytes than it announced, because the data changed between the count and the
  writing; also a process that ended.
confirm: >
  Look at the time of the finding into the server's error log for a panic with its stack, or for a complaint about the declared
  Content-Length. Repeat the request in parallel with those that were going on; run the server with the race
  detector (go test -race, go run -race).
repair: >
  Repair the race that the stack shows. Build the answer from one snapshot of the data, whole in memory where it is
  small, and announce the length of what is sent.
lookalikes: >
  Answers to HEAD and 304, which have a length but no content; a client that closed first; answers that end with
  the connection; a reset half a second after an answer with Connection: close; bytes that the capture lost.
silence: >
  The client's FIN or RST first, a hole in the capture of that connection, an answer that has no declared end.
references: CWE-248 Uncaught Exception, CWE-362 Race Condition, CWE-755
*/

-- Answers that end before their end, where the server closed first.
WITH cut AS MATERIALIZED (
    SELECT x.exchange_id, x.session_id, x.site_id, x.method, x.path, x.status, x.role, x.stream_id, x.request_at,
           x.response_at, x.response_end_at, x.response_bytes, x.is_resynchronised AS pairing_doubt
    FROM broken_facts x
    WHERE x.state = 'aborted-by-server' AND x.status IS NOT NULL
      AND x.method IS NOT NULL AND x.method != 'HEAD' AND x.status != 304
      AND NOT x.response_whole AND NOT x.loss
      -- Of an answer with more fields than are kept nobody says whether its content was whole.
      AND NOT EXISTS (SELECT 1 FROM mark_facts m
                      WHERE m.mark_id = x.exchange_id * 32 AND m.kind = 60 AND m.value / 65536 & 32 != 0)
),
judged AS (
    SELECT c.*,
           s.server_fin_at IS NULL OR s.server_rst_at < s.server_fin_at AS is_reset,
           s.server_gap_bytes > 0 AS gap_doubt,
           (min(coalesce(s.server_fin_at, s.server_rst_at), coalesce(s.server_rst_at, s.server_fin_at))
            - c.response_end_at) / 1e6 AS ms
    FROM cut c
    CROSS JOIN stream_facts s ON s.stream_id = c.stream_id
    WHERE coalesce(s.server_fin_at, s.server_rst_at) IS NOT NULL
      -- A reset that a server sends a while after its answer, for a client that still talks.
      AND NOT (s.server_fin_at IS NULL AND s.server_rst_at - c.response_end_at >= 400000000)
)
SELECT exchange_id,
       session_id,
       site_id,
       request_at AS at,
       CASE WHEN is_reset THEN 'suspect'
            WHEN gap_doubt + pairing_doubt = 0 THEN 'proven'
            WHEN gap_doubt + pairing_doubt = 1 THEN 'contradiction'
            ELSE 'suspect' END AS verdict,
       printf('%s %s%s answered %d, but the server %s the connection %s after %d bytes of its content',
              method, path, CASE WHEN role IN ('login', 'logout') THEN printf(' (a %s)', role) ELSE '' END, status,
              CASE WHEN is_reset THEN 'reset' ELSE 'closed' END,
              CASE WHEN ms < 1 THEN printf('%.0f µs', ms * 1e3) ELSE printf('%.1f ms', ms) END, response_bytes) AS summary,
       (SELECT json_group_array(text) FROM (
            SELECT 'The connection was reset: an answer whose end is that of the connection would look the same.' AS text
                   WHERE is_reset
            UNION ALL SELECT 'The capture lost bytes of this connection.' WHERE gap_doubt
            UNION ALL SELECT 'After a loss it is not certain which request was answered by which response.'
                   WHERE pairing_doubt)) AS caveats,
       json_array(json_object('role', CASE WHEN role IN ('login', 'logout') THEN role ELSE 'access' END,
                              'exchange_id', exchange_id,
                              'text', printf('%s %s answered %d; %d bytes of content, then the end of the connection',
                                             method, path, status, response_bytes))) AS evidence
FROM judged
ORDER BY at, exchange_id;

-- Answers that may have content.
SELECT site_id, quarter, sum(exchanges) AS exercised
FROM status_facts
WHERE method != 'HEAD' AND status >= 200 AND status NOT IN (204, 304)
GROUP BY site_id, quarter;
