#include "services/blob/io/write_gate.h"

#include "absl/strings/str_cat.h"
#include "services/runtime/log/json_log.h"
#include "services/status/oci_error.h"

namespace entrepot::blob {

WriteGate::WriteGate(prometheus::Gauge* read_only) : read_only_(read_only) { read_only_->Set(0); }

absl::Status WriteGate::Check() const {
  if (!closed_.load(std::memory_order_acquire)) return absl::OkStatus();
  absl::MutexLock lock(&mutex_);
  return OciError(OciErrorCode::kUnavailable, absl::StrCat("the blob store is read-only: ", reason_),
                  "nothing can be pushed: the blob store is read-only until it is restarted");
}

void WriteGate::Close(absl::string_view reason) {
  {
    absl::MutexLock lock(&mutex_);
    if (closed_.load(std::memory_order_relaxed)) return;
    reason_ = std::string(reason);
    closed_.store(true, std::memory_order_release);
  }
  read_only_->Set(1);
  runtime::Log(runtime::LogLevel::kError, "the blob store turned read-only; restart it once the disk is sound",
               {{"reason", reason}});
}

}  // namespace entrepot::blob
