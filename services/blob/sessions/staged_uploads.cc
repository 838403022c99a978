#include "services/blob/sessions/staged_uploads.h"

#include "services/blob/sessions/digester_state_record.h"
#include "services/runtime/log/json_log.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {

absl::StatusOr<std::unique_ptr<StagedObject>> StagedUploads::Create(const UploadId& id) {
  pool_.Take(id).reset();
  return store_.OpenStaged(id, 0);
}

absl::StatusOr<std::unique_ptr<StagedObject>> StagedUploads::Open(Accept accept, SessionTable::Claim& claim,
                                                                  storage::v1::UploadRecord& record) {
  const uint64_t size = record.offset_bytes();
  std::unique_ptr<StagedObject> staged = pool_.Take(claim.id());
  // Longer where a record could not be written after its bytes.
  if (staged != nullptr && staged->size_bytes() == size) return staged;
  staged.reset();
  ASSIGN_OR_RETURN(staged, OpenAnew(accept, claim.id(), size));
  if (!claim.info().trusted) {
    RETURN_IF_ERROR(Verify(*staged, record));
    RETURN_IF_ERROR(records_.Put(claim.id(), record));
    claim.Update(SessionState::kOpen, size, /*trusted=*/true);
  }
  return staged;
}

absl::StatusOr<std::unique_ptr<StagedObject>> StagedUploads::OpenAnew(Accept accept, const UploadId& id,
                                                                      uint64_t size_bytes) {
  absl::StatusOr<std::unique_ptr<StagedObject>> staged = store_.OpenStaged(id, size_bytes);
  if (accept == Accept::kStagedOrPublished && absl::IsNotFound(staged.status())) {
    return store_.OpenPublished(id, size_bytes);
  }
  return staged;
}

absl::Status StagedUploads::Verify(StagedObject& staged, const storage::v1::UploadRecord& record) {
  ASSIGN_OR_RETURN(const Digester recorded, RestoreDigester(record.digester()));
  Digester found(recorded.algorithm());
  absl::Status read = staged.Read([&](absl::string_view bytes) { found.Update(bytes); });
  if (!read.ok() && !absl::IsDataLoss(read)) return read;
  if (read.ok() && found.Save() == recorded.Save()) return absl::OkStatus();
  runtime::Log(runtime::LogLevel::kWarning, "an upload's bytes did not outlive a restart",
               {{"size_bytes", record.offset_bytes()}, {"error", read.message()}});
  return UnknownSession();
}

absl::Status StagedUploads::Discard(const UploadId& id) {
  pool_.Take(id).reset();
  return store_.DiscardStaged(id);
}

}  // namespace entrepot::blob
