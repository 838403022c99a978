#include "services/kv/postgres/postgres_start_checks.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/core/time/deadline.h"
#include "services/kv/postgres/postgres_locks.h"
#include "services/kv/postgres/postgres_schema.h"
#include "services/kv/postgres/postgres_statements.h"
#include "services/kv/postgres/postgres_status.h"
#include "services/kv/postgres/postgres_values.h"
#include "services/status/status_macros.h"

namespace entrepot::kv {
namespace {

using Connection = std::unique_ptr<PostgresConnection>;

// client_connection_check_interval exists since 14.
constexpr int kVersionMin = 140000;
// A lock that is not free after this time is taken.
constexpr absl::Duration kProbeTimeout = absl::Milliseconds(100);
// The push of an index of 10,000 manifests takes 30,000 locks: those of their blobs, links and manifests. The others
// need some meanwhile.
constexpr int64_t kLocksMin = 40'000;

absl::Status Unfit(absl::string_view what) {
  return absl::FailedPreconditionError(absl::StrCat("this PostgreSQL cannot keep the records: ", what));
}

bool IsTrue(const PostgresRows& rows, int column) { return rows.Bytes(0, column) == absl::string_view("\1", 1); }

// Returns how many locks the server has.
absl::StatusOr<int64_t> CheckServer(PostgresConnection& connection, const std::function<void(absl::string_view)>& log) {
  if (connection.server_version() < kVersionMin) {
    return Unfit(
        absl::StrCat("its version is ", connection.server_version() / 10000, ", and 14 is the oldest that can"));
  }
  if (!connection.fsync()) return Unfit("fsync is off, so a crash loses what was acknowledged");
  ASSIGN_OR_RETURN(
      const std::vector<PostgresRows> rows,
      connection.Run({{
          {.sql = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"},
          {.sql = "SELECT current_setting('transaction_isolation') = 'read committed', "
                  "current_setting('full_page_writes') = 'on', current_setting('synchronous_commit') <> 'off', "
                  "current_setting('max_locks_per_transaction')::int8 * (current_setting('max_connections')::int8 + "
                  "current_setting('max_prepared_transactions')::int8), "
                  "current_setting('synchronous_standby_names') = '' AND EXISTS (SELECT FROM pg_stat_replication), "
                  "pg_is_in_recovery()"},
          {.sql = "ROLLBACK"},
      }}));
  const PostgresRows& facts = rows[1];
  if (!IsTrue(facts, 0)) return Unfit("its transactions do not have the isolation READ COMMITTED");
  if (IsTrue(facts, 5)) return Unfit("it is a standby");
  if (!IsTrue(facts, 2)) return Unfit("synchronous_commit cannot be turned on");
  const int64_t locks = ParseBinaryInt64(facts.Bytes(0, 3));
  if (!log) return locks;
  if (!IsTrue(facts, 1)) log("full_page_writes is off: a power cut may damage pages of the database");
  if (locks < kLocksMin) {
    log(absl::StrCat("max_locks_per_transaction x max_connections is ", locks, ", below ", kLocksMin,
                     ": the push of a large index may fail; raise max_locks_per_transaction"));
  }
  if (IsTrue(facts, 4)) {
    log("a standby is attached and synchronous_standby_names is empty: a failover loses commits that were "
        "acknowledged");
  }
  return locks;
}

absl::Status CheckRights(PostgresConnection& connection) {
  ASSIGN_OR_RETURN(const std::vector<PostgresRows> rows,
                   connection.Run({{{.sql = "SELECT has_table_privilege('entrepot.records', 'SELECT') AND "
                                            "has_table_privilege('entrepot.records', 'INSERT') AND "
                                            "has_table_privilege('entrepot.records', 'UPDATE') AND "
                                            "has_table_privilege('entrepot.records', 'DELETE') AND "
                                            "has_table_privilege('entrepot.commits', 'SELECT') AND "
                                            "has_table_privilege('entrepot.commits', 'INSERT') AND "
                                            "has_table_privilege('entrepot.commits', 'UPDATE') AND "
                                            "has_table_privilege('entrepot.commits', 'DELETE')"}}}));
  if (IsTrue(rows[0], 0)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "the user may not read and write the tables: GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "
      "entrepot "
      "and GRANT USAGE ON SCHEMA entrepot");
}

// Begins a transaction that takes the lock. False if it is not free; no transaction is open then.
absl::StatusOr<bool> Take(PostgresConnection& connection, int64_t id, bool exclusive) {
  absl::Status status =
      connection.Run({{BeginStatement(), LockStatement({.ids = {id}, .exclusive = {exclusive}})}}).status();
  if (status.ok()) return true;
  if (connection.sqlstate() != "55P03") return status;
  RETURN_IF_ERROR(connection.Run({{RollbackStatement()}}).status());
  return false;
}

absl::Status End(PostgresConnection& connection) { return connection.Run({{RollbackStatement()}}).status(); }

absl::Status Expect(const absl::StatusOr<bool>& taken, bool expected, absl::string_view otherwise) {
  RETURN_IF_ERROR(taken.status());
  if (*taken == expected) return absl::OkStatus();
  return Unfit(absl::StrCat("its advisory locks do not work: ", otherwise));
}

absl::Status AwaitWaiting(PostgresConnection& observer, int64_t pid) {
  for (const Deadline deadline = Deadline::After(absl::Seconds(5)); !deadline.passed();) {
    ASSIGN_OR_RETURN(const std::vector<PostgresRows> rows,
                     observer.Run({{{.sql = "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = $1::int8 AND NOT granted)",
                                     .parameters = {BinaryInt64(pid)}}}}));
    if (IsTrue(rows[0], 0)) return absl::OkStatus();
    absl::SleepFor(absl::Milliseconds(5));
  }
  return Unfit("its advisory locks do not work: a transaction does not wait for one that is held in shared mode");
}

absl::Status ProveLocks(PostgresConnection& a, PostgresConnection& b, PostgresConnection& c) {
  const std::string commit = NewCommitId(a.ServerMicros());
  // Processes that start at the same time do not meet.
  const int64_t id = LockIdOf(commit);
  RETURN_IF_ERROR(Expect(Take(a, id, true), true, "a free lock is taken"));
  RETURN_IF_ERROR(Expect(Take(b, id, true), false, "two transactions hold one exclusively"));
  RETURN_IF_ERROR(Expect(Take(b, id, false), false, "one is held exclusively and shared"));
  RETURN_IF_ERROR(End(a));
  RETURN_IF_ERROR(Expect(Take(a, id, false), true, "a lock is not free after its transaction"));
  RETURN_IF_ERROR(Expect(Take(b, id, false), true, "two transactions cannot share one"));
  RETURN_IF_ERROR(End(b));

  ASSIGN_OR_RETURN(const std::vector<PostgresRows> pid, b.Run({{{.sql = "SELECT pg_backend_pid()::int8"}}}));
  RETURN_IF_ERROR(b.Send({{BeginStatement(),
                           {.sql = "SELECT set_config('lock_timeout', '10s', true)"},
                           LockStatement({.ids = {id}, .exclusive = {true}}),
                           FindCommitStatement(commit),
                           RollbackStatement()}}));
  RETURN_IF_ERROR(AwaitWaiting(c, ParseBinaryInt64(pid[0].Bytes(0, 0))));
  RETURN_IF_ERROR(Expect(Take(c, id, false), false, "a new shared one overtakes an exclusive one that waits"));
  RETURN_IF_ERROR(a.Run({{NoteCommitStatement(commit), CommitStatement()}}).status());
  ASSIGN_OR_RETURN(const std::vector<PostgresRows> answers, b.Receive());
  if (answers[3].size() == 1) return absl::OkStatus();
  return Unfit("a transaction that waited for a lock does not see what its holder committed");
}

}  // namespace

absl::StatusOr<int64_t> CheckPostgresAtStart(const PostgresAddress& address,
                                             const std::function<void(absl::string_view)>& log) {
  ASSIGN_OR_RETURN(const Connection a, PostgresConnection::Connect(address, kProbeTimeout));
  ASSIGN_OR_RETURN(const int64_t locks, CheckServer(*a, log));
  RETURN_IF_ERROR(CheckPostgresSchema(*a));
  RETURN_IF_ERROR(CheckRights(*a));
  ASSIGN_OR_RETURN(const Connection b, PostgresConnection::Connect(address, kProbeTimeout));
  ASSIGN_OR_RETURN(const Connection c, PostgresConnection::Connect(address, kProbeTimeout));
  for (const Connection* connection : {&a, &b, &c}) RETURN_IF_ERROR(PrepareStatements(**connection));
  const absl::Status proven = ProveLocks(*a, *b, *c);
  // A server that ends meanwhile.
  if (IsConnectionLost(proven)) return DatabaseUnavailable(proven.message());
  RETURN_IF_ERROR(proven);
  return locks;
}

}  // namespace entrepot::kv
