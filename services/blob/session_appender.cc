#include "services/blob/session_appender.h"

#include <string>

#include "services/blob/digester_state_record.h"
#include "services/blob/kv_object_tier.h"
#include "services/runtime/json_log.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {

SessionAppender::~SessionAppender() {
  if (claim_.open() && Changed()) {
    if (absl::Status status = Save(); !status.ok()) {
      runtime::Log(runtime::LogLevel::kWarning, "where an upload broke off could not be saved",
                   {{"error", status.message()}});
    }
  }
  if (staged_ != nullptr && saved_as_staged_) uploads_.Park(claim_.id(), std::move(staged_));
}

absl::Status SessionAppender::Append(absl::string_view bytes) {
  RETURN_IF_ERROR(failure_);
  failure_ = Store(bytes);
  RETURN_IF_ERROR(failure_);
  digester_.Update(bytes);
  if (staged_ != nullptr && digester_.length_bytes() - record_.offset_bytes() >= kCheckpointBytes) failure_ = Save();
  return failure_;
}

absl::Status SessionAppender::Store(absl::string_view bytes) {
  if (staged_ == nullptr) {
    if (record_.inline_bytes().size() + bytes.size() <= KvObjectTier::kObjectBytesMax) {
      record_.mutable_inline_bytes()->append(bytes.data(), bytes.size());
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(MoveToStaged());
  }
  return staged_->Append(bytes);
}

absl::Status SessionAppender::MoveToStaged() {
  ASSIGN_OR_RETURN(std::unique_ptr<StagedObject> staged, uploads_.Create(claim_.id()));
  if (!record_.inline_bytes().empty()) RETURN_IF_ERROR(staged->Append(record_.inline_bytes()));
  staged_ = std::move(staged);
  record_.clear_inline_bytes();
  record_.set_staged_in_file(true);
  return absl::OkStatus();
}

absl::StatusOr<Upload> SessionAppender::Finish() {
  RETURN_IF_ERROR(failure_);
  if (Changed()) RETURN_IF_ERROR(Save());
  return Upload{.id = claim_.id(), .offset_bytes = record_.offset_bytes()};
}

absl::StatusOr<SealedUpload> SessionAppender::FinishAndSeal(const Digest& digest) {
  RETURN_IF_ERROR(failure_);
  // Killed while it syncs many bytes, the upload goes on behind them.
  if (staged_ != nullptr && Changed()) RETURN_IF_ERROR(Save());
  return endings_.Seal(claim_, CurrentRecord(), digester_, std::move(staged_), digest);
}

storage::v1::UploadRecord SessionAppender::CurrentRecord() const {
  storage::v1::UploadRecord record = record_;
  record.set_offset_bytes(digester_.length_bytes());
  *record.mutable_digester() = ToRecord(digester_.Save());
  return record;
}

bool SessionAppender::Changed() const {
  return digester_.length_bytes() != record_.offset_bytes() || record_.staged_in_file() != saved_as_staged_ ||
         DigestAlgorithmName(digester_.algorithm()) != record_.digester().algorithm();
}

absl::Status SessionAppender::Save() {
  storage::v1::UploadRecord next = CurrentRecord();
  RETURN_IF_ERROR(records_.Put(claim_.id(), next));
  record_ = std::move(next);
  saved_as_staged_ = record_.staged_in_file();
  claim_.Update(SessionState::kOpen, record_.offset_bytes(), /*trusted=*/true);
  return absl::OkStatus();
}

}  // namespace entrepot::blob
