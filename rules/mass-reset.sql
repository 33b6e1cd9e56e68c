/*
id: mass-reset
title: All connections of a server are cut at once, then it refuses new ones
severity: high
meaning: >
  Within a moment the server closed or reset every connection it had, some of them with requests that it had not
  answered yet, and then refused new connections for a while: its process ended. Everybody who was waiting got an error
  instead of an answer, nobody knows whether what they asked for took effect (least of all at a login, a logout or a
  payment), and whatever the process kept in memory is gone.
cause: >
  The process crashed: an unsynchronised map written by two requests at once, which ends the whole process
  at once and cannot be recovered from ("concurrent map writes", exit status 2); a panic in a goroutine or thread of its own,
  where no middleware catches it; memory corruption; the out-of-memory killer. A restart that did not wait for the requests
  at hand (a deployment, kill -9, a supervisor that lost patience) looks the same on the wire.
confirm: >
  Look at the server's error log, the supervisor's journal and the kernel's log at the time of the finding: exit status,
  signal, stack trace, a deployment. Repeat the requests that were open then, in parallel, with the race detector on (go test
  -race, go run -race); a stack that ends in a map access names the map that lacks its lock.
repair: >
  Guard the shared data by one lock for readers and writers (or use a type made for it), recover in every goroutine that
  is started outside a request, and let the service stop in order: refuse new connections, finish the requests at hand, then
  exit.
lookalikes: >
  A graceful shutdown, in which the busy connections get their answers; idle time-outs, however many at a time; a balancer
  or a pool of clients that closes its connections; a replica of several that goes away while others go on answering; one
  client that is cut off while others are served; a request that crossed the close of an idle connection; a server
  that closes connections and goes on accepting (unanswered-request); the end of the capture.
silence: >
  Answers on the connections before they end (an orderly stop), or new connections that are accepted at once; the
  parameters below.
references: CWE-362 Race Condition, CWE-248 Uncaught Exception, CWE-400
parameters:
  connections:
    default: 2
    help: Fewer connections that are closed together are no mass.
  patience_s:
    default: 10
    help: Where every request that was cut off had waited for so many seconds, a stop in order may have run out of time.
*/

WITH settings AS (
    SELECT coalesce((SELECT value FROM rule_parameters
                     WHERE rule = 'mass-reset' AND name = 'connections'), 2) + 0 AS mass,
           coalesce((SELECT value FROM rule_parameters
                     WHERE rule = 'mass-reset' AND name = 'patience_s'), 10) + 0 AS patience_s
),
requests AS MATERIALIZED (
    SELECT f.*, x.site AS site, x.method, x.path, x.role, x.client, x.request_end_at,
           row_number() OVER (PARTITION BY f.server, f.server_port, f.cut_at
                              ORDER BY f.request_at, x.site, f.stream_id, f.exchange_id) AS place
    FROM cut_facts f
    JOIN main.exchange_facts x ON x.exchange_id = f.exchange_id
),
cuts AS (
    SELECT server, server_port, cut_at, cut_end_at, connections, refused_at, refusals, accepted_at, gap_doubt,
           max(CASE WHEN place = 1 THEN site_id END) AS site_id,
           count(*) AS requests, sum(had_begun) AS begun,
           sum(role = 'login') AS logins, sum(role = 'logout') AS logouts,
           count(DISTINCT client) = 1 AS one_client,
           max(closed_at - coalesce(request_end_at, request_at)) <= clock_doubt AS order_doubt,
           min(closed_at - request_at) >= patience_s * 1e9 AS patience_doubt,
           (coalesce((SELECT l.to_at FROM loss_span_facts l
                      WHERE l.server = requests.server AND l.server_port = requests.server_port
                        AND l.from_at <= coalesce(accepted_at, cut_end_at)
                      ORDER BY l.from_at DESC LIMIT 1) >= cut_at - 1000000000, 0)
            OR coalesce((SELECT l.to_at FROM loss_span_facts l
                         WHERE l.server IS NULL AND l.from_at <= coalesce(accepted_at, cut_end_at)
                         ORDER BY l.from_at DESC LIMIT 1) >= cut_at - 1000000000, 0))
               AS loss_doubt
    FROM requests, settings
    WHERE connections >= mass
    GROUP BY server, server_port, cut_at
)
SELECT NULL AS exchange_id,
       NULL AS session_id,
       site_id,
       cut_at AS at,
       CASE WHEN gap_doubt OR loss_doubt OR order_doubt OR patience_doubt THEN 'suspect' ELSE 'contradiction' END AS verdict,
       printf('%s:%d cut %d connections within %s, %d %s unanswered%s; then it refused %d connection%s%s',
              CASE WHEN server LIKE '%:%' THEN '[' || server || ']' ELSE server END, server_port, connections,
              CASE WHEN cut_end_at - cut_at < 1000000 THEN '1 ms'
                   ELSE printf('%.0f ms', (cut_end_at - cut_at) / 1e6) END,
              requests, CASE requests WHEN 1 THEN 'request' ELSE 'requests' END,
              CASE WHEN logins + logouts = 0 THEN ''
                   ELSE printf(' (%d of them logins or logouts)', logins + logouts) END,
              refusals, CASE refusals WHEN 1 THEN '' ELSE 's' END,
              CASE WHEN accepted_at IS NULL THEN ', until the end of the capture'
                   ELSE printf(', for %.1f s', (accepted_at - cut_at) / 1e9) END) AS summary,
       (SELECT json_group_array(text) FROM (
            SELECT 'A crash and a forced restart look the same on the wire.' AS text
            UNION ALL SELECT 'Every request that was cut off had waited for long: a stop in order that ran out of time looks the same.'
                   WHERE patience_doubt
            UNION ALL SELECT 'All connections that were cut with a request open belong to one client.' WHERE one_client
            UNION ALL SELECT 'The order of requests and cut holds only if the clock of the capture is exact.' WHERE order_doubt
            UNION ALL SELECT 'The capture lost bytes that may hide answers.' WHERE gap_doubt OR loss_doubt)) AS caveats,
       (SELECT json_group_array(json_object('role', CASE WHEN role IN ('login', 'logout') THEN role ELSE 'access' END,
                                            'exchange_id', exchange_id, 'text', text))
        FROM (SELECT r.role, r.exchange_id,
                     printf('%s %s: %s, cut off after %s', coalesce(r.method, '?'), coalesce(r.path, '?'),
                            CASE WHEN r.had_begun THEN 'a part of its answer' ELSE 'no byte of an answer' END,
                            CASE WHEN r.closed_at - r.request_at < 1000000
                                 THEN printf('%.0f µs', (r.closed_at - r.request_at) / 1e3)
                                 ELSE printf('%.1f ms', (r.closed_at - r.request_at) / 1e6) END) AS text
              FROM requests r
              WHERE r.server = cuts.server AND r.server_port = cuts.server_port AND r.cut_at = cuts.cut_at
                AND r.place <= 20
              ORDER BY r.place)) AS evidence
FROM cuts
ORDER BY at, server, server_port;

-- Times at which a server of the site began to refuse connections.
SELECT v.site_id AS site_id, o.quarter AS quarter, sum(o.outages) AS exercised
FROM (SELECT server, server_port, at / 900000000000 AS quarter, count(*) AS outages
      FROM (SELECT server, server_port, kind, at,
                   lag(kind, 1, 0) OVER (PARTITION BY server, server_port ORDER BY at, kind) AS kind_before
            FROM (SELECT server, server_port, first_at AS at, 1 AS kind FROM refusal_facts
                  UNION ALL
                  SELECT server, server_port, first_at, 0 FROM stream_facts
                  WHERE server_bytes > 0 AND EXISTS (SELECT 1 FROM refusal_facts)))
      WHERE kind = 1 AND kind_before = 0
      GROUP BY server, server_port, quarter) o
JOIN (SELECT DISTINCT x.site_id AS site_id, x.server AS server, x.server_port AS server_port
      FROM exchange_facts x
      WHERE EXISTS (SELECT 1 FROM refusal_facts)
        AND (x.server, x.server_port) IN (SELECT server, server_port FROM refusal_facts)) v
  ON v.server = o.server AND v.server_port = o.server_port
GROUP BY 1, 2;
