#include "services/blob/s3/upload_memory.h"

#include "absl/strings/str_cat.h"
#include "services/status/oci_error.h"

namespace entrepot::blob::s3 {
namespace {

// The client may know the reason.
absl::Status Refused(const std::string& reason) { return OciError(OciErrorCode::kUnavailable, reason, reason); }

}  // namespace

absl::Status UploadMemory::Change(const std::string& owner, uint64_t from, uint64_t to) {
  if (from == to) return absl::OkStatus();
  absl::MutexLock lock(&mutex_);
  const uint64_t share = bytes_max_ / kShare;
  const auto found = owner.empty() ? used_by_owner_.end() : used_by_owner_.find(owner);
  const uint64_t owned = (found == used_by_owner_.end() ? from : found->second) - from + to;
  if (to > from && used_ - from + to > bytes_max_) {
    metrics_.CountRefusedMemory(MemoryLimit::kSum);
    return Refused(absl::StrCat("uploads that run hold ", bytes_max_,
                                " bytes, which is the bound objects.s3.upload_memory_bytes_max"));
  }
  if (to > from && !owner.empty() && owned > share) {
    metrics_.CountRefusedMemory(MemoryLimit::kShare);
    return Refused(absl::StrCat("running uploads of this account or address hold ", share,
                                " bytes, its share of objects.s3.upload_memory_bytes_max: ", bytes_max_));
  }
  used_ = used_ - from + to;
  metrics_.upload_memory()->Set(static_cast<double>(used_));
  if (owner.empty()) return absl::OkStatus();
  if (owned > 0) {
    used_by_owner_[owner] = owned;
  } else if (found != used_by_owner_.end()) {
    used_by_owner_.erase(found);
  }
  return absl::OkStatus();
}

bool UploadMemory::IsScarce(const std::string& owner) {
  absl::MutexLock lock(&mutex_);
  if (used_ > bytes_max_ / 2) return true;
  const auto found = used_by_owner_.find(owner);
  return found != used_by_owner_.end() && found->second > bytes_max_ / kShare / 2;
}

}  // namespace entrepot::blob::s3
