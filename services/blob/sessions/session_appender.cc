#include "services/blob/sessions/session_appender.h"

#include <memory>

#include "services/core/content.h"
#include "services/runtime/log/limited_log.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {

SessionAppender::~SessionAppender() {
  if (claim_.open() && Changed()) {
    if (absl::Status status = Save(); !status.ok()) {
      runtime::LogLimited(runtime::LogLevel::kWarning, "the state of an interrupted upload could not be saved", "",
                          {{"error", status.message()}});
    }
  }
  std::unique_ptr<StagedUpload> staged = upload_.TakeStaged();
  if (staged != nullptr && saved_.staged) uploads_.Park(claim_.id(), std::move(staged));
}

absl::Status SessionAppender::Append(absl::string_view bytes) {
  RETURN_IF_ERROR(failure_);
  failure_ = upload_.Append(bytes);
  RETURN_IF_ERROR(failure_);
  if (upload_.is_staged() && upload_.size_bytes() - saved_.offset_bytes >= kCheckpointBytes) failure_ = Save();
  return failure_;
}

absl::StatusOr<Upload> SessionAppender::Finish() {
  RETURN_IF_ERROR(failure_);
  if (Changed()) RETURN_IF_ERROR(Save());
  return Upload{.id = claim_.id(), .offset_bytes = saved_.offset_bytes};
}

absl::StatusOr<Blob> SessionAppender::FinishAndSeal(const Digest& digest) {
  RETURN_IF_ERROR(failure_);
  // The sync may take long. If the process is killed during it, the client need not send these bytes again.
  if (upload_.is_staged() && Changed()) RETURN_IF_ERROR(Save());
  storage::v1::UploadRecord record = upload_.Record();
  return endings_.Seal(claim_, std::move(record), upload_.digester(), upload_.TakeStaged(), digest);
}

SessionAppender::Saved SessionAppender::Saved::Of(const storage::v1::UploadRecord& record) {
  return {.offset_bytes = record.offset_bytes(),
          .staged = record.staged_in_file(),
          .algorithm = record.digester().algorithm()};
}

bool SessionAppender::Changed() const {
  return upload_.size_bytes() != saved_.offset_bytes || upload_.is_staged() != saved_.staged ||
         DigestAlgorithmName(upload_.digester().algorithm()) != saved_.algorithm;
}

absl::Status SessionAppender::Save() {
  storage::v1::UploadRecord record = upload_.Record();
  RETURN_IF_ERROR(records_.Put(claim_.id(), record));
  saved_ = Saved::Of(record);
  claim_.Update(SessionState::kOpen, saved_.offset_bytes, /*trusted=*/true);
  return absl::OkStatus();
}

}  // namespace entrepot::blob
