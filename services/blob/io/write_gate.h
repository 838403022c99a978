#ifndef ENTREPOT_SERVICES_BLOB_IO_WRITE_GATE_H_
#define ENTREPOT_SERVICES_BLOB_IO_WRITE_GATE_H_

#include <atomic>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "prometheus/gauge.h"

namespace entrepot::blob {

// Whether the store still takes writes. After a failed sync nothing can be said of what the kernel still holds, and a
// second sync would succeed without the bytes having been written; so the store stays read-only until the process is
// started anew, when every unsealed byte is read back and checked. Thread-safe.
class WriteGate {
 public:
  // `read_only` shows 0 or 1 and outlives the gate.
  explicit WriteGate(prometheus::Gauge* read_only);

  // kUnavailable (UNAVAILABLE), with the reason, once it is closed.
  absl::Status Check() const;
  // For good; the first reason counts.
  void Close(absl::string_view reason);

 private:
  prometheus::Gauge* const read_only_;
  std::atomic<bool> closed_{false};
  mutable absl::Mutex mutex_;
  std::string reason_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_IO_WRITE_GATE_H_
