/*
id: header-conflict
title: A field that has one value has two
severity: medium
meaning: >
  The answer has a field twice that can only have one value (Content-Type, Content-Length, Location), or sets one cookie
  to two values. Which of them counts is up to the client: browsers, programs and proxies choose differently. With a
  session cookie the user may go on with another session than the server thinks.
cause: >
  Two layers of the server each add the field where they should set it; or a map of fields, a writer or a
  context is kept in a pool and comes back with what the last answer left in it; or two logins of one browser meet in
  one answer (a session renewed by the handler and by the middleware around it).
confirm: >
  See which part of the source writes each of the two values. Where the second one is of another user or request, look
  for pooled objects (sync.Pool) that are handed out before they are emptied, or used on after they were given back;
  run the server with the race detector (go test -race, go run -race).
repair: >
  Set fields, do not add them, unless they are lists; empty pooled objects before they are given back, and give
  nothing back that somebody still uses; let one layer own the session's cookie.
lookalikes: >
  The same value twice; fields that are lists (Cache-Control, Vary, Link, Set-Cookie of other names, paths or domains);
  a cookie that is deleted and then set anew; fields that proxies add beside the server's own (Date, Server, Via). Two
  Location fields of a redirect are double-redirect. A cookie that is set and then deleted is a suspicion, and none at
  a logout.
silence: >
  Equal values, or another name, domain or path of the cookie; fields that the capture lost in part.
references: CWE-436 Interpretation Conflict, CWE-362 Race Condition, CWE-444
*/

-- Marks of fields and cookies with two values: see session/facts.h, mark_kind.
WITH marked AS MATERIALIZED (
    SELECT x.exchange_id, x.session_id, x.site_id, x.method, x.path, x.status, x.role, x.request_at, x.response_at,
           x.pairing = 'resynchronised' AS pairing_doubt,
           m.kind = 9 AS is_cookie, m.kind = 9 AND m.value = 2 AS is_deleted, m.text AS name,
           row_number() OVER (PARTITION BY x.exchange_id ORDER BY m.kind = 9 AND m.value = 2, m.mark_id) AS place
    FROM mark_facts m
    CROSS JOIN exchange_facts x ON x.exchange_id = m.exchange_id
    WHERE m.kind IN (8, 9) AND NOT (m.kind = 9 AND m.value = 2 AND x.role = 'logout')
)
SELECT exchange_id,
       session_id,
       site_id,
       coalesce(request_at, response_at) AS at,
       CASE max(1, CASE WHEN is_deleted THEN 1 ELSE 3 END - pairing_doubt)
           WHEN 3 THEN 'proven' WHEN 2 THEN 'contradiction' ELSE 'suspect' END AS verdict,
       printf('%s answered %d with %s',
              CASE WHEN method IS NULL THEN 'a request' ELSE printf('%s %s', method, path) END, status,
              CASE WHEN is_deleted THEN printf('the cookie %s set and deleted again', name)
                   WHEN is_cookie THEN printf('the cookie %s set to two values', name)
                   ELSE printf('two different values of %s', name) END) AS summary,
       (SELECT json_group_array(text) FROM (
            SELECT 'The cookie is set and then deleted: a handler may have taken back what a middleware gave.' AS text
                   WHERE is_deleted
            UNION ALL SELECT 'After a loss it is not certain which request was answered by which response.'
                   WHERE pairing_doubt)) AS caveats,
       json_array(json_object('role', CASE WHEN role IN ('login', 'logout') THEN role ELSE 'access' END,
                              'exchange_id', exchange_id, 'text', printf('answered %d with %s twice', status, name)))
            AS evidence
FROM marked
WHERE place = 1
ORDER BY at, exchange_id;

-- Answers.
SELECT site_id, quarter, sum(exchanges) AS exercised
FROM status_facts
WHERE status >= 200
GROUP BY site_id, quarter;
