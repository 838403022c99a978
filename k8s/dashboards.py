"""The dashboards: their source, and what makes the JSON of Grafana of it. scripts/render writes it to
k8s/components/monitoring/dashboards.

A panel is a title, a unit, a sentence that tells how to read it, and its queries by legend. In a query `$s` stands for the labels
that the dashboard chooses (cluster, job, instance), `$j` for those of recorded series, which have no instance, and `$i` for the
interval of a rate. tests/k8s/test_dashboards.py holds the rules of Grafana's dashboard linter."""

import json
import re

SELECTED = 'cluster=~"$cluster", job=~"$job", instance=~"$instance"'
SELECTED_RECORDS = 'cluster=~"$cluster", job=~"$job"'
INTERVAL = "$__rate_interval"
WIDTH = 24


def stat(title, unit, description, queries, bad=None):
    """One number. bad: the value from which it is red; "zero" if 0 is."""
    return {"kind": "stat", "title": title, "unit": unit, "description": description, "queries": queries, "bad": bad}


def graph(title, unit, description, queries, stacked=False, limit=None):
    """Lines over time. limit: a query whose line is dashed, what the others must stay below."""
    return {"kind": "timeseries", "title": title, "unit": unit, "description": description, "queries": queries,
            "stacked": stacked, "limit": limit}  # fmt: skip


def rate(metric, by="", more=""):
    return f"sum by ({by}) (rate({metric}{{$s{more}}}[$i]))"


def quantiles(histogram, more=""):
    """The median, and how long the slowest ones take."""
    return {f"p{round(q * 100)}": f"histogram_quantile({q}, sum by (le) (rate({histogram}_bucket{{$s{more}}}[$i])))"
            for q in (0.5, 0.95, 0.99)}  # fmt: skip


def slowest(histogram, by, more=""):
    return {"{{" + "}} {{".join(by.split(", ")) + "}}":
            f"histogram_quantile(0.99, sum by (le, {by}) (rate({histogram}_bucket{{$s{more}}}[$i])))"}  # fmt: skip


PROCESS = ("The process", [
    graph("CPU", "short", "Cores in use.", {"{{instance}}": "rate(process_cpu_seconds_total{$s}[$i])"}),
    graph("Memory", "bytes", "Resident memory. A pod that reaches its limit is killed.",
          {"{{instance}}": "process_resident_memory_bytes{$s}"}),
    graph("File descriptors", "percentunit", "Of those that the process may open.",
          {"{{instance}}": "process_open_fds{$s} / process_max_fds{$s}"}),
])  # fmt: skip

GRPC = ("Calls of other processes", [
    graph("Calls", "reqps", "Calls that ended, by status. NOT_FOUND is an ordinary answer.",
          {"{{code}}": rate("entrepot_grpc_server_handled_total", "code")}, stacked=True),
    graph("Slowest calls", "s", "The 99th percentile of each method.", slowest("entrepot_grpc_server_handling_seconds", "method")),
    graph("Connections", "short", "One of each caller; further ones than the limit are refused.",
          {"{{instance}}": "entrepot_grpc_server_connections{$s}"}, limit="max(entrepot_grpc_server_connections_max{$s})"),
    graph("Threads busy", "percentunit", "Of those for calls that block. At 100 % calls wait.",
          {"{{instance}} {{pool}}": "entrepot_executor_threads_busy{$s} / entrepot_executor_threads{$s}"}),
])  # fmt: skip

DASHBOARDS = [
    ("overview", "Overview", "Are we fine? Read it from the top left; each red number has an alert with a runbook.", [
        ("Now", [
            stat("Serves pulls", "bool_yes_no", "Whether every selected process can be pulled from.",
                 {"": 'min(entrepot_ready{$s, for="pulls"})'}, bad="zero"),
            stat("Serves pushes", "bool_yes_no", "Whether every selected process takes pushes.",
                 {"": 'min(entrepot_ready{$s, for="pushes"})'}, bad="zero"),
            stat("Error budget left", "percentunit", "Of 30 days at 99.9 %: requests that did not get a 5xx.",
                 {"": "1 - (sum(sum_over_time(job:entrepot_http_requests_failed:rate5m{$j}[30d])) / "
                      "sum(sum_over_time(job:entrepot_http_requests:rate5m{$j}[30d]))) / 0.001"}, bad="zero"),
            stat("Corrupt blobs", "short", "Blobs whose bytes are damaged and that no push has healed.",
                 {"": "sum(entrepot_scrub_corrupt_blobs{$s})"}, bad=1),
            stat("Read-only stores", "short", "Stores that refuse writes after an I/O error.",
                 {"": "sum(entrepot_store_read_only{$s})"}, bad=1),
            stat("First certificate expires in", "s", "The next certificate of a listener or of a service that expires.",
                 {"": "min(entrepot_tls_certificate_expiry_timestamp_seconds{$s} - time())"}),
        ]),
        ("What clients see", [
            graph("Requests", "reqps", "By status. 404 and 401 are part of every push and pull.",
                  {"{{code}}": rate("entrepot_http_requests_total", "code")}, stacked=True),
            graph("Failed", "percentunit", "The share of requests that got a 5xx. 0.1 % uses up the error budget.",
                  {"{{job}}": "job:entrepot_http_requests_failed:rate5m{$j} / job:entrepot_http_requests:rate5m{$j}"}),
            graph("Time to the first byte", "s", "From the request's header to the first byte of the answer.",
                  quantiles("entrepot_http_time_to_first_byte_seconds")),
            graph("Bytes", "Bps", "Bodies: what clients send, and what they get.",
                  {"pushed": rate("entrepot_http_request_bytes_total"), "pulled": rate("entrepot_http_response_bytes_total")}),
            graph("Pushes and pulls of manifests", "reqps", "About one for each image that is pushed or pulled.",
                  {"pushed": rate("entrepot_http_requests_total", "", ', route="manifest", method="PUT", code="201"'),
                   "pulled": rate("entrepot_http_requests_total", "", ', route="manifest", method="GET", code="200"')}),
            graph("Saved", "Bps", "Bytes that clients did not have to send, and that upstreams did not have to.",
                  {"known already": rate("entrepot_deduplicated_bytes_total"), "mounted": rate("entrepot_mounted_bytes_total"),
                   "cached": f'{rate("entrepot_upstream_served_bytes_total")} - {rate("entrepot_upstream_fetched_bytes_total")}'}),
        ]),
        ("Room and load", [
            graph("Free space", "bytes", "Of the file systems with blobs. Without it pushes fail; pulls go on.",
                  {"{{instance}}": "entrepot_storage_free_bytes{$s}"}),
            graph("Connections", "percentunit", "Of those that may be open.",
                  {"{{instance}}": "entrepot_http_connections{$s} / entrepot_http_connections_max{$s}"}),
            graph("Memory", "bytes", "Resident memory.", {"{{job}} {{instance}}": "process_resident_memory_bytes{$s}"}),
            graph("Oldest garbage", "s", "For how long the first blob that can be reviewed waits.",
                  {"{{instance}}": "entrepot_gc_oldest_overdue_seconds{$s}"}),
            graph("Open uploads", "short", "Upload sessions, and how many may be open.",
                  {"open": "max(entrepot_upload_sessions{$s})"}, limit="max(entrepot_upload_sessions_max{$s})"),
            graph("Versions", "short", "Processes of each version; two during a roll-out.",
                  {"{{version}}": "count by (version) (entrepot_build_info{$s})"}, stacked=True),
        ]),
    ]),
    ("gateway", "Gateway", "HTTP in front of the services, or of the whole registry in one process.", [
        ("Requests", [
            graph("Requests by route", "reqps", "docs/http-api.md has the routes.",
                  {"{{route}} {{method}}": rate("entrepot_http_requests_total", "route, method")}),
            graph("Failures by route", "reqps", "Answers with 5xx.",
                  {"{{route}} {{method}} {{code}}": rate("entrepot_http_requests_total", "route, method, code", ', code=~"5.."')}),
            graph("Refused before a route", "reqps", "Outside of HTTP's grammar or of the limits.",
                  {"{{code}}": rate("entrepot_http_refused_total", "code")}),
            graph("Slowest first bytes", "s", "The 99th percentile of each route.",
                  slowest("entrepot_http_time_to_first_byte_seconds", "route, method")),
            graph("Whole requests", "s", "To the last byte; for blobs that is the client's speed.",
                  slowest("entrepot_http_request_duration_seconds", "route, method")),
            graph("Bytes by route", "Bps", "Bodies of requests and responses.",
                  {"{{route}} in": rate("entrepot_http_request_bytes_total", "route"),
                   "{{route}} out": rate("entrepot_http_response_bytes_total", "route")}),
        ]),
        ("Access", [
            graph("Denied", "reqps", "missing_token is how every client begins. insufficient_scope and policy are denials.",
                  {"{{reason}}": rate("entrepot_authorization_denied_total", "reason")}),
            graph("Tokens verified", "reqps", "cached: the same token was verified lately.",
                  {"{{result}}": rate("entrepot_token_verifications_total", "result")}),
            graph("Refused for load", "reqps", "Requests that got 503, and connections that were closed, to bound memory.",
                  {"bodies: {{reason}}": rate("entrepot_http_body_memory_refused_total", "reason"),
                   "lists: {{reason}}": rate("entrepot_list_requests_refused_total", "reason"),
                   "connections: {{action}}": rate("entrepot_http_connections_shed_total", "action")}),
        ]),
        ("Saturation", [
            graph("Requests in flight", "short", "Being answered.", {"{{instance}}": "entrepot_http_requests_in_flight{$s}"}),
            graph("Connections", "short", "Open connections of clients. At the limit idle ones give way.",
                  {"{{instance}}": "entrepot_http_connections{$s}"}, limit="min(entrepot_http_connections_max{$s})"),
            graph("Memory of bodies", "bytes", "limits.body_memory_bytes_max bounds it.",
                  {"{{instance}}": "entrepot_http_body_memory_bytes{$s}"}),
        ]),
        ("Calls of the services", [
            graph("Failed calls", "reqps", "By method and status. NOT_FOUND and the like are ordinary answers, and left out.",
                  {"{{method}} {{code}}": rate("entrepot_grpc_client_handled_total", "method, code",
                                               ', code=~"UNAVAILABLE|DEADLINE_EXCEEDED|INTERNAL|RESOURCE_EXHAUSTED"')}),
            graph("Slowest calls", "s", "The 99th percentile of each method, with the way there and back.",
                  slowest("entrepot_grpc_client_handling_seconds", "method")),
            graph("Replicas", "short", "Of each service: all that its name has, and those that serve.",
                  {"{{target}} {{state}}": "min by (target, state) (entrepot_grpc_client_replicas{$s})"}),
        ]),
        PROCESS,
    ]),
    ("blob", "Blob service", "Upload sessions and the bytes of blobs.", [
        ("Uploads", [
            graph("Ends of uploads", "ops", "sealed became blobs; expired and evicted were given up by their clients.",
                  {"{{result}}": rate("entrepot_uploads_total", "result")}),
            graph("Open", "short", "Sessions. At the limit all pushes are refused.", {"open": "max(entrepot_upload_sessions{$s})"},
                  limit="max(entrepot_upload_sessions_max{$s})"),
            graph("Bytes held", "bytes", "Of open sessions.", {"{{instance}}": "entrepot_upload_bytes{$s}"}),
            graph("Least recently used", "s", "Sessions that nothing uses end after uploads.session_lifetime.",
                  {"{{instance}}": "entrepot_upload_oldest_age_seconds{$s}"}),
            graph("Refused", "ops", "Too many are open in the registry, or of one account or address.",
                  {"{{limit}}": rate("entrepot_uploads_refused_total", "limit")}),
            graph("Sizes of blobs", "bytes", "Of sealed uploads.", quantiles("entrepot_blob_size_bytes")),
        ]),
        ("The store", [
            graph("Slowest operations", "s", "The 99th percentile of opening, publishing and deleting an object.",
                  slowest("entrepot_blob_store_operation_duration_seconds", "backend, op")),
            graph("Failed operations", "ops", "Each has a line in the log.",
                  {"{{backend}} {{op}} {{result}}": rate("entrepot_blob_store_operation_duration_seconds_count", "backend, op, result", ', result!="ok"')}),
            graph("fsync", "s", "A push waits for some of these; a slow disk shows here first.", quantiles("entrepot_fsync_duration_seconds")),
            graph("Space", "bytes", "Of the file system with the blobs.",
                  {"{{instance}} used": "entrepot_storage_used_bytes{$s}", "{{instance}} free": "entrepot_storage_free_bytes{$s}"}),
            graph("Damage", "ops", "Reads that were refused because the object is corrupt, and uploads with a wrong digest.",
                  {"corrupt reads": rate("entrepot_blob_corrupt_reads_total"), "wrong digests": rate("entrepot_digest_mismatch_total")}),
            stat("Read-only", "bool_yes_no", "A write or a sync failed; a restart clears it after the repair.",
                 {"": "max(entrepot_store_read_only{$s})"}, bad=1),
        ]),
        GRPC,
        PROCESS,
    ]),
    ("manifest", "Manifest service", "Manifests, tags, and which blobs each repository has.", [
        ("Content", [
            graph("Manifests", "ops", "Stored, refused and deleted.",
                  {"{{kind}} stored": rate("entrepot_manifests_pushed_total", "kind"), "refused": rate("entrepot_manifests_rejected_total"),
                   "deleted": rate("entrepot_manifests_deleted_total"), "tags deleted": rate("entrepot_tags_deleted_total")}),
            graph("Blobs committed", "ops", "deduplicated and revived: the registry had the bytes already.",
                  {"{{result}}": rate("entrepot_blob_commits_total", "result")}),
            graph("Mounts", "ops", "Requests to take a blob from another repository.", {"{{result}}": rate("entrepot_mounts_total", "result")}),
        ]),
        ("Records", [
            graph("Slowest transactions", "s", "The 99th percentile, with repetitions.",
                  slowest("entrepot_metadata_transaction_duration_seconds", "engine, op")),
            graph("Transactions", "ops", "Reads and writes of records.",
                  {"{{engine}} {{op}}": rate("entrepot_metadata_transaction_duration_seconds_count", "engine, op")}),
            graph("Repeated", "ops", "Transactions that met another one and ran again.",
                  {"{{engine}} {{reason}}": rate("entrepot_metadata_transaction_retries_total", "engine, reason")}),
            graph("RocksDB waits", "percentunit", "The share of time in which writers wait for flushes and compaction.",
                  {"{{instance}}": "rate(entrepot_rocksdb_stall_seconds_total{$s}[$i])"}),
            graph("RocksDB's cache", "percentunit", "Blocks that were found in the cache.",
                  {"hits": f'{rate("entrepot_rocksdb_block_cache_hits_total")} / ({rate("entrepot_rocksdb_block_cache_hits_total")} + '
                           f'{rate("entrepot_rocksdb_block_cache_misses_total")})'}),
            graph("RocksDB's size", "bytes", "Tables, files with large values, and what compaction must still rewrite.",
                  {"tables": "sum(entrepot_rocksdb_sst_bytes{$s})", "large values": "sum(entrepot_rocksdb_blob_file_bytes{$s})",
                   "to compact": "sum(entrepot_rocksdb_pending_compaction_bytes{$s})"}),
        ]),
        ("Work that is refused", [
            graph("Deletions of repositories", "short", "That run or wait.", {"{{queue}}": "max by (queue) (entrepot_queue_jobs{$s})"}),
            graph("Refused", "ops", "The queue is full, or an account has used up its share.",
                  {"{{queue}} {{reason}}": rate("entrepot_queue_refused_total", "queue, reason")}),
            graph("Pulls not noted", "ops", "Retention by the time of the last pull does not see these.",
                  {"lost": rate("entrepot_pull_notes_lost_total")}),
        ]),
        GRPC,
        PROCESS,
    ]),
    ("auth", "Accounts", "Logins, tokens, and who is refused.", [
        ("Logins", [
            graph("Attempts", "ops", "Requests for a token, by kind of credential.",
                  {"{{method}} {{result}}": rate("entrepot_auth_attempts_total", "method, result")}),
            graph("Limited", "ops", "429: too many wrong passwords of an address or for an account, or the queue is full.",
                  {"{{by}}": rate("entrepot_ratelimited_total", "by")}),
            graph("Tokens issued", "ops", "Each is good for some minutes.", {"tokens": rate("entrepot_tokens_issued_total")}),
            graph("Hashing", "s", "Time to compute a password's hash, without the wait.", quantiles("entrepot_password_hash_duration_seconds")),
            graph("Passwords being hashed", "short", "Those that wait delay logins.",
                  {"{{state}}": "sum by (state) (entrepot_password_hashes{$s})"}),
            graph("Audit lines", "ops", "Lost lines could not be written; counted ones repeat others of their second.",
                  {"lost": rate("entrepot_audit_lines_lost_total"), "counted": rate("entrepot_audit_lines_counted_total")}),
        ]),
        ("Files", [
            graph("Accounts file", "short", "Reads of a changed file in an hour. A refused one leaves the old accounts in force.",
                  {"{{result}}": "sum by (result) (increase(entrepot_accounts_reloads_total{$s}[1h]))"}),
            graph("Policy", "short", "The same for the policy file.",
                  {"{{result}}": "sum by (result) (increase(entrepot_policy_reloads_total{$s}[1h]))"}),
            graph("Certificates", "s", "Time until each expires.",
                  {"{{job}} {{use}}": "min by (job, use) (entrepot_tls_certificate_expiry_timestamp_seconds{$s} - time())"}),
        ]),
        GRPC,
        PROCESS,
    ]),
    ("upkeep", "Collection and scrub", "What deletes garbage and verifies blobs.", [
        ("Collection", [
            graph("Runs", "ops", "done, stopped by the end of the process, or failed.", {"{{result}}": rate("entrepot_gc_runs_total", "result")}),
            graph("Due", "short", "Blobs that can be reviewed, and objects that can be deleted.",
                  {"reviews": "max(entrepot_gc_queue_depth{$s})", "deletions": "max(entrepot_gc_delete_intents{$s})"}),
            graph("Oldest", "s", "For how long the first of them waits. An hour is too long.",
                  {"{{instance}}": "entrepot_gc_oldest_overdue_seconds{$s}"}),
            graph("Reviews", "ops", "What became of the blobs.", {"{{result}}": rate("entrepot_gc_reviews_total", "result")}),
            graph("Freed", "Bps", "Bytes of deleted objects.", {"freed": rate("entrepot_gc_reclaimed_bytes_total")}),
            graph("Trouble", "short", "Failed deletions, quarantined objects and impossible states in an hour.",
                  {"failed": "sum(increase(entrepot_gc_failed_objects_total{$s}[1h]))",
                   "quarantined": "sum(increase(entrepot_gc_quarantined_total{$s}[1h]))",
                   "impossible": "sum(increase(entrepot_gc_invariant_violations_total{$s}[1h]))"}),
            stat("Holds back", "s", "After the system's clock was set, until all leases have ended.",
                 {"": "max(entrepot_gc_clock_hold_seconds{$s})"}, bad=1),
            stat("Store mismatch", "bool_yes_no", "The records and the objects do not belong together.",
                 {"": "max(entrepot_gc_store_mismatch{$s})"}, bad=1),
            stat("Last run", "s", "Time since the last run without a failure.",
                 {"": "time() - max(entrepot_gc_last_success_timestamp_seconds{$s})"}, bad=3600),
        ]),
        ("Scrub", [
            graph("Blobs verified", "ops", "corrupt and missing ones are not served; the next push heals them.",
                  {"{{result}}": rate("entrepot_scrub_blobs_total", "result")}),
            graph("Bytes verified", "Bps", "collector.scrub.bytes_per_second bounds it.", {"verified": rate("entrepot_scrub_bytes_total")}),
            stat("Last whole pass", "s", "Time since its end.",
                 {"": "time() - max(entrepot_scrub_last_success_timestamp_seconds{$s} > 0)"}, bad=21 * 24 * 3600),
            graph("Damage reports", "short", "Blobs that a reader found damaged and that wait to be verified.",
                  {"waiting": "max(entrepot_damage_reports_waiting{$s})"}),
            graph("Reports by result", "ops", "dropped: too many waited; the scrub finds the damage later.",
                  {"{{result}}": rate("entrepot_damage_reports_total", "result")}),
            stat("Corrupt", "short", "Blobs that no push has healed yet.", {"": "max(entrepot_scrub_corrupt_blobs{$s})"}, bad=1),
        ]),
        ("Retention", [
            graph("Retention file", "short", "Reads of a changed file in an hour.",
                  {"{{result}}": "sum by (result) (increase(entrepot_retention_reloads_total{$s}[1h]))"}),
        ]),
    ]),
    ("upstreams", "Upstream caches", "Images of other registries: what is served from here, and what they are asked for.", [
        ("Hits", [
            graph("Resolved", "ops", "hit and stale need no answer of the upstream; miss and revalidated do.",
                  {"{{upstream}} {{result}}": rate("entrepot_upstream_resolves_total", "upstream, result")}),
            graph("Served", "Bps", "Bytes to clients: stored here, or from a fetch that clients may share.",
                  {"{{upstream}} {{source}}": rate("entrepot_upstream_served_bytes_total", "upstream, source")}),
            graph("Saved", "Bps", "Bytes that clients got and upstreams did not send.",
                  {"{{upstream}}": f'{rate("entrepot_upstream_served_bytes_total", "upstream")} - {rate("entrepot_upstream_fetched_bytes_total", "upstream")}'}),
        ]),
        ("The upstreams", [
            stat("Up", "bool_yes_no", "0 while it fails and is asked only now and then.",
                 {"{{upstream}}": "min by (upstream) (entrepot_upstream_up{$s})"}, bad="zero"),
            graph("Requests", "ops", "By result.", {"{{upstream}} {{result}}": rate("entrepot_upstream_requests_total", "upstream, result")}),
            graph("First bytes", "s", "The 99th percentile of the time to the first byte of an upstream.",
                  slowest("entrepot_upstream_time_to_first_byte_seconds", "upstream, kind")),
            graph("Limit left", "percentunit", "Of the upstream's rate limit, as its last response stated it.",
                  {"{{upstream}}": "min by (upstream) (entrepot_upstream_rate_limit_remaining{$s} / entrepot_upstream_rate_limit{$s})"}),
            graph("Fetches", "short", "Blobs that are being fetched or wait for it.", {"{{instance}}": "entrepot_upstream_fetches{$s}"}),
            graph("Failed fetches", "ops", "By kind.", {"{{upstream}} {{kind}}": rate("entrepot_upstream_fetch_failures_total", "upstream, kind")}),
            graph("Shared and resumed", "ops", "Reads that joined a fetch, fetches of other services, requests that went on with a blob.",
                  {"joined": rate("entrepot_upstream_coalesced_reads_total"), "of others": rate("entrepot_upstream_awaited_fetches_total"),
                   "resumed": rate("entrepot_upstream_resumptions_total")}),
            graph("Warm tags", "ops", "Pulls of tags that are kept here.",
                  {"{{upstream}} {{result}}": rate("entrepot_upstream_warm_pulls_total", "upstream, result")}),
        ]),
        ("Room", [
            graph("Room", "percentunit", "What only caches of the upstream need, of bytes_max.",
                  {"{{upstream}}": "max by (upstream) (entrepot_upstream_room_bytes{$s} / entrepot_upstream_room_max_bytes{$s})"}),
            graph("Evicted", "Bps", "Bytes that evictions freed.", {"{{upstream}}": rate("entrepot_upstream_evicted_bytes_total", "upstream")}),
            graph("Idle when evicted", "s", "If this is short, clients still want what is evicted: raise bytes_max.",
                  {"{{upstream}}": "min by (upstream) (entrepot_upstream_evicted_idle_seconds{$s})"}),
        ]),
        GRPC,
    ]),
    ("stores", "PostgreSQL and S3", "The database and the bucket, as the processes see them.", [
        ("PostgreSQL", [
            graph("Connections", "short", "In use, by process.", {"{{job}} {{instance}}": "entrepot_postgres_connections_busy{$s}"},
                  limit="min(entrepot_postgres_connections_max{$s})"),
            graph("Waiting", "short", "Requests that wait for a connection. Above 0 for long: the database is too slow, or the bound too low.",
                  {"{{job}} {{instance}}": "entrepot_postgres_connections_waiting{$s}"}),
            graph("Refused", "ops", "Requests that got 503 because none was free in time.",
                  {"{{job}}": rate("entrepot_postgres_refused_total", "job")}),
            graph("Slowest transactions", "s", "The 99th percentile, with repetitions.",
                  slowest("entrepot_metadata_transaction_duration_seconds", "job, op", ', engine="postgres"')),
            graph("Connections made and lost", "ops", "A failover shows as a peak of all three.",
                  {"made": rate("entrepot_postgres_connects_total"), "failed": rate("entrepot_postgres_connect_failures_total"),
                   "lost": rate("entrepot_postgres_connections_lost_total")}),
            graph("Unanswered commits", "ops", "Commits whose answer was lost, and what was found out about them.",
                  {"{{outcome}}": rate("entrepot_postgres_unanswered_commits_total", "outcome")}),
            graph("Waiting for locks", "short", "Large transactions that wait until others hold fewer locks.",
                  {"{{job}} {{instance}}": "entrepot_postgres_locks_waiting{$s}"}),
            graph("Repeated transactions", "ops", "By reason.",
                  {"{{job}} {{reason}}": rate("entrepot_metadata_transaction_retries_total", "job, reason", ', engine="postgres"')}),
        ]),
        ("S3", [
            graph("Requests", "ops", "Each try. busy: 429 or 503 of the server.",
                  {"{{operation}} {{result}}": rate("entrepot_s3_request_duration_seconds_count", "operation, result")}),
            graph("Failed", "percentunit", "The share of tries that did not succeed.",
                  {"failed": rate("entrepot_s3_request_duration_seconds_count", "", ', result=~"busy|failed"') + " / " +
                             rate("entrepot_s3_request_duration_seconds_count")}),
            graph("Slowest requests", "s", "The 99th percentile, until the header of the answer.",
                  slowest("entrepot_s3_request_duration_seconds", "operation")),
            graph("Memory of uploads", "bytes", "Bytes of uploads that the server does not have yet.",
                  {"{{instance}}": "entrepot_s3_upload_memory_bytes{$s}"}),
            graph("Uploads refused for memory", "ops", "sum: all of it was used; share: that of one account or address was.",
                  {"{{reason}}": rate("entrepot_s3_upload_memory_refused_total", "reason")}),
            graph("Connections taken from pulls", "ops", "Of slow clients, or of a client with more than another; the pull goes on with a new one.",
                  {"{{reason}}": rate("entrepot_s3_connections_taken_total", "reason")}),
            graph("Pulls sent to the S3 server", "ops", "Clients of the networks in objects.s3.redirects.",
                  {"redirects": rate("entrepot_s3_redirects_total")}),
        ]),
    ]),
]  # fmt: skip

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}


def expanded(query):
    """The query as Grafana gets it."""
    parts = {"$s": SELECTED, "$j": SELECTED_RECORDS, "$i": INTERVAL}
    return re.sub(r"\$[sji]\b", lambda match: parts[match[0]], query)


def thresholds(bad):
    if bad is None:
        return [{"color": "text", "value": None}]
    if bad == "zero":
        return [{"color": "red", "value": None}, {"color": "green", "value": 0.000001}]
    return [{"color": "green", "value": None}, {"color": "red", "value": bad}]


def panel_json(panel, number, place):
    targets = [{"datasource": DATASOURCE, "expr": expanded(query), "legendFormat": legend, "refId": chr(ord("A") + i)}
               for i, (legend, query) in enumerate(panel["queries"].items())]  # fmt: skip
    defaults = {"unit": panel["unit"], "min": None if panel["unit"] == "percentunit" and panel["kind"] == "stat" else 0}
    options, overrides = {}, []
    if panel["kind"] == "stat":
        defaults["thresholds"] = {"mode": "absolute", "steps": thresholds(panel["bad"])}
        options = {"reduceOptions": {"calcs": ["lastNotNull"], "values": False}, "colorMode": "background", "graphMode": "none"}
    else:
        defaults["custom"] = {"lineWidth": 1, "fillOpacity": 10, "showPoints": "never",
                              "stacking": {"mode": "normal" if panel["stacked"] else "none"}}  # fmt: skip
        options = {"tooltip": {"mode": "multi", "sort": "desc"}, "legend": {"displayMode": "list", "placement": "bottom"}}
        if panel["limit"]:
            targets.append({"datasource": DATASOURCE, "expr": expanded(panel["limit"]), "legendFormat": "limit", "refId": "Z"})
            overrides.append({"matcher": {"id": "byName", "options": "limit"},
                              "properties": [{"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [8, 8]}},
                                             {"id": "custom.fillOpacity", "value": 0},
                                             {"id": "color", "value": {"mode": "fixed", "fixedColor": "red"}}]})  # fmt: skip
    return {"id": number, "type": panel["kind"], "title": panel["title"], "description": panel["description"],
            "datasource": DATASOURCE, "gridPos": place, "targets": targets,
            "fieldConfig": {"defaults": {k: v for k, v in defaults.items() if v is not None}, "overrides": overrides},
            "options": options}  # fmt: skip


def variable(name, label, query, all_value):
    return {"name": name, "label": label, "type": "query", "datasource": DATASOURCE, "query": query, "refresh": 2, "sort": 1,
            "multi": True, "includeAll": True, "allValue": all_value, "current": {"text": "All", "value": "$__all"}}  # fmt: skip


VARIABLES = [
    {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "refresh": 1},
    # A Prometheus of one cluster has no such label.
    variable("cluster", "Cluster", "label_values(entrepot_build_info, cluster)", ".*"),
    variable("job", "Job", 'label_values(entrepot_build_info{cluster=~"$cluster"}, job)', ".+"),
    variable("instance", "Instance", 'label_values(entrepot_build_info{cluster=~"$cluster", job=~"$job"}, instance)', ".+"),
]


def dashboard_json(name, title, description, rows):
    panels, y = [], 0
    for row_title, row_panels in rows:
        panels.append({"id": len(panels) + 1, "type": "row", "title": row_title, "collapsed": False, "panels": [],
                       "gridPos": {"h": 1, "w": WIDTH, "x": 0, "y": y}})  # fmt: skip
        y += 1
        x = height = 0
        for panel in row_panels:
            width, tall = (4, 4) if panel["kind"] == "stat" and all(p["kind"] == "stat" for p in row_panels) else (8, 8)
            if x + width > WIDTH:
                x, y = 0, y + height
            height = tall
            panels.append(panel_json(panel, len(panels) + 1, {"h": tall, "w": width, "x": x, "y": y}))
            x += width
        y += height
    return {
        "uid": f"entrepot-{name}",
        "title": f"Entrepot / {title}",
        "description": description,
        "tags": ["entrepot"],
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "schemaVersion": 39,
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "links": [{"type": "dashboards", "title": "Entrepot", "tags": ["entrepot"], "asDropdown": True, "includeVars": True, "keepTime": True}],
        "templating": {"list": VARIABLES},
        "panels": panels,
    }


def render():
    """-> {file: its text}"""
    return {f"entrepot-{name}.json": json.dumps(dashboard_json(name, *rest), indent=1) + "\n" for name, *rest in DASHBOARDS}
