/*
id: superfluous-body
title: A second document stands behind the first
severity: medium
meaning: >
  One answer holds two documents: two JSON values, an error text behind JSON, a page behind a page. Clients that parse the
  whole fail; clients that read the first take an error for a success, or the other way round. The server itself
  counts the request as answered once, with the first status it set.
cause: >
  A return is missing behind the call that wrote the first answer, and the handler goes on to its next one,
  often on a way that is taken only when a save fails because another request changed the same record or session
  meanwhile. Also two layers that both answer (a handler and the middleware around it), or a goroutine that writes
  into a ResponseWriter after its handler returned: its text is then counted in another request's answer.
confirm: >
  Look at the time of the finding into the server's log for "superfluous response.WriteHeader call" (Go), "headers
  already sent" (PHP, Node), "response already committed" (Java). Send the request several times in parallel. Find
  the writer of the second document by its text, and follow how the handler gets there after the first. Run the
  server with the race detector (go test -race, go run -race).
repair: >
  Return after each answer; decide on the outcome before the first byte is written; let one place turn results and
  errors into answers. Never keep a ResponseWriter beyond its handler.
lookalikes: >
  Newline-delimited JSON, JSON sequences, event streams and multipart, also where the lines of a stream are declared
  as plain JSON (three values or more of one make, "?watch"); comments and scripts that caches, proxies and tools
  add; pages shown within a page. Two values with a member in common are proven only if they are
  equal or one of them tells an error; else the endpoint's other answers decide. A redirect, 401 or 403 with more than its text is execution-after-redirect. Of
  long bodies only the beginning is kept (16 KiB): a second document beyond is not seen.
silence: >
  A content that declares itself as a stream (application/x-ndjson, application/json-seq, text/event-stream,
  multipart); bytes that the capture lost.
references: CWE-705 Incorrect Control Flow Scoping, CWE-362 Race Condition, CWE-675
*/

-- Marks of two documents: see session/facts.h, answer_second.
WITH marked AS MATERIALIZED (
    SELECT x.exchange_id, x.session_id, x.site_id, x.endpoint_id, x.method, x.path, x.status, x.role,
           x.request_at, x.response_at, x.pairing = 'resynchronised' AS pairing_doubt,
           m.value & 63 AS what, (m.value >> 6) & 1 AS is_undeclared
    FROM mark_facts m
    CROSS JOIN exchange_facts x ON x.exchange_id = m.exchange_id
    WHERE m.kind = 7
),
-- Endpoints that else answer with one JSON value, looked for once.
singles AS MATERIALIZED (
    SELECT DISTINCT o.endpoint_id, o.status / 100 AS status_class
    FROM (SELECT 1 FROM marked WHERE what = 2 LIMIT 1)
    CROSS JOIN response_facts o
    WHERE o.endpoint_id IN (SELECT endpoint_id FROM marked WHERE what = 2)
      AND o.is_json AND o.is_whole AND o.bytes > 2
      AND o.exchange_id NOT IN (SELECT exchange_id FROM marked)
),
compared AS (
    SELECT c.*,
           c.what = 2 AND coalesce((c.endpoint_id, c.status / 100) IN (SELECT endpoint_id, status_class FROM singles), 0)
               AS others_single
    FROM marked c
    WHERE c.what != 4
      -- Where an endpoint sends streams of values, two of them are a short one.
      AND NOT (c.what IN (1, 2, 3)
               AND coalesce(c.endpoint_id IN (SELECT k.endpoint_id FROM marked k WHERE k.what = 4), 0))
),
judged AS (
    SELECT c.*,
           max(1, CASE WHEN is_undeclared OR what = 9 THEN 1 WHEN what = 2 THEN 1 + others_single ELSE 3 END
                  - pairing_doubt) AS level
    FROM compared c
)
SELECT exchange_id,
       session_id,
       site_id,
       coalesce(request_at, response_at) AS at,
       CASE level WHEN 3 THEN 'proven' WHEN 2 THEN 'contradiction' ELSE 'suspect' END AS verdict,
       printf('%s answered %d with %s',
              CASE WHEN method IS NULL THEN 'a request' ELSE printf('%s %s', method, path) END, status,
              CASE what WHEN 1 THEN 'two JSON values that do not belong together' WHEN 2 THEN 'two JSON values'
                   WHEN 3 THEN 'the same JSON value twice' WHEN 5 THEN 'a JSON value and a text behind it'
                   WHEN 6 THEN 'a JSON value and HTML behind it' WHEN 7 THEN 'two HTML documents'
                   WHEN 8 THEN 'an HTML document and JSON behind it'
                   WHEN 9 THEN 'an HTML document and a line of error text behind it'
                   WHEN 10 THEN 'a line of error text and JSON behind it'
                   ELSE 'a line of error text and HTML behind it' END) AS summary,
       (SELECT json_group_array(text) FROM (
            SELECT 'The content is JSON by its looks, not by its Content-Type.' AS text WHERE is_undeclared
            UNION ALL SELECT 'Two lines of a stream of JSON values would look the same.' WHERE what = 2
            UNION ALL SELECT 'Pages that print a notice behind their end would look the same.' WHERE what = 9
            UNION ALL SELECT 'After a loss it is not certain which request was answered by which response.'
                   WHERE pairing_doubt)) AS caveats,
       json_array(json_object('role', CASE WHEN role IN ('login', 'logout') THEN role ELSE 'access' END,
                              'exchange_id', exchange_id,
                              'text', CASE WHEN what = 2 AND others_single
                                  THEN printf('answered %d with two values; other answers of this endpoint have one', status)
                                  ELSE printf('answered %d with two documents', status) END)) AS evidence
FROM judged
ORDER BY at, exchange_id;

-- Answers that may have content and are no redirects.
SELECT site_id, quarter, sum(exchanges) AS exercised
FROM status_facts
WHERE method != 'HEAD' AND status >= 200 AND status NOT IN (204, 206, 301, 302, 303, 304, 307, 308)
GROUP BY site_id, quarter;
