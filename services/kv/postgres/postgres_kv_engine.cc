#include "services/kv/postgres/postgres_kv_engine.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "services/core/failpoint/failpoint.h"
#include "services/core/time/deadline.h"
#include "services/core/time/stopwatch.h"
#include "services/kv/postgres/postgres_start_checks.h"
#include "services/kv/postgres/postgres_statements.h"
#include "services/kv/postgres/postgres_status.h"
#include "services/kv/postgres/postgres_transaction.h"
#include "services/status/status_macros.h"

namespace entrepot::kv {
namespace {

// How long the id of a commit is kept: far longer than anybody looks for it.
constexpr absl::Duration kCommitsKept = absl::Hours(1);
constexpr absl::Duration kForgetInterval = absl::Minutes(5);
// Between two looks for a commit.
constexpr absl::Duration kSearchPause = absl::Milliseconds(200);
// A read that lost its connection is repeated: the other connections may have been lost with it.
constexpr int kReadAttempts = 3;
// The share of the server's locks for the large transactions of a process, if the options name no bound.
constexpr int64_t kLocksShare = 8;
constexpr int64_t kLocksMaxMin = 2'000;

absl::Status TooOld() {
  return DatabaseUnavailable("a transaction has taken too long, and its caller may have repeated it elsewhere");
}

}  // namespace

absl::StatusOr<std::unique_ptr<PostgresKvEngine>> PostgresKvEngine::Open(const Options& options) {
  ASSIGN_OR_RETURN(const int64_t server_locks, CheckPostgresAtStart(options.address, options.log));
  Options complete = options;
  if (complete.locks_max == 0) complete.locks_max = std::max(server_locks / kLocksShare, kLocksMaxMin);
  std::unique_ptr<PostgresKvEngine> engine(new PostgresKvEngine(complete));
  ASSIGN_OR_RETURN(const PostgresPool::Lease first, engine->pool_.Acquire());
  engine->forgetting_ =
      std::make_unique<runtime::PeriodicTask>(kForgetInterval, [engine = engine.get()] { engine->ForgetOldCommits(); });
  return engine;
}

PostgresKvEngine::PostgresKvEngine(const Options& options)
    : options_(options),
      turns_(options.locks_max, metrics_.get()),
      pool_({.connections_max = options.connections_max,
             .wait = options.connection_wait,
             .connect = [this]() -> absl::StatusOr<std::unique_ptr<PostgresConnection>> {
               ASSIGN_OR_RETURN(std::unique_ptr<PostgresConnection> connection,
                                PostgresConnection::Connect(options_.address, options_.lock_timeout));
               absl::Status prepared = PrepareStatements(*connection);
               // As good as a connection that cannot be made.
               if (IsConnectionLost(prepared)) return DatabaseUnavailable(prepared.message());
               RETURN_IF_ERROR(prepared);
               return connection;
             }},
            metrics_.get()) {}

PostgresKvEngine::~PostgresKvEngine() { forgetting_.reset(); }

absl::StatusOr<std::optional<std::string>> PostgresKvEngine::Get(absl::string_view key) {
  const std::string keys[] = {std::string(key)};
  ASSIGN_OR_RETURN(std::vector<std::optional<std::string>> values, MultiGet(keys));
  return std::move(values[0]);
}

absl::StatusOr<std::vector<std::optional<std::string>>> PostgresKvEngine::MultiGet(absl::Span<const std::string> keys) {
  if (keys.empty()) return std::vector<std::optional<std::string>>();
  ASSIGN_OR_RETURN(const PostgresRows rows, ReadOnce(GetStatement(keys)));
  std::vector<std::optional<std::string>> values = GetAnswer(rows);
  if (values.size() != keys.size()) return absl::InternalError("PostgreSQL: a value is missing");
  return values;
}

absl::StatusOr<std::vector<KeyValue>> PostgresKvEngine::Scan(const ScanOptions& options) {
  if (options.limit == 0) return std::vector<KeyValue>();
  ASSIGN_OR_RETURN(const PostgresRows rows, ReadOnce(ScanStatement(options, 0)));
  return ScanAnswer(rows, options);
}

absl::StatusOr<PostgresRows> PostgresKvEngine::ReadOnce(const PostgresStatement& statement) {
  for (int attempt = 1;; ++attempt) {
    ASSIGN_OR_RETURN(PostgresPool::Lease lease, pool_.Acquire());
    absl::StatusOr<std::vector<PostgresRows>> rows = lease->Run({{statement}});
    if (rows.ok()) return std::move((*rows)[0]);
    if (!absl::IsAborted(rows.status())) return rows.status();
    const Attempt failed = Failed(lease, rows.status(), RetryReason::kConnectionLost);
    if (attempt >= kReadAttempts) return DatabaseUnavailable(failed.status.message());
  }
}

absl::Status PostgresKvEngine::Transact(std::vector<Lock> locks, const Function& fn, Durability durability) {
  const std::vector<Lock> ordered = InLockingOrder(std::move(locks));
  const PostgresLocks ids = InIdOrder(ordered);
  const Stopwatch age;
  const absl::Status status =
      RetryWhileAborted(options_.retry, [&] { return TransactOnce(ordered, ids, fn, durability, age); });
  return IsConnectionLost(status) ? DatabaseUnavailable(status.message()) : status;
}

Attempt PostgresKvEngine::TransactOnce(const std::vector<Lock>& locks, const PostgresLocks& ids, const Function& fn,
                                       Durability durability, const Stopwatch& age) {
  // Before any lock and connection: those that wait for their turn keep nothing from others.
  const absl::StatusOr<PostgresLockTurns::Turn> turn =
      turns_.Acquire(static_cast<int64_t>(ids.ids.size()), options_.connection_wait);
  if (!turn.ok()) return {turn.status()};
  // Before a connection is taken: those that wait for one key of this process need only one.
  absl::StatusOr<LockTable::Held> held = locks_.Acquire(locks, options_.lock_timeout);
  if (!held.ok()) return {held.status(), RetryReason::kLockTimeout};
  std::optional<absl::StatusOr<PostgresPool::Lease>> lease(pool_.Acquire());
  if (!lease->ok()) return {lease->status()};
  PostgresConnection& connection = ***lease;

  const std::string commit_id = NewCommitId(connection.ServerMicros());
  PostgresLocks taken = ids;
  if (!taken.any_exclusive()) {
    // Whoever looks for the commit waits for a lock that it holds exclusively.
    std::vector<Lock> with_id = locks;
    with_id.push_back({commit_id, LockMode::kExclusive});
    taken = InIdOrder(std::move(with_id));
  }
  if (age.Elapsed() > options_.age_max) return {TooOld()};
  PostgresTransaction view(&connection, &locks);
  if (absl::Status begun = view.Begin(taken); !begun.ok()) {
    return Failed(**lease, std::move(begun), RetryReason::kLockTimeout);
  }
  absl::Status status = fn(view);
  if (!view.status().ok()) return Failed(**lease, view.status(), RetryReason::kLockTimeout);
  if (!status.ok()) return Failed(**lease, std::move(status), RetryReason::kFunction);
  // The caller may acknowledge something because of what this function has read under its exclusive locks. If the wait
  // for the standby was cut short, a commit is visible here although the standby may not have it. A later commit that
  // the standby has proves that it has the earlier ones too.
  const bool must_be_replicated = durability == Durability::kSynced && ids.any_exclusive();
  if (view.writes().empty() && !must_be_replicated) {
    const absl::Status ended = connection.Run({{CommitStatement()}}).status();
    return ended.ok() ? Attempt{} : Failed(**lease, ended, RetryReason::kConnectionLost);
  }
  if (absl::Status reached = Failpoint("kv.transact.ran"); !reached.ok()) return {std::move(reached)};
  if (age.Elapsed() > options_.age_max) return Failed(**lease, TooOld(), RetryReason::kFunction);

  bool unanswered = false;
  status = Commit(&**lease, view.writes(), durability, commit_id, &unanswered);
  if (status.ok()) return {Failpoint("kv.transact.committed")};
  if (!unanswered) return Failed(**lease, std::move(status), RetryReason::kLockTimeout);

  const Attempt lost = Failed(**lease, std::move(status), RetryReason::kConnectionLost);
  lease.reset();
  switch (FindCommit(taken, commit_id)) {
    case Outcome::kDone:
      ++metrics_->commits_found_done;
      return {absl::OkStatus()};
    case Outcome::kAbsent:
      ++metrics_->commits_found_absent;
      return {ConnectionLost(lost.status.message()), RetryReason::kConnectionLost};
    case Outcome::kUnknown:
      break;
  }
  ++metrics_->commits_unknown;
  const absl::Status unknown =
      DatabaseUnavailable(absl::StrCat("it is not known whether a transaction was committed: ", lost.status.message()));
  if (options_.log) options_.log(unknown.message());
  return {unknown};
}

absl::Status PostgresKvEngine::Commit(PostgresPool::Lease* lease, const WriteBuffer::Writes& writes,
                                      Durability durability, const std::string& commit_id, bool* unanswered) {
  PostgresConnection& connection = **lease;
  std::vector<PostgresStatement> statements;
  if (durability == Durability::kBuffered) statements.push_back(BufferedStatement());
  statements.push_back(NoteCommitStatement(commit_id));
  AddWrites(writes, &statements);
  statements.push_back(CommitStatement());
  connection.TakeUnreplicatedWarning();
  absl::StatusOr<std::vector<PostgresRows>> answers = connection.Run(statements);
  if (!answers.ok()) {
    *unanswered = !connection.usable();
    return answers.status();
  }
  // The transaction is done here, but its standby may not have it, and a failover would lose it.
  if (connection.TakeUnreplicatedWarning()) {
    *unanswered = true;
    return DatabaseUnavailable("PostgreSQL: a commit was cancelled while it waited for the standby");
  }
  // COMMIT of a transaction that failed is not an error.
  if (answers->back().tag() != "COMMIT") return absl::AbortedError("PostgreSQL: the transaction was rolled back");
  return absl::OkStatus();
}

PostgresKvEngine::Outcome PostgresKvEngine::FindCommit(const PostgresLocks& ids, const std::string& commit_id) {
  for (const Deadline deadline = Deadline::After(options_.search_timeout); !deadline.passed();) {
    if (absl::StatusOr<PostgresPool::Lease> lease = pool_.Acquire(); lease.ok()) {
      PostgresConnection& connection = **lease;
      absl::StatusOr<std::vector<PostgresRows>> answers =
          connection.Run({{BeginStatement(), LockStatement(ids), FindCommitStatement(commit_id)}});
      if (answers.ok() && answers->back().size() == 0) {
        RollBack(connection);
        return Outcome::kAbsent;
      }
      // It may have been waiting for a standby when its session ended. A later commit that the standby has proves that
      // the standby has this one, too.
      if (answers.ok()) {
        connection.TakeUnreplicatedWarning();
        answers = connection.Run({{NoteCommitStatement(NewCommitId(connection.ServerMicros())), CommitStatement()}});
        if (answers.ok() && !connection.TakeUnreplicatedWarning()) return Outcome::kDone;
      }
      if (!answers.ok()) Failed(*lease, answers.status(), RetryReason::kConnectionLost);
    }
    options_.retry.sleep(kSearchPause);
  }
  return Outcome::kUnknown;
}

Attempt PostgresKvEngine::Failed(PostgresPool::Lease& lease, absl::Status status, RetryReason reason) {
  const bool lost = IsConnectionLost(status);
  // One lost connection is a sign that the server ended, and a standby that took over has other connections.
  if (lost) pool_.Renew(lease);
  if (lease->usable() && lease->in_transaction()) RollBack(*lease);
  return {std::move(status), lost ? RetryReason::kConnectionLost : reason};
}

void PostgresKvEngine::RollBack(PostgresConnection& connection) {
  connection.Run({{RollbackStatement()}}).IgnoreError();
}

absl::Status PostgresKvEngine::CheckWritable() {
  absl::StatusOr<PostgresPool::Lease> lease = pool_.Acquire();
  if (!lease.ok()) {
    return metrics_->connections_busy >= options_.connections_max ? absl::OkStatus() : lease.status();
  }
  absl::Status status = (*lease)->Run({{BeginStatement(), RollbackStatement()}}).status();
  if (status.ok()) return status;
  const Attempt failed = Failed(*lease, std::move(status), RetryReason::kConnectionLost);
  return DatabaseUnavailable(failed.status.message());
}

void PostgresKvEngine::ForgetOldCommits() {
  for (;;) {
    absl::StatusOr<PostgresPool::Lease> lease = pool_.Acquire();
    if (!lease.ok()) return;
    const int64_t until = (*lease)->ServerMicros() - absl::ToInt64Microseconds(kCommitsKept);
    absl::StatusOr<std::vector<PostgresRows>> answers = (*lease)->Run({{ForgetCommitsStatement(until)}});
    int deleted = 0;
    if (!answers.ok() || !absl::SimpleAtoi(absl::StripPrefix(answers->back().tag(), "DELETE "), &deleted)) return;
    if (deleted < kForgottenAtOnce) return;
  }
}

}  // namespace entrepot::kv
