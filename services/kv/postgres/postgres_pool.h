#ifndef ENTREPOT_SERVICES_KV_POSTGRES_POSTGRES_POOL_H_
#define ENTREPOT_SERVICES_KV_POSTGRES_POSTGRES_POOL_H_

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/core/time/deadline.h"
#include "services/kv/postgres/postgres_connection.h"
#include "services/kv/postgres/postgres_metrics.h"

namespace entrepot::kv {

// The connections of this process, at most `connections_max` at a time. Thread-safe.
//
// A caller waits for a connection for up to `wait`, also while no server accepts writes, so that a short failover fails
// nothing. Once the servers are away for longer, callers fail at once, and one of them at a time tries to connect.
class PostgresPool {
 public:
  using Connect = std::function<absl::StatusOr<std::unique_ptr<PostgresConnection>>()>;

  struct Options {
    int connections_max;
    absl::Duration wait;
    // Makes a connection. Blocks.
    Connect connect;
  };

  // A connection, which goes back to the pool, or is closed if it is not usable, old, or in a transaction.
  class Lease {
   public:
    Lease(Lease&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)),
          connection_(std::move(other.connection_)),
          generation_(other.generation_) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease();

    PostgresConnection* operator->() const { return connection_.get(); }
    PostgresConnection& operator*() const { return *connection_; }

   private:
    friend class PostgresPool;
    Lease(PostgresPool* pool, std::unique_ptr<PostgresConnection> connection, int64_t generation)
        : pool_(pool), connection_(std::move(connection)), generation_(generation) {}

    PostgresPool* pool_;
    std::unique_ptr<PostgresConnection> connection_;
    int64_t generation_;
  };

  // `metrics` must outlive it.
  PostgresPool(Options options, PostgresMetrics* metrics);
  // No lease may be left.
  ~PostgresPool();

  // kUnavailable if no connection is free in time, or none can be made; the message names the bound. Errors of
  // `connect` other than kUnavailable are returned at once.
  absl::StatusOr<Lease> Acquire();

  // Closes all connections as old as that one, those in use when they are given back: the server that they lead to has
  // ended, or no longer accepts writes. Does nothing if another caller did it already.
  void Renew(const Lease& lease);

 private:
  struct Idle {
    std::unique_ptr<PostgresConnection> connection;
    int64_t generation;
  };

  // While all attempts to connect fail.
  struct Outage {
    Deadline patience;      // Callers wait until then.
    Deadline next_attempt;  // Nobody tries before.
    absl::Duration pause;   // Between attempts.
    absl::Status cause;
  };

  void Return(std::unique_ptr<PostgresConnection> connection, int64_t generation);
  std::optional<Idle> TakeIdle(std::vector<Idle>* expired);
  bool MayConnect() const;
  void NoteFailure(const absl::Status& cause);
  absl::Status Refusal() const;

  const Options options_;
  PostgresMetrics& metrics_;
  std::mutex mutex_;
  // Signalled when a connection is free, may be made, or the outage changes.
  std::condition_variable changed_;
  // All below are guarded by mutex_.
  std::vector<Idle> idle_;
  int open_ = 0;  // With those being made.
  int64_t generation_ = 0;
  bool connecting_in_outage_ = false;
  std::optional<Outage> outage_;
};

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_POSTGRES_POSTGRES_POOL_H_
