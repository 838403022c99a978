#ifndef ENTREPOT_SERVICES_BLOB_SESSIONS_SESSION_APPENDER_H_
#define ENTREPOT_SERVICES_BLOB_SESSIONS_SESSION_APPENDER_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "entrepot/storage/v1/blob_records.pb.h"
#include "services/blob/sessions/growing_upload.h"
#include "services/blob/sessions/session_endings.h"
#include "services/blob/sessions/session_records.h"
#include "services/blob/sessions/session_table.h"
#include "services/blob/sessions/staged_uploads.h"
#include "services/blob/sessions/upload_sessions.h"

namespace entrepot::blob {

// Adds to a claimed session. Its record is saved now and then, always with offset and hash state of the same moment, so
// that a killed process loses little.
class SessionAppender : public UploadAppender {
 public:
  // How many bytes a killed process may lose.
  static constexpr uint64_t kCheckpointBytes = 16 << 20;

  // `saved` is the session's record as it is in the KV, `upload` its bytes. What is pointed to outlives this.
  SessionAppender(SessionTable::Claim claim, const storage::v1::UploadRecord& saved, GrowingUpload upload,
                  SessionRecords* records, StagedUploads* uploads, SessionEndings* endings)
      : claim_(std::move(claim)),
        upload_(std::move(upload)),
        saved_(Saved::Of(saved)),
        records_(*records),
        uploads_(*uploads),
        endings_(*endings) {}
  ~SessionAppender() override;

  absl::Status Append(absl::string_view bytes) override;
  absl::StatusOr<Upload> Finish() override;
  absl::StatusOr<SealedUpload> FinishAndSeal(const Digest& digest) override;

 private:
  // What tells the record in the KV from one to be saved.
  struct Saved {
    static Saved Of(const storage::v1::UploadRecord& record);

    uint64_t offset_bytes = 0;
    bool staged = false;
    std::string algorithm;
  };

  bool Changed() const;
  absl::Status Save();

  SessionTable::Claim claim_;
  GrowingUpload upload_;
  Saved saved_;
  SessionRecords& records_;
  StagedUploads& uploads_;
  SessionEndings& endings_;
  absl::Status failure_;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_SESSIONS_SESSION_APPENDER_H_
