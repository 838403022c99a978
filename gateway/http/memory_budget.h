#ifndef ENTREPOT_GATEWAY_HTTP_MEMORY_BUDGET_H_
#define ENTREPOT_GATEWAY_HTTP_MEMORY_BUDGET_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/registry.h"

namespace entrepot::gateway::http {

// Bounds the memory of bodies that are kept whole while a client sends or reads them: limits.body_memory_bytes_max in
// sum, a part of it for one client address, and a part for one account, so that slow or unfinished requests of one
// client leave room for those of others. Thread-safe.
//
// Metrics: entrepot_http_body_memory_bytes, and entrepot_http_body_memory_refused_total{reason="sum"|"client"|
// "account"}.
class MemoryBudget {
 private:
  using Shares = std::map<std::string, uint64_t, std::less<>>;
  using Entry = Shares::value_type;

 public:
  // Smaller bodies are not counted, so that most requests do not touch the budget: most manifests are smaller.
  // limits.connections_max bounds them.
  static constexpr size_t kUncountedBytes = 16 * 1024;
  // One client address gets one part of so many.
  static constexpr uint64_t kShare = 4;
  // One account gets one part of so many. More than an address, because many machines may use one account.
  static constexpr uint64_t kAccountShare = 2;

  // The memory of one body. Gives it back when it is destroyed, on any thread.
  class Reservation {
   public:
    // Reserves nothing yet. Without a budget, everything is granted. `budget` must outlive it; `address` and `account`,
    // which may be empty, must stay valid until the last call of GrowTo().
    Reservation() = default;
    Reservation(MemoryBudget* budget, absl::string_view address, absl::string_view account = {})
        : budget_(budget), address_(address), account_(account) {}
    Reservation(Reservation&& other) noexcept;
    Reservation& operator=(Reservation&& other) noexcept;
    ~Reservation();

    // Reserves memory for a body of `bytes` in all, if it has less. kResourceExhausted, with a message for the client:
    // the budget, or the share of the client or the account, has no room; then the reservation is unchanged.
    absl::Status GrowTo(uint64_t bytes);

    // The same for buffers that make a transfer faster, but which it can do without: takes at most half of the budget
    // and of the client's share, so that these stay usable for bodies, and nothing of the account's. A refusal is not
    // counted.
    bool TryGrowTo(uint64_t bytes);

   private:
    friend class MemoryBudget;
    void Swap(Reservation& other);

    MemoryBudget* budget_ = nullptr;
    absl::string_view address_;
    absl::string_view account_;
    Entry* client_ = nullptr;      // Of used_by_client_; null if nothing is reserved.
    Entry* by_account_ = nullptr;  // Of used_by_account_; null if nothing is reserved from the account's share.
    uint64_t bytes_ = 0;
    uint64_t account_bytes_ = 0;
  };

  MemoryBudget(uint64_t bytes_max, const std::shared_ptr<prometheus::Registry>& registry);

  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

 private:
  enum class Outcome { kDone, kNoneLeft, kNoneLeftForClient, kNoneLeftForAccount };
  // Makes the reservation `bytes` large. Does nothing, and says why, if the memory in use would exceed `bytes_max`, the
  // client's share of `bytes_max`, or the account's share of it. If `account` is empty, no account's share applies.
  Outcome Grow(Reservation* reservation, uint64_t bytes, uint64_t bytes_max, absl::string_view account);
  absl::Status Refuse(Outcome outcome);
  void Return(const Reservation& reservation);

  const uint64_t bytes_max_;
  prometheus::Gauge& gauge_;
  prometheus::Counter& refused_for_sum_;
  prometheus::Counter& refused_for_client_;
  prometheus::Counter& refused_for_account_;
  absl::Mutex mutex_;
  uint64_t used_ ABSL_GUARDED_BY(mutex_) = 0;
  // By client network (services/core/client_network.h), and by account; no zeros.
  Shares used_by_client_ ABSL_GUARDED_BY(mutex_);
  Shares used_by_account_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_MEMORY_BUDGET_H_
