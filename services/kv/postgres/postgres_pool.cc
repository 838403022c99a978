#include "services/kv/postgres/postgres_pool.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "services/kv/postgres/postgres_status.h"

namespace entrepot::kv {
namespace {

constexpr absl::Duration kPauseMin = absl::Milliseconds(50);
constexpr absl::Duration kPauseMax = absl::Seconds(1);

}  // namespace

PostgresPool::Lease::~Lease() {
  if (pool_ != nullptr) pool_->Return(std::move(connection_), generation_);
}

PostgresPool::PostgresPool(Options options, PostgresMetrics* metrics)
    : options_(std::move(options)), metrics_(*metrics) {
  metrics_.connections_max = options_.connections_max;
}

PostgresPool::~PostgresPool() = default;

absl::StatusOr<PostgresPool::Lease> PostgresPool::Acquire() {
  const Deadline deadline = Deadline::After(options_.wait);
  std::vector<Idle> expired;  // Closed after the mutex is free.
  std::unique_lock lock(mutex_);
  for (;;) {
    if (std::optional<Idle> taken = TakeIdle(&expired); taken.has_value()) {
      ++metrics_.connections_busy;
      return Lease(this, std::move(taken->connection), taken->generation);
    }
    if (MayConnect()) {
      ++open_;
      const bool in_outage = outage_.has_value();
      if (in_outage) connecting_in_outage_ = true;
      const int64_t generation = generation_;
      lock.unlock();
      absl::StatusOr<std::unique_ptr<PostgresConnection>> made = options_.connect();
      lock.lock();
      if (in_outage) connecting_in_outage_ = false;
      if (made.ok()) {
        ++metrics_.connects;
        ++metrics_.connections_open;
        ++metrics_.connections_busy;
        outage_.reset();
        changed_.notify_all();
        return Lease(this, *std::move(made), generation);
      }
      ++metrics_.connect_failures;
      --open_;
      NoteFailure(made.status());
      changed_.notify_all();
      if (!absl::IsUnavailable(made.status())) return made.status();
    }
    if (deadline.passed() || (outage_.has_value() && outage_->patience.passed() && open_ == 0)) {
      ++metrics_.refused;
      return Refusal();
    }
    auto until = deadline.time();
    // Whoever tries to connect wakes the others.
    if (outage_.has_value() && !connecting_in_outage_ && open_ < options_.connections_max) {
      until = std::min(until, outage_->next_attempt.time());
    }
    ++metrics_.waiting;
    changed_.wait_until(lock, until);
    --metrics_.waiting;
  }
}

std::optional<PostgresPool::Idle> PostgresPool::TakeIdle(std::vector<Idle>* expired) {
  while (!idle_.empty()) {
    Idle last = std::move(idle_.back());
    idle_.pop_back();
    if (last.generation == generation_ && !last.connection->expires().passed()) return last;
    expired->push_back(std::move(last));
    --open_;
    --metrics_.connections_open;
  }
  return std::nullopt;
}

bool PostgresPool::MayConnect() const {
  if (open_ >= options_.connections_max) return false;
  return !outage_.has_value() || (!connecting_in_outage_ && outage_->next_attempt.passed());
}

void PostgresPool::NoteFailure(const absl::Status& cause) {
  if (!outage_.has_value()) {
    outage_ = Outage{Deadline::After(options_.wait), Deadline::After(kPauseMin), kPauseMin, cause};
    return;
  }
  outage_->pause = std::min(2 * outage_->pause, kPauseMax);
  outage_->next_attempt = Deadline::After(outage_->pause);
  outage_->cause = cause;
}

absl::Status PostgresPool::Refusal() const {
  if (outage_.has_value()) return outage_->cause;
  return DatabaseBusy(absl::StrCat("all ", options_.connections_max,
                                   " connections to PostgreSQL (records.postgres.connections_max) were in use for ",
                                   absl::FormatDuration(options_.wait), " (connection_wait)"));
}

void PostgresPool::Return(std::unique_ptr<PostgresConnection> connection, int64_t generation) {
  std::unique_ptr<PostgresConnection> closed;
  {
    std::lock_guard lock(mutex_);
    --metrics_.connections_busy;
    if (connection->usable() && !connection->in_transaction() && generation == generation_) {
      idle_.push_back({std::move(connection), generation});
    } else {
      if (!connection->usable()) ++metrics_.connections_lost;
      --open_;
      --metrics_.connections_open;
      closed = std::move(connection);
    }
  }
  changed_.notify_one();
}

void PostgresPool::Renew(const Lease& lease) {
  std::vector<Idle> closed;
  std::lock_guard lock(mutex_);
  if (lease.generation_ != generation_) return;
  ++generation_;
  open_ -= static_cast<int>(idle_.size());
  metrics_.connections_open -= static_cast<int64_t>(idle_.size());
  closed.swap(idle_);
  changed_.notify_all();
}

}  // namespace entrepot::kv
