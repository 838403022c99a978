#ifndef ENTREPOT_GATEWAY_HTTP_MEMORY_BUDGET_H_
#define ENTREPOT_GATEWAY_HTTP_MEMORY_BUDGET_H_

#include <cstddef>
#include <cstdint>
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
// sum, and kShare of it for one client address, so that slow or unfinished requests of one client leave room for those
// of others. Thread-safe.
//
// Metrics: entrepot_http_body_memory_bytes, and entrepot_http_body_memory_refused_total{reason="sum"|"client"}.
class MemoryBudget {
 public:
  // Smaller bodies are not counted, so that most requests do not touch the budget: most manifests are smaller.
  // limits.connections_max bounds them.
  static constexpr size_t kUncountedBytes = 16 * 1024;
  // One client address gets one part of so many.
  static constexpr uint64_t kShare = 4;

  // The memory of one body. Gives it back when it is destroyed, on any thread.
  class Reservation {
   public:
    // Reserves nothing yet. Without a budget, everything is granted. `budget` must outlive it; `address` must stay
    // valid until the last call of GrowTo().
    Reservation() = default;
    Reservation(MemoryBudget* budget, absl::string_view address) : budget_(budget), address_(address) {}
    Reservation(Reservation&& other) noexcept { Swap(other); }
    Reservation& operator=(Reservation&& other) noexcept {
      Swap(other);
      return *this;
    }
    ~Reservation();

    // Reserves memory for a body of `bytes` in all, if it has less. kResourceExhausted, with a message for the client:
    // the budget, or the client's share, has no room; then the reservation is unchanged.
    absl::Status GrowTo(uint64_t bytes);

    // The same for buffers that make a transfer faster, but which it can do without: takes at most half of the budget
    // and of the client's share, so that these stay usable for bodies. A refusal is not counted.
    bool TryGrowTo(uint64_t bytes);

   private:
    friend class MemoryBudget;
    void Swap(Reservation& other);

    MemoryBudget* budget_ = nullptr;
    absl::string_view address_;
    std::pair<const std::string, uint64_t>* client_ = nullptr;  // An entry of used_by_; null if nothing is reserved.
    uint64_t bytes_ = 0;
  };

  MemoryBudget(uint64_t bytes_max, const std::shared_ptr<prometheus::Registry>& registry);

  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

 private:
  enum class Outcome { kDone, kNoneLeft, kNoneLeftForClient };
  // Grows to `bytes` unless more than `bytes_max` would be in use then, or more than the share of it by the client.
  Outcome Grow(Reservation* reservation, uint64_t bytes, uint64_t bytes_max);
  absl::Status Refuse(Outcome outcome);
  void Return(const Reservation& reservation);

  const uint64_t bytes_max_;
  prometheus::Gauge& gauge_;
  prometheus::Counter& refused_for_sum_;
  prometheus::Counter& refused_for_client_;
  absl::Mutex mutex_;
  uint64_t used_ ABSL_GUARDED_BY(mutex_) = 0;
  // By client network (services/core/client_network.h); no zeros.
  std::map<std::string, uint64_t> used_by_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_MEMORY_BUDGET_H_
