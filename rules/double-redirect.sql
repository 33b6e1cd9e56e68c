/*
id: double-redirect
title: One answer redirects to two places
severity: medium
meaning: >
  The answer sends the browser to one place in its Location field and to another in a second one, or in the text that
  the framework wrote for the redirect. Two parts of the server decided about one request and did not agree. Browsers
  follow the first or the last field, other clients and proxies another: some users end where they should not.
cause: >
  A redirect is followed by another, because a return is missing, or because a middleware and the handler
  both look at the session and see different states of it while another request signs in or out. Also Location added
  (Header().Add) where it should be set, and response writers that are wrapped so that each layer has its own map of
  fields.
confirm: >
  Find both targets in the source: each names one of the two decisions. Look whether the first one ends the handler, and
  which state each of them reads. Repeat the request while the session changes (a login or a logout in parallel).
  Run the server with the race detector (go test -race, go run -race).
repair: >
  Return after a redirect; decide in one place, on one reading of the session; set Location, never add it. Let wrapped
  writers refuse a second status.
lookalikes: >
  The same target twice; one target written in two ways (HTML's character references, percent-encoding, relative and
  absolute, with and without a fragment), which are compared after decoding and resolving; a proxy that puts its own
  origin or a prefix of its own into Location and not into the text, all over the site; pages that a site made for its redirects, with links of their own. Two
  calls of Go's http.Redirect alone leave no mark, so that nothing was found proves nothing.
silence: >
  Both targets the same once they are decoded and resolved; the same two prefixes in other redirects of the site, and no
  answer of this page without them; a part of the answer's fields or of its text that the
  capture lost.
references: CWE-705 Incorrect Control Flow Scoping, CWE-362 Race Condition, CWE-698
*/

-- Marks of two targets: see session/facts.h, mark_kind.
WITH marked AS MATERIALIZED (
    SELECT x.exchange_id, x.session_id, x.site_id, x.method, x.path, x.status, x.role, x.request_at, x.response_at,
           x.pairing = 'resynchronised' AS pairing_doubt, m.kind, m.text AS targets,
           x.endpoint_id, x.location, x.response_bytes AS bytes, m.kind = 2 AND m.value & 3 = 2 AS is_mapped,
           CASE WHEN m.kind = 2 AND m.value > 3 THEN m.value >> 2 END AS prefixes,
           row_number() OVER (PARTITION BY x.exchange_id ORDER BY m.kind = 2 AND m.value & 3 = 2, m.mark_id) AS place
    FROM mark_facts m
    CROSS JOIN exchange_facts x ON x.exchange_id = m.exchange_id
    WHERE m.kind IN (1, 2, 3)
),
-- A proxy that changes Location alone does so in every answer, whatever page it is of.
proxied AS MATERIALIZED (
    SELECT site_id, prefixes
    FROM marked
    WHERE prefixes IS NOT NULL
    GROUP BY site_id, prefixes
    HAVING count(DISTINCT substr(location, 1, instr(location || '?', '?') - 1)) >= 2 OR (min(is_mapped) AND count(*) >= 2)
),
unmapped AS MATERIALIZED (
    SELECT DISTINCT o.endpoint_id, o.status
    FROM (SELECT endpoint_id, status, location, min(bytes) AS bytes
          FROM marked
          WHERE prefixes IS NOT NULL
          GROUP BY endpoint_id, status, location) e
    CROSS JOIN response_facts o
    WHERE o.endpoint_id = e.endpoint_id AND o.status = e.status AND o.location = e.location
      AND o.bytes BETWEEN e.bytes AND e.bytes + 64 AND o.is_whole -- the same text with the prefix in it
      AND NOT EXISTS (SELECT 1 FROM marked m WHERE m.exchange_id = o.exchange_id)
)
SELECT exchange_id,
       session_id,
       site_id,
       coalesce(request_at, response_at) AS at,
       CASE max(1, CASE WHEN is_mapped THEN 1 ELSE 3 END - pairing_doubt)
           WHEN 3 THEN 'proven' WHEN 2 THEN 'contradiction' ELSE 'suspect' END AS verdict,
       printf('%s answered %d to two places, %s: %s',
              CASE WHEN method IS NULL THEN 'a request' ELSE printf('%s %s', method, path) END, status,
              CASE kind WHEN 1 THEN 'in two Location fields' WHEN 2 THEN 'in Location and in the text of the redirect'
                   ELSE 'in two texts of redirects' END, targets) AS summary,
       (SELECT json_group_array(text) FROM (
            SELECT 'One path ends with the other: a proxy that maps paths changes Location and not the text.' AS text
                   WHERE is_mapped
            UNION ALL SELECT 'After a loss it is not certain which request was answered by which response.'
                   WHERE pairing_doubt)) AS caveats,
       json_array(json_object('role', CASE WHEN role IN ('login', 'logout') THEN role ELSE 'access' END,
                              'exchange_id', exchange_id, 'text', printf('answered %d to %s', status, targets))) AS evidence
FROM marked
WHERE place = 1
  AND (prefixes IS NULL
       OR (site_id, prefixes) NOT IN (SELECT site_id, prefixes FROM proxied)
       OR (endpoint_id, status) IN (SELECT endpoint_id, status FROM unmapped))
ORDER BY at, exchange_id;

-- Redirects.
SELECT site_id, quarter, sum(exchanges) AS exercised
FROM status_facts
WHERE status IN (301, 302, 303, 307, 308)
GROUP BY site_id, quarter;
