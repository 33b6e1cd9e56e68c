/*
id: logout-keeps-cookie
title: A logout leaves the session's cookie in the browser
severity: low
meaning: >
  The server acknowledged a logout, but the answer did not delete the session cookie that other logouts at this site
  delete. The browser goes on sending it: if the session was not ended on the server either, or comes back by another
  defect, the user is still signed in.
cause: >
  One way through the logout forgets the deletion: an early return, a branch for clients that ask for JSON, an
  error that is swallowed; or the cookie is deleted after the header was written (http.SetCookie after
  WriteHeader or a redirect does nothing); or a header map shared by several requests loses it.
confirm: >
  Log out in every way the site offers, also twice at once, and look for Set-Cookie with Max-Age=0 in each answer. Search the
  logout for returns before the deletion, and for writes to the header after the status. Run the server with the race
  detector (go test -race, go run -race).
repair: >
  Delete the cookie first, with the same name, path and domain, on every way through the logout; end the session on the
  server in any case.
lookalikes: >
  A logout that carried no session cookie; sites with tokens that no cookie carries; sites that never delete the cookie and
  end the session on the server only; a logout that replaces the cookie by an anonymous session's; a second logout of a
  session whose cookie another one deletes; remember-me cookies.
silence: >
  Set-Cookie with Max-Age=0, Expires in the past or an empty value in the logout's answer; a profile that names
  another logout; a token that is no cookie.
references: CWE-613 Insufficient Session Expiration, CWE-362 Race Condition
*/

-- Acknowledged logouts (their answers are whole) whose request carried a session's cookie, and whether the answer
-- took it away: deleted, or replaced. The plus keeps SQLite from searching by the session.
WITH logouts AS MATERIALIZED (
    SELECT o.operation_id, o.exchange_id, o.session_id, o.site_id, o.endpoint_id, o.start_at, o.end_at, t.name,
           t.is_deleted OR t.is_new AS is_gone
    FROM session_steps o
    CROSS JOIN token_facts t ON t.token_id BETWEEN o.exchange_id * 16 AND o.exchange_id * 16 + 15
    WHERE o.is_logout
      AND t.carrier = 'cookie' AND +t.sent_session_id = o.session_id
),
deleting AS MATERIALIZED (
    SELECT site_id, endpoint_id, name, count(*) AS gone, min(start_at), exchange_id AS example_id
    FROM logouts
    WHERE is_gone
    GROUP BY site_id, endpoint_id, name
),
kept AS (
    SELECT c.*, x.method, x.path, x.status, x.is_resynchronised,
           coalesce(e.gone, 0) AS gone,
           (SELECT count(*) FROM logouts t
            WHERE t.site_id = c.site_id AND t.endpoint_id = c.endpoint_id AND t.name = c.name) AS total,
           coalesce(e.example_id,
                    (SELECT d.example_id FROM deleting d WHERE d.site_id = c.site_id AND d.name = c.name
                     ORDER BY d.endpoint_id LIMIT 1)) AS example_id
    FROM logouts c
    CROSS JOIN session_history x ON x.operation_id = c.operation_id
    LEFT JOIN deleting e ON e.site_id = c.site_id AND e.endpoint_id = c.endpoint_id AND e.name = c.name
    WHERE NOT c.is_gone AND NOT x.loss
      AND EXISTS (SELECT 1 FROM deleting d WHERE d.site_id = c.site_id AND d.name = c.name)
      -- Another logout of the session deletes it: one that was under way at the same time, or came before.
      AND NOT EXISTS (SELECT 1 FROM logouts o
                      WHERE o.session_id = c.session_id AND o.exchange_id != c.exchange_id
                        AND o.is_gone AND o.start_at <= c.end_at)
      -- A session that had ended before: there was nothing to sign out.
      AND coalesce((SELECT h.kind FROM session_history h
                    WHERE h.session_id = c.session_id AND h.start_at < c.start_at AND h.exchange_id != c.exchange_id
                      AND h.kind IN ('login', 'possible login', 'granted', 'denied', 'logout')
                      AND h.protection != CASE h.kind WHEN 'granted' THEN 'public' ELSE '' END
                    ORDER BY h.start_at DESC, h.operation_id DESC LIMIT 1), '') NOT IN ('denied', 'logout')
)
SELECT exchange_id,
       session_id,
       site_id,
       start_at AS at,
       CASE WHEN gone > 0 AND NOT is_resynchronised THEN 'contradiction' ELSE 'suspect' END AS verdict,
       CASE WHEN gone > 0
            THEN printf('%s %s answered %d without deleting the cookie %s, which %d of %d such logouts delete',
                        method, path, status, name, gone, total)
            ELSE printf('%s %s answered %d without deleting the cookie %s, which another logout of this site deletes',
                        method, path, status, name) END AS summary,
       (SELECT json_group_array(text) FROM (
            SELECT 'This endpoint never deletes it: the session may be ended on the server only.' AS text WHERE gone = 0
            UNION ALL SELECT 'The session is a self-contained token (JWT or the like): where the browser keeps it, it may go on working until it expires.'
                   WHERE EXISTS (SELECT 1 FROM session_history j WHERE j.session_id = kept.session_id AND j.is_jwt)
            UNION ALL SELECT 'After a loss it is not certain which request was answered by which response.'
                   WHERE is_resynchronised)) AS caveats,
       json_array(
            json_object('role', 'logout', 'exchange_id', exchange_id,
                        'text', printf('%s %s answered %d, and the cookie stays', method, path, status)),
            json_object('role', 'logout', 'exchange_id', example_id,
                        'text', 'a logout whose answer takes it away')) AS evidence
FROM kept
ORDER BY at, exchange_id;

-- Acknowledged logouts whose request carried a session's cookie.
WITH logouts AS MATERIALIZED (
    SELECT site_id, exchange_id, session_id, start_at FROM session_steps WHERE is_logout
)
SELECT o.site_id, o.start_at / 900000000000 AS quarter, count(DISTINCT o.exchange_id) AS exercised
FROM logouts o
CROSS JOIN token_facts t ON t.token_id BETWEEN o.exchange_id * 16 AND o.exchange_id * 16 + 15
WHERE t.carrier = 'cookie' AND +t.sent_session_id = o.session_id
GROUP BY 1, 2;
