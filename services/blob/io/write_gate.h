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

// Whether the store accepts writes. After a failed sync it is not known what the kernel still holds, and a second sync
// would succeed although the bytes were not written. So the store stays read-only until the process restarts, which
// reads back and checks every unsealed byte. Thread-safe.
class WriteGate {
 public:
  // `read_only` is set to 0 or 1, and outlives the gate.
  explicit WriteGate(prometheus::Gauge* read_only);

  // OK, or kUnavailable (UNAVAILABLE) with the reason once the gate is closed.
  absl::Status Check() const;
  // Closes the gate permanently. The first reason is kept.
  void Close(absl::string_view reason);

 private:
  prometheus::Gauge* const read_only_;
  std::atomic<bool> closed_{false};
  mutable absl::Mutex mutex_;
  std::string reason_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_IO_WRITE_GATE_H_
