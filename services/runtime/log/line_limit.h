#ifndef ENTREPOT_SERVICES_RUNTIME_LOG_LINE_LIMIT_H_
#define ENTREPOT_SERVICES_RUNTIME_LOG_LINE_LIMIT_H_

#include <atomic>
#include <chrono>
#include <cstdint>

namespace entrepot::runtime {

// Limits a line of the log about something that may occur often to one in an interval. Thread-safe.
class LineLimit {
 public:
  explicit LineLimit(std::chrono::steady_clock::duration interval = std::chrono::seconds(1)) : interval_(interval) {}

  // Whether the line may be written now.
  bool Allows(std::chrono::steady_clock::time_point now = std::chrono::steady_clock::now()) {
    int64_t next = next_.load(std::memory_order_relaxed);
    const int64_t ticks = now.time_since_epoch().count();
    return ticks >= next && next_.compare_exchange_strong(next, ticks + interval_.count());
  }

 private:
  const std::chrono::steady_clock::duration interval_;
  std::atomic<int64_t> next_{INT64_MIN};
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_LOG_LINE_LIMIT_H_
