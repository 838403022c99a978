#ifndef ENTREPOT_SERVICES_KV_POSTGRES_POSTGRES_KV_ENGINE_H_
#define ENTREPOT_SERVICES_KV_POSTGRES_POSTGRES_KV_ENGINE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "prometheus/collectable.h"
#include "services/core/time/stopwatch.h"
#include "services/kv/aborted_retry.h"
#include "services/kv/kv_engine.h"
#include "services/kv/lock_table.h"
#include "services/kv/postgres/postgres_connection.h"
#include "services/kv/postgres/postgres_lock_turns.h"
#include "services/kv/postgres/postgres_locks.h"
#include "services/kv/postgres/postgres_metrics.h"
#include "services/kv/postgres/postgres_pool.h"
#include "services/kv/write_buffer.h"
#include "services/runtime/threads/periodic_task.h"

namespace entrepot::kv {

// The engine that several processes share: a table of PostgreSQL (decisions/2026-11-30-postgres-engine.md).
//
// A key is locked in this process first (LockTable), and then in the database by an advisory lock of the transaction.
// Transactions are READ COMMITTED; a statement behind the lock sees all that its previous holders committed.
//
// If the answer of a commit is lost, the engine finds out whether the transaction was committed: it takes the same
// locks, which the lost session holds until it has ended, and looks for the commit's id. If that takes too long,
// Transact gives kUnavailable, and the transaction may have been committed. A connection that is lost before is a
// retry.
//
// A function of Transact keeps a connection, and loses it if it does not use it for 5 seconds: then it runs again.
// A function that calls the same engine needs a second connection.
class PostgresKvEngine : public KvEngine {
 public:
  struct Options {
    PostgresAddress address;
    int connections_max = 16;
    absl::Duration connection_wait = absl::Seconds(5);
    // Locks that large transactions of this process hold in the database at once (postgres_lock_turns.h); others wait
    // for `connection_wait`. 0: an eighth of what the server has, so that four processes leave half of it to the rest,
    // but at least 2,000, which any server can spare.
    int64_t locks_max = 0;
    // How long one attempt waits for one lock.
    absl::Duration lock_timeout = absl::Milliseconds(500);
    // A transaction that is older, from the call of Transact on, is not begun or committed any more: the process was
    // perhaps frozen, and the caller has repeated the call at another one.
    absl::Duration age_max = absl::Seconds(20);
    // How long to look for a commit whose answer was lost.
    absl::Duration search_timeout = absl::Seconds(15);
    RetryPolicy retry;
    // Receives warnings and errors, one line a call, on any thread. May be empty.
    std::function<void(absl::string_view)> log = {};
  };

  // Connects, and checks what the engine relies on (postgres_start_checks.h). kUnavailable if no server accepts writes;
  // kFailedPrecondition if the database is not fit, with what to do.
  static absl::StatusOr<std::unique_ptr<PostgresKvEngine>> Open(const Options& options);

  // No call may be running.
  ~PostgresKvEngine() override;

  absl::StatusOr<std::optional<std::string>> Get(absl::string_view key) override;
  absl::StatusOr<std::vector<std::optional<std::string>>> MultiGet(absl::Span<const std::string> keys) override;
  absl::StatusOr<std::vector<KeyValue>> Scan(const ScanOptions& options) override;
  absl::Status Transact(std::vector<Lock> locks, const Function& fn, Durability durability) override;
  // Nothing is in memory.
  KvReader& in_memory() override { return nothing_; }

  // OK if the database answers and accepts writes, or if all connections are at work.
  absl::Status CheckWritable();

  // The metrics entrepot_postgres_*.
  std::shared_ptr<prometheus::Collectable> metrics() const { return metrics_; }

 private:
  class Nothing : public KvReader {
   public:
    absl::StatusOr<std::optional<std::string>> Get(absl::string_view) override { return NotInMemory(); }
    absl::StatusOr<std::vector<std::optional<std::string>>> MultiGet(absl::Span<const std::string>) override {
      return NotInMemory();
    }
    absl::StatusOr<std::vector<KeyValue>> Scan(const ScanOptions&) override { return NotInMemory(); }
  };
  // What became of a commit.
  enum class Outcome { kDone, kAbsent, kUnknown };

  // `options` with locks_max.
  explicit PostgresKvEngine(const Options& options);

  absl::StatusOr<PostgresRows> ReadOnce(const PostgresStatement& statement);
  Attempt TransactOnce(const std::vector<Lock>& locks, const PostgresLocks& ids, const Function& fn,
                       Durability durability, const Stopwatch& age);
  absl::Status Commit(PostgresPool::Lease* lease, const WriteBuffer::Writes& writes, Durability durability,
                      const std::string& commit_id, bool* unanswered);
  Outcome FindCommit(const PostgresLocks& ids, const std::string& commit_id);
  // What becomes of a transaction that failed with that status. Rolls it back; closes all connections if its own was
  // lost.
  Attempt Failed(PostgresPool::Lease& lease, absl::Status status, RetryReason reason);
  void RollBack(PostgresConnection& connection);
  void ForgetOldCommits();

  const Options options_;
  const std::shared_ptr<PostgresMetrics> metrics_ = std::make_shared<PostgresMetrics>();
  PostgresLockTurns turns_;
  LockTable locks_;
  Nothing nothing_;
  PostgresPool pool_;
  std::unique_ptr<runtime::PeriodicTask> forgetting_;
};

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_POSTGRES_POSTGRES_KV_ENGINE_H_
