#include "services/manifest/records/record_cursor.h"

#include <algorithm>
#include <numeric>

#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

size_t SizeBytes(const std::vector<kv::KeyValue>& records) {
  return std::accumulate(records.begin(), records.end(), size_t{0},
                         [](size_t sum, const kv::KeyValue& record) { return sum + record.size_bytes(); });
}

}  // namespace

absl::StatusOr<const kv::KeyValue*> RecordCursor::Next() {
  if (position_ < batch_.size()) return &batch_[position_++];
  if (at_end_) return nullptr;
  if (!batch_.empty()) scan_.start_after = std::move(batch_.back().key);
  batch_.clear();
  ASSIGN_OR_RETURN(batch_, kv_->Scan(scan_));
  at_end_ = batch_.size() < scan_.limit && SizeBytes(batch_) < scan_.bytes_max;
  scan_.limit = std::min(kBatchMax, 4 * scan_.limit);
  position_ = 0;
  if (batch_.empty()) return nullptr;
  return &batch_[position_++];
}

}  // namespace entrepot::manifest
