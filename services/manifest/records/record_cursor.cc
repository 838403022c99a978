#include "services/manifest/records/record_cursor.h"

#include <algorithm>

#include "services/status/status_macros.h"

namespace entrepot::manifest {

absl::StatusOr<const kv::KeyValue*> RecordCursor::Next() {
  if (position_ < batch_.size()) return &batch_[position_++];
  if (at_end_) return nullptr;
  if (!batch_.empty()) {
    size_t bytes = 1;
    for (const kv::KeyValue& record : batch_) bytes += record.key.size() + record.value.size();
    scan_.start_after = std::move(batch_.back().key);
    scan_.limit = std::clamp<size_t>(kBatchBytes * batch_.size() / bytes, 1, std::min(kBatchMax, 4 * scan_.limit));
  }
  ASSIGN_OR_RETURN(batch_, kv_->Scan(scan_));
  at_end_ = batch_.size() < scan_.limit;
  position_ = 0;
  if (batch_.empty()) return nullptr;
  return &batch_[position_++];
}

}  // namespace entrepot::manifest
