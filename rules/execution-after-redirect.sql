/*
id: execution-after-redirect
title: The handler runs on after its redirect or refusal
severity: medium
meaning: >
  The server sent a browser elsewhere, or refused it, and then wrote on: behind the text that its framework writes for
  a redirect or an error stands what only somebody who was let in should have got. A browser follows the redirect
  and shows nothing of it, so nobody notices; any program that reads the answer has it. And what the handler did
  after its answer (a booking, a deletion) was done for somebody who was turned away.
cause: >
  A return is missing behind the call that redirects or refuses, or the check stands in a helper whose
  result nobody looks at. Where it comes and goes, the check depends on state that another request changes
  meanwhile (the session is there for the first look and gone for the second). Also a goroutine that writes into an
  answer that is not its own any more.
confirm: >
  Request the page without a session (curl -i) and read the whole answer. Find the call that redirects (http.Redirect,
  http.Error, header('Location'), sendRedirect, Response.Redirect with endResponse=false) and look whether each way on
  from it ends the handler; go vet and linters for unreachable or missing returns help. Run the server with the race
  detector (go test -race, go run -race), and log what is done after the answer.
repair: >
  Return at once after a redirect or an error, or make the check a middleware that does not call the handler at all. Let
  helpers that answer return a value that the compiler makes the caller look at. Take the session once for each
  request, not anew at each question.
lookalikes: >
  The framework's own text alone; pages that a site made for its redirects and errors, with links of their own;
  comments and scripts that a proxy or a tool adds; the same redirect text twice (see double-redirect for two that
  differ). A redirect to a POST has no text in Go's net/http, so what stands there is only a suspicion, unless the
  endpoint's other redirects have none. Of long bodies only the beginning is kept (16 KiB).
silence: >
  An answer that ends with the framework's text; content that is cut, lost or in a coding that could not be decoded;
  a text of the site's own in the place of the framework's (it is a suspicion then).
references: CWE-698 Execution After Redirect, CWE-705 Incorrect Control Flow Scoping, CWE-362 Race Condition
*/

-- Marks of redirects and refusals: see session/facts.h, mark_kind and answer_rest.
WITH marked AS MATERIALIZED (
    SELECT x.exchange_id, x.session_id, x.site_id, x.endpoint_id, x.method, x.path, x.status, x.role, x.location,
           x.request_at, x.response_at, x.pairing = 'resynchronised' AS pairing_doubt,
           m.kind, m.text AS framework, m.value & 15 AS rest, (m.value >> 4) & 1 AS is_exact, m.value >> 8 AS line_bytes
    FROM mark_facts m
    CROSS JOIN exchange_facts x ON x.exchange_id = m.exchange_id
    WHERE m.kind IN (4, 5, 6)
),
-- How these endpoints answer otherwise, looked for once: redirects without content (an empty chunked one has 5 bytes);
-- texts of each length (chunks add 10 or 11 bytes to a line of error text).
empty AS MATERIALIZED (
    SELECT DISTINCT o.endpoint_id
    FROM (SELECT 1 FROM marked WHERE kind = 5 LIMIT 1)
    CROSS JOIN response_facts o
    WHERE o.endpoint_id IN (SELECT endpoint_id FROM marked WHERE kind = 5)
      AND o.bytes <= 5 AND o.is_whole AND o.status IN (301, 302, 303, 307, 308)
),
texts AS MATERIALIZED (
    SELECT DISTINCT o.endpoint_id, o.status, o.bytes
    FROM (SELECT 1 FROM marked WHERE kind = 6 AND rest = 1 LIMIT 1)
    CROSS JOIN response_facts o
    WHERE o.endpoint_id IN (SELECT endpoint_id FROM marked WHERE kind = 6 AND rest = 1)
      AND o.is_whole AND NOT o.is_json AND NOT o.is_html
),
compared AS (
    SELECT c.*,
           c.kind = 5 AND coalesce(c.endpoint_id IN (SELECT endpoint_id FROM empty), 0) AS others_empty,
           c.kind = 6 AND c.rest = 1
           AND coalesce((c.endpoint_id, c.status, c.line_bytes) IN (SELECT endpoint_id, status, bytes FROM texts)
                        OR (c.endpoint_id, c.status, c.line_bytes + 10) IN (SELECT endpoint_id, status, bytes FROM texts)
                        OR (c.endpoint_id, c.status, c.line_bytes + 11) IN (SELECT endpoint_id, status, bytes FROM texts),
                        0) AS others_line
    FROM marked c
),
judged AS (
    SELECT c.*,
           CASE WHEN kind IN (4, 6) AND is_exact AND rest IN (2, 3) THEN 3
                WHEN kind = 4 AND is_exact AND rest = 1 THEN 3
                WHEN kind = 4 AND is_exact THEN 1
                WHEN kind = 4 AND rest IN (1, 2, 3) THEN 1
                WHEN kind = 6 AND rest IN (2, 3) THEN 1
                WHEN kind = 6 AND rest = 1 AND others_line THEN 1
                WHEN kind = 5 AND rest IN (1, 2, 3) AND method IS NOT NULL AND method NOT IN ('GET', 'HEAD')
                     THEN 1 + others_empty
                WHEN kind = 5 AND rest IN (1, 2, 3) AND method = 'GET' AND others_empty THEN 1
                ELSE 0 END AS sureness,
           CASE rest WHEN 1 THEN 'more text' WHEN 2 THEN 'JSON' WHEN 3 THEN 'HTML' ELSE 'comments or scripts' END AS more
    FROM compared c
),
best AS (
    SELECT j.*,
           max(1, sureness - pairing_doubt) AS level,
           row_number() OVER (PARTITION BY exchange_id ORDER BY sureness DESC, kind) AS place
    FROM judged j
    WHERE sureness > 0
)
SELECT exchange_id,
       session_id,
       site_id,
       coalesce(request_at, response_at) AS at,
       CASE level WHEN 3 THEN 'proven' WHEN 2 THEN 'contradiction' ELSE 'suspect' END AS verdict,
       CASE kind
           WHEN 4 THEN printf('%s answered %d to %s with the text of %s for that, and %s behind it',
                              CASE WHEN method IS NULL THEN 'a request' ELSE printf('%s %s', method, path) END,
                              status, location, framework, more)
           WHEN 5 THEN printf('%s %s answered %d to %s with %s that says nothing of a redirect',
                              method, path, status, location, CASE rest WHEN 1 THEN 'a text' ELSE more END)
           ELSE printf('%s answered %d with a line of error text, and %s behind it',
                       CASE WHEN method IS NULL THEN 'a request' ELSE printf('%s %s', method, path) END, status, more)
       END AS summary,
       (SELECT json_group_array(text) FROM (
            SELECT 'The text is not one of those that always end the answer: it may be a page of the site''s own.' AS text
                   WHERE kind IN (4, 6) AND NOT is_exact
            UNION ALL SELECT 'Only comments or scripts follow: a proxy or a tool may have added them.'
                   WHERE kind = 4 AND rest = 4
            UNION ALL SELECT 'It may be an error text of two lines.' WHERE kind = 6 AND rest = 1
            UNION ALL SELECT 'It may be a page that the site made for its redirects.' WHERE kind = 5 AND NOT others_empty
            UNION ALL SELECT 'Some redirects of this endpoint have no content, but who wrote those is not known.'
                   WHERE kind = 5 AND others_empty AND method = 'GET'
            UNION ALL SELECT 'After a loss it is not certain which request was answered by which response.'
                   WHERE pairing_doubt)) AS caveats,
       json_array(json_object('role', CASE WHEN role IN ('login', 'logout') THEN role ELSE 'access' END,
                              'exchange_id', exchange_id,
                              'text', CASE WHEN kind = 5 AND others_empty
                                  THEN printf('answered %d with content; other redirects of this endpoint have none', status)
                                  ELSE printf('answered %d, then %s', status,
                                              CASE rest WHEN 1 THEN 'text' ELSE more END) END)) AS evidence
FROM best
WHERE place = 1
ORDER BY at, exchange_id;

-- Redirects and refusals that may have content.
SELECT site_id, quarter, sum(exchanges) AS exercised
FROM status_facts
WHERE method != 'HEAD' AND status IN (301, 302, 303, 307, 308, 401, 403)
GROUP BY site_id, quarter;
