#include "services/blob/sessions/staging_area.h"

#include <algorithm>

#include "services/blob/sessions/digester_state_record.h"
#include "services/runtime/log/limited_log.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {

absl::StatusOr<std::unique_ptr<StagedUpload>> StagingArea::Create(const UploadId& id) {
  Unpark(id).reset();
  return store_.OpenStaged(id, 0, "");
}

absl::StatusOr<std::unique_ptr<StagedUpload>> StagingArea::Open(Accept accept, SessionTable::Claim& claim,
                                                                storage::v1::UploadRecord& record) {
  const uint64_t size = record.offset_bytes();
  std::unique_ptr<StagedUpload> staged = Unpark(claim.id());
  // The file is longer than the record states if bytes were written and the record then could not be. OpenStaged()
  // below cuts it.
  if (staged != nullptr && staged->size_bytes() == size) return staged;
  staged.reset();
  ASSIGN_OR_RETURN(staged, OpenInStore(accept, claim.id(), size));
  if (!claim.info().trusted) {
    RETURN_IF_ERROR(Verify(*staged, record));
    RETURN_IF_ERROR(records_.Put(claim.id(), record));
    claim.Update(SessionState::kOpen, size, /*trusted=*/true);
  }
  return staged;
}

absl::StatusOr<std::unique_ptr<StagedUpload>> StagingArea::OpenInStore(Accept accept, const UploadId& id,
                                                                       uint64_t size_bytes) {
  absl::StatusOr<std::unique_ptr<StagedUpload>> staged = store_.OpenStaged(id, size_bytes, "");
  if (accept == Accept::kStagedOrPublished && absl::IsNotFound(staged.status())) {
    return store_.OpenPublished(id, size_bytes);
  }
  return staged;
}

absl::Status StagingArea::Verify(StagedUpload& staged, const storage::v1::UploadRecord& record) {
  ASSIGN_OR_RETURN(const Digester recorded, RestoreDigester(record.digester()));
  Digester found(recorded.algorithm());
  absl::Status read = staged.Read([&](absl::string_view bytes) { found.Update(bytes); });
  if (!read.ok() && !absl::IsDataLoss(read)) return read;
  if (read.ok() && found.Save() == recorded.Save()) return absl::OkStatus();
  runtime::LogLimited(runtime::LogLevel::kWarning, "an upload's bytes did not survive a restart", "",
                      {{"size_bytes", record.offset_bytes()}, {"error", read.message()}});
  return UnknownSession();
}

void StagingArea::Park(const UploadId& id, std::unique_ptr<StagedUpload> staged) {
  std::list<Parked> evicted;
  {
    absl::MutexLock lock(&mutex_);
    parked_.emplace_back(id, std::move(staged));
    if (parked_.size() > open_max_) evicted.splice(evicted.begin(), parked_, parked_.begin());
  }
  for (auto& [evicted_id, upload] : evicted) {
    if (absl::Status status = upload->Sync(); !status.ok()) {
      // Some bytes may be lost, so the session must not use this file again.
      runtime::LogLimited(runtime::LogLevel::kError, "an upload's bytes were lost", "", {{"error", status.message()}});
      store_.DiscardStaged(evicted_id, "").IgnoreError();
    }
  }
}

std::unique_ptr<StagedUpload> StagingArea::Unpark(const UploadId& id) {
  absl::MutexLock lock(&mutex_);
  const auto found =
      std::find_if(parked_.begin(), parked_.end(), [&](const Parked& parked) { return parked.first == id; });
  if (found == parked_.end()) return nullptr;
  std::unique_ptr<StagedUpload> staged = std::move(found->second);
  parked_.erase(found);
  return staged;
}

absl::Status StagingArea::Discard(const UploadId& id) {
  Unpark(id).reset();
  return store_.DiscardStaged(id, "");
}

}  // namespace entrepot::blob
