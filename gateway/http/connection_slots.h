#ifndef ENTREPOT_GATEWAY_HTTP_CONNECTION_SLOTS_H_
#define ENTREPOT_GATEWAY_HTTP_CONNECTION_SLOTS_H_

#include <cstddef>
#include <functional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "prometheus/gauge.h"

namespace entrepot::gateway::http {

// Limits the number of open connections. Thread-safe.
class ConnectionSlots {
 public:
  // `open` shows the number of open connections and must outlive this.
  ConnectionSlots(size_t max, prometheus::Gauge* open) : max_(max), open_gauge_(open) {}

  // Release() calls `on_free` once after one or more failed TryTake(). Set it before the first TryTake().
  void set_on_free(std::function<void()> on_free) { on_free_ = std::move(on_free); }

  bool TryTake();
  void Release();

  // Waits until no connection is open; false if the deadline passes first.
  bool WaitUntilNone(absl::Time deadline);

 private:
  const size_t max_;
  prometheus::Gauge* const open_gauge_;
  std::function<void()> on_free_;
  absl::Mutex mutex_;
  size_t open_ ABSL_GUARDED_BY(mutex_) = 0;
  bool wanted_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_CONNECTION_SLOTS_H_
